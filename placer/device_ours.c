/* SPDX-License-Identifier: ISC */
/*
 * device_ours.c: what of a device is ours.
 *
 * Owns how our entries, their files and the reports on them are told from all
 * others': by how their names start.  What is others' is only counted.
 */
#include "placer/device_own.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "placer/identity.h"
#include "placer/recipe.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const states[] = {
#define X(name, word) [APP_##name] = word,
	APP_STATES(X)
#undef X
};

static bool
is_ours(const char *prefix, const char *name)
{
	size_t n = strlen(prefix);

	return n > 0 && strncmp(name, prefix, n) == 0;
}

static size_t
count_ours(const char *prefix, struct json_object *list)
{
	const char *name;
	size_t i, n = 0;

	for (i = 0; i < jread_count(list); i++) {
		name = jread_string(jread_member(jread_item(list, i), "name"));
		n += name != NULL && is_ours(prefix, name);
	}
	return n;
}

/* The name of list[i]; NULL with the why when there is none. */
static const char *
name_of(struct json_object *list, const char *at, size_t i, struct why *why)
{
	const char *name;

	name = jread_string(jread_member(jread_item(list, i), "name"));
	if (name == NULL || strlen(name) > MAX_NAME) {
		fail(why, ERR_FORMAT, "%s[%zu].name: not a name", at, i);
		return NULL;
	}
	return name;
}

/* The number in a label; 0: absent. */
static int64_t
amount_in(struct span label)
{
	char digits[32];

	if (label.len >= sizeof(digits))
		return 0;
	memcpy(digits, label.p, label.len);
	digits[label.len] = '\0';
	return device_amount(digits, 1);
}

static void
build_identity(struct block *b, struct json_object *app, struct app_entry *e)
{
	struct json_object *files = jread_member(app, "inline");
	struct span id[ID_COUNT] = { 0 };
	const char *content;
	char digits[17] = "";
	size_t i;

	for (i = 0; i < jread_count(files) && id[ID_UID].len == 0; i++) {
		content =
		    jread_string(jread_member(jread_item(files, i), "content"));
		if (content != NULL)
			identity_read(content, id);
	}
	if (id[ID_UID].len == 0)
		return;
	e->uid = block_strn(b, id[ID_UID].p, id[ID_UID].len);
	e->ns = block_strn(b, id[ID_NAMESPACE].p, id[ID_NAMESPACE].len);
	e->pod = block_strn(b, id[ID_POD].p, id[ID_POD].len);
	e->node = block_strn(b, id[ID_NODE].p, id[ID_NODE].len);
	if (id[ID_IMAGES].len == sizeof(digits) - 1) {
		memcpy(digits, id[ID_IMAGES].p, sizeof(digits) - 1);
		e->images = strtoull(digits, NULL, 16);
	}
	e->cpu_m = amount_in(id[ID_CPU]);
	e->memory = amount_in(id[ID_MEMORY]);
}

static int
build_entries(struct block *b, struct json_object *list, const char *prefix,
    struct device *d, struct why *why)
{
	struct app_entry *e;
	const char *name;
	size_t i;

	d->entries =
	    block_get(b, count_ours(prefix, list), sizeof(*d->entries));
	for (i = 0; i < jread_count(list); i++) {
		/* An application without a name is called as its image. */
		if (jread_member(jread_item(list, i), "image") != NULL &&
		    jread_member(jread_item(list, i), "name") == NULL) {
			d->foreign_apps++;
			continue;
		}
		if ((name = name_of(list, "spec.applications", i, why)) == NULL)
			return -1;
		if (!is_ours(prefix, name)) {
			d->foreign_apps++;
			continue;
		}
		e = &d->entries[d->nentries++];
		e->name = block_str(b, name);
		build_identity(b, jread_item(list, i), e);
		e->bytes = recipe_bytes(jread_item(list, i));
	}
	return 0;
}

