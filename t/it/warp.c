/* SPDX-License-Identifier: ISC */
/*
 * warp.c: linked into a program of the provider, gives it and its libraries
 * clocks that a scenario sets, and waits for its loop that fit them.
 *
 * Owns clock_gettime(), time(), gettimeofday(), epoll_wait() and poll() of its
 * process.  libc's own waits, as those for name servers, stay as they are.
 */
#include "t/it/warp.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
	NS_PER_MS = 1000000,
	NS_PER_S = 1000000000,
	US_PER_S = 1000000,
	MS_PER_S = 1000,
};

static const struct warp none = { .rate = 1 };
static const struct warp *warp = &none;

__attribute__((constructor)) static void
begin(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 16);
	char *slash;
	void *found;
	int fd;

	if (n <= 0)
		return;
	path[n] = '\0';
	if ((slash = strrchr(path, '/')) == NULL)
		return;
	strcpy(slash + 1, WARP_FILE);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return;
	found = mmap(NULL, sizeof(*warp), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (found != MAP_FAILED)
		warp = found;
}

static int64_t
read_ns(clockid_t clock)
{
	struct timespec ts = { 0, 0 };

	(void)syscall(SYS_clock_gettime, clock, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	int64_t ns = read_ns(clock);

	if (clock == CLOCK_PROCESS_CPUTIME_ID ||
	    clock == CLOCK_THREAD_CPUTIME_ID)
		;
	else {
		if (warp->rate > 1)
			ns += (read_ns(CLOCK_MONOTONIC) - warp->since_ns) *
			    (warp->rate - 1);
		if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
			ns += (warp->wall_ms + warp->boot_ms) * NS_PER_MS;
		else if (clock == CLOCK_BOOTTIME)
			ns += warp->boot_ms * NS_PER_MS;
	}
	ts->tv_sec = (time_t)(ns / NS_PER_S);
	ts->tv_nsec = (long)(ns % NS_PER_S);
	return 0;
}

time_t
time(time_t *at)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (at != NULL)
		*at = ts.tv_sec;
	return ts.tv_sec;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec ts;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / MS_PER_S;
	return 0;
}

/* Never less than it takes, or a loop would spin. */
static int
wait_of(int ms)
{
	return ms <= 0 ? ms : (int)((ms + warp->rate - 1) / (int)warp->rate);
}

int
epoll_wait(int fd, struct epoll_event *events, int max, int ms)
{
	return (
	    int)syscall(SYS_epoll_pwait, fd, events, max, wait_of(ms), NULL, 0);
}

int
poll(struct pollfd *fds, nfds_t n, int ms)
{
	int left = wait_of(ms);
	struct timespec ts = { left / MS_PER_S,
		(long)(left % MS_PER_S) * NS_PER_MS };

	return (int)syscall(SYS_ppoll, fds, n, ms < 0 ? NULL : &ts, NULL,
	    (size_t)(_NSIG / 8));
}
