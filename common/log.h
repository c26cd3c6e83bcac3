/* SPDX-License-Identifier: ISC */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

/*
 * Log lines.  In a worker they go to the supervisor as LOG frames, in the
 * supervisor and in tools to standard error, one JSON object (or text) a
 * line: time level process msg operation pod device fleet error; or where
 * log_set_writer() says.
 * Never a secret, never a body.
 */

#include <stdint.h>

#include "common/level.h"

/* What a line is about; NULL members are left out. */
struct log_about {
	const char *operation;
	const char *ns;	 /* of the pod; NULL: its name has it */
	const char *pod; /* namespace/name in the line */
	const char *device;
	const char *fleet;
	const char *error;
};

struct body_log;

/* process: the name in every line.  Starts on standard error as text. */
void log_init(const char *process);
void log_set_level(enum log_level);
void log_set_json(int);

/* Workers: every line goes to fn instead of standard error; NULL ends it. */
void log_set_sink(void (*fn)(const struct body_log *, void *), void *arg);

/* A line of a worker, written by the supervisor. */
void log_relay(const char *process, const struct body_log *);

/*
 * Lines go to fn before standard error; message is the one of a text line,
 * without time and level.  -1 with errno: EAGAIN, it was not taken within
 * patience_ms and is lost; else the line goes to standard error.  NULL: none.
 */
typedef int log_writer(const char *process, const struct body_log *,
    const char *message, int patience_ms);
void log_set_writer(log_writer *);

enum {
	LOG_TIME_BYTES = sizeof("-2147483648-01-02T03:04:05.678Z")
};

/* RFC 3339, UTC; "" when there is no such time. */
void log_time(int64_t wall_ms, char text[LOG_TIME_BYTES]);

void log_line(enum log_level, const struct log_about *, const char *, ...)
    __attribute__((format(printf, 3, 4)));
void log_error(const char *, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *, ...) __attribute__((format(printf, 1, 2)));
int log_debugging(void);

/* error level, then _exit(1): start-up and broken invariants of a worker. */
__attribute__((noreturn)) void fatal(const char *, ...)
    __attribute__((format(printf, 1, 2)));

#endif
