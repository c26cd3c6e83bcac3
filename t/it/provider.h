/* SPDX-License-Identifier: ISC */
#ifndef T_IT_PROVIDER_H
#define T_IT_PROVIDER_H

/*
 * The program under test, its processes and its log.  Credentials are copied
 * so that each worker's id reads its own and no other.
 */

#include <stddef.h>
#include <sys/types.h>

struct provider;

/* name: of its log and state folder.  extra: "NAME=value", NULL at the end. */
struct provider *provider_start(const char *name, const char *const *extra);

/* The next ones are this program, which borrows its name; NULL: our own. */
void provider_program(const char *path);

/* SIGTERM; exit status, -1: not within 6 s, and killed. */
int provider_stop(struct provider *);

/* Another file takes the place of the one that this setting names. */
void provider_replace(struct provider *, const char *name, const char *path);

/* A client of its listener, which it has within ms. */
struct http;
struct http *provider_listener(const struct provider *, int ms);

pid_t provider_pid(const struct provider *);

/* A worker's process id, -1: none now. */
pid_t provider_worker(const struct provider *, const char *name);

/*
 * Lines of level warn or error that match (extended regular expression) are
 * expected; all others fail the scenario in provider_judge().
 */
void provider_expect(struct provider *, const char *regex);
void provider_judge(struct provider *);

/* The log until now; caller frees. */
char *provider_log(const struct provider *);

/* Lines of the log that match. */
size_t provider_lines(const struct provider *, const char *regex);

/* Waits until n lines match; returns how many do. */
size_t provider_await_lines(const struct provider *, const char *regex,
    size_t n, int ms);

#endif
