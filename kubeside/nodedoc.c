/* SPDX-License-Identifier: ISC */
/*
 * nodedoc.c: the object of a virtual node.
 *
 * Owns its labels, taints, conditions and figures (design 9).  Ready says
 * that we are here, never how Flightctl or the devices are: False would evict
 * healthy work.  Never sends, never reads a clock.
 */
#include "kubeside/nodedoc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/form.h"
#include "common/jmake.h"
#include "common/jread.h"
#include "common/scan.h"
#include "common/stamp.h"
#include "common/xmem.h"
#include "ipc/build.h"

enum {
	KEY_SIZE = MAX_LABEL_KEY + 1
};

#define DOMAIN "vk.flightctl.io/"

/* The version of Kubernetes whose rules for a node we follow. */
#define OURS "-vk-flightctl-"
#define KUBELET "v1.36.0" OURS

struct condition {
	const char *type;
	const char *status;
	const char *reason;
	const char *message;
};

/* By enum flight_state; a refusal is an answer.  NULL: Flightctl's words. */
static const struct condition flightctl[FLIGHT_STATES] = {
	[FLIGHT_SILENT] = { "FlightctlReachable", "False", "NotAnswering",
	    NULL },
	[FLIGHT_ANSWERS] = { "FlightctlReachable", "True", "Answering",
	    "Flightctl answers" },
	[FLIGHT_UNAUTHORIZED] = { "FlightctlReachable", "False", "Unauthorized",
	    NULL },
	[FLIGHT_FORBIDDEN] = { "FlightctlReachable", "True", "Forbidden",
	    NULL },
};

static struct condition
flightctl_condition(const struct body_node_figures *f)
{
	struct condition c = flightctl[FLIGHT_SILENT];

	if (f->flightctl < FLIGHT_STATES)
		c = flightctl[f->flightctl];
	if (c.message == NULL)
		c.message = f->flightctl_text;
	return c;
}

static struct condition
condition(const struct nodedoc *d, enum node_condition which)
{
	switch (which) {
	case NODE_Ready:
		return (struct condition){ "Ready", "True", "KubeletReady",
			"vk-flightctl-provider is posting ready status" };
	case NODE_MemoryPressure:
		return (struct condition){ "MemoryPressure", "False",
			"KubeletHasSufficientMemory",
			"room is kept for each device by itself" };
	case NODE_DiskPressure:
		return (struct condition){ "DiskPressure", "False",
			"KubeletHasNoDiskPressure",
			"disks are watched by each device itself" };
	case NODE_PIDPressure:
		return (struct condition){ "PIDPressure", "False",
			"KubeletHasSufficientPID",
			"processes are limited by each device itself" };
	case NODE_FlightctlReachable:
		return flightctl_condition(&d->figures);
	case NODE_PlacerAnswers:
		if (d->placer_answers)
			return (struct condition){ "PlacerAnswers", "True",
				"Answering", "the placer answers" };
		return (struct condition){ "PlacerAnswers", "False",
			"NotAnswering",
			"the placer is away; what runs goes on running" };
	case NODE_CONDITIONS_COUNT:
		break;
	}
	abort();
}

const char *
nodedoc_condition(const struct nodedoc *d, enum node_condition which)
{
	return condition(d, which).status;
}

/* NULL: not this label. */
static const char *
label(const struct nodedoc *d, size_t i, const char **key)
{
	const struct {
		const char *key;
		const char *value;
	} labels[] = {
		{ "type", "virtual-kubelet" },
		{ "kubernetes.io/role", "agent" },
		{ "kubernetes.io/os", "linux" },
		{ "kubernetes.io/arch", d->arch },
		{ "kubernetes.io/hostname", d->name },
		{ "fleet", d->fleet },
		{ "topology.kubernetes.io/zone", d->zone },
	};

	if (i == sizeof(labels) / sizeof(labels[0])) {
		*key = "node.kubernetes.io/exclude-from-external-load-"
		       "balancers";
		return "";
	}
	*key = i > sizeof(labels) / sizeof(labels[0]) ? NULL : labels[i].key;
	return *key == NULL || labels[i].value[0] == '\0' ? NULL :
							    labels[i].value;
}

