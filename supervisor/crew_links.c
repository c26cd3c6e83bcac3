/* SPDX-License-Identifier: ISC */
/*
 * crew_links.c: hands the ends of links to the workers.
 *
 * Owns where they come from: a socketpair, or with one worker only the socket
 * that leads to another container.
 */
#include <string.h>

#include "common/log.h"
#include "common/mono.h"
#include "ipc/chan.h"
#include "supervisor/crew_own.h"
#include "supervisor/meet.h"

static void
hand_out(struct crew *c, enum proc a, enum proc b)
{
	struct body_link to_a = { .peer = (uint32_t)b };
	struct body_link to_b = { .peer = (uint32_t)a };
	struct why why;
	int fd[2];

	to_a.number = to_b.number = link_made(&c->links, a, now_awake_ms());
	if (link_make(fd, &why) == -1) {
		log_line(LOG_LEVEL_ERROR,
		    &(struct log_about){ .operation = "link",
			.error = why.text },
		    "no link of %s and %s", proc_name(a), proc_name(b));
		link_again(&c->links, a);
		return;
	}
	log_debug("%s and %s get a link", proc_name(a), proc_name(b));
	/* A lost end is no matter: its worker is gone and comes anew. */
	(void)chan_send(c->worker[a].control, MSG_LINK, 0, &to_a, fd[0]);
	(void)chan_send(c->worker[b].control, MSG_LINK, 0, &to_b, fd[1]);
}

/* The other end is in another container. */
static void
hand_over(struct crew *c, enum proc key_holder)
{
	struct worker *w = &c->worker[c->conf->only];
	struct body_link m = { .peer = w->id == PROC_PLACER ? key_holder :
							      PROC_PLACER };
	int fd;

	if ((fd = meet_take(c->conf->meet, key_holder)) == -1)
		return;
	if (w->id == PROC_PLACER)
		m.number = link_came(&c->links, key_holder, now_awake_ms());
	else
		m.number = link_made(&c->links, key_holder, now_awake_ms());
	log_debug("%s gets a link with %s", proc_name(w->id),
	    proc_name((enum proc)m.peer));
	(void)chan_send(w->control, MSG_LINK, 0, &m, fd);
}

void
crew_links_came(enum proc key_holder, void *arg)
{
	struct crew *c = arg;

	link_again(&c->links, key_holder);
	crew_turn(c);
}

void
crew_links_turn(struct crew *c, int64_t *wake)
{
	uint8_t ready[PROC_COUNT];
	struct worker *w;
	enum proc a, b;
	int64_t at;

	/* Whether one in another container is, the meeting shows. */
	memset(ready, 1, sizeof(ready));
	EACH(w, c)
		ready[w->id] =
		    w->tend.state == TEND_READY && w->control != NULL;
	while (link_next(&c->links, ready, now_awake_ms(), &at, &a, &b))
		if (c->conf->meet == NULL)
			hand_out(c, a, b);
		else
			hand_over(c, a);
	if (at < *wake)
		*wake = at;
}
