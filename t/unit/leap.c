/* SPDX-License-Identifier: ISC */
/*
 * leap.c: takes the place of libc's clocks and of epoll_wait() in a test, for
 * the libraries too.
 *
 * Owns how far all clocks are ahead.  Leaps in the thread that asked for it
 * only; the test's own threads wait as they always did.
 */
#include "t/unit/leap.h"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <pthread.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

enum {
	READY_MS = 20, /* an answer of our own process has come by then */
	NS_PER_MS = 1000000,
	CLOCKS = 12, /* of Linux */
	MS_PER_S = 1000,
};

static int64_t ahead_ms;
static int leaps;
static int ready_ms = READY_MS;
static pthread_t leaper;
static struct timespec start[CLOCKS];

void
leap(int on)
{
	leaper = pthread_self();
	leaps = on;
}

void
leap_at_once(int on)
{
	clockid_t c;

	for (c = 0; on && c < CLOCKS; c++)
		(void)syscall(SYS_clock_gettime, c, &start[c]);
	ready_ms = 0;
	leap(on);
	if (!on)
		ahead_ms = 0;
}

/* At once takes no time at all: a busy machine is no other run. */
int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	const int frozen = ready_ms == 0 && leaps && clock >= 0 &&
	    clock < CLOCKS && pthread_equal(leaper, pthread_self());
	int r = 0;

	if (frozen)
		*ts = start[clock];
	else
		r = (int)syscall(SYS_clock_gettime, clock, ts);

	ts->tv_sec += ahead_ms / MS_PER_S;
	ts->tv_nsec += ahead_ms % MS_PER_S * NS_PER_MS;
	if (ts->tv_nsec >= MS_PER_S * (long)NS_PER_MS) {
		ts->tv_nsec -= MS_PER_S * (long)NS_PER_MS;
		ts->tv_sec++;
	}
	return r;
}

int
epoll_wait(int fd, struct epoll_event *events, int max, int ms)
{
	int n, patience = ms;

	if (leaps && pthread_equal(leaper, pthread_self()) && ms > ready_ms)
		patience = ready_ms;
	n = (int)syscall(SYS_epoll_pwait, fd, events, max, patience, NULL, 0);
	if (n == 0 && patience < ms)
		ahead_ms += ms - patience;
	return n;
}
