/* SPDX-License-Identifier: ISC */
/*
 * verbs_flight.c: what devices, their agents and other writers do.
 */
#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/mark.h"
#include "common/quantity.h"
#include "common/xmem.h"
#include "t/scene/clock.h"
#include "t/scene/verbs.h"

static void
put(char **at, const char *value)
{
	char *old = *at; /* value may be it */

	*at = value != NULL ? xstrdup(value) : NULL;
	free(old);
}

/*
 * device NAME [cpu=] [memory=] [labels='members'] [fleet=] [owner=]
 *	[summary=] [lifecycle=] [spec=invalid]: a new one, or what changes of
 * one that is there.
 */
void
verb_device(struct scene *sc, const struct words *s)
{
	const char *v, *more = words_get(s, "labels", "");
	struct edge *d, *e;
	int64_t bytes;
	int before;

	TAILQ_FOREACH(e, &sc->edges, link)
		if (strcmp(e->name, words_at(s, 1)) == 0 && e->exists)
			break;
	d = e != NULL ? e : flight_add(sc, words_at(s, 1));
	before = d->cores;
	if (e == NULL || words_get(s, "cpu", NULL) != NULL)
		d->cores = atoi(words_get(s, "cpu", "4"));
	d->shrunk = e != NULL && (d->shrunk || d->cores < before);
	if ((e == NULL || words_get(s, "memory", NULL) != NULL) &&
	    quantity_value(span_of(words_get(s, "memory", "8Gi")), &bytes) == 0)
		d->memory_mib = (int)(bytes >> 20);
	v = words_get(s, "fleet", "f");
	free(d->labels);
	d->labels = xasprintf("\"fleet\":\"%s\"%s%s", v,
	    *more != '\0' ? "," : "", more);
	put(&d->owner, words_get(s, "owner", NULL));
	if ((v = words_get(s, "summary", NULL)) != NULL)
		put(&d->summary, v);
	if ((v = words_get(s, "lifecycle", NULL)) != NULL)
		put(&d->lifecycle, v);
	if ((v = words_get(s, "arch", NULL)) != NULL)
		(void)strlcpy(d->arch, v, sizeof(d->arch));
	v = words_get(s, "spec", "");
	d->spec_invalid = strcmp(v, "invalid") == 0;
	d->garbage = strcmp(v, "garbage") == 0;
	d->listed = strcmp(words_get(s, "listed", "yes"), "yes") == 0;
	d->rv++;
	if (d->listed)
		flight_push(sc, d);
}

/* apply NAME [after=] | hold | go */
void
verb_apply(struct scene *sc, const struct words *s)
{
	struct edge *d = flight_edge(sc, words_at(s, 1));
	const char *after = words_get(s, "after", NULL);

	if (d == NULL)
		return;
	if (after != NULL)
		d->apply_ms = words_ms(after);
	else
		d->hold_apply = strcmp(words_at(s, 2), "hold") == 0;
	edge_wake(sc, d);
}

/* render NAME hold | go | forget: the next write is never rendered */
void
verb_render(struct scene *sc, const struct words *s)
{
	struct edge *d = flight_edge(sc, words_at(s, 1));

	if (d == NULL)
		return;
	d->forget_render = strcmp(words_at(s, 2), "forget") == 0;
	if (d->forget_render)
		return;
	d->hold_render = strcmp(words_at(s, 2), "hold") == 0;
	if (!d->hold_render)
		edge_render(sc, d);
}

/* With so many bytes more, in characters of two. */
static char *
long_message(const char *words, size_t more)
{
	size_t len = strlen(words), i;
	char *message = xcalloc(len + more + 1, 1);

	memcpy(message, words, len);
	for (i = 0; i + 1 < more; i += 2)
		memcpy(message + len + i, "\xc3\xa9", 2);
	return message;
}

/*
 * fail NAME|all MESSAGE [pod=LABEL] [image=IMAGE] [file=TEXT] [pending=yes]:
 * versions with that fail, or are waited for without end.
 */
static void
fail_on(struct scene *sc, struct edge *d, const struct words *s)
{
	struct guilt *g;

	(void)sc;
	g = xcalloc(1, sizeof(*g));
	g->message = long_message(words_at(s, 2),
	    strtoul(words_get(s, "length", "0"), NULL, 10));
	put(&g->pod, words_get(s, "pod", NULL));
	put(&g->image, words_get(s, "image", NULL));
	put(&g->file, words_get(s, "file", NULL));
	g->pending = strcmp(words_get(s, "pending", "no"), "yes") == 0;
	TAILQ_INSERT_TAIL(&d->guilt, g, link);
}

