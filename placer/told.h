/* SPDX-License-Identifier: ISC */
#ifndef PLACER_TOLD_H
#define PLACER_TOLD_H

/*
 * The last things that were told: Events as they were posted, steps of pods,
 * orders, and what went wrong, for whoever asks (vkfctl(8), events and status)
 * and whoever follows.  Bounded, in memory only.  Pure.
 */

#include <stddef.h>
#include <stdint.h>

enum {
	TOLD_KEPT = 512,    /* lines */
	TOLD_TROUBLES = 16, /* kinds of trouble, the latest */
};

enum told_kind {
	TOLD_EVENT, /* posted to the apiserver */
	TOLD_STEP,  /* a pod came into another state */
	TOLD_ORDER, /* of a person */
	TOLD_NODE,  /* about a node */
	TOLD_LOG,   /* a line of the log, of level warn or error */
	TOLD_NKINDS
};

/* NULL members are "". */
struct told_line {
	enum told_kind kind;
	int warning;
	int64_t at_ms;	   /* wall */
	const char *about; /* namespace/name of a pod, a node, a process */
	const char *device;
	const char *reason;
	const char *text;
};

struct told;

struct told *told_new(void);
void told_free(struct told *);

/* Copies; the oldest goes.  The listener hears of it. */
void told_add(struct told *, const struct told_line *);

/* All that are kept, the oldest first; each is borrowed. */
void told_each(const struct told *, void (*)(void *, const struct told_line *),
    void *);

/*
 * Warnings, the latest first.  Those with one cause are one, and counted:
 * Events and logs by kind and reason, and logs without one by their text.
 */
void told_troubles(const struct told *,
    void (*)(void *, const struct told_line *, uint64_t count), void *);

/* For each line from now on; NULL: nobody. */
void told_listen(struct told *, void (*)(void *, const struct told_line *),
    void *);

const char *told_kind_name(enum told_kind);

#endif
