/* SPDX-License-Identifier: ISC */
#ifndef COMMON_MARK_H
#define COMMON_MARK_H

/*
 * Our mark in a device's spec: the names of our applications and config
 * entries.  An application is named
 *	k8s-<cid10>-<namespace>-<pod>-<uid8>
 * with cid10 the first ten hex digits of the cluster id's SHA-256 and uid8
 * the first eight of the UID; at most MAX_APP of [a-z0-9-].  When namespace
 * and pod had to be changed for that (a dot, too long), eight hex digits of
 * the SHA-256 of "namespace/pod" stand before uid8, so that names stay apart.
 * Its config entries are named <application>.<volume>.  The placer makes the
 * names, flightside refuses to touch any other.  Pure (libmd).
 */

#include "common/limits.h"
#include "common/span.h"

enum {
	MARK_PREFIX = sizeof("k8s-0123456789-"),
	DIGEST_SIZE = 65,
};

/* "k8s-<cid10>-": what every name of this cluster begins with. */
void mark_prefix(const char *cluster, char buf[MARK_PREFIX]);

/* -1: ns or pod is empty, or uid has fewer than eight of [0-9a-f]. */
int mark_name(const char *cluster, const char *ns, const char *pod,
    const char *uid, char buf[MAX_APP + 1]);

/* 1: begins as every name of this cluster, and is of that form. */
int mark_is_ours(const char *cluster, const char *name);

/*
 * What Flightctl's agent puts before every name of an application on a
 * device: its name, "-" and the first six digits of its CRC-32.
 */
void mark_id(const char *app, char buf[MAX_APP + 8]);

/* SHA-256 in lower-case hex. */
void mark_digest(struct span, char hex[DIGEST_SIZE]);

#endif
