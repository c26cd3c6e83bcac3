/* SPDX-License-Identifier: ISC */
/*
 * requests.c: the resource requests of a pod.
 *
 * Owns Kubernetes' rule for their sum (k8s.io/component-helpers resource
 * PodRequests).  Never knows what a device has.
 */
#include "placer/requests.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/quantity.h"

enum {
	CPU,
	MEMORY,
	NRESOURCES
};

static const struct resource {
	const char *name;
	int (*parse)(struct span, int64_t *);
} resources[NRESOURCES] = {
	[CPU] = { "cpu", quantity_milli },
	[MEMORY] = { "memory", quantity_value },
};

struct amount {
	int64_t of[NRESOURCES];
	bool given[NRESOURCES];
};

static int64_t
plus(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static void
add(struct amount *a, const struct amount *b)
{
	size_t i;

	for (i = 0; i < NRESOURCES; i++)
		a->of[i] = plus(a->of[i], b->of[i]);
}

static void
raise_to(struct amount *a, const struct amount *b)
{
	size_t i;

	for (i = 0; i < NRESOURCES; i++)
		if (a->of[i] < b->of[i])
			a->of[i] = b->of[i];
}

/* One list of quantities; what it does not name stays. */
static int
read_list(struct json_object *of, const char *at, const char *name,
    struct amount *a, struct why *why)
{
	struct json_object *j, *list = jread_member(of, name);
	const char *text;
	size_t i;

	for (i = 0; i < NRESOURCES; i++) {
		if ((j = jread_member(list, resources[i].name)) == NULL)
			continue;
		text = json_object_get_string(j);
		if (resources[i].parse(span_of(text), &a->of[i]) == -1 ||
		    a->of[i] < 0)
			return fail(why, ERR_FORMAT,
			    "%s.%s.%s: \"%.40s\" is no quantity", at, name,
			    resources[i].name, text);
		a->given[i] = true;
	}
	return 0;
}

static int
read_resources(struct json_object *r, const char *at, struct amount *a,
    struct why *why)
{
	*a = (struct amount){ 0 };
	if (read_list(r, at, "limits", a, why) == -1)
		return -1;
	return read_list(r, at, "requests", a, why);
}

static int
sum_list(struct json_object *spec, const char *list, bool init,
    struct amount *sum, struct amount *peak, struct why *why)
{
	struct json_object *containers, *c;
	struct amount own;
	const char *policy;
	char at[64];
	size_t i;

	containers = jread_member(spec, list);
	for (i = 0; i < jread_count(containers); i++) {
		c = jread_item(containers, i);
		(void)snprintf(at, sizeof(at), "spec.%s[%zu].resources", list,
		    i);
		if (read_resources(jread_member(c, "resources"), at, &own,
			why) == -1)
			return -1;
		policy = jread_string(jread_member(c, "restartPolicy"));
		if (!init ||
		    (policy != NULL && strcmp(policy, "Always") == 0)) {
			add(sum, &own);
			raise_to(peak, sum);
		} else {
			add(&own, sum);
			raise_to(peak, &own);
		}
	}
	return 0;
}

int
requests_of(struct json_object *spec, int64_t *cpu_m, int64_t *memory,
    struct why *why)
{
	struct amount sum = { 0 }, peak = { 0 }, pod, overhead = { 0 };
	size_t i;

	if (sum_list(spec, "initContainers", true, &sum, &peak, why) == -1 ||
	    sum_list(spec, "containers", false, &sum, &peak, why) == -1 ||
	    read_resources(jread_member(spec, "resources"), "spec.resources",
		&pod, why) == -1 ||
	    read_list(spec, "spec", "overhead", &overhead, why) == -1)
		return -1;
	for (i = 0; i < NRESOURCES; i++)
		if (pod.given[i])
			peak.of[i] = pod.of[i];
	add(&peak, &overhead);
	*cpu_m = peak.of[CPU];
	*memory = peak.of[MEMORY];
	return 0;
}
