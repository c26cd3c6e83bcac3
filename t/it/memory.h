/* SPDX-License-Identifier: ISC */
#ifndef T_IT_MEMORY_H
#define T_IT_MEMORY_H

/*
 * Where bytes are in the memory of a process: in all that it may write.  Root
 * may look, whatever the process has said of itself.
 */

#include <stddef.h>
#include <sys/types.h>

/* 1: we may look, and what is freed there is gone; else says why it is not. */
int memory_is_seen(void);

/* Calls fn with the bytes of each area; kept: it is locked and in no dump. */
typedef void memory_fn(const char *bytes, size_t len, int kept, void *arg);
void memory_walk(pid_t, memory_fn *, void *arg);

/* How often they are there. */
struct memory_copies {
	unsigned int kept;  /* in locked pages that no dump has */
	unsigned int loose; /* anywhere else */
};
struct memory_copies memory_find(pid_t, const void *bytes, size_t len);

/*
 * 1: the kernel writes no core of this process: the limit is 0 and it is not
 * dumpable, which a pipe in core_pattern respects too.
 */
int memory_dumps_nothing(pid_t);

#endif
