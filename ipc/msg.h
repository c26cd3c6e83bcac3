/* SPDX-License-Identifier: ISC */
#ifndef IPC_MSG_H
#define IPC_MSG_H

/*
 * The messages between processes: types, bodies, codecs and the one gate that
 * every received frame passes.  Pure: no descriptors, no allocation, no logs.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"
#include "common/span.h"
#include "ipc/body.def"

/* Lengths of arrays in bodies. */
enum {
	TALLY_TIMES = 12, /* common/meter.h */
	TALLY_ENDS = 10,  /* common/why.h */
	BUDGET_KINDS = 5, /* flightside/budget.h */
};

/* Why flightside did not write what the placer asked for. */
#define REFUSALS(X)                                                    \
	X(MALFORMED, "malformed") /* no edit, or of no device */       \
	X(WRITER, "writer")	  /* our lease is over, or none is */  \
	X(FLEET, "fleet")	  /* FLEET_ID */                       \
	X(POLICY, "policy")	  /* a form, a path, an image of it */ \
	X(SIZE, "size")		  /* DEVICE_MAX_PODS, or bytes */      \
	X(DEVICES, "devices")	  /* CHANGE_DEVICES */

enum refusal {
#define X(name, word) REFUSAL_##name,
	REFUSALS(X)
#undef X
	REFUSAL_KINDS
};

enum proc {
#define PROC(name, ...) PROC_##name,
#include "common/proc.def"
#undef PROC
	PROC_COUNT
};

enum msg_type {
	MSG_NONE,
#define MSG(name, ...) MSG_##name,
#include "ipc/msg.def"
#undef MSG
	MSG_COUNT
};

/* A link is in SETUP until GO (control) or the peer's HELLO (data). */
enum msg_when {
	WHEN_SETUP = 1,
	WHEN_RUN = 2,
	WHEN_ALWAYS = 3
};

enum msg_fd {
	NO_FD,
	ONE_FD
};

enum listener {
	LISTENER_HTTP = 1, /* /healthz, /readyz, /metrics */
	LISTENER_CONTROL,  /* vkfctl(8) */
	LISTENER_END
};

/* How a worker of our supervisor is. */
#define CREW_STATES(X)                                                      \
	X(UNKNOWN, "unknown")	/* another supervisor has it in its care */ \
	X(DOWN, "down")		/* it is to be started again */             \
	X(STARTING, "starting") /* and not yet ready */                     \
	X(READY, "ready")                                                   \
	X(DYING, "dying") /* killed, or without a link */

enum crew_state {
#define X(name, word) CREW_##name,
	CREW_STATES(X)
#undef X
	CREW_NSTATES
};

enum pod_how {
	POD_LISTED = 1,
	POD_ADDED,
	POD_MODIFIED,
	POD_DELETED,
};

/* What a READ is for; the later is the more urgent. */
enum read_for {
	READ_MOTION,  /* the device is changing */
	READ_SUSPECT, /* it may be lost or gone */
	READ_WRITE,   /* before a write is decided on */
};

enum object_kind {
	OBJECT_CONFIGMAP = 1,
	OBJECT_SECRET,
	OBJECT_POD, /* the pod of pod_uid itself, again */
};

/*
 * How Flightctl answers us.  SILENT: it does not, or only with errors of its
 * own; UNAUTHORIZED: 401 to all; FORBIDDEN: 403 to what nothing works without.
 */
enum flight_state {
	FLIGHT_SILENT,
	FLIGHT_ANSWERS,
	FLIGHT_UNAUTHORIZED,
	FLIGHT_FORBIDDEN,
	FLIGHT_STATES
};

/* Why a frame was refused; any value but ADMIT_OK ends the link. */
#define ADMITS(X)                                                \
	X(OK)                                                    \
	X(TYPE)	    /* no such message */                        \
	X(SENDER)   /* the peer may not send it */               \
	X(RECEIVER) /* not for us */                             \
	X(WHEN)	    /* too early or too late on this link */     \
	X(SIZE)	    /* shorter or longer than its body may be */ \
	X(FD)	    /* a descriptor too many or too few */       \
	X(BODY)	    /* no body of that message */

enum admit {
#define X(name) ADMIT_##name,
	ADMITS(X)
#undef X
};

struct msg_info {
	const char *name;
	uint8_t from; /* bits 1 << enum proc */
	uint8_t to;
	uint8_t when;
	uint8_t fd;
	uint32_t min; /* bytes of body */
	uint32_t max;
};

/* Bytes being written; cap is fixed by the caller. */
struct wbuf {
	uint8_t *p;
	size_t len;
	size_t cap;
};

enum {
	NO_GRACE = UINT32_MAX, /* pod_delete: the pod's own grace period */
};

#define DECL(kind, ...) DECL_##kind(__VA_ARGS__)
#define DECL_pad(n) uint8_t n;
#define DECL_u32(n) uint32_t n;
#define DECL_u64(n) uint64_t n;
#define DECL_str(n, max) char n[(max) + 1];
#define DECL_u64s(n, len) uint64_t n[len];
#define DECL_blob(n, max) struct span n;

/*
 * body_X_put appends the encoding (-1: a field over its bound, or no room);
 * body_X_get decodes all of the span (-1: not exactly one such body); blobs
 * in the result point into the span.
 */
#define BODY(name)                                                        \
	struct body_##name {                                              \
		BODY_##name(DECL)                                         \
	};                                                                \
	int body_##name##_put(struct wbuf *, const struct body_##name *); \
	int body_##name##_get(struct span, struct body_##name *);
BODIES(BODY)
#undef BODY

/* NULL: no such type. */
const struct msg_info *msg_info(uint32_t type);

/* The gate: may this frame go from one process to the other now? */
enum admit msg_admit(uint32_t type, uint32_t len, int has_fd, enum proc from,
    enum proc to, enum msg_when now);

/* Whether that is exactly one body of that type; the gate's last question. */
int msg_decodes(enum msg_type, struct span);

/* Bytes that *body of that type takes, and its encoding; see body_X_put. */
size_t msg_size(enum msg_type, const void *body);
int msg_put(enum msg_type, struct wbuf *, const void *body);

const char *admit_name(enum admit);
const char *crew_state_name(enum crew_state);
const char *proc_name(enum proc);

/* PROC_COUNT: no such process. */
enum proc proc_by_name(const char *);

#endif
