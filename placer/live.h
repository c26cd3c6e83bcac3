/* SPDX-License-Identifier: ISC */
#ifndef PLACER_LIVE_H
#define PLACER_LIVE_H

/*
 * Files that change under a running pod: a mounted ConfigMap or Secret, the
 * pod's own labels and annotations.  Only its entries of spec.config are
 * written anew, so that nothing restarts.  What cannot be made anew stays as
 * it is, as under a kubelet, with one Event.  Pure but for poll effects.
 */

#include "placer/effects.h"
#include "placer/objects.h"
#include "placer/quadlet.h"
#include "placer/world.h"

/* What becomes of a pod's files; NULL in struct wpod: nothing changes them. */
struct wlive {
	char *files;	 /* to be written, a line for each entry; or NULL */
	char *old;	 /* those of a Secret that stand there; or NULL */
	char *complaint; /* to be told, or NULL */
	uint64_t said;	 /* digest of the one that was told */
	uint64_t recipe; /* digest of what the files are made of; 0: unknown */
	int64_t retry_boot; /* they could not be written; 0: they could */
	uint8_t tries;	    /* that failed */
	uint8_t gathers;    /* its objects are wanted */
	uint8_t again;	    /* to be written though nothing changed */
	uint8_t odd;	    /* as the last time, or not: live.c */
	size_t n;
	struct wuse uses[];
};

/* Its entry was translated from these. */
void live_translated(struct world *, struct wpod *,
    const struct quadlet_object *, size_t);

/* A look at a pod, after life.def has decided. */
void live_look(struct world *, struct wpod *, struct now, struct effects *);

/*
 * Written once more, with other bytes of the same meaning: what Flightctl
 * forgot to render is rendered with it.  0: the pod has no such files.
 */
int live_again(struct world *, struct wpod *);

/* The pod is no more. */
void live_leave(struct world *, struct wpod *);

/* Asks for all objects that are due. */
void live_poll(struct world *, struct now, struct effects *);

/* Answers to EFFECT_POLL; len 0: it is not there. */
void live_object(struct world *, const char *key, struct span object,
    struct now);
/* why: it may not be read, in the apiserver's words; NULL: for now. */
void live_unanswered(struct world *, const char *key, const char *why,
    struct now);

/*
 * A version failed or hangs, and nobody else was named: 1: pods whose files
 * are new are suspected of that, others are not until those are back.  others:
 * how many more could be.
 */
int live_judge(struct world *, struct wdevice *, size_t others, struct now);

/* The device runs its version; how many pods' files were in question. */
int live_applied(struct wdevice *);

/* The device as it was read: what a Secret's files are is remembered. */
void live_read(struct wdevice *, struct span device);

/*
 * The old files are what is to be written, from the entry that was kept, or
 * NULL.
 */
void live_go_back(struct wpod *, const char *entry);

/* A write with files of pods was stored, or why not. */
void live_stored(struct wpod *);
void live_denied(struct wpod *, const char *text);

#endif
