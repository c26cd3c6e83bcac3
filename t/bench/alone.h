/* SPDX-License-Identifier: ISC */
#ifndef T_BENCH_ALONE_H
#define T_BENCH_ALONE_H

/*
 * One worker without the other processes: the program plays its supervisor,
 * and the placer at the other end of its link.
 */

#include <stdint.h>
#include <sys/types.h>

#include "ipc/chan.h"
#include "ipc/msg.h"

struct alone_ops {
	void (*linked)(void); /* the link is there */
	void (*frame)(struct frame *);
};

/*
 * Starts the worker with settings ("NAME=value", NULL at the end; those of
 * the world that it takes among them) and runs until alone_stop(); dies when
 * that takes longer than patience_s, or when the worker does not end well.
 */
void alone_run(enum proc, const char *const settings[],
    const struct alone_ops *, int patience_s);

/* Its process, while it runs. */
pid_t alone_pid(void);

/* To the worker, over the link. */
void alone_say(enum msg_type, const void *body);

void alone_stop(void);

#endif
