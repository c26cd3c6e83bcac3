/* SPDX-License-Identifier: ISC */
/*
 * edge_exit: how containers ended on one real device, with and without
 * spec.systemd.matchPatterns, which an administrator sets.  What kubectl
 * shows is compared with what the containers did; nothing of it is left when
 * they are gone, and a container that fails again and again is not held up.
 * Sidecars are stopped once all is over, and how they ended changes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/edge.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/kubectl.h"
#include "t/it/pod.h"
#include "t/it/provider.h"

#define PODS "t/edge/pods/exit.yaml"
#define JOBS "/apis/batch/v1/namespaces/default/jobs"
#define UNREPORTED "exit code not reported by the device"

enum {
	RUN_MS = 60000,
	LOOP_MS = 60000,
	GONE_MS = 15000,
	PUT_AGAIN_MS = 300,
};

/* -- what an administrator does -- */

static void
set_patterns(const char *patterns)
{
	AUTO_FREE char *path =
	    xasprintf("/api/v1/devices/%s", getenv("EDGE_ID"));
	struct json_object *device;
	int64_t since = it_ms();
	long status;

	do {
		device = flight_device(getenv("EDGE_ID"));
		json_object_object_add(js_get(device, "/spec"), "systemd",
		    js_make("{\"matchPatterns\":%s}", patterns));
		status = flight_put(path, device);
		if (status == 409)
			it_pause(PUT_AGAIN_MS);
	} while (status == 409 && it_ms() - since < RUN_MS);
	it_ok(status == 200, "spec.systemd.matchPatterns is %s", patterns);
}

/* -- what is told -- */

struct end {
	const char *pod, *list, *name, *state;
	int64_t code;
	const char *reason, *message;
};

static const struct end ends[] = {
	{ "zero", "container", "main", "state", 0, "Completed", "" },
	{ "three", "container", "main", "state", 3, "Error", "" },
	{ "loop", "container", "main", "lastState", 5, "Error", "" },
	{ "pair", "container", "first", "state", 0, "Completed", "" },
	{ "pair", "container", "second", "state", 7, "Error", "" },
	{ "part", "container", "once", "state", 0, "Completed", "" },
	{ "init", "initContainer", "setup", "state", 9, "Error", "" },
	{ "side-done", "container", "main", "state", 0, "Completed", "" },
	{ "side-done", "initContainer", "side", "state", 137, "Error", "" },
	{ "side-failed", "container", "first", "state", 0, "Completed", "" },
	{ "side-failed", "container", "second", "state", 4, "Error", "" },
	{ "side-failed", "initContainer", "side", "state", 0, "Completed", "" },
	{ "side-again", "initContainer", "two", "state", 8, "Error", "" },
	{ "side-init", "initContainer", "setup", "state", 9, "Error", "" },
};

static const struct end killed = { "killed", "container", "main", "state", 137,
	"Error", "" };
static const struct end unreported = { "three", "container", "main", "state", 1,
	"Error", UNREPORTED };

static int
has_ended(struct json_object *pod, void *arg)
{
	const struct end *e = arg;
	AUTO_FREE char *list = xasprintf("/status/%sStatuses", e->list);
	AUTO_FREE char *at = xasprintf("/%s/terminated", e->state);
	struct json_object *t = js_get(js_find(pod, list, "name", e->name), at);

	return t != NULL && js_int(t, "/exitCode") == e->code &&
	    strcmp(js_str(t, "/reason"), e->reason) == 0 &&
	    strcmp(js_str(t, "/message"), e->message) == 0;
}

static void
await(const struct end *e, int64_t since)
{
	AUTO_JSON struct json_object *pod = kube_await_one(KUBE_PODS, e->pod,
	    has_ended, (void *)(uintptr_t)e, RUN_MS);

	if (!it_took(since, pod != NULL && has_ended(pod, (void *)(uintptr_t)e),
		"pod %s, %s: %s: exit code %d, %s", e->pod, e->name, e->state,
		(int)e->code, e->reason))
		it_say("%s",
		    json_object_to_json_string(js_get(pod, "/status")));
}

