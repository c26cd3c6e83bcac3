/* SPDX-License-Identifier: ISC */
/*
 * An application that runs is never rendered anew: what each release wrote
 * (t/golden/release/VERSION: an application, then its config entries, a line
 * each) is read by this one as its own, and nothing is written.
 * RELEASE=VERSION writes what this one renders; a folder, once released, never
 * changes.
 */
#include "placer/plan.h"

#include <bsd/string.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/auto.h"
#include "common/mark.h"
#include "common/xmem.h"
#include "placer/intake.h"
#include "placer/live.h"
#include "placer/quadlet.h"
#include "t/unit/fleet.h"
#include "t/unit/golden.h"

#define FOLDER "t/golden/release/"
#define CLUSTER "0c9f5a1e-77f1-4b64-9c3e-7a1f2f5f2f11"
#define NODE "vk-flightctl-a"
#define START INT64_C(1795419780000)

static const char *const releases[] = { "before-0.1.0" };
static const char *const pods[] = { GOLDEN_PODS };
static const char shop[] = GOLDEN_SHOP, key[] = GOLDEN_KEY;

/* -- writing -- */

static char *
rendered(size_t i)
{
	const struct quadlet_object objects[] = {
		{ (char[]){ "shop" }, 0, { shop, sizeof(shop) - 1 } },
		{ (char[]){ "absent" }, 0, { NULL, 0 } },
		{ (char[]){ "key" }, 1, { key, sizeof(key) - 1 } },
	};
	AUTO_FREE char *text = golden_pod(pods[i]);
	struct why why = { .text = "" };
	struct pod *pod = pod_parse(span_of(text), &why);
	char app[MAX_APP + 1], *lines, *more;
	struct quadlet q;
	size_t k;

	cr_assert_not_null(pod, "%s: %s", pods[i], why.text);
	cr_assert_eq(mark_name(CLUSTER, pod->ns, pod->name, pod->uid, app), 0);
	cr_assert_eq(quadlet_render(&(struct quadlet_in){ .pod = span_of(text),
					.app = app,
					.cluster = CLUSTER,
					.node = NODE,
					.images = pod->images,
					.cpu_m = pod->cpu_m,
					.memory = pod->memory,
					.objects = objects,
					.host = 1,
					.secrets = 1,
					.nobjects = 3 },
			 &q, &why),
	    0, "%s: %s", pods[i], why.text);
	lines = xasprintf("%s\n", q.application);
	for (k = 0; k < q.nconfigs; k++) {
		more = xasprintf("%s%s\n", lines, q.configs[k]);
		free(lines);
		lines = more;
	}
	quadlet_clear(&q);
	pod_free(pod);
	return lines;
}

static void
write_release(const char *version)
{
	AUTO_FREE char *folder = xasprintf(FOLDER "%s", version);
	size_t i;
	FILE *f;

	cr_assert(mkdir(folder, 0777) == 0 || errno == EEXIST, "%s", folder);
	for (i = 0; i < sizeof(pods) / sizeof(pods[0]); i++) {
		AUTO_FREE char *path = xasprintf("%s/%s.txt", folder, pods[i]);
		AUTO_FREE char *lines = rendered(i);

		cr_assert_not_null(f = fopen(path, "w"), "%s", path);
		fputs(lines, f);
		fclose(f);
	}
}

/* -- reading -- */

/* The device that has it all, applied and running. */
static struct device *
device_with(const char *lines, const char *prefix)
{
	size_t first = strcspn(lines, "\n");
	AUTO_FREE char *configs = xstrdup(lines + first + 1);
	AUTO_FREE char *text = NULL;
	struct why why = { .text = "" };
	struct device *dev;
	size_t n = strlen(configs);
	char *at;

	if (n > 0)
		configs[n - 1] = '\0';
	for (at = configs; (at = strchr(at, '\n')) != NULL;)
		*at = ',';
	text = xasprintf(
	    "{\"apiVersion\":\"flightctl.io/v1beta1\",\"kind\":\"Device\","
	    "\"metadata\":{\"name\":\"d\",\"creationTimestamp\":"
	    "\"2026-01-01T00:00:00Z\",\"generation\":1,\"resourceVersion\":"
	    "\"1\",\"labels\":{\"fleet\":\"f\"}},\"spec\":{\"applications\":"
	    "[%.*s],\"config\":[%s]},\"status\":{\"summary\":{\"status\":"
	    "\"Online\"},\"lifecycle\":{\"status\":\"Enrolled\"},"
	    "\"systemInfo\":{\"architecture\":\"amd64\",\"cpuCores\":\"64\","
	    "\"memoryTotalKb\":\"67108864\"}}}",
	    (int)first, lines, configs);
	dev = device_parse(span_of(text), prefix, &why);
	cr_assert_not_null(dev, "%s", why.text);
	dev->rendered = dev->settled = dev->applied = 1;
	return dev;
}