/* A device by its name, or "all"; fn is called for each. */
static void
each(struct scene *sc, const struct words *s,
    void (*fn)(struct scene *, struct edge *, const struct words *))
{
	struct edge *d;

	if (strcmp(words_at(s, 1), "all") != 0) {
		if ((d = flight_edge(sc, words_at(s, 1))) != NULL)
			fn(sc, d, s);
		return;
	}
	TAILQ_FOREACH(d, &sc->edges, link)
		fn(sc, d, s);
}

void
verb_fail(struct scene *sc, const struct words *s)
{
	each(sc, s, fail_on);
}

static void
heal(struct scene *sc, struct edge *d, const struct words *s)
{
	struct guilt *g;

	(void)s;
	while ((g = TAILQ_FIRST(&d->guilt)) != NULL)
		edge_acquit(d, g);
	edge_wake(sc, d);
}

void
verb_heal(struct scene *sc, const struct words *s)
{
	each(sc, s, heal);
}

/* agent NAME: it starts anew, and has forgotten which versions failed */
void
verb_agent(struct scene *sc, const struct words *s)
{
	struct edge *d = flight_edge(sc, words_at(s, 1));

	if (d == NULL)
		return;
	edge_empty(&d->failed);
	edge_wake(sc, d);
}

/* report NAME LABEL STATE [ready=0/1] [exit=N]; STATE none: no word of it */
void
verb_report(struct scene *sc, const struct words *s)
{
	struct edge *d = flight_edge(sc, words_at(s, 1));
	struct kpod *p = kube_pod(sc, words_at(s, 2));
	struct told *t;

	if (d == NULL || p == NULL)
		return;
	if ((t = edge_told(d, p->app)) == NULL) {
		scene_fail(sc, "%s does not run %s", d->name, p->label);
		return;
	}
	put(&t->state, words_at(s, 3));
	t->ready = strcmp(t->state, "Running") == 0;
	(void)sscanf(words_get(s, "ready", ""), "%d/%d", &t->ready, &t->of);
	t->exit = atoi(words_get(s, "exit", "-1"));
	d->rv++;
}

void
verb_silent(struct scene *sc, const struct words *s)
{
	struct edge *d;
	size_t i;

	for (i = 1; i < s->n; i++) {
		if ((d = flight_edge(sc, s->w[i])) == NULL)
			return;
		d->silent = 1;
		d->rv++;
		flight_push(sc, d);
	}
}

void
verb_back(struct scene *sc, const struct words *s)
{
	struct edge *d;
	size_t i;

	for (i = 1; i < s->n; i++) {
		if ((d = flight_edge(sc, s->w[i])) == NULL)
			return;
		d->silent = 0;
		d->rv++;
		edge_wake(sc, d);
		flight_push(sc, d);
	}
}

/* The device is deleted from Flightctl. */
void
verb_removed(struct scene *sc, const struct words *s)
{
	struct edge *d = flight_edge(sc, words_at(s, 1));

	if (d != NULL)
		d->exists = 0;
}

/* Deleted and enrolled again between two reads. */
void
verb_reborn(struct scene *sc, const struct words *s)
{
	struct edge *d = flight_edge(sc, words_at(s, 1));

	if (d != NULL)
		flight_push(sc, flight_add(sc, d->name));
}

/* backup NAME: Flightctl's database, as far as this device is in it. */
void
verb_backup(struct scene *sc, const struct words *s)
{
	struct edge *d = flight_edge(sc, words_at(s, 1));

	if (d != NULL)
		edge_backup(d);
}

/* What was taken out since the backup is there again, whoever runs now. */
static void
note_restored(struct scene *sc, const struct edge *d)
{
	const struct element *e;
	struct kpod *p;

	TAILQ_FOREACH(e, &d->old_apps, link)
		if (edge_find(&d->apps, e->name) == NULL &&
		    (p = kube_by_app(sc, e->name)) != NULL)
			p->restored = 1;
}

void
verb_restored(struct scene *sc, const struct words *s)
{
	struct edge *d = flight_edge(sc, words_at(s, 1));

	if (d == NULL)
		return;
	if (d->old_spec == NULL) {
		scene_fail(sc, "%s has no backup", d->name);
		return;
	}
	note_restored(sc, d);
	edge_restore(d);
	if (!sc->rounds_off)
		flight_push(sc, d);
}

