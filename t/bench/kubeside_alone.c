/* SPDX-License-Identifier: ISC */
/*
 * kubeside_alone.c: kubeside between an apiserver and this program, which
 * plays supervisor and placer: the status of pods is patched again and again.
 * The figure says how fast the placer's news can get to the apiserver.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/mono.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "ipc/chan.h"
#include "t/it/child.h"
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
	struct event_base *base;
	struct chan *control;
	struct chan *link;
	struct known *pods;
	size_t npods;
	size_t sent;
	size_t answered;
	int listed;
	uint64_t until;
	int64_t began_ms;
	pid_t pid;
} bench;

static void
say(enum msg_type type, const void *body, int fd)
{
	if (chan_send(bench.control, type, 0, body, fd) == -1)
		it_die("the control link takes nothing");
}

static void
give(const char *name, const char *value)
{
	struct body_config m = { 0 };

	snprintf(m.name, sizeof(m.name), "%s", name);
	snprintf(m.value, sizeof(m.value), "%s", value);
	say(MSG_CONFIG, &m, -1);
}

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
	if (chan_send(bench.link, MSG_POD_STATUS, chan_next_id(bench.link), &m,
		-1) == -1)
		it_die("the link takes nothing");
	bench.sent++;
}

static void
next_round(void)
{
	struct timeval soon = { 0, 100000 };
	size_t i, round = bench.sent / bench.npods;

	if (round == ROUNDS) {
		int64_t ms = now_read().boot_ms - bench.began_ms;

		printf("figure kubeside_status_rate %.0f 1/s\n",
		    (double)bench.answered * 1000 / (double)ms);
		say(MSG_STOP, &(struct body_none){ 0 }, -1);
		event_base_loopexit(bench.base, &soon);
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
on_link_frame(struct chan *c, struct frame *f, void *arg)
{
	static struct body_pod pod;
	struct body_writer writer;
	struct body_done done;

	(void)c;
	(void)arg;
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
on_over(struct chan *c, const char *text, void *arg)
{
	(void)c;
	(void)arg;
	(void)text;
	event_base_loopbreak(bench.base);
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
	if (chan_send(bench.link, MSG_NODE_FIGURES, 0, &m, -1) == -1)
		it_die("the link takes no figures");
}

static void
on_control_frame(struct chan *c, struct frame *f, void *arg)
{
	static const struct chan_ops ops = { on_link_frame, on_over, NULL };
	struct body_link link = { .peer = PROC_PLACER };
	int pair[2];

	(void)arg;
	if (f->type == MSG_HELLO) {
		say(MSG_GO, &(struct body_none){ 0 }, -1);
		chan_run(c);
	}
	if (f->type != MSG_READY)
		return;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		it_die("socketpair");
	bench.link = chan_open(bench.base, pair[0], PROC_PLACER, PROC_KUBESIDE,
	    &ops, NULL);
	say(MSG_LINK, &link, pair[1]);
	send_figures();
}

static void
spawn(void)
{
	static const struct chan_ops ops = { on_control_frame, on_over, NULL };
	AUTO_FREE char *program = child_program("kubeside");
	char *const *set;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		it_die("socketpair");
	if ((bench.pid = fork()) == -1)
		it_die("fork");
	if (bench.pid == 0) {
		if (dup2(pair[1], 3) == 3)
			execl(program, program, (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	bench.control = chan_open(bench.base, pair[0], PROC_SUPERVISOR,
	    PROC_KUBESIDE, &ops, NULL);
	for (set = world_settings(); *set != NULL; set++)
		if (strncmp(*set, "KUBECONFIG=", 11) == 0)
			give("KUBECONFIG", *set + 11);
	give("NODE_NAME", world_node());
}

static void
scenario(void)
{
	struct timeval tv = { PATIENCE_S, 0 };
	char name[16];
	int i, status;

	world_open(&(struct world_conf){ .devices = 1 });
	for (i = 0; i < PODS; i++) {
		snprintf(name, sizeof(name), "load-%d", i);
		free(pod_create(name, &(struct pod_conf){ .bound = 1 }));
	}
	bench.base = event_base_new();
	spawn();
	event_base_loopexit(bench.base, &tv);
	event_base_dispatch(bench.base);
	if (bench.answered == 0 || bench.answered != bench.sent)
		it_die("not all was answered");
	chan_free(bench.link);
	(void)chan_flush(bench.control, 1000);
	if (waitpid(bench.pid, &status, 0) != bench.pid || status != 0)
		it_die("kubeside did not end well");
	chan_free(bench.control);
	event_base_free(bench.base);
	free(bench.pods);
}

int
main(void)
{
	return it_run("bench", scenario);
}
