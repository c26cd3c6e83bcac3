/* SPDX-License-Identifier: ISC */
#ifndef T_IT_STAGE_H
#define T_IT_STAGE_H

/*
 * A supervisor whose workers are actors (actor.h): what it does is seen in its
 * log, what they see they log.
 */

#include <sys/types.h>

#define PROGRAM "vk-flightctl-provider"

enum {
	STAGE_WORKERS = 3
};
extern const char *const stage_workers[STAGE_WORKERS];

#define EACH_WORKER(i) for ((i) = 0; (i) < STAGE_WORKERS; (i)++)

/* One run. */
struct stage {
	char *dir; /* with the programs and the state */
	char *log;
	pid_t pid;
};

/* The body of main(): the scenario, or the actor that argv0 names. */
int stage_main(const char *argv0, const char *name, void (*scenario)(void));

/* A folder of that name with all programs. */
struct stage stage_prepare(const char *name);

/* As stage_prepare(), with the real workers. */
struct stage stage_prepare_real(const char *name);

/* The part of a worker from its next start on. */
void stage_play(const struct stage *, const char *worker, const char *part);

/* Starts argv, or just the supervisor; extra: settings, NULL at the end. */
void stage_launch(struct stage *, const char *const argv[],
    const char *const *extra);
void stage_start(struct stage *, const char *const *extra);

/* Waits until all workers are ready; dies otherwise. */
void stage_started(const struct stage *);

/* SIGTERM, one check that it ends in time, and all is freed but the log. */
void stage_stop(struct stage *);

/* -1: there is none now. */
pid_t stage_worker(const struct stage *, const char *name);

/* How often the words are in a text, in the log; until they are n times. */
int stage_count(const char *text, const char *words);
int stage_lines(const struct stage *, const char *words);
int stage_await(const struct stage *, const char *words, int n);

void stage_write(const char *path, const char *text);

#endif
