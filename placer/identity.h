/* SPDX-License-Identifier: ISC */
#ifndef PLACER_IDENTITY_H
#define PLACER_IDENTITY_H

/*
 * Whose application it is, inside its own files: labels that quadlet.c writes
 * into every .container, that podman shows on the device, and that device.c
 * reads back when all memory is lost.  Pure.
 */

#include "common/span.h"

#define IDENTITY(X)                                             \
	X(CLUSTER, "vk.flightctl.io/cluster")                   \
	X(NODE, "vk.flightctl.io/node")                         \
	X(NAMESPACE, "vk.flightctl.io/namespace")               \
	X(POD, "vk.flightctl.io/pod")                           \
	X(UID, "vk.flightctl.io/uid")                           \
	X(IMAGES, "vk.flightctl.io/images") /* 16 hex digits */ \
	X(CPU, "vk.flightctl.io/cpu-milli")                     \
	X(MEMORY, "vk.flightctl.io/memory-bytes")               \
	X(TRY, "vk.flightctl.io/try") /* only when > 0 */

enum identity {
#define X(name, key) ID_##name,
	IDENTITY(X)
#undef X
	ID_COUNT
};

const char *identity_key(enum identity);

/*
 * The values in one .container file, borrowed from it; len 0: absent.  Only
 * the plain form that we write: Label=KEY=VALUE with nothing quoted.
 */
void identity_read(const char *file, struct span[ID_COUNT]);

/* Whether a value can stand there: [A-Za-z0-9._:-], at least one byte. */
int identity_is_plain(const char *);

#endif
