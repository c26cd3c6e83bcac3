/* SPDX-License-Identifier: ISC */
/*
 * kubeside.c: kubeside alone, between an apiserver and this program, which
 * plays supervisor and placer: pods are listed, their status is patched, the
 * figure is patches a second.
 *	KUBECONFIG=FILE kubeside PROGRAM PODS ROUNDS
 * PODS pods bound to node vk-flightctl-bench must be there.
 */
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mono.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "ipc/build.h"
#include "ipc/chan.h"

enum {
	PATIENCE_S = 120,
};

#define NODE "vk-flightctl-bench"

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
	size_t wanted;
	size_t rounds;
	size_t sent;
	size_t answered;
	size_t failed;
	int listed;
	uint64_t until;
	int64_t began_ms;
	pid_t pid;
} bench;

static void
die(const char *text)
{
	fprintf(stderr, "bench: %s\n", text);
	if (bench.pid > 0)
		kill(bench.pid, SIGKILL);
	exit(1);
}

static void
say(enum msg_type type, const void *body, int fd)
{
	if (chan_send(bench.control, type, 0, body, fd) == -1)
		die("the control link takes nothing");
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

	snprintf(m.node, sizeof(m.node), "%s", NODE);
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
		die("the link takes nothing");
	bench.sent++;
}

static void
next_round(void)
{
	struct timeval soon = { 0, 100000 };
	size_t i, round = bench.sent / bench.npods;

	if (round == bench.rounds) {
		int64_t ms = now_read().boot_ms - bench.began_ms;

		printf("figure kubeside_status_rate %.0f /s (%zu, %zu "
		       "failed)\n",
		    (double)bench.answered * 1000 / (double)ms, bench.answered,
		    bench.failed);
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
	    bench.npods < bench.wanted)
		return;
	fprintf(stderr, "bench: %zu pods\n", bench.npods);
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
		die("a pod without a name");
}

static void
on_link_frame(struct chan *c, struct frame *f, void *arg)
{
	static struct body_pod pod;
	struct body_kube_state state;
	struct body_writer writer;
	struct body_done done;

	(void)c;
	(void)arg;
	switch ((int)f->type) {
	case MSG_KUBE_STATE:
		body_kube_state_get(f->body, &state);
		fprintf(stderr, "bench: reachable %u cluster %s %s\n",
		    state.reachable, state.cluster, state.text);
		break;
	case MSG_WRITER:
		body_writer_get(f->body, &writer);
		if (bench.until == 0 || writer.until_boot == 0)
			fprintf(stderr, "bench: writer until %llu\n",
			    (unsigned long long)writer.until_boot);
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
		if (done.kind != ERR_NONE && bench.failed++ < 5)
			fprintf(stderr, "bench: %s %s\n",
			    why_name((enum why_kind)done.kind), done.text);
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
	fprintf(stderr, "bench: link over: %s\n", text);
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
		.flightctl_reachable = 1 };

	snprintf(m.node, sizeof(m.node), "%s", NODE);
	snprintf(m.arch, sizeof(m.arch), "amd64");
	if (chan_send(bench.link, MSG_NODE_FIGURES, 0, &m, -1) == -1)
		die("the link takes no figures");
}

static void
on_control_frame(struct chan *c, struct frame *f, void *arg)
{
	static const struct chan_ops ops = { on_link_frame, on_over, NULL };
	struct body_link link = { .peer = PROC_PLACER };
	struct body_log line;
	int pair[2];

	(void)arg;
	if (f->type == MSG_HELLO) {
		say(MSG_GO, &(struct body_none){ 0 }, -1);
		chan_run(c);
	}
	if (f->type == MSG_LOG && body_log_get(f->body, &line) == 0)
		log_relay("kubeside", &line);
	if (f->type != MSG_READY)
		return;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		die("socketpair");
	bench.link = chan_open(bench.base, pair[0], PROC_PLACER, PROC_KUBESIDE,
	    &ops, NULL);
	say(MSG_LINK, &link, pair[1]);
	send_figures();
}

static void
spawn(const char *program)
{
	static const struct chan_ops ops = { on_control_frame, on_over, NULL };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		die("socketpair");
	if ((bench.pid = fork()) == -1)
		die("fork");
	if (bench.pid == 0) {
		if (dup2(pair[1], 3) == 3)
			execl(program, program, (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	bench.control = chan_open(bench.base, pair[0], PROC_SUPERVISOR,
	    PROC_KUBESIDE, &ops, NULL);
	give("KUBECONFIG", getenv("KUBECONFIG"));
	give("NODE_NAME", NODE);
	give("LOG_LEVEL",
	    getenv("LOG_LEVEL") == NULL ? "info" : getenv("LOG_LEVEL"));
}

int
main(int argc, char *argv[])
{
	struct timeval tv = { PATIENCE_S, 0 };
	int status;

	if (argc != 4 || getenv("KUBECONFIG") == NULL) {
		fprintf(stderr,
		    "usage: KUBECONFIG=FILE kubeside PROGRAM PODS ROUNDS\n");
		return 2;
	}
	log_init("bench");
	log_set_level(LOG_LEVEL_DEBUG);
	bench.base = event_base_new();
	bench.wanted = strtoul(argv[2], NULL, 10);
	bench.rounds = strtoul(argv[3], NULL, 10);
	spawn(argv[1]);
	event_base_loopexit(bench.base, &tv);
	event_base_dispatch(bench.base);
	if (getenv("HOLD") != NULL)
		pause();
	if (bench.answered == 0 || bench.answered != bench.sent)
		die("not all was answered");
	chan_free(bench.link);
	(void)chan_flush(bench.control, 1000);
	if (waitpid(bench.pid, &status, 0) != bench.pid || status != 0)
		die("kubeside did not end well");
	chan_free(bench.control);
	return 0;
}
