/* SPDX-License-Identifier: ISC */
/*
 * bad_input: a device of 20 MiB, one with wrong types, a pod that asks for
 * what no device can give, an apiserver's answer cut in the middle: each is
 * told once, where it belongs, and all else goes on.
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

enum {
	DEVICES = 4,
	READY_MS = 20000,
	RUN_MS = 20000,
	TELL_MS = 40000,
};

static struct provider *provider;

/* One line of level warn or error names what; not one more comes later. */
static void
told_once(const char *what, const char *regex)
{
	size_t n;

	n = provider_await_lines(provider, regex, 1, TELL_MS);
	it_ok(n == 1, "%s: one line in the log (%zu)", what, n);
}

static void
runs(const char *name)
{
	free(pod_create(name, NULL));
	json_object_put(pod_runs(name, it_ms(), RUN_MS));
}

/* Only a simulated service can be made to send such devices. */
static void
bad_devices(void)
{
	if (world_kind() != WORLD_SIM) {
		it_skip("the real service sends no bad devices");
		return;
	}
	free(world_tell(SIM_FLIGHT, "oversize-device %s-1 %d", world_fleet(),
	    20 << 20));
	free(world_tell(SIM_FLIGHT, "garble-device %s-2", world_fleet()));
	told_once("a device of 20 MiB",
	    "\"level\":\"(warn|error)\".*bad-input-1");
	told_once("a device with wrong types",
	    "\"level\":\"(warn|error)\".*bad-input-2");
	runs("beside-bad-devices");
	free(world_tell(SIM_FLIGHT, "heal-device %s-1", world_fleet()));
	free(world_tell(SIM_FLIGHT, "heal-device %s-2", world_fleet()));
}

static int
is_refused(struct json_object *pod, void *field)
{
	return strcmp(js_str(pod, "/status/phase"), "Failed") == 0 &&
	    strstr(js_str(pod, "/status/message"), field) != NULL;
}

static int
has_event(struct json_object *set, void *field)
{
	struct json_object *e;
	struct lh_entry *at = NULL;
	unsigned int n = 0;

	while (js_next(set, &at, NULL, &e))
		n += strcmp(js_str(e, "/involvedObject/name"), "odd") == 0 &&
		    strstr(js_str(e, "/message"), field) != NULL;
	return n > 0;
}

static void
bad_pod(void)
{
	AUTO_JSON struct json_object *pod = NULL;
	char field[] = "spec.hostNetwork";

	free(pod_create("odd",
	    &(struct pod_conf){ .bound = 1, .spec = ",\"hostNetwork\":true" }));
	pod = kube_await_one(KUBE_PODS, "odd", is_refused, field, RUN_MS);
	it_ok(pod != NULL && is_refused(pod, field),
	    "a field that is refused fails the pod by its path (%s: %s)",
	    js_str(pod, "/status/phase"), js_str(pod, "/status/message"));
	it_ok(kube_await("/api/v1/namespaces/default/events", has_event, field,
		  RUN_MS),
	    "and an Event names the field");
	runs("beside-bad-pod");
}

static void
bad_answers(void)
{
	if (world_kind() != WORLD_SIM) {
		it_skip("the real apiserver cuts no answers");
		return;
	}
	free(world_tell(SIM_KUBE, "drop-watches"));
	free(world_tell(SIM_KUBE, "cut-next GET /api/v1/pods 200 3"));
	runs("beside-cut-answer");
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL;

	world_open(&(struct world_conf){ .devices = DEVICES });
	provider = provider_start("provider", NULL);
	provider_expect(provider, "bad-input-[12]|spec.hostNetwork");
	provider_expect(provider, "watch|GET /api/v1/pods");
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	runs("before");
	bad_devices();
	bad_pod();
	bad_answers();
	provider_judge(provider);
	it_ok(provider_stop(provider) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("bad-input", scenario);
}
