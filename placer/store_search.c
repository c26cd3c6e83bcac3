/* SPDX-License-Identifier: ISC */
/*
 * store_search.c: who is suspected, and what failed.
 *
 * Owns the rows of both.  A restart goes on with a search where it was, and
 * with the pause before the next try: an innocent pod is not blamed for what
 * was judged before, and a bad image is not pulled without pause.
 */
#include <stdlib.h>

#include "common/xmem.h"
#include "placer/fault.h"
#include "placer/store_own.h"

int
store_search(struct store *s, const struct wdevice *d, struct why *why)
{
	sqlite3_stmt *st = s->stmt[SQL_SEARCH_PUT];
	const struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device)
		if (store_seat(s, p, why) == -1)
			return -1;
	if (store_begin(s, why) == -1)
		return -1;
	store_bind_text(st, 1, d->name);
	store_bind_text(st, 2, d->judged);
	sqlite3_bind_int(st, 3, d->isolating);
	sqlite3_bind_int64(st, 4, d->batches);
	sqlite3_bind_int64(st, 5, d->bad_batch);
	sqlite3_bind_int(st, 6, d->parked);
	return store_run(s, SQL_SEARCH_PUT, why);
}

static void
load_search(struct world *w, sqlite3_stmt *st, struct now now)
{
	struct wdevice *d = world_device(w, store_column(st, 0));

	(void)now;
	if (d == NULL)
		return;
	if (*store_column(st, 1) != '\0')
		d->judged = xstrdup(store_column(st, 1));
	d->isolating = sqlite3_column_int(st, 2) != 0;
	d->batches = (uint32_t)sqlite3_column_int64(st, 3);
	d->bad_batch = (uint32_t)sqlite3_column_int64(st, 4);
	d->parked = (uint8_t)sqlite3_column_int(st, 5);
}

int
store_fault(struct store *s, const struct wpod *p, struct why *why)
{
	sqlite3_stmt *st = s->stmt[SQL_FAULT_PUT];

	if (p->tries == 0)
		return store_drop_fault(s, p, why);
	if (store_begin(s, why) == -1)
		return -1;
	store_bind_pod(st, p);
	sqlite3_bind_int64(st, 5, (int64_t)p->fault_images);
	sqlite3_bind_int(st, 6, p->tries);
	sqlite3_bind_int64(st, 7, p->retry_boot);
	store_bind_text(st, 8, p->fault);
	return store_run(s, SQL_FAULT_PUT, why);
}

int
store_drop_fault(struct store *s, const struct wpod *p, struct why *why)
{
	return store_drop(s, SQL_FAULT_DROP, p->uid, why);
}

static void
load_fault(struct world *w, sqlite3_stmt *st, struct now now)
{
	struct wpod *p = store_pod(w, st);

	p->fault_images = (uint64_t)sqlite3_column_int64(st, 4);
	p->tries = (uint8_t)sqlite3_column_int(st, 5);
	fault_resume(p, store_column(st, 7), sqlite3_column_int64(st, 6), now);
}

int
store_load_search(struct store *s, struct world *w, struct now now,
    struct why *why)
{
	if (store_each(s, SQL_SEARCHES, load_search, w, now, why) == -1 ||
	    store_each(s, SQL_FAULTS, load_fault, w, now, why) == -1)
		return -1;
	/* Of a device without pods nobody is suspected. */
	if (store_begin(s, why) == -1)
		return -1;
	return store_run(s, SQL_SEARCH_TIDY, why);
}
