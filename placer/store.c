/* SPDX-License-Identifier: ISC */
/*
 * store.c: the memory of decisions.  Only files store*.c see sqlite3.h.
 *
 * Owns how a statement is run and what a transaction is, and the tables seat,
 * entry and meta.  Never decides what is worth keeping.
 */
#include "placer/store_own.h"

#include <stdio.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/former.h"

#define NOT_WRITTEN "placer.db: not written"

/* -- one statement -- */

int
store_fail(struct store *s, const char *what, struct why *why)
{
	s->failed = 1;
	return fail(why, ERR_SYSTEM, "placer.db: %s: %s", what,
	    sqlite3_errmsg(s->db));
}

void
store_bind_text(sqlite3_stmt *st, int at, const char *text)
{
	sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
}

/* Ends a statement that gives no rows. */
int
store_run(struct store *s, enum sql n, struct why *why)
{
	sqlite3_stmt *st = s->stmt[n];
	int rc;

	rc = sqlite3_step(st);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	if (rc != SQLITE_DONE)
		return store_fail(s, sqlite3_sql(st), why);
	return 0;
}

/* Before each write: in a transaction that did not fail yet. */
int
store_begin(struct store *s, struct why *why)
{
	if (s->open)
		return 0;
	if (store_run(s, SQL_BEGIN, why) == -1)
		return -1;
	s->open = 1;
	return 0;
}

/* Whether it wrote since the last look: not where the same bytes stand. */
static int
wrote(struct store *s)
{
	int n = 0, high;

	(void)sqlite3_db_status(s->db, SQLITE_DBSTATUS_CACHE_WRITE, &n, &high,
	    1);
	return n > 0;
}

int
store_commit(struct store *s, struct why *why)
{
	int failed = s->failed;

	if (!s->open) {
		s->failed = 0;
		return failed ? fail(why, ERR_SYSTEM, NOT_WRITTEN) : 0;
	}
	s->open = 0;
	if (!failed && store_run(s, SQL_COMMIT, why) == 0) {
		s->committed = s->start;
		s->commits += (uint64_t)wrote(s);
		return 0;
	}
	(void)wrote(s);
	s->start = s->committed;
	(void)store_run(s, SQL_ROLLBACK, NULL);
	s->failed = 0;
	return failed ? fail(why, ERR_SYSTEM, NOT_WRITTEN) : -1;
}

uint64_t
store_commits(const struct store *s)
{
	return s->commits;
}

int
store_each(struct store *s, enum sql n, store_row *fn, struct world *w,
    struct now now, struct why *why)
{
	sqlite3_stmt *st = s->stmt[n];
	int rc;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		fn(w, st, now);
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : store_fail(s, sqlite3_sql(st), why);
}

/* -- seats -- */

void
store_bind_pod(sqlite3_stmt *st, const struct wpod *p)
{
	store_bind_text(st, 1, p->uid);
	store_bind_text(st, 2, p->ns);
	store_bind_text(st, 3, p->name);
	store_bind_text(st, 4, p->node != NULL ? p->node->name : "");
}

int
store_seat(struct store *s, const struct wpod *p, struct why *why)
{
	sqlite3_stmt *st = s->stmt[SQL_SEAT_PUT];

	if (store_begin(s, why) == -1)
		return -1;
	store_bind_pod(st, p);
	store_bind_text(st, 5, p->app);
	store_bind_text(st, 6, p->device->name);
	sqlite3_bind_int64(st, 7, p->room.cpu_m);
	sqlite3_bind_int64(st, 8, p->room.memory);
	sqlite3_bind_int64(st, 9, (int64_t)p->sent_images);
	sqlite3_bind_int64(st, 10, p->running_ms);
	sqlite3_bind_int(st, 11, p->retreating);
	sqlite3_bind_int(st, 12, p->sent);
	sqlite3_bind_int(st, 13, p->applied);
	sqlite3_bind_int64(st, 14, (int64_t)p->rendered_images);
	sqlite3_bind_int64(st, 15, (int64_t)p->proven_images);
	sqlite3_bind_int(st, 16, p->withheld);
	sqlite3_bind_int(st, 17, p->suspect);
	sqlite3_bind_int64(st, 18, p->batch);
	sqlite3_bind_int(st, 19, p->blamed);
	sqlite3_bind_int(st, 20, p->reverting);
	sqlite3_bind_int(st, 21, (int)p->filed);
	return store_run(s, SQL_SEAT_PUT, why);
}

int
store_drop(struct store *s, enum sql n, const char *key, struct why *why)
{
	if (store_begin(s, why) == -1)
		return -1;
	store_bind_text(s->stmt[n], 1, key);
	return store_run(s, n, why);
}

int
store_unseat(struct store *s, const struct wpod *p, struct why *why)
{
	if (store_drop(s, SQL_SEAT_DROP, p->uid, why) == -1)
		return -1;
	return store_drop(s, SQL_ENTRY_DROP, p->uid, why);
}

const char *
store_column(sqlite3_stmt *st, int at)
{
	const char *text = (const char *)sqlite3_column_text(st, at);

	return text != NULL ? text : "";
}

struct wpod *
store_pod(struct world *w, sqlite3_stmt *st)
{
	struct wpod *p = world_pod(w, store_column(st, 0));

	if (p == NULL) {
		p = world_add_pod(w, store_column(st, 0), store_column(st, 1),
		    store_column(st, 2));
		p->node = world_node(w, store_column(st, 3));
		if (p->node == NULL)
			p->node = former_get(w, store_column(st, 3));
	}
	return p;
}

