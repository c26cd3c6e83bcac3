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
#include "common/log.h"
#include "common/xmem.h"
#include "t/scene/clock.h"
#include "t/scene/ending.h"
#include "t/scene/scene.h"

enum {
	STEPS = 1000 * 1000,
	LENGTH = 100,	/* statements of a world */
	ENDLESS_S = 60, /* of real time, for one world: it never ends */
	LINE_MAX_ = 128,
	DEVICES = 4, /* so many silent at once are braked */
};

struct rule {
	unsigned int weight;
	const char *text;
};

static const struct rule rules[] = {
#define WALK(weight, text) { weight, text },
#include "t/scene/walk.def"
#undef WALK
};

struct step {
	char text[LINE_MAX_];
	char pod[32];	   /* that the apiserver must have, or "" */
	char new[32];	   /* or must not have */
	char given_up[32]; /* by name, or "" */
	int out;	   /* shrunk away */
	int cannot;	   /* and could not be */
};

static const char *const opening[] = { "go", "device e1", "device e2 cpu=2",
	"device e3 cpu=1", "device e4 cpu=1", "backup e1", "backup e2",
	"backup e3", "backup e4" };

/* The end of all troubles; no agent forgets what it has refused. */
static const char *const closing[] = { "store ok", "kube up", "flight up",
	"writer on", "release change", "delay change 0s",
	"answer change again 0", "answer status again 0",
	"answer delete again 0", "answer read again 0", "heal all",
	"render e1 go", "render e2 go", "render e3 go", "render e4 go",
	"apply e1 after=1s", "apply e2 after=1s", "apply e3 after=1s",
	"apply e4 after=1s", "apply e1 go", "apply e2 go", "apply e3 go",
	"apply e4 go", "back e1 e2 e3 e4", "resumed e1", "resumed e2",
	"resumed e3", "resumed e4", "time 1m", "operator any undrain e1",
	"operator any undrain e2", "operator any undrain e3",
	"operator any undrain e4", "operator any unretire vk-flightctl",
	"time 1h", "calm" };

static uint64_t state;
static uint64_t turns, events; /* in all worlds */
static struct playing {
	const struct step *steps;
	size_t n; /* reached */
} playing;	  /* for the watchdog */

/* splitmix64 */
static unsigned int
draw(unsigned int n)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (unsigned int)((z ^ z >> 31) >> 33) % n;
}

static const char *
pick_rule(void)
{
	unsigned int sum = 0, at;
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		sum += rules[i].weight;
	at = draw(sum);
	for (i = 0; at >= rules[i].weight; i++)
		at -= rules[i].weight;
	return rules[i].text;
}

static const struct kpod *
there(const struct scene *sc, const char *label, int by_name)
{
	const struct kpod *p;

	TAILQ_FOREACH(p, &sc->pods, link)
		if (p->in_api &&
		    strcmp(by_name ? p->name : p->label, label) == 0)
			return p;
	return NULL;
}

static void
draw_pod(const struct scene *sc, char *to, size_t size)
{
	const struct kpod *p;
	unsigned int n = 0, at;

	TAILQ_FOREACH(p, &sc->pods, link)
		n += p->in_api != 0;
	at = n > 0 ? draw(n) : 0;
	(void)strlcpy(to, "none", size);
	TAILQ_FOREACH(p, &sc->pods, link)
		if (p->in_api && at-- == 0) {
			(void)strlcpy(to, p->label, size);
			return;
		}
}

