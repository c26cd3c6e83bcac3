/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_EDGE_H
#define T_SIM_EDGE_H

/*
 * One edge device as the service sees it: takes a rendered version, goes
 * through the steps of the agent, runs the applications, reports.  Failures
 * are set from outside.  Pure: time is an argument, nothing is sent.
 *
 * The owner loops: after anything that may have changed it, and at
 * edge_wake(), it calls edge_step() until that returns 0, and pushes
 * edge_report() each time it returned 1.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/mono.h"
#include "common/span.h"

struct edge;
struct out;

/*
 * What becomes of applications whose name or (first) image matches; EDGE_OK
 * takes it back.
 */
#define EDGE_MODES(X)                                                        \
	X(OK, "ok")                                                          \
	X(ROLLBACK, "rollback")	  /* the version fails, the old one stays */ \
	X(PULL_HANG, "pull-hang") /* the version waits for its image */      \
	X(ERROR, "error")	  /* the container ended with an error */    \
	X(COMPLETED, "completed") /* it ended with 0 */                      \
	X(CRASHLOOP, "crashloop") /* it dies and is started again */

enum edge_mode {
#define X(name, word) EDGE_##name,
	EDGE_MODES(X)
#undef X
};

struct edge_conf {
	int64_t apply_ms;   /* from a version's arrival to Updated */
	int64_t status_ms;  /* reports of applications; 0: at once */
	int64_t restart_ms; /* from an agent's restart to the truth */
	int cores;
	int64_t memory_kb;
	const char *arch; /* Go's name; kept, not copied */
};

struct edge_condition {
	const char *status; /* "True", "False"; NULL: never reported */
	const char *reason;
	char *message;
	int64_t since_us; /* wall clock */
};

/* The members of a DeviceStatus; texts are JSON, borrowed until a step. */
struct edge_report {
	const char *applications;   /* array, in the server's order */
	const char *summary_status; /* of the applications */
	const char *summary_info;   /* or NULL */
	size_t napplications;
	const char *system_info; /* object */
	uint64_t version;
	const struct edge_condition *updating;
};

/* 0 and the mode, or -1: no such word. */
int edge_mode_by_name(const char *, enum edge_mode *);

struct edge *edge_new(const char *name, const struct edge_conf *, struct now);
void edge_free(struct edge *); /* NULL allowed */

/* A version the service has rendered, and its member spec. */
void edge_offer(struct edge *, uint64_t version, struct span spec, struct now);
/* As edge_offer, but it is there already: a device that was always there. */
void edge_settle(struct edge *, uint64_t version, struct span spec, struct now);

/* One step at most; 1: edge_report() is to be pushed now. */
int edge_step(struct edge *, struct now);
/* boot_ms of the next step, INT64_MAX: none until something happens. */
int64_t edge_wake(const struct edge *);
void edge_report(struct edge *, struct edge_report *);

/* The last version offered, 0: none. */
uint64_t edge_known(const struct edge *);

/* How many running applications of all devices were replaced by other bytes. */
uint64_t edge_remade(void);
/* Nothing under way, the offered version is the applied one. */
int edge_is_settled(const struct edge *);

void edge_apply_ms(struct edge *, int64_t ms);
void edge_fail(struct edge *, const char *app_glob, enum edge_mode, struct now);
/* The agent (not the device) starts again. */
void edge_agent_restart(struct edge *, struct now);

/* Counts of applications by state word, for summaries. */
void edge_count(struct edge *, struct now, void (*)(const char *state, void *),
    void *);

/* report as one DeviceStatus for the agent endpoint. */
void edge_write_status(struct out *, const struct edge_report *);

#endif
