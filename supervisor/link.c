/* SPDX-License-Identifier: ISC */
/*
 * link.c: links between workers.
 *
 * Owns which pairs exist (proc.def: every key holder talks to the placer and
 * to nobody else).  Keeps no descriptor; crew.c hands the ends out.
 */
#include "supervisor/link.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>

static const enum proc key_holders[] = { PROC_KUBESIDE, PROC_FLIGHTSIDE };

#define PAIRS (sizeof(key_holders) / sizeof(key_holders[0]))

void
link_init(struct links *l)
{
	memset(l, 0, sizeof(*l));
}

void
link_started(struct links *l, enum proc p)
{
	size_t i;

	for (i = 0; i < PAIRS; i++)
		if (p == PROC_PLACER || p == key_holders[i]) {
			l->pair[key_holders[i]].wanted = 1;
			/* A new process is no reason to wait. */
			l->pair[key_holders[i]].pace = 0;
		}
}

int
link_over(struct links *l, enum proc a, enum proc b, uint64_t number)
{
	enum proc key_holder = a == PROC_PLACER ? b : a;
	size_t i;

	if ((a == PROC_PLACER) == (b == PROC_PLACER))
		return -1;
	for (i = 0; i < PAIRS; i++)
		if (key_holders[i] == key_holder) {
			if (number > l->pair[key_holder].number)
				return -1;
			l->pair[key_holder].wanted |=
			    number == l->pair[key_holder].number;
			return 0;
		}
	return -1;
}

int
link_next(struct links *l, const uint8_t *ready, int64_t now, int64_t *wake,
    enum proc *a, enum proc *b)
{
	int64_t due;
	size_t i;

	*wake = INT64_MAX;
	for (i = 0; i < PAIRS; i++) {
		enum proc p = key_holders[i];

		if (!l->pair[p].wanted || !ready[p] || !ready[PROC_PLACER])
			continue;
		due = l->pair[p].made + l->pair[p].pace;
		if (now < due) {
			*wake = due < *wake ? due : *wake;
			continue;
		}
		l->pair[p].wanted = 0;
		*a = p;
		*b = PROC_PLACER;
		return 1;
	}
	return 0;
}

uint64_t
link_made(struct links *l, enum proc key_holder, int64_t now)
{
	int64_t *pace = &l->pair[key_holder].pace;

	if (now - l->pair[key_holder].made >= LINK_LASTS_MS || *pace == 0)
		*pace = LINK_PACE_MS;
	else if (*pace < LINK_SLOW_MS)
		*pace *= 2;
	if (*pace > LINK_SLOW_MS)
		*pace = LINK_SLOW_MS;
	l->pair[key_holder].made = now;
	return ++l->pair[key_holder].number;
}

uint64_t
link_came(struct links *l, enum proc key_holder, int64_t now)
{
	l->pair[key_holder].pace = LINK_PACE_MS;
	l->pair[key_holder].made = now;
	return ++l->pair[key_holder].number;
}

void
link_again(struct links *l, enum proc key_holder)
{
	l->pair[key_holder].wanted = 1;
}

int
link_make(int fd[2], struct why *why)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0)
		return 0;
	return fail_code(why, ERR_SYSTEM, (uint32_t)errno, "socketpair: %s",
	    strerror(errno));
}
