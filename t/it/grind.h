/* SPDX-License-Identifier: ISC */
#ifndef T_IT_GRIND_H
#define T_IT_GRIND_H

/*
 * The provider under valgrind: what sanitizers do not see (libraries that are
 * not built with them) and may not look for (leaks, under seccomp).  It knows
 * neither seccomp nor Landlock: to a worker the kernel has none.  Wanted by
 * IT_VALGRIND in the environment.
 */

#include <stddef.h>

enum {
	GRIND_WORDS = 8
};

int grind_is_wanted(void);

/*
 * The words before the program's name, at most GRIND_WORDS: valgrind writes to
 * files in that new folder.  Returns how many; they live until the end.
 */
size_t grind_words(const char *folder, const char *words[]);

/*
 * The provider's program, copied there with its workers: valgrind executes
 * those by path, with uids that need not reach the build folder.  Caller frees.
 */
char *grind_program(const char *folder);

/* One check: no process of that folder read or lost what it must not. */
void grind_judge(const char *folder);

#endif
