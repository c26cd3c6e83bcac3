/* SPDX-License-Identifier: ISC */
/*
 * main.c: kubeside, the only holder of the apiserver's credentials.
 *
 * Owns the parts and how they hear of each other: the link to the placer, the
 * virtual nodes, the server's coming and going.  Never decides about a pod.
 */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/boot.h"
#include "common/form.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/report.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "kubeside/api.h"
#include "kubeside/calls.h"
#include "kubeside/check.h"
#include "kubeside/cluster.h"
#include "kubeside/events.h"
#include "kubeside/feed.h"
#include "kubeside/former.h"
#include "kubeside/identity.h"
#include "kubeside/node.h"
#include "kubeside/pods.h"
#include "kubeside/purge.h"
#include "kubeside/serve.h"
#include "kubeside/writer.h"

/* One virtual node and all that goes on for it. */
struct seat {
	unsigned int index;
	struct fleet_node id;
	struct feed *feed;
	struct node *node;
	struct writer *writer;
	int64_t held; /* boot time until which we are its writer */
};

static struct {
	struct event_base *base;
	const struct settings *settings;
	struct api *api;
	struct pods *pods;
	struct calls *calls;
	struct events *events;
	struct serve *serve;
	struct report *report;
	struct former *former;
	struct purge *purge;
	struct seat seats[MAX_NODES];
	unsigned int nseats;
	struct cluster *cluster;
	char id[MAX_UID + 1]; /* of the cluster, "": not known yet */
	struct event *end_timer;
	int reachable;
	int away; /* it was reachable */
	char text[MAX_TEXT + 1];
	int stopping;
	unsigned int unreleased;
} kube;

enum {
	PLACER_AWAY_MS = 10000, /* a restart of the placer is no news */
	LEASE_PATIENCE_MS = 20000,
	STOP_MS = 2000, /* for Leases to be given back */
};

#define EACH_SEAT(s) \
	for ((s) = kube.seats; (s) < kube.seats + kube.nseats; (s)++)

static struct seat *
seat_of(const char *node)
{
	struct seat *s;

	EACH_SEAT(s)
		if (strcmp(s->id.node, node) == 0)
			return s;
	return NULL;
}

/* The id of the cluster is part of every mark: without it nothing begins. */
static void
tell_state(void)
{
	serve_state(kube.serve, kube.reachable && kube.id[0] != '\0', kube.id,
	    kube.text);
}

static void
set_text(const char *text)
{
	size_t len = strnlen(text, sizeof(kube.text) - 1);

	memcpy(kube.text, text, len);
	kube.text[len] = '\0';
}

static int64_t
on_until(void *arg)
{
	const struct seat *s = arg;

	return writer_until(s->writer);
}

static void
on_labels(struct span labels, void *arg)
{
	const struct seat *s = arg;

	serve_node(kube.serve, s->id.node, labels);
}

static void
on_node_event(const char *reason, const char *message, void *arg)
{
	const struct seat *s = arg;
	struct body_event m = { .warning = 1 };

	memcpy(m.node, s->id.node, sizeof(m.node));
	if (strlen(reason) >= sizeof(m.reason) ||
	    strlen(message) >= sizeof(m.message))
		abort();
	memcpy(m.reason, reason, strlen(reason) + 1);
	memcpy(m.message, message, strlen(message) + 1);
	events_post(kube.events, &m);
}

/* Before the placer hears that it decides. */
static void
tell_orders(const struct seat *s)
{
	serve_orders(kube.serve, s->id.node, writer_orders(s->writer));
}

static void
on_held(int64_t until, void *arg)
{
	struct seat *s = arg;
	int fresh = until != 0 && now_read().boot_ms >= s->held;

	s->held = until;
	if (fresh)
		tell_orders(s);
	serve_writer(kube.serve, s->id.node, until);
	if (fresh)
		node_look(s->node);
}

static void
on_released(void *arg)
{
	(void)arg;
	if (--kube.unreleased == 0)
		xevent_in(kube.end_timer, 0);
}

/* -- of nodes that we do not serve -- */

static int
on_is_ours(const char *node, void *arg)
{
	(void)arg;
	return seat_of(node) != NULL;
}

static void
on_former(struct span lines, void *arg)
{
	(void)arg;
	serve_former(kube.serve, lines);
}

static void
on_purge_held(const char *node, int64_t until, void *arg)
{
	(void)arg;
	serve_writer(kube.serve, node, until);
}

static void
on_purge_released(void *arg)
{
	if (kube.stopping)
		on_released(arg);
}

static void
asked_purge(const struct body_purge *m)
{
	if (seat_of(m->node) == NULL && !kube.stopping &&
	    form_is_subdomain(span_of(m->node)) &&
	    !former_is_others(kube.former, m->node))
		purge_node(kube.purge, m->node, m->on != 0);
}

static void
asked_keep(const struct body_orders *m)
{
	const struct seat *s = seat_of(m->node);

	if (s != NULL && !kube.stopping)
		writer_keep(s->writer, m->orders);
}

