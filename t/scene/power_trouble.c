/* SPDX-License-Identifier: ISC */
/*
 * power_trouble.c: each scene again, with a disk in trouble.
 *
 * Owns what is right at the end of one: what it is without, at once, or when
 * what was held up has been made up for.  Decisions that waited for a disk that
 * failed may be others: another device, or a pod that its deadline or an
 * eviction met before.  So may those that hang on a clock that had begun and
 * was not saved when power went, which begins anew: CLOCK_CUTS says how few
 * cuts find one.  Then all troubles are ended, and an hour later all that is
 * wanted runs once or waits with a reason, and nothing else runs
 * (rules_calm()), both sides and the database agree (views.h), the same pods
 * are there and run (ending.h), and the database, opened again, says the same.
 * No rule of rules.c is broken on the way.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/least.h"
#include "common/xmem.h"
#include "t/scene/clock.h"
#include "t/scene/ending.h"
#include "t/scene/power.h"
#include "t/scene/views.h"

enum {
	LATER_MS = 10 * 60 * 1000,
	CALM_MS = 60 * 60 * 1000,
	WHILE = 4,	  /* calls that fail one after the other */
	CUT_SAMPLE = 997, /* one cut in so many; no divisor of DISK_LOSSES */
	RENEW_MS = 5000,  /* of kubeside */
	SLOW_SAMPLE = 3,
	SYNC_SAMPLE = 31, /* likewise: committed, and nothing was sent of it */
	FAULT_SAMPLE = 727,
	CLOCK_CUTS = 100, /* of so many one meets a clock that is not saved */
	NOT_SAID = 100,	  /* of so many runs one statement */
};

/* A scene without trouble. */
struct calm {
	const char *file;
	struct text text;
	char *ended, *later;
	struct ending *over; /* after the end of all troubles */
	char *is_sync;	     /* of each record */
	size_t records, calls;
};

static struct {
	size_t cuts, faults, slow, syncs;
	size_t other_cuts, other_faults,
	    other_slow; /* ended otherwise, as they may */
	size_t late, not_said;
} did;

static int whole;
static size_t sample;

/* One in n of all that this program could do. */
static int
is_left_out(size_t n)
{
	static size_t done[CUT_SAMPLE + 1];

	return !whole && done[n]++ % (n * sample) != 0;
}

static char *
state_later(struct scene *sc)
{
	place_pass(sc, LATER_MS);
	return sc->failed ? NULL : play_state(sc);
}

/* What must hold long after all troubles, of the calm scene too. */
static struct ending *
come_to_rest(struct scene *sc)
{
	struct ending *e;

	scene_say(sc, "over");
	place_pass(sc, CALM_MS);
	if (!sc->failed)
		scene_say(sc, "calm");
	views_agree(sc);
	e = ending_of(sc);
	if (!sc->failed)
		ending_leaks(sc);
	if (!sc->failed)
		return e;
	ending_free(e);
	return NULL;
}

/* -- in trouble -- */

enum end {
	END_SAME,
	END_LATER,
	END_RIGHT,
	END_WRONG
};

static enum end
how_it_ends(const struct calm *calm)
{
	AUTO_FREE char *is = power_play(calm->file, &calm->text, 1);
	AUTO_FREE char *later = NULL, *differs = NULL;
	struct scene *sc = &power_run.sc;
	struct ending *over;

	if (is == NULL)
		return END_WRONG;
	if (strcmp(is, calm->ended) == 0)
		return END_SAME;
	if ((later = state_later(sc)) == NULL)
		return END_WRONG;
	if (strcmp(later, calm->later) == 0)
		return END_LATER;
	if ((over = come_to_rest(sc)) == NULL)
		return END_WRONG;
	differs = ending_differs(calm->over, over);
	ending_free(over);
	if (differs == NULL)
		return END_RIGHT;
	scene_fail(sc, "%s", differs);
	return END_WRONG;
}

/* 1: it does. */
static int
ends_well(const struct calm *calm, const char *what, size_t *otherwise)
{
	enum end end = how_it_ends(calm);

	*otherwise += end == END_RIGHT;
	did.late += power_run.late;
	did.not_said += power_run.not_said;
	if (end == END_WRONG) {
		printf("not ok %s: %s: %s\n", calm->file, what,
		    power_run.sc.why);
		play_show(&power_run.sc, 0);
	}
	power_end();
	return end != END_WRONG;
}

static void
go_dark(void *arg)
{
	(void)arg;
	power_run.cuts++;
	place_dark(&power_run.sc);
}

static size_t
cut_everywhere(const struct calm *calm)
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
			power_run.cut_at = at;
			power_run.loss = (enum disk_loss)loss;
			bad += !ends_well(calm, what, &did.other_cuts);
			did.cuts += power_run.cuts;
		}
	return bad;
}

static size_t
fail_everywhere(const struct calm *calm)
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
				bad +=
				    !ends_well(calm, what, &did.other_faults);
				did.faults += 1;
			}
	return bad;
}

