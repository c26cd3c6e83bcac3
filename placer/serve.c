/* SPDX-License-Identifier: ISC */
/*
 * serve.c: frames in, turns out.
 *
 * Owns the two links and the turn.  Never decides (plan.c), never carries out
 * (act.c).  All frames that have come are taken in before a turn is made, so
 * a burst of pods is planned, saved and sent as one.
 */
#include "placer/serve.h"

#include <bsd/stdlib.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/boot.h"
#include "common/least.h"
#include "common/log.h"
#include "common/mark.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "placer/act.h"
#include "placer/change.h"
#include "placer/intake.h"
#include "placer/kept.h"
#include "placer/plan.h"
#include "placer/prepare.h"
#include "placer/told.h"

struct serve {
	struct event_base *base;
	struct world world;
	struct store *store;
	struct act *act;
	struct effects fx;
	struct chan *kube, *flight;
	int foreign; /* kube's is another cluster: nothing of it is taken */
	struct event *turn;
};

static void
arm(struct serve *s, int64_t in_ms)
{
	xevent_in(s->turn, in_ms);
}

static void
add_up(struct tally *t, int64_t us)
{
	t->n++;
	t->us += us;
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct serve *s = arg;
	struct now now = now_read();
	int64_t next, began = now_us(), planned;

	(void)fd, (void)what;
	intake_look(&s->world, now);
	plan_turn(&s->world, now, &s->fx);
	planned = now_us();
	act_effects(s->act, &s->fx, now);
	add_up(&s->world.planned, planned - began);
	add_up(&s->world.acted, now_us() - planned);
	next = least(plan_next(&s->world), intake_due(&s->world));
	if (next != INT64_MAX)
		arm(s, next - now.boot_ms);
}

/* -- who we are -- */

static void
send_cluster(struct serve *s)
{
	struct body_cluster m;

	if (s->flight == NULL || s->world.cluster[0] == '\0')
		return;
	memcpy(m.cluster, s->world.cluster, sizeof(m.cluster));
	(void)chan_send(s->flight, MSG_CLUSTER, 0, &m, -1);
	chan_resume(s->flight);
}

static int
set_cluster(struct serve *s, const char *cluster)
{
	struct world *w = &s->world;

	if (cluster[0] == '\0' || strcmp(w->cluster, cluster) == 0)
		return 0;
	if (w->cluster[0] != '\0')
		return -1;
	(void)snprintf(w->cluster, sizeof(w->cluster), "%s", cluster);
	mark_prefix(w->cluster, w->prefix);
	(void)store_put_meta(s->store, "cluster", cluster, NULL);
	send_cluster(s);
	return 0;
}

/* What is remembered from start to start. */
static int
load_meta(struct serve *s, char cluster[MAX_UID + 1], struct why *why)
{
	struct world *w = &s->world;
	char born[24] = "", *memory = w->memory;
	uint64_t id;

	if (store_get_meta(s->store, "cluster", cluster, MAX_UID + 1, why) ==
		-1 ||
	    store_get_meta(s->store, "born", born, sizeof(born), why) == -1 ||
	    store_get_meta(s->store, "memory", memory, sizeof(w->memory),
		why) == -1)
		return -1;
	if (*memory == '\0') {
		arc4random_buf(&id, sizeof(id));
		(void)snprintf(memory, sizeof(w->memory), "%016" PRIx64, id);
		(void)store_put_meta(s->store, "memory", memory, NULL);
	}
	w->forgot = *cluster == '\0';
	if (w->forgot && *born == '\0') {
		(void)snprintf(born, sizeof(born), "%" PRId64,
		    now_read().wall_ms / 1000);
		(void)store_put_meta(s->store, "born", born, NULL);
	}
	w->born = (uint32_t)strtoul(born, NULL, 10);
	return 0;
}

/* -- frames -- */

#define BODY_OF(kind, m, f) (body_##kind##_get((f)->body, (m)) == 0)

/*
 * None of our pods is there, which says nothing of them: until the link is
 * over all that comes is dropped, and nothing is sent.
 */
static void
refuse_cluster(struct serve *s, const char *cluster)
{
	struct world *w = &s->world;

	log_error("cluster id %s is not %s, which the database and the devices "
		  "know: nothing is done for it",
	    cluster, w->cluster);
	s->foreign = 1;
	intake_kube_lost(w);
	act_kube(s->act, NULL, now_read());
	(void)snprintf(w->kube_text, sizeof(w->kube_text),
	    "cluster id %s is not %s", cluster, w->cluster);
}

static void
on_kube_state(struct serve *s, const struct frame *f)
{
	struct body_kube_state m;
	struct wpod *p;

	if (!BODY_OF(kube_state, &m, f))
		return;
	if (set_cluster(s, m.cluster) == -1) {
		refuse_cluster(s, m.cluster);
		return;
	}
	if (m.reachable && !s->world.kube_reachable) {
		world_look_all(&s->world);
		RB_FOREACH(p, wpod_tree, &s->world.pods)
			prepare_soon(&s->world, p);
	}
	s->world.kube_reachable = m.reachable != 0;
	memcpy(s->world.kube_text, m.text, sizeof(m.text));
}

