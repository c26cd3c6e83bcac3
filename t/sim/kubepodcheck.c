/* SPDX-License-Identifier: ISC */
/*
 * kubepodcheck.c: what the server refuses in pods (pure).
 *
 * Owns the recorded refusals; what the server does not check (phases, states,
 * restart counts) is not checked here either.
 */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/sim/kubequant.h"
#include "t/sim/kuberule.h"
#include "t/sim/kubetype.h"

static size_t
length(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ?
	    json_object_array_length(list) :
	    0;
}

/* --- new pods --- */

static void
check_requests(struct json_object *o, const char *path, struct kproblems *ps)
{
	struct json_object *limits = kget_obj(o, "resources", "limits");
	struct json_object *requests = kget_obj(o, "resources", "requests");
	AUTO_FREE char *field = xasprintf("%s.resources.requests", path);
	struct json_object *limit;
	struct json_object_iter it;
	struct kquant a, b;
	char request[64], bound[160], text[64];

	if (limits == NULL || requests == NULL)
		return;
	json_object_object_foreachC(requests, it)
	{
		limit = kget_obj(limits, it.key, NULL);
		if (limit == NULL ||
		    kquant_parse(json_object_get_string(it.val), &a) == -1 ||
		    kquant_parse(json_object_get_string(limit), &b) == -1 ||
		    a.nanos <= b.nanos)
			continue;
		kquant_format(&a, request, sizeof(request));
		kquant_format(&b, text, sizeof(text));
		snprintf(bound, sizeof(bound),
		    "must be less than or equal to %s limit of %s", it.key,
		    text);
		kproblem_string(ps, field, request, bound);
	}
}

static void
check_container(struct json_object *o, const char *path, struct kproblems *ps)
{
	AUTO_FREE char *name = xasprintf("%s.name", path);
	AUTO_FREE char *image = xasprintf("%s.image", path);
	const char *why = kname_label(kget(o, "name", NULL));

	if (kget(o, "name", NULL)[0] == '\0')
		kproblem(ps, PROBLEM_REQUIRED, name, NULL, NULL);
	else if (why != NULL)
		kproblem_string(ps, name, kget(o, "name", NULL), why);
	if (kget(o, "image", NULL)[0] == '\0')
		kproblem(ps, PROBLEM_REQUIRED, image, NULL, NULL);
	check_requests(o, path, ps);
}

static int
named(struct json_object *list, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(kget(json_object_array_get_idx(list, i), "name",
			       NULL),
			name) == 0)
			return 1;
	return 0;
}

static void
check_containers(struct json_object *spec, const char *which,
    struct kproblems *ps)
{
	struct json_object *list = kget_obj(spec, which, NULL), *o;
	const char *name;
	size_t i;

	for (i = 0; i < length(list); i++) {
		AUTO_FREE char *path = xasprintf("spec.%s[%zu]", which, i);

		o = json_object_array_get_idx(list, i);
		name = kget(o, "name", NULL);
		check_container(o, path, ps);
		if (name[0] != '\0' && named(list, i, name)) {
			AUTO_FREE char *field = xasprintf("%s.name", path);
			struct ktext t = { NULL, 0, 0 };

			ktext_quote(&t, name, strlen(name));
			kproblem(ps, PROBLEM_INVALID, field, NULL, NULL);
			free(ps->v[ps->n - 1].text);
			ps->v[ps->n - 1].text =
			    xasprintf("Duplicate value: %s", t.s);
			ktext_free(&t);
		}
	}
}

static void
check_mounts(struct json_object *spec, struct kproblems *ps)
{
	struct json_object *list = kget_obj(spec, "containers", NULL);
	struct json_object *volumes = kget_obj(spec, "volumes", NULL);
	struct json_object *mounts;
	const char *name;
	size_t i, k;

	for (i = 0; i < length(list); i++) {
		mounts = kget_obj(json_object_array_get_idx(list, i),
		    "volumeMounts", NULL);
		for (k = 0; k < length(mounts); k++) {
			AUTO_FREE char *field = xasprintf(
			    "spec.containers[%zu].volumeMounts[%zu].name", i,
			    k);

			name = kget(json_object_array_get_idx(mounts, k),
			    "name", NULL);
			if (!named(volumes, length(volumes), name)) {
				kproblem(ps, PROBLEM_INVALID, field, NULL,
				    NULL);
				free(ps->v[ps->n - 1].text);
				ps->v[ps->n - 1].text =
				    xasprintf("Not found: \"%s\"", name);
			}
		}
	}
}

void
kpod_check(struct json_object *o, struct kproblems *ps)
{
	struct json_object *spec = kget_obj(o, "spec", NULL);
	const char *policy = kget(spec, "restartPolicy", NULL);

	if (length(kget_obj(spec, "containers", NULL)) == 0)
		kproblem(ps, PROBLEM_REQUIRED, "spec.containers", NULL, NULL);
	check_containers(spec, "containers", ps);
	check_containers(spec, "initContainers", ps);
	check_mounts(spec, ps);
	if (strcmp(policy, "Always") != 0 && strcmp(policy, "Never") != 0 &&
	    strcmp(policy, "OnFailure") != 0) {
		AUTO_FREE char *value = xasprintf("\"%s\"", policy);

		kproblem(ps, PROBLEM_UNSUPPORTED, "spec.restartPolicy", value,
		    "supported values: \"Always\", \"OnFailure\", \"Never\"");
	}
}

/* --- changed pods --- */

static void
copy_member(struct json_object *to, struct json_object *from, const char *name)
{
	struct json_object *v = kget_obj(from, name, NULL);

	if (v != NULL)
		json_object_object_add(to, name, json_object_get(v));
	else
		json_object_object_del(to, name);
}