static void
list_pod(struct world *w, const char *text)
{
	struct body_pods list = { .node = NODE };
	struct body_pod m = { .node = NODE,
		.how = POD_LISTED,
		.object = span_of(text) };

	intake_pods_begin(w, &list);
	intake_pod(w, &m);
	intake_pods_end(w, &list);
}

static struct world *
world_with(const char *lines, const char *pod)
{
	struct world *w = fleet_world();
	struct wdevice *d;

	w->host = w->secrets = 1;
	w->flight_reachable = w->flight_up = w->flight_known = w->kube_up = 1;
	w->kube_reachable = 1;
	(void)strlcpy(w->cluster, CLUSTER, sizeof(w->cluster));
	mark_prefix(w->cluster, w->prefix);
	(void)strlcpy(w->nodes[0].name, NODE, sizeof(w->nodes[0].name));
	w->nodes[0].until_boot = INT64_MAX;
	d = world_device_or_new(w, "d");
	world_set_device(w, d, device_with(lines, w->prefix), 1);
	list_pod(w, pod);
	return w;
}

/* By "c/NAMESPACE/NAME" of a ConfigMap, "s/" of a Secret. */
static struct span
object_of(const char *what)
{
	if (strcmp(strrchr(what, '/'), "/absent") == 0)
		return (struct span){ NULL, 0 };
	return span_of(*what == 's' ? key : shop);
}

/* The number of writes, evictions and lost seats; what it asks is answered. */
static size_t
turn(struct world *w, struct now now)
{
	struct effects fx = { 0 };
	const struct effect *e;
	size_t i, n = 0;

	world_device(w, "d")->read_boot = now.boot_ms;
	world_look_all(w);
	plan_turn(w, now, &fx);
	for (i = 0; i < fx.n; i++) {
		e = &fx.list[i];
		n += e->kind == EFFECT_CHANGE || e->kind == EFFECT_DELETE ||
		    e->kind == EFFECT_UNSEAT;
		if (e->kind == EFFECT_POLL)
			live_object(w, e->text, object_of(e->text), now);
	}
	effects_clear(&fx);
	return n;
}

static void
check(const char *version, size_t i)
{
	static const int64_t at[] = { 1, 1000, 11 * 1000, 61 * 1000, 121 * 1000,
		10 * 60 * 1000, 60 * 60 * 1000 };
	AUTO_FREE char *folder = xasprintf("release/%s", version);
	AUTO_FREE char *file = xasprintf("%s.txt", pods[i]);
	AUTO_FREE char *lines = golden_read(folder, file);
	AUTO_FREE char *pod = golden_pod(pods[i]);
	struct world *w;
	struct wpod *p;
	size_t k;

	cr_assert_not_null(lines, "%s/%s", folder, file);
	w = world_with(lines, pod);
	cr_assert_not_null(p = RB_MIN(wpod_tree, &w->pods));
	for (k = 0; k < sizeof(at) / sizeof(at[0]); k++)
		cr_expect_eq(turn(w, (struct now){ at[k], START + at[k] }), 0,
		    "%s/%s: something was done after %lld ms", folder, file,
		    (long long)at[k]);
	cr_expect_eq(p->device, world_device(w, "d"), "%s/%s", folder, file);
	cr_expect_eq(p->state, RUNNING, "%s/%s: %s", folder, file,
	    life_state_name(p->state));
	cr_expect_eq(p->queued, IO_NONE);
	fleet_free(w);
}

Test(release, what_an_older_one_wrote_is_written_no_more)
{
	size_t r, i;

	if (getenv("RELEASE") != NULL)
		write_release(getenv("RELEASE"));
	for (r = 0; r < sizeof(releases) / sizeof(releases[0]); r++)
		for (i = 0; i < sizeof(pods) / sizeof(pods[0]); i++)
			check(releases[r], i);
}

/* It would be no proof if a change of what matters were not seen. */
Test(release, another_image_is_written)
{
	AUTO_FREE char *lines = rendered(0);
	AUTO_FREE char *pod = golden_pod(pods[0]);
	char *image = strstr(pod, "\"image\": \"");
	struct world *w;

	cr_assert_not_null(image);
	image[strlen("\"image\": \"")] ^= 1;
	w = world_with(lines, pod);
	(void)turn(w, (struct now){ 1, START });
	cr_expect_eq(RB_MIN(wpod_tree, &w->pods)->state, REPLACING);
	fleet_free(w);
}
