/* SPDX-License-Identifier: ISC */
/*
 * pod.c: one Pod of the apiserver as one allocation.
 *
 * Owns which members of a Pod are read and how strictly: identity and spec as
 * an apiserver admits them, or the pod is refused; what people type in
 * annotations (wish.c) may be wrong, then the pod is returned with the
 * complaint.  Keeps nothing of json-c.
 */
#include "placer/pod.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/jread.h"
#include "common/limits.h"
#include "common/scan.h"
#include "common/stamp.h"
#include "placer/block.h"
#include "placer/in_place.h"
#include "placer/quadlet.h"
#include "placer/recipe.h"
#include "placer/requests.h"
#include "placer/seen.h"
#include "placer/wish.h"

struct raw {
	const char *ns, *name, *uid, *node, *created, *deleted, *restart;
	int64_t generation, deadline;
	struct json_object *spec, *owners, *containers, *inits, *tolerations;
	struct json_object *debuggers;
	struct wish_lists wish;
};

static const struct jread_field pod_fields[] = {
	JSTR(struct raw, ns, "metadata.namespace", MAX_NAMESPACE, REQUIRED),
	JSTR(struct raw, name, "metadata.name", MAX_NAME, REQUIRED),
	JSTR(struct raw, uid, "metadata.uid", MAX_UID, REQUIRED),
	JSTR(struct raw, created, "metadata.creationTimestamp", 64, REQUIRED),
	JSTR(struct raw, deleted, "metadata.deletionTimestamp", 64, OPTIONAL),
	JINT(struct raw, generation, "metadata.generation", INT64_MAX,
	    OPTIONAL),
	JOBJ(struct raw, wish.annotations, "metadata.annotations", OPTIONAL),
	JARR(struct raw, owners, "metadata.ownerReferences", MAX_LIST,
	    OPTIONAL),
	JOBJ(struct raw, spec, "spec", REQUIRED),
	JSTR(struct raw, node, "spec.nodeName", MAX_NAME, OPTIONAL),
	JSTR(struct raw, restart, "spec.restartPolicy", 16, OPTIONAL),
	JINT(struct raw, deadline, "spec.activeDeadlineSeconds", INT32_MAX,
	    OPTIONAL),
	JARR(struct raw, containers, "spec.containers", MAX_CONTAINERS,
	    REQUIRED),
	JARR(struct raw, inits, "spec.initContainers", MAX_CONTAINERS,
	    OPTIONAL),
	JARR(struct raw, debuggers, "spec.ephemeralContainers", MAX_CONTAINERS,
	    OPTIONAL),
	JOBJ(struct raw, wish.selector, "spec.nodeSelector", OPTIONAL),
	JARR(struct raw, wish.required,
	    "spec.affinity.nodeAffinity."
	    "requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms",
	    MAX_LIST, OPTIONAL),
	JARR(struct raw, wish.preferred,
	    "spec.affinity.nodeAffinity."
	    "preferredDuringSchedulingIgnoredDuringExecution",
	    MAX_LIST, OPTIONAL),
	JARR(struct raw, tolerations, "spec.tolerations", MAX_LIST, OPTIONAL),
};

static const char *const restart_words[] = {
	[RESTART_ALWAYS] = "Always",
	[RESTART_ON_FAILURE] = "OnFailure",
	[RESTART_NEVER] = "Never",
};

