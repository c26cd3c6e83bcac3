/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_SPAWN_H
#define SUPERVISOR_SPAWN_H

/* The only caller of fork and exec. */

#include <sys/types.h>

#include "common/settings.h"
#include "common/why.h"

/* The user id of a worker, by UIDS; 0: the one of this process. */
uid_t spawn_uid(const struct settings *, enum proc);

/*
 * Starts the worker with fd 0-2 and the control link on 3 and nothing else:
 * other ids when uid is not 0, no capability, a few words of environment.
 * Takes control.  -1: could not.
 */
pid_t spawn_worker(enum proc, uid_t, int control, struct why *);

/*
 * A signal for a worker that was not waited for, of that user (0: ours); needs
 * no right to signal others' processes.
 */
void spawn_signal(pid_t, uid_t, int sig);

/* Why a child of spawn_worker() never was the worker; NULL: it was. */
const char *spawn_failure(int wait_status);

/* How it ended, in words. */
void spawn_end(int wait_status, char *text, size_t size);

#endif
