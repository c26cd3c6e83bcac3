/* SPDX-License-Identifier: ISC */
/*
 * common_xevent.c: an event comes, or there is no process.  libevent is given
 * a malloc() that has nothing from some time on.
 */
#include <criterion/criterion.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/xevent.h"

enum {
	MANY = 4096, /* more than libevent makes room for at first */
};

static int empty;

static void *
give(size_t size)
{
	return empty ? NULL : malloc(size);
}

static void *
give_more(void *p, size_t size)
{
	return empty ? NULL : realloc(p, size);
}

static struct event_base *
start(void)
{
	struct event_base *base;

	event_set_mem_functions(give, give_more, free);
	base = event_base_new();
	cr_assert_not_null(base);
	return base;
}

static void
count(evutil_socket_t fd, short what, void *arg)
{
	unsigned int *n = arg;

	(void)fd, (void)what;
	++*n;
}

Test(common_xevent, all_come)
{
	struct event_base *base = start();
	struct event *timer, *past, *sig, *in;
	unsigned int n = 0;
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	timer = xevent_timer(base, count, &n);
	past = xevent_timer(base, count, &n);
	sig = xevent_signal(base, SIGUSR1, count, &n);
	in = xevent_new(base, fds[0], EV_READ, count, &n);
	xevent_in(timer, 1);
	xevent_in(past, -1000);
	xevent_add(sig);
	xevent_add(in);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	cr_assert_eq(raise(SIGUSR1), 0);
	while (n < 4)
		cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	event_free(timer);
	event_free(past);
	event_free(sig);
	event_free(in);
	event_base_free(base);
}

Test(common_xevent, none_to_make, .signal = SIGABRT)
{
	struct event_base *base = start();

	empty = 1;
	(void)xevent_timer(base, count, NULL);
}

/* Each is made; what libevent keeps of those that wait has no room. */
Test(common_xevent, none_to_wait, .signal = SIGABRT)
{
	static struct event *timers[MANY];
	struct event_base *base = start();
	size_t i;

	for (i = 0; i < MANY; i++)
		timers[i] = xevent_timer(base, count, NULL);
	empty = 1;
	for (i = 0; i < MANY; i++)
		xevent_in(timers[i], 1000);
}

Test(common_xevent, none_for_a_descriptor, .signal = SIGABRT)
{
	struct event_base *base = start();
	struct event *in;
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	in = xevent_new(base, fds[0], EV_READ, count, NULL);
	empty = 1;
	xevent_add(in);
}
