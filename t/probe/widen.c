/* SPDX-License-Identifier: ISC */
/*
 * widen.c: the rows of common/sandbox.def, and programs in which one of them
 * lets more through.
 *
 * Owns what wider is: what is refused is allowed, what is allowed under a
 * condition is allowed without one, what is refused under one is not refused.
 */
#include "t/probe/probe.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <unistd.h>

#include "common/filter.h"

enum {
	K = 1 << PROC_KUBESIDE,
	F = 1 << PROC_FLIGHTSIDE,
	P = 1 << PROC_PLACER,
};
#define SELF UINT64_MAX

static const struct {
	unsigned int who;
	const char *name;
	struct filter_rule rule;
} rows[] = {
#define ALLOW(who, call) { who, #call, { SYS_##call, 0, IF_ANY, 0, 0 } },
#define ALLOW_IF(who, call, arg, cond, value) \
	{ who, #call, { SYS_##call, 0, IF_##cond, arg, value } },
#define REFUSE(who, call, error) \
	{ who, #call, { SYS_##call, error, IF_ANY, 0, 0 } },
#define REFUSE_IF(who, call, arg, cond, value, error) \
	{ who, #call, { SYS_##call, error, IF_##cond, arg, value } },
#include "common/sandbox.def"
};

enum {
	NROWS = sizeof(rows) / sizeof(rows[0])
};

int
rows_count(void)
{
	return NROWS;
}

int
row_widens(int row, enum proc p)
{
	return (rows[row].who & 1u << p) != 0 &&
	    (rows[row].rule.error != 0 || rows[row].rule.cond != IF_ANY);
}

long
row_call(int row)
{
	return rows[row].rule.nr;
}

const char *
row_name(int row)
{
	return rows[row].name;
}

/* 0: the rule is gone. */
static int
widen(struct filter_rule *r)
{
	if (r->error != 0 && r->cond != IF_ANY)
		return 0;
	r->error = 0;
	r->cond = IF_ANY;
	return 1;
}

void
rows_compile(int row, enum proc p, struct sock_fprog *fp)
{
	struct filter_rule rules[NROWS];
	size_t n = 0;
	int i;

	for (i = 0; i < NROWS; i++) {
		if ((rows[i].who & 1u << p) == 0)
			continue;
		rules[n] = rows[i].rule;
		if (rules[n].value == SELF)
			rules[n].value = (uint64_t)getpid();
		if (i != row || widen(&rules[n]))
			n++;
	}
	fp->len = (unsigned short)filter_compile(rules, n, fp->filter);
}

const char *
row_of_call(long nr, enum proc p, int *refused)
{
	const char *name = NULL;
	int i;

	*refused = 0;
	for (i = 0; i < NROWS; i++)
		if ((rows[i].who & 1u << p) != 0 && rows[i].rule.nr == nr) {
			name = rows[i].name;
			*refused |= rows[i].rule.error != 0;
		}
	return name;
}