/* What a letter of walk.def stands for. */
static void
fill(const struct scene *sc, struct step *s, char letter)
{
	static const char *const whiles[] = { "100ms", "1s", "3s", "10s", "40s",
		"2m", "6m" };
	static const char *const cpus[] = { "100m", "400m", "1", "1500m" };
	static const char *const owners[] = { "", "controller=r",
		"controller=s" };
	char word[32];

	if (letter == 'P') {
		draw_pod(sc, s->pod, sizeof(s->pod));
		(void)strlcpy(word, s->pod, sizeof(word));
	} else if (letter == 'N') {
		snprintf(s->new, sizeof(s->new), "%c", 'a' + (char)draw(6));
		(void)strlcpy(word, s->new, sizeof(word));
	} else if (letter == 'W') {
		snprintf(word, sizeof(word), "%c", 'a' + (char)draw(6));
		(void)strlcpy(s->given_up, word, sizeof(s->given_up));
	} else if (letter == 'D')
		snprintf(word, sizeof(word), "e%u", 1 + draw(DEVICES));
	else if (letter == 'C')
		(void)strlcpy(word, cpus[draw(4)], sizeof(word));
	else if (letter == 'R')
		(void)strlcpy(word, owners[draw(3)], sizeof(word));
	else if (letter == 'T')
		(void)strlcpy(word, whiles[draw(7)], sizeof(word));
	else
		abort(); /* walk.def has no other */
	(void)strlcat(s->text, word, sizeof(s->text));
}

static void
add(struct step *s, char c)
{
	char word[] = { c, '\0' };

	(void)strlcat(s->text, word, sizeof(s->text));
}

static void
draw_step(const struct scene *sc, struct step *s)
{
	const char *p;

	memset(s, 0, sizeof(*s));
	for (p = pick_rule(); *p != '\0'; p++)
		if (*p == '%')
			fill(sc, s, *++p);
		else
			add(s, *p);
}

/* Could it happen now? */
static int
can_be(const struct scene *sc, const struct step *s)
{
	return (*s->pod == '\0' || there(sc, s->pod, 0) != NULL) &&
	    (*s->new == '\0' || there(sc, s->new, 1) == NULL);
}

static void
say_all(struct scene *sc, const char *const *lines, size_t n)
{
	size_t i;

	for (i = 0; i < n && !sc->failed; i++)
		scene_say(sc, lines[i]);
}

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
	for (i = 0; i < sizeof(opening) / sizeof(opening[0]); i++)
		say(opening[i]);
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
	say_all(&sc, opening, sizeof(opening) / sizeof(opening[0]));
	for (i = 0; i < *n && !sc.failed; i++) {
		if (fresh)
			draw_step(&sc, &steps[i]);
		if (!steps[i].out && !can_be(&sc, &steps[i]))
			steps[i].out = steps[i].cannot = 1;
		playing.n = i + 1;
		if (!steps[i].out)
			scene_say(&sc, steps[i].text);
	}
	*n = i;
	say_all(&sc, closing, sizeof(closing) / sizeof(closing[0]));
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

static int
is_another_placer(const struct step *s)
{
	return !s->out &&
	    (strncmp(s->text, "restart", 7) == 0 ||
		strcmp(s->text, "takeover") == 0);
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
		if (is_another_placer(&calm[i]))
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
print_all(const char *const *lines, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		printf("%s\n", lines[i]);
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
	print_all(opening, sizeof(opening) / sizeof(opening[0]));
	for (i = 0; i < n; i++)
		if (!steps[i].out)
			printf("%s\n", steps[i].text);
	print_all(closing, sizeof(closing) / sizeof(closing[0]));
	printf("# ---\n");
	fflush(stdout);
}

static uint64_t
number(const char *name, uint64_t def)
{
	const char *v = getenv(name);

	return v != NULL && *v != '\0' ? strtoull(v, NULL, 10) : def;
}

static void
no_log(const struct body_log *line, void *arg)
{
	(void)line;
	(void)arg;
}

int
main(void)
{
	uint64_t seed = number("WALK_SEED", 1), steps, said = 0, worlds = 0;
	uint64_t failed = 0, first = seed;
	static struct step world[LENGTH];
	const char *rule;

	signal(SIGALRM, on_endless);
	steps = number("WALK_STEPS", STEPS);
	log_set_sink(no_log, NULL);
	for (; turns < steps && failed < 5; seed++, worlds++) {
		AUTO_FREE char *why = NULL;
		size_t n = LENGTH;

		state = seed;
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
