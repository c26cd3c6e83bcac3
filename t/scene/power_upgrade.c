/* SPDX-License-Identifier: ISC */
/*
 * power_upgrade.c: power goes at each record of an older database's becoming
 * this version's, and of a newer one's being set aside.
 *
 * What is found after it is the old or the new, whole, never what is between:
 * the version says which columns there are, its rows are all there, and the
 * next start makes of it what this one would have.
 */
#include "t/scene/power.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/store.h"
#include "t/scene/disk.h"
#include "t/scene/scene.h"

enum {
	NEWER = 4711,
	ROWS = 40, /* so that a table is more than one page */
};

static void
run(const char *dir, const char *file, const char *sql)
{
	AUTO_FREE char *path = xasprintf("%s/%s", dir, file);
	sqlite3 *db;

	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		printf("not ok %s: %s\n", path, sqlite3_errmsg(db));
		exit(1);
	}
	sqlite3_close(db);
}

/* -1: it cannot be asked. */
static int
ask(const char *dir, const char *file, const char *sql)
{
	AUTO_FREE char *path = xasprintf("%s/%s", dir, file);
	sqlite3_stmt *st = NULL;
	sqlite3 *db;
	int n = -1;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) ==
		SQLITE_OK &&
	    sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL,
		NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

#define VERSION "SELECT user_version FROM pragma_user_version"
#define COLUMNS "SELECT count(*) FROM pragma_table_info('seat')"
#define ROWS_IN "SELECT count(*) FROM seat"

static void
make(const char *dir, int version)
{
	AUTO_FREE char *name = version == NEWER ?
	    xstrdup("t/golden/store/4.sql") :
	    xasprintf("t/golden/store/%d.sql", version);
	AUTO_FREE char *more = xasprintf(
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	    "WHERE i < %d) INSERT INTO seat (uid, ns, name) SELECT "
	    "'more-' || i, hex(zeroblob(200)), 'p' FROM n;"
	    "PRAGMA user_version = %d",
	    ROWS - 1, version);
	struct text t = text_read(name);
	AUTO_FREE char *sql = xstrdup("PRAGMA journal_mode = WAL;");
	size_t i;

	for (i = 0; i < t.n; i++) {
		char *longer = xasprintf("%s\n%s", sql, t.lines[i]);

		free(sql);
		sql = longer;
	}
	text_free(&t);
	run(dir, "placer.db", sql);
	run(dir, "placer.db", more);
}

struct shape {
	int version, columns;
};

static int
is_whole(const char *dir, const char *file, const struct shape *old,
    const struct shape *new)
{
	struct shape is = { ask(dir, file, VERSION), ask(dir, file, COLUMNS) };

	return ask(dir, file, ROWS_IN) == ROWS &&
	    ((is.version == old->version && is.columns == old->columns) ||
		(is.version == new->version &&is.columns == new->columns));
}

static int
opens(const char *dir, struct store_found *found)
{
	struct store *s;
	struct why why;

	if ((s = store_open(dir, found, &why)) == NULL) {
		printf("# %s\n", why.text);
		return 0;
	}
	store_close(s);
	return 1;
}

/* An image of an older one. */
static int
upgraded(const char *dir, const struct shape *old, const struct shape *new)
{
	struct store_found found;

	return is_whole(dir, "placer.db", old, new) && opens(dir, &found) &&
	    !found.set_aside && is_whole(dir, "placer.db", new, new);
}

/* Of a newer one: it is there, whole, or one of ours is in its place. */
static int
put_aside(const char *dir, const struct shape *old, const struct shape *new)
{
	const int was = ask(dir, "placer.db", VERSION);
	struct store_found found;

	if (was == old->version)
		return is_whole(dir, "placer.db", old, old) &&
		    opens(dir, &found) && found.set_aside &&
		    is_whole(dir, "placer.db.set-aside", old, old);
	return (was == 0 || was == new->version) && opens(dir, &found) &&
	    !found.set_aside;
}

static size_t
each_image(int version, size_t *images)
{
	AUTO_FREE char *from = scene_dir(), *to = scene_dir();
	AUTO_FREE char *command = xasprintf("rm -rf %s", from);
	AUTO_FREE char *clear = xasprintf("rm -rf %s/*", to);
	AUTO_FREE char *remove = xasprintf("rm -rf %s", to);
	struct shape old, new;
	struct store_found found;
	size_t at, n, bad = 0;
	int loss;

	disk_hold();
	make(from, version);
	old = (struct shape){ version, ask(from, "placer.db", COLUMNS) };
	disk_record();
	bad += !opens(from, &found);
	disk_hold();
	n = disk_records();
	if (n == 0 || old.version == found.ours) {
		printf("not ok version %d: %zu records\n", version, n);
		bad++;
	}
	new = (struct shape){ found.ours, ask(from, "placer.db", COLUMNS) };
	for (at = 1; at <= n; at++)
		for (loss = 0; loss < DISK_LOSSES && bad == 0; loss++) {
			*images += 1;
			(void)!system(clear);
			disk_image(at, (enum disk_loss)loss, at, to);
			if (version == NEWER ? put_aside(to, &old, &new) :
					       upgraded(to, &old, &new))
				continue;
			printf("not ok version %d, power cut at record %zu of "
			       "%zu, %s: neither the old nor the new\n",
			    version, at, n,
			    disk_loss_name((enum disk_loss)loss));
			bad++;
		}
	(void)!system(command);
	(void)!system(remove);
	return bad;
}

int
power_upgrades(void)
{
	static const int versions[] = { 2, 3, NEWER };
	size_t i, images = 0, bad = 0;

	for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		bad += each_image(versions[i], &images);
	printf("figure power_upgrade_images %zu 1\n", images);
	return bad == 0;
}
