/* SPDX-License-Identifier: ISC */
/*
 * The database's file: an older version becomes this one, one that is not ours
 * to read is kept and replaced, one in use stays.
 */
#include "placer/store.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/store_beat.h"
#include "t/unit/fleet.h"
#include "t/unit/golden.h"
#include "t/unit/leaks.h"
#include "t/unit/storedir.h"

enum {
	PAGE = 4096, /* SQLite's own */
};

static const struct now now = { 1000 * 1000, INT64_C(1795419780000) };

TestSuite(store_open, .init = store_dir_make, .fini = store_dir_remove);

static void
write_named(const char *name, const char *text)
{
	AUTO_FREE char *path = xasprintf("%s/%s", store_dir, name);
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
}

static void
write_file(const char *text)
{
	write_named("placer.db", text);
}

Test(store_open, what_cannot_be_read_is_kept_and_replaced)
{
	AUTO_FREE char *aside = xasprintf("%s/placer.db.set-aside", store_dir);

	write_file("this is no database, nor was it ever one; it is longer "
		   "than the header of one would be, which is a hundred bytes");
	store_close(open_store(1));
	cr_assert_eq(access(aside, F_OK), 0);
	store_close(open_store(0));
	exec_on("PRAGMA user_version = 4711");
	store_close(open_store(1));
	store_close(open_store(0));
	NO_LEAKS();
}

/* The schema is whole, so are all statements; one table's page is not. */
Test(store_open, one_page_that_came_to_harm_is_noticed)
{
	AUTO_FREE char *path = xasprintf("%s/placer.db", store_dir);
	char harm[PAGE];
	FILE *f;

	store_close(open_store(0));
	memset(harm, 0xff, sizeof(harm));
	cr_assert_not_null(f = fopen(path, "r+"));
	cr_assert_eq(fseek(f, 2L * PAGE, SEEK_SET), 0);
	cr_assert_eq(fwrite(harm, 1, sizeof(harm), f), sizeof(harm));
	cr_assert_eq(fclose(f), 0);
	store_close(open_store(1));
	NO_LEAKS();
}

/* -- a slow disk -- */

static int beats;

static void
on_beat(void)
{
	beats++;
}

/* Each statement that syncs more than once would be silent for too long. */
Test(store_open, says_that_it_lives_before_each_sync)
{
	struct store *s;

	store_beat(on_beat);
	s = open_store(0);
	cr_assert_geq(beats, 5, "%d", beats); /* journal, file, log */
	beats = 0;
	cr_assert_eq(store_put_meta(s, "cluster", "1", NULL), 0);
	cr_assert_eq(beats, 0);
	cr_assert_eq(store_commit(s, NULL), 0);
	cr_assert_eq(beats, 1);
	store_close(s);
	cr_assert_eq(beats, 3); /* the log, the file */
	store_beat(NULL);
	NO_LEAKS();
}

/* -- other versions -- */

/* What an older version wrote (t/golden/store). */
static void
make_old(int version)
{
	AUTO_FREE char *name = xasprintf("%d.sql", version);
	AUTO_FREE char *sql = golden_read("store", name);

	cr_assert_not_null(sql, "t/golden/store/%s", name);
	exec_on(sql);
}

static void
remove_db(void)
{
	AUTO_FREE char *path = xasprintf("%s/placer.db", store_dir);

	cr_assert_eq(unlink(path), 0);
}

static void
is_upgraded(int version)
{
	struct world *w = fleet_world();
	struct store_found found;
	struct why why;
	struct store *s;
	struct wpod *p;

	make_old(version);
	s = store_open(store_dir, &found, &why);
	cr_assert_not_null(s, "%d: %s", version, why.text);
	cr_assert_eq(found.version, version);
	cr_assert_eq(found.set_aside, 0, "%d: %s", version, found.why.text);
	cr_assert_eq(store_load(s, w, now, &why), 0, "%d: %s", version,
	    why.text);
	cr_assert_not_null(p = world_pod(w, "uid-a"));
	cr_assert_str_eq(p->app, "k8s-a");
	cr_assert_str_eq(p->device->name, "d");
	cr_assert(p->sent && p->applied && !p->retreating && p->has_entry);
	cr_assert_eq(p->proven_images, 3);
	cr_assert_eq(p->batch, version >= 3 ? 5 : 0);
	cr_assert_eq(p->device->drained.on, version >= 4);
	/* And the new columns can be written. */
	p->blamed = 1;
	cr_assert_eq(store_seat(s, p, NULL), 0);
	cr_assert_eq(store_search(s, p->device, NULL), 0);
	cr_assert_eq(store_commit(s, NULL), 0);
	store_close(s);
	s = store_open(store_dir, &found, &why);
	cr_assert_not_null(s, "%d: %s", version, why.text);
	cr_assert_eq(found.version, found.ours);
	store_close(s);
	fleet_free(w);
	remove_db();
}

