/* SPDX-License-Identifier: ISC */
/*
 * store_beat.c: a sync may take seconds, and whoever watches us must not take
 * that for a hang.
 *
 * Owns a VFS that is SQLite's usual one but for that.
 */
#include "placer/store_beat.h"

#include <sqlite3.h>
#include <stddef.h>

enum {
	STYLES = 4 /* of files, by their methods: two are in use */
};

static void (*beat)(void);
static sqlite3_vfs *usual;

/* First in it, for a file has no room for more. */
static struct style {
	sqlite3_io_methods methods;
	const sqlite3_io_methods *usual;
} styles[STYLES];

static int
on_sync(sqlite3_file *file, int flags)
{
	const struct style *s = (const struct style *)file->pMethods;

	if (beat != NULL)
		beat();
	return s->usual->xSync(file, flags);
}

/* One of whose style there are too many already syncs without us. */
static void
adopt(sqlite3_file *file)
{
	size_t i;

	for (i = 0; i < STYLES; i++) {
		if (styles[i].usual == NULL) {
			styles[i].usual = file->pMethods;
			styles[i].methods = *file->pMethods;
			styles[i].methods.xSync = on_sync;
		}
		if (styles[i].usual == file->pMethods) {
			file->pMethods = &styles[i].methods;
			return;
		}
	}
}

static int
on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
    int *out)
{
	int rc = usual->xOpen(usual, path, file, flags, out);

	(void)vfs;
	if (file->pMethods != NULL)
		adopt(file);
	return rc;
}

void
store_beat(void (*fn)(void))
{
	beat = fn;
}

const char *
store_beat_vfs(void)
{
	static sqlite3_vfs ours;

	if (ours.zName != NULL)
		return ours.zName;
	if ((usual = sqlite3_vfs_find(NULL)) == NULL)
		return NULL;
	ours = *usual;
	ours.zName = "beat";
	ours.pNext = NULL;
	ours.xOpen = on_open;
	if (sqlite3_vfs_register(&ours, 0) == SQLITE_OK)
		return ours.zName;
	ours.zName = NULL;
	return NULL;
}
