/* SPDX-License-Identifier: ISC */
/*
 * health: what probes and Prometheus see: alive at once, ready when both
 * servers were listed, not ready while the apiserver is away, and the metrics
 * by their names.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/http.h"
#include "t/it/it.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/sanitized.h"
#include "t/it/world.h"

enum {
	READY_MS = 30000,
	RUN_MS = 30000,
	AWAY_MS = 60000,
	LOOK_MS = 100,
};

#define UP "vk_flightctl_worker_up{worker=\"flightside\"} "
#define RESTARTS "vk_flightctl_worker_restarts_total{worker=\"flightside\"} "
#define UNFILTERED                                            \
	"vk_flightctl_sandbox_missing{worker=\"flightside\"," \
	"layer=\"seccomp\"} "
#define TALLY                                                \
	"vk_flightctl_api_requests_total{api=\"flightctl\"," \
	"request=\"put_device\",result=\"ok\"} "

static const char *const names[] = { "vk_flightctl_pods_total",
	"vk_flightctl_pod_deployment_duration_seconds",
	"vk_flightctl_devices_total", "vk_flightctl_device_capacity",
	"vk_flightctl_reconcile_duration_seconds",
	"vk_flightctl_device_disconnections_total",
	"vk_flightctl_store_commits_total" };

static int
answers(struct http *h, const char *path, long status)
{
	struct http_answer a;
	long got;

	got = http_send(h, "GET", path, NULL, NULL, &a);
	http_answer_clear(&a);
	return got == status;
}

static void
look_at_metrics(struct http *h, const char *one_more)
{
	struct http_answer a;
	size_t i;

	it_ok(http_send(h, "GET", "/metrics", NULL, NULL, &a) == 200,
	    "/metrics answers");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		AUTO_FREE char *type = xasprintf("# TYPE %s ", names[i]);

		it_ok(strstr(a.body, type) != NULL, "%s is there", names[i]);
	}
	it_ok(strstr(a.body, one_more) != NULL, "%s", one_more);
	http_answer_clear(&a);
}

static int
comes_to_have(struct http *h, const char *line, int ms)
{
	int64_t until = it_ms() + ms;

	while (!http_metric(h, line)) {
		if (it_ms() > until)
			return 0;
		it_pause(LOOK_MS);
	}
	return 1;
}

/* The supervisor's word of its end, then its own of what it asked. */
static void
look_at_restart(struct provider *p, struct http *h)
{
	provider_expect(p, "flightside ended: signal 9");
	it_ok(comes_to_have(h, TALLY "1\n", RUN_MS),
	    "a key holder tells what it asked for");
	it_ok(http_metric(h, SANITIZED ? UNFILTERED "1\n" : UNFILTERED "0\n"),
	    "and which layers its kernel lacks");
	it_ok(http_metric(h, UP "1\n") && http_metric(h, RESTARTS "0\n"),
	    "flightside is up, and was not started again");
	kill(provider_worker(p, "flightside"), SIGKILL);
	it_ok(comes_to_have(h, RESTARTS "1\n", RUN_MS),
	    "killed, it was started again once");
	it_ok(comes_to_have(h, UP "1\n", RUN_MS), "and is up");
	it_ok(comes_to_have(h, TALLY "0\n", RUN_MS),
	    "its counters begin at 0 again");
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *pod = NULL;
	struct provider *p;
	struct http *h;

	world_open(&(struct world_conf){ .devices = 2 });
	p = provider_start("provider", NULL);
	h = provider_listener(p, READY_MS);
	it_ok(answers(h, "/healthz", 200), "/healthz answers at once");
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	it_ok(http_await(h, "/readyz", 200, READY_MS),
	    "/readyz is 200 when both were listed");
	free(pod_create("seen", NULL));
	pod = pod_runs("seen", it_ms(), RUN_MS);
	look_at_metrics(h, "vk_flightctl_pods_total{status=\"RUNNING\"} 1\n");
	look_at_restart(p, h);
	it_ok(answers(h, "/secret", 404), "other paths are 404");
	provider_expect(p,
	    "onnect|transfer closed|timed out|does not answer|SSL|"
	    ": 5[0-9][0-9]");
	world_kube(0);
	it_ok(http_await(h, "/readyz", 503, AWAY_MS),
	    "/readyz is 503 while the apiserver is away");
	it_ok(answers(h, "/healthz", 200), "/healthz is not");
	world_kube(1);
	it_ok(http_await(h, "/readyz", 200, AWAY_MS),
	    "/readyz is 200 when it is back");
	http_free(h);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("health", scenario);
}
