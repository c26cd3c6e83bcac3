/* SPDX-License-Identifier: ISC */
#ifndef T_IT_SILENCE_H
#define T_IT_SILENCE_H

/* Simulated devices that are not heard of any more, on both pairs. */

#include <stddef.h>

/*
 * One check: Flightctl calls these n disconnected.  The real service does so
 * after five minutes; there its clock is moved.
 */
void silence(char *const *devices, size_t n);

void silence_ends(char *const *devices, size_t n);

#endif