Test(store_open, each_older_version_is_made_the_next)
{
	struct store_found found;
	struct why why;
	int version;

	store_close(store_open(store_dir, &found, &why));
	cr_assert_eq(found.version, 0);
	remove_db();
	for (version = 2; version <= found.ours; version++)
		is_upgraded(version);
	NO_LEAKS();
}

Test(store_open, a_version_that_is_not_known_is_set_aside_and_told)
{
	static const int versions[] = { 1, 4711 };
	size_t i;

	for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		AUTO_FREE char *mark =
		    xasprintf("PRAGMA user_version = %d", versions[i]);
		AUTO_FREE char *told = NULL;
		struct store_found found;
		struct store *s;
		struct why why;

		store_close(open_store(0));
		exec_on(mark);
		s = store_open(store_dir, &found, &why);
		cr_assert_not_null(s, "%s", why.text);
		told = xasprintf("version %d, and this program "
				 "knows those from 2 to %d",
		    versions[i], found.ours);
		cr_assert_eq(found.set_aside, 1);
		cr_assert_str_eq(found.why.text, told);
		store_close(s);
	}
	NO_LEAKS();
}

/* As after a power cut, and as an older program would find it. */
Test(store_open, an_upgrade_that_cannot_end_changes_nothing)
{
	AUTO_FREE char *from = xasprintf("%s/placer.db.set-aside", store_dir);
	AUTO_FREE char *to = xasprintf("%s/placer.db", store_dir);

	make_old(2);
	exec_on("ALTER TABLE seat ADD COLUMN reverting INTEGER");
	store_close(open_store(1));
	cr_assert_eq(rename(from, to), 0);
	exec_on("ALTER TABLE seat DROP COLUMN reverting");
	store_close(open_store(0));
	NO_LEAKS();
}

Test(store_open, one_that_another_has_open_stays)
{
	struct store_found found;
	struct store *s = open_store(0);
	struct why why;

	cr_assert_null(store_open(store_dir, &found, &why));
	cr_assert_eq(found.set_aside, 0);
	cr_assert_not_null(strstr(why.text, "locked"), "%s", why.text);
	store_close(s);
	store_close(open_store(0));
	NO_LEAKS();
}

static struct store_sight
sight(void)
{
	struct store_sight s;
	struct why why;

	cr_assert_eq(store_look(store_dir, &s, &why), 0, "%s", why.text);
	return s;
}

/* Nothing is made by a look, and what a start would do is foreseen. */
Test(store_open, a_look_tells_what_an_opening_would_find)
{
	cr_expect(!sight().exists);
	store_close(open_store(0));
	cr_expect(sight().exists && sight().is_database);
	cr_expect(sight().version != 0 && store_takes(sight().version));
	cr_expect_eq(sight().user, 0);
	exec_on("PRAGMA user_version = 4711");
	cr_expect_eq(sight().version, 4711);
	cr_expect(!store_takes(4711));
	store_close(open_store(1));
	write_file("this is no database");
	cr_expect(sight().exists && !sight().is_database);
	NO_LEAKS();
}

static void
is_file(const char *name, const char *text)
{
	AUTO_FREE char *path = xasprintf("%s/%s", store_dir, name);
	char buf[64] = "";
	FILE *f = fopen(path, "r");

	if (text == NULL) {
		cr_expect_null(f, "%s is there", name);
		return;
	}
	cr_assert_not_null(f, "%s is not there", name);
	cr_assert_not_null(fgets(buf, sizeof(buf), f));
	fclose(f);
	cr_expect_str_eq(buf, text, "%s: %s", name, buf);
}

Test(store_open, the_last_three_that_were_set_aside_stay)
{
	static const char *const texts[] = { "first, not sound",
		"second, not sound", "third, not sound", "fourth, not sound" };
	size_t i;

	for (i = 0; i < 4; i++) {
		write_file(texts[i]);
		store_close(open_store(1));
		if (i == 2)
			is_file("placer.db.set-aside.2", texts[0]);
	}
	is_file("placer.db.set-aside", texts[3]);
	is_file("placer.db.set-aside.1", texts[2]);
	is_file("placer.db.set-aside.2", texts[1]);
	is_file("placer.db.set-aside.3", NULL);
	NO_LEAKS();
}

/* Each log moves with its database, and none is laid over another's. */
Test(store_open, a_log_stays_with_what_was_set_aside)
{
	write_named("placer.db.set-aside", "not sound either");
	write_named("placer.db.set-aside-wal", "its log");
	write_named("placer.db.set-aside.2-wal", "a log of one before");
	write_file("not sound, and has no log");
	store_close(open_store(1));
	is_file("placer.db.set-aside", "not sound, and has no log");
	is_file("placer.db.set-aside-wal", NULL);
	is_file("placer.db.set-aside.1-wal", "its log");
	is_file("placer.db.set-aside.2-wal", NULL);
	NO_LEAKS();
}
