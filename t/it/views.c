/* SPDX-License-Identifier: ISC */
/*
 * views.c: do the three sides tell the same story?
 *
 * Owns what a drift is.  Reads only.
 */
#include "t/it/views.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/seats.h"

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/%s/leases/%s"

enum {
	UID8 = 8, /* of the UID, at the end of an application's name */
};

struct views {
	const struct views_of *of;
	struct json_object *nodes; /* name: 1 when its records are asked for */
	struct json_object *pods;  /* UID: Pod, bound to one of them */
	struct json_object *devices; /* name: Device, of any fleet */
	struct json_object *records; /* UID: row; NULL: not asked for */
	size_t applications;
	char *drift;
};

static void __attribute__((format(printf, 2, 3)))
drift(struct views *v, const char *fmt, ...)
{
	AUTO_FREE char *text = NULL, *before = v->drift;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	v->drift = xasprintf("%s%s\n", before, text);
}

static int
is_one_of(const char *list, const char *word)
{
	AUTO_FREE char *copy = xstrdup(list);
	char *rest = copy, *one;

	while ((one = strsep(&rest, ", ")) != NULL)
		if (*one != '\0' && strcmp(one, word) == 0)
			return 1;
	return 0;
}

/* --- the apiserver ------------------------------------------------------- */

static void
read_nodes(struct views *v)
{
	AUTO_FREE char *copy = xstrdup(v->of->fleets);
	char *rest = copy, *fleet;

	v->nodes = json_object_new_object();
	while ((fleet = strsep(&rest, ", ")) != NULL) {
		AUTO_FREE char *node = v->of->node != NULL ?
		    xstrdup(v->of->node) :
		    xasprintf("vk-flightctl-%s", fleet);

		if (*fleet != '\0')
			json_object_object_add(v->nodes, node,
			    json_object_new_int(1));
	}
}

static int
is_our_node(struct views *v, const char *name)
{
	return json_object_object_get_ex(v->nodes, name, NULL);
}

static void
read_pods(struct views *v)
{
	AUTO_JSON struct json_object *list = kube_get("/api/v1/pods");
	struct json_object *pod;
	size_t i;

	v->pods = json_object_new_object();
	for (i = 0; (pod = js_item(list, "/items", i)) != NULL; i++)
		if (is_our_node(v, js_str(pod, "/spec/nodeName")))
			json_object_object_add(v->pods,
			    js_str(pod, "/metadata/uid"), json_object_get(pod));
}

/* Nobody wants it to run any more, or it is over. */
static int
is_wanted(struct json_object *pod)
{
	const char *phase = js_str(pod, "/status/phase");

	return js_get(pod, "/metadata/deletionTimestamp") == NULL &&
	    strcmp(phase, "Succeeded") != 0 && strcmp(phase, "Failed") != 0;
}

static const char *
waiting_reason(struct json_object *pod, const char *of)
{
	struct json_object *c;
	const char *reason;
	size_t i;

	for (i = 0; (c = js_item(pod, of, i)) != NULL; i++)
		if (*(reason = js_str(c, "/state/waiting/reason")) != '\0' ||
		    *(reason = js_str(c, "/state/terminated/reason")) != '\0')
			return reason;
	return "";
}

/* Why it is not Ready, in the words of its status; "": none is said. */
static const char *
said(struct json_object *pod)
{
	const char *reason;

	if (*(reason = js_str(pod, "/status/reason")) != '\0' ||
	    *(reason = js_reason(pod, "PodScheduled")) != '\0' ||
	    *(reason = waiting_reason(pod, "/status/containerStatuses")) !=
		'\0' ||
	    *(reason = waiting_reason(pod, "/status/initContainerStatuses")) !=
		'\0')
		return reason;
	return strcmp(js_condition(pod, "Ready"), "False") == 0 ?
	    js_reason(pod, "Ready") :
	    "";
}

/* --- Flightctl ----------------------------------------------------------- */

/* Of a fleet of ours, or it was when the scenario began (world.h). */
static int
is_our_device(const struct views *v, struct json_object *device)
{
	AUTO_FREE char *name = xstrdup(js_str(device, "/metadata/name"));
	char *end = strrchr(name, '-');

	if (is_one_of(v->of->fleets, js_str(device, "/metadata/labels/fleet")))
		return 1;
	if (end != NULL)
		*end = '\0';
	return end != NULL && is_one_of(v->of->fleets, name);
}

static int
is_heard(struct json_object *device)
{
	const char *summary = js_str(device, "/status/summary/status");

	return strcmp(summary, "Unknown") != 0 &&
	    strcmp(summary, "Error") != 0 && *summary != '\0' &&
	    strcmp(js_str(device, "/status/updated/status"), "Updating") != 0;
}

static struct json_object *
pod_of(struct views *v, const char *app)
{
	struct json_object *pod;
	struct lh_entry *at = NULL;
	const char *uid;
	size_t len = strlen(app);

	while (len > UID8 && js_next(v->pods, &at, &uid, &pod))
		if (strncmp(app + len - UID8, uid, UID8) == 0)
			return pod;
	return NULL;
}

/* What the device has of a pod that nobody has. */
static void
look_at_device(struct views *v, const char *name, struct json_object *device)
{
	struct json_object *app;
	size_t i;

	for (i = 0; (app = js_item(device, "/spec/applications", i)) != NULL;
	     i++) {
		if (strncmp(js_str(app, "/name"), "k8s-", 4) != 0)
			continue;
		v->applications++;
		if (pod_of(v, js_str(app, "/name")) == NULL)
			drift(v,
			    "the spec of %s has %s, and there is no such "
			    "pod",
			    name, js_str(app, "/name"));
	}
	for (i = 0; (app = js_item(device, "/status/applications", i)) != NULL;
	     i++)
		if (strncmp(js_str(app, "/name"), "k8s-", 4) == 0 &&
		    is_heard(device) && pod_of(v, js_str(app, "/name")) == NULL)
			drift(v, "%s runs %s, and there is no such pod", name,
			    js_str(app, "/name"));
}

