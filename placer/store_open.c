/* SPDX-License-Identifier: ISC */
/*
 * store_open.c: the database, from its opening to its end.
 *
 * Owns the file: its schema and version, WAL, locked exclusively, synchronous
 * FULL, everything opened and prepared before the sandbox closes; and what is
 * set aside when a file cannot be used.  Never reads or writes a row.
 */
#include "placer/store_own.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/store_beat.h"

#ifndef STORE_VERSION /* t/it/next_store.c is the next one */
#define STORE_VERSION 4
#define STORE_UPGRADES "placer/upgrade.def"
#endif

enum {
	STORE_ASIDES = 3 /* set aside and kept */
};

static const struct {
	int from;
	const char *sql;
} upgrades[] = {
#define UPGRADE(from, sql) { from, sql },
#include STORE_UPGRADES
#undef UPGRADE
};

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

static int
exec(struct store *s, const char *sql, struct why *why)
{
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return store_fail(s, "open", why);
	return 0;
}

/* -1: not a database, or SQLite says what else. */
static int
version_of(struct store *s)
{
	sqlite3_stmt *st;
	int version = -1;

	if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &st, NULL) !=
	    SQLITE_OK)
		return -1;
	if (sqlite3_step(st) == SQLITE_ROW)
		version = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return version;
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

int
store_takes(int version)
{
	return version == 0 ||
	    (version >= upgrades[0].from && version <= STORE_VERSION);
}

/* All of it or nothing: what is left of a power cut is the old version. */
static int
make_current(struct store *s, int version, struct why *why)
{
	AUTO_FREE char *mark =
	    xasprintf("PRAGMA user_version = %d", STORE_VERSION);
	size_t i;

	if (exec(s, "BEGIN IMMEDIATE", why) == -1)
		return -1;
	for (i = 0; i < sizeof(upgrades) / sizeof(upgrades[0]); i++) {
		if (upgrades[i].from != version)
			continue;
		if (exec(s, upgrades[i].sql, why) == -1)
			return -1;
		version++;
	}
	if (version != 0 && version != STORE_VERSION)
		return fail(why, ERR_FORMAT,
		    "version %d, and this program knows those from %d to %d",
		    version, upgrades[0].from, STORE_VERSION);
	if (exec(s, schema, why) == -1 || exec(s, mark, why) == -1)
		return -1;
	return exec(s, "COMMIT", why);
}

static int
open_db(struct store *s, const char *path, int *version, struct why *why)
{
	int i;

	if (sqlite3_open_v2(path, &s->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
		    SQLITE_OPEN_NOMUTEX,
		store_beat_vfs()) != SQLITE_OK)
		return store_fail(s, path, why);
	if (exec(s,
		"PRAGMA locking_mode = EXCLUSIVE;"
		/* FULL, and no journal of a new file comes back from the dead.
		 */
		"PRAGMA synchronous = EXTRA;"
		"PRAGMA journal_mode = WAL;"
		"PRAGMA temp_store = MEMORY;"
		"PRAGMA cache_size = -1024;"
		"PRAGMA wal_autocheckpoint = 400;",
		why) == -1)
		return -1;
	if ((*version = version_of(s)) == -1)
		return store_fail(s, "open", why);
	if (!is_sound(s))
		return fail(why, ERR_FORMAT, "not a sound database");
	if (make_current(s, *version, why) == -1)
		return -1;
	for (i = 0; i < SQL_COUNT; i++)
		if (sqlite3_prepare_v3(s->db, texts[i], -1,
			SQLITE_PREPARE_PERSISTENT, &s->stmt[i],
			NULL) != SQLITE_OK)
			return store_fail(s, texts[i], why);
	return 0;
}

/*
 * A check for soundness says so of a page that could not be read, too, and
 * ends well; what the system said to it stays with the file.
 */
static int
was_unreadable(const struct store *s, int which)
{
	sqlite3_file *file = NULL;
	int error = 0;

	(void)sqlite3_file_control(s->db, "main", which, &file);
	if (file != NULL && file->pMethods != NULL)
		(void)file->pMethods->xFileControl(file,
		    SQLITE_FCNTL_LAST_ERRNO, &error);
	return error != 0;
}

/* Another file would fare no better, and this one may be sound. */
static int
is_trouble_of_the_host(const struct store *s)
{
	static const int codes[] = { SQLITE_BUSY, SQLITE_LOCKED, SQLITE_FULL,
		SQLITE_IOERR, SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_PERM,
		SQLITE_NOMEM };
	int code = s->db == NULL ? SQLITE_NOMEM : sqlite3_errcode(s->db) & 0xff;
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (code == codes[i])
			return 1;
	return was_unreadable(s, SQLITE_FCNTL_FILE_POINTER) ||
	    was_unreadable(s, SQLITE_FCNTL_JOURNAL_POINTER);
}

static const struct {
	int error;
	const char *mend;
} mends[] = {
	{ EROFS, "mount it writable" },
	{ ENOSPC, "make room there" },
	{ EDQUOT, "make room there" },
	{ EACCES, "it is to be the placer's" },
	{ EIO, "look at the disk" },
};

/* SQLite has few words for it; what the host says of the file, and a cure. */
static int
tell_host(const struct store *s, const char *dir, const char *path,
    struct why *why)
{
	const char *mend = NULL;
	int error = 0;
	size_t i;

	if (s->db != NULL && (sqlite3_errcode(s->db) & 0xff) == SQLITE_FULL)
		error = ENOSPC;
	else if (access(access(path, F_OK) == 0 ? path : dir, W_OK) == -1)
		error = errno;
	else if (s->db != NULL)
		error = sqlite3_system_errno(s->db);
	for (i = 0; i < sizeof(mends) / sizeof(mends[0]); i++)
		if (mends[i].error == error)
			mend = mends[i].mend;
	if (mend == NULL)
		return -1;
	return fail(why, ERR_SYSTEM, "%s: %s: %s", path, strerror(error), mend);
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
store_open(const char *dir, struct store_found *found, struct why *why)
{
	AUTO_FREE char *path = xasprintf("%s/placer.db", dir);
	struct store *s;
	int keep;

	memset(found, 0, sizeof(*found));
	found->ours = STORE_VERSION;
	s = xcalloc(1, sizeof(*s));
	if (open_db(s, path, &found->version, why) == 0) {
		s->failed = 0;
		return s;
	}
	if ((keep = is_trouble_of_the_host(s)))
		(void)tell_host(s, dir, path, why);
	close_db(s);
	found->why = *why;
	if (!keep && access(path, F_OK) == 0 && put_aside(path, why) == 0) {
		found->set_aside = 1;
		if (open_db(s, path, &found->version, why) == 0) {
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
