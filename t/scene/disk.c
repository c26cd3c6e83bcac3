/* SPDX-License-Identifier: ISC */
/*
 * disk.c: a VFS of SQLite's that stands before the usual one.
 *
 * Owns what was recorded and which call fails.  Never keeps a file itself:
 * what is not failed is done.  What a power cut leaves is disk_image.c's.
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/scene/disk_own.h"

struct disk disk;

struct file {
	sqlite3_file base;
	size_t at; /* in disk.files */
	sqlite3_file *usual;
	int error; /* of a call that failed */
};

static struct {
	size_t cut_at;
	void (*cut)(void *);
	void *arg;
	void (*slow)(void *);
	void *slow_arg;
	enum disk_fault fault;
	size_t fail_at, times;
	size_t calls;
	int on, dark;
} plan;

static sqlite3_vfs *usual;

/* -- the record -- */

static void
record(enum disk_kind kind, size_t file, int64_t off, const void *data,
    size_t len)
{
	struct disk_op *op;

	if (!plan.on)
		return;
	disk.ops = xreallocarray(disk.ops, disk.n + 1, sizeof(*disk.ops));
	op = &disk.ops[disk.n++];
	*op = (struct disk_op){ kind, file, off, len, NULL };
	if (len > 0) {
		op->data = xmalloc(len);
		memcpy(op->data, data, len);
	}
}

static size_t
file_of(const char *path)
{
	size_t i;

	for (i = 0; i < disk.nfiles; i++)
		if (strcmp(disk.files[i].path, path) == 0)
			return i;
	disk.files = xreallocarray(disk.files, i + 1, sizeof(*disk.files));
	disk.files[i] = (struct disk_file){ .path = xstrdup(path) };
	disk.nfiles++;
	return i;
}

static void
forget(void)
{
	disk_walk_forget();
	while (disk.n > 0)
		free(disk.ops[--disk.n].data);
	while (disk.nfiles > 0)
		free(disk.files[--disk.nfiles].path);
}

void
disk_record(void)
{
	forget();
	memset(&plan, 0, sizeof(plan));
	plan.on = 1;
}

void
disk_hold(void)
{
	plan.on = plan.dark = 0;
}

size_t
disk_records(void)
{
	return disk.n;
}

size_t
disk_calls(void)
{
	return plan.calls;
}

int
disk_is_sync(size_t at)
{
	return at < disk.n && disk.ops[at].kind == DISK_SYNC;
}

/* -- what fails -- */

void
disk_cut(size_t at, void (*fn)(void *), void *arg)
{
	plan.cut_at = at;
	plan.cut = fn;
	plan.arg = arg;
}

int
disk_is_dark(void)
{
	return plan.dark;
}

void
disk_light(void)
{
	forget();
	plan.dark = 0;
	plan.cut_at = 0;
}

void
disk_fail(enum disk_fault fault, size_t at, size_t times)
{
	plan.fault = fault;
	plan.fail_at = at;
	plan.times = times;
}

void
disk_slow(void (*fn)(void *), void *arg)
{
	plan.slow = fn;
	plan.slow_arg = arg;
}

/* Before each call that is recorded: is there power? */
static int
has_power(void)
{
	if (plan.dark)
		return 0;
	if (plan.cut_at == 0 || disk.n != plan.cut_at)
		return 1;
	plan.dark = 1;
	plan.cut(plan.arg);
	return 0;
}

/* Of this call, the plan's next. */
static int
is_planned(int writes)
{
	if (!plan.on)
		return 0;
	plan.calls++;
	return plan.times > 0 && plan.calls >= plan.fail_at &&
	    plan.calls - plan.fail_at < plan.times &&
	    (writes || plan.fault == DISK_BROKEN);
}

/* -- a file -- */

static struct file *
of(sqlite3_file *base)
{
	return (struct file *)base;
}

/* Does this call fail, and not for want of power?  The file remembers why. */
static int
fails(sqlite3_file *base, int writes)
{
	if (!is_planned(writes))
		return 0;
	of(base)->error = plan.fault == DISK_BROKEN ? EIO : ENOSPC;
	return 1;
}

static int
on_close(sqlite3_file *base)
{
	return of(base)->usual->pMethods->xClose(of(base)->usual);
}

static int
on_read(sqlite3_file *base, void *buf, int len, sqlite3_int64 off)
{
	if (plan.dark || fails(base, 0))
		return SQLITE_IOERR_READ;
	return of(base)->usual->pMethods->xRead(of(base)->usual, buf, len, off);
}

static int
put(struct file *f, const void *buf, int len, sqlite3_int64 off)
{
	record(DISK_WRITE, f->at, off, buf, (size_t)len);
	if (plan.on && off + len > disk.files[f->at].size)
		disk.files[f->at].size = off + len;
	return f->usual->pMethods->xWrite(f->usual, buf, len, off);
}

static int
on_write(sqlite3_file *base, const void *buf, int len, sqlite3_int64 off)
{
	if (!has_power())
		return SQLITE_IOERR_WRITE;
	if (!fails(base, 1))
		return put(of(base), buf, len, off);
	if (plan.fault == DISK_HALF && len > 1)
		(void)put(of(base), buf, len / 2, off);
	return plan.fault == DISK_BROKEN ? SQLITE_IOERR_WRITE : SQLITE_FULL;
}

