/* SPDX-License-Identifier: ISC */
/*
 * device.c: one Device of Flightctl as one allocation.
 *
 * Owns how a device's answer is read: whether its spec is rendered and applied
 * (facts: all from the same answer, versions as numbers, never
 * updated.status), and what it says of itself; what is ours in it is
 * device_ours.c's.  Never judges a device: whether it may be used is pick's,
 * whether it failed anew is plan's.
 */
#include "placer/device_own.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mark.h"
#include "common/scan.h"

#define HASH "device-controller/renderedSpecHash"
#define VERSION "device-controller/renderedVersion"
#define AWAITING "device-controller/awaitingReconnect"
#define PAUSED "device-controller/conflictPaused"
enum {
	MAX_OWNER = 2 * MAX_NAME, /* "Fleet/name" */
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct raw {
	const char *name, *created, *owner, *lifecycle, *summary, *info;
	const char *reported, *arch, *os, *cores, *memory_kb;
	int64_t generation;
	struct json_object *labels, *annotations, *decommissioning, *consoles;
	struct json_object *conditions, *status;
	struct device_lists lists;
};

static const struct jread_field device_fields[] = {
	JSTR(struct raw, name, "metadata.name", MAX_NAME, REQUIRED),
	JSTR(struct raw, created, "metadata.creationTimestamp", 64, REQUIRED),
	JSTR(struct raw, owner, "metadata.owner", MAX_OWNER, OPTIONAL),
	JINT(struct raw, generation, "metadata.generation", INT64_MAX,
	    OPTIONAL),
	JOBJ(struct raw, labels, "metadata.labels", OPTIONAL),
	JOBJ(struct raw, annotations, "metadata.annotations", OPTIONAL),
	JOBJ(struct raw, decommissioning, "spec.decommissioning", OPTIONAL),
	JARR(struct raw, consoles, "spec.consoles", MAX_LIST, OPTIONAL),
	JARR(struct raw, lists.apps, "spec.applications", MAX_LIST, OPTIONAL),
	JARR(struct raw, lists.configs, "spec.config", MAX_LIST, OPTIONAL),
	JOBJ(struct raw, status, "status", OPTIONAL),
	JSTR(struct raw, lifecycle, "status.lifecycle.status", 64, OPTIONAL),
	JSTR(struct raw, summary, "status.summary.status", 64, OPTIONAL),
	JSTR(struct raw, info, "status.summary.info", MAX_ITEM, OPTIONAL),
	JSTR(struct raw, reported, "status.config.renderedVersion", 64,
	    OPTIONAL),
	JSTR(struct raw, arch, "status.systemInfo.architecture", MAX_NAME,
	    OPTIONAL),
	JSTR(struct raw, os, "status.systemInfo.operatingSystem", MAX_NAME,
	    OPTIONAL),
	JSTR(struct raw, cores, "status.systemInfo.cpuCores", 64, OPTIONAL),
	JSTR(struct raw, memory_kb, "status.systemInfo.memoryTotalKb", 64,
	    OPTIONAL),
	JARR(struct raw, lists.reports, "status.applications", MAX_LIST,
	    OPTIONAL),
	JARR(struct raw, conditions, "status.conditions", MAX_LIST, OPTIONAL),
};

static const char *const summaries[] = {
#define X(name, word) [DEVICE_##name] = word,
	DEVICE_SUMMARIES(X)
#undef X
};

struct parse {
	struct raw raw;
	const char *prefix;
	bool rendered;
	struct why *why;
};

const char *
device_summary_word(enum device_summary s)
{
	return summaries[s];
}

/* A decimal number with nothing around it, 0 for anything else. */
static uint64_t
number(const char *s)
{
	unsigned long long n;
	char *end;

	if (s == NULL || *s < '0' || *s > '9')
		return 0;
	errno = 0;
	n = strtoull(s, &end, 10);
	return errno != 0 || *end != '\0' ? 0 : n;
}

int64_t
device_amount(const char *s, uint64_t unit)
{
	uint64_t n = number(s);

	return n > INT64_MAX / 4 / unit ? 0 : (int64_t)(n * unit);
}

static char *
text(struct block *b, const char *s)
{
	return s == NULL || *s == '\0' ? NULL : block_str(b, s);
}

static void
add_label(struct block *b, struct device *d, const char *key, const char *value)
{
	d->labels[d->nlabels].key = block_str(b, key);
	d->labels[d->nlabels++].value = block_str(b, value);
}

/*
 * What a kubelet says of its machine in labels, a device says in systemInfo:
 * the terms that ask for it are the same.
 */
static void
add_known(struct block *b, struct device *d, const char *key, const char *value)
{
	if (value != NULL && *value != '\0' && device_label(d, key) == NULL)
		add_label(b, d, key, value);
}

static int
build_labels(struct block *b, struct parse *p, struct device *d)
{
	struct json_object *v;
	struct lh_entry *e = NULL;
	const char *key;

	d->labels =
	    block_get(b, jread_members(p->raw.labels) + 2, sizeof(*d->labels));
	while (jread_next(p->raw.labels, &e, &key, &v)) {
		if (jread_string(v) == NULL)
			return fail(p->why, ERR_FORMAT,
			    "metadata.labels[%.64s]: %s, not a string", key,
			    jread_type(v));
		add_label(b, d, key, jread_string(v));
	}
	add_known(b, d, "kubernetes.io/arch", p->raw.arch);
	add_known(b, d, "kubernetes.io/os", p->raw.os);
	return 0;
}

struct condition {
	const char *type, *status, *reason, *message, *since;
};

static const struct jread_field condition_fields[] = {
	JSTR(struct condition, type, "type", MAX_NAME, REQUIRED),
	JSTR(struct condition, status, "status", 64, OPTIONAL),
	JSTR(struct condition, reason, "reason", 1024, OPTIONAL),
	JSTR(struct condition, message, "message", MAX_ITEM, OPTIONAL),
	JSTR(struct condition, since, "lastTransitionTime", 64, OPTIONAL),
};

static int
find_condition(struct parse *p, const char *type, struct condition *c)
{
	size_t i;

	for (i = 0; i < jread_count(p->raw.conditions); i++) {
		*c = (struct condition){ .status = "", .reason = "" };
		if (jread_fields(jread_item(p->raw.conditions, i),
			"status.conditions", condition_fields,
			COUNT(condition_fields), c, p->why) == -1)
			return -1;
		if (strcmp(c->type, type) == 0)
			return 0;
	}
	*c = (struct condition){ .status = "", .reason = "" };
	return 0;
}

static int
build_conditions(struct block *b, struct parse *p, struct device *d)
{
	struct condition c;
	bool still;

	if (find_condition(p, "SpecValid", &c) == -1)
		return -1;
	d->spec_valid = strcmp(c.status, "False") != 0;
	if (!d->spec_valid)
		d->spec_message = text(b, c.message);
	if (find_condition(p, "Updating", &c) == -1)
		return -1;
	d->update_reason = text(b, c.reason);
	d->update_message = text(b, c.message);
	d->update_since = text(b, c.since);
	still = strcmp(c.status, "False") == 0;
	d->settled = still && strcmp(c.reason, "Updated") == 0 &&
	    d->version > 0 && d->version == number(p->raw.reported);
	d->failed = still && strcmp(c.reason, "Error") == 0 &&
	    d->version != number(p->raw.reported);
	d->applied = d->rendered && d->settled;
	return 0;
}

static bool
annotated(const struct raw *raw, const char *key)
{
	const char *s = jread_string(jread_member(raw->annotations, key));

	return s != NULL && strcmp(s, "true") == 0;
}

/*
 * Flightctl computes the summary at the next change of status only, but
 * renders nothing from the moment the annotation is there.
 */
static enum device_summary
read_summary(const struct raw *raw)
{
	if (annotated(raw, AWAITING))
		return DEVICE_AWAITING_RECONNECT;
	if (annotated(raw, PAUSED))
		return DEVICE_CONFLICT_PAUSED;
	return (enum device_summary)jread_word(summaries, COUNT(summaries),
	    raw->summary, DEVICE_UNKNOWN);
}

static void
build_scalars(struct block *b, struct parse *p, struct device *d)
{
	const struct raw *raw = &p->raw;
	const char *life = raw->lifecycle == NULL ? "" : raw->lifecycle;

	d->name = block_str(b, raw->name);
	d->created = block_str(b, raw->created);
	d->owner = text(b, raw->owner);
	d->generation = (uint64_t)raw->generation;
	d->summary = read_summary(raw);
	d->summary_info = text(b, raw->info);
	d->enrolled = strcmp(life, "Enrolled") == 0;
	d->decommissioning = raw->decommissioning != NULL ||
	    strncmp(life, "Decommission", strlen("Decommission")) == 0;
	d->consoles = jread_count(raw->consoles) > 0;
	d->hash = text(b, jread_string(jread_member(raw->annotations, HASH)));
	d->version =
	    number(jread_string(jread_member(raw->annotations, VERSION)));
	d->rendered = p->rendered;
	d->hash_known = d->rendered || d->hash == NULL;
	d->cpu_m = device_amount(raw->cores, 1000);
	d->memory = device_amount(raw->memory_kb, 1024);
	d->arch = text(b, raw->arch);
	d->os = text(b, raw->os);
}

static int
build(struct block *b, void *arg)
{
	struct parse *p = arg;
	struct device *d = block_get(b, 1, sizeof(*d));

	build_scalars(b, p, d);
	if (build_labels(b, p, d) == -1 || build_conditions(b, p, d) == -1 ||
	    device_build_ours(b, &p->raw.lists, p->prefix, d, p->why) == -1)
		return -1;
	exits_build(b, jread_member(p->raw.status, "systemd"), p->prefix,
	    &d->exits);
	return 0;
}

/* 1: the annotation is the SHA-256 of the member spec as it was sent. */
static int
is_rendered(struct span s, struct json_object *annotations, struct why *why)
{
	char hex[DIGEST_SIZE];
	struct span spec;
	const char *hash;

	switch (scan_get(s, &spec, "spec", NULL)) {
	case 0:
		return 0;
	case -1:
		return fail(why, ERR_FORMAT, "spec: there twice");
	}
	hash = jread_string(jread_member(annotations, HASH));
	if (hash == NULL)
		return 0;
	mark_digest(spec, hex);
	return strcmp(hash, hex) == 0;
}

struct device *
device_parse(struct span s, const char *prefix, struct why *why)
{
	AUTO_JSON struct json_object *root = NULL;
	struct parse p = { .prefix = prefix, .why = why };
	struct device *d;
	int rendered;

	if ((root = jread_parse(s, why)) == NULL ||
	    jread_fields(root, "", device_fields, COUNT(device_fields), &p.raw,
		why) == -1 ||
	    (rendered = is_rendered(s, p.raw.annotations, why)) == -1)
		return NULL;
	p.rendered = rendered;
	if ((d = block_build(build, &p)) != NULL)
		d->bytes = (int64_t)s.len;
	return d;
}

void
device_free(struct device *d)
{
	free(d);
}

const char *
device_label(const struct device *d, const char *key)
{
	size_t i;

	for (i = 0; i < d->nlabels; i++)
		if (strcmp(d->labels[i].key, key) == 0)
			return d->labels[i].value;
	return NULL;
}
