/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_EDGE_APP_H
#define T_SIM_EDGE_APP_H

/*
 * The applications of a rendered spec, as a device's podman and systemd would
 * run them: how many containers, what the generator refuses, which state at
 * which time.  Pure.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/span.h"
#include "t/sim/edge.h"

struct edge_app {
	char *name;
	char *type;	    /* appType */
	char *run_as;	    /* or NULL */
	char *image;	    /* of the first container, "" when none is named */
	char digest[65];    /* of the spec entry: what changed is restarted */
	const char *defect; /* why the generator drops a unit, or NULL */
	int containers;	    /* that run on */
	int inits;	    /* oneshot containers: end, and still count */
	int infra;	    /* 1 with a .pod */
	enum edge_mode mode;
	int64_t started_ms; /* boot_ms */
};

struct edge_apps {
	struct edge_app *v; /* by name */
	size_t n;
};

struct edge_state {
	const char *status;
	int ready, total, restarts;
};

/* -1: not a spec; what is not readable as an application is left out. */
int edge_apps_read(struct edge_apps *, struct span spec);
void edge_apps_free(struct edge_apps *);
struct edge_app *edge_apps_find(const struct edge_apps *, const char *name);

/* The first of them that is so, or NULL. */
const struct edge_app *edge_apps_in_mode(const struct edge_apps *,
    enum edge_mode);
const struct edge_app *edge_apps_with_defect(const struct edge_apps *);

/* start_ms: how long containers take to start. */
struct edge_state edge_app_state(const struct edge_app *, int64_t start_ms,
    int64_t boot_ms);
/* boot_ms of the next change of that state, INT64_MAX: none. */
int64_t edge_app_next(const struct edge_app *, int64_t start_ms,
    int64_t boot_ms);

/* Why the quadlet generator of podman 5.4 drops the unit, or NULL. */
const char *edge_quadlet_defect(const char *path, const char *text);

#endif
