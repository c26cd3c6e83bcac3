/* SPDX-License-Identifier: ISC */
/*
 * pod.c: one Pod of the apiserver as one allocation.
 *
 * Owns which members of a Pod are read and how strictly: identity and spec as
 * an apiserver admits them, or the pod is refused; a wish that people type
 * (annotations) may be wrong, then the pod is returned with the complaint.
 * Keeps nothing of json-c.
 */
#include "placer/pod.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/duration.h"
#include "common/jread.h"
#include "common/limits.h"
#include "common/scan.h"
#include "common/stamp.h"
#include "placer/block.h"
#include "placer/quadlet.h"
#include "placer/recipe.h"
#include "placer/requests.h"
#include "placer/seen.h"
#include "placer/selector.h"

#define ANNOTATION_DEVICE "vk.flightctl.io/device"
#define ANNOTATION_SELECTOR "vk.flightctl.io/device-selector"
#define ANNOTATION_RECONNECT "vk.flightctl.io/reconnect-timeout"

enum {
	GRACE_DEFAULT_S = 30,
	GRACE_MAX_S = 86400 * 366,
	RECONNECT_MIN_MS = 60 * 1000,
	RECONNECT_MAX_MS = 30 * 60 * 1000,
};

struct raw {
	const char *ns, *name, *uid, *node, *created, *deleted, *restart;
	int64_t generation, grace, final_grace, deadline;
	struct json_object *spec, *annotations, *owners, *containers, *inits;
	struct json_object *selector, *required, *preferred, *tolerations;
};

static const struct jread_field pod_fields[] = {
	JSTR(struct raw, ns, "metadata.namespace", MAX_NAMESPACE, REQUIRED),
	JSTR(struct raw, name, "metadata.name", MAX_NAME, REQUIRED),
	JSTR(struct raw, uid, "metadata.uid", MAX_UID, REQUIRED),
	JSTR(struct raw, created, "metadata.creationTimestamp", 64, REQUIRED),
	JSTR(struct raw, deleted, "metadata.deletionTimestamp", 64, OPTIONAL),
	JINT(struct raw, generation, "metadata.generation", INT64_MAX,
	    OPTIONAL),
	JINT(struct raw, final_grace, "metadata.deletionGracePeriodSeconds",
	    INT64_MAX, OPTIONAL),
	JOBJ(struct raw, annotations, "metadata.annotations", OPTIONAL),
	JARR(struct raw, owners, "metadata.ownerReferences", MAX_LIST,
	    OPTIONAL),
	JOBJ(struct raw, spec, "spec", REQUIRED),
	JSTR(struct raw, node, "spec.nodeName", MAX_NAME, OPTIONAL),
	JSTR(struct raw, restart, "spec.restartPolicy", 16, OPTIONAL),
	JINT(struct raw, grace, "spec.terminationGracePeriodSeconds", INT64_MAX,
	    OPTIONAL),
	JINT(struct raw, deadline, "spec.activeDeadlineSeconds", INT32_MAX,
	    OPTIONAL),
	JARR(struct raw, containers, "spec.containers", MAX_CONTAINERS,
	    REQUIRED),
	JARR(struct raw, inits, "spec.initContainers", MAX_CONTAINERS,
	    OPTIONAL),
	JOBJ(struct raw, selector, "spec.nodeSelector", OPTIONAL),
	JARR(struct raw, required,
	    "spec.affinity.nodeAffinity."
	    "requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms",
	    MAX_LIST, OPTIONAL),
	JARR(struct raw, preferred,
	    "spec.affinity.nodeAffinity."
	    "preferredDuringSchedulingIgnoredDuringExecution",
	    MAX_LIST, OPTIONAL),
	JARR(struct raw, tolerations, "spec.tolerations", MAX_LIST, OPTIONAL),
};

static const struct {
	const char *word;
	enum restart_policy policy;
} restart_words[] = {
	{ "Always", RESTART_ALWAYS },
	{ "OnFailure", RESTART_ON_FAILURE },
	{ "Never", RESTART_NEVER },
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
};