static void
copy_images(struct json_object *to, struct json_object *from, const char *which)
{
	struct json_object *a = kget_obj(to, which, NULL);
	struct json_object *b = kget_obj(from, which, NULL);
	size_t i;

	for (i = 0; i < length(a) && i < length(b); i++)
		copy_member(json_object_array_get_idx(a, i),
		    json_object_array_get_idx(b, i), "image");
}

/* Tolerations may be added, never taken away. */
static int
only_adds(struct json_object *old, struct json_object *now)
{
	size_t i, k;

	for (i = 0; i < length(old); i++) {
		for (k = 0; k < length(now); k++)
			if (json_object_equal(json_object_array_get_idx(old, i),
				json_object_array_get_idx(now, k)))
				break;
		if (k == length(now))
			return 0;
	}
	return 1;
}

void
kpod_check_spec(struct json_object *old, struct json_object *now,
    struct kproblems *ps)
{
	struct json_object *was = kget_obj(old, "spec", NULL), *may = NULL;
	struct json_object *is = kget_obj(now, "spec", NULL);

	if (json_object_equal(was, is))
		return;
	json_object_deep_copy(was, &may, NULL);
	copy_images(may, is, "containers");
	copy_images(may, is, "initContainers");
	copy_member(may, is, "activeDeadlineSeconds");
	if (only_adds(kget_obj(was, "tolerations", NULL),
		kget_obj(is, "tolerations", NULL)))
		copy_member(may, is, "tolerations");
	if (!json_object_equal(may, is))
		kproblem(ps, PROBLEM_FORBIDDEN, "spec",
		    "pod updates may not change fields other than "
		    "`spec.containers[*].image`,"
		    "`spec.initContainers[*].image`,"
		    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
		    "additions to existing tolerations),"
		    "`spec.terminationGracePeriodSeconds` (allow it to be "
		    "set to 1 if it was previously negative)",
		    NULL);
	json_object_put(may);
}

static int
family(const char *ip)
{
	struct in6_addr a;

	return inet_pton(AF_INET, ip, &a) == 1 ? 4 :
	    inet_pton(AF_INET6, ip, &a) == 1   ? 6 :
						 0;
}

static void
check_addresses(struct json_object *status, struct kproblems *ps)
{
	struct json_object *list = kget_obj(status, "podIPs", NULL);
	int seen[7] = { 0 }, twice = 0, f;
	struct ktext t = { NULL, 0, 0 };
	const char *ip;
	char field[64];
	size_t i;

	ktext_puts(&t, "[");
	for (i = 0; i < length(list); i++) {
		ip = kget(json_object_array_get_idx(list, i), "ip", NULL);
		f = family(ip);
		ktext_printf(&t, "%s{\"IP\":\"%s\"}", i != 0 ? "," : "", ip);
		twice |= f != 0 && seen[f]++ != 0;
		if (f != 0)
			continue;
		snprintf(field, sizeof(field), "status.podIPs[%zu]", i);
		kproblem_string(ps, field, ip,
		    "must be a valid IP address, (e.g. 10.9.8.7 or "
		    "2001:db8::ffff)");
	}
	ktext_puts(&t, "]");
	if (twice)
		kproblem(ps, PROBLEM_INVALID, "status.podIPs", t.s,
		    "may specify no more than one IP for each IP family");
	ktext_free(&t);
}

static struct json_object *
by_name(struct json_object *list, const char *name)
{
	size_t i;

	for (i = 0; i < length(list); i++)
		if (strcmp(kget(json_object_array_get_idx(list, i), "name",
			       NULL),
			name) == 0)
			return json_object_array_get_idx(list, i);
	return NULL;
}

/* What ended in a pod that never restarts does not run again. */
static void
check_states(struct json_object *old, struct json_object *now,
    struct kproblems *ps)
{
	struct json_object *list = kget_obj(now, "status", "containerStatuses");
	struct json_object *was = kget_obj(old, "status", "containerStatuses");
	const char *policy = kget(old, "spec", "restartPolicy");
	struct json_object *a, *b, *exit_code;
	char field[80];
	size_t i;

	if (strcmp(policy, "Always") == 0)
		return;
	for (i = 0; i < length(list); i++) {
		b = json_object_array_get_idx(list, i);
		a = by_name(was, kget(b, "name", NULL));
		a = kget_obj(a, "state", "terminated");
		exit_code = kget_obj(a, "exitCode", NULL);
		if (a == NULL || kget_obj(b, "state", "terminated") != NULL ||
		    (strcmp(policy, "OnFailure") == 0 &&
			json_object_get_int64(exit_code) != 0))
			continue;
		snprintf(field, sizeof(field),
		    "status.containerStatuses[%zu].state", i);
		kproblem(ps, PROBLEM_FORBIDDEN, field,
		    "may not be transitioned to non-terminated state", NULL);
	}
}

void
kpod_check_status(struct json_object *old, struct json_object *now,
    struct kproblems *ps)
{
	struct json_object *status = kget_obj(now, "status", NULL);
	struct json_object *gen = kget_obj(status, "observedGeneration", NULL);
	const char *qos = kget(status, "qosClass", NULL);
	char text[32];

	if (strcmp(qos, kget(old, "status", "qosClass")) != 0)
		kproblem_string(ps, "status.qosClass", qos,
		    "field is immutable");
	check_addresses(status, ps);
	check_states(old, now, ps);
	if (gen != NULL && json_object_get_int64(gen) < 0) {
		snprintf(text, sizeof(text), "%lld",
		    (long long)json_object_get_int64(gen));
		kproblem(ps, PROBLEM_INVALID, "status.observedGeneration", text,
		    "must be a non-negative integer");
	}
}
