/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_CREW_OWN_H
#define SUPERVISOR_CREW_OWN_H

/* What crew.c and crew_links.c share; nobody else includes this. */

#include <sys/types.h>

#include "supervisor/crew.h"
#include "supervisor/link.h"
#include "supervisor/relog.h"
#include "supervisor/roll.h"
#include "supervisor/tend.h"

struct chan;
struct event;

struct worker {
	struct crew *crew;
	enum proc id;
	pid_t pid; /* 0: none */
	struct chan *control;
	int running; /* GO was sent */
	struct tend tend;
	struct relog relog;
};

struct crew {
	struct event_base *base;
	const struct crew_conf *conf;
	const struct crew_ops *ops;
	void *arg;
	struct worker worker[PROC_COUNT];
	enum proc first, last; /* those that are used */
	struct links links;
	struct roll roll;
	struct event *timer;
	int was_ready;
	int stopping;
	struct tend_stop stop;
};

#define EACH(w, c)                                                           \
	for ((w) = &(c)->worker[(c)->first]; (w) <= &(c)->worker[(c)->last]; \
	     (w)++)

/* Whatever is due, and the timer for what is not. */
void crew_turn(struct crew *);

/* Links that are due; *wake: the next one.  And meet_start()'s callback. */
void crew_links_turn(struct crew *, int64_t *wake);
void crew_links_came(enum proc key_holder, void *arg);

#endif