static int
path(char *at, size_t size, const char *list, size_t i, struct why *why)
{
	int n = snprintf(at, size, "spec.%s[%zu]", list, i);

	return n < 0 || (size_t)n >= size ?
	    fail(why, ERR_BUG, "%s: path too long", list) :
	    0;
}

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
		return fail(why, ERR_FORMAT, "%s.ports.protocol: \"%s\"", at,
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
		if (path(at, sizeof(at), name, i, why) == -1 ||
		    jread_fields(jread_item(list, i), at, fields, COUNT(fields),
			&raw, why) == -1)
			return -1;
		c = &pod->containers[pod->ncontainers++];
		c->name = block_str(b, raw.name);
		c->image = block_str(b, raw.image);
		c->init = *name == 'i';
		c->sidecar = c->init && raw.restart != NULL &&
		    strcmp(raw.restart, "Always") == 0;
		c->image_id = quadlet_image_id(raw.image);
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

static int
build_required(struct block *b, const struct raw *raw, struct wish *w,
    struct why *why)
{
	size_t i;

	w->nrequired = jread_count(raw->required);
	w->required = block_get(b, w->nrequired, sizeof(*w->required));
	for (i = 0; i < w->nrequired; i++)
		if (selector_of_term(b, jread_item(raw->required, i),
			"spec.affinity.nodeAffinity.required", &w->required[i],
			why) == -1)
			return -1;
	return 0;
}

static int
build_preferred(struct block *b, const struct raw *raw, struct wish *w,
    struct why *why)
{
	struct {
		int64_t weight;
		struct json_object *term;
	} one = { 0 };
	static const struct jread_field fields[] = {
		JINT(__typeof__(one), weight, "weight", 100, REQUIRED),
		JOBJ(__typeof__(one), term, "preference", REQUIRED),
	};
	const char *at = "spec.affinity.nodeAffinity.preferred";
	size_t i;

	w->npreferred = jread_count(raw->preferred);
	w->preferred = block_get(b, w->npreferred, sizeof(*w->preferred));
	for (i = 0; i < w->npreferred; i++) {
		if (jread_fields(jread_item(raw->preferred, i), at, fields,
			COUNT(fields), &one, why) == -1 ||
		    selector_of_term(b, one.term, at, &w->preferred[i], why) ==
			-1)
			return -1;
		w->preferred[i].weight = (int32_t)one.weight;
	}
	return 0;
}

static const char *
annotation(const struct raw *raw, const char *key)
{
	return jread_string(jread_member(raw->annotations, key));
}

static int
complain(struct parse *p, const char *key, const char *value, const char *text)
{
	return fail(&p->complaint, ERR_DENIED,
	    "metadata.annotations[%s]: \"%.100s\": %s", key, value, text);
}

static int
build_wish(struct block *b, struct parse *p, struct pod *pod)
{
	const struct raw *raw = &p->raw;
	const char *selector = annotation(raw, ANNOTATION_SELECTOR);
	const char *device = annotation(raw, ANNOTATION_DEVICE);
	struct why why = { 0 };
	struct wish *w;

	if (selector == NULL && device == NULL && raw->required == NULL &&
	    raw->preferred == NULL && raw->selector == NULL)
		return 0;
	w = pod->wish = block_get(b, 1, sizeof(*w));
	if (selector_of_map(b, raw->selector, "spec.nodeSelector", &w->selector,
		p->why) == -1 ||
	    build_required(b, raw, w, p->why) == -1 ||
	    build_preferred(b, raw, w, p->why) == -1)
		return -1;
	if (device != NULL && (*device == '\0' || strlen(device) > MAX_NAME))
		complain(p, ANNOTATION_DEVICE, device, "no device's name");
	else
		w->device_name = block_str(b, device);
	if (selector != NULL &&
	    selector_parse(b, selector, &w->device, &why) == -1) {
		complain(p, ANNOTATION_SELECTOR, selector, why.text);
		w->device = (struct term){ 0 };
	}
	return 0;
}

static void
build_reconnect(struct parse *p, struct pod *pod)
{
	const char *s = annotation(&p->raw, ANNOTATION_RECONNECT);
	int64_t ms;

	pod->reconnect_ms = RECONNECT_DEFAULT;
	if (s == NULL)
		return;
	if (strcmp(s, "never") == 0)
		pod->reconnect_ms = RECONNECT_NEVER;
	else if (duration_ms(s, &ms) == 0 && ms >= RECONNECT_MIN_MS &&
	    ms <= RECONNECT_MAX_MS)
		pod->reconnect_ms = ms;
	else
		complain(p, ANNOTATION_RECONNECT, s,
		    "neither 1m to 30m nor \"never\"");
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
	int64_t created = stamp_parse(raw->created), grace;
	size_t i;

	if (created < 0)
		return fail(why, ERR_FORMAT,
		    "metadata.creationTimestamp: \"%s\" is no time",
		    raw->created);
	for (i = 0; i < COUNT(restart_words); i++)
		if (strcmp(raw->restart, restart_words[i].word) == 0)
			break;
	if (i == COUNT(restart_words))
		return fail(why, ERR_FORMAT, "spec.restartPolicy: \"%s\"",
		    raw->restart);
	pod->restart = restart_words[i].policy;
	pod->order_ms = (uint64_t)created;
	pod->generation = (uint64_t)raw->generation;
	pod->terminating = raw->deleted != NULL;
	grace = pod->terminating ? raw->final_grace : raw->grace;
	pod->grace_s = (uint32_t)(grace > GRACE_MAX_S ? GRACE_MAX_S : grace);
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
	struct pod_container *c = pod->containers;
	const char *image;

	build_told_device(b, status, pod);
	seen_read(status, &pod->seen);
	seen_ends(status, c, pod->ncontainers);
	for (; c < pod->containers + pod->ncontainers; c++)
		if ((image = seen_image(status, c)) != NULL &&
		    strcmp(image, c->image) != 0)
			c->told_image = block_str(b, image);
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
	    build_wish(b, p, pod) == -1)
		return -1;
	if (pod->images == 0) /* which means: absent */
		pod->images = 1;
	pod->uses_secrets = (uint8_t)quadlet_uses_secrets(raw->spec);
	build_owner(b, raw, pod);
	build_reconnect(p, pod);
	build_told(b, jread_member(p->root, "status"), pod);
	pod->recipe = recipe_of(b, p->root);
	return 0;
}

struct pod *
pod_parse(struct span s, struct why *why)
{
	AUTO_JSON struct json_object *root = NULL;
	struct why local = { 0 };
	struct parse p = { .raw = { .restart = "Always",
			       .node = "",
			       .grace = GRACE_DEFAULT_S },
		.why = why == NULL ? &local : why };
	struct pod *pod;

	*p.why = (struct why){ 0 };
	if ((root = jread_parse(s, p.why)) == NULL ||
	    jread_fields(root, "", pod_fields, COUNT(pod_fields), &p.raw,
		p.why) == -1)
		return NULL;
	if (p.raw.deleted != NULL && p.raw.final_grace == 0 &&
	    jread_member(jread_member(root, "metadata"),
		"deletionGracePeriodSeconds") == NULL)
		p.raw.final_grace = p.raw.grace;
	p.root = root;
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