static int
build_configs(struct block *b, struct json_object *list, const char *prefix,
    struct device *d, struct why *why)
{
	const char *name;
	size_t i;

	d->configs = block_get(b, count_ours(prefix, list), sizeof(char *));
	d->files = block_get(b, count_ours(prefix, list), sizeof(uint64_t));
	for (i = 0; i < jread_count(list); i++) {
		if ((name = name_of(list, "spec.config", i, why)) == NULL)
			return -1;
		if (!is_ours(prefix, name))
			continue;
		d->files[d->nconfigs] = recipe_files(jread_item(list, i));
		d->configs[d->nconfigs++] = block_str(b, name);
	}
	return 0;
}

/* "1/3"; anything else is 0 of 0. */
static void
read_ready(const char *s, struct app_report *r)
{
	unsigned long ready, of;
	char *end;

	if (s == NULL || *s < '0' || *s > '9')
		return;
	ready = strtoul(s, &end, 10);
	if (*end != '/' || end[1] < '0' || end[1] > '9')
		return;
	of = strtoul(end + 1, &end, 10);
	if (*end != '\0' || ready > UINT16_MAX || of > UINT16_MAX)
		return;
	r->ready = (uint16_t)ready;
	r->of = (uint16_t)of;
}

static int
build_reports(struct block *b, struct json_object *list, const char *prefix,
    struct device *d, struct why *why)
{
	struct {
		const char *name, *status, *ready;
		int64_t restarts;
	} raw;
	static const struct jread_field fields[] = {
		JSTR(__typeof__(raw), name, "name", 4096, REQUIRED),
		JSTR(__typeof__(raw), status, "status", 64, OPTIONAL),
		JSTR(__typeof__(raw), ready, "ready", 64, OPTIONAL),
		JINT(__typeof__(raw), restarts, "restarts", INT64_MAX,
		    OPTIONAL),
	};
	struct app_report *r;
	size_t i;

	d->reports =
	    block_get(b, count_ours(prefix, list), sizeof(*d->reports));
	for (i = 0; i < jread_count(list); i++) {
		memset(&raw, 0, sizeof(raw));
		if (jread_fields(jread_item(list, i), "status.applications",
			fields, COUNT(fields), &raw, why) == -1)
			return -1;
		if (!is_ours(prefix, raw.name))
			continue;
		r = &d->reports[d->nreports++];
		r->name = block_str(b, raw.name);
		r->state = (enum app_state)jread_word(states, COUNT(states),
		    raw.status, APP_UNKNOWN);
		read_ready(raw.ready, r);
		r->restarts = raw.restarts > UINT32_MAX ?
		    UINT32_MAX :
		    (uint32_t)raw.restarts;
	}
	return 0;
}

int
device_build_ours(struct block *b, const struct device_lists *at,
    const char *prefix, struct device *d, struct why *why)
{
	if (build_entries(b, at->apps, prefix, d, why) == -1 ||
	    build_configs(b, at->configs, prefix, d, why) == -1)
		return -1;
	return build_reports(b, at->reports, prefix, d, why);
}

const struct app_entry *
device_entry(const struct device *d, const char *app)
{
	size_t i;

	for (i = 0; i < d->nentries; i++)
		if (strcmp(d->entries[i].name, app) == 0)
			return &d->entries[i];
	return NULL;
}

const struct app_report *
device_report(const struct device *d, const char *app)
{
	size_t i;

	for (i = 0; i < d->nreports; i++)
		if (strcmp(d->reports[i].name, app) == 0)
			return &d->reports[i];
	return NULL;
}

uint64_t
device_files(const struct device *d, const char *config)
{
	size_t i;

	for (i = 0; i < d->nconfigs; i++)
		if (strcmp(d->configs[i], config) == 0)
			return d->files[i];
	return 0;
}

const char *
app_state_word(enum app_state s)
{
	return states[s];
}