static const struct {
	const char *key;
	const char *value; /* NULL: none */
} taints[] = {
	{ "virtual-kubelet.io/provider", "flightctl" },
	{ DOMAIN "flightctl-unreachable", NULL },
	{ DOMAIN "placer-away", NULL },
};

enum {
	TAINTS = sizeof(taints) / sizeof(taints[0])
};

/* Those wanted, a bit each; has: those that are there. */
static unsigned int
wanted_taints(const struct nodedoc *d, unsigned int has)
{
	unsigned int wanted = 1U | (d->placer_answers ? 0 : 1U << 2);

	if (!d->has_figures)
		return wanted | has;
	if (strcmp(flightctl_condition(&d->figures).status, "False") == 0)
		wanted |= 1U << 1;
	return wanted;
}

/* A key that is ours by its name is not the devices' to set. */
static int
is_own(const struct nodedoc *d, const char *key)
{
	const char *own;
	size_t i;

	for (i = 0; (void)label(d, i, &own), own != NULL; i++)
		if (strcmp(key, own) == 0)
			return 1;
	return 0;
}

/*
 * The next of NODE_DEVICE_KEYS; *value: what all devices have, or NULL.  Only
 * keys of the setting are looked for, whatever the placer sent.
 */
static int
next_key(const struct nodedoc *d, struct span *keys, char key[KEY_SIZE],
    struct span *value)
{
	struct span word, lines = span_of(d->figures.labels), line;
	size_t len;

	do {
		if (!form_next_word(keys, &word))
			return 0;
		(void)snprintf(key, KEY_SIZE, "%.*s", (int)word.len, word.p);
	} while (word.len == 0 || is_own(d, key));
	*value = (struct span){ NULL, 0 };
	for (len = strlen(key); lines.len > 0;) {
		line = lines;
		line.len = strcspn(line.p, "\n");
		lines.p += line.len + (line.p[line.len] == '\n');
		lines.len = strlen(lines.p);
		if (line.len > len && memcmp(line.p, key, len) == 0 &&
		    line.p[len] == '=')
			*value = (struct span){ line.p + len + 1,
				line.len - len - 1 };
	}
	return 1;
}

static void
put_labels(struct json_object *meta, const struct nodedoc *d, int is_new)
{
	struct json_object *labels = jmake_in(meta, "labels");
	struct span keys = span_of(d->keys), of_devices;
	char buf[KEY_SIZE], text[MAX_LABEL_VALUE + 1];
	const char *key, *value;
	size_t i;

	/* One of ours that is no more true goes, or pods are sent by it. */
	for (i = 0; value = label(d, i, &key), key != NULL; i++)
		if (value != NULL)
			jmake_str(labels, key, value);
		else if (!is_new)
			jmake_null(labels, key);
	while (next_key(d, &keys, buf, &of_devices)) {
		(void)snprintf(text, sizeof(text), "%.*s", (int)of_devices.len,
		    of_devices.p != NULL ? of_devices.p : "");
		if (of_devices.p != NULL)
			jmake_str(labels, buf, text);
		else if (!is_new)
			jmake_null(labels, buf);
	}
}

static void
put_taints(struct json_object *list, unsigned int wanted)
{
	struct json_object *taint;
	size_t i;

	for (i = 0; i < TAINTS; i++) {
		if ((wanted & 1U << i) == 0)
			continue;
		taint = jmake_item(list);
		jmake_str(taint, "key", taints[i].key);
		jmake_str(taint, "value", taints[i].value);
		jmake_str(taint, "effect", "NoSchedule");
	}
}

char *
nodedoc_create(const struct nodedoc *d)
{
	struct json_object *o = jmake_object(), *meta;

	jmake_str(o, "apiVersion", "v1");
	jmake_str(o, "kind", "Node");
	meta = jmake_in(o, "metadata");
	jmake_str(meta, "name", d->name);
	put_labels(meta, d, 1);
	put_taints(jmake_list(jmake_in(o, "spec"), "taints"),
	    wanted_taints(d, 0));
	return jmake_text(&o);
}

