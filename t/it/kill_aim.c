/* SPDX-License-Identifier: ISC */
/*
 * kill_aim.c: Owns what an undisturbed round was like, and chooses by it.
 */
#include "t/it/kill_aim.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/it.h"

enum {
	PAIR_EVERY = 8, /* one of so many ends with another process */
	AFTER = 6,	/* of its workers the supervisor ends, too */
	NEAR = 50,	/* the supervisor's end, after those of its workers */
};

static uint32_t calls[HUNT_PREYS];
static uint32_t often[HUNT_PREYS][HUNT_PHASES][HUNT_CALLS];
static kill_points done;

void
kill_aim_learn(const struct hunt_board *b, kill_points points)
{
	size_t i;

	for (i = 0; i < HUNT_PREYS; i++)
		calls[i] = b->count[i];
	memcpy(often, b->seen, sizeof(often));
	for (i = 0; i < sizeof(kill_points); i++)
		if ((&often[0][0][0])[i] != 0)
			(&points[0][0][0])[i] = 1;
}

uint32_t
kill_aim_calls(void)
{
	uint32_t i, most = 0;

	for (i = 0; i < HUNT_PREYS; i++)
		if (calls[i] > most)
			most = calls[i];
	return most;
}

static uint32_t
with(uint32_t prey)
{
	if (random() % PAIR_EVERY != 0)
		return 0;
	return 1U << (HUNT_KUBESIDE +
		   (prey - HUNT_KUBESIDE + 1 + (uint32_t)random() % 2) % 3);
}

uint32_t
kill_aim_nth(uint32_t nth, struct hunt_target *t)
{
	uint32_t i, n = 0;

	for (i = 0; i < HUNT_PREYS; i++)
		if (nth <= calls[i])
			t[n++] = (struct hunt_target){ .prey = i,
				.call = HUNT_ANY,
				.phase = HUNT_ANY,
				.at = nth,
				.with = i >= HUNT_KUBESIDE ? with(i) : 0 };
	return n;
}

/* One of those that were seen there and not aimed at; then any. */
static struct hunt_target
choose(kill_points killed, uint32_t prey, uint32_t phase)
{
	uint32_t i, n = 0, nr = HUNT_ANY;
	int again;

	for (again = 0; again < 2 && n == 0; again++) {
		for (i = 0; i < HUNT_CALLS; i++)
			if (often[prey][phase][i] != 0 &&
			    !done[prey][phase][i] &&
			    (again || !killed[prey][phase][i]) &&
			    (uint32_t)random() % ++n == 0)
				nr = i;
		if (n == 0)
			memset(done[prey][phase], 0, sizeof(done[0][0]));
	}
	if (n == 0)
		return (struct hunt_target){ .prey = prey,
			.call = HUNT_ANY,
			.phase = phase,
			.at = 1 };
	done[prey][phase][nr] = 1;
	return (struct hunt_target){ .prey = prey,
		.call = nr,
		.phase = phase,
		.at = 1 + (uint32_t)random() % often[prey][phase][nr] };
}

uint32_t
kill_aim_some(kill_points killed, struct hunt_target *t)
{
	uint32_t phase, prey, i, n = 0;

	t[n++] = choose(killed, HUNT_SUPERVISOR, PHASE_CREATE);
	for (phase = 0; phase < KILL_PHASES; phase++) {
		for (prey = HUNT_KUBESIDE; prey <= HUNT_PLACER; prey++)
			for (i = 0; i < HUNT_EACH; i++) {
				t[n] = choose(killed, prey, phase);
				t[n++].with = with(prey);
			}
		if (phase == PHASE_CREATE)
			t[n++] = choose(killed, HUNT_BIRTH, phase);
		t[n] = (struct hunt_target){ .prey = HUNT_SUPERVISOR,
			.call = HUNT_ANY,
			.phase = HUNT_ANY,
			.at = 1 + (uint32_t)random() % NEAR,
			.after = AFTER };
		n++;
	}
	return n;
}

uint32_t
kill_aim_left(kill_points killed)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < sizeof(kill_points); i++)
		n += (&often[0][0][0])[i] != 0 && !(&killed[0][0][0])[i];
	return n;
}

static uint32_t
prey_named(const char *word)
{
	int prey = hunt_prey(word);

	if (prey == -1)
		it_die("KILL_AT: %s: no such process", word);
	return (uint32_t)prey;
}

uint32_t
kill_aim_read(const char *text, struct hunt_target *t)
{
	AUTO_FREE char *copy = xstrdup(text);
	char *rest = copy, *word, *number, *other;
	uint32_t n = 0;

	while ((word = strsep(&rest, ",")) != NULL && n < HUNT_TARGETS) {
		if ((number = strchr(word, ':')) == NULL)
			it_die("KILL_AT: %s: not PROCESS:N", word);
		*number++ = '\0';
		if ((other = strchr(number, '+')) != NULL)
			*other++ = '\0';
		t[n++] = (struct hunt_target){ .prey = prey_named(word),
			.with = other == NULL ? 0 : 1U << prey_named(other),
			.call = HUNT_ANY,
			.phase = HUNT_ANY,
			.at = (uint32_t)strtoul(number, NULL, 10) };
	}
	return n;
}
