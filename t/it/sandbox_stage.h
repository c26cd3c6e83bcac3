/* SPDX-License-Identifier: ISC */
#ifndef T_IT_SANDBOX_STAGE_H
#define T_IT_SANDBOX_STAGE_H

/*
 * Supervisors whose workers are the real ones with t/probe/probe.so, and what
 * the probes are tried on: servers' ports, victims, keys.
 */

#include "t/it/stage.h"

struct probed {
	struct stage stage;
	pid_t victims[STAGE_WORKERS];
	char *spoil; /* folder that its workers may write to */
	uid_t uids[STAGE_WORKERS];
	int sockets[5];
};

struct probed_conf {
	const char *name;
	uid_t uid;	     /* of an ordinary user; 0: as we are */
	const char *without; /* layer, NULL: none */
	int brief, abi;
	int is_silent;		   /* nothing is tried, there are no reports */
	int is_prefixed;	   /* the prefix makes it that user */
	const char *const *prefix; /* words before the program; NULL: none */
	const char *setting;	   /* one more; NULL: none */
};

/* Starts it and waits until all workers have reported and are ready. */
struct probed probed_start(const struct probed_conf *);

/* A worker's report; the caller's. */
char *probed_report(const struct probed *, int worker);

void probed_stop(struct probed *);

/* t/probe/NAME of this build; the caller's. */
char *probed_file(const char *name);

#endif
