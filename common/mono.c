/* SPDX-License-Identifier: ISC */
/*
 * mono.c: the only reader of clocks.
 */
#include "common/mono.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static int64_t
read_ms(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) == -1)
		return 0;
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct now
now_read(void)
{
	return (struct now){ read_ms(CLOCK_BOOTTIME), read_ms(CLOCK_REALTIME) };
}

void
now_boot_id(char id[BOOT_ID_SIZE])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? -1 : read(fd, id, BOOT_ID_SIZE - 1);

	id[n == BOOT_ID_SIZE - 1 ? n : 0] = '\0';
	if (fd != -1)
		close(fd);
}

int64_t
now_us(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		return 0;
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
now_awake_ms(void)
{
	return now_us() / 1000;
}
