/* SPDX-License-Identifier: ISC */
/*
 * strain.c: linked into a worker, makes its disk slow or refuse.
 *
 * Owns fdatasync(), fsync() and pwrite64() of its process.
 */
#include "t/it/strain.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static struct strain *plan;

__attribute__((constructor)) static void
begin(void)
{
	char path[4096];
	ssize_t n;
	int fd;

	n = readlink("/proc/self/exe", path, sizeof(path) - 16);
	if (n <= 0)
		return;
	(void)snprintf(path + n, sizeof(path) - (size_t)n, ".strain");
	if ((fd = open(path, O_RDWR | O_CLOEXEC)) == -1)
		return;
	plan = mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    0);
	close(fd);
	if (plan == MAP_FAILED)
		plan = NULL;
}

static int
refuses(void)
{
	if (plan == NULL || plan->error == 0)
		return 0;
	errno = plan->error;
	return 1;
}

static int
sync_as(long call, int fd)
{
	if (refuses())
		return -1;
	if (plan != NULL && plan->sync_ms != 0)
		(void)poll(NULL, 0, (int)plan->sync_ms);
	if (plan != NULL)
		plan->syncs++;
	return (int)syscall(call, fd);
}

int
fdatasync(int fd)
{
	return sync_as(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
	return sync_as(SYS_fsync, fd);
}

ssize_t
pwrite64(int fd, const void *buf, size_t len, off_t at)
{
	return refuses() ? -1 : syscall(SYS_pwrite64, fd, buf, len, at);
}
