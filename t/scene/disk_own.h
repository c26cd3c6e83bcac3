/* SPDX-License-Identifier: ISC */
#ifndef T_SCENE_DISK_OWN_H
#define T_SCENE_DISK_OWN_H

/* What disk.c records and disk_image.c makes files of. */

#include "t/scene/disk.h"

enum disk_kind {
	DISK_FOUND, /* with these bytes, which are on the disk */
	DISK_MADE,
	DISK_GONE,
	DISK_WRITE,
	DISK_TRUNCATE, /* to off bytes */
	DISK_SYNC,
	DISK_UNSYNCED, /* it failed: what was written before never is */
};

struct disk_op {
	enum disk_kind kind;
	size_t file;
	int64_t off;
	size_t len;
	unsigned char *data;
};

struct disk_file {
	char *path;
	int exists;
	int64_t size; /* as the placer sees it */
};

struct disk {
	struct disk_op *ops;
	size_t n;
	struct disk_file *files;
	size_t nfiles;
};
extern struct disk disk;

void disk_light(void);	     /* power is back */
void disk_walk_forget(void); /* what was recorded is no more */

#endif
