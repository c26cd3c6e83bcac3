/* SPDX-License-Identifier: ISC */
/*
 * starve.c: linked into a process of the provider, lets each allocation fail
 * once: the first of each place in the program, which is its last few callers;
 * or each so many'th.
 *
 * Owns malloc(), calloc() and realloc() of its process.  Which places failed
 * stays with the file, so that a worker that ended goes on with the next.
 */
#include "t/it/starve.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
	DEPTH = 8,
	PACE_MS = 20 /* between two failures */
};

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static struct starve *plan;
static void *self, *libc;
static __thread int busy;

static void *
base_of(const void *at)
{
	Dl_info info;

	return dladdr(at, &info) != 0 ? info.dli_fbase : NULL;
}

/* Where, to the log; then it ends by it as it would have. */
static void
on_crash(int sig)
{
	void *frames[4 * DEPTH];

	busy = 1;
	backtrace_symbols_fd(frames, backtrace(frames, 4 * DEPTH),
	    STDERR_FILENO);
	(void)raise(sig);
}

__attribute__((constructor)) static void
begin(void)
{
	static const struct sigaction once = { .sa_handler = on_crash,
		.sa_flags = (int)SA_RESETHAND };

	char path[4096];
	void *frames[DEPTH];
	ssize_t n;
	int fd;

	n = readlink("/proc/self/exe", path, sizeof(path) - 16);
	if (n <= 0)
		return;
	(void)snprintf(path + n, sizeof(path) - (size_t)n, ".starve");
	if ((fd = open(path, O_RDWR | O_CLOEXEC)) == -1)
		return;
	(void)backtrace(frames, DEPTH); /* loads what it needs */
	(void)sigaction(SIGSEGV, &once, NULL);
	(void)sigaction(SIGBUS, &once, NULL);
	self = base_of((void *)begin);
	libc = base_of((void *)strlen);
	plan = mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    0);
	close(fd);
	if (plan == MAP_FAILED)
		plan = NULL;
	else if (plan->starts++ < STARVE_ENDS)
		memcpy(plan->ended[plan->starts - 1], plan->last,
		    sizeof(plan->last));
}

static void
note(void)
{
	void *frames[DEPTH];
	size_t len = 0;
	Dl_info info;
	int i, n = backtrace(frames, DEPTH);

	for (i = 3; i < n && len < sizeof(plan->last); i++) {
		if (dladdr(frames[i], &info) == 0)
			continue;
		len += (size_t)snprintf(plan->last + len,
		    sizeof(plan->last) - len, "%s+%lx ",
		    info.dli_sname != NULL ? info.dli_sname : info.dli_fname,
		    (unsigned long)((char *)frames[i] -
			(char *)(info.dli_sname != NULL ? info.dli_saddr :
							  info.dli_fbase)));
	}
}

/* *own: the first caller outside of libc is our program. */
static uint64_t
site_of(int *own)
{
	void *frames[DEPTH], *base;
	uint64_t hash = 14695981039346656037U;
	int i, n, found = 0;

	*own = 0;
	n = backtrace(frames, DEPTH);
	for (i = 3; i < n; i++) {
		base = base_of(frames[i]);
		if (!found && base != libc) {
			found = 1;
			*own = base == self;
		}
		hash = (hash ^ (uint64_t)((char *)frames[i] - (char *)base)) *
		    1099511628211U;
	}
	return hash | 1;
}

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Its place in the table, or -1: it is full. */
static int
slot_of(uint64_t site)
{
	unsigned int at = (unsigned int)(site >> 20) % STARVE_SITES, i;

	for (i = 0; i < STARVE_SITES; i++, at = (at + 1) % STARVE_SITES) {
		if (plan->site[at] == site)
			return (int)at;
		if (plan->site[at] == 0) {
			plan->site[at] = site;
			plan->seen++;
			return (int)at;
		}
	}
	return -1;
}

/* Whoever asks for it. */
static int
is_nth(void)
{
	if (__atomic_add_fetch(&plan->nth, 1, __ATOMIC_RELAXED) %
		plan->period !=
	    0)
		return 0;
	busy = 1;
	note();
	busy = 0;
	errno = ENOMEM;
	return 1;
}

__attribute__((noinline)) static int
fails(void)
{
	int own, slot;

	if (plan == NULL || !plan->armed || busy)
		return 0;
	if (plan->period != 0)
		return plan->starts <= plan->starts_max && is_nth();
	busy = 1;
	slot = slot_of(site_of(&own));
	busy = 0;
	if (slot == -1 || plan->done[slot] || plan->starts > plan->starts_max ||
	    (own && plan->own_left == 0) || now_ms() - plan->last_ms < PACE_MS)
		return 0;
	plan->done[slot] = 1;
	plan->failed++;
	plan->last_ms = now_ms();
	busy = 1;
	note();
	busy = 0;
	if (own) {
		plan->own++;
		plan->own_left--;
	}
	errno = ENOMEM;
	return 1;
}

__attribute__((noinline)) void *
malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

__attribute__((noinline)) void *
calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

__attribute__((noinline)) void *
realloc(void *p, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, size);
}
