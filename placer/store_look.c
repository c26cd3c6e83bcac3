/* SPDX-License-Identifier: ISC */
/*
 * store_look.c: what is in a database file, without opening it as one: SQLite
 * would write beside it.  The header is sqlite.org/fileformat2.html's.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/store_own.h"

enum {
	HEADER = 100,
	VERSION_AT = 60, /* big endian */
};

static pid_t
user_of(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ?
	    lock.l_pid :
	    0;
}

int
store_look(const char *dir, struct store_sight *sight, struct why *why)
{
	AUTO_FREE char *path = xasprintf("%s/placer.db", dir);
	AUTO_FD int fd = open(path, O_RDWR | O_CLOEXEC);
	unsigned char head[HEADER] = { 0 };
	const unsigned char *v = head + VERSION_AT;
	ssize_t n;

	*sight = (struct store_sight){ 0 };
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1 || (n = pread(fd, head, sizeof(head), 0)) == -1)
		return fail_code(why, ERR_SYSTEM, (uint32_t)errno, "%s: %s",
		    path, strerror(errno));
	sight->exists = 1;
	sight->user = user_of(fd);
	/* All of a young one may still be in its log. */
	sight->is_database = n == 0 || memcmp(head, "SQLite format 3", 16) == 0;
	sight->version = (int)((uint32_t)v[0] << 24 | (uint32_t)v[1] << 16 |
	    v[2] << 8 | v[3]);
	return 0;
}
