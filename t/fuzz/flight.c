/* SPDX-License-Identifier: ISC */
/*
 * All of flightside between a Flightctl that says what the input says and a
 * placer that asks for devices and changes them.  What the placer is told is
 * JSON, each question has one end, and what is written passes its own policy.
 *
 * A record: 'R' and names, a line each: READ ('M': of what is in motion); 'C',
 * a name, a blank and an edit: CHANGE; 'K' and an id: CLUSTER; 'L': the link
 * ends and there is another; else an answer (server.c).
 */
#include <sys/socket.h>

#include <event2/event.h>
#include <stdint.h>

#include "common/mono.h"
#include "common/scan.h"
#include "common/settings.h"
#include "flightside/serve.h"
#include "ipc/chan.h"
#include "t/fuzz/server.h"
#include "t/fuzz/target.h"

enum {
	ASKS = 16,
	PATIENCE_MS = 60000,
	COMPANY_MS = 100,
};

struct placer {
	struct event_base *base;
	struct serve *serve;
	struct chan *link;
	uint64_t asked[ASKS]; /* 0: it has ended */
	unsigned int nasked;
};

static void
ends(struct placer *p, uint64_t id)
{
	unsigned int i;

	for (i = 0; i < p->nasked && p->asked[i] != id; i++)
		;
	must(i < p->nasked && id != 0);
	p->asked[i] = 0;
}

static void
on_frame(struct chan *c, struct frame *f, void *arg)
{
	struct body_changed changed;
	struct body_device *m;
	struct placer *p = arg;

	(void)c;
	target_say("told", msg_info(f->type)->name);
	if (f->type == MSG_DONE || f->type == MSG_CHANGED)
		ends(p, f->id);
	if (f->type == MSG_CHANGED) {
		must(body_changed_get(f->body, &changed) == 0);
		must(changed.kind == ERR_NONE || changed.text[0] != '\0');
		target_say("changed", changed.text);
	}
	if (f->type != MSG_DEVICE)
		return;
	must((m = malloc(sizeof(*m))) != NULL &&
	    body_device_get(f->body, m) == 0 && scan_is_valid(m->object));
	free(m);
}

static void
on_closed(struct chan *c, const char *text, void *arg)
{
	struct placer *p = arg;

	(void)text;
	chan_free(c);
	p->link = NULL;
}

static void
say_cluster(struct placer *p, const char *id, size_t len)
{
	struct body_cluster m = { 0 };

	memcpy(m.cluster, id, len < MAX_UID ? len : MAX_UID);
	(void)chan_send(p->link, MSG_CLUSTER, 0, &m, -1);
}

static void
connect_to(struct placer *p)
{
	static const struct chan_ops ops = { on_frame, on_closed, NULL };
	int fd[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
	p->link =
	    chan_open(p->base, fd[1], PROC_PLACER, PROC_FLIGHTSIDE, &ops, p);
	p->nasked = 0;
	serve_link(p->serve, fd[0]);
	say_cluster(p, "c", 1);
}

static void
ask_read(struct placer *p, enum read_for what_for, struct span names)
{
	struct body_read m = { .what_for = what_for, .names = names };

	p->asked[p->nasked] = chan_next_id(p->link);
	must(chan_send(p->link, MSG_READ, p->asked[p->nasked++], &m, -1) == 0);
}

static void
ask_change(struct placer *p, int is_writer, struct span text)
{
	struct body_change m = { .company_ms = COMPANY_MS,
		.until_boot = (uint64_t)now_read().boot_ms +
		    (is_writer ? PATIENCE_MS : 0) };
	const char *blank = text.len > 0 ? memchr(text.p, ' ', text.len) : NULL;
	size_t len = blank == NULL ? 0 : (size_t)(blank - text.p);

	if (blank == NULL || len >= sizeof(m.device))
		return;
	memcpy(m.device, text.p, len);
	m.edit = (struct span){ blank + 1, text.len - len - 1 };
	p->asked[p->nasked] = chan_next_id(p->link);
	must(
	    chan_send(p->link, MSG_CHANGE, p->asked[p->nasked++], &m, -1) == 0);
}

static int
take(struct span record, void *arg)
{
	struct placer *p = arg;
	struct span rest = { record.p + 1, record.len - 1 };

	if (record.len == 0 || memchr("RMCOKL", record.p[0], 6) == NULL)
		return 0;
	if (record.p[0] == 'L') {
		chan_free(p->link);
		connect_to(p);
	}
	if (p->link == NULL || p->nasked == ASKS)
		return 1;
	if (record.p[0] == 'R')
		ask_read(p, READ_WRITE, rest);
	else if (record.p[0] == 'M')
		ask_read(p, READ_MOTION, rest);
	else if (record.p[0] == 'C' || record.p[0] == 'O')
		ask_change(p, record.p[0] == 'C', rest);
	else if (record.p[0] == 'K' && memchr(rest.p, '\0', rest.len) == NULL)
		say_cluster(p, rest.p, rest.len);
	return 1;
}

static const struct settings *
settings(void)
{
	static struct settings s;
	static const struct {
		enum setting which;
		const char *value;
	} given[] = {
		{ SET_FLIGHTCTL_API_URL, "http://127.0.0.1:1" },
		{ SET_FLEET_ID, "shop,lab" },
		{ SET_IMAGE_REGISTRIES, "quay.io,docker.io" },
	};
	size_t i;

	if (s.text[0] != NULL)
		return &s;
	settings_init(&s);
	for (i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		must(settings_set(&s, given[i].which, given[i].value, NULL) ==
		    0);
	return &s;
}

static void
fuzz_flight(struct span input)
{
	struct placer p = { .base = event_base_new() };

	p.serve = serve_new(p.base, settings(), span_of("token"), NULL);
	must(p.serve != NULL);
	connect_to(&p);
	server_play(p.base, input, take, &p);
	serve_free(p.serve);
	chan_free(p.link);
	event_base_free(p.base);
}

TARGET(flight, fuzz_flight);
