/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_TEND_H
#define SUPERVISOR_TEND_H

/*
 * When a worker is started, asked whether it lives, killed, and in which order
 * they stop.  Pure: time comes as an argument, in boot milliseconds.
 */

#include <stdint.h>

#include "ipc/msg.h"

enum {
	TEND_DELAY_MIN_MS = 100,
	TEND_DELAY_MAX_MS = 30000,
	TEND_HEALTHY_MS =
	    60000, /* so long alive: the next delay is the least */
	TEND_PING_MS = 10000,
	TEND_SILENT_MS = 30000, /* a PING unanswered, a start not READY */
	TEND_ABORT_MS = 5000,	/* from SIGABRT to SIGKILL */
	TEND_CLOSED_MS = 2000,	/* from the end of the link to SIGKILL */
	TEND_STOP_EACH_MS = 1400,
	TEND_STOP_KILL_MS = 4500,
};

enum tend_state {
	TEND_DOWN,
	TEND_STARTING, /* from fork to READY */
	TEND_READY,
	TEND_DYING, /* killed, or without a link */
};

struct tend {
	enum tend_state state;
	int64_t started;
	int64_t due; /* DOWN: start; STARTING: give up; DYING: SIGKILL */
	int64_t delay;
	int64_t ping;  /* READY: the next PING, or the answer's deadline */
	int asked;     /* a PING is out */
	int64_t heard; /* READY, or its last PONG */
};

enum tend_do {
	TEND_WAIT,
	TEND_START,
	TEND_PING,
	TEND_ABORT, /* SIGABRT */
	TEND_KILL,  /* SIGKILL */
};

/* A worker that is to be started at once. */
void tend_init(struct tend *, int64_t now);

/*
 * What is to be done now, taken as done.  TEND_WAIT: nothing before *wake,
 * INT64_MAX: nothing but what happens.
 */
enum tend_do tend_turn(struct tend *, int64_t now, int64_t *wake);

void tend_ready(struct tend *, int64_t now);
/* Asked for or not; one that is starting has as long again. */
void tend_pong(struct tend *, int64_t now);

/* The next PING is due now, unless one is out. */
void tend_ask(struct tend *, int64_t now);

/* "is starting" or the like, to be said of one that was not heard. */
const char *tend_text(const struct tend *);

/* Its control link is over; it should end by itself. */
void tend_closed(struct tend *, int64_t now);

/* It has ended, or could not be started.  The delay before the next start. */
int64_t tend_ended(struct tend *, int64_t now);

/* Shutdown. */
struct tend_stop {
	int64_t began;
	int64_t told_at; /* the latest */
	uint8_t told[PROC_COUNT];
	uint8_t killed;
};

enum tend_stop_do {
	STOP_WAIT,
	STOP_TELL, /* *who: STOP */
	STOP_KILL, /* all that are left: SIGKILL */
	STOP_DONE,
};

void tend_stop_init(struct tend_stop *, int64_t now);

/* As tend_turn().  alive: by enum proc. */
enum tend_stop_do tend_stop_turn(struct tend_stop *, const uint8_t *alive,
    int64_t now, int64_t *wake, enum proc *who);

#endif
