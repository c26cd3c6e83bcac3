/* SPDX-License-Identifier: ISC */
#ifndef T_IT_ALTERED_H
#define T_IT_ALTERED_H

/*
 * The provider with programs that were linked with something more, and a file
 * PROGRAM.KIND beside each of them, which both sides map.
 */

#include <stddef.h>

/*
 * All programs that the provider needs, in a folder of the scenario's, and
 * those starts from now on are these; of each the one in ../KIND/bin, where
 * there is one.
 */
void altered_programs(const char *kind);

/* The plan of this program, of zeros at first. */
void *altered_plan(const char *kind, const char *name, size_t size);

#endif