/* resumed NAME: its conflict is over, or its agent has reconnected. */
void
verb_resumed(struct scene *sc, const struct words *s)
{
	struct edge *d = flight_edge(sc, words_at(s, 1));

	if (d == NULL)
		return;
	edge_resume(sc, d);
	if (!sc->rounds_off)
		flight_push(sc, d);
}

/* other NAME ELEMENT: another writer's application appears. */
void
verb_other(struct scene *sc, const struct words *s)
{
	struct edge *d = flight_edge(sc, words_at(s, 1));
	AUTO_FREE char *raw = NULL;

	if (d == NULL)
		return;
	raw = xasprintf("{ \"name\" : \"%s\", \"appType\":\"compose\", "
			"\"image\":\"quay.io/other/app:1\" }",
	    words_at(s, 2));
	edge_set(&d->apps, words_at(s, 2), raw);
	edge_stored(sc, d);
	flight_push(sc, d);
}

/*
 * entry NAME POD [cluster=] [node=]: an application with a mark stands in the
 * spec, of a pod that the apiserver does not have.
 */
void
verb_entry(struct scene *sc, const struct words *s)
{
	struct edge *d = flight_edge(sc, words_at(s, 1));
	const char *cluster = words_get(s, "cluster", SCENE_CLUSTER);
	AUTO_FREE char *raw = NULL;
	struct kpod *p;

	if (d == NULL)
		return;
	p = kube_add(sc, words_at(s, 2));
	put(&p->node, words_get(s, "node", p->node));
	if (mark_name(cluster, "default", p->name, p->uid, p->app) == -1)
		abort();
	raw = xasprintf(
	    "{\"name\":\"%s\",\"appType\":\"quadlet\",\"inline\":[{"
	    "\"path\":\"c.container\",\"content\":\"[Container]\\nImage=x\\n"
	    "Label=vk.flightctl.io/cluster=%s\\n"
	    "Label=vk.flightctl.io/node=%s\\n"
	    "Label=vk.flightctl.io/namespace=default\\n"
	    "Label=vk.flightctl.io/pod=%s\\nLabel=vk.flightctl.io/uid=%s\\n"
	    "Label=vk.flightctl.io/cpu-milli=100\\n"
	    "Label=vk.flightctl.io/memory-bytes=1048576\\n\"}]}",
	    p->app, cluster, p->node, p->name, p->uid);
	edge_set(&d->apps, p->app, raw);
	edge_stored(sc, d);
	flight_push(sc, d);
}

/* erase NAME LABEL: another writer takes our entry out. */
void
verb_erase(struct scene *sc, const struct words *s)
{
	struct edge *d = flight_edge(sc, words_at(s, 1));
	struct kpod *p = kube_pod(sc, words_at(s, 2));

	if (d == NULL || p == NULL)
		return;
	if (!edge_cut(&d->apps, p->app))
		scene_fail(sc, "%s has no entry of %s", d->name, p->label);
	edge_stored(sc, d);
	flight_push(sc, d);
}

void
verb_push(struct scene *sc, const struct words *s)
{
	struct edge *d = flight_edge(sc, words_at(s, 1));

	if (d != NULL)
		flight_push(sc, d);
}

void
verb_round(struct scene *sc, const struct words *s)
{
	(void)s;
	flight_round(sc);
}

void
verb_rounds(struct scene *sc, const struct words *s)
{
	sc->rounds_off = strcmp(words_at(s, 1), "off") == 0;
}

/* -- what goes on by itself
 * ------------------------------------------------------ */

enum {
	RENEW_MS = 5 * 1000,
	ROUND_MS = 30 * 1000
};

static void
renew(struct scene *sc, void *arg)
{
	(void)arg;
	if (sc->writer)
		kube_renew(sc);
	place_after(sc, RENEW_MS, renew, NULL);
}

static void
next_round(struct scene *sc, void *arg)
{
	(void)arg;
	if (!sc->rounds_off)
		flight_round(sc);
	place_after(sc, ROUND_MS, next_round, NULL);
}

void
verbs_begin(struct scene *sc)
{
	place_after(sc, RENEW_MS, renew, NULL);
	place_after(sc, ROUND_MS, next_round, NULL);
}
