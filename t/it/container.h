/* SPDX-License-Identifier: ISC */
#ifndef T_IT_CONTAINER_H
#define T_IT_CONTAINER_H

/*
 * The provider as the Pod of deploy/kubernetes runs it: three containers of
 * namespaces (t/it/container), each one supervisor with --only.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ipc/msg.h"

/* By enum proc; [PROC_SUPERVISOR] is none. */
#define EACH_CONTAINER(p) for ((p) = PROC_KUBESIDE; (p) <= PROC_PLACER; (p)++)

/* NULL: containers can be made here; else why not. */
const char *container_missing(void);

/* The Pod's volumes, and its Secrets of the world's credentials. */
void container_pod(void);

/* Another folder of programs for this container's next start; NULL: ours. */
void container_programs(enum proc, const char *);

/*
 * The memory of its next start and those after it; 0: this host bounds none.
 * How much it was at most, -1: nobody knows.  Then the bound goes, with the
 * container ended.
 */
int container_limit(enum proc, int64_t bytes);
int64_t container_peak(enum proc);
void container_unlimit(enum proc);

/* A container begins, which was not begun or has ended. */
void container_start(enum proc);

/* SIGTERM: its status.  SIGKILL: it is gone. */
int container_stop(enum proc);
void container_kill(enum proc);

/* Inside, as its user: the status of argv; its output, the caller's. */
int container_exec(enum proc, const char *const argv[], char **out);

/* Its log and workers (provider.h) of all its runs. */
struct provider *container_provider(enum proc);

/* What is outside of it a file of its volumes; caller frees. */
char *container_volume(const char *volume, const char *file);

uid_t container_uid(enum proc);

#endif
