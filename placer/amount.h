/* SPDX-License-Identifier: ISC */
#ifndef PLACER_AMOUNT_H
#define PLACER_AMOUNT_H

/* CPU and memory as people write them: "0.5", "2", "512Mi".  Pure. */

#include <stddef.h>
#include <stdint.h>

enum {
	AMOUNT_SIZE = 32,
};

void amount_cpu(char buf[AMOUNT_SIZE], int64_t cpu_m);
void amount_memory(char buf[AMOUNT_SIZE], int64_t bytes);

#endif
