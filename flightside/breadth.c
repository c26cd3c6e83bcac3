/* SPDX-License-Identifier: ISC */
/*
 * breadth.c: which devices were written to within the last hour.
 *
 * Owns their names, at most as many as may be.  Never writes, never asks the
 * placer, whose word is what this bounds.
 */
#include "flightside/breadth.h"

#include <sys/queue.h>

#include <bsd/string.h>
#include <bsd/sys/tree.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/xmem.h"

struct fleet;

struct device {
	RB_ENTRY(device) link;
	TAILQ_ENTRY(device)
	age; /* of its fleet, the longest left alone first */
	struct fleet *fleet;
	int64_t at_ms;
	char name[MAX_NAME + 1];
};

struct fleet {
	SLIST_ENTRY(fleet) entry;
	TAILQ_HEAD(, device) devices;
	int64_t n;
	char name[MAX_NAME + 1];
};

RB_HEAD(breadth_tree, device);

struct breadth {
	int64_t most;
	struct breadth_tree devices;
	SLIST_HEAD(fleet_list, fleet) fleets;
};

static int
compare(const struct device *a, const struct device *b)
{
	int rc = strcmp(a->name, b->name);

	return rc != 0 ? rc : strcmp(a->fleet->name, b->fleet->name);
}

RB_PROTOTYPE(breadth_tree, device, link, compare)
RB_GENERATE(breadth_tree, device, link, compare)

static struct fleet *
fleet_of(struct breadth *b, const char *name)
{
	struct fleet *f;

	SLIST_FOREACH(f, &b->fleets, entry)
	if (strcmp(f->name, name) == 0)
		return f;
	f = xcalloc(1, sizeof(*f));
	(void)strlcpy(f->name, name, sizeof(f->name));
	TAILQ_INIT(&f->devices);
	SLIST_INSERT_HEAD(&b->fleets, f, entry);
	return f;
}

static void
forget(struct breadth *b, struct device *d)
{
	RB_REMOVE(breadth_tree, &b->devices, d);
	TAILQ_REMOVE(&d->fleet->devices, d, age);
	d->fleet->n--;
	free(d);
}

static void
forget_old(struct breadth *b, struct fleet *f, int64_t now)
{
	struct device *d, *next;

	for (d = TAILQ_FIRST(&f->devices);
	     d != NULL && now - d->at_ms >= BREADTH_MS; d = next) {
		next = TAILQ_NEXT(d, age);
		forget(b, d);
	}
}

int
breadth_take(struct breadth *b, const char *fleet, const char *device,
    int64_t now)
{
	struct device key, *d;

	if (b->most == 0)
		return 0;
	key.fleet = fleet_of(b, fleet);
	(void)strlcpy(key.name, device, sizeof(key.name));
	forget_old(b, key.fleet, now);
	if ((d = RB_FIND(breadth_tree, &b->devices, &key)) == NULL) {
		if (key.fleet->n >= b->most)
			return -1;
		d = xcalloc(1, sizeof(*d));
		d->fleet = key.fleet;
		(void)strlcpy(d->name, device, sizeof(d->name));
		(void)RB_INSERT(breadth_tree, &b->devices, d);
		d->fleet->n++;
	} else
		TAILQ_REMOVE(&d->fleet->devices, d, age);
	d->at_ms = now;
	TAILQ_INSERT_TAIL(&d->fleet->devices, d, age);
	return 0;
}

void
breadth_change(struct breadth *b, int64_t most)
{
	b->most = most;
}

struct breadth *
breadth_new(int64_t most)
{
	struct breadth *b = xcalloc(1, sizeof(*b));

	RB_INIT(&b->devices);
	SLIST_INIT(&b->fleets);
	b->most = most;
	return b;
}

void
breadth_free(struct breadth *b)
{
	struct device *d;
	struct fleet *f;

	if (b == NULL)
		return;
	while ((d = RB_ROOT(&b->devices)) != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked */
		forget(b, d);
	while ((f = SLIST_FIRST(&b->fleets)) != NULL) {
		SLIST_REMOVE_HEAD(&b->fleets, entry);
		free(f);
	}
	free(b);
}
