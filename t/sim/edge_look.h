/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_EDGE_LOOK_H
#define T_SIM_EDGE_LOOK_H

/* What an agent says of its applications and its machine.  Pure. */

#include "t/sim/edge.h"
#include "t/sim/edge_app.h"

/* What the agent knows: after a start not yet all. */
enum edge_sight {
	EDGE_SEES_ALL,
	EDGE_SEES_NOTHING, /* no applications at all */
	EDGE_SEES_NAMES,   /* no event of their containers yet */
};

struct edge_look {
	char *applications; /* JSON array */
	size_t n;
	const char *summary;
	char *info;	/* or NULL */
	int64_t change; /* boot_ms at which it will read otherwise */
};

/* 1: applications read otherwise than before.  Zero is a look at nothing. */
int edge_look(struct edge_look *, const struct edge_apps *, enum edge_sight,
    int64_t start_ms, int64_t boot_ms);
void edge_look_free(struct edge_look *);

/* systemInfo, the caller's. */
char *edge_system_info(const char *name, const struct edge_conf *);

#endif
