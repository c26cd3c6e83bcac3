/* SPDX-License-Identifier: ISC */
/*
 * quadlet_limits.c: the CPU and memory of one container.
 *
 * Owns what they become: arguments of podman on the container, since on a pod
 * they would bind its infra container alone, and the generator has no keys for
 * them.  Requests of memory are room on the device and nothing more.
 */
#include <inttypes.h>
#include <stdio.h>

#include "common/quantity.h"
#include "placer/quadlet_own.h"

enum {
	SHARES_MIN = 2,
	SHARES_MAX = 262144,
	CPUS_MIN_M = 10, /* the kernel's least quota: 1 ms of 100 ms */
};

/* 1: *n is set, 0: there is none, -1. */
static int
amount(struct app *app, struct json_object *list, const char *at,
    const char *name, int (*parse)(struct span, int64_t *), int64_t *n)
{
	struct json_object *j = jread_member(list, name);
	const char *s;

	if (j == NULL)
		return 0;
	s = json_object_get_string(j);
	if (parse(span_of(s), n) == -1 || *n < 0)
		return fail(app->why, ERR_FORMAT,
		    "%s.resources: %s \"%.40s\" is no quantity", at, name, s);
	return *n > 0;
}

/* As the kubelet: 1024 for a whole CPU. */
static int64_t
shares(int64_t cpu_m)
{
	int64_t n;

	if (cpu_m > INT64_C(1000) * SHARES_MAX / 1024)
		return SHARES_MAX;
	n = cpu_m * 1024 / 1000;
	return n < SHARES_MIN ? SHARES_MIN : n;
}

static void
put(struct unitfile *f, int64_t memory, int64_t cpu, int64_t request)
{
	char args[160] = "";
	size_t n = 0;

	if (memory > 0)
		n += (size_t)snprintf(args, sizeof(args),
		    " --memory=%" PRId64 " --memory-swap=%" PRId64, memory,
		    memory);
	if (cpu > 0)
		n += (size_t)snprintf(args + n, sizeof(args) - n,
		    " --cpus=%" PRId64 ".%03d", cpu / 1000, (int)(cpu % 1000));
	if (request > 0)
		n += (size_t)snprintf(args + n, sizeof(args) - n,
		    " --cpu-shares=%" PRId64, shares(request));
	if (n > 0)
		unitfile_line(f, "PodmanArgs", "%s", args + 1);
}

int
quadlet_limits(struct app *app, struct json_object *resources, const char *at,
    struct unitfile *f)
{
	struct json_object *limits = jread_member(resources, "limits");
	struct json_object *requests = jread_member(resources, "requests");
	int64_t memory = 0, cpu = 0, request = 0;

	if (amount(app, limits, at, "memory", quantity_value, &memory) == -1 ||
	    amount(app, limits, at, "cpu", quantity_milli, &cpu) == -1 ||
	    amount(app, requests, at, "cpu", quantity_milli, &request) == -1)
		return -1;
	if (request == 0)
		request = cpu; /* a limit is a request */
	if (cpu > 0 && cpu < CPUS_MIN_M)
		cpu = CPUS_MIN_M;
	put(f, memory, cpu, request);
	return 0;
}