static int
has_restarted(struct json_object *pod, void *arg)
{
	const int64_t *n = arg;

	return js_int(pod, "/status/containerStatuses/0/restartCount") >= *n;
}

/* Each end replaces the one before; the container starts again all the same. */
static void
loops(int64_t n)
{
	int64_t since = it_ms();
	AUTO_JSON struct json_object *pod =
	    kube_await_one(KUBE_PODS, "loop", has_restarted, &n, LOOP_MS);
	AUTO_FREE char *units =
	    edge_sh("systemctl list-units --all --no-legend 'vk-*-loop-*' | "
		    "wc -l");

	it_took(since, pod != NULL && has_restarted(pod, &n),
	    "pod loop has restarted %d times", (int)n);
	it_ok(strcmp(units, "1") == 0, "and one unit tells of it (%s)", units);
}

/* One of its containers has ended for good, the other runs. */
static int
is_partly_over(struct json_object *pod, void *arg)
{
	(void)arg;
	return strcmp(js_str(pod, "/status/phase"), "Running") == 0 &&
	    strcmp(js_condition(pod, "Ready"), "False") == 0 &&
	    js_get(js_find(pod, "/status/containerStatuses", "name", "steady"),
		"/state/running") != NULL;
}

static void
goes_on(void)
{
	AUTO_JSON struct json_object *pod =
	    kube_await_one(KUBE_PODS, "part", is_partly_over, NULL, RUN_MS);

	it_ok(pod != NULL && is_partly_over(pod, NULL),
	    "pod part runs on without it, not Ready");
}

/* -- sidecars -- */

static const struct phase {
	const char *pod, *phase;
} phases[] = {
	{ "side-done", "Succeeded" },
	{ "side-failed", "Failed" },
	{ "side-again", "Succeeded" },
	{ "side-crash", "Succeeded" },
	{ "side-init", "Failed" },
};

static int
has_phase(struct json_object *pod, void *arg)
{
	const struct phase *p = arg;

	return strcmp(js_str(pod, "/status/phase"), p->phase) == 0;
}

static int
is_complete(struct json_object *job, void *arg)
{
	(void)arg;
	return strcmp(js_condition(job, "Complete"), "True") == 0;
}

static void
await_phases(int64_t since)
{
	struct json_object *pod;
	size_t i;

	for (i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		void *p = (void *)(uintptr_t)&phases[i];

		pod = kube_await_one(KUBE_PODS, phases[i].pod, has_phase, p,
		    RUN_MS);
		if (!it_took(since, pod != NULL && has_phase(pod, p),
			"pod %s is %s", phases[i].pod, phases[i].phase))
			it_say("%s",
			    json_object_to_json_string(js_get(pod, "/status")));
		json_object_put(pod);
	}
}

/* Of pods whose names begin with side-. */
static void
none_runs(void)
{
	AUTO_FREE char *left = edge_sh(
	    "podman ps --filter label=vk.flightctl.io/pod --format '{{index "
	    ".Labels \"vk.flightctl.io/pod\"}} {{.Names}}' | grep ^side-");

	it_ok(*left == '\0', "no container of them runs any more (%.200s)",
	    left);
}

/* The second sidecar takes a second to end, the first waits for it. */
static void
in_reverse(void)
{
	AUTO_FREE char *said = edge_sh(
	    "journalctl -b -o cat | grep -o '^side-again: .* ends' | tail -2");

	it_ok(strcmp(said, "side-again: two ends\nside-again: one ends") == 0,
	    "sidecars end in reverse order (%s)", said);
}

/* Until the command prints nothing. */
static void
await_none(const char *command, const char *what)
{
	AUTO_FREE char *out = edge_sh("%s", command);
	int64_t since = it_ms();

	while (*out != '\0' && it_ms() - since < RUN_MS) {
		it_pause(PUT_AGAIN_MS);
		free(out);
		out = edge_sh("%s", command);
	}
	it_took(since, *out == '\0', "%s (%.300s)", what, out);
}

/*
 * What has ended while the provider is away stays on the device.  An agent that
 * comes back starts all units that it has.
 */
