/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_CREW_H
#define SUPERVISOR_CREW_H

/* The three workers: started, linked, watched, restarted, stopped. */

#include "common/level.h"
#include "common/secret.h"
#include "common/settings.h"

struct crew;
struct event_base;
struct meet;

/* Stays the caller's and must outlive the crew. */
struct crew_conf {
	const struct settings *settings;
	const struct secret *token; /* NULL: none */
	const int *listeners;	    /* by enum listener, -1: none */
	enum proc only;		    /* PROC_SUPERVISOR: all workers */
	struct meet *meet;	    /* of only; NULL with all */
};

struct crew_ops {
	/* All workers are READY, for the first time. */
	void (*ready)(void *);
	/* After crew_stop(): none is left. */
	void (*gone)(void *);
	/* A worker became READY or answered a PING. */
	void (*heard)(void *);
	/* The placer has it from uid: so much is logged from now on. */
	void (*log_level)(void *, enum log_level, uint32_t uid);
};

/* Starts them from the loop. */
struct crew *crew_new(struct event_base *, const struct crew_conf *,
    const struct crew_ops *, void *arg);
void crew_free(struct crew *);

/* All are asked whether they live, now. */
void crew_ask(struct crew *);

/* Each was heard at that time (now_awake_ms()) or later.  -1: *why names one
 * that was not.
 */
int crew_lives(const struct crew *, int64_t since, struct why *);

/* SIGCHLD: buries whoever has ended. */
void crew_reap(struct crew *);

/* Settings have changed where changed[i]; credential files maybe, too. */
void crew_reload(struct crew *, const uint8_t *changed);

/* One setting has changed; nothing else is read again. */
void crew_config(struct crew *, enum setting);

/* In order, all within five seconds; then ops->gone. */
void crew_stop(struct crew *);

#endif
