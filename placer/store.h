/* SPDX-License-Identifier: ISC */
#ifndef PLACER_STORE_H
#define PLACER_STORE_H

/*
 * The memory of decisions and clocks: one SQLite file.  What it says is never
 * the only truth: a lost file is rebuilt from the two APIs.  Writes gather in
 * one transaction that store_commit() makes durable; nothing of that turn may
 * leave the process before.
 */

#include <stdint.h>
#include <sys/types.h>

#include "common/why.h"
#include "placer/world.h"

struct store;

struct store_found {
	int version; /* of the file, 0: there was none */
	int ours;    /* which it has now */
	int set_aside;
	struct why why; /* why it was */
};

/*
 * Opens or creates dir/placer.db.  An older version becomes this one
 * (upgrade.def).  A file that is corrupt, newer or too old is renamed to
 * placer.db.set-aside; the two before it are placer.db.set-aside.1 and .2.
 * One that another process uses, or that the host cannot read, stays.
 * No file is opened later.
 */
struct store *store_open(const char *dir, struct store_found *, struct why *);
void store_close(struct store *);

/* What a look at a database tells. */
struct store_sight {
	int exists;
	pid_t user;	 /* a process that has it open, 0: none */
	int is_database; /* to judge by its first bytes */
	int version;	 /* 0: none, or not known yet */
};

/* Looks only.  ERR_SYSTEM: it is there, and cannot be read and written. */
int store_look(const char *dir, struct store_sight *, struct why *);

/* 1: a database of that version is taken over, 0: it is set aside. */
int store_takes(int version);

/* Seats and clocks into the world; devices that are not there are added. */
int store_load(struct store *, struct world *, struct now, struct why *);

/* All below: 0, or -1 with *why; the transaction is undone by the commit. */
int store_seat(struct store *, const struct wpod *, struct why *);
int store_unseat(struct store *, const struct wpod *, struct why *);
/*
 * What could not be dropped when it was to be: seats that pods have left, all
 * of pods that the world has not, orders that are over; and orders that hold
 * and could not be saved.
 */
int store_tidy(struct store *, struct world *, struct why *);
int store_put_entry(struct store *, const struct wpod *, struct why *);
/* The same with another text. */
int store_put_text(struct store *, const struct wpod *, const char *,
    struct why *);
/*
 * Before another is put: the one of the images that ran stays beside it.  1:
 * it was there, 0: it was not.
 */
int store_keep_entry(struct store *, const struct wpod *, struct why *);
/* *edit is the caller's; NULL: none is kept. */
int store_get_entry(struct store *, const char *uid, char **edit, struct why *);
int store_get_kept(struct store *, const char *uid, char **edit, struct why *);
/* Likewise the one with the files before those that are being tried. */
int store_put_old(struct store *, const struct wpod *, const char *,
    struct why *);
int store_get_old(struct store *, const char *uid, char **edit, struct why *);
/* A device's clock, running or not; since when a pod is active. */
int store_clock(struct store *, const struct wdevice *, struct why *);
int store_active(struct store *, const struct wpod *, struct why *);
int store_drop_active(struct store *, const struct wpod *, struct why *);
/* Each turn, before anything is saved: was the wall clock set? */
int store_wall(struct store *, struct now, struct why *);
/* Writes something: can it be written? */
int store_try(struct store *, struct now, struct why *);
/* The search on a device and the flags of its pods; the failed tries of one. */
int store_search(struct store *, const struct wdevice *, struct why *);
int store_fault(struct store *, const struct wpod *, struct why *);
int store_drop_fault(struct store *, const struct wpod *, struct why *);
/* The orders that hold for a device; for a node, a pod (not on: dropped). */
int store_device_words(struct store *, const struct wdevice *, struct why *);
int store_node_word(struct store *, const struct wnode *, struct why *);
int store_pod_word(struct store *, const struct wpod *, const struct worded *,
    struct why *);
int store_get_meta(struct store *, const char *key, char *buf, size_t size,
    struct why *); /* 1 found, 0 absent */
int store_put_meta(struct store *, const char *key, const char *value,
    struct why *);

/* What reconciliation wanted, saw, did and got (T019); the last 100 stay. */
struct store_record {
	int64_t at_ms; /* wall */
	const char *pod;
	const char *operation;
	const char *desired;
	const char *actual;
	const char *action;
	const char *result;
};
int store_record(struct store *, const struct store_record *, struct why *);
/* Those that stay, the oldest first; each borrows its record. */
int store_records(struct store *,
    void (*each)(void *, const struct store_record *), void *, struct why *);

/* Nothing written since the last one: 0 at once. */
int store_commit(struct store *, struct why *);
/* Those since the start that made something durable. */
uint64_t store_commits(const struct store *);

#endif
