/* SPDX-License-Identifier: ISC */
#ifndef PLACER_CHANGE_H
#define PLACER_CHANGE_H

/*
 * One device's spec: what is queued for it, when it is written, when it is
 * read again, and who made a version fail.  Pure.
 */

#include "placer/plan.h"

/* What the next write does with the pod's entry; IO_NONE takes it back. */
void change_queue(struct world *, struct wpod *, enum wish_io, struct now);

/* The device's turn: judge, write, read. */
void change_look(struct world *, struct wdevice *, struct now,
    struct effects *);

/*
 * Until when we may write to it: as the writer of its node, or, when it left
 * the fleet, of the node of the pods that are still there.
 */
int64_t change_until(const struct wdevice *);

/*
 * Why nothing of it may be written any more, a literal, with words for people;
 * NULL: nothing known.
 */
const char *change_refusal(const struct wdevice *, char text[MAX_TEXT]);

/* Its CHANGE left (act.c): what was queued is flying. */
void change_sent(struct world *, struct wdevice *, uint64_t id, struct now);

/* The answer.  kind ERR_NONE: stored as of created and generation. */
struct change_answer {
	enum why_kind kind;
	uint64_t generation;
	const char *created;
	const char *text;
};
void change_answered(struct world *, struct wdevice *,
    const struct change_answer *, struct now);

/* A read came in: what it settles. */
void change_read(struct world *, struct wdevice *, struct now,
    struct effects *);

#endif
