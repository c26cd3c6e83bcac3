/* SPDX-License-Identifier: ISC */
/*
 * All of the placer's loop between two key holders who say what the input
 * says, with its database.  Whatever they answer, and in whatever order: what
 * it asks is JSON where it is to be, nothing is written by who is not the
 * writer, and a seat is of a pod that is there.
 *
 * A record begins with a letter of says[].
 */
#include <sys/socket.h>

#include <event2/event.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "common/boot.h"
#include "common/limits.h"
#include "common/mono.h"
#include "common/scan.h"
#include "common/settings.h"
#include "placer/serve.h"
#include "t/fuzz/target.h"
#include "t/unit/leap.h"

enum {
	ASKS = 64,
	RECORDS = 64,
	TURNS = 3,	/* of the loop, after each record */
	LEAPS_MAX = 40, /* of one record */
	HELD_MS = 60000,
	RATE = 240,
};

#define NODE "vk-flightctl"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct {
	struct event_base *base;
	struct serve *serve;
	struct chan *kube, *flight; /* their ends */
	struct {
		struct chan *from; /* NULL: it is answered */
		enum msg_type type;
		uint64_t id;
	} asked[ASKS];
	size_t nasked;
	uint64_t round;
} at;

/* Instead of boot.c. */
void
boot_link_over(enum proc peer, const char *text)
{
	must(peer == PROC_KUBESIDE || peer == PROC_FLIGHTSIDE);
	must(text[0] != '\0');
}

/* -- what it asks -- */

static void
is_of_writer(uint64_t until)
{
	must(until > (uint64_t)now_read().boot_ms);
}

static void
judge(const struct frame *f)
{
	union {
		struct body_pod_status status;
		struct body_pod_delete delete;
		struct body_change change;
	} m;

	if (f->type == MSG_POD_STATUS) {
		must(body_pod_status_get(f->body, &m.status) == 0);
		must(scan_is_valid(m.status.status));
		is_of_writer(m.status.until_boot);
	} else if (f->type == MSG_POD_DELETE) {
		must(body_pod_delete_get(f->body, &m.delete) == 0);
		is_of_writer(m.delete.until_boot);
	} else if (f->type == MSG_CHANGE) {
		must(body_change_get(f->body, &m.change) == 0);
		must(scan_is_valid(m.change.edit));
		is_of_writer(m.change.until_boot);
	}
}

static void
on_frame(struct chan *c, struct frame *f, void *arg)
{
	(void)arg;
	target_say("asked", msg_info(f->type)->name);
	judge(f);
	if (f->id == 0 || at.nasked == ASKS)
		return;
	at.asked[at.nasked].from = c;
	at.asked[at.nasked].type = f->type;
	at.asked[at.nasked++].id = f->id;
}

static void
on_closed(struct chan *c, const char *text, void *arg)
{
	(void)c, (void)arg;
	target_say("closed", text);
	abort(); /* they break no rule of the link */
}