static void
on_flight_state(struct serve *s, const struct frame *f, struct now now)
{
	struct body_flight_state m;

	if (BODY_OF(flight_state, &m, f))
		intake_flight_state(&s->world, &m, now);
}

/* What a key holder did and has; 0: it is something else. */
static int
took_report(struct serve *s, enum proc peer, const struct frame *f)
{
	struct world *w = &s->world;
	struct body_tally tally;

	w->asides++;
	switch ((int)f->type) {
	case MSG_TALLY:
		if (!BODY_OF(tally, &tally, f) || tally.what >= REQUEST_COUNT ||
		    meter_proc(tally.what) != peer)
			return 0;
		w->tallies[tally.what] = tally;
		return 1;
	case MSG_VITALS:
		/* The last of each report. */
		w->reported[peer] = 1;
		return BODY_OF(vitals, &w->vitals[peer], f);
	case MSG_BUDGET:
		return BODY_OF(budget, &w->budget, f);
	default:
		return 0;
	}
}

static void
on_orders(struct serve *s, const struct body_orders *m)
{
	struct why why;

	if (kept_told(&s->world, m, &why) == -1)
		log_line(LOG_LEVEL_WARN,
		    &(struct log_about){ .operation = "orders",
			.error = why.text },
		    "the orders in the Lease of node %s cannot be read: those "
		    "in the database hold",
		    m->node);
}

static void
on_kube_frame(struct chan *c, struct frame *f, void *arg)
{
	struct serve *s = arg;
	struct now now = now_read();
	union {
		struct body_writer writer;
		struct body_pods pods;
		struct body_pod pod;
		struct body_object object;
		struct body_node node;
		struct body_former former;
		struct body_orders orders;
		struct body_done done;
	} m;

	(void)c;
	if (took_report(s, PROC_KUBESIDE, f) || s->foreign)
		return;
	if (f->type == MSG_KUBE_STATE)
		on_kube_state(s, f);
	else if (f->type == MSG_WRITER && BODY_OF(writer, &m.writer, f))
		intake_writer(&s->world, &m.writer, now);
	else if (f->type == MSG_PODS_BEGIN && BODY_OF(pods, &m.pods, f))
		intake_pods_begin(&s->world, &m.pods);
	else if (f->type == MSG_PODS_END && BODY_OF(pods, &m.pods, f))
		intake_pods_end(&s->world, &m.pods);
	else if (f->type == MSG_POD && BODY_OF(pod, &m.pod, f))
		intake_pod(&s->world, &m.pod);
	else if (f->type == MSG_NODE && BODY_OF(node, &m.node, f))
		intake_node(&s->world, &m.node);
	else if (f->type == MSG_FORMER && BODY_OF(former, &m.former, f))
		intake_former(&s->world, &m.former);
	else if (f->type == MSG_ORDERS_KEPT && BODY_OF(orders, &m.orders, f))
		on_orders(s, &m.orders);
	else if (f->type == MSG_OBJECT && BODY_OF(object, &m.object, f))
		act_object(s->act, f->id, m.object.object, now);
	else if (f->type == MSG_DONE && BODY_OF(done, &m.done, f))
		act_done(s->act, f->id, &m.done, now);
	else if (f->type != MSG_HELLO)
		log_warn("a malformed %s from kubeside is dropped",
		    msg_info(f->type)->name);
	arm(s, 0);
}

static void
on_flight_frame(struct chan *c, struct frame *f, void *arg)
{
	struct serve *s = arg;
	struct now now = now_read();
	union {
		struct body_devices devices;
		struct body_device device;
		struct body_device_bad bad;
		struct body_changed changed;
		struct body_done done;
	} m;

	(void)c;
	if (took_report(s, PROC_FLIGHTSIDE, f))
		return;
	if (f->type == MSG_FLIGHT_STATE)
		on_flight_state(s, f, now);
	else if (f->type == MSG_DEVICES_BEGIN &&
	    BODY_OF(devices, &m.devices, f))
		intake_devices_begin(&s->world, &m.devices);
	else if (f->type == MSG_DEVICES_END && BODY_OF(devices, &m.devices, f))
		intake_devices_end(&s->world, &m.devices);
	else if (f->type == MSG_DEVICE && BODY_OF(device, &m.device, f))
		intake_device(&s->world, &m.device, now, &s->fx);
	else if (f->type == MSG_DEVICE_BAD && BODY_OF(device_bad, &m.bad, f))
		intake_device_bad(&s->world, &m.bad);
	else if (f->type == MSG_CHANGED && BODY_OF(changed, &m.changed, f))
		act_changed(s->act, f->id, &m.changed, now);
	else if (f->type == MSG_DONE && BODY_OF(done, &m.done, f))
		act_done(s->act, f->id, &m.done, now);
	else if (f->type != MSG_HELLO)
		log_warn("a malformed %s from flightside is dropped",
		    msg_info(f->type)->name);
	arm(s, 0);
}

