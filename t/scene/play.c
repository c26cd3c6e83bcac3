/* SPDX-License-Identifier: ISC */
/*
 * play.c: a scene as text, and how one ended.
 */
#include "t/scene/play.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h"
#include "common/xmem.h"
#include "placer/again.h"
#include "placer/recipe.h"
#include "t/scene/clock.h"

enum {
	RECENT = 40 /* outputs */
};

struct text
text_read(const char *path)
{
	struct text t = { NULL, 0 };
	char *line = NULL;
	size_t size = 0;
	FILE *f;

	if ((f = fopen(path, "r")) == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	while (getline(&line, &size, f) != -1) {
		t.lines = xreallocarray(t.lines, t.n + 1, sizeof(*t.lines));
		t.lines[t.n++] = xstrdup(line);
	}
	free(line);
	fclose(f);
	return t;
}

void
text_free(struct text *t)
{
	while (t->n > 0)
		free(t->lines[--t->n]);
	free(t->lines);
}

/* What the files of a config entry hold. */
static unsigned long long
files_of(const struct element *e)
{
	AUTO_JSON struct json_object *json = jread_parse(span_of(e->raw), NULL);

	return recipe_files(json);
}

/* How it ended: pods as the apiserver has them, devices and what they run. */
char *
play_state(struct scene *sc)
{
	const struct element *e;
	const struct kpod *p;
	const struct edge *d;
	char *text = NULL;
	size_t len;
	FILE *f;

	if ((f = open_memstream(&text, &len)) == NULL)
		abort();
	TAILQ_FOREACH(p, &sc->pods, link)
		fprintf(f, "%s: %s%s%s %s\n", p->label,
		    p->in_api ? "there" : "gone",
		    p->deleted_ms != 0 ? " deleted" : "",
		    p->evicted ? " evicted" : "",
		    !p->in_api		 ? "" :
			kube_is_ready(p) ? "ready" :
					   kube_phase(p));
	TAILQ_FOREACH(d, &sc->edges, link) {
		AUTO_FREE char *labels = edge_labels(sc, d);

		if (sc->anywhere)
			break;
		fprintf(f, "%s: %s\n", d->name, d->exists ? labels : "gone");
		if (d->exists)
			TAILQ_FOREACH(e, &d->configs, link)
				if (!again_is(e->name))
					fprintf(f, "%s: %s %016llx\n", d->name,
					    e->name, files_of(e));
	}
	fclose(f);
	return text;
}

int
text_is_statement(const char *line)
{
	return line[strspn(line, " \t\n")] != '\0' &&
	    line[strspn(line, " \t")] != '#' && strncmp(line, "expect", 6) != 0;
}

void
play_show(const struct scene *sc, int all)
{
	size_t i = sc->nouts > RECENT && !all ? sc->nouts - RECENT : 0;

	for (; i < sc->nouts; i++)
		printf("  %8.3f %s %s %s\n",
		    (double)(sc->outs[i].at_ms - CLOCK_START_MS) / 1000,
		    out_name(sc->outs[i].kind), sc->outs[i].about,
		    sc->outs[i].text);
}
