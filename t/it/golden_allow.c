/* SPDX-License-Identifier: ISC */
/*
 * golden_allow.c: the table of allowed differences.
 */
#include "t/it/golden_allow.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/it.h"

struct row {
	char *recording, *where, *what, *reason;
	unsigned int used;
};

struct golden_allow {
	struct row *v;
	size_t n;
};

struct golden_allow *
golden_allow_read(const char *path)
{
	struct golden_allow *a = xcalloc(1, sizeof(*a));
	AUTO_FREE char *text = it_file(path, NULL);
	char *rest = text, *line, *f[4];
	size_t i;

	if (text == NULL)
		it_die("%s: cannot be read", path);
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (line[0] == '\0' || line[0] == '#')
			continue;
		for (i = 0; i < 4; i++)
			if ((f[i] = strsep(&line, "\t")) == NULL)
				it_die("%s: a row has four columns", path);
		a->v = xreallocarray(a->v, a->n + 1, sizeof(*a->v));
		a->v[a->n++] = (struct row){ xstrdup(f[0]), xstrdup(f[1]),
			xstrdup(f[2]), xstrdup(f[3]), 0 };
	}
	return a;
}

void
golden_allow_free(struct golden_allow *a)
{
	size_t i;

	for (i = 0; i < a->n; i++) {
		free(a->v[i].recording);
		free(a->v[i].where);
		free(a->v[i].what);
		free(a->v[i].reason);
	}
	free(a->v);
	free(a);
}

int
golden_allowed(struct golden_allow *a, const char *recording, const char *where,
    const char *what)
{
	size_t i;

	for (i = 0; i < a->n; i++) {
		if (fnmatch(a->v[i].recording, recording, 0) != 0 ||
		    fnmatch(a->v[i].where, where, 0) != 0 ||
		    fnmatch(a->v[i].what, what, 0) != 0)
			continue;
		a->v[i].used++;
		return 1;
	}
	return 0;
}

void
golden_allow_check(const struct golden_allow *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (a->v[i].used == 0)
			it_ok(0, "the allowed difference %s %s %s occurs",
			    a->v[i].recording, a->v[i].where, a->v[i].what);
}
