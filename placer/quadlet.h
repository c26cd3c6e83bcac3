/* SPDX-License-Identifier: ISC */
#ifndef PLACER_QUADLET_H
#define PLACER_QUADLET_H

/*
 * A Pod as one Flightctl application of type quadlet and the spec.config
 * entries beside it.  Byte-stable: the same pod gives the same bytes.  The
 * rules are facts/quadlet.md's, the fields are fields.def's: every field of a
 * Pod is honoured, or refused by its path.  Pure.
 */

#include "common/limits.h"
#include "common/span.h"
#include "common/why.h"

/* One ConfigMap or Secret that the pod names, as the API sent it. */
struct quadlet_object {
	char *name;
	int secret;
	struct span object; /* len 0: absent */
};

struct quadlet_in {
	struct span pod;	/* the Pod as the apiserver sent it */
	const char *app;	/* mark_name() of it */
	const char *cluster;	/* full cluster id, for the label */
	const char *node;	/* virtual node, for the label */
	uint64_t images;	/* struct pod's digest, for the label */
	int64_t cpu_m, memory;	/* struct pod's requests, for the labels */
	uint32_t try;		/* > 0: a label that makes the bytes new */
	uint8_t host;		/* ALLOW_PRIVILEGED=yes */
	const char *registries; /* IMAGE_REGISTRIES; NULL: any */
	uint8_t secrets;	/* SECRETS=inline */
	const struct quadlet_object *objects;
	size_t nobjects;
	size_t bytes; /* of quadlet_live(): what the application has */
};

struct quadlet {
	char *application; /* one element of spec.applications */
	char **configs;	   /* elements of spec.config, as JSON texts */
	char **config_names;
	size_t nconfigs;
	/* Of ERR_AGAIN: the volume that lacks it, empty: a variable does. */
	char lacking[MAX_LABEL_VALUE + 1];
};

/*
 * ERR_DENIED: what is refused, by the paths of its fields; ERR_AGAIN: a
 * ConfigMap or Secret, or a key in it, is not there; ERR_LIMIT: over a bound;
 * ERR_FORMAT: not a Pod.
 */
int quadlet_render(const struct quadlet_in *, struct quadlet *, struct why *);
void quadlet_clear(struct quadlet *);

/*
 * The config entries of a recipe alone (recipe.h).  ERR_AGAIN, ERR_LIMIT and
 * ERR_DENIED as above: what is there stays.
 */
int quadlet_live(const struct quadlet_in *, struct quadlet *, struct why *);

/* The refusals alone, before anything is fetched; of pod, host and secrets. */
int quadlet_check(const struct quadlet_in *, struct why *);

/* The ConfigMaps and Secrets to fetch: each once. */
struct quadlet_need {
	char *name;
	uint8_t secret;
	uint8_t optional; /* nothing in the pod needs it */
	char *volume;	  /* the first that does; NULL: a variable does */
};

struct quadlet_needs {
	struct quadlet_need *list;
	size_t n;
};

/* ERR_LIMIT: more than 64. */
int quadlet_needs(struct span pod, struct quadlet_needs *, struct why *);
void quadlet_needs_clear(struct quadlet_needs *);

/* Whether one of them is a Secret, of a Pod's parsed spec. */
struct json_object;
int quadlet_uses_secrets(struct json_object *spec);

/* "nginx" -> "docker.io/library/nginx:latest"; caller frees. */
char *quadlet_image(const char *);

/* Its digest: what two names of one image have in common. */
uint64_t quadlet_image_id(const char *);

/* Digest of a list of images as they are written, begun with QUADLET_IMAGES. */
#define QUADLET_IMAGES 0xcbf29ce484222325ULL
uint64_t quadlet_image_add(uint64_t, const char *);

#endif