/* -- a disk that takes its time -- */

/*
 * The placer waits; kubeside does not, and renews the Leases meanwhile.
 * What both were sent before they read before:
 * as this is one process, they have not, and then it does not take long.
 */
static void
wait_for_disk(void *arg)
{
	static int64_t renewed;
	const int64_t *ms = arg;
	struct scene *sc = &power_run.sc;
	int64_t now = clock_boot_ms(), end = now + *ms;

	if (side_has_mail(&sc->kube) || side_has_mail(&sc->flight))
		return;
	renewed = least(renewed, now); /* of the run before */
	if (end - renewed >= RENEW_MS && sc->serve != NULL &&
	    sc->kube.chan != NULL && sc->writer) {
		renewed = end - (end - renewed) % RENEW_MS;
		clock_set(most(renewed, now));
		kube_renew(sc);
		(void)chan_flush(sc->kube.chan, 0);
	}
	clock_set(end);
	did.syncs++;
}

/* Whose end hangs on how long something takes. */
static int
is_timed(const struct text *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (strstr(t->lines[i], "activeDeadlineSeconds") != NULL)
			return 1;
	return 0;
}

static size_t
be_slow(const struct calm *calm)
{
	static int64_t slow_ms[] = { 2000, 12000 };
	size_t bad = 0, i;

	for (i = 0; i < sizeof(slow_ms) / sizeof(slow_ms[0]); i++) {
		AUTO_FREE char *what =
		    xasprintf("each sync takes %d s", (int)slow_ms[i] / 1000);

		if (is_timed(&calm->text) || is_left_out(SLOW_SAMPLE))
			continue;
		disk_record();
		disk_slow(wait_for_disk, &slow_ms[i]);
		bad += !ends_well(calm, what, &did.other_slow);
		did.slow++;
	}
	return bad;
}

/* -- without -- */

/* 1: as it ends without trouble; 0: it is not to be played again, -1 failed. */
static int
play_calm(struct calm *calm, const char *file)
{
	struct scene *sc = &power_run.sc;
	size_t at;
	int again;

	*calm = (struct calm){ .file = file, .text = text_read(file) };
	disk_record();
	calm->ended = power_play(file, &calm->text, 0);
	calm->records = disk_records();
	calm->calls = disk_calls();
	calm->is_sync = xcalloc(calm->records, 1);
	for (at = 0; at < calm->records; at++)
		calm->is_sync[at] = (char)disk_is_sync(at);
	again = !sc->plain && !sc->forgetful;
	calm->later = calm->ended != NULL ? state_later(sc) : NULL;
	if (calm->later == NULL)
		again = -1;
	else if (again && (calm->over = come_to_rest(sc)) == NULL)
		again = -1;
	if (again == -1)
		printf("not ok %s: without trouble: %s\n", file, sc->why);
	power_end();
	return again;
}

static void
calm_clear(struct calm *calm)
{
	free(calm->ended);
	free(calm->later);
	free(calm->is_sync);
	ending_free(calm->over);
	text_free(&calm->text);
}

static size_t
trouble_with(const char *file)
{
	struct calm calm;
	size_t bad = 0;
	int again = play_calm(&calm, file);

	if (again == 1) {
		bad += cut_everywhere(&calm);
		bad += fail_everywhere(&calm);
		bad += be_slow(&calm);
	}
	calm_clear(&calm);
	return bad + (again == -1);
}

static void
figure(const char *name, size_t n)
{
	printf("figure %s %zu 1\n", name, n);
}

/* Most statements come in time, at last; all of this can have happened. */
static size_t
judge(void)
{
	size_t runs = did.cuts + did.faults + did.slow, bad = 0;

	if (did.cuts == 0 || did.faults == 0 || did.syncs == 0) {
		printf("not ok %zu power cuts, %zu faults, %zu slow syncs\n",
		    did.cuts, did.faults, did.syncs);
		bad++;
	}
	if (did.not_said > 1 + runs / NOT_SAID) {
		printf("not ok %zu statements of %zu runs were never said\n",
		    did.not_said, runs);
		bad++;
	}
	if (did.other_cuts > 1 + did.cuts / CLOCK_CUTS) {
		printf("not ok %zu of %zu power cuts change how it ends\n",
		    did.other_cuts, did.cuts);
		bad++;
	}
	figure("power_cuts", did.cuts);
	figure("power_cuts_otherwise", did.other_cuts);
	figure("power_faults", did.faults);
	figure("power_faults_otherwise", did.other_faults);
	figure("power_slow", did.slow);
	figure("power_slow_otherwise", did.other_slow);
	figure("power_late", did.late);
	return bad;
}

int
power_scenes(char *const *files, size_t n, int all, size_t every)
{
	size_t i, bad = 0;

	whole = all;
	sample = every;
	for (i = 0; i < n; i++)
		bad += trouble_with(files[i]);
	return judge() + bad == 0;
}
