/* SPDX-License-Identifier: ISC */
/*
 * fleet.c: devices and pods for tests, through the same parsers as the real
 * ones.
 */
#include "t/unit/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"

static struct settings settings; /* of all worlds */
static int worlds;

static void
must(int ok, const char *what, const struct why *why)
{
	if (ok)
		return;
	fprintf(stderr, "fleet: %s: %s\n", what, why->text);
	abort();
}

struct world *
fleet_world(void)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct why why;

	if (worlds++ == 0)
		settings_init(&settings);
	must(world_init(w, &settings, &why) == 0, "world", &why);
	w->devices_listed = 1;
	w->reported[PROC_KUBESIDE] = w->reported[PROC_FLIGHTSIDE] = 1;
	w->nodes[0].pods_listed = 1;
	w->nodes[0].labels_known = 1;
	return w;
}

void
fleet_free(struct world *w)
{
	world_clear(w);
	if (--worlds == 0)
		settings_free(&settings);
	free(w);
}

struct device *
fleet_read(const struct fleet_device *f)
{
	struct device *dev;
	struct why why = { .text = "" };
	char *text, *owner;

	owner = f->owner == NULL ? xstrdup("") :
				   xasprintf("\"owner\":\"%s\",", f->owner);
	text = xasprintf(
	    "{\"apiVersion\":\"flightctl.io/v1beta1\","
	    "\"kind\":\"Device\",\"metadata\":{\"name\":\"%s\",%s"
	    "\"creationTimestamp\":\"2026-01-01T00:00:00Z\","
	    "\"generation\":1,\"resourceVersion\":\"1\","
	    "\"labels\":{\"fleet\":\"f\"%s%s}},\"spec\":{},"
	    "\"status\":{\"summary\":{\"status\":\"%s\"},"
	    "\"lifecycle\":{\"status\":\"Enrolled\"},"
	    "\"systemInfo\":{\"architecture\":\"amd64\",\"cpuCores\":\"%d\","
	    "\"memoryTotalKb\":\"%d\"}}}",
	    f->name, owner, f->labels != NULL ? "," : "",
	    f->labels != NULL ? f->labels : "",
	    f->summary != NULL ? f->summary : "Online", f->cores,
	    f->memory_mib * 1024);
	dev = device_parse(span_of(text), "", &why);
	must(dev != NULL, text, &why);
	free(text);
	free(owner);
	return dev;
}

struct wdevice *
fleet_add(struct world *w, const struct fleet_device *f)
{
	struct wdevice *d = world_device_or_new(w, f->name);

	world_set_device(w, d, fleet_read(f), 1);
	return d;
}

struct wpod *
fleet_pod(struct world *w, const char *name, const char *cpu,
    const char *memory, const char *controller, const char *spec)
{
	struct wpod *p;
	struct pod *pod;
	struct why why = { .text = "" };
	char *text, *owner;

	owner = controller == NULL ?
	    xstrdup("") :
	    xasprintf("\"ownerReferences\":[{\"apiVersion\":\"apps/v1\","
		      "\"kind\":\"ReplicaSet\",\"name\":\"r\",\"uid\":\"%s\","
		      "\"controller\":true}],",
		controller);
	text = xasprintf(
	    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\","
	    "\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\",%s"
	    "\"uid\":\"uid-%s\",\"creationTimestamp\":"
	    "\"2026-01-01T00:00:00Z\",\"generation\":1},"
	    "\"spec\":{\"nodeName\":\"%s\"%s%s,\"containers\":[{\"name\":"
	    "\"c\",\"image\":\"x\",\"resources\":{\"requests\":{\"cpu\":"
	    "\"%s\",\"memory\":\"%s\"}}}]},\"status\":{}}",
	    name, owner, name, w->nodes[0].name, spec != NULL ? "," : "",
	    spec != NULL ? spec : "", cpu, memory);
	pod = pod_parse(span_of(text), &why);
	must(pod != NULL, text, &why);
	p = world_add_pod(w, pod->uid, pod->ns, pod->name);
	world_set_pod(w, p, pod);
	free(text);
	free(owner);
	return p;
}