/* --- the placer ---------------------------------------------------------- */

/* Another has its Lease: its records are those that count. */
static void
look_at_leases(struct views *v)
{
	const char *namespace = getenv("NAMESPACE"), *name;
	struct json_object *mine;
	struct lh_entry *at = NULL;

	while (js_next(v->nodes, &at, &name, &mine)) {
		AUTO_FREE char *path = xasprintf(LEASES, namespace, name);
		AUTO_JSON struct json_object *lease = kube_get(path);

		if (*js_str(lease, "/spec/holderIdentity") != '\0')
			json_object_set_int(mine, 0);
	}
}

static int
has_records(struct views *v, const char *node)
{
	struct json_object *mine = NULL;

	json_object_object_get_ex(v->nodes, node, &mine);
	return v->records != NULL && json_object_get_int(mine) == 1;
}

static void
on_seat(const struct seat *s, void *arg)
{
	struct views *v = arg;

	json_object_object_add(v->records, s->uid,
	    js_make("{\"pod\":\"%s\",\"node\":\"%s\",\"device\":\"%s\","
		    "\"in_spec\":%d}",
		s->pod, s->node, s->device, s->sent && !s->retreating));
}

static void
read_records(struct views *v)
{
	AUTO_FREE char *copy = xasprintf("%s/views.db", it_folder());
	AUTO_FREE char *why = NULL;

	v->records = json_object_new_object();
	if (seats_read(v->of->dir, copy, on_seat, v, &why) == -1)
		drift(v, "%s", why);
}

static void
look_at_record(struct views *v, const char *uid, struct json_object *row)
{
	const char *name = js_str(row, "/device");
	struct json_object *device = NULL, *pod = NULL;

	if (!has_records(v, js_str(row, "/node")))
		return;
	json_object_object_get_ex(v->devices, name, &device);
	json_object_object_get_ex(v->pods, uid, &pod);
	if (pod == NULL && is_heard(device))
		drift(v, "the database has %s on %s, and there is no such pod",
		    js_str(row, "/pod"), name);
	if (pod == NULL || !is_wanted(pod) || *name == '\0' ||
	    js_int(row, "/in_spec") == 0)
		return;
	if (flight_application(device, uid) == NULL)
		drift(v, "the database has %s on %s, whose spec has not",
		    js_str(row, "/pod"), name);
}

/* --- each with the others ------------------------------------------------ */

static void
look_at_pod(struct views *v, const char *uid, struct json_object *pod)
{
	const char *name = js_str(pod, "/metadata/name");
	struct json_object *row = NULL, *device;
	size_t n;

	device = flight_holder(v->devices, uid, &n);
	if (n > 1)
		drift(v, "%s is in the specs of %zu devices", name, n);
	if (!is_wanted(pod))
		return;
	if (n == 0 && *said(pod) == '\0')
		drift(v, "%s is %s, on no device, and nobody says why", name,
		    js_str(pod, "/status/phase"));
	if (n == 1 && strcmp(js_str(pod, "/status/phase"), "Running") != 0 &&
	    *said(pod) == '\0')
		drift(v, "%s is %s, and nobody says why", name,
		    js_str(pod, "/status/phase"));
	if (strcmp(js_condition(pod, "Ready"), "True") == 0 &&
	    (n == 0 || (is_heard(device) && !flight_reports(device, uid))))
		drift(v, "%s is Ready, and no device runs it", name);
	if (!has_records(v, js_str(pod, "/spec/nodeName")) || n != 1)
		return;
	json_object_object_get_ex(v->records, uid, &row);
	if (row == NULL)
		drift(v, "%s is in the spec of %s and not in the database",
		    name, js_str(device, "/metadata/name"));
	else if (strcmp(js_str(row, "/device"),
		     js_str(device, "/metadata/name")) != 0)
		drift(v, "%s is in the spec of %s, and on %s in the database",
		    name, js_str(device, "/metadata/name"),
		    js_str(row, "/device"));
}

static void
compare(struct views *v)
{
	struct json_object *one;
	struct lh_entry *at = NULL;
	const char *name;

	while (js_next(v->pods, &at, &name, &one))
		look_at_pod(v, name, one);
	at = NULL;
	while (js_next(v->devices, &at, &name, &one))
		if (is_our_device(v, one))
			look_at_device(v, name, one);
	at = NULL;
	while (js_next(v->records, &at, &name, &one))
		look_at_record(v, name, one);
}

char *
views_drift(const struct views_of *of, char **counts)
{
	struct views v = { .of = of, .drift = xstrdup("") };

	read_nodes(&v);
	if (of->dir != NULL) {
		look_at_leases(&v);
		read_records(&v);
	}
	v.devices = flight_every();
	read_pods(&v);
	compare(&v);
	if (counts != NULL)
		*counts = xasprintf("%d pods, %zu applications, %d records",
		    json_object_object_length(v.pods), v.applications,
		    v.records == NULL ? 0 :
					json_object_object_length(v.records));
	json_object_put(v.nodes);
	json_object_put(v.pods);
	json_object_put(v.devices);
	json_object_put(v.records);
	return v.drift;
}

static int
agree(struct json_object *devices, void *of)
{
	AUTO_FREE char *text = views_drift(of, NULL);

	(void)devices;
	return *text == '\0';
}

void
views_settle(const struct views_of *of, int ms)
{
	struct views_of copied = *of;

	copied.dir = NULL;
	flight_await(agree, &copied, ms);
}
