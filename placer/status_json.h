/* SPDX-License-Identifier: ISC */
#ifndef PLACER_STATUS_JSON_H
#define PLACER_STATUS_JSON_H

/* A PodStatus written down.  Used by podstatus.c alone.  Pure. */

#include "common/jread.h"
#include "placer/podstatus.h"

/* How all containers of the pod are said to be. */
enum shape {
	SHAPE_UNSAID,	/* no statuses: the pod was never admitted */
	SHAPE_CREATING, /* waiting, have not run yet */
	SHAPE_RUNS,
	SHAPE_FAILS,	 /* waiting to run again after a failure */
	SHAPE_ENDS,	 /* waiting to run again after exit 0 */
	SHAPE_COMPLETED, /* terminated, exit 0 */
	SHAPE_FAILED,	 /* terminated, exit not 0 */
};

struct view {
	enum pod_phase phase;
	enum shape shape;
	uint8_t ready;	    /* every container is */
	uint8_t begun;	    /* every init container has ended well */
	uint8_t init_fails; /* the last one that started runs again later */
	uint32_t init_started;
	uint8_t old_images;  /* what runs may be what ran before */
	uint8_t unheard;     /* nobody knows whether it still is */
	const char *reason;  /* the pod's, or NULL */
	const char *message; /* likewise */
	const char *unready; /* why Ready is not True */
	const char *device;  /* reason of the condition Device */
	enum truth cond[COND_COUNT];
};

/* initContainerStatuses, and what the API will then show of them. */
void status_init(struct json_object *, const struct podstatus_in *,
    const struct view *, struct pod_seen *says);

/* ephemeralContainerStatuses: none ever runs. */
void status_debuggers(struct json_object *, const struct podstatus_in *);

/* The condition PodResizePending, or that it holds no more. */
void status_resize(struct json_object *conditions, const struct podstatus_in *);

/* What the container was admitted with, once a device has it. */
void status_resources(struct json_object *, const struct podstatus_in *,
    const struct pod_container *);

/*
 * How a container ended by what its device says, or else by what was told
 * before; NULL: nobody knows, or it was ended for being out of time.
 */
const struct ended *status_ended(const struct podstatus_in *,
    const struct pod_container *);

/* exitCode and reason; of one that ended NULL: 1 when it failed, 0. */
void status_exit(struct json_object *terminated, const struct ended *,
    int failed);

/* {"waiting":{"reason":...,"message":...}} and the times of a state. */
void status_waiting(struct json_object *, const char *reason,
    const char *message);
void status_time(struct json_object *, const char *key, int64_t ms);

/* The patch, its digest, and what the API will then show. */
void status_json(const struct podstatus_in *, const struct view *,
    struct podstatus *);

#endif