static int
on_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	struct file *f = of(base);

	if (!has_power() || fails(base, 0))
		return SQLITE_IOERR_TRUNCATE;
	record(DISK_TRUNCATE, f->at, size, NULL, 0);
	if (plan.on)
		disk.files[f->at].size = size;
	return f->usual->pMethods->xTruncate(f->usual, size);
}

static int
on_sync(sqlite3_file *base, int flags)
{
	struct file *f = of(base);

	if (!has_power())
		return SQLITE_IOERR_FSYNC;
	if (fails(base, 0)) {
		record(DISK_UNSYNCED, f->at, 0, NULL, 0);
		return SQLITE_IOERR_FSYNC;
	}
	record(DISK_SYNC, f->at, 0, NULL, 0);
	if (plan.on && plan.slow != NULL)
		plan.slow(plan.slow_arg);
	return f->usual->pMethods->xSync(f->usual, flags);
}

static int
on_size(sqlite3_file *base, sqlite3_int64 *size)
{
	if (plan.dark || fails(base, 0))
		return SQLITE_IOERR_FSTAT;
	return of(base)->usual->pMethods->xFileSize(of(base)->usual, size);
}

static int
on_lock(sqlite3_file *base, int level)
{
	return of(base)->usual->pMethods->xLock(of(base)->usual, level);
}

static int
on_unlock(sqlite3_file *base, int level)
{
	return of(base)->usual->pMethods->xUnlock(of(base)->usual, level);
}

static int
on_reserved(sqlite3_file *base, int *is)
{
	return of(base)->usual->pMethods->xCheckReservedLock(of(base)->usual,
	    is);
}

static int
on_control(sqlite3_file *base, int what, void *arg)
{
	if (what == SQLITE_FCNTL_LAST_ERRNO && of(base)->error != 0) {
		*(int *)arg = of(base)->error;
		return SQLITE_OK;
	}
	return of(base)->usual->pMethods->xFileControl(of(base)->usual, what,
	    arg);
}

static int
on_sector(sqlite3_file *base)
{
	return of(base)->usual->pMethods->xSectorSize(of(base)->usual);
}

static int
on_traits(sqlite3_file *base)
{
	return of(base)->usual->pMethods->xDeviceCharacteristics(
	    of(base)->usual);
}

/* No shared memory: who locks the file for himself needs none. */
static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_size,
	.xLock = on_lock,
	.xUnlock = on_unlock,
	.xCheckReservedLock = on_reserved,
	.xFileControl = on_control,
	.xSectorSize = on_sector,
	.xDeviceCharacteristics = on_traits,
};

/* -- files -- */

/* As it is found: what others did to it is on the disk. */
static void
find(struct file *f)
{
	struct disk_file *d = &disk.files[f->at];
	unsigned char *bytes;
	sqlite3_int64 size = 0;

	(void)f->usual->pMethods->xFileSize(f->usual, &size);
	if (d->exists && d->size == size)
		return;
	if (size == 0) {
		record(DISK_MADE, f->at, 0, NULL, 0);
	} else {
		bytes = xmalloc((size_t)size);
		(void)f->usual->pMethods->xRead(f->usual, bytes, (int)size, 0);
		record(DISK_FOUND, f->at, 0, bytes, (size_t)size);
		free(bytes);
	}
	d->exists = 1;
	d->size = size;
}

static int
on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags,
    int *out)
{
	struct file *f = of(base);
	int rc;

	(void)vfs;
	f->base.pMethods = NULL;
	f->error = 0;
	if (!has_power() || is_planned(0))
		return SQLITE_CANTOPEN;
	f->usual = (sqlite3_file *)(void *)(f + 1);
	rc = usual->xOpen(usual, path, f->usual, flags, out);
	if (rc != SQLITE_OK)
		return rc;
	f->base.pMethods = &methods;
	if (!plan.on)
		return SQLITE_OK;
	f->at = file_of(path != NULL ? path : "");
	find(f);
	return SQLITE_OK;
}

static int
on_delete(sqlite3_vfs *vfs, const char *path, int sync_dir)
{
	size_t at;
	int rc;

	(void)vfs;
	if (!has_power() || is_planned(0))
		return SQLITE_IOERR_DELETE;
	rc = usual->xDelete(usual, path, sync_dir);
	if (rc != SQLITE_OK || !plan.on)
		return rc;
	at = file_of(path);
	record(DISK_GONE, at, 0, NULL, 0);
	if (sync_dir)
		record(DISK_SYNC, at, 0, NULL, 0);
	disk.files[at].exists = 0;
	disk.files[at].size = 0;
	return SQLITE_OK;
}

void
disk_begin(void)
{
	static sqlite3_vfs vfs;

	usual = sqlite3_vfs_find(NULL);
	vfs = *usual;
	vfs.zName = "disk";
	vfs.pNext = NULL;
	vfs.szOsFile = (int)sizeof(struct file) + usual->szOsFile;
	vfs.xOpen = on_open;
	vfs.xDelete = on_delete;
	if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
		abort();
}
