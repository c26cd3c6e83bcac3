/* SPDX-License-Identifier: ISC */
/*
 * power.c: power goes at every write of the placer's database, and every call
 * of its disk fails.
 *	images	a long scene is played once.  Of each record of its disk the
 *		files that a power cut there leaves are made, in each way of
 *		losing what was not synced, and opened as the placer opens
 *		them: a sound database, never set aside, with what was there
 *		when the placer last sent something, or what it committed since
 *	cuts	each scene of t/scene is played again with power cut at each
 *		record, in each way: it ends as it does without
 *	faults	likewise with each call failing, once and for a while: it ends
 *		so, or as well (power_trouble.c says what that is)
 *	upgrades	power_upgrade.c
 * NIGHTLY=1: all; else a sample, of which SCENE_EVERY says how much less.
 */
#include <glob.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/store.h"
#include "t/scene/clock.h"
#include "t/scene/disk.h"
#include "t/scene/play.h"
#include "t/scene/power.h"

enum {
	IMAGE_WAYS = 2, /* of one record, in a sample */
};

static size_t sample = 1; /* SCENE_EVERY */
static int whole;

/* -- images -- */

static char *
content_of(sqlite3 *db)
{
	static const char *const tables[] = { "meta", "seat", "search", "fault",
		"entry", "clock", "active", "word", "record" };
	sqlite3_stmt *st;
	char *text = NULL;
	size_t len, i;
	FILE *f;
	int c;

	if ((f = open_memstream(&text, &len)) == NULL)
		abort();
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		AUTO_FREE char *sql =
		    xasprintf("SELECT * FROM %s ORDER BY 1, 2", tables[i]);

		if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
			continue;
		while (sqlite3_step(st) == SQLITE_ROW)
			for (c = 0; c < sqlite3_column_count(st); c++)
				fprintf(f, "%s|",
				    (const char *)sqlite3_column_text(st, c));
		sqlite3_finalize(st);
	}
	fclose(f);
	return text;
}

/* 1: sound.  *text: what it holds; and else what is wrong with it. */
static int
is_whole(const char *dir, char **text)
{
	AUTO_FREE char *path = xasprintf("%s/placer.db", dir);
	sqlite3_stmt *st = NULL;
	sqlite3 *db;
	int ok = 0;

	if (sqlite3_open(path, &db) == SQLITE_OK &&
	    sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL,
		NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &st,
		NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		ok =
		    strcmp((const char *)sqlite3_column_text(st, 0), "ok") == 0;
	*text = ok ? content_of(db) :
	    sqlite3_errcode(db) ?
		     xstrdup(sqlite3_errmsg(db)) :
		     xstrdup((const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	sqlite3_close(db);
	return ok;
}

static int
open_image(const char *dir, size_t at, enum disk_loss loss, char **text)
{
	struct store_found found;
	struct store *s;
	struct why why;

	disk_image(at, loss, at, dir);
	if ((s = store_open(dir, &found, &why)) == NULL) {
		*text = xstrdup(why.text);
		return 0;
	}
	store_close(s);
	if (!found.set_aside)
		return is_whole(dir, text);
	*text = xasprintf("set aside: %s", found.why.text);
	return 0;
}

static int
is_one_of(char *const *held, size_t from, size_t to, const char *text)
{
	for (; from <= to; from++)
		if (held[from] != NULL && strcmp(held[from], text) == 0)
			return 1;
	return 0;
}

/* The last record before something was heard, at or before this one. */
static size_t
promised(size_t at)
{
	size_t i, last = 0;

	for (i = 0; i < power_run.nheard && power_run.heard[i] <= at; i++)
		last = power_run.heard[i];
	return last;
}

static int
look(const char *dir, char *const *held, size_t at, enum disk_loss loss)
{
	AUTO_FREE char *text = NULL;
	size_t from = promised(at);

	if (!open_image(dir, at, loss, &text))
		printf("not ok image %zu, %s: %s\n", at, disk_loss_name(loss),
		    text);
	else if (!is_one_of(held, from, at, text))
		printf("not ok image %zu, %s: holds neither what was there at "
		       "%zu nor what came since\n",
		    at, disk_loss_name(loss), from);
	else
		return 1;
	return 0;
}

static size_t
look_at_all(const char *dir, size_t n, size_t *images)
{
	char **held = xcalloc(n + 1, sizeof(*held));
	size_t at, ways, i, bad = 0;
	enum disk_loss loss;

	for (at = 0; at <= n && bad < 10; at++) {
		if (at > 0 && disk_is_synced(at) && held[at - 1] != NULL &&
		    !whole && at < n) {
			held[at] = xstrdup(held[at - 1]);
			continue;
		}
		*images += 1;
		if (!open_image(dir, at, DISK_KEPT, &held[at])) {
			printf("not ok image %zu: %s\n", at, held[at]);
			bad++;
		}
		ways = whole ? DISK_LOSSES : at % 3 == 0 ? IMAGE_WAYS : 1;
		for (i = 1; i < ways && bad < 10; i++) {
			loss = whole ? (enum disk_loss)i :
				       (enum disk_loss)(1 +
					   (at * (IMAGE_WAYS - 1) + i) %
					       (DISK_LOSSES - 1));
			*images += 1;
			bad += !look(dir, held, at, loss);
		}
	}
	for (at = 0; at <= n; at++)
		free(held[at]);
	free(held);
	return bad;
}

static void
remove_image(const char *dir)
{
	AUTO_FREE char *command = xasprintf("rm -rf %s", dir);

	(void)!system(command);
}

static int
images(void)
{
	struct text t = power_scene();
	AUTO_FREE char *is = NULL, *dir = scene_dir();
	size_t n, bad = 1, made = 0;

	disk_record();
	is = power_play("long", &t, 0);
	n = disk_records();
	power_end();
	if (is != NULL)
		bad = look_at_all(dir, n / sample, &made);
	printf("figure power_records %zu 1\nfigure power_images %zu 1\n", n,
	    made);
	if (n < POWER_IMAGES_MIN || made < POWER_IMAGES_MIN / sample) {
		printf("not ok only %zu records, %zu images\n", n, made);
		bad++;
	}
	remove_image(dir);
	text_free(&t);
	return bad == 0;
}

int
main(int argc, char **argv)
{
	glob_t found;
	int passed = 0, all = 1;

	scene_quiet();
	setvbuf(stdout, NULL, _IOLBF, 0);
	whole = getenv("NIGHTLY") != NULL;
	sample = scene_every();
	disk_begin();
	if (argc > 1) {
		whole = 1;
		passed =
		    power_scenes(argv + 1, (size_t)argc - 1, whole, sample);
	} else if (glob("t/scene/*.scene", 0, NULL, &found) == 0) {
		all = 3;
		passed = images();
		passed += power_upgrades();
		passed +=
		    power_scenes(found.gl_pathv, found.gl_pathc, whole, sample);
		globfree(&found);
	}
	printf("%d passed, %d failed\n", passed, all - passed);
	return passed == all ? 0 : 1;
}
