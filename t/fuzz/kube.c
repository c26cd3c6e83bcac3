/* SPDX-License-Identifier: ISC */
/*
 * kubeside's parts, as main.c has them for one node, before an apiserver that
 * says what the input says.  What the placer asks has one end each; a pod is
 * known only as it was shown on our node.
 *
 * A record: 'P' status, 'D' deletion, 'O' object of the pod of the seeds; 'E'
 * and a text: an Event; else an answer (server.c).
 */
#include <sys/mman.h>

#include <event2/event.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "common/mono.h"
#include "common/scan.h"
#include "kubeside/api.h"
#include "kubeside/calls.h"
#include "kubeside/cluster.h"
#include "kubeside/events.h"
#include "kubeside/feed.h"
#include "kubeside/former.h"
#include "kubeside/node.h"
#include "kubeside/pods.h"
#include "kubeside/purge.h"
#include "kubeside/serve.h"
#include "kubeside/writer.h"
#include "t/fuzz/server.h"
#include "t/fuzz/target.h"

enum {
	ASKS = 16,
	RESYNC_MS = 120000,
	PATIENCE_MS = 20000,
};

#define NODE "vk-flightctl"
#define UID "2e7d2c03-a911-4c21-8e04-0123456789ab"

static struct {
	struct calls *calls;
	struct events *events;
	struct writer *writer;
	uint64_t ended; /* a bit for each */
	uint64_t nasked;
} kube;

static const char kubeconfig[] =
    "{\"current-context\":\"a\",\"contexts\":[{\"name\":\"a\",\"context\":"
    "{\"cluster\":\"c\",\"user\":\"u\"}}],\"clusters\":[{\"name\":\"c\","
    "\"cluster\":{\"server\":\"http://127.0.0.1:1\"}}],\"users\":["
    "{\"name\":\"u\",\"user\":{\"token\":\"t\"}}]}";

static const struct settings *
settings(void)
{
	static struct settings s;
	char path[32];
	int fd;

	if (s.text[0] != NULL)
		return &s;
	fd = memfd_create("kubeconfig", 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must(write(fd, kubeconfig, sizeof(kubeconfig) - 1) ==
	    (ssize_t)sizeof(kubeconfig) - 1);
	settings_init(&s);
	must(settings_set(&s, SET_KUBECONFIG, path, NULL) == 0);
	return &s;
}

/* -- what they tell -- */

static void
on_state(int reachable, const char *text, void *arg)
{
	(void)arg;
	must(reachable || text[0] != '\0');
}

static void
on_replaced(void *arg)
{
	(void)arg;
}

static void
ends(uint64_t id)
{
	must(id < kube.nasked && !(kube.ended >> id & 1));
	kube.ended |= UINT64_C(1) << id;
}

static void
on_done(uint64_t id, const struct why *why, void *arg)
{
	(void)arg;
	must(why->kind == ERR_NONE || why->text[0] != '\0');
	ends(id);
}

static void
on_object(uint64_t id, struct span object, void *arg)
{
	(void)arg;
	(void)object;
	ends(id);
}

static int64_t
on_until(unsigned int node, void *arg)
{
	(void)node, (void)arg;
	return now_read().boot_ms + PATIENCE_MS;
}

static int64_t
on_node_until(void *arg)
{
	(void)arg;
	return writer_until(kube.writer);
}

static void
on_labels(struct span labels, void *arg)
{
	(void)arg;
	must(scan_is_valid(labels));
}

static void
on_event(const char *reason, const char *message, void *arg)
{
	(void)arg;
	must(reason[0] != '\0' && message[0] != '\0');
}

static void
on_held(int64_t until, void *arg)
{
	(void)until, (void)arg;
}

static void
on_released(void *arg)
{
	(void)arg;
}

static int
on_is_ours(const char *node, void *arg)
{
	(void)arg;
	return strcmp(node, NODE) == 0;
}

static void
on_former(struct span lines, void *arg)
{
	(void)arg;
	must(lines.len == 0 || lines.p[lines.len - 1] == '\n');
}

static void
on_purge_held(const char *node, int64_t until, void *arg)
{
	(void)node, (void)until, (void)arg;
}

static void
on_known(const char *id, void *arg)
{
	(void)arg;
	must(id[0] != '\0' && strlen(id) <= MAX_UID);
}

static void
on_unknown(const char *text, void *arg)
{
	(void)arg;
	must(text[0] != '\0');
}

/* -- what the placer asks -- */

static void
ask_status(uint64_t id)
{
	calls_status(kube.calls, id, 0,
	    &(struct body_pod_status){ .node = NODE,
		.until_boot = (uint64_t)now_read().boot_ms + PATIENCE_MS,
		.ns = "default",
		.name = "p",
		.uid = UID,
		.status = span_of("{\"phase\":\"Running\"}") });
}

static void
ask_delete(uint64_t id)
{
	calls_delete(kube.calls, id, 0,
	    &(struct body_pod_delete){ .node = NODE,
		.until_boot = (uint64_t)now_read().boot_ms + PATIENCE_MS,
		.ns = "default",
		.name = "p",
		.uid = UID,
		.grace_s = 0 });
}

static void
ask_object(uint64_t id)
{
	calls_object(kube.calls, id,
	    &(struct body_get_object){ .kind = OBJECT_CONFIGMAP,
		.pod_uid = UID,
		.ns = "default",
		.name = "shop" });
}

static void
post(struct span text)
{
	struct body_event m = { .node = NODE, .reason = "Fuzzed" };
	size_t len = strnlen(text.p, text.len);

	memcpy(m.message, text.p,
	    len < sizeof(m.message) ? len : sizeof(m.message) - 1);
	events_post(kube.events, &m);
}

static int
take(struct span record, void *arg)
{
	static const struct {
		char is;
		void (*ask)(uint64_t);
	} rows[] = { { 'P', ask_status }, { 'D', ask_delete },
		{ 'O', ask_object } };
	size_t i;

	(void)arg;
	if (record.len == 0)
		return 0;
	if (record.p[0] == 'E') {
		post((struct span){ record.p + 1, record.len - 1 });
		return 1;
	}
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].is == record.p[0] && kube.nasked < ASKS)
			rows[i].ask(kube.nasked++);
	return strchr("PDO", record.p[0]) != NULL;
}

