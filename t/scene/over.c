/* SPDX-License-Identifier: ISC */
/*
 * over.c: the end of all troubles.
 *
 * Owns what trouble is.  What people ordered holds, no agent forgets what it
 * has refused, and who is gone stays so.
 */
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/scene/verbs.h"

static const char *const servers[] = { "store ok", "kube up", "kube back",
	"flight up", "flight back", "writer on", "rounds on", "heal all" };

static const char *const requests[] = { "change", "read", "status", "delete",
	"object" };

static const char *const of_request[] = { "release", "delay", "answer" };
static const char *const to_usual[] = { "", "0s", "again 0" };

static const char *const of_device[] = { "render", "apply", "apply", "back",
	"resumed" };
static const char *const to_go_on[] = { "go", "after=1s", "go", "", "" };

static void
say(struct scene *sc, const char *verb, const char *about, const char *rest)
{
	AUTO_FREE char *line = xasprintf("%s %s %s", verb, about, rest);

	if (!sc->failed)
		scene_say(sc, line);
}

static int
is_well(const struct told *t, const struct kpod *p)
{
	int restarts = p->restart == NULL || strcmp(p->restart, "Always") == 0;

	return strcmp(t->state, "none") != 0 &&
	    (strcmp(t->state, "Error") != 0 || !restarts);
}

/* Its agent says nothing of what runs, or that it fails again and again. */
static void
make_well(struct scene *sc, const struct edge *d)
{
	const struct kpod *p;
	const struct told *t;

	TAILQ_FOREACH(t, &d->told, link) {
		AUTO_FREE char *running = NULL;

		if ((p = kube_by_app(sc, t->app)) == NULL || is_well(t, p))
			continue;
		running = xasprintf("%s Running", p->label);
		say(sc, "report", d->name, running);
	}
}

/* over: servers, links, devices and their agents do what they should. */
void
verb_over(struct scene *sc, const struct words *s)
{
	const struct edge *d;
	size_t i, k;

	(void)s;
	for (i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
		say(sc, servers[i], "", "");
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		for (k = 0; k < sizeof(of_request) / sizeof(of_request[0]); k++)
			say(sc, of_request[k], requests[i], to_usual[k]);
	TAILQ_FOREACH(d, &sc->edges, link)
		if (d->exists)
			make_well(sc, d);
	for (k = 0; k < sizeof(of_device) / sizeof(of_device[0]); k++)
		TAILQ_FOREACH(d, &sc->edges, link)
			if (d->exists)
				say(sc, of_device[k], d->name, to_go_on[k]);
}
