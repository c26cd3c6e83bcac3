/* SPDX-License-Identifier: ISC */
#ifndef PLACER_POD_H
#define PLACER_POD_H

/*
 * One Pod as the apiserver sent it, reduced to what decisions and reports
 * need.  The translation (quadlet.h) reads the raw object itself, once.
 * Pure: no I/O, no clock.
 */

#include <stdint.h>

#include "common/span.h"
#include "common/why.h"
#include "placer/exits.h"

/* The taint of a virtual node. */
#define TAINT_KEY "virtual-kubelet.io/provider"

enum pod_phase {
	PHASE_NONE, /* empty: created, nobody wrote a status */
	PHASE_PENDING,
	PHASE_RUNNING,
	PHASE_SUCCEEDED,
	PHASE_FAILED,
	PHASE_UNKNOWN,
};

enum restart_policy {
	RESTART_ALWAYS,
	RESTART_ON_FAILURE,
	RESTART_NEVER,
};

/* The conditions that we write, in the order in which we write them. */
#define POD_CONDITIONS(X)                       \
	X(SCHEDULED, "PodScheduled")            \
	X(SANDBOX, "PodReadyToStartContainers") \
	X(INITIALIZED, "Initialized")           \
	X(CONTAINERS_READY, "ContainersReady")  \
	X(READY, "Ready")                       \
	X(DEVICE, "vk.flightctl.io/Device")

enum pod_condition {
#define X(name, type) COND_##name,
	POD_CONDITIONS(X)
#undef X
	COND_COUNT
};

enum truth {
	TRUTH_ABSENT,
	TRUTH_TRUE,
	TRUTH_FALSE,
	TRUTH_UNKNOWN,
};

/* What the API's status says now. */
struct pod_seen {
	enum pod_phase phase;
	uint64_t generation; /* observedGeneration, 0: absent */
	struct {
		enum truth status;
		int64_t since_ms; /* lastTransitionTime, wall; 0: absent */
	} cond[COND_COUNT];
	int64_t start_ms;    /* status.startTime, 0: absent */
	int64_t running_ms;  /* earliest state.running.startedAt, 0: none */
	int64_t started_ms;  /* likewise, or of state.terminated */
	int64_t finished_ms; /* latest state.terminated.finishedAt, 0: none */
	uint32_t restarts;   /* sum of restartCount */
	uint8_t resize_pending; /* condition PodResizePending is there */
	uint32_t init_restarts; /* likewise, of initContainerStatuses */
	uint32_t init_done;	/* those that are terminated or started */
	uint64_t images;	/* digest: those that containers are said to
				   run, added like reasons */
	uint64_t reasons; /* digest: the reasons of the pod, of our condition
			     and of its containers, pod_reasons_add() over
			     each */
};

struct pod_container {
	char *name;
	char *image; /* as the pod says it, not normalised */
	uint8_t init;
	uint8_t sidecar;   /* an init container that goes on */
	uint64_t image_id; /* digest of its full name */
	char *told_image;  /* another that the API says it runs, or NULL */
	struct ended told; /* how it ended, as the API says */
	int64_t told_ms;   /* when, 0: that it has not */
	char *resources;   /* JSON: what it was admitted with; NULL: nothing */
	int64_t ran_ms;	   /* since when it runs, as the API says, 0: it does
			      not */
	struct {
		int64_t from_ms, to_ms;
	} last; /* the run before, as the API says; 0: none */
};

/* A container that a client added to look into the pod: in_place.h. */
struct pod_debugger {
	char *name;
	char *image;
	int64_t told_ms; /* since when the API says that it has ended, or 0 */
};

/* One requirement of a nodeSelector, an affinity term or a selector. */
enum selector_op {
	SEL_IN,
	SEL_NOT_IN,
	SEL_EXISTS,
	SEL_NOT_EXISTS,
	SEL_GT,
	SEL_LT,
};

struct requirement {
	char *key;
	enum selector_op op;
	char **values;
	size_t nvalues;
	uint8_t field; /* matchFields: key is metadata.name of the node */
};

/* All hold (AND). */
struct term {
	struct requirement *reqs;
	size_t nreqs;
	int32_t weight; /* of a preferred term */
};

/* NULL in struct pod when the pod wishes nothing. */
struct wish {
	struct term selector;  /* nodeSelector */
	struct term *required; /* one of them holds (OR) */
	size_t nrequired;
	struct term *preferred;
	size_t npreferred;
	struct term device; /* annotation vk.flightctl.io/device-selector */
	char *device_name;  /* annotation vk.flightctl.io/device, or NULL */
};

struct host_port {
	uint16_t port;
	uint8_t protocol; /* 6 TCP, 17 UDP, 132 SCTP */
	char *ip;	  /* NULL: on all of the device's addresses */
};

enum {
	RECONNECT_DEFAULT = 0,
	RECONNECT_NEVER = -1,
};

struct pod {
	char *ns;
	char *name;
	char *uid;
	char *node;	       /* spec.nodeName */
	char *controller;      /* uid of the controlling owner, or NULL */
	char *controller_kind; /* "ReplicaSet", ..., or NULL */
	uint64_t generation;
	uint64_t order_ms; /* creationTimestamp: first come first served */
	uint64_t images;   /* digest of the ordered list of images */
	int64_t cpu_m;	   /* requests by Kubernetes' rule, design 5 */
	int64_t memory;
	int64_t reconnect_ms; /* annotation, or RECONNECT_* */
	int64_t deadline_ms;  /* activeDeadlineSeconds, 0: none */
	enum restart_policy restart;
	uint8_t terminating;	/* has a deletionTimestamp */
	uint8_t tolerates_ours; /* the provider taint, by its key */
	uint8_t is_daemon;	/* controlled by a DaemonSet */
	uint8_t resized;	/* and has what it had: in_place.h */
	uint8_t uses_secrets;	/* its translation holds what is in a Secret */
	struct host_port *ports;
	size_t nports;
	struct pod_container *containers; /* init ones first */
	size_t ncontainers;
	struct pod_debugger *debuggers;
	size_t ndebuggers;
	struct wish *wish;
	char *recipe;	   /* what its files are made of, or NULL: recipe.h */
	char *told_device; /* that our condition last named, or NULL */
	struct pod_seen seen;
};

/*
 * NULL with *why (ERR_FORMAT, path and value in the text) for what is not a
 * Pod that an apiserver can have sent; when only a wish or an annotation is
 * malformed: the pod is returned and *why is set all the same (kind DENIED).
 */
struct pod *pod_parse(struct span, struct why *);
void pod_free(struct pod *);

/* For an object that pod_parse() refuses: its identity as far as it goes. */
int pod_identity(struct span, struct span *ns, struct span *name,
    struct span *uid);

struct label {
	char *key;
	char *value;
};

/* Where a term looks for a label: the first that has it, of two owners. */
struct bearer {
	struct {
		const struct label *list;
		size_t n;
	} of[2];
	const char *name; /* metadata.name, of a term's matchFields */
};

/* Empty terms hold. */
int term_holds(const struct term *, const struct bearer *);

/*
 * The digest of reasons in pod_seen: starts as 0, takes the pod's reason, that
 * of condition Device, then each container's of waiting; NULL or empty ones
 * change nothing.
 */
uint64_t pod_reasons_add(uint64_t, const char *);

const char *pod_truth_name(enum truth); /* "" when absent */
const char *pod_condition_type(enum pod_condition);
const char *pod_phase_name(enum pod_phase);

#endif
