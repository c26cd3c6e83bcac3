/* SPDX-License-Identifier: ISC */
/*
 * power_scene.c: the long scene of power.c.
 */
#include "t/scene/power.h"

#include <stdlib.h>

#include "common/xmem.h"

enum {
	DEVICES = 8,
	ROUNDS = 7,
	PODS = 20, /* of a round */
};

static void
add(struct text *t, char *line)
{
	t->lines = xreallocarray(t->lines, t->n + 1, sizeof(*t->lines));
	t->lines[t->n++] = line;
}

static void
add_words(struct text *t, const char *text)
{
	add(t, xstrdup(text));
}

/* The same statement about each n'th pod of a round. */
static void
each(struct text *t, const char *verb, unsigned int round, unsigned int n,
    const char *rest)
{
	unsigned int i;

	for (i = 0; i < PODS; i += n)
		add(t, xasprintf("%s p%u-%u %s", verb, round, i, rest));
}

static void
add_round(struct text *t, unsigned int r)
{
	unsigned int d = 1 + r % DEVICES;

	each(t, "pod", r, 1, "cpu=100m controller=r");
	add_words(t, "time 10s");
	each(t, "image", r, 2, "image-2");
	add_words(t, "time 10s");
	add(t, xasprintf("silent d%u", d));
	add_words(t, "time 6m");
	add(t, xasprintf("back d%u", d));
	add_words(t, "time 30s");
	if (r == 2) /* its database is closed in order, and opened */
		add_words(t, "restart");
	add(t, xasprintf("removed d%u", d));
	add_words(t, "time 1m");
	add(t, xasprintf("device d%u cpu=4", DEVICES + d));
	each(t, "delete", r, 3, "");
	add_words(t, "time 30s");
}

struct text
power_scene(void)
{
	struct text t = { NULL, 0 };
	unsigned int i;

	add_words(&t, "go");
	for (i = 1; i <= DEVICES; i++)
		add(&t, xasprintf("device d%u cpu=4", i));
	for (i = 0; i < ROUNDS; i++)
		add_round(&t, i);
	return t;
}