static struct provider *
end_alone(struct provider *p, const char *pods)
{
	static const struct phase late = { "side-late", "Succeeded" };
	void *arg = (void *)(uintptr_t)&late;
	struct json_object *pod;
	int64_t since = it_ms();

	kubectl("apply -f %s -l way=late", pods);
	pod =
	    kube_await_one(KUBE_PODS, "side-late", pod_is_ready, NULL, RUN_MS);
	it_took(since, pod != NULL && pod_is_ready(pod, NULL),
	    "pod side-late is Ready");
	json_object_put(pod);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	free(edge_sh("podman exec $(podman ps -q --filter name=-main$ "
		     "--filter label=vk.flightctl.io/pod=side-late) "
		     "touch /tmp/end"));
	await_none("podman ps -a --format '{{.Names}}' | grep side-late",
	    "without the provider it has ended, with all that held it");
	free(edge_sh("systemctl restart flightctl-agent"));
	await_none("journalctl -I -u flightctl-agent -o cat | grep -q 'Started "
		   "quadlet application: .*side-late' || echo not yet",
	    "the agent came back and has started its units");
	await_none("podman ps -a --format '{{.Names}}' | grep side-late",
	    "nothing of it runs again");
	p = provider_start("provider-again", NULL);
	since = it_ms();
	pod = kube_await_one(KUBE_PODS, "side-late", has_phase, arg, RUN_MS);
	it_took(since, pod != NULL && has_phase(pod, arg),
	    "pod side-late is Succeeded");
	json_object_put(pod);
	return p;
}

static void
with_sidecars(const char *pods)
{
	AUTO_JSON struct json_object *job = NULL;
	int64_t since = it_ms();
	size_t i;

	kubectl("apply -f %s -l way=sidecar", pods);
	await_phases(since);
	job = kube_await_one(JOBS, "side-job", is_complete, NULL, RUN_MS);
	it_took(since, job != NULL && is_complete(job, NULL),
	    "job side-job is Complete");
	none_runs();
	in_reverse();
	kubectl("delete --wait=false -f %s -l way=sidecar", pods);
	for (i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		it_took(since,
		    kube_await_gone(KUBE_PODS, phases[i].pod, GONE_MS),
		    "pod %s is gone", phases[i].pod);
}

/* -- nothing is left -- */

static int
tells_nothing(struct json_object *set, void *arg)
{
	struct json_object *device;
	struct lh_entry *at = NULL;
	size_t n = 0;

	(void)arg;
	while (js_next(set, &at, NULL, &device))
		n += js_len(device, "/status/systemd");
	return n == 0;
}

/* Without the administrator's leave the units are there, and nobody knows. */
static void
without(const char *pods)
{
	int64_t since = it_ms();

	kubectl("apply -f %s -l way=alone", pods);
	await(&unreported, since);
	kubectl("delete --wait=false -f %s -l way=alone", pods);
	it_took(since, kube_await_gone(KUBE_PODS, "three", GONE_MS),
	    "pod three is gone");
}

static void
scenario(void)
{
	AUTO_FREE char *pods = child_source(PODS);
	struct provider *p = edge_open(NULL);
	int64_t since;
	size_t i;

	if (p == NULL)
		return;
	without(pods);
	with_sidecars(pods);
	p = end_alone(p, pods);
	set_patterns("[\"vk-*\"]");
	since = it_ms();
	kubectl("apply -f %s", pods);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		await(&ends[i], since);
	goes_on();
	since = it_ms();
	free(edge_sh("podman kill $(podman ps -q "
		     "--filter label=vk.flightctl.io/pod=killed)"));
	await(&killed, since);
	loops(3);
	free(edge_sh("systemctl restart flightctl-agent"));
	loops(5);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		await(&ends[i], it_ms());
	kubectl("delete --wait=false -f %s", pods);
	edge_close(p);
	since = it_ms();
	it_took(since, flight_await(tells_nothing, NULL, GONE_MS),
	    "status.systemd tells of no end any more");
}

int
main(void)
{
	return it_run("edge-exit", scenario);
}
