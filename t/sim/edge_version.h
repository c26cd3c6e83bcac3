/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_EDGE_VERSION_H
#define T_SIM_EDGE_VERSION_H

/* Rendered versions, those that failed, and who is to fail.  Pure. */

#include <stddef.h>
#include <stdint.h>

#include "common/span.h"
#include "t/sim/edge_app.h"

struct edge_version {
	uint64_t number; /* 0: none */
	char *spec;
	char digest[65];
};

void edge_version_set(struct edge_version *, uint64_t number, struct span spec);
void edge_version_clear(struct edge_version *);

/* What an agent remembers until it starts again: numbers and contents. */
struct edge_failures {
	struct edge_version *v; /* without their specs */
	size_t n;
};

void edge_failures_add(struct edge_failures *, const struct edge_version *);
int edge_failures_has(const struct edge_failures *,
    const struct edge_version *);
void edge_failures_clear(struct edge_failures *);

/* Modes by name or image of the application; the last that fits counts. */
struct edge_rules {
	struct edge_rule *v;
	size_t n;
};

void edge_rules_add(struct edge_rules *, const char *glob, enum edge_mode);
/* Sets the mode of each. */
void edge_rules_apply(const struct edge_rules *, struct edge_apps *);
enum edge_mode edge_rules_mode(const struct edge_rules *,
    const struct edge_app *);
void edge_rules_clear(struct edge_rules *);

#endif