static int
has_labels(const struct nodedoc *d, struct span object)
{
	struct span keys = span_of(d->keys), of_devices;
	char is[MAX_NAME + 1], buf[KEY_SIZE];
	const char *key, *value;
	size_t i;
	int has;

	for (i = 0; value = label(d, i, &key), key != NULL; i++) {
		has = scan_get_string(object, is, sizeof(is), "metadata",
			  "labels", key, NULL) == 1;
		if (has != (value != NULL) || (has && strcmp(is, value) != 0))
			return 0;
	}
	while (next_key(d, &keys, buf, &of_devices)) {
		has = scan_get_string(object, is, sizeof(is), "metadata",
			  "labels", buf, NULL) == 1;
		if (has != (of_devices.p != NULL) ||
		    (has && !span_is(of_devices, is)))
			return 0;
	}
	return 1;
}

/* Which of ours this raw taint is, or the count of ours. */
static size_t
which_taint(struct span taint)
{
	char key[MAX_NAME + 1];
	size_t i;

	if (scan_get_string(taint, key, sizeof(key), "key", NULL) != 1)
		key[0] = '\0';
	for (i = 0; i < TAINTS; i++)
		if (strcmp(key, taints[i].key) == 0)
			break;
	return i;
}

static unsigned int
found_taints(struct span list)
{
	unsigned int found = 0;
	struct span taint;
	size_t at = 0, i;

	while (scan_next(list, &at, &taint) == 1) {
		i = which_taint(taint);
		if (i < TAINTS)
			found |= 1U << i;
	}
	return found;
}

/* The taints of others stay as they are. */
static void
put_others(struct json_object *to, struct span list)
{
	struct json_object *parsed;
	struct span taint;
	struct why why;
	size_t at = 0;

	while (scan_next(list, &at, &taint) == 1) {
		if (which_taint(taint) < TAINTS)
			continue;
		if ((parsed = jread_parse(taint, &why)) != NULL)
			json_object_array_add(to, parsed);
	}
}

char *
nodedoc_meta(const struct nodedoc *d, struct span object)
{
	struct json_object *o, *meta, *list;
	struct span is = { "[]", 2 };
	unsigned int found, wanted;
	char version[128];

	if (scan_get(object, &is, "spec", "taints", NULL) != 1)
		is = (struct span){ "[]", 2 };
	found = found_taints(is);
	wanted = wanted_taints(d, found);
	if ((!d->has_figures || has_labels(d, object)) && found == wanted)
		return NULL;
	if (scan_get_string(object, version, sizeof(version), "metadata",
		"resourceVersion", NULL) != 1)
		version[0] = '\0';
	o = jmake_object();
	meta = jmake_in(o, "metadata");
	jmake_str(meta, "resourceVersion", version);
	if (d->has_figures)
		put_labels(meta, d, 0);
	list = jmake_list(jmake_in(o, "spec"), "taints");
	put_others(list, is);
	put_taints(list, wanted);
	return jmake_text(&o);
}

static void
put_number(struct json_object *o, const char *key, uint64_t n, const char *unit)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%" PRIu64 "%s", n, unit);

	if (len < 0 || (size_t)len >= sizeof(text))
		abort();
	jmake_str(o, key, text);
}

/* In the form to which the server would bring it. */
static void
put_cpu(struct json_object *o, const char *key, uint64_t milli)
{
	if (milli % 1000 == 0)
		put_number(o, key, milli / 1000, "");
	else
		put_number(o, key, milli, "m");
}

static void
put_memory(struct json_object *o, const char *key, uint64_t bytes)
{
	if (bytes != 0 && bytes % 1024 == 0)
		put_number(o, key, bytes / 1024, "Ki");
	else
		put_number(o, key, bytes, "");
}

static void
put_annotations(struct json_object *meta, const struct body_node_figures *f)
{
	struct json_object *a = jmake_in(meta, "annotations");

	put_cpu(a, DOMAIN "free-cpu", f->free_cpu_m);
	put_memory(a, DOMAIN "free-memory", f->free_memory);
	put_cpu(a, DOMAIN "largest-free-cpu", f->largest_free_cpu_m);
	put_memory(a, DOMAIN "largest-free-memory", f->largest_free_memory);
	put_number(a, DOMAIN "devices", f->devices, "");
	put_number(a, DOMAIN "devices-ready", f->devices_ready, "");
	put_number(a, DOMAIN "devices-owned", f->devices_owned, "");
}

