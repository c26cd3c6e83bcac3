/* SPDX-License-Identifier: ISC */
#ifndef PLACER_SEEN_H
#define PLACER_SEEN_H

/* What a Pod's status says now, whoever wrote it.  Pure. */

#include "common/jread.h"
#include "placer/pod.h"

/*
 * The apiserver checks next to nothing in a status: what is not as it should
 * be counts as absent.
 */
void seen_read(struct json_object *status, struct pod_seen *);

/* How each of them ended last, as far as it was reported. */
void seen_ends(struct json_object *status, struct pod_container *, size_t n);

/* The image that it is said to run, borrowed from status; NULL: none. */
const char *seen_image(struct json_object *status,
    const struct pod_container *);

/* Since when the API says that it has ended; 0: it does not. */
int64_t seen_debugger(struct json_object *status, const char *name);

#define SEEN_RESIZE_PENDING "PodResizePending"

#endif
