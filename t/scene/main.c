/* SPDX-License-Identifier: ISC */
/*
 * main.c: runs scenes.
 *	scene [FILE...]	each (or all of t/scene) as it stands, then again and
 *			again: with the placer killed, with or without its
 *			database, or a link lost after every statement, and
 *			killed at every frame of its own that does something;
 *			each time it must end in the same state
 *	scene -1 FILE...	as it stands only
 *	scene -v ...	with all outputs
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/xmem.h"
#include "t/scene/clock.h"
#include "t/scene/play.h"
#include "t/scene/verbs.h"

enum {
	CRASHES_MAX = 40, /* of one scene */
};

static int verbose;
static unsigned int every = 1; /* SCENE_EVERY: of the runs with blows, one in */

/* What happens to the placer after a statement. */
enum blow {
	BLOW_RESTART,
	BLOW_LOST, /* with its database */
	BLOW_KUBE, /* the link ends */
	BLOW_FLIGHT,
	BLOW_COUNT
};

/* Where a run differs from the scene as it stands. */
struct twist {
	enum blow blow;
	size_t after;	   /* line, 0: none */
	uint64_t crash_at; /* frame of the placer, 0: none */
};

/* -- one run --------------------------------------------------------------- */

static void
strike(struct scene *sc, enum blow blow)
{
	if (blow == BLOW_KUBE && !sc->kube.cut)
		side_break(sc, &sc->kube, 0);
	else if (blow == BLOW_FLIGHT && !sc->flight.cut)
		side_break(sc, &sc->flight, 0);
	else if (blow == BLOW_RESTART || blow == BLOW_LOST)
		place_restart(sc, blow == BLOW_LOST);
	place_idle(sc);
}

static void
play(struct scene *sc, const struct text *t, const struct twist *how)
{
	size_t i;

	for (i = 0; i < t->n && !sc->failed; i++) {
		sc->line = (int)i + 1;
		scene_say(sc, t->lines[i]);
		if (i + 1 == how->after && !sc->failed)
			strike(sc, how->blow);
	}
	if (!sc->failed)
		place_pass(sc, PLAY_SETTLE_MS);
}

/* -- all runs of a scene
 * ------------------------------------------------------------------ */

static const char *const blows[BLOW_COUNT] = { "restarted",
	"restarted without its database", "link with kubeside lost",
	"link with flightside lost" };

static void
complain(struct scene *sc, const struct twist *how, const char *why)
{
	printf("not ok %s", why);
	if (how->after != 0)
		printf(" (%s after line %zu)", blows[how->blow], how->after);
	if (how->crash_at != 0)
		printf(" (killed at its frame %llu)",
		    (unsigned long long)how->crash_at);
	printf("\n");
	play_show(sc, verbose);
}

/*
 * 1: it went well.  wanted: the state in which it must end, or NULL: *ended
 * and *frames are what this run ends with.
 */
static int
run(const char *file, const struct text *t, const struct twist *how,
    const char *wanted, char **ended, uint64_t *frames)
{
	struct scene sc;
	AUTO_FREE char *is = NULL;
	int ok;

	scene_begin(&sc, file);
	sc.quiet = wanted != NULL;
	sc.crash_at = how->crash_at;
	play(&sc, t, how);
	if (wanted == NULL)
		scene_rest(&sc);
	is = play_state(&sc);
	if (!sc.failed && wanted != NULL && strcmp(is, wanted) != 0 &&
	    (how->blow != BLOW_LOST || !sc.forgetful))
		scene_fail(&sc, "ends as\n%sand not as\n%s", is, wanted);
	if (sc.failed)
		complain(&sc, how, sc.why);
	else if (verbose)
		play_show(&sc, verbose);
	ok = !sc.failed;
	if (wanted == NULL && ended != NULL) {
		*ended = sc.plain ? NULL : xstrdup(is);
		*frames = sc.sent;
	}
	scene_end(&sc);
	return ok;
}

/* One in SCENE_EVERY, for builds that are slow. */
static int
is_left_out(void)
{
	static unsigned int n;

	return n++ % every != 0;
}

/* Again, killed everywhere: what it ends with is the same. */
static int
run_twisted(const char *file, const struct text *t, const char *wanted,
    uint64_t frames)
{
	struct twist how = { 0 };
	int ok = 1;

	for (; ok && how.blow < BLOW_COUNT; how.blow++)
		for (how.after = 1; ok && how.after <= t->n; how.after++)
			if (text_is_statement(t->lines[how.after - 1]) &&
			    !is_left_out())
				ok = run(file, t, &how, wanted, NULL, NULL);
	how.after = 0;
	for (how.crash_at = 1; ok && how.crash_at <= frames;
	     how.crash_at += 1 + frames / CRASHES_MAX)
		if (!is_left_out())
			ok = run(file, t, &how, wanted, NULL, NULL);
	return ok;
}

static int
run_file(const char *file, int once)
{
	struct twist none = { 0 };
	struct text t = text_read(file);
	AUTO_FREE char *ended = NULL;
	uint64_t frames = 0;
	int ok;

	ok = run(file, &t, &none, NULL, &ended, &frames);
	if (ok && !once && ended != NULL)
		ok = run_twisted(file, &t, ended, frames);
	text_free(&t);
	return ok;
}

static void
no_log(const struct body_log *line, void *arg)
{
	(void)arg;
	if (verbose)
		printf("  %8.3f log: %s %s %s\n",
		    (double)(clock_boot_ms() - CLOCK_START_MS) / 1000,
		    line->text, line->pod, line->error);
}

/* How many of them went well. */
static size_t
run_all(char *const *files, size_t n, int once)
{
	size_t i, passed = 0;

	for (i = 0; i < n; i++)
		passed += (size_t)run_file(files[i], once);
	printf("%zu passed, %zu failed\n", passed, n - passed);
	return passed;
}

int
main(int argc, char **argv)
{
	size_t n, passed;
	int once = 0, i;
	glob_t found;

	log_set_sink(no_log, NULL);
	every = scene_every();
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		once |= argv[i][1] == '1';
		verbose |= argv[i][1] == 'v';
	}
	if (i < argc) {
		n = (size_t)(argc - i);
		return run_all(argv + i, n, once) == n ? 0 : 1;
	}
	if (glob("t/scene/*.scene", 0, NULL, &found) != 0) {
		fprintf(stderr, "no t/scene/*.scene here\n");
		return 2;
	}
	n = found.gl_pathc;
	passed = run_all(found.gl_pathv, n, once);
	globfree(&found);
	return passed == n ? 0 : 1;
}