/* -- links -- */

static void
drop_kube(struct serve *s)
{
	struct now now = now_read();

	chan_free(s->kube);
	s->kube = NULL;
	intake_kube_lost(&s->world);
	act_kube(s->act, NULL, now);
}

static void
drop_flight(struct serve *s)
{
	struct now now = now_read();

	chan_free(s->flight);
	s->flight = NULL;
	intake_flight_lost(&s->world, now);
	act_flight(s->act, NULL, now);
}

static void
on_kube_closed(struct chan *c, const char *text, void *arg)
{
	struct serve *s = arg;

	(void)c;
	drop_kube(s);
	boot_link_over(PROC_KUBESIDE, text);
	arm(s, 0);
}

static void
on_flight_closed(struct chan *c, const char *text, void *arg)
{
	struct serve *s = arg;

	(void)c;
	drop_flight(s);
	boot_link_over(PROC_FLIGHTSIDE, text);
	arm(s, 0);
}

static const struct chan_ops kube_ops = {
	.frame = on_kube_frame,
	.closed = on_kube_closed,
};

static const struct chan_ops flight_ops = {
	.frame = on_flight_frame,
	.closed = on_flight_closed,
};

/*
 * Devices are not read before we know which cluster's mark is ours: flightside
 * waits, its link is full.
 */
void
serve_link(struct serve *s, enum proc peer, int fd)
{
	struct now now = now_read();

	if (peer == PROC_KUBESIDE) {
		if (s->kube != NULL)
			drop_kube(s);
		s->kube =
		    chan_open(s->base, fd, PROC_PLACER, peer, &kube_ops, s);
		s->foreign = 0;
		s->world.kube_up = 1;
		act_kube(s->act, s->kube, now);
		return;
	}
	if (s->flight != NULL)
		drop_flight(s);
	s->flight = chan_open(s->base, fd, PROC_PLACER, peer, &flight_ops, s);
	intake_flight_linked(&s->world);
	act_flight(s->act, s->flight, now);
	if (s->world.cluster[0] == '\0')
		chan_pause(s->flight);
	send_cluster(s);
}

struct serve *
serve_new(struct event_base *base, const struct settings *set,
    struct store *store, struct why *why)
{
	struct serve *s;
	char cluster[MAX_UID + 1] = "";

	s = xcalloc(1, sizeof(*s));
	s->base = base;
	s->store = store;
	if (world_init(&s->world, set, why) == -1 ||
	    store_load(store, &s->world, now_read(), why) == -1 ||
	    load_meta(s, cluster, why) == -1) {
		world_clear(&s->world);
		free(s);
		return NULL;
	}
	s->world.started_ms = now_read().wall_ms;
	s->world.start_boot = now_read().boot_ms;
	intake_flight_lost(&s->world, now_read()); /* it is yet to come */
	s->act = act_new(&s->world, store);
	s->turn = xevent_timer(base, on_turn, s);
	(void)set_cluster(s, cluster);
	arm(s, 0);
	return s;
}

void
serve_free(struct serve *s)
{
	if (s == NULL)
		return;
	chan_free(s->kube);
	chan_free(s->flight);
	act_free(s->act);
	effects_clear(&s->fx);
	world_clear(&s->world);
	event_free(s->turn);
	free(s);
}

/* Saved before it is answered, as whatever it leads to is before it leaves. */
enum order_verdict
serve_order(struct serve *s, const struct order *o, char text[MAX_TEXT])
{
	enum order_verdict v;
	size_t len;

	v = orders_take(&s->world, o, now_read(), &s->fx, text);
	if (v != ORDER_DOES)
		return v;
	on_turn(-1, 0, s);
	if (!world_is_durable(&s->world)) {
		len = strlen(text);
		(void)snprintf(text + len, MAX_TEXT - len,
		    "; not saved: a restart forgets it");
	}
	return v;
}

void
serve_crew(struct serve *s, const struct body_crew *m)
{
	s->world.crew[m->who] = *m;
	s->world.asides++;
}

void
serve_trouble(struct serve *s, const struct body_trouble *m)
{
	AUTO_FREE char *text = xasprintf("%s%s%s", m->text,
	    m->error[0] != '\0' ? ": " : "", m->error);

	s->world.asides++;
	told_add(s->world.told,
	    &(struct told_line){ .kind = TOLD_LOG,
		.warning = 1,
		.at_ms = (int64_t)m->wall_ms,
		.about =
		    m->pod[0] != '\0' ? m->pod : proc_name((enum proc)m->who),
		.device = m->device,
		.text = text });
}

void
serve_missing(struct serve *s, uint32_t layers)
{
	s->world.asides++;
	s->world.vitals[PROC_PLACER].missing = layers;
}

void
serve_reload(struct serve *s, const struct settings *set)
{
	s->world.asides++;
	pace_set(&s->world.pace, set->number[SET_FLIGHTCTL_RATE]);
}

const struct world *
serve_world(const struct serve *s)
{
	return &s->world;
}
