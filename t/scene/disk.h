/* SPDX-License-Identifier: ISC */
#ifndef T_SCENE_DISK_H
#define T_SCENE_DISK_H

/*
 * The disk under the placer's database: a VFS of SQLite's before the usual one
 * that records what is written, fails what it is told to, and loses power.
 */

#include <stddef.h>
#include <stdint.h>

/* Becomes the one that SQLite opens files by; once. */
void disk_begin(void);

/* Forgets all, and records from now on. */
void disk_record(void);
/* Keeps what it has; all is passed through. */
void disk_hold(void);
/* Records so far: files made, removed, written to, cut and synced. */
size_t disk_records(void);
/* Calls so far that could fail, those recorded and reads. */
size_t disk_calls(void);

/*
 * When there are so many records power goes: fn() is called, nothing is done
 * any more, and every call fails, until disk_image() gave the files back.
 */
void disk_cut(size_t at, void (*fn)(void *), void *arg);
int disk_is_dark(void);

enum disk_fault {
	DISK_FULL,   /* ENOSPC: what is written does not fit */
	DISK_HALF,   /* likewise, half of it does */
	DISK_BROKEN, /* EIO, of any call; what was to be synced never is */
	DISK_FAULTS
};

/* The calls from the at'th fail, so many of them; 0 times: none. */
void disk_fail(enum disk_fault, size_t at, size_t times);

/* With each sync fn() is called: time passes until it is done. */
void disk_slow(void (*fn)(void *), void *arg);

/* What becomes of what was written and not synced. */
enum disk_loss {
	DISK_KEPT,
	DISK_LOST,
	DISK_TORN,    /* of the last write, half a page is there */
	DISK_LAST,    /* the last write of each file is there alone */
	DISK_HOLE,    /* all but the first of each */
	DISK_SECTORS, /* any, sector by sector */
	DISK_TRASH,   /* likewise, and one sector holds noise */
	DISK_ZEROS,   /* the length is there, and of some the bytes are not */
	DISK_LOSSES
};

const char *disk_loss_name(enum disk_loss);

/* Is the next one a sync: what it commits is written, not on the disk. */
int disk_is_sync(size_t at);

/* With so many records there is nothing that was not synced. */
int disk_is_synced(size_t at);

/*
 * The files as they are found after power went with so many records: in
 * folder to; or, when it is NULL, where they were: then calls work again, and
 * what was recorded is forgotten.
 */
void disk_image(size_t at, enum disk_loss, uint64_t seed, const char *to);

#endif
