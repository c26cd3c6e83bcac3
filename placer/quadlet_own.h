/* SPDX-License-Identifier: ISC */
#ifndef PLACER_QUADLET_OWN_H
#define PLACER_QUADLET_OWN_H

/* What the files quadlet*.c share. */

#include <stddef.h>
#include <stdint.h>

#include "common/jread.h"
#include "common/limits.h"
#include "common/why.h"
#include "placer/quadlet.h"
#include "placer/unitfile.h"

#define QUADLET_STATE_DIR "/var/lib/vk-flightctl"

/* One translation under way. */
struct app {
	const struct quadlet_in *in;
	struct quadlet *out;
	int dry; /* only look for refusals: no ConfigMap is at hand */
	char id[MAX_APP + 8]; /* what the agent puts before every name */
	const char *ns, *name, *uid, *hostname, *restart;
	int64_t grace;
	struct json_object *spec, *containers, *volumes;
	struct json_object *files; /* of the application */
	size_t bytes;		   /* written so far, of MAX_APPLICATION */
	struct why *why;
};

/* Takes the text as a file of the application. */
int quadlet_file(struct app *, const char *path, struct unitfile *);

/* One container's file; i is its place in spec.containers. */
int quadlet_container(struct app *, size_t i);

/* The PodmanArgs= line of a container's resources; at: its path. */
int quadlet_limits(struct app *, struct json_object *resources, const char *at,
    struct unitfile *);

/* The .volume files and the config entries of what is mounted. */
int quadlet_volumes(struct app *);

/*
 * The source of a mounted volume as Volume= wants it, and whether it can only
 * be read; caller frees.  NULL with the why: no such volume.
 */
char *quadlet_volume_source(struct app *, const char *name, int *read_only);

/* PublishPort= lines of container i. */
int quadlet_ports(struct app *, size_t i, struct unitfile *);

#endif