static const struct {
	const char *word;
	uint8_t number;
} protocols[] = {
	{ "TCP", 6 },
	{ "UDP", 17 },
	{ "SCTP", 132 },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What build() works on, in both its runs. */
struct parse {
	struct json_object *root;
	struct raw raw;
	struct why *why;
	struct why complaint; /* the pod is returned all the same */
	int resized;
};

/* As Kubernetes' scheduler has it. */
static bool
is_any_address(const char *ip)
{
	return *ip == '\0' || strcmp(ip, "0.0.0.0") == 0 ||
	    strcmp(ip, "::") == 0;
}

static int
build_port(struct block *b, struct json_object *j, const char *at,
    struct host_port *port, struct why *why)
{
	struct {
		const char *protocol, *ip;
		int64_t host;
	} raw = { .protocol = "TCP", .ip = "" };
	static const struct jread_field fields[] = {
		JSTR(__typeof__(raw), protocol, "protocol", 8, OPTIONAL),
		JSTR(__typeof__(raw), ip, "hostIP", 64, OPTIONAL),
		JINT(__typeof__(raw), host, "hostPort", UINT16_MAX, OPTIONAL),
	};
	size_t i;

	if (jread_fields(j, at, fields, COUNT(fields), &raw, why) == -1)
		return -1;
	for (i = 0; i < COUNT(protocols); i++)
		if (strcmp(raw.protocol, protocols[i].word) == 0)
			break;
	if (i == COUNT(protocols))
		return fail(why, ERR_FORMAT,
		    "%s.ports.protocol: \"%s\" is none of TCP, UDP, SCTP", at,
		    raw.protocol);
	port->port = (uint16_t)raw.host;
	port->protocol = protocols[i].number;
	port->ip = is_any_address(raw.ip) ? NULL : block_str(b, raw.ip);
	return 0;
}

static bool
has_host_port(struct json_object *port)
{
	return json_object_get_int64(jread_member(port, "hostPort")) != 0;
}

static size_t
count_host_ports(struct json_object *containers)
{
	struct json_object *ports;
	size_t i, k, n = 0;

	for (i = 0; i < jread_count(containers); i++) {
		ports = jread_member(jread_item(containers, i), "ports");
		for (k = 0; k < jread_count(ports); k++)
			n += has_host_port(jread_item(ports, k));
	}
	return n;
}

static int
build_containers(struct block *b, struct json_object *list, const char *name,
    struct pod *pod, struct why *why)
{
	struct {
		const char *name, *image, *restart;
		struct json_object *ports, *resources;
	} raw;
	static const struct jread_field fields[] = {
		JSTR(__typeof__(raw), name, "name", MAX_LABEL_VALUE, REQUIRED),
		JSTR(__typeof__(raw), image, "image", 4096, REQUIRED),
		JSTR(__typeof__(raw), restart, "restartPolicy", 16, OPTIONAL),
		JARR(__typeof__(raw), ports, "ports", MAX_LIST, OPTIONAL),
		JOBJ(__typeof__(raw), resources, "resources", OPTIONAL),
	};
	struct pod_container *c;
	struct json_object *port;
	char at[64];
	size_t i, k;

	for (i = 0; i < jread_count(list); i++) {
		memset(&raw, 0, sizeof(raw));
		(void)snprintf(at, sizeof(at), "spec.%s[%zu]", name, i);
		if (jread_fields(jread_item(list, i), at, fields, COUNT(fields),
			&raw, why) == -1)
			return -1;
		c = &pod->containers[pod->ncontainers++];
		c->name = block_str(b, raw.name);
		c->image = block_str(b, raw.image);
		c->init = *name == 'i';
		c->sidecar = c->init && raw.restart != NULL &&
		    strcmp(raw.restart, "Always") == 0;
		c->image_id = quadlet_image_id(raw.image);
		if (jread_members(raw.resources) > 0) {
			AUTO_FREE char *text = jmake_copy(raw.resources);

			c->resources = block_str(b, text);
		}
		pod->images = quadlet_image_add(pod->images, raw.image);
		for (k = 0; k < jread_count(raw.ports); k++) {
			port = jread_item(raw.ports, k);
			if (has_host_port(port) &&
			    build_port(b, port, at, &pod->ports[pod->nports++],
				why) == -1)
				return -1;
		}
	}
	return 0;
}

/* One that has no name or image is nobody's to answer. */
static void
build_debuggers(struct block *b, struct json_object *list,
    struct json_object *status, struct pod *pod)
{
	struct pod_debugger *d;
	const char *name, *image;
	size_t i;

	pod->debuggers = block_get(b, jread_count(list), sizeof(*d));
	for (i = 0; i < jread_count(list); i++) {
		name = jread_string(jread_member(jread_item(list, i), "name"));
		image =
		    jread_string(jread_member(jread_item(list, i), "image"));
		if (name == NULL || image == NULL ||
		    strlen(name) > MAX_LABEL_VALUE || strlen(image) > 4096)
			continue;
		d = &pod->debuggers[pod->ndebuggers++];
		d->name = block_str(b, name);
		d->image = block_str(b, image);
		d->told_ms = seen_debugger(status, name);
	}
}

static void
build_owner(struct block *b, const struct raw *raw, struct pod *pod)
{
	struct json_object *owner;
	const char *kind, *uid;
	size_t i;

	for (i = 0; i < jread_count(raw->owners); i++) {
		owner = jread_item(raw->owners, i);
		kind = jread_string(jread_member(owner, "kind"));
		uid = jread_string(jread_member(owner, "uid"));
		if (!json_object_get_boolean(
			jread_member(owner, "controller")) ||
		    kind == NULL || uid == NULL)
			continue;
		pod->controller = block_str(b, uid);
		pod->controller_kind = block_str(b, kind);
		pod->is_daemon = strcmp(kind, "DaemonSet") == 0;
		return;
	}
}

static bool
tolerates_ours(const struct raw *raw)
{
	const char *key;
	size_t i;

	for (i = 0; i < jread_count(raw->tolerations); i++) {
		key = jread_string(
		    jread_member(jread_item(raw->tolerations, i), "key"));
		if (key != NULL && strcmp(key, TAINT_KEY) == 0)
			return true;
	}
	return false;
}

static int
build_scalars(const struct raw *raw, struct pod *pod, struct why *why)
{
	int64_t created = stamp_parse(raw->created);
	size_t restart = jread_word(restart_words, COUNT(restart_words),
	    raw->restart, COUNT(restart_words));

	if (created < 0)
		return fail(why, ERR_FORMAT,
		    "metadata.creationTimestamp: \"%s\" is no time",
		    raw->created);
	if (restart == COUNT(restart_words))
		return fail(why, ERR_FORMAT,
		    "spec.restartPolicy: \"%s\" is none of Always, OnFailure, "
		    "Never",
		    raw->restart);
	pod->restart = (enum restart_policy)restart;
	pod->order_ms = (uint64_t)created;
	pod->generation = (uint64_t)raw->generation;
	pod->terminating = raw->deleted != NULL;
	pod->deadline_ms = raw->deadline * 1000;
	pod->tolerates_ours = tolerates_ours(raw);
	return 0;
}

/* "device edge-1[, ...]": what we said in the condition. */
static void
build_told_device(struct block *b, struct json_object *status, struct pod *pod)
{
	static const char word[] = "device ";
	struct json_object *list = jread_member(status, "conditions"), *c;
	const char *type, *message;
	size_t i, n, len = sizeof(word) - 1;

	for (i = 0; i < jread_count(list); i++) {
		c = jread_item(list, i);
		type = jread_string(jread_member(c, "type"));
		message = jread_string(jread_member(c, "message"));
		if (type == NULL || message == NULL ||
		    strcmp(type, pod_condition_type(COND_DEVICE)) != 0 ||
		    strncmp(message, word, len) != 0)
			continue;
		n = strcspn(message + len, ",");
		if (n == 0 || n > MAX_NAME)
			continue;
		pod->told_device = block_strn(b, message + len, n);
		return;
	}
}

static void
build_told(struct block *b, struct json_object *status, struct pod *pod)
{
	struct pod_container *c;
	const char *image;
	size_t i;

	build_told_device(b, status, pod);
	seen_read(status, &pod->seen);
	seen_ends(status, pod->containers, pod->ncontainers);
	for (i = 0; i < pod->ncontainers; i++) {
		c = &pod->containers[i];
		if ((image = seen_image(status, c)) != NULL &&
		    strcmp(image, c->image) != 0)
			c->told_image = block_str(b, image);
	}
}

static int
build(struct block *b, void *arg)
{
	struct parse *p = arg;
	const struct raw *raw = &p->raw;
	struct pod *pod = block_get(b, 1, sizeof(*pod));
	size_t n;

	pod->ns = block_str(b, raw->ns);
	pod->name = block_str(b, raw->name);
	pod->uid = block_str(b, raw->uid);
	pod->node = block_str(b, raw->node);
	n = jread_count(raw->inits) + jread_count(raw->containers);
	pod->containers = block_get(b, n, sizeof(*pod->containers));
	n = count_host_ports(raw->inits) + count_host_ports(raw->containers);
	pod->ports = block_get(b, n, sizeof(*pod->ports));
	pod->images = QUADLET_IMAGES;
	if (build_containers(b, raw->inits, "initContainers", pod, p->why) ==
		-1 ||
	    build_containers(b, raw->containers, "containers", pod, p->why) ==
		-1 ||
	    build_scalars(raw, pod, p->why) == -1 ||
	    requests_of(raw->spec, &pod->cpu_m, &pod->memory, p->why) == -1 ||
	    wish_build(b, &raw->wish, pod, p->why, &p->complaint) == -1)
		return -1;
	if (pod->images == 0) /* which means: absent */
		pod->images = 1;
	pod->uses_secrets = (uint8_t)quadlet_uses_secrets(raw->spec);
	build_owner(b, raw, pod);
	build_told(b, jread_member(p->root, "status"), pod);
	build_debuggers(b, raw->debuggers, jread_member(p->root, "status"),
	    pod);
	pod->resized = (uint8_t)p->resized;
	pod->recipe = recipe_of(b, p->root);
	return 0;
}

struct pod *
pod_parse(struct span s, struct why *why)
{
	AUTO_JSON struct json_object *root = NULL, *debuggers = NULL;
	struct why local = { 0 };
	struct parse p = { .raw = { .restart = "Always", .node = "" },
		.why = why == NULL ? &local : why };
	struct pod *pod;

	*p.why = (struct why){ 0 };
	if ((root = jread_parse(s, p.why)) == NULL ||
	    jread_fields(root, "", pod_fields, COUNT(pod_fields), &p.raw,
		p.why) == -1)
		return NULL;
	p.root = root;
	debuggers = json_object_get(p.raw.debuggers); /* it is taken out */
	p.resized = in_place_undo(root);
	if ((pod = block_build(build, &p)) != NULL &&
	    p.complaint.kind != ERR_NONE)
		*p.why = p.complaint;
	return pod;
}

void
pod_free(struct pod *pod)
{
	free(pod);
}

static int
member(struct span s, const char *name, struct span *value)
{
	if (scan_get(s, value, "metadata", name, NULL) != 1 || value->len < 2 ||
	    value->p[0] != '"')
		return -1;
	value->p++;
	value->len -= 2;
	return 0;
}

int
pod_identity(struct span s, struct span *ns, struct span *name,
    struct span *uid)
{
	if (member(s, "namespace", ns) == -1 || member(s, "name", name) == -1 ||
	    member(s, "uid", uid) == -1)
		return -1;
	return 0;
}