static void
load_seat(struct world *w, sqlite3_stmt *st, struct now now)
{
	struct wpod *p;

	(void)now;
	if (world_pod(w, store_column(st, 0)) != NULL)
		return;
	p = store_pod(w, st);
	(void)snprintf(p->app, sizeof(p->app), "%s", store_column(st, 4));
	p->room = (struct fit_room){ sqlite3_column_int64(st, 6),
		sqlite3_column_int64(st, 7), 1, 0 };
	world_seat(w, p, world_device_or_new(w, store_column(st, 5)));
	p->sent_images = (uint64_t)sqlite3_column_int64(st, 8);
	p->running_ms = sqlite3_column_int64(st, 9);
	p->retreating = sqlite3_column_int(st, 10) != 0;
	p->sent = sqlite3_column_int(st, 11) != 0;
	p->doubted = !p->sent;
	p->applied = sqlite3_column_int(st, 12) != 0;
	if (p->applied)
		w->hash_rule = 1; /* nothing is applied but by that rule */
	p->rendered_images = (uint64_t)sqlite3_column_int64(st, 13);
	p->has_entry = sqlite3_column_int(st, 14) != 0;
	p->proven_images = (uint64_t)sqlite3_column_int64(st, 15);
	p->kept_images = (uint64_t)sqlite3_column_int64(st, 16);
	p->withheld = sqlite3_column_int(st, 17) != 0;
	p->suspect = sqlite3_column_int(st, 18) != 0;
	p->batch = (uint32_t)sqlite3_column_int64(st, 19);
	p->blamed = sqlite3_column_int(st, 20) != 0;
	p->reverting = sqlite3_column_int(st, 21) != 0;
	p->filed = (enum filed)sqlite3_column_int(st, 22);
	p->filed_unsure = p->filed != FILED_NOT;
	if (p->filed == FILED_OLD)
		p->filed = FILED_BACK; /* to write them again changes nothing */
}

int
store_load(struct store *s, struct world *w, struct now now, struct why *why)
{
	if (store_each(s, SQL_SEATS, load_seat, w, now, why) == -1 ||
	    store_load_clocks(s, w, now, why) == -1 ||
	    store_load_words(s, w, now, why) == -1)
		return -1;
	return store_load_search(s, w, now, why);
}

/* -- the rest -- */

int
store_put_entry(struct store *s, const struct wpod *p, struct why *why)
{
	return store_put_text(s, p, p->entry, why);
}

static int
put_text(struct store *s, const char *key, const struct wpod *p,
    const char *text, struct why *why)
{
	sqlite3_stmt *st = s->stmt[SQL_ENTRY_PUT];

	if (store_begin(s, why) == -1)
		return -1;
	store_bind_text(st, 1, key);
	sqlite3_bind_int64(st, 2, (int64_t)p->rendered_images);
	store_bind_text(st, 3, text);
	return store_run(s, SQL_ENTRY_PUT, why);
}

int
store_put_text(struct store *s, const struct wpod *p, const char *text,
    struct why *why)
{
	return put_text(s, p->uid, p, text, why);
}

int
store_put_old(struct store *s, const struct wpod *p, const char *text,
    struct why *why)
{
	AUTO_FREE char *key = xasprintf("%s-", p->uid);

	return put_text(s, key, p, text, why);
}

int
store_keep_entry(struct store *s, const struct wpod *p, struct why *why)
{
	sqlite3_stmt *st = s->stmt[SQL_ENTRY_KEEP];

	if (store_begin(s, why) == -1)
		return -1;
	store_bind_text(st, 1, p->uid);
	sqlite3_bind_int64(st, 2, (int64_t)p->proven_images);
	if (store_run(s, SQL_ENTRY_KEEP, why) == -1)
		return -1;
	return sqlite3_changes(s->db) > 0;
}

static int
get_entry(struct store *s, const char *key, char **edit, struct why *why)
{
	sqlite3_stmt *st = s->stmt[SQL_ENTRY_GET];
	int rc;

	*edit = NULL;
	store_bind_text(st, 1, key);
	if ((rc = sqlite3_step(st)) == SQLITE_ROW)
		*edit = xstrdup(store_column(st, 0));
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return fail(why, ERR_SYSTEM, "placer.db: %s",
		    sqlite3_errmsg(s->db));
	return 0;
}

int
store_get_entry(struct store *s, const char *uid, char **edit, struct why *why)
{
	return get_entry(s, uid, edit, why);
}

int
store_get_kept(struct store *s, const char *uid, char **edit, struct why *why)
{
	AUTO_FREE char *key = xasprintf("%s~", uid);

	return get_entry(s, key, edit, why);
}

int
store_get_old(struct store *s, const char *uid, char **edit, struct why *why)
{
	AUTO_FREE char *key = xasprintf("%s-", uid);

	return get_entry(s, key, edit, why);
}

int
store_get_meta(struct store *s, const char *key, char *buf, size_t size,
    struct why *why)
{
	sqlite3_stmt *st = s->stmt[SQL_META_GET];
	int found = 0, rc;

	store_bind_text(st, 1, key);
	if ((rc = sqlite3_step(st)) == SQLITE_ROW)
		found = (size_t)snprintf(buf, size, "%s", store_column(st, 0)) <
		    size;
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return fail(why, ERR_SYSTEM, "placer.db: %s",
		    sqlite3_errmsg(s->db));
	return found;
}

int
store_put_meta(struct store *s, const char *key, const char *value,
    struct why *why)
{
	sqlite3_stmt *st = s->stmt[SQL_META_PUT];

	if (store_begin(s, why) == -1)
		return -1;
	store_bind_text(st, 1, key);
	store_bind_text(st, 2, value);
	return store_run(s, SQL_META_PUT, why);
}
