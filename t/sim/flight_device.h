/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_DEVICE_H
#define T_SIM_FLIGHT_DEVICE_H

/*
 * One device of the simulated service: what is stored of it and how it is
 * sent.  Texts that came as JSON are kept in the form they go out in.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/span.h"

struct edge;
struct event;
struct json_object;
struct out;
struct web_req;

/* Labels and annotations, by key. */
struct flight_pair {
	char *key, *value;
};

struct flight_pairs {
	struct flight_pair *v;
	size_t n;
};

void flight_pairs_set(struct flight_pairs *, const char *, const char *);
void flight_pairs_drop(struct flight_pairs *, const char *);
const char *flight_pairs_get(const struct flight_pairs *, const char *);
void flight_pairs_clear(struct flight_pairs *);
/* Replaced by the members of an object of strings; NULL empties. */
void flight_pairs_read(struct flight_pairs *, struct json_object *);
/* "k=v,k=v" added; -1: malformed. */
int flight_pairs_parse(struct flight_pairs *, const char *);
int flight_pairs_equal(const struct flight_pairs *,
    const struct flight_pairs *);
void flight_pairs_write(struct out *, const struct flight_pairs *);

/* In the order they are sent: those of the agent first. */
#define FLIGHT_CONDITIONS(X)                \
	X(UPDATING, "Updating")             \
	X(LEAVING, "DeviceDecommissioning") \
	X(SPEC_VALID, "SpecValid")          \
	X(MULTIPLE_OWNERS, "MultipleOwners")

enum flight_condition_type {
#define X(name, word) FLIGHT_##name,
	FLIGHT_CONDITIONS(X)
#undef X
	FLIGHT_NCONDITIONS
};

struct flight_condition {
	const char *status; /* NULL: not there.  Interned. */
	char *reason, *message;
	int64_t since_us; /* -1: never */
};

/* A computed status word and its sentence. */
struct flight_word {
	const char *status; /* interned */
	char *info;	    /* or NULL */
};

/* What an agent's last push said. */
struct flight_report {
	char *applications; /* array */
	size_t napplications;
	struct flight_word apps;
	char *version;	   /* config.renderedVersion */
	char *os;	   /* object */
	char *system_info; /* object */
	char *systemd;	   /* array or NULL */
	const char *cpu, *memory, *disk;
};

struct flight_device {
	char *name;
	struct flight_pairs labels, annotations;
	char *owner; /* or NULL */
	uint64_t generation, resource_version;
	int64_t created_us;
	char *spec;   /* exactly as it is sent */
	int enrolled; /* by an agent, not by POST or PUT */

	uint64_t rendered; /* 0: never */
	char hash[65];
	char *rendered_spec;
	unsigned int queued; /* renders that wait for it */

	struct flight_report report;
	struct flight_condition conditions[FLIGHT_NCONDITIONS];
	struct flight_word summary, updated, apps, lifecycle;
	int64_t seen_us;  /* last poll that is stored, 0: none */
	int64_t heard_us; /* last poll, stored with the next batch */

	struct edge *edge; /* runs in this process; NULL: elsewhere */
	struct event *timer;
	int away;	   /* edge is disconnected */
	int64_t polled_us; /* edge: start of its poll */

	char *override; /* sent instead of all this; NULL: not */
	struct flight_poll *polls;
	struct flight *flight;
};

/* Equal words are equal pointers. */
const char *flight_intern(const char *);
void flight_word_set(struct flight_word *, const char *status,
    const char *info);

struct flight_device *flight_device_new(const char *name, int64_t us,
    int enrolled);
void flight_device_free(struct flight_device *);

void flight_condition_set(struct flight_device *, enum flight_condition_type,
    const char *status, const char *reason, const char *message, int64_t us);
int flight_condition_is(const struct flight_device *,
    enum flight_condition_type, const char *status, const char *reason);

/* The whole device as GET and lists send it. */
void flight_device_write(struct out *, const struct flight_device *);
/* As the agent gets it: the rendered spec in place of the spec. */
void flight_device_write_rendered(struct out *, const struct flight_device *);

/* A parsed spec as the service stores and sends it. */
char *flight_spec_text(struct json_object *spec);

#endif
