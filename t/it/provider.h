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

/* One that has ended begins anew, with all that it had; its log goes on. */
void provider_again(struct provider *);

/* Members may be NULL. */
struct provider_look {
	const char *locked; /* a setting: no worker may read its file's copy */
	const char *only;   /* this worker */
};

/*
 * The same with --check, to its end, and only as long as that may take: exit
 * status, -1: too late; what it printed, the caller's.
 */
int provider_check(const char *name, const char *const *extra,
    const struct provider_look *, char **out);

/* The next ones are this program, which borrows its name; NULL: our own. */
void provider_program(const char *path);

/*
 * One that others start and that writes to NAME.log of the scenario's folder;
 * the process that it is, now and after each of its starts.
 */
struct provider *provider_adopt(const char *name);
void provider_follow(struct provider *, pid_t);

/*
 * SIGTERM; exit status, -1: not within 6 s, and killed.  One check: the three
 * views agree (views.h) before and after it.
 */
int provider_stop(struct provider *);

/* They need not: the scenario ends in the middle of something, by intent. */
void provider_leaves(struct provider *, const char *why);

/* Another file takes the place of the one that this setting names. */
void provider_replace(struct provider *, const char *name, const char *path);

/* A client of its listener, which it has within ms. */
struct http;
struct http *provider_listener(const struct provider *, int ms);

/* Its ADDRESS:PORT, the caller's. */
char *provider_address(const struct provider *, int ms);

pid_t provider_pid(const struct provider *);

/* A worker's process id, -1: none now. */
pid_t provider_worker(const struct provider *, const char *name);

/*
 * Lines of level warn or error that match (extended regular expression) are
 * expected; all others fail the scenario in provider_judge().
 */
void provider_expect(struct provider *, const char *regex);
void provider_judge(struct provider *);

/* The whole lines of the log until now; caller frees. */
char *provider_log(const struct provider *);

/* Lines of the log that match. */
size_t provider_lines(const struct provider *, const char *regex);

/* Waits until n lines match; returns how many do. */
size_t provider_await_lines(const struct provider *, const char *regex,
    size_t n, int ms);

#endif
