/* SPDX-License-Identifier: ISC */
/*
 * amount.c: CPU and memory as people write them.
 */
#include "placer/amount.h"

#include <inttypes.h>
#include <stdio.h>

void
amount_cpu(char buf[AMOUNT_SIZE], int64_t cpu_m)
{
	size_t n;

	n = (size_t)snprintf(buf, AMOUNT_SIZE, "%" PRId64 ".%03d", cpu_m / 1000,
	    (int)(cpu_m % 1000));
	while (n > 0 && n < AMOUNT_SIZE && buf[n - 1] == '0')
		buf[--n] = '\0';
	if (n > 0 && n < AMOUNT_SIZE && buf[n - 1] == '.')
		buf[n - 1] = '\0';
}

void
amount_memory(char buf[AMOUNT_SIZE], int64_t bytes)
{
	if (bytes % (1 << 20) == 0)
		(void)snprintf(buf, AMOUNT_SIZE, "%" PRId64 "Mi", bytes >> 20);
	else if (bytes % (1 << 10) == 0)
		(void)snprintf(buf, AMOUNT_SIZE, "%" PRId64 "Ki", bytes >> 10);
	else
		(void)snprintf(buf, AMOUNT_SIZE, "%" PRId64, bytes);
}