static void
on_done(uint64_t id, const struct why *why, void *arg)
{
	(void)arg;
	serve_done(kube.serve, id, why);
}

static unsigned int
on_others(void *arg)
{
	const struct seat *me = arg, *s;
	unsigned int n = 0;

	EACH_SEAT(s)
		n += s != me && writer_has(s->writer);
	return n;
}

static void
on_object(uint64_t id, struct span object, void *arg)
{
	(void)arg;
	serve_object(kube.serve, id, object);
}

static int64_t
on_write_until(unsigned int node, void *arg)
{
	(void)arg;
	return writer_until(kube.seats[node].writer);
}

static void
refuse_node(uint64_t id, const char *node)
{
	struct why why;

	fail(&why, ERR_DENIED, "%s: not a node of ours", node);
	serve_done(kube.serve, id, &why);
}

static void
asked_status(uint64_t id, const struct body_pod_status *m)
{
	const struct seat *s = seat_of(m->node);

	if (s == NULL)
		refuse_node(id, m->node);
	else
		calls_status(kube.calls, id, s->index, m);
}

static void
asked_delete(uint64_t id, const struct body_pod_delete *m)
{
	const struct seat *s = seat_of(m->node);

	if (s == NULL)
		refuse_node(id, m->node);
	else
		calls_delete(kube.calls, id, s->index, m);
}

static void
asked_object(uint64_t id, const struct body_get_object *m)
{
	struct why why;

	if (m->kind == OBJECT_SECRET &&
	    strcmp(kube.settings->text[SET_SECRETS], "inline") != 0) {
		fail(&why, ERR_DENIED, "%s/%s: only with SECRETS=inline", m->ns,
		    m->name);
		serve_done(kube.serve, id, &why);
		return;
	}
	calls_object(kube.calls, id, m);
}

static void
asked_event(const struct body_event *m)
{
	const struct seat *s = seat_of(m->node);

	if (m->pod_name[0] != '\0' &&
	    !pods_has(kube.pods, m->ns, m->pod_name, m->uid))
		return;
	/* Two replicas must not both tell what one of them did. */
	if (s != NULL && now_read().boot_ms < writer_until(s->writer))
		events_post(kube.events, m);
}

static void
asked_figures(const struct body_node_figures *m)
{
	const struct seat *s = seat_of(m->node);

	if (s != NULL)
		node_figures(s->node, m);
}

static void
on_closed(void)
{
	struct seat *s;

	calls_unlink(kube.calls);
	purge_release(kube.purge); /* until the placer says it again */
	EACH_SEAT(s) {
		feed_stop(s->feed);
		node_placer(s->node, 0);
	}
}

static void
on_drained(void)
{
	struct seat *s;

	EACH_SEAT(s)
		feed_go_on(s->feed);
}

static void
on_link(enum proc peer, int fd)
{
	struct seat *s;

	(void)peer;
	serve_open(kube.serve, fd);
	tell_state();
	former_tell(kube.former);
	EACH_SEAT(s) {
		if (writer_until(s->writer) != 0)
			tell_orders(s);
		serve_writer(kube.serve, s->id.node, writer_until(s->writer));
		node_placer(s->node, 1);
		if (kube.id[0] != '\0')
			feed_start(s->feed);
	}
}

static void
begin_seats(void)
{
	struct seat *s;

	EACH_SEAT(s) {
		writer_start(s->writer);
		node_start(s->node);
		if (serve_is_open(kube.serve))
			feed_start(s->feed);
	}
	former_start(kube.former);
}

static void
on_cluster(const char *id, void *arg)
{
	(void)arg;
	memcpy(kube.id, id, strnlen(id, MAX_UID));
	kube.reachable = 1;
	set_text("");
	tell_state();
	begin_seats();
}

static void
on_no_cluster(const char *text, void *arg)
{
	(void)arg;
	set_text(text);
	tell_state();
}

static void
on_state(int reachable, const char *text, void *arg)
{
	struct seat *s;

	(void)arg;
	/* Why it is not there from the start was said by who noticed. */
	kube.away = !reachable && (kube.reachable || kube.away);
	if (kube.away)
		log_line(LOG_LEVEL_WARN, &(struct log_about){ .error = text },
		    "the apiserver does not answer");
	else if (reachable)
		log_info("the apiserver answers");
	kube.reachable = reachable;
	set_text(text);
	tell_state();
	if (!reachable || kube.id[0] == '\0' || kube.stopping)
		return;
	EACH_SEAT(s) {
		writer_again(s->writer);
		node_again(s->node);
		feed_again(s->feed);
	}
	purge_again(kube.purge);
	former_start(kube.former);
}

static void
on_replaced(void *arg)
{
	struct seat *s;

	(void)arg;
	if (kube.id[0] == '\0' || kube.stopping)
		return;
	log_info("the apiserver may be another now: watches begin again");
	EACH_SEAT(s) {
		node_again(s->node);
		feed_again(s->feed);
	}
}

