/* SPDX-License-Identifier: ISC */
/*
 * store_word.c: what people ordered.
 *
 * Owns the table word: of each kind of order, the device, the node or the
 * pod's uid that it holds for.
 */
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "placer/former.h"
#include "placer/store_own.h"

#define GIVEN_UP_WORD "given-up"
#define PURGED_WORD "purged"
#define RETIRED_WORD "node-retired"
/* As databases of before have it. */
#define DEVICE_GIVEN_UP_WORD "retired"

#define DRAINED_WORD "drained"
#define WRITTEN_OFF_WORD "written-off"

static int
is_node_kind(const char *kind)
{
	return strcmp(kind, PURGED_WORD) == 0 ||
	    strcmp(kind, RETIRED_WORD) == 0;
}

static struct worded *
device_word(struct wdevice *d, const char *kind)
{
	if (strcmp(kind, DRAINED_WORD) == 0)
		return &d->drained;
	if (strcmp(kind, DEVICE_GIVEN_UP_WORD) == 0)
		return &d->given_up;
	return strcmp(kind, WRITTEN_OFF_WORD) == 0 ? &d->written_off : NULL;
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
	if (put(s, DRAINED_WORD, d->name, &d->drained, NULL, why) == -1 ||
	    put(s, DEVICE_GIVEN_UP_WORD, d->name, &d->given_up,
		d->given_up_created, why) == -1)
		return -1;
	return put(s, WRITTEN_OFF_WORD, d->name, &d->written_off, NULL, why);
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
	if (is_node_kind(kind)) {
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

/* -- what could not be written when it was to be -- */

/* What the world says of a row; NULL: nothing. */
static const struct worded *
word_of(struct world *w, const char *kind, const char *name)
{
	static const struct worded none = { 0, 0, 0 };
	const struct wnode *n;
	struct wdevice *d;
	const struct wpod *p;

	if (strcmp(kind, GIVEN_UP_WORD) == 0)
		return (p = world_pod(w, name)) != NULL ? &p->given_up : &none;
	if (!is_node_kind(kind))
		return (d = world_device(w, name)) != NULL ?
		    device_word(d, kind) :
		    NULL;
	if ((n = world_node(w, name)) == NULL &&
	    (n = former_find(w, name)) == NULL)
		return NULL;
	return strcmp(kind, PURGED_WORD) == 0 ? &n->purge : &n->retired;
}

struct over {
	char *kind, *name;
};

/* The first row that is over; none: both stay NULL. */
static int
find_over(struct store *s, struct world *w, struct over *over, struct why *why)
{
	sqlite3_stmt *st = s->stmt[SQL_WORDS];
	const struct worded *is;
	int rc;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		is = word_of(w, store_column(st, 0), store_column(st, 1));
		if (is == NULL || is->on)
			continue;
		over->kind = xstrdup(store_column(st, 0));
		over->name = xstrdup(store_column(st, 1));
		break;
	}
	sqlite3_reset(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ?
	    0 :
	    store_fail(s, sqlite3_sql(st), why);
}

static int
drop_over(struct store *s, struct world *w, struct why *why)
{
	static const struct worded none = { 0, 0, 0 };
	struct over over;
	int rc;

	do {
		over = (struct over){ NULL, NULL };
		rc = find_over(s, w, &over, why);
		if (over.kind != NULL)
			rc = put(s, over.kind, over.name, &none, NULL, why);
		free(over.kind);
		free(over.name);
	} while (rc == 0 && over.kind != NULL);
	return rc;
}

static int
put_nodes(struct store *s, const struct world *w, struct why *why)
{
	const struct wnode *n;
	size_t i;

	for (i = 0; i < w->nnodes + w->nformer; i++) {
		n = i < w->nnodes ? &w->nodes[i] : w->former[i - w->nnodes];
		if ((n->retired.on || n->purge.on) &&
		    store_node_word(s, n, why) == -1)
			return -1;
	}
	return 0;
}

int
store_tidy_words(struct store *s, struct world *w, struct why *why)
{
	struct wdevice *d;
	struct wpod *p;

	if (drop_over(s, w, why) == -1 || put_nodes(s, w, why) == -1)
		return -1;
	RB_FOREACH(d, wdevice_tree, &w->devices)
		if ((d->drained.on || d->given_up.on || d->written_off.on) &&
		    store_device_words(s, d, why) == -1)
			return -1;
	RB_FOREACH(p, wpod_tree, &w->pods)
		if (p->given_up.on &&
		    store_pod_word(s, p, &p->given_up, why) == -1)
			return -1;
	return 0;
}
