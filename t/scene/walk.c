/* SPDX-License-Identifier: ISC */
/*
 * walk.c: many short worlds of statements drawn at random (walk.def), each in
 * the scene language; what must hold is rules.c's.  What fails is shrunk and
 * printed as a scene that `scene -1 FILE' plays.
 *	WALK_SEED	of the first world; each has the next
 *	WALK_STEPS	turns of the placer in all: what is looked at after each
 *			frame of it and after each statement is rules.c's
 */
#include <bsd/string.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/scene/draw.h"
#include "t/scene/ending.h"
#include "t/scene/scene.h"

enum {
	STEPS = 1000 * 1000,
	LENGTH = 100,	/* statements of a world */
	ENDLESS_S = 60, /* of real time, for one world: it never ends */
};

static uint64_t turns, events; /* in all worlds */
static struct playing {
	const struct step *steps;
	size_t n; /* reached */
} playing;	  /* for the watchdog */

static void
say(const char *text)
{
	(void)!write(STDOUT_FILENO, text, strlen(text));
	(void)!write(STDOUT_FILENO, "\n", 1);
}

/* Nothing can be shrunk any more: it is shown as far as it came. */
static void
on_endless(int sig)
{
	size_t i;

	(void)sig;
	say("not ok a world never ends:");
	for (i = 0; draw_opening[i] != NULL; i++)
		say(draw_opening[i]);
	for (i = 0; i < playing.n; i++)
		if (!playing.steps[i].out)
			say(playing.steps[i].text);
	say("0 passed, 1 failed");
	_exit(1);
}

/*
 * Plays a world; fresh: drawn meanwhile.  What it failed by, or NULL, and how
 * it ended; *n: the statements that were reached; *broke: the same in the
 * words of rules.c.
 */
static char *
play_once(struct step *steps, size_t *n, int fresh, const char **broke,
    struct ending **end)
{
	struct scene sc;
	char *why;
	size_t i;

	playing.steps = steps;
	playing.n = 0;
	alarm(ENDLESS_S);
	scene_begin(&sc, "walk");
	draw_say(&sc, draw_opening);
	for (i = 0; i < *n && !sc.failed; i++) {
		if (fresh)
			draw_step(&sc, &steps[i]);
		if (!steps[i].out && !draw_can_be(&sc, &steps[i]))
			steps[i].out = steps[i].cannot = 1;
		playing.n = i + 1;
		if (!steps[i].out)
			scene_say(&sc, steps[i].text);
	}
	*n = i;
	draw_say(&sc, draw_closing);
	if (!sc.failed)
		scene_rest(&sc);
	*end = ending_of(&sc);
	if (!sc.failed)
		ending_leaks(&sc);
	why = sc.failed ? xstrdup(sc.why) : NULL;
	*broke = sc.broke;
	events += sc.moved;
	turns += sc.turns + serve_world(sc.serve)->planned.n;
	scene_end(&sc);
	alarm(0);
	return why;
}

/* The same world without restarts and takeovers; 1: there were none. */
static int
without_restarts(const struct step *steps, struct step *calm, size_t n)
{
	int had = 0;
	size_t i;

	memcpy(calm, steps, n * sizeof(*steps));
	for (i = 0; i < n; i++) {
		calm[i].cannot = 0; /* nor could it in the first */
		if (draw_is_another_placer(&calm[i]))
			had = calm[i].out = 1;
	}
	return !had;
}

/*
 * A statement that could not be in this world, but in the other; or an order,
 * which another placer may not have been told.
 */
static void
note_odd(struct ending *e, const struct step *s)
{
	if (s->out && !s->cannot)
		return;
	if (s->cannot)
		ending_odd(e, *s->pod != '\0' ? s->pod : s->new);
	if (*s->given_up != '\0')
		ending_odd(e, s->given_up);
}

/* As it stands, and again with one placer that never dies: it ends alike. */
static char *
play(struct step *steps, size_t *n, int fresh, const char **broke)
{
	struct step calm[LENGTH];
	struct ending *is, *wanted = NULL;
	size_t i, m;
	char *why;

	why = play_once(steps, n, fresh, broke, &is);
	m = *n;
	if (why == NULL && !without_restarts(steps, calm, *n) &&
	    (why = play_once(calm, &m, 0, broke, &wanted)) == NULL) {
		for (i = 0; i < m; i++)
			note_odd(wanted, &calm[i]);
		if ((why = ending_differs(wanted, is)) != NULL)
			*broke = "restarts change its end";
	}
	ending_free(is);
	ending_free(wanted);
	return why;
}

/*
 * Takes out whatever it breaks the same rule without: halves first, then less
 * and less.
 */
static void
shrink(struct step *steps, size_t *n, const char *rule)
{
	struct step tried[LENGTH];
	const char *broke;
	size_t size, at, i, m;

	for (size = *n / 2; size > 0; size /= 2)
		for (at = 0; at < *n; at += size) {
			AUTO_FREE char *why = NULL;

			memcpy(tried, steps, sizeof(tried));
			for (i = at; i < at + size && i < *n; i++)
				tried[i].out = 1;
			m = *n;
			why = play(tried, &m, 0, &broke);
			if (broke == NULL || strcmp(broke, rule) != 0)
				continue;
			memcpy(steps, tried, sizeof(tried));
			*n = m;
		}
}

static void
print_all(const char *const *lines)
{
	for (; *lines != NULL; lines++)
		printf("%s\n", *lines);
}

static void
report(struct step *steps, size_t n, uint64_t seed, const char *rule)
{
	AUTO_FREE char *why = NULL;
	size_t i;

	shrink(steps, &n, rule);
	why = play(steps, &n, 0, &rule);
	printf("not ok world of seed %llu: %s\n# --- as a scene\n",
	    (unsigned long long)seed, why != NULL ? why : "not again");
	print_all(draw_opening);
	for (i = 0; i < n; i++)
		if (!steps[i].out)
			printf("%s\n", steps[i].text);
	print_all(draw_closing);
	printf("# ---\n");
	fflush(stdout);
}

int
main(void)
{
	uint64_t seed = scene_number("WALK_SEED", 1), steps, said = 0,
		 worlds = 0;
	uint64_t failed = 0, first = seed;
	static struct step world[LENGTH];
	const char *rule;

	signal(SIGALRM, on_endless);
	steps = scene_number("WALK_STEPS", STEPS);
	scene_quiet();
	for (; turns < steps && failed < 5; seed++, worlds++) {
		AUTO_FREE char *why = NULL;
		size_t n = LENGTH;

		draw_seed(seed);
		why = play(world, &n, 1, &rule);
		said += n;
		if (why == NULL)
			continue;
		failed++;
		report(world, n, seed, rule);
	}
	printf("seeds %llu to %llu: %llu worlds, %llu statements, "
	       "%llu turns, %llu events, %llu worlds failed\n",
	    (unsigned long long)first, (unsigned long long)seed - 1,
	    (unsigned long long)worlds, (unsigned long long)said,
	    (unsigned long long)turns, (unsigned long long)events,
	    (unsigned long long)failed);
	printf("%d passed, %d failed\n", failed == 0, failed != 0);
	return failed == 0 ? 0 : 1;
}
