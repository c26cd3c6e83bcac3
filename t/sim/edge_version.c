/* SPDX-License-Identifier: ISC */
/*
 * edge_version.c: what a device remembers of versions and of its orders.
 *
 * Owns the memory of failures and the rules of fail-app; edge.c decides what
 * follows from them.
 */
#include "t/sim/edge_version.h"

#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/flight_json.h"

struct edge_rule {
	char *glob;
	enum edge_mode mode;
};

void
edge_version_clear(struct edge_version *v)
{
	free(v->spec);
	*v = (struct edge_version){ 0 };
}

void
edge_version_set(struct edge_version *v, uint64_t number, struct span spec)
{
	char *copy = xstrndup(spec.p, spec.len);

	free(v->spec);
	v->number = number;
	v->spec = copy;
	flight_sha256(span_of(copy), v->digest);
}

void
edge_failures_add(struct edge_failures *f, const struct edge_version *v)
{
	f->v = xreallocarray(f->v, f->n + 1, sizeof(*f->v));
	f->v[f->n] = *v;
	f->v[f->n++].spec = NULL;
}

int
edge_failures_has(const struct edge_failures *f, const struct edge_version *v)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (f->v[i].number == v->number ||
		    strcmp(f->v[i].digest, v->digest) == 0)
			return 1;
	return 0;
}

void
edge_failures_clear(struct edge_failures *f)
{
	free(f->v);
	*f = (struct edge_failures){ 0 };
}

int
edge_mode_by_name(const char *word, enum edge_mode *mode)
{
	static const char *const words[] = {
#define X(name, text) text,
		EDGE_MODES(X)
#undef X
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0) {
			*mode = (enum edge_mode)i;
			return 0;
		}
	return -1;
}

void
edge_rules_add(struct edge_rules *r, const char *glob, enum edge_mode mode)
{
	r->v = xreallocarray(r->v, r->n + 1, sizeof(*r->v));
	r->v[r->n].glob = xstrdup(glob);
	r->v[r->n++].mode = mode;
}

enum edge_mode
edge_rules_mode(const struct edge_rules *r, const struct edge_app *app)
{
	size_t i;

	for (i = r->n; i > 0; i--)
		if (flight_glob(r->v[i - 1].glob, app->name) ||
		    flight_glob(r->v[i - 1].glob, app->image))
			return r->v[i - 1].mode;
	return EDGE_OK;
}

void
edge_rules_apply(const struct edge_rules *r, struct edge_apps *apps)
{
	size_t i;

	for (i = 0; i < apps->n; i++)
		apps->v[i].mode = edge_rules_mode(r, &apps->v[i]);
}

void
edge_rules_clear(struct edge_rules *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		free(r->v[i].glob);
	free(r->v);
	*r = (struct edge_rules){ 0 };
}
