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
 *		record, in each way: it ends in the same state
 *	upgrades	power_upgrade.c
 *	faults	likewise with each call failing, once and for a while: no rule
 *		of rules.c is broken, and its database is never set aside
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
	LATER_MS = 10 * 60 * 1000,
	WHILE = 4,	  /* calls that fail one after the other */
	IMAGE_WAYS = 2,	  /* of one record, in a sample */
	CUT_SAMPLE = 997, /* one cut in so many; no divisor of DISK_LOSSES */
	SYNC_SAMPLE = 31, /* likewise: committed, and nothing was sent of it */
	FAULT_SAMPLE = 727,
};

static size_t sample = 1; /* SCENE_EVERY */
static int whole;

/* -- trouble of one run -- */

static struct {
	struct scene sc;
	size_t cut_at; /* 0: none */
	enum disk_loss loss;
	size_t *heard; /* records when something was heard */
	size_t nheard;
	int cuts;
} run;

static void
go_dark(void *arg)
{
	(void)arg;
	run.cuts++;
	place_dark(&run.sc);
}

static void
light(struct scene *sc)
{
	if (!disk_is_dark())
		return;
	(void)sc;
	disk_image(run.cut_at, run.loss, run.cut_at, NULL);
}

static void
heard(struct scene *sc)
{
	(void)sc;
	run.heard =
	    xreallocarray(run.heard, run.nheard + 1, sizeof(*run.heard));
	run.heard[run.nheard++] = disk_records();
}

static const struct place_trouble trouble = { light, heard };

/* How it ended, or NULL: it failed, which is printed. */
static char *
play(const char *file, const struct text *t, int quiet)
{
	struct scene *sc = &run.sc;
	char *is = NULL;
	size_t i;

	run.nheard = 0;
	run.cuts = 0;
	place_trouble(&trouble);
	scene_begin(sc, file);
	sc->quiet = quiet;
	for (i = 0; i < t->n && !sc->failed; i++) {
		sc->line = (int)i + 1;
		if (!quiet || text_is_statement(t->lines[i]))
			scene_say(sc, t->lines[i]);
	}
	if (!sc->failed)
		place_pass(sc, PLAY_SETTLE_MS);
	if (!sc->failed)
		is = play_state(sc);
	return is;
}

static void
end(void)
{
	disk_hold();
	scene_end(&run.sc);
	place_trouble(NULL);
}

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

	for (i = 0; i < run.nheard && run.heard[i] <= at; i++)
		last = run.heard[i];
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
	is = play("long", &t, 0);
	n = disk_records();
	end();
	if (is != NULL)
		bad = look_at_all(dir, n / sample, &made);
	printf("figure power_records %zu 1\nfigure power_images %zu 1\n", n,
	    made);
	if (n < POWER_RECORDS_MIN) {
		printf("not ok only %zu records\n", n);
		bad++;
	}
	remove_image(dir);
	text_free(&t);
	return bad == 0;
}

/* -- the same scenes in trouble -- */

struct calm {
	char *ended, *later;
	char *is_sync; /* of each record */
	size_t records, calls;
};

static char *
state_later(void)
{
	place_pass(&run.sc, LATER_MS);
	return run.sc.failed ? NULL : play_state(&run.sc);
}

/* A statement of the scene is about what trouble has held up. */
static int
could_not_be(void)
{
	return run.sc.failed &&
	    (strstr(run.sc.why, "does not run") != NULL ||
		strstr(run.sc.why, "has no entry of") != NULL);
}

/*
 * At once, or what was held up has been made up for some minutes later.  late:
 * decisions that waited for the disk may be others; no rule is broken.
 */
static int
ends_alike(const char *file, const struct text *t, const struct calm *calm,
    const char *what, int late)
{
	AUTO_FREE char *is = play(file, t, 1), *later = NULL;
	int ok = is != NULL && strcmp(is, calm->ended) == 0;

	if (!ok && is != NULL) {
		later = state_later();
		ok = later != NULL && (late || strcmp(later, calm->later) == 0);
	}
	if (!ok && could_not_be())
		ok = 1;
	if (!ok) {
		printf("not ok %s: %s: %s\nends as\n%sand not as\n%s", file,
		    what, run.sc.failed ? run.sc.why : "", is != NULL ? is : "",
		    calm->ended);
		play_show(&run.sc, 0);
	}
	end();
	return ok;
}

