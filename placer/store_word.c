/* SPDX-License-Identifier: ISC */
/*
 * store_word.c: what people ordered.
 *
 * Owns the table word: of each kind of order, the device, the node or the
 * pod's uid that it holds for.
 */
#include <string.h>

#include "common/xmem.h"
#include "placer/former.h"
#include "placer/store_own.h"

#define GIVEN_UP_WORD "given-up"
#define PURGED_WORD "purged"
#define RETIRED_WORD "node-retired"
/* As databases of before have it. */
#define DEVICE_GIVEN_UP_WORD "retired"

static struct worded *
device_word(struct wdevice *d, const char *kind)
{
	if (strcmp(kind, "drained") == 0)
		return &d->drained;
	if (strcmp(kind, DEVICE_GIVEN_UP_WORD) == 0)
		return &d->given_up;
	return strcmp(kind, "written-off") == 0 ? &d->written_off : NULL;
}

static int
put(struct store *s, const char *kind, const char *name,
    const struct worded *by, const char *created, struct why *why)
{
	enum sql n = by->on ? SQL_WORD_PUT : SQL_WORD_DROP;
	sqlite3_stmt *st = s->stmt[n];

	if (store_begin(s, why) == -1)
		return -1;
	store_bind_text(st, 1, kind);
	store_bind_text(st, 2, name);
	if (by->on) {
		sqlite3_bind_int64(st, 3, by->uid);
		sqlite3_bind_int64(st, 4, by->at_ms);
		store_bind_text(st, 5, created);
	}
	return store_run(s, n, why);
}

int
store_device_words(struct store *s, const struct wdevice *d, struct why *why)
{
	if (put(s, "drained", d->name, &d->drained, NULL, why) == -1 ||
	    put(s, DEVICE_GIVEN_UP_WORD, d->name, &d->given_up,
		d->given_up_created, why) == -1)
		return -1;
	return put(s, "written-off", d->name, &d->written_off, NULL, why);
}

int
store_pod_word(struct store *s, const struct wpod *p, const struct worded *by,
    struct why *why)
{
	return put(s, GIVEN_UP_WORD, p->uid, by, NULL, why);
}

int
store_node_word(struct store *s, const struct wnode *n, struct why *why)
{
	if (put(s, RETIRED_WORD, n->name, &n->retired, NULL, why) == -1)
		return -1;
	return put(s, PURGED_WORD, n->name, &n->purge, NULL, why);
}

/* Served or not: what ends by that is dropped when all are here. */
static void
load_node_word(struct world *w, const char *kind, const char *name,
    struct worded by)
{
	struct wnode *n = world_node(w, name);

	if (n == NULL && (n = former_get(w, name)) == NULL)
		return;
	if (strcmp(kind, PURGED_WORD) == 0)
		n->purge = by;
	else
		n->retired = by;
}

static void
load_word(struct world *w, sqlite3_stmt *st, struct now now)
{
	struct worded by = { 1, (uint32_t)sqlite3_column_int64(st, 2),
		sqlite3_column_int64(st, 3) };
	const char *kind = store_column(st, 0), *created = store_column(st, 4);
	struct worded *at;
	struct wdevice *d;
	struct wpod *p;

	(void)now;
	if (strcmp(kind, GIVEN_UP_WORD) == 0) {
		if ((p = world_pod(w, store_column(st, 1))) != NULL)
			p->given_up = by;
		return;
	}
	if (strcmp(kind, PURGED_WORD) == 0 || strcmp(kind, RETIRED_WORD) == 0) {
		load_node_word(w, kind, store_column(st, 1), by);
		return;
	}
	d = world_device_or_new(w, store_column(st, 1));
	if ((at = device_word(d, kind)) == NULL)
		return;
	*at = by;
	if (*created != '\0')
		d->given_up_created = xstrdup(created);
}

/* What people ordered about the node is over. */
static int
end_word(struct store *s, const struct wnode *n, struct worded *by,
    struct why *why)
{
	if (!by->on)
		return 0;
	by->on = 0;
	return store_node_word(s, n, why);
}

/* A purge ends when its fleet is configured again, a retired node without. */
int
store_load_words(struct store *s, struct world *w, struct now now,
    struct why *why)
{
	struct wnode *n;
	size_t i;

	if (store_each(s, SQL_WORDS, load_word, w, now, why) == -1)
		return -1;
	for (n = w->nodes; n < w->nodes + w->nnodes; n++)
		if (end_word(s, n, &n->purge, why) == -1)
			return -1;
	for (i = 0; i < w->nformer; i++) {
		n = w->former[i];
		if (end_word(s, n, &n->retired, why) == -1)
			return -1;
	}
	return 0;
}
