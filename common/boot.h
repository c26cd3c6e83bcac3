/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BOOT_H
#define COMMON_BOOT_H

/*
 * The one start sequence of all workers: control link on fd 3, HELLO,
 * settings, GO; then links as they come and go, reload, stop, ping.
 */

#include "common/level.h"
#include "common/settings.h"
#include "ipc/chan.h"

struct event_base;

struct worker_ops {
	/*
	 * Settings are complete, the sandbox is not yet closed: open files
	 * here.  -1 with *why ends the process with that line.
	 */
	int (
	    *start)(struct event_base *, const struct settings *, struct why *);
	/*
	 * Instead of start() and all that follows it (--check): looks, writes
	 * nothing, says what it finds (finding.h), and calls boot_checked()
	 * once, at the end or from the loop, where the sandbox is closed.
	 */
	void (*check)(struct event_base *, const struct settings *);
	/* After the sandbox is closed, before READY. */
	void (*run)(void);
	/* A new data link: chan_open() it; an earlier one with this peer is
	 * over. */
	void (*link)(enum proc peer, int fd);
	/* NULL allowed: an inherited listening socket, after start() and
	 * before run(); yours to close. */
	void (*listener)(enum listener, int fd);
	/* NULL allowed: FLIGHTCTL_AUTH_TOKEN, before start(); wipe your copy
	 * when it is replaced. */
	void (*token)(struct span);
	/* NULL allowed: a line of the log, of level warn or error. */
	void (*trouble)(const struct body_trouble *);
	/* NULL allowed: how a worker of our supervisor is. */
	void (*crew)(const struct body_crew *);
	/* Re-read credential files; reloadable settings have changed. */
	void (*reload)(const struct settings *);
	/* Finish what must not be cut, then event_base_loopbreak(). */
	void (*stop)(void);
	/* NULL allowed: free what is left, while the event base is there;
	 * start() may not have been called, or have failed. */
	void (*end)(void);
};

/*
 * Says that this worker lives, before what it cannot interrupt and what may
 * take seconds; each time counts as an answer to a PING.
 */
void boot_beat(void);

/*
 * The link with peer is over and peer may be alive (chan_ops.closed): asks the
 * supervisor for another, which comes to link() when both ends live.
 */
void boot_relink(enum proc peer);

/* The same, with a line that says why: the text of chan_ops.closed. */
void boot_link_over(enum proc peer, const char *text);

/* All was found; see worker_ops.check. */
void boot_checked(void);

/*
 * The placer only: uid orders that all processes log so much from now on, this
 * one at once.  -1: the supervisor could not be told.
 */
int boot_log_level(enum log_level, uint32_t uid);

/* The body of a worker's main(); returns its exit status. */
int boot_worker(enum proc self, const struct worker_ops *);

#endif
