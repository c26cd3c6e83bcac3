/* SPDX-License-Identifier: ISC */
/*
 * run.c: one run of a scene: its beginning, its statements, its rest, its end.
 */
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/xmem.h"
#include "placer/objects.h"
#include "t/scene/clock.h"
#include "t/scene/verbs.h"
#include "t/scene/views.h"

enum {
	QUIET_MS = 60 * 1000 /* at rest nothing is to be done any more */
};

void
scene_fail(struct scene *sc, const char *fmt, ...)
{
	AUTO_FREE char *text = NULL;
	va_list ap;

	if (sc->failed)
		return;
	sc->failed = 1;
	sc->broke = fmt;
	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	sc->why = xasprintf("%s:%d: %s", sc->file, sc->line, text);
}

static void
remove_dir(const char *dir)
{
	static const char *const parts[] = { "placer.db", "placer.db-wal",
		"placer.db-shm" };
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", dir, parts[i]);

		(void)unlink(path);
	}
	if (rmdir(dir) == -1)
		fprintf(stderr, "%s: %s\n", dir, strerror(errno));
}

char *
scene_dir(void)
{
	const char *tmp = getenv("TMPDIR");
	char *dir;

	if (tmp == NULL)
		tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	dir = xasprintf("%s/scene.XXXXXX", tmp);
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		exit(2);
	}
	return dir;
}

static void
no_log(const struct body_log *line, void *arg)
{
	(void)line;
	(void)arg;
}

void
scene_quiet(void)
{
	log_set_sink(no_log, NULL);
}

uint64_t
scene_number(const char *name, uint64_t otherwise)
{
	const char *v = getenv(name);

	return v != NULL && *v != '\0' ? strtoull(v, NULL, 10) : otherwise;
}

unsigned int
scene_every(void)
{
	unsigned int n = (unsigned int)scene_number("SCENE_EVERY", 1);

	return n > 0 ? n : 1;
}

void
scene_begin(struct scene *sc, const char *file)
{
	*sc = (struct scene){ .file = file };
	clock_set(CLOCK_START_MS);
	clock_set_wall(0);
	TAILQ_INIT(&sc->timers);
	TAILQ_INIT(&sc->pods);
	TAILQ_INIT(&sc->objects);
	TAILQ_INIT(&sc->edges);
	TAILQ_INIT(&sc->ran);
	TAILQ_INIT(&sc->held);
	sc->kube.is = PROC_KUBESIDE;
	sc->flight.is = PROC_FLIGHTSIDE;
	sc->kube.reachable = sc->flight.reachable = 1;
	sc->base = event_base_new();
	settings_init(&sc->set);
	sc->dir = scene_dir();
	place_start(sc);
	verbs_begin(sc);
}

void
scene_end(struct scene *sc)
{
	place_stop(sc);
	place_full(sc, 0);
	place_forget(sc);
	kube_clear(sc);
	flight_clear(sc);
	out_clear(sc);
	free(sc->why);
	settings_free(&sc->set);
	event_base_free(sc->base);
	remove_dir(sc->dir);
	free(sc->dir);
	if (sc->other_dir != NULL)
		remove_dir(sc->other_dir);
	free(sc->other_dir);
}

void
scene_say(struct scene *sc, const char *line)
{
	struct words s;

	if (words_cut(&s, line) == -1)
		scene_fail(sc, "no statement");
	else if (s.n > 0)
		verbs_run(sc, &s);
	words_free(&s);
}

/* A minute's polls of each object. */
static size_t
polls(const struct scene *sc)
{
	const struct object *o;
	size_t n = 0;

	TAILQ_FOREACH(o, &sc->objects, link)
		n += QUIET_MS / OBJECTS_PERIOD_MS + 1;
	return n;
}

/* Nothing but reads of what may still change. */
void
scene_rest(struct scene *sc)
{
	size_t from = sc->nouts, i, may = polls(sc);

	if (sc->failed || sc->restless)
		return;
	place_pass(sc, QUIET_MS);
	for (i = from; i < sc->nouts; i++)
		if (sc->outs[i].kind != OUT_READ &&
		    (sc->outs[i].kind != OUT_FETCH || may-- == 0))
			scene_fail(sc, "comes to no rest: %s %s %s",
			    out_name(sc->outs[i].kind), sc->outs[i].about,
			    sc->outs[i].text);
	rules_rest(sc);
	views_agree(sc);
}
