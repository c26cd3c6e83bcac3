/* SPDX-License-Identifier: ISC */
/*
 * power_run.c: one run of a scene whose disk is in trouble.
 *
 * Owns what of a scene waits for what trouble has held up: a person who wants
 * to do something to what runs on a device does it once it runs there.
 */
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/scene/clock.h"
#include "t/scene/power.h"

enum {
	LATE_MS = 10 * 60 * 1000,
	STEP_MS = 1000,
};

struct power_run power_run;

static void
light(struct scene *sc)
{
	struct power_run *r = &power_run;

	(void)sc;
	if (disk_is_dark())
		disk_image(r->cut_at, r->loss, r->cut_at, NULL);
}

static void
heard(struct scene *sc)
{
	struct power_run *r = &power_run;

	(void)sc;
	r->heard = xreallocarray(r->heard, r->nheard + 1, sizeof(*r->heard));
	r->heard[r->nheard++] = disk_records();
}

static const struct place_trouble trouble = { light, heard };

static const struct kpod *
pod_of(const struct scene *sc, const char *label)
{
	const struct kpod *p;

	TAILQ_FOREACH(p, &sc->pods, link)
		if (strcmp(p->label, label) == 0)
			break;
	return p;
}

/* Is what the statement is about on the device? */
static int
can_be(struct scene *sc, const char *line)
{
	const struct kpod *p;
	struct words s;
	struct edge *d;
	int can = 1, told;

	if (words_cut(&s, line) == -1)
		return 1;
	told = s.n > 2 && strcmp(s.w[0], "report") == 0;
	if (told || (s.n > 2 && strcmp(s.w[0], "erase") == 0)) {
		p = pod_of(sc, s.w[2]);
		d = flight_find(sc, s.w[1]);
		can = p != NULL && d != NULL &&
		    (told ? edge_told(d, p->app) != NULL :
			    edge_find(&d->apps, p->app) != NULL);
	}
	words_free(&s);
	return can;
}

/* 0: it cannot be said. */
static int
wait_for(struct scene *sc, const char *line)
{
	int64_t until = clock_boot_ms() + LATE_MS;

	if (can_be(sc, line))
		return 1;
	while (!sc->failed && clock_boot_ms() < until) {
		place_pass(sc, STEP_MS);
		if (!can_be(sc, line))
			continue;
		power_run.late++;
		return 1;
	}
	power_run.not_said++;
	return 0;
}

char *
power_play(const char *file, const struct text *t, int quiet)
{
	struct power_run *r = &power_run;
	struct scene *sc = &r->sc;
	size_t i;

	r->nheard = r->cuts = r->late = r->not_said = 0;
	place_trouble(&trouble);
	scene_begin(sc, file);
	sc->quiet = sc->patient = quiet;
	for (i = 0; i < t->n && !sc->failed; i++) {
		sc->line = (int)i + 1;
		if (!quiet)
			scene_say(sc, t->lines[i]);
		else if (text_is_statement(t->lines[i]) &&
		    wait_for(sc, t->lines[i]))
			scene_say(sc, t->lines[i]);
	}
	if (!sc->failed)
		place_pass(sc, PLAY_SETTLE_MS);
	return sc->failed ? NULL : play_state(sc);
}

void
power_end(void)
{
	disk_hold();
	scene_end(&power_run.sc);
	place_trouble(NULL);
	power_run.cut_at = 0;
}
