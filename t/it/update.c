/* SPDX-License-Identifier: ISC */
/*
 * update: an image changed in place is replaced under the same application
 * name, within 15 s, never both at one time; a new pod under an old name is
 * another pod and waits until the old one is gone.
 */
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

#define OLD "busybox:1.36"
#define NEW "busybox:1.37"

enum {
	READY_MS = 20000,
	RUN_MS = 10000,
	UPDATE_MS = 15000,
};

/* The application's text holds the image; its version is applied. */
static int
device_runs(struct json_object *set, const char *uid, const char *image)
{
	struct json_object *device = flight_holder(set, uid, NULL);
	struct json_object *app = flight_application(device, uid);
	const char *rendered;

	if (app == NULL ||
	    strstr(json_object_to_json_string_ext(app,
		       JSON_C_TO_STRING_NOSLASHESCAPE),
		image) == NULL)
		return 0;
	rendered = json_object_get_string(
	    json_object_object_get(js_get(device, "/metadata/annotations"),
		"device-controller/renderedVersion"));
	return rendered != NULL &&
	    strcmp(rendered,
		js_str(device, "/status/config/renderedVersion")) == 0;
}

static int
runs_new(struct json_object *set, void *uid)
{
	return device_runs(set, uid, NEW);
}

static int
shows_new(struct json_object *pod, void *arg)
{
	struct json_object *c = js_get(pod, "/status/containerStatuses/0");

	(void)arg;
	return strstr(js_str(c, "/image"), NEW) != NULL &&
	    js_get(c, "/state/running") != NULL;
}

static void
change_image(char *uid)
{
	AUTO_JSON struct json_object *pod = NULL, *set = NULL;
	int64_t since = it_ms();
	int ok;

	if (kube_patch(KUBE_PODS "/web",
		"application/strategic-merge-patch+json",
		js_make("{\"spec\":{\"containers\":[{\"name\":\"main\","
			"\"image\":\"" NEW "\"}]}}")) != 200)
		it_die("the image cannot be changed");
	ok = flight_await(runs_new, uid, UPDATE_MS);
	it_took(since, ok, "the device has applied the new image");
	pod = kube_await_one(KUBE_PODS, "web", shows_new, NULL, UPDATE_MS);
	it_took(since, pod != NULL && shows_new(pod, NULL),
	    "the pod runs the new image (%s)",
	    js_str(pod, "/status/containerStatuses/0/image"));
	it_ok(strcmp(js_str(pod, "/metadata/uid"), uid) == 0,
	    "it is the same pod");
	set = flight_devices();
	it_ok(flight_count(set) == 1, "the old image is in no spec");
}

static void
replace_pod(const char *old)
{
	AUTO_JSON struct json_object *pod = NULL, *set = NULL;
	AUTO_FREE char *uid = NULL;
	int64_t since = it_ms();
	size_t n;

	pod_delete("web");
	if (!it_took(since, kube_await_gone(KUBE_PODS, "web", RUN_MS),
		"the old pod is gone"))
		return;
	since = it_ms();
	uid = pod_create("web", &(struct pod_conf){ .image = NEW });
	pod = pod_runs("web", since, RUN_MS);
	set = flight_devices();
	flight_holder(set, old, &n);
	it_ok(n == 0, "the old UID is in no spec");
	flight_holder(set, uid, &n);
	it_ok(n == 1 && flight_count(set) == 1, "the new one is in one");
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *pod = NULL;
	AUTO_FREE char *uid = NULL;
	struct provider *p;

	world_open(&(struct world_conf){ .devices = 2 });
	p = provider_start("provider", NULL);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	uid = pod_create("web", &(struct pod_conf){ .image = OLD });
	if ((pod = pod_runs("web", it_ms(), RUN_MS)) == NULL)
		return;
	change_image(uid);
	replace_pod(uid);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("update", scenario);
}
