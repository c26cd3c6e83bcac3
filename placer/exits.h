/* SPDX-License-Identifier: ISC */
#ifndef PLACER_EXITS_H
#define PLACER_EXITS_H

/*
 * How containers ended last.  Each leaves a unit vk-APP_CONTAINER.service on
 * its device (quadlet_command.c), whose description is systemd's "RESULT CODE
 * STATUS" of systemd.exec(5), as "exit-code exited 3"; an operator may have
 * Flightctl report it in status.systemd.  Pure.
 */

#include <stddef.h>
#include <stdint.h>

struct block;
struct json_object;

struct ended {
	uint8_t known; /* else the others are 0: it was never started */
	uint8_t code;  /* of a signal 128 and its number, as a kubelet's */
	uint8_t oom;   /* no memory was left */
};

struct exits {
	struct unit_ended {
		char *unit; /* "APP_CONTAINER.service" */
		struct ended ended;
	} * list;
	size_t n;
	char *odd; /* the first of our units that tells nothing, or NULL */
};

/*
 * Of status.systemd, whatever stands there; prefix: what our applications'
 * names start with, "" when nothing is ours.
 */
void exits_build(struct block *, struct json_object *, const char *prefix,
    struct exits *);

/* NULL: nothing is known of that container's end. */
const struct ended *exits_find(const struct exits *, const char *app,
    const char *container);

#endif
