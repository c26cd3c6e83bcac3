/* SPDX-License-Identifier: ISC */
#ifndef T_IT_CHILD_H
#define T_IT_CHILD_H

/* Programs that a scenario starts; none outlives it. */

#include <sys/types.h>

/*
 * Starts argv[0] with the environment env (NULL: ours), output to the file
 * log.  Dies when that fails.
 */
pid_t child_start(const char *const argv[], char *const env[], const char *log);

/* The same in these new namespaces (clone(2)), which wants root. */
pid_t child_start_apart(const char *const argv[], const char *log, int spaces);

/* Exit status (128 + signal), -1: it did not end within ms. */
int child_wait(pid_t, int ms);

/* By SIGTERM, then SIGKILL. */
void child_end(pid_t);

/* Runs a program to its end: its status; its output, the caller's. */
int child_run(const char *const argv[], char **out);

/* build/V/bin/NAME beside the folder of this program; caller frees. */
char *child_program(const char *name);

/* Tree file by its path from the root of the sources; caller frees. */
char *child_source(const char *path);

/* Ids of a process's children: how many, at most max of them in pids. */
size_t child_list(pid_t, pid_t *pids, size_t max);

/* The name of a process, "" when it has ended. */
void child_name(pid_t, char *buf, size_t);

#endif
