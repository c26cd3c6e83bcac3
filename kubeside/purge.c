/* SPDX-License-Identifier: ISC */
/*
 * purge.c: the Leases of nodes whose applications leave their devices.
 *
 * Owns which are held; how one is held is writer.c's.  Never touches a Node.
 */
#include "kubeside/purge.h"

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"

enum {
	PURGES_MAX = 64, /* as many nodes as former.c knows */
};

struct held {
	TAILQ_ENTRY(held) entry;
	struct purge *purge;
	char *node;
	struct writer *writer;
	int wanted; /* else it is being given back */
};

TAILQ_HEAD(helds, held);

struct purge {
	struct event_base *base;
	struct api *api;
	char *ns, *identity;
	const struct purge_ops *ops;
	void *arg;
	struct helds nodes;
};

static void
on_held(int64_t until_ms, void *arg)
{
	const struct held *h = arg;

	h->purge->ops->held(h->node, until_ms, h->purge->arg);
}

static void
drop(struct held *h)
{
	TAILQ_REMOVE(&h->purge->nodes, h, entry);
	writer_free(h->writer);
	free(h->node);
	free(h);
}

static void open_writer(struct held *);

/* The last thing that the writer does. */
static void
on_released(void *arg)
{
	struct held *h = arg;
	struct purge *p = h->purge;

	if (h->wanted) { /* again, meanwhile */
		writer_free(h->writer);
		open_writer(h);
		return;
	}
	drop(h);
	p->ops->released(p->arg);
}

static void
open_writer(struct held *h)
{
	static const struct writer_ops ops = { on_held, on_released, NULL };
	const struct purge *p = h->purge;

	h->writer = writer_new(p->base, p->api,
	    &(struct writer_conf){ p->ns, h->node, p->identity, NULL }, &ops,
	    h);
	writer_start(h->writer);
}

static struct held *
find(const struct purge *p, const char *node)
{
	struct held *h;

	TAILQ_FOREACH(h, &p->nodes, entry)
		if (strcmp(h->node, node) == 0)
			return h;
	return NULL;
}

unsigned int
purge_count(const struct purge *p)
{
	const struct held *h;
	unsigned int n = 0;

	TAILQ_FOREACH(h, &p->nodes, entry)
		n++;
	return n;
}

void
purge_node(struct purge *p, const char *node, int on)
{
	struct held *h = find(p, node);

	/* Who asks for more than there can be does not know what it does. */
	if (h == NULL && (!on || purge_count(p) >= PURGES_MAX))
		return;
	if (h == NULL) {
		h = xcalloc(1, sizeof(*h));
		h->purge = p;
		h->node = xstrdup(node);
		TAILQ_INSERT_TAIL(&p->nodes, h, entry);
		open_writer(h);
	}
	if (h->wanted && !on) {
		h->wanted = 0;
		writer_release(h->writer);
		return;
	}
	h->wanted = on;
}

void
purge_release(struct purge *p)
{
	struct held *h, *next;

	for (h = TAILQ_FIRST(&p->nodes); h != NULL; h = next) {
		next = TAILQ_NEXT(h, entry);
		if (!h->wanted)
			continue;
		h->wanted = 0;
		writer_release(h->writer);
	}
}

void
purge_again(struct purge *p)
{
	struct held *h;

	TAILQ_FOREACH(h, &p->nodes, entry)
		writer_again(h->writer);
}

struct purge *
purge_new(struct event_base *base, struct api *api, const char *ns,
    const char *identity, const struct purge_ops *ops, void *arg)
{
	struct purge *p = xcalloc(1, sizeof(*p));

	p->base = base;
	p->api = api;
	p->ns = xstrdup(ns);
	p->identity = xstrdup(identity);
	p->ops = ops;
	p->arg = arg;
	TAILQ_INIT(&p->nodes);
	return p;
}

void
purge_free(struct purge *p)
{
	struct held *h;

	if (p == NULL)
		return;
	while ((h = TAILQ_FIRST(&p->nodes)) != NULL)
		drop(h);
	free(p->ns);
	free(p->identity);
	free(p);
}
