/* SPDX-License-Identifier: ISC */
#ifndef COMMON_LANDLOCK_H
#define COMMON_LANDLOCK_H

/* The kernel's Landlock, as far as it has it. */

#include <stddef.h>
#include <stdint.h>

enum {
	LANDLOCK_TCP = 4 /* the first version that knows TCP ports (layer.h) */
};

/* The version that the kernel has, 0: none. */
int landlock_abi(void);

/*
 * From here on this process and its threads read only below these paths
 * (absent ones are passed over) and change no file; they bind no TCP port
 * and connect to these only, from LANDLOCK_TCP on.  abi: of landlock_abi().
 * -1: errno.
 */
int landlock_confine(int abi, const char *const *reads, size_t nreads,
    const uint16_t *ports, size_t nports);

#endif
