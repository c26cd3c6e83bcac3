/* SPDX-License-Identifier: ISC */
/*
 * All of flightside between a Flightctl that says what the input says and a
 * placer that asks for devices and changes them.  What the placer is told is
 * JSON, each question has one end, and what is written passes its own policy.
 *
 * A record: 'R' and names, a line each: READ; 'C', a name, a blank and an
 * edit: CHANGE; else an answer (server.c).
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
	struct body_device *m;
	struct placer *p = arg;

	(void)c;
	if (f->type == MSG_DONE || f->type == MSG_CHANGED)
		ends(p, f->id);
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
ask_read(struct placer *p, struct span names)
{
	struct body_read m = { .what_for = READ_WRITE, .names = names };

	p->asked[p->nasked] = chan_next_id(p->link);
	must(chan_send(p->link, MSG_READ, p->asked[p->nasked++], &m, -1) == 0);
}

static void
ask_change(struct placer *p, struct span text)
{
	struct body_change m = { .company_ms = COMPANY_MS,
		.until_boot = (uint64_t)now_read().boot_ms + PATIENCE_MS };
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

	if (record.len == 0 || (record.p[0] != 'R' && record.p[0] != 'C'))
		return 0;
	if (p->link == NULL || p->nasked == ASKS)
		return 1;
	if (record.p[0] == 'R')
		ask_read(p, rest);
	else
		ask_change(p, rest);
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
		{ SET_IMAGE_REGISTRIES, "quay.io" },
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
	static const struct chan_ops ops = { on_frame, on_closed, NULL };
	static const struct body_cluster cluster = { .cluster = "c" };
	struct event_base *base = event_base_new();
	struct placer p = { 0 };
	struct serve *s = serve_new(base, settings(), span_of("token"), NULL);
	int fd[2];

	must(s != NULL);
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
	p.link = chan_open(base, fd[1], PROC_PLACER, PROC_FLIGHTSIDE, &ops, &p);
	serve_link(s, fd[0]);
	must(chan_send(p.link, MSG_CLUSTER, 0, &cluster, -1) == 0);
	server_play(base, input, take, &p);
	serve_free(s);
	chan_free(p.link);
	event_base_free(base);
}

TARGET(flight, fuzz_flight);