/* -- all of it -- */

static const struct api_ops api_ops = { on_state, on_replaced };
static const struct calls_ops calls_ops = { on_done, on_object, on_until };
static const struct node_ops node_ops = { on_node_until, on_labels, on_event };
static const struct writer_ops writer_ops = { on_held, on_released, NULL };
static const struct former_ops former_ops = { on_is_ours, on_former };
static const struct purge_ops purge_ops = { on_purge_held, on_released };
static const struct cluster_ops cluster_ops = { on_known, on_unknown };
static const struct serve_ops serve_ops;

static void
fuzz_kube(struct span input)
{
	struct event_base *base = event_base_new();
	struct pods *pods = pods_new();
	struct serve *serve = serve_new(base, &serve_ops);
	struct api *api = api_new(base, settings(), 2, &api_ops, NULL);
	struct feed *feed = feed_new(base, api, pods, serve,
	    &(struct feed_conf){ NODE, 0, RESYNC_MS, "shop" });
	struct node *node = node_new(base, api,
	    &(struct node_conf){ NODE, "shop", "", "", "", PATIENCE_MS,
		RESYNC_MS },
	    &node_ops, NULL);
	struct former *former = former_new(base, api,
	    &(struct former_conf){ "ns", "us", RESYNC_MS, PATIENCE_MS },
	    &former_ops, NULL);
	struct purge *purge =
	    purge_new(base, api, "ns", "us", &purge_ops, NULL);
	struct cluster *cluster = cluster_new(base, api, &cluster_ops, NULL);

	memset(&kube, 0, sizeof(kube));
	kube.writer = writer_new(base, api,
	    &(struct writer_conf){ "ns", NODE, "us", "shop" }, &writer_ops,
	    NULL);
	kube.calls = calls_new(base, api, pods, &calls_ops, NULL);
	kube.events = events_new(base, api);
	feed_start(feed);
	node_start(node);
	node_placer(node, 1);
	writer_start(kube.writer);
	former_start(former);
	cluster_ask(cluster);
	purge_node(purge, "vk-old", 1);
	server_play(base, input, take, NULL);
	must(pods_count(pods) <= MAX_PODS);
	serve_free(serve);
	calls_free(kube.calls);
	events_free(kube.events);
	former_free(former);
	purge_free(purge);
	feed_free(feed);
	node_free(node);
	writer_free(kube.writer);
	cluster_free(cluster);
	api_free(api);
	pods_free(pods);
	event_base_free(base);
}

TARGET(kube, fuzz_kube);
