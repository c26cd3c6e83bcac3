/* SPDX-License-Identifier: ISC */
#ifndef PLACER_DEVICE_H
#define PLACER_DEVICE_H

/*
 * One Device as Flightctl sent it (v1.2.0 and later), reduced to what
 * decisions and reports need.  Pure: no I/O, no clock.
 */

#include <stdint.h>

#include "common/span.h"
#include "common/why.h"
#include "placer/exits.h"
#include "placer/pod.h"

/* status.summary.status */
#define DEVICE_SUMMARIES(X)                        \
	X(ONLINE, "Online")                        \
	X(DEGRADED, "Degraded")                    \
	X(ERROR, "Error")                          \
	X(REBOOTING, "Rebooting")                  \
	X(POWERED_OFF, "PoweredOff")               \
	X(UNKNOWN, "Unknown")                      \
	X(AWAITING_RECONNECT, "AwaitingReconnect") \
	X(CONFLICT_PAUSED, "ConflictPaused")

enum device_summary {
#define X(name, word) DEVICE_##name,
	DEVICE_SUMMARIES(X)
#undef X
	DEVICE_SUMMARY_COUNT
};

/* status.applications[].status (facts/flightctl.md 4.3) */
#define APP_STATES(X)             \
	X(UNKNOWN, "Unknown")     \
	X(PREPARING, "Preparing") \
	X(STARTING, "Starting")   \
	X(RUNNING, "Running")     \
	X(STOPPING, "Stopping")   \
	X(STOPPED, "Stopped")     \
	X(ERROR, "Error")         \
	X(COMPLETED, "Completed")

enum app_state {
#define X(name, word) APP_##name,
	APP_STATES(X)
#undef X
	APP_STATE_COUNT
};

/* One of our applications in status.applications. */
struct app_report {
	char *name;
	enum app_state state;
	uint16_t ready; /* "1/3": 1 */
	uint16_t of;	/* "1/3": 3 */
	uint32_t restarts;
};

/* One of our applications in spec.applications. */
struct app_entry {
	char *name;
	char *uid;	 /* the pod's, of the label in its files; or NULL */
	char *ns;	 /* likewise */
	char *pod;	 /* likewise: the pod's name */
	char *node;	 /* likewise: the virtual node */
	uint64_t images; /* digest as struct pod's, of the label; 0: absent */
	int64_t cpu_m;	 /* requests, of the labels; 0: absent */
	int64_t memory;
	int64_t bytes; /* of its files */
};

struct device {
	char *name;
	int64_t bytes; /* of the whole document, as it came */
	char *created; /* creationTimestamp as sent: the incarnation */
	char *owner;   /* "Fleet/x", or NULL */
	struct label *labels;
	size_t nlabels;
	uint64_t generation;
	enum device_summary summary;
	char *summary_info;	 /* or NULL */
	uint8_t enrolled;	 /* lifecycle Enrolled */
	uint8_t decommissioning; /* spec or lifecycle says so */
	uint8_t consoles;	 /* a console session holds the spec */
	/*
	 * The answer alone tells: rendered is the rule of v1.2.0, the
	 * SHA-256 of the bytes of this very spec.  Later servers hash more:
	 * where no device is ever rendered, take "hash differs from the one
	 * before our write" for rendered and, with it, settled for applied.
	 */
	uint8_t rendered;     /* renderedSpecHash is this spec's SHA-256 */
	uint8_t settled;      /* reports the rendered version, Updating is
				 False/Updated; says nothing of this spec yet */
	uint8_t applied;      /* rendered and settled */
	uint8_t failed;	      /* Updating is False/Error and it reports another
				 version: it was rolled back.  Also true for a
				 while after the next write: news only when
				 update_since is not what it was then */
	uint8_t hash_known;   /* rendered, or no hash yet: nothing speaks
				 against the rule of v1.2.0 */
	char *hash;	      /* annotation renderedSpecHash, or NULL */
	uint64_t version;     /* annotation renderedVersion, 0: none */
	char *update_reason;  /* condition Updating: reason, or NULL */
	char *update_message; /* its message, or NULL */
	char *update_since;   /* its lastTransitionTime as sent, or NULL */
	uint8_t spec_valid;   /* condition SpecValid is not False */
	char *spec_message;   /* its message, or NULL */
	int64_t cpu_m;	      /* systemInfo.cpuCores, 0: not reported */
	int64_t memory;	      /* systemInfo.memoryTotalKb in bytes, 0: not */
	char *arch;	      /* GOARCH word ("amd64"), or NULL */
	char *os;
	struct app_entry *entries; /* ours, spec.applications */
	size_t nentries;
	char **configs;	 /* ours, names in spec.config */
	uint64_t *files; /* of each: recipe_files() */
	size_t nconfigs;
	struct app_report *reports; /* ours, status.applications */
	size_t nreports;
	struct exits exits;  /* of our containers, status.systemd */
	size_t foreign_apps; /* not ours, in spec.applications */
};

/*
 * prefix: what our application names start with ("k8s-0123456789-"), "" when
 * the cluster is not yet known: then nothing is ours.  NULL with *why
 * (ERR_FORMAT, path in the text).
 */
struct device *device_parse(struct span, const char *prefix, struct why *);
void device_free(struct device *);

const char *device_label(const struct device *, const char *key); /* or NULL */
const struct app_entry *device_entry(const struct device *, const char *app);
const struct app_report *device_report(const struct device *, const char *app);
/* recipe_files() of a config entry; 0: it is not there. */
uint64_t device_files(const struct device *, const char *config);
const char *device_summary_word(enum device_summary);
const char *app_state_word(enum app_state);

#endif