/* One in n of all that this program could do. */
static int
is_left_out(size_t n)
{
	static size_t done[CUT_SAMPLE + 1];

	return !whole && done[n]++ % (n * sample) != 0;
}

static size_t
cut_everywhere(const char *file, const struct text *t, const struct calm *calm,
    size_t *done)
{
	size_t bad = 0, at;
	int loss;

	for (at = 1; at < calm->records && bad == 0; at++)
		for (loss = 0; loss < DISK_LOSSES && bad == 0; loss++) {
			AUTO_FREE char *what =
			    xasprintf("power cut at record %zu, %s", at,
				disk_loss_name((enum disk_loss)loss));

			if (is_left_out(loss == DISK_KEPT && calm->is_sync[at] ?
				    SYNC_SAMPLE :
				    CUT_SAMPLE))
				continue;
			disk_record();
			disk_cut(at, go_dark, NULL);
			run.cut_at = at;
			run.loss = (enum disk_loss)loss;
			bad += !ends_alike(file, t, calm, what, 0);
			*done += (size_t)run.cuts;
		}
	return bad;
}

static size_t
fail_everywhere(const char *file, const struct text *t, const struct calm *calm,
    size_t *done)
{
	static const char *const names[DISK_FAULTS] = { "disk full",
		"disk full in mid-write", "disk broken" };
	static const size_t times[] = { 1, WHILE };
	size_t bad = 0, at, i;
	int fault;

	for (at = 1; at < calm->calls && bad == 0; at++)
		for (i = 0; i < 2; i++)
			for (fault = 0; fault < DISK_FAULTS && bad == 0;
			     fault++) {
				AUTO_FREE char *what =
				    xasprintf("%s at call %zu, %zu times",
					names[fault], at, times[i]);

				if (is_left_out(FAULT_SAMPLE))
					continue;
				disk_record();
				disk_fail((enum disk_fault)fault, at, times[i]);
				bad += !ends_alike(file, t, calm, what, 1);
				*done += 1;
			}
	return bad;
}

static size_t
trouble_with(const char *file, size_t *cuts, size_t *faults)
{
	struct text t = text_read(file);
	struct calm calm;
	size_t bad = 0, at;
	int plain;

	disk_record();
	calm.ended = play(file, &t, 0);
	calm.records = disk_records();
	calm.calls = disk_calls();
	calm.is_sync = xcalloc(calm.records, 1);
	for (at = 0; at < calm.records; at++)
		calm.is_sync[at] = (char)disk_is_sync(at);
	plain = run.sc.plain || run.sc.forgetful;
	calm.later = calm.ended != NULL ? state_later() : NULL;
	end();
	if (calm.later == NULL)
		bad = 1;
	else if (!plain) {
		bad += cut_everywhere(file, &t, &calm, cuts);
		bad += fail_everywhere(file, &t, &calm, faults);
	}
	free(calm.ended);
	free(calm.later);
	free(calm.is_sync);
	text_free(&t);
	return bad;
}

static int
scenes(char *const *files, size_t n)
{
	size_t i, bad = 0, cuts = 0, faults = 0;

	for (i = 0; i < n; i++)
		bad += trouble_with(files[i], &cuts, &faults);
	printf("figure power_cuts %zu 1\nfigure power_faults %zu 1\n", cuts,
	    faults);
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
		passed = scenes(argv + 1, (size_t)argc - 1);
	} else if (glob("t/scene/*.scene", 0, NULL, &found) == 0) {
		all = 3;
		passed = images();
		passed += power_upgrades();
		passed += scenes(found.gl_pathv, found.gl_pathc);
		globfree(&found);
	}
	printf("%d passed, %d failed\n", passed, all - passed);
	return passed == all ? 0 : 1;
}