static void
seat_open(struct seat *s, const char *identity)
{
	static const struct node_ops node_ops = { on_until, on_labels,
		on_node_event };
	static const struct writer_ops writer_ops = { on_held, on_released,
		on_others };
	const struct settings *set = kube.settings;
	struct node_conf conf = { .name = s->id.node,
		.fleet = s->id.fleet,
		.zone = set->text[SET_NODE_ZONE],
		.arch = set->text[SET_FLEET_ARCH],
		.keys = set->text[SET_NODE_DEVICE_KEYS],
		.away_ms = PLACER_AWAY_MS,
		.grace_ms = set->number[SET_PLACER_GRACE] };

	s->feed = feed_new(kube.base, kube.api, kube.pods, kube.serve,
	    &(struct feed_conf){ s->id.node, s->index,
		set->number[SET_RESYNC_INTERVAL], s->id.fleet });
	s->node = node_new(kube.base, kube.api, &conf, &node_ops, s);
	s->writer = writer_new(kube.base, kube.api,
	    &(struct writer_conf){ set->text[SET_NAMESPACE], s->id.node,
		identity, s->id.fleet },
	    &writer_ops, s);
}

/* Everything goes, in the order that nothing is called after it. */
static void
on_end(evutil_socket_t fd, short what, void *arg)
{
	struct seat *s;

	(void)fd;
	(void)what;
	(void)arg;
	serve_free(kube.serve);
	report_free(kube.report);
	calls_free(kube.calls);
	events_free(kube.events);
	former_free(kube.former);
	purge_free(kube.purge);
	EACH_SEAT(s) {
		feed_free(s->feed);
		node_free(s->node);
		writer_free(s->writer);
	}
	api_free(kube.api);
	pods_free(kube.pods);
	event_free(kube.end_timer);
	event_base_loopbreak(kube.base);
}

static int
start(struct event_base *base, const struct settings *settings, struct why *why)
{
	static const struct api_ops api_ops = { on_state, on_replaced };
	static const struct cluster_ops cluster_ops = { on_cluster,
		on_no_cluster };
	static const struct calls_ops calls_ops = { on_done, on_object,
		on_write_until };
	static const struct serve_ops serve_ops = { asked_status, asked_delete,
		asked_object, asked_event, asked_figures, asked_purge,
		asked_keep, on_closed, on_drained };
	static const struct former_ops former_ops = { on_is_ours, on_former };
	static const struct purge_ops purge_ops = { on_purge_held,
		on_purge_released };
	struct fleet_node nodes[MAX_NODES];
	char *identity;
	int i, n;

	if ((n = settings_nodes(settings, nodes, MAX_NODES, why)) == -1)
		return -1;
	kube.base = base;
	kube.settings = settings;
	kube.nseats = (unsigned int)n;
	set_text("starting");
	kube.serve = serve_new(base, &serve_ops);
	kube.pods = pods_new();
	/* Two watches a node; and its Leases wait for nobody. */
	kube.api = api_new(base, settings, 4 * kube.nseats, &api_ops, NULL);
	kube.report =
	    report_new(base, PROC_KUBESIDE, api_meter(kube.api), NULL, NULL);
	serve_report(kube.serve, kube.report);
	kube.calls = calls_new(base, kube.api, kube.pods, &calls_ops, NULL);
	kube.events = events_new(base, kube.api);
	kube.cluster = cluster_new(base, kube.api, &cluster_ops, NULL);
	kube.end_timer = xevent_timer(base, on_end, NULL);
	identity = identity_make();
	kube.former = former_new(base, kube.api,
	    &(struct former_conf){ settings->text[SET_NAMESPACE], identity,
		settings->number[SET_RESYNC_INTERVAL], LEASE_PATIENCE_MS },
	    &former_ops, NULL);
	kube.purge = purge_new(base, kube.api, settings->text[SET_NAMESPACE],
	    identity, &purge_ops, NULL);
	for (i = 0; i < n; i++) {
		kube.seats[i].index = (unsigned int)i;
		kube.seats[i].id = nodes[i];
		seat_open(&kube.seats[i], identity);
	}
	free(identity);
	return 0;
}

static void
run(void)
{
	const char *id = kube.settings->text[SET_CLUSTER_ID];

	if (id[0] == '\0') {
		cluster_ask(kube.cluster);
		return;
	}
	memcpy(kube.id, id, strnlen(id, MAX_UID));
	begin_seats();
}

static void
on_reload(const struct settings *settings)
{
	(void)settings;
	api_reload(kube.api);
}

/* Node leases are left to expire; the writer's are given back. */
static void
on_stop(void)
{
	struct seat *s;

	if (kube.stopping)
		return;
	kube.stopping = 1;
	cluster_free(steal(&kube.cluster));
	xevent_in(kube.end_timer, STOP_MS);
	kube.unreleased = kube.nseats + purge_count(kube.purge);
	purge_release(kube.purge);
	EACH_SEAT(s)
		writer_release(s->writer);
}

int
main(void)
{
	static const struct worker_ops ops = { .start = start,
		.run = run,
		.link = on_link,
		.reload = on_reload,
		.stop = on_stop,
		.check = check_begin,
		.end = check_end };

	return boot_worker(PROC_KUBESIDE, &ops);
}
