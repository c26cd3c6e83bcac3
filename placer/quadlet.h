/* SPDX-License-Identifier: ISC */
#ifndef PLACER_QUADLET_H
#define PLACER_QUADLET_H

/*
 * A Pod as one Flightctl application of type quadlet and the spec.config
 * entries beside it.  Byte-stable: the same pod gives the same bytes.  The
 * rules are facts/quadlet.md's, the fields are fields.def's: every field of a
 * Pod is honoured, or refused by its path.  Pure.
 */

#include "common/span.h"
#include "common/why.h"

/* One ConfigMap (later: Secret) that the pod mounts, as the API sent it. */
struct quadlet_object {
	char *name;
	struct span object; /* len 0: absent, and the pod says optional */
};

struct quadlet_in {
	struct span pod;       /* the Pod as the apiserver sent it */
	const char *app;       /* mark_name() of it */
	const char *cluster;   /* full cluster id, for the label */
	const char *node;      /* virtual node, for the label */
	uint64_t images;       /* struct pod's digest, for the label */
	int64_t cpu_m, memory; /* struct pod's requests, for the labels */
	uint32_t try;	       /* > 0: a label that makes the bytes new */
	const struct quadlet_object *objects;
	size_t nobjects;
};

struct quadlet {
	char *application; /* one element of spec.applications */
	char **configs;	   /* elements of spec.config, as JSON texts */
	char **config_names;
	size_t nconfigs;
};

/*
 * ERR_DENIED: "spec.containers[0].livenessProbe: not supported" for the first
 * field that is refused; ERR_LIMIT: over a bound; ERR_FORMAT: not a Pod.
 */
int quadlet_render(const struct quadlet_in *, struct quadlet *, struct why *);
void quadlet_clear(struct quadlet *);

/* The refusals alone, before anything is fetched. */
int quadlet_check(struct span pod, struct why *);

/*
 * Names of the ConfigMaps to fetch: *names is a NULL-terminated array that
 * the caller frees with its strings; optional ones have *optional bit i set.
 */
int quadlet_needs(struct span pod, char ***names, uint64_t *optional,
    struct why *);

/* "nginx" -> "docker.io/library/nginx:latest"; caller frees. */
char *quadlet_image(const char *);

#endif
