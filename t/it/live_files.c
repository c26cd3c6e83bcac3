/* SPDX-License-Identifier: ISC */
/*
 * live_files: files that change under a running pod: its labels at once, a
 * ConfigMap that changed while the provider was away at its next start (and
 * within a minute otherwise: t/scene/live.scene).  The application's own entry
 * stays as it is, so that nothing restarts.
 */
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

#define MAPS "/api/v1/namespaces/default/configmaps"
#define MERGE "application/merge-patch+json"

enum {
	READY_MS = 20000,
	RUN_MS = 10000,
	CHANGE_MS = 15000,
};

/* Of the pod: what its files must hold now, and that the device has them. */
struct look {
	const char *uid, *wanted;
};

static const char *
raw(struct json_object *json)
{
	return json_object_to_json_string_ext(json,
	    JSON_C_TO_STRING_NOSLASHESCAPE);
}

static int
device_has(struct json_object *set, void *arg)
{
	const struct look *l = arg;
	struct json_object *device = flight_holder(set, l->uid, NULL);
	struct json_object *config = js_get(device, "/spec/config");
	const char *rendered = json_object_get_string(
	    json_object_object_get(js_get(device, "/metadata/annotations"),
		"device-controller/renderedVersion"));

	return config != NULL && strstr(raw(config), l->wanted) != NULL &&
	    rendered != NULL &&
	    strcmp(rendered,
		js_str(device, "/status/config/renderedVersion")) == 0;
}

/* The application's entry as it stands; caller frees. */
static char *
application(const char *uid)
{
	AUTO_JSON struct json_object *set = flight_devices();
	struct json_object *device = flight_holder(set, uid, NULL);

	return strdup(raw(flight_application(device, uid)));
}

static void
expect_files(const char *uid, const char *wanted, const char *what,
    const char *before)
{
	struct look look = { uid, wanted };
	AUTO_FREE char *after = NULL;
	int64_t since = it_ms();
	int ok = flight_await(device_has, &look, CHANGE_MS);

	it_took(since, ok, "the device has the files of %s", what);
	after = application(uid);
	it_ok(strcmp(before, after) == 0,
	    "and the application as it was, byte by byte");
}

static char *
create(void)
{
	if (kube_send("POST", MAPS,
		js_make("{\"metadata\":{\"name\":\"settings\"},\"data\":{"
			"\"k\":\"content-one\"}}"),
		NULL) != 201)
		it_die("no ConfigMap can be made");
	return pod_create("web",
	    &(struct pod_conf){
		.spec = ",\"volumes\":[{\"name\":\"v\",\"projected\":{"
			"\"sources\":[{\"configMap\":{\"name\":\"settings\"}},"
			"{\"downwardAPI\":{\"items\":[{\"path\":\"labels\","
			"\"fieldRef\":{\"fieldPath\":\"metadata.labels\"}}]}}"
			"]}}]",
		.container = ",\"volumeMounts\":[{\"name\":\"v\","
			     "\"mountPath\":\"/v\"}]" });
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *pod = NULL, *now = NULL;
	AUTO_FREE char *uid = NULL, *before = NULL;
	struct provider *p;

	world_open(&(struct world_conf){ .devices = 1 });
	p = provider_start("provider", NULL);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	uid = create();
	if ((pod = pod_runs("web", it_ms(), RUN_MS)) == NULL)
		return;
	before = application(uid);
	if (kube_patch(KUBE_PODS "/web", MERGE,
		js_make("{\"metadata\":{\"labels\":{\"colour\":\"blue\"}}}")) !=
	    200)
		it_die("the pod cannot be labelled");
	expect_files(uid, "blue", "its new label", before);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	if (kube_patch(MAPS "/settings", MERGE,
		js_make("{\"data\":{\"k\":\"content-two\"}}")) != 200)
		it_die("the ConfigMap cannot be changed");
	p = provider_start("second", NULL);
	expect_files(uid, "content-two", "the new ConfigMap", before);
	now = kube_get(KUBE_PODS "/web");
	it_ok(strcmp(js_str(pod,
			 "/status/containerStatuses/0/state/running/startedAt"),
		  js_str(now,
		      "/status/containerStatuses/0/state/running/startedAt")) ==
		    0 &&
		js_int(now, "/status/containerStatuses/0/restartCount") == 0,
	    "the pod did not restart");
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "and so does the second");
}

int
main(void)
{
	return it_run("live-files", scenario);
}
