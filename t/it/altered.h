/* SPDX-License-Identifier: ISC */
#ifndef T_IT_ALTERED_H
#define T_IT_ALTERED_H

/*
 * The provider with workers that were linked with something more, and a file
 * WORKER.KIND beside each program, which both sides map.
 */

#include <stddef.h>

/*
 * All programs that the provider needs, in a folder of the scenario's, and
 * those starts from now on are these; of each worker the one in ../KIND/bin,
 * where there is one.
 */
void altered_programs(const char *kind);

/* The plan of this worker, of zeros at first. */
void *altered_plan(const char *kind, const char *worker, size_t size);

#endif
