/* SPDX-License-Identifier: ISC */
/*
 * kubeside_alone.c: kubeside between an apiserver and this program, which
 * plays supervisor and placer: the status of pods is patched again and again.
 * The figure says how fast the placer's news can get to the apiserver.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/mono.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "t/bench/alone.h"
#include "t/it/it.h"
#include "t/it/pod.h"
#include "t/it/world.h"

enum {
	PODS = 200,
	ROUNDS = 20,
	PATIENCE_S = 60,
};

struct known {
	char ns[MAX_NAMESPACE + 1];
	char name[MAX_NAME + 1];
	char uid[MAX_UID + 1];
};

static struct {
	struct known *pods;
	size_t npods;
	size_t sent;
	size_t answered;
	int listed;
	uint64_t until;
	int64_t began_ms;
} bench;

static void
patch(const struct known *pod, size_t round)
{
	struct body_pod_status m = { .until_boot = bench.until };
	char status[512];

	snprintf(m.node, sizeof(m.node), "%s", world_node());
	memcpy(m.ns, pod->ns, sizeof(m.ns));
	memcpy(m.name, pod->name, sizeof(m.name));
	memcpy(m.uid, pod->uid, sizeof(m.uid));
	snprintf(status, sizeof(status),
	    "{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\","
	    "\"status\":\"%s\",\"reason\":\"r%zu\"}]}",
	    round % 2 ? "True" : "False", round);
	m.status = span_of(status);
	alone_say(MSG_POD_STATUS, &m);
	bench.sent++;
}

static void
next_round(void)
{
	size_t i, round = bench.sent / bench.npods;

	if (round == ROUNDS) {
		int64_t ms = now_read().boot_ms - bench.began_ms;

		printf("figure kubeside_status_rate %.0f 1/s\n",
		    (double)bench.answered * 1000 / (double)ms);
		alone_stop();
		return;
	}
	for (i = 0; i < bench.npods; i++)
		patch(&bench.pods[i], round);
}

static void
maybe_begin(void)
{
	if (!bench.listed || bench.until == 0 || bench.began_ms != 0 ||
	    bench.npods < PODS)
		return;
	bench.began_ms = now_read().boot_ms;
	next_round();
}

static void
on_pod(const struct body_pod *m)
{
	struct known *k;

	if (m->how != POD_LISTED && m->how != POD_ADDED)
		return;
	bench.pods =
	    xreallocarray(bench.pods, bench.npods + 1, sizeof(*bench.pods));
	k = &bench.pods[bench.npods++];
	if (scan_get_string(m->object, k->ns, sizeof(k->ns), "metadata",
		"namespace", NULL) != 1 ||
	    scan_get_string(m->object, k->name, sizeof(k->name), "metadata",
		"name", NULL) != 1 ||
	    scan_get_string(m->object, k->uid, sizeof(k->uid), "metadata",
		"uid", NULL) != 1)
		it_die("a pod without a name");
}

static void
on_frame(struct frame *f)
{
	static struct body_pod pod;
	struct body_writer writer;
	struct body_done done;

	switch ((int)f->type) {
	case MSG_WRITER:
		body_writer_get(f->body, &writer);
		bench.until = writer.until_boot;
		break;
	case MSG_PODS_BEGIN:
		bench.npods = 0;
		break;
	case MSG_POD:
		body_pod_get(f->body, &pod);
		on_pod(&pod);
		break;
	case MSG_PODS_END:
		bench.listed = 1;
		break;
	case MSG_DONE:
		body_done_get(f->body, &done);
		if (done.kind != ERR_NONE)
			it_die("%s %s", why_name((enum why_kind)done.kind),
			    done.text);
		if (++bench.answered == bench.sent)
			next_round();
		break;
	default:
		break;
	}
	maybe_begin();
}

static void
send_figures(void)
{
	struct body_node_figures m = { .capacity_cpu_m = 8000,
		.capacity_memory = 16ULL << 30,
		.capacity_pods = 10000,
		.allocatable_cpu_m = 7500,
		.allocatable_memory = 15ULL << 30,
		.allocatable_pods = 10000,
		.devices = 2,
		.devices_ready = 2,
		.flightctl = FLIGHT_ANSWERS };

	snprintf(m.node, sizeof(m.node), "%s", world_node());
	snprintf(m.arch, sizeof(m.arch), "amd64");
	alone_say(MSG_NODE_FIGURES, &m);
}

static void
scenario(void)
{
	static const struct alone_ops ops = { send_figures, on_frame };
	AUTO_FREE char *node = NULL, *kubeconfig = NULL;
	char name[16];
	int i;

	world_open(&(struct world_conf){ .devices = 1 });
	for (i = 0; i < PODS; i++) {
		snprintf(name, sizeof(name), "load-%d", i);
		free(pod_create(name, &(struct pod_conf){ .bound = 1 }));
	}
	node = xasprintf("NODE_NAME=%s", world_node());
	kubeconfig = xasprintf("KUBECONFIG=%s", getenv("KUBECONFIG"));
	alone_run(PROC_KUBESIDE, (const char *[]){ node, kubeconfig, NULL },
	    &ops, PATIENCE_S);
	free(bench.pods);
}

int
main(void)
{
	return it_run("bench", scenario);
}
