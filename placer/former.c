/* SPDX-License-Identifier: ISC */
/*
 * former.c: nodes that are configured no more.
 *
 * Owns what of theirs counts as left, and when a purge is over.  How an
 * application leaves its device is life.def's, as for any pod that is not
 * wanted.
 */
#include "placer/former.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "placer/pick.h"

struct wnode *
former_find(const struct world *w, const char *name)
{
	size_t i;

	for (i = 0; i < w->nformer; i++)
		if (strcmp(w->former[i]->name, name) == 0)
			return w->former[i];
	return NULL;
}

struct wnode *
former_get(struct world *w, const char *name)
{
	struct wnode *n = former_find(w, name);

	if (n != NULL)
		return n;
	if (*name == '\0' || world_node(w, name) != NULL ||
	    w->nformer == FORMER_MAX)
		return NULL;
	n = xcalloc(1, sizeof(*n));
	if (strlcpy(n->name, name, sizeof(n->name)) >= sizeof(n->name)) {
		free(n);
		return NULL;
	}
	TAILQ_INIT(&n->devices);
	TAILQ_INIT(&n->waiting);
	n->table = pick_table_new();
	n->is_former = 1;
	w->former[w->nformer++] = n;
	return n;
}

void
former_clear(struct world *w)
{
	size_t i;

	for (i = 0; i < w->nformer; i++) {
		pick_table_free(w->former[i]->table);
		free(w->former[i]);
	}
	w->nformer = 0;
}

size_t
former_on(const struct wdevice *d, const struct wnode *n)
{
	const struct wpod *p;
	size_t i, apps = 0;

	if (d->gone || (d->given_up.on && world_is_closed(d)))
		return 0; /* nothing runs there, or can be taken out */
	if (d->dev == NULL) {
		TAILQ_FOREACH(p, &d->pods, on_device)
			apps += p->node == n && p->sent;
		return apps;
	}
	for (i = 0; i < d->dev->nentries; i++)
		apps += d->dev->entries[i].node != NULL &&
		    strcmp(d->dev->entries[i].node, n->name) == 0;
	return apps;
}

struct former_sum
former_count(const struct world *w, const struct wnode *n)
{
	struct wdevice_tree devices = w->devices;
	struct former_sum sum = { 0, 0 };
	struct wdevice *d;
	size_t apps;

	RB_FOREACH(d, wdevice_tree, &devices) {
		apps = former_on(d, n);
		sum.apps += apps;
		sum.devices += apps > 0;
	}
	return sum;
}

int
former_is_left(const struct wnode *n, const struct former_sum *sum)
{
	return !n->served && (n->object || sum->apps > 0);
}

/* 1: the line ends so, which is taken off. */
static int
ends(const char *line, size_t *len, const char *word)
{
	size_t tail = strlen(word);

	if (*len <= tail || memcmp(line + *len - tail, word, tail) != 0)
		return 0;
	*len -= tail;
	return 1;
}

/* NAME[ served[ renewed]] */
static void
take_line(struct world *w, const char *line, size_t len)
{
	char name[MAX_NAME + 1];
	struct wnode *n;
	int renewed = ends(line, &len, " renewed");
	int served = ends(line, &len, " served");

	if (len >= sizeof(name))
		return;
	memcpy(name, line, len);
	name[len] = '\0';
	if ((n = former_get(w, name)) == NULL)
		return;
	n->object = 1;
	n->served = served != 0;
	n->renewed = renewed != 0;
}

void
former_nodes(struct world *w, struct span lines)
{
	const char *newline;
	size_t i, len;

	for (i = 0; i < w->nformer; i++)
		w->former[i]->object = w->former[i]->served =
		    w->former[i]->renewed = 0;
	while (lines.len > 0) {
		newline = memchr(lines.p, '\n', lines.len);
		len = newline == NULL ? lines.len : (size_t)(newline - lines.p);
		take_line(w, lines.p, len);
		len += newline != NULL;
		lines.p += len;
		lines.len -= len;
	}
	w->former_told = 1;
	w->former_stale = 1;
}

/* -- what is told -- */

static char *
words(const struct wnode *n, const struct former_sum *sum)
{
	if (n->told_left && sum->apps == 0)
		return xstrdup(
		    "it is not in FLEET_ID and no provider serves it: its "
		    "Node is left, which kubectl delete node ends");
	if (n->told_left)
		return xasprintf(
		    "it is not in FLEET_ID and no provider serves it: "
		    "%zu applications of its pods are left on %zu devices, "
		    "and %s; vkfctl(8) has purge",
		    sum->apps, sum->devices,
		    n->object ? "its Node" : "no Node");
	return xstrdup(
	    n->served ? "another provider serves it" : "nothing of it is left");
}

static void
tell(struct wnode *n, const struct former_sum *sum, struct effects *fx)
{
	int left = former_is_left(n, sum);
	struct effect *e;

	if (left == n->told_left &&
	    (!left ||
		(n->told_apps == sum->apps && n->told_object == n->object)))
		return;
	n->told_apps = sum->apps;
	n->told_object = n->object;
	n->told_left = left != 0;
	e = effects_add(fx, EFFECT_FORMER);
	e->node = n;
	e->number = n->told_left;
	e->text = words(n, sum);
}

/* -- purge -- */

static int
has_pods(const struct world *w, const struct wnode *n)
{
	struct wpod_tree pods = w->pods;
	struct wpod *p;

	RB_FOREACH(p, wpod_tree, &pods)
		if (p->node == n)
			return 1;
	return 0;
}

/*
 * A purge is over with the last application, or when another provider serves
 * the node: what runs there then is that one's.
 */
static int
is_purged(const struct world *w, const struct wnode *n,
    const struct former_sum *sum)
{
	return n->renewed || (sum->apps == 0 && !has_pods(w, n));
}

static void
end_purge(struct world *w, struct wnode *n, struct effects *fx)
{
	struct effect *e;
	struct wpod *p;

	if (n->renewed) {
		e = effects_add(fx, EFFECT_FORMER);
		e->node = n;
		e->number = 1;
		e->text = xstrdup("another provider serves it: the purge ends "
				  "here");
	}
	RB_FOREACH(p, wpod_tree, &w->pods)
		if (p->node == n && p->device != NULL)
			world_queue(w, p, IO_NONE);
	n->purge.on = 0;
	n->until_boot = 0;
	effects_add(fx, EFFECT_WORD)->node = n;
	effects_add(fx, EFFECT_PURGE)->node = n;
}

void
former_look(struct world *w, struct effects *fx)
{
	struct former_sum sum;
	size_t i;

	if (!w->former_stale || !w->former_told || !w->devices_listed)
		return;
	w->former_stale = 0;
	for (i = 0; i < w->nformer; i++) {
		sum = former_count(w, w->former[i]);
		tell(w->former[i], &sum, fx);
		if (w->former[i]->purge.on && is_purged(w, w->former[i], &sum))
			end_purge(w, w->former[i], fx);
	}
}
