/* SPDX-License-Identifier: ISC */
#ifndef PLACER_QUADLET_OWN_H
#define PLACER_QUADLET_OWN_H

/*
 * What the files quadlet*.c share.  Functions that return an int give 0, or -1
 * with the app's why, which names the field.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/jread.h"
#include "common/limits.h"
#include "common/why.h"
#include "placer/expand.h"
#include "placer/quadlet.h"
#include "placer/unitfile.h"

#define QUADLET_STATE_DIR "/var/lib/vk-flightctl"
/* What is forgotten at a boot: which init containers have ended. */
#define QUADLET_RUN_DIR "/run/vk-flightctl"

/* PodName=, and the stem of the .pod file. */
#define QUADLET_POD "pod_"

/* In the order in which they start. */
enum quadlet_list {
	LIST_INIT,
	LIST_MAIN,
	QUADLET_LISTS,
};

/* One translation under way. */
struct app {
	const struct quadlet_in *in;
	struct quadlet *out;
	int dry; /* only look for refusals: no ConfigMap is at hand */
	char id[MAX_APP + 8]; /* what the agent puts before every name */
	const char *ns, *name, *uid, *hostname, *restart, *dns_policy;
	const char *timezone;	 /* of its annotation, or NULL */
	int64_t grace, fs_group; /* fs_group -1: none */
	uint8_t host_net, host_pid, host_ipc, share_pid;
	struct json_object *pod, *spec, *volumes, *security;
	struct json_object *lists[QUADLET_LISTS];
	struct json_object *files; /* of the application */
	struct json_object **maps; /* parsed in->objects, as they are asked */
	size_t bytes;		   /* written so far, of MAX_APPLICATION */
	struct why *why;
};

/* One container under translation. */
struct work {
	struct app *app;
	enum quadlet_list list;
	size_t i; /* its place in that list */
	struct unitfile f;
	struct json_object *json;
	const char *name, *image, *pull, *dir, *restart;
	struct json_object *command, *args, *mounts, *resources, *security;
	struct expand_var *vars;
	char **var_names; /* those of vars that are made here */
	size_t nvars;
	char at[56]; /* "spec.containers[0]" */
};

/* Takes the text as a file of the application. */
int quadlet_file(struct app *, const char *path, struct unitfile *);

/* -1: "AT.MEMBER: what inner says". */
int quadlet_at(const struct work *, const char *member,
    const struct why *inner);

/* Several containers: they share a .pod. */
int quadlet_is_pod(const struct app *);

/* An init container that goes on: the i-th. */
bool quadlet_is_sidecar(const struct app *, size_t i);

/* It has some, and ends once all its containers have ended for good. */
bool quadlet_ends_sidecars(const struct app *);

/*
 * The mark of a container that has ended for good, or of the whole pod;
 * caller frees.  Other images or another try are another container, so they
 * have another number.
 */
char *quadlet_done(const struct app *, const char *name);

/* One container's file. */
int quadlet_container(struct app *, enum quadlet_list, size_t i);

/* PublishPort= lines of a container. */
int quadlet_ports(struct app *, enum quadlet_list, size_t i, struct unitfile *);

/* Network, names and kernel settings, in [Pod] or the only [Container]. */
int quadlet_network(struct app *, struct unitfile *);

/* The PodmanArgs= line of a container's resources; at: its path. */
int quadlet_limits(struct app *, struct json_object *resources, const char *at,
    struct unitfile *);

/* Reads env and envFrom into vars; their Environment= lines. */
int quadlet_env(struct work *);
int quadlet_put_env(struct work *);

/*
 * A text with $(NAME) of those, caller frees; NULL: too long.  A dry one has
 * something in place of what is not known yet, for it may be anything.
 */
char *quadlet_expand(const struct work *, const char *, struct why *);

/* Entrypoint= and Exec=. */
int quadlet_command(struct work *);

/* The whole securityContext, in [Container]. */
int quadlet_security(struct work *);
/* The line in [Service] that looks at the image's user; image: its name. */
int quadlet_non_root(struct work *, const char *image);

/* Health*= lines. */
int quadlet_probes(struct work *);

/* The lines of postStart and preStop, in [Service]. */
int quadlet_hooks(struct work *);

/* Volume= lines, and the lines in [Service] that make or want a path. */
int quadlet_mounts(struct work *);
int quadlet_paths(struct work *);

/* The .volume files and the config entries of what is mounted. */
int quadlet_volumes(struct app *);

int quadlet_is_mounted(struct json_object *spec, struct json_object *volume);

/* A volume of files as one config entry; v: its JSON, at: its path. */
int quadlet_files(struct app *, struct json_object *v, const char *name,
    const char *at);
int quadlet_is_files(struct json_object *volume);

/* The parsed ConfigMap or Secret, borrowed; *map NULL: it is not there. */
int quadlet_map(struct app *, const char *name, int secret,
    struct json_object **map);
void quadlet_maps_free(struct app *);

/*
 * The text of a fieldRef or resourceFieldRef, caller frees; whole: labels and
 * annotations may be named without a key.  own: the container that asks, NULL
 * in a volume.  NULL: *why, without a path.
 */
char *quadlet_field(const struct app *, struct json_object *field_ref,
    int whole, struct why *);
char *quadlet_resource(const struct app *, struct json_object *resource_ref,
    struct json_object *own, struct why *);

/* ERR_DENIED: the image (with its registry) is not of IMAGE_REGISTRIES. */
int quadlet_origin(const struct app *, const char *at, const char *image);

#endif