static void
put_resources(struct json_object *status, const struct body_node_figures *f)
{
	struct json_object *o = jmake_in(status, "capacity");

	put_cpu(o, "cpu", f->capacity_cpu_m);
	put_memory(o, "memory", f->capacity_memory);
	put_number(o, "pods", f->capacity_pods, "");
	o = jmake_in(status, "allocatable");
	put_cpu(o, "cpu", f->allocatable_cpu_m);
	put_memory(o, "memory", f->allocatable_memory);
	put_number(o, "pods", f->allocatable_pods, "");
}

static void
put_condition(struct json_object *list, const struct nodedoc *d,
    enum node_condition i, int64_t heartbeat_ms)
{
	struct json_object *o = jmake_item(list);
	struct condition c = condition(d, i);
	char stamp[STAMP_SIZE];

	jmake_str(o, "type", c.type);
	jmake_str(o, "status", c.status);
	jmake_str(o, "reason", c.reason);
	jmake_str(o, "message", c.message);
	stamp_format(d->since_ms[i], stamp);
	jmake_str(o, "lastTransitionTime", stamp);
	if (heartbeat_ms == 0)
		return;
	stamp_format(heartbeat_ms, stamp);
	jmake_str(o, "lastHeartbeatTime", stamp);
}

static void
put_conditions(struct json_object *status, const struct nodedoc *d,
    int64_t heartbeat_ms)
{
	struct json_object *list = jmake_list(status, "conditions");
	enum node_condition i;

	for (i = 0; i < NODE_CONDITIONS_COUNT; i++)
		if (d->has_figures || i != NODE_FlightctlReachable)
			put_condition(list, d, i, heartbeat_ms);
}

/* True, or empty: there is no machine behind this node, and no kube-proxy. */
static void
put_info(struct json_object *status, const struct nodedoc *d)
{
	struct json_object *o = jmake_in(status, "nodeInfo");
	AUTO_FREE char *version = xasprintf(KUBELET "%s", build_version);

	jmake_str(o, "architecture", d->arch);
	jmake_str(o, "bootID", "");
	jmake_str(o, "containerRuntimeVersion", "");
	jmake_str(o, "kernelVersion", "");
	jmake_str(o, "kubeletVersion", version);
	jmake_str(o, "machineID", "");
	jmake_str(o, "operatingSystem", "linux");
	jmake_str(o, "osImage", "");
	jmake_str(o, "systemUUID", "");
}

char *
nodedoc_status(const struct nodedoc *d, int64_t heartbeat_ms)
{
	struct json_object *o = jmake_object(), *status, *address;

	put_annotations(jmake_in(o, "metadata"), &d->figures);
	status = jmake_in(o, "status");
	put_resources(status, &d->figures);
	put_conditions(status, d, heartbeat_ms);
	address = jmake_item(jmake_list(status, "addresses"));
	jmake_str(address, "type", "Hostname");
	jmake_str(address, "address", d->name);
	put_info(status, d);
	return jmake_text(&o);
}

char *
nodedoc_alive(const struct nodedoc *d, int64_t heartbeat_ms)
{
	struct json_object *o = jmake_object();

	put_conditions(jmake_in(o, "status"), d, heartbeat_ms);
	return jmake_text(&o);
}

int
nodedoc_read(struct span object, enum node_condition which, char status[16],
    int64_t *since_ms)
{
#define X(name) #name,
	static const char *const names[] = { NODE_CONDITIONS(X) };
#undef X
	struct span list, c;
	char text[64];
	size_t at = 0;

	if (scan_get(object, &list, "status", "conditions", NULL) != 1)
		return 0;
	while (scan_next(list, &at, &c) == 1) {
		if (scan_get_string(c, text, sizeof(text), "type", NULL) != 1 ||
		    strcmp(text, names[which]) != 0 ||
		    scan_get_string(c, status, 16, "status", NULL) != 1)
			continue;
		*since_ms = scan_get_string(c, text, sizeof(text),
				"lastTransitionTime", NULL) == 1 ?
		    stamp_parse(text) :
		    -1;
		return 1;
	}
	return 0;
}

int
nodedoc_is_provider(struct span object)
{
	char version[128];

	return scan_get_string(object, version, sizeof(version), "status",
		   "nodeInfo", "kubeletVersion", NULL) == 1 &&
	    strstr(version, OURS) != NULL;
}
