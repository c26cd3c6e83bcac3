/* SPDX-License-Identifier: ISC */
/*
 * kubeside's parts, as main.c has them for one node, before an apiserver that
 * says what the input says.  What the placer asks has one end each; a pod is
 * known only as it was shown on our node.
 *
 * A record begins with a letter of asks[], or is an answer (server.c).
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
	MANY = 700,
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define NODE "vk-flightctl"
#define OLD "vk-old"
#define UID "2e7d2c03-a911-4c21-8e04-0123456789ab"

static struct {
	struct calls *calls;
	struct events *events;
	struct writer *writer;
	struct feed *feed;
	struct node *node;
	struct former *former;
	struct purge *purge;
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
look_again(void)
{
	node_again(kube.node);
	feed_again(kube.feed);
	purge_again(kube.purge);
	former_start(kube.former);
}

static void
on_state(int reachable, const char *text, void *arg)
{
	(void)arg;
	must(reachable || text[0] != '\0');
	if (reachable && kube.feed != NULL)
		look_again();
}

static void
on_replaced(void *arg)
{
	(void)arg;
	if (kube.feed != NULL)
		look_again();
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
	target_say("former", lines.len > 0 ? "some" : "none");
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
ask_status(struct span rest)
{
	(void)rest;
	calls_status(kube.calls, kube.nasked++, 0,
	    &(struct body_pod_status){ .node = NODE,
		.until_boot = (uint64_t)now_read().boot_ms + PATIENCE_MS,
		.ns = "default",
		.name = "p",
		.uid = UID,
		.status = span_of("{\"phase\":\"Running\"}") });
}

/* Of its own grace, when something follows. */
static void
ask_delete(struct span rest)
{
	calls_delete(kube.calls, kube.nasked++, 0,
	    &(struct body_pod_delete){ .node = NODE,
		.until_boot = (uint64_t)now_read().boot_ms + PATIENCE_MS,
		.ns = "default",
		.name = "p",
		.uid = UID,
		.grace_s = rest.len > 0 ? NO_GRACE : 0 });
}

/* Its ConfigMap, its Secret, itself, or what it does not name. */
static void
ask_object(struct span rest)
{
	static const struct {
		enum object_kind kind;
		const char *name;
	} rows[] = { { OBJECT_CONFIGMAP, "shop" }, { OBJECT_SECRET, "s" },
		{ OBJECT_POD, "p" }, { OBJECT_SECRET, "other" } };
	size_t i = rest.len < COUNT(rows) ? rest.len : 0;
	struct body_get_object m = { .kind = rows[i].kind,
		.pod_uid = UID,
		.ns = "default" };

	memcpy(m.name, rows[i].name, strlen(rows[i].name));
	calls_object(kube.calls, kube.nasked++, &m);
}

static void
post(struct span text)
{
	struct body_event m = { .node = NODE, .reason = "Fuzzed" };
	size_t len = strnlen(text.p, text.len);

	m.warning = len > 0 && text.p[0] == '!';
	memcpy(m.message, text.p,
	    len < sizeof(m.message) ? len : sizeof(m.message) - 1);
	events_post(kube.events, &m);
}

/* More at once than are kept. */
static void
post_many(struct span text)
{
	struct body_event m = { .node = NODE, .reason = "Fuzzed" };
	unsigned int i;

	for (i = 0; i < MANY; i++) {
		m.warning = text.len > 0;
		(void)snprintf(m.message, sizeof(m.message), "%u", i);
		events_post(kube.events, &m);
	}
}

static void
tell_figures(struct span rest)
{
	struct body_node_figures m = { .node = NODE,
		.capacity_cpu_m = rest.len,
		.flightctl = rest.len > 0 && rest.p[0] == '!' ? FLIGHT_SILENT :
								FLIGHT_ANSWERS,
		.arch = "amd64" };

	node_figures(kube.node, &m);
}

static void
lose_placer(struct span rest)
{
	(void)rest;
	calls_unlink(kube.calls);
	purge_release(kube.purge);
	feed_stop(kube.feed);
	node_placer(kube.node, 0);
	kube.ended = (UINT64_C(1) << kube.nasked) - 1;
}

static void
find_placer(struct span rest)
{
	(void)rest;
	former_tell(kube.former);
	node_placer(kube.node, 1);
	feed_start(kube.feed);
	if (former_is_others(kube.former, OLD))
		purge_node(kube.purge, OLD, 1);
}

static void
look(struct span rest)
{
	if (rest.len > 0)
		look_again();
	else
		node_look(kube.node);
}

static const struct {
	char is;
	void (*ask)(struct span);
} asks[] = {
	{ 'P', ask_status },
	{ 'D', ask_delete },
	{ 'O', ask_object },
	{ 'E', post },
	{ 'M', post_many },
	{ 'F', tell_figures },
	{ 'L', lose_placer },
	{ 'B', find_placer },
	{ 'N', look },
};

static int
take(struct span record, void *arg)
{
	size_t i;

	(void)arg;
	for (i = 0; record.len > 0 && i < COUNT(asks); i++) {
		if (asks[i].is != record.p[0])
			continue;
		if (kube.nasked < ASKS)
			asks[i].ask(
			    (struct span){ record.p + 1, record.len - 1 });
		return 1;
	}
	return 0;
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
	struct cluster *cluster = cluster_new(base, api, &cluster_ops, NULL);

	memset(&kube, 0, sizeof(kube));
	kube.feed = feed_new(base, api, pods, serve,
	    &(struct feed_conf){ NODE, 0, RESYNC_MS, "shop" });
	kube.node = node_new(base, api,
	    &(struct node_conf){ NODE, "shop", "", "", "", PATIENCE_MS,
		RESYNC_MS },
	    &node_ops, NULL);
	kube.former = former_new(base, api,
	    &(struct former_conf){ "ns", "us", RESYNC_MS, PATIENCE_MS },
	    &former_ops, NULL);
	kube.purge = purge_new(base, api, "ns", "us", &purge_ops, NULL);
	kube.writer = writer_new(base, api,
	    &(struct writer_conf){ "ns", NODE, "us", "shop" }, &writer_ops,
	    NULL);
	kube.calls = calls_new(base, api, pods, &calls_ops, NULL);
	kube.events = events_new(base, api);
	feed_start(kube.feed);
	node_start(kube.node);
	node_placer(kube.node, 1);
	writer_start(kube.writer);
	former_start(kube.former);
	cluster_ask(cluster);
	purge_node(kube.purge, OLD, 1);
	server_play(base, input, take, NULL);
	must(pods_count(pods) <= MAX_PODS);
	must(pods_by_uid(pods, UID) == NULL ||
	    pods_has(pods, pods_by_uid(pods, UID)->ns,
		pods_by_uid(pods, UID)->name, UID));
	serve_free(serve);
	calls_free(kube.calls);
	events_free(kube.events);
	former_free(kube.former);
	purge_free(kube.purge);
	feed_free(kube.feed);
	node_free(kube.node);
	writer_free(kube.writer);
	cluster_free(cluster);
	api_free(api);
	pods_free(pods);
	event_base_free(base);
}

TARGET(kube, fuzz_kube);
