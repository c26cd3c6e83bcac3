/* SPDX-License-Identifier: ISC */
/*
 * store.c: the memory of decisions.  Only files store*.c see sqlite3.h.
 *
 * Owns the database: WAL, locked exclusively, synchronous FULL, everything
 * opened before the sandbox closes.  Never decides what is worth keeping.
 */
#include "placer/store_own.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"

#define STORE_VERSION 4
enum {
	STORE_ASIDES = 3 /* set aside and kept */
};

#define NOT_WRITTEN "placer.db: not written"

static const char *const texts[] = {
#define SQL(name, text) text,
#include "placer/sql.def"
#undef SQL
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT) "
    "WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS seat (uid TEXT PRIMARY KEY, ns TEXT, "
    "name TEXT, node TEXT, app TEXT, device TEXT, cpu_m INTEGER, "
    "memory INTEGER, images INTEGER, running_ms INTEGER, retreating INTEGER, "
    "sent INTEGER, applied INTEGER, rendered INTEGER, proven INTEGER, "
    "withheld INTEGER, suspect INTEGER, batch INTEGER, blamed INTEGER, "
    "reverting INTEGER, filed INTEGER) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS search (device TEXT PRIMARY KEY, "
    "judged TEXT, isolating INTEGER, batches INTEGER, bad_batch INTEGER, "
    "parked INTEGER) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS fault (uid TEXT PRIMARY KEY, ns TEXT, "
    "name TEXT, node TEXT, images INTEGER, tries INTEGER, retry_ms INTEGER, "
    "text TEXT) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS entry (uid TEXT PRIMARY KEY, images INTEGER, "
    "edit TEXT);"
    "CREATE TABLE IF NOT EXISTS clock (device TEXT PRIMARY KEY, "
    "since_ms INTEGER) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS active (uid TEXT PRIMARY KEY, ns TEXT, "
    "name TEXT, node TEXT, since_ms INTEGER) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS word (kind TEXT, name TEXT, uid INTEGER, "
    "at_ms INTEGER, created TEXT, PRIMARY KEY (kind, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS record (id INTEGER PRIMARY KEY, "
    "at_ms INTEGER, pod TEXT, operation TEXT, desired TEXT, actual TEXT, "
    "action TEXT, result TEXT);";

int
store_fail(struct store *s, const char *what, struct why *why)
{
	s->failed = 1;
	return fail(why, ERR_SYSTEM, "placer.db: %s: %s", what,
	    sqlite3_errmsg(s->db));
}

static int
exec(struct store *s, const char *sql, struct why *why)
{
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return store_fail(s, "open", why);
	return 0;
}

static int
version_is_ours(struct store *s)
{
	sqlite3_stmt *st;
	int version = -1;

	if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &st, NULL) !=
	    SQLITE_OK)
		return 0;
	if (sqlite3_step(st) == SQLITE_ROW)
		version = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return version == 0 || version == STORE_VERSION;
}

static int
is_sound(struct store *s)
{
	sqlite3_stmt *st;
	int ok = 0;

	if (sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &st, NULL) !=
	    SQLITE_OK)
		return 0;
	if (sqlite3_step(st) == SQLITE_ROW)
		ok =
		    strcmp((const char *)sqlite3_column_text(st, 0), "ok") == 0;
	sqlite3_finalize(st);
	return ok;
}

static int
open_db(struct store *s, const char *path, struct why *why)
{
	AUTO_FREE char *version = NULL;
	int i;

	if (sqlite3_open_v2(path, &s->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
		    SQLITE_OPEN_NOMUTEX,
		NULL) != SQLITE_OK)
		return store_fail(s, path, why);
	version = xasprintf("PRAGMA user_version = %d", STORE_VERSION);
	if (exec(s,
		"PRAGMA locking_mode = EXCLUSIVE;"
		"PRAGMA journal_mode = WAL;"
		"PRAGMA synchronous = FULL;"
		"PRAGMA temp_store = MEMORY;"
		"PRAGMA cache_size = -1024;"
		"PRAGMA wal_autocheckpoint = 400;",
		why) == -1)
		return -1;
	if (!version_is_ours(s) || !is_sound(s))
		return fail(why, ERR_FORMAT,
		    "%s: not a sound database of "
		    "version %d",
		    path, STORE_VERSION);
	if (exec(s, schema, why) == -1 || exec(s, version, why) == -1)
		return -1;
	for (i = 0; i < SQL_COUNT; i++)
		if (sqlite3_prepare_v3(s->db, texts[i], -1,
			SQLITE_PREPARE_PERSISTENT, &s->stmt[i],
			NULL) != SQLITE_OK)
			return store_fail(s, texts[i], why);
	return 0;
}

static void
close_db(struct store *s)
{
	int i;

	for (i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(s->stmt[i]);
	sqlite3_close(s->db);
	memset(s, 0, sizeof(*s));
}

/* n: how many were set aside after it. */
static char *
aside_name(const char *path, int n, const char *part)
{
	return n == 0 ? xasprintf("%s.set-aside%s", path, part) :
			xasprintf("%s.set-aside.%d%s", path, n, part);
}

/* Nothing older stays at the new place, where it would be laid over others. */
static int
move(const char *from, const char *to)
{
	if (rename(from, to) == 0)
		return 0;
	if (errno == ENOENT)
		(void)unlink(to);
	return -1;
}

static int
put_aside(const char *path, struct why *why)
{
	static const char *const parts[] = { "", "-wal", "-shm" };
	size_t i;
	int n;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		AUTO_FREE char *now = xasprintf("%s%s", path, parts[i]);
		AUTO_FREE char *last = aside_name(path, 0, parts[i]);

		for (n = STORE_ASIDES - 1; n > 0; n--) {
			AUTO_FREE char *from =
			    aside_name(path, n - 1, parts[i]);
			AUTO_FREE char *to = aside_name(path, n, parts[i]);

			(void)move(from, to);
		}
		if (move(now, last) == -1 && i == 0)
			return fail(why, ERR_SYSTEM,
			    "%s: cannot be renamed: %m", now);
	}
	return 0;
}

struct store *
store_open(const char *dir, int *set_aside, struct why *why)
{
	AUTO_FREE char *path = xasprintf("%s/placer.db", dir);
	struct store *s;

	*set_aside = 0;
	s = xcalloc(1, sizeof(*s));
	if (open_db(s, path, why) == 0) {
		s->failed = 0;
		return s;
	}
	close_db(s);
	if (access(path, F_OK) == 0 && put_aside(path, why) == 0) {
		*set_aside = 1;
		if (open_db(s, path, why) == 0) {
			s->failed = 0;
			return s;
		}
		close_db(s);
	}
	free(s);
	return NULL;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	/*
	 * The sandbox lets nobody remove the log, and one that is left with
	 * something in it would be laid over whatever database is there next.
	 */
	(void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE,
	    NULL, NULL);
	close_db(s);
	free(s);
}

/* -- one statement -- */

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
		return store_fail(s, texts[n], why);
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
		s->commits++;
		return 0;
	}
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
	return rc == SQLITE_DONE ? 0 : store_fail(s, texts[n], why);
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
	}
	return p;
}

struct wdevice *
store_device(struct world *w, sqlite3_stmt *st, int at)
{
	struct wdevice *d = world_device(w, store_column(st, at));

	return d != NULL ? d : world_add_device(w, store_column(st, at));
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
	world_seat(w, p, store_device(w, st, 5));
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
