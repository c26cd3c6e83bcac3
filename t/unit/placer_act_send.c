/* SPDX-License-Identifier: ISC */
/*
 * A status goes out whole or not at all: one that no frame holds is told once
 * and not tried again and again, and a link that is over is no such thing.
 */
#include <sys/socket.h>

#include <bsd/string.h>
#include <criterion/criterion.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/xmem.h"
#include "placer/act_own.h"
#include "t/unit/fleet.h"
#include "t/unit/leaks.h"

static const struct now now = { 1000 * 1000, INT64_C(1795419780000) };
static int lines;
static char told[2048]; /* the last log line */

struct stage {
	struct event_base *base;
	struct chan *kube, *placer;
	struct act act;
	struct wpod *pod;
	size_t came; /* bytes of the last status, 0: none */
	int closed;
};

static void
on_line(const struct body_log *line, void *arg)
{
	(void)arg;
	lines++;
	(void)snprintf(told, sizeof(told), "%u %s: %s", line->level, line->pod,
	    line->text);
}

static void
on_frame(struct chan *c, struct frame *f, void *arg)
{
	struct stage *s = arg;
	struct body_pod_status m;

	(void)c;
	if (f->type == MSG_POD_STATUS && body_pod_status_get(f->body, &m) == 0)
		s->came = m.status.len;
}

static void
on_closed(struct chan *c, const char *text, void *arg)
{
	struct stage *s = arg;

	(void)c;
	(void)text;
	s->closed = 1;
}

static const struct chan_ops ops = { on_frame, on_closed, NULL };

/* As much as goes on by itself. */
static void
settle(struct stage *s)
{
	int i;

	for (i = 0; i < 50; i++)
		event_base_loop(s->base, EVLOOP_NONBLOCK);
}

static void
set_up(struct stage *s)
{
	int fd[2];

	*s = (struct stage){ .base = event_base_new() };
	cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
	s->kube =
	    chan_open(s->base, fd[0], PROC_KUBESIDE, PROC_PLACER, &ops, s);
	s->placer =
	    chan_open(s->base, fd[1], PROC_PLACER, PROC_KUBESIDE, &ops, s);
	settle(s);
	s->act.kube = s->placer;
	s->act.world = fleet_world();
	s->pod = fleet_pod(s->act.world, "a", "1", "64Mi", NULL, NULL);
	log_set_sink(on_line, NULL);
}

static void
done(struct stage *s)
{
	chan_free(s->kube);
	chan_free(s->placer);
	event_base_free(s->base);
	fleet_free(s->act.world);
	NO_LEAKS();
}

/* A status of so many bytes, with this digest. */
static void
send_status(struct stage *s, size_t len, uint64_t digest)
{
	struct effect e = { .pod = s->pod, .number = digest };
	struct pending *q;

	e.text = xcalloc(1, len + 1);
	memset(e.text, ' ', len);
	act_send_status(&s->act, &e, now);
	free(e.text);
	s->came = 0;
	settle(s);
	while ((q = RB_MIN(pending_tree, &s->act.asked)) != NULL)
		act_settle(&s->act, q);
}

Test(act_send, a_status_that_no_frame_holds_is_told_and_not_tried_again)
{
	struct stage s;

	set_up(&s);
	send_status(&s, MAX_STATUS, 7);
	cr_expect_eq(s.came, MAX_STATUS);
	cr_expect_eq(s.pod->telling, 7, "until it is answered");
	cr_expect_eq(lines, 0, "%s", told);
	send_status(&s, MAX_STATUS + 1, 8);
	cr_expect_eq(s.came, 0);
	cr_expect_eq(s.pod->telling, 0);
	cr_expect_eq(lines, 1);
	cr_expect_str_eq(told,
	    "0 default/a: the status of a pod has 262145 bytes, at most "
	    "262144: it is not written");
	cr_expect_eq(s.pod->told, 8, "as if it were there");
	cr_expect_eq(s.pod->told_boot, now.boot_ms + 600 * 1000);
	done(&s);
}

Test(act_send, a_link_that_is_over_is_no_error)
{
	struct stage s;

	set_up(&s);
	chan_free(s.kube);
	s.kube = NULL;
	send_status(&s, 2, 7); /* nobody reads it, and that is seen */
	cr_assert(s.closed);
	send_status(&s, 2, 8);
	cr_expect_eq(s.pod->telling, 0);
	cr_expect_eq(s.pod->told, 0);
	cr_expect_eq(lines, 0, "%s", told);
	done(&s);
}