static struct chan *
link_with(enum proc peer)
{
	static const struct chan_ops ops = { on_frame, on_closed, NULL };
	struct chan *c;
	int fd[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
	c = chan_open(at.base, fd[1], peer, PROC_PLACER, &ops, NULL);
	serve_link(at.serve, peer, fd[0]);
	return c;
}

/* -- what is said -- */

static void
put(struct chan *c, enum msg_type type, const void *body)
{
	(void)chan_send(c, type, 0, body, -1);
}

static void
copy(char *to, size_t size, struct span text)
{
	size_t n = strnlen(text.p, text.len < size - 1 ? text.len : size - 1);

	memcpy(to, text.p, n);
	to[n] = '\0';
}

static void
say_pod(enum pod_how how, struct span object)
{
	struct body_pod m = { .node = NODE, .how = how, .object = object };

	put(at.kube, MSG_POD, &m);
}

static void
say_added(struct span rest)
{
	say_pod(POD_ADDED, rest);
}

static void
say_deleted(struct span rest)
{
	say_pod(POD_DELETED, rest);
}

/* A whole list, of one pod or none. */
static void
say_list(struct span rest)
{
	static const struct body_pods m = { .node = NODE };

	put(at.kube, MSG_PODS_BEGIN, &m);
	if (rest.len > 0)
		say_pod(POD_LISTED, rest);
	put(at.kube, MSG_PODS_END, &m);
}

static void
say_node(struct span rest)
{
	struct body_node m = { .node = NODE, .labels = rest };

	put(at.kube, MSG_NODE, &m);
}

static void
say_former(struct span rest)
{
	struct body_former m = { .nodes = rest };

	put(at.kube, MSG_FORMER, &m);
}

/* Of a node of ours unless it is said which; '-' before: no more. */
static void
say_writer(struct span rest)
{
	struct body_writer m = { .node = NODE };

	if (rest.len == 0 || rest.p[0] != '-')
		m.until_boot = (uint64_t)now_read().boot_ms + HELD_MS;
	else
		rest = (struct span){ rest.p + 1, rest.len - 1 };
	if (rest.len > 0)
		copy(m.node, sizeof(m.node), rest);
	put(at.kube, MSG_WRITER, &m);
}

static void
say_kube(struct span rest)
{
	struct body_kube_state m = { .reachable = rest.len == 0,
		.cluster = "c" };

	copy(m.text, sizeof(m.text), rest);
	put(at.kube, MSG_KUBE_STATE, &m);
}

static void
say_device(struct span object)
{
	struct body_device m = { .read_boot = (uint64_t)now_read().boot_ms,
		.object = object };

	put(at.flight, MSG_DEVICE, &m);
}

/* As it was a minute ago: overtaken by what was read since. */
static void
say_late(struct span object)
{
	struct body_device m = { .read_boot = 1, .object = object };

	put(at.flight, MSG_DEVICE, &m);
}

/* A whole list, of one device or none. */
static void
say_devices(struct span object)
{
	struct body_devices m = { .round = ++at.round,
		.complete = object.len == 0 || object.p[0] != '-',
		.read_boot = (uint64_t)now_read().boot_ms };

	put(at.flight, MSG_DEVICES_BEGIN, &m);
	if (object.len > 0 && m.complete)
		say_device(object);
	put(at.flight, MSG_DEVICES_END, &m);
}

static void
say_bad(enum why_kind kind, struct span name)
{
	struct body_device_bad m = { .kind = kind,
		.read_boot = (uint64_t)now_read().boot_ms,
		.text = "bad" };

	copy(m.name, sizeof(m.name), name);
	put(at.flight, MSG_DEVICE_BAD, &m);
}

static void
say_gone(struct span name)
{
	say_bad(ERR_GONE, name);
}

static void
say_unreadable(struct span name)
{
	say_bad(ERR_LIMIT, name);
}

static void
say_flight(struct span rest)
{
	struct body_flight_state m = { .rate = RATE };

	if (rest.len > 0)
		m.state = (uint32_t)(rest.p[0] - '0');
	copy(m.text, sizeof(m.text), rest);
	put(at.flight, MSG_FLIGHT_STATE, &m);
}

/* Nobody answers any more over a link that is over. */
static void
forget(const struct chan *from)
{
	size_t i;

	for (i = 0; i < at.nasked; i++)
		if (at.asked[i].from == from)
			at.asked[i].from = NULL;
}

static void
relink(struct span rest)
{
	if (rest.len > 0) {
		forget(at.flight);
		chan_free(at.flight);
		at.flight = link_with(PROC_FLIGHTSIDE);
		return;
	}
	forget(at.kube);
	chan_free(at.kube);
	at.kube = link_with(PROC_KUBESIDE);
}

static void
answer(size_t i, enum why_kind kind, struct span rest)
{
	struct chan *c = at.asked[i].from;
	struct body_object object = { .object = rest };
	struct body_changed changed = { .kind = kind, .generation = 4 };
	struct body_done done = { .kind = kind };

	at.asked[i].from = NULL;
	if (at.asked[i].type == MSG_GET_OBJECT && kind == ERR_NONE) {
		(void)chan_send(c, MSG_OBJECT, at.asked[i].id, &object, -1);
	} else if (at.asked[i].type == MSG_CHANGE) {
		copy(changed.text, sizeof(changed.text), rest);
		(void)chan_send(c, MSG_CHANGED, at.asked[i].id, &changed, -1);
	} else {
		copy(done.text, sizeof(done.text), rest);
		(void)chan_send(c, MSG_DONE, at.asked[i].id, &done, -1);
	}
}

/* The oldest question of a kind of message; then a letter: how it ends. */
static void
say_answer(struct span rest)
{
	static const struct {
		char is;
		enum msg_type type;
	} rows[] = { { 's', MSG_POD_STATUS }, { 'd', MSG_POD_DELETE },
		{ 'o', MSG_GET_OBJECT }, { 'r', MSG_READ },
		{ 'c', MSG_CHANGE } };
	size_t i, k;

	if (rest.len < 2)
		return;
	for (k = 0; k + 1 < COUNT(rows) && rows[k].is != rest.p[0]; k++)
		;
	for (i = 0; i < at.nasked; i++)
		if (at.asked[i].from != NULL &&
		    at.asked[i].type == rows[k].type)
			break;
	if (i < at.nasked)
		answer(i, (uint8_t)(rest.p[1] - 'a') % ERR_COUNT,
		    (struct span){ rest.p + 2, rest.len - 2 });
}

/* What nobody asked, from either. */
static void
say_unasked(struct span rest)
{
	struct body_done done = { .kind = ERR_NONE };
	struct body_object object = { .object = rest };
	struct body_changed changed = { .kind = ERR_NONE };

	(void)chan_send(at.kube, MSG_DONE, UINT64_MAX, &done, -1);
	(void)chan_send(at.kube, MSG_OBJECT, UINT64_MAX, &object, -1);
	(void)chan_send(at.flight, MSG_CHANGED, UINT64_MAX, &changed, -1);
	(void)chan_send(at.flight, MSG_DONE, UINT64_MAX, &done, -1);
}

/* There is always something to wait for. */
static void
on_hour(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
}

static void
wait(struct span rest)
{
	size_t i, n = rest.len > 0 ? (uint8_t)rest.p[0] % LEAPS_MAX : 0;

	for (i = 0; i <= n; i++)
		(void)event_base_loop(at.base, EVLOOP_ONCE);
}

static const struct {
	char is;
	void (*say)(struct span);
} says[] = {
	{ 'P', say_added },
	{ 'X', say_deleted },
	{ 'L', say_list },
	{ 'N', say_node },
	{ 'M', say_former },
	{ 'W', say_writer },
	{ 'K', say_kube },
	{ 'D', say_device },
	{ 'E', say_late },
	{ 'V', say_devices },
	{ 'G', say_gone },
	{ 'B', say_unreadable },
	{ 'F', say_flight },
	{ 'R', relink },
	{ 'A', say_answer },
	{ 'U', say_unasked },
	{ 'T', wait },
};

static void
look_at(const struct world *w)
{
	struct wdevice_tree devices = w->devices;
	struct wpod_tree pods = w->pods;
	struct wdevice *d;
	struct wpod *p;
	size_t n = 0;

	RB_FOREACH(p, wpod_tree, &pods)
		n++;
	must(n == w->npods && n <= MAX_PODS);
	RB_FOREACH(d, wdevice_tree, &devices)
		TAILQ_FOREACH(p, &d->pods, on_device)
			must(p->device == d &&
			    RB_FIND(wpod_tree, &pods, p) == p);
}

static void
play(struct span input)
{
	struct span record;
	size_t i, turn;

	for (i = 0; i < RECORDS && target_record(&input, &record); i++) {
		size_t k;

		for (k = 0; record.len > 0 && k < COUNT(says); k++)
			if (says[k].is == record.p[0])
				says[k].say((struct span){ record.p + 1,
				    record.len - 1 });
		for (turn = 0; turn < TURNS; turn++)
			(void)event_base_loop(at.base, EVLOOP_NONBLOCK);
		look_at(serve_world(at.serve));
	}
}

/* A new one each time: what was remembered is no part of the input. */
static struct store *
open_store(char dir[])
{
	struct store_found found;
	struct store *s;

	must(mkdtemp(dir) != NULL);
	s = store_open(dir, &found, NULL);
	must(s != NULL);
	return s;
}

static void
remove_store(const char *dir)
{
	static const char *const files[] = { "placer.db", "placer.db-wal",
		"placer.db-shm", "placer.db-journal" };
	char path[64];
	size_t i;

	for (i = 0; i < COUNT(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		(void)unlink(path);
	}
	must(rmdir(dir) == 0);
}

static void
fuzz_placer(struct span input)
{
	char dir[] = "/tmp/fuzz_placer.XXXXXX";
	static const struct timeval hour = { 3600, 0 };
	struct store *store = open_store(dir);
	struct event *clock;
	struct settings set;

	settings_init(&set);
	memset(&at, 0, sizeof(at));
	leap_at_once(1);
	at.base = event_base_new();
	clock = event_new(at.base, -1, EV_PERSIST, on_hour, NULL);
	must(clock != NULL && event_add(clock, &hour) == 0);
	at.serve = serve_new(at.base, &set, store, NULL);
	must(at.serve != NULL);
	at.kube = link_with(PROC_KUBESIDE);
	at.flight = link_with(PROC_FLIGHTSIDE);
	say_kube((struct span){ "", 0 });
	play(input);
	leap_at_once(0);
	chan_free(at.kube);
	chan_free(at.flight);
	serve_free(at.serve);
	event_free(clock);
	event_base_free(at.base);
	settings_free(&set);
	store_close(store);
	remove_store(dir);
}

TARGET(placer, fuzz_placer);
