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
#include <linux/seccomp.h>
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
#define SELDOM(who, why)
#include "common/sandbox.def"
};
#undef ALLOW
#undef ALLOW_IF
#undef REFUSE
#undef REFUSE_IF
#undef SELDOM

/* The same rows, each followed by its reason if it has one. */
static const struct {
	unsigned int who;
	const char *why; /* NULL: a row */
} reasons[] = {
#define ALLOW(...) { 0, NULL },
#define ALLOW_IF(...) { 0, NULL },
#define REFUSE(...) { 0, NULL },
#define REFUSE_IF(...) { 0, NULL },
#define SELDOM(who, why) { who, why },
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
row_is_of(int row, enum proc p)
{
	return (rows[row].who & 1u << p) != 0;
}

int
row_widens(int row, enum proc p)
{
	return row_is_of(row, p) &&
	    (rows[row].rule.error != 0 || rows[row].rule.cond != IF_ANY);
}

int
row_is_guard(int row)
{
	return rows[row].rule.error != 0 && rows[row].rule.cond != IF_ANY;
}

const char *
row_reason(int row, enum proc p)
{
	size_t i, n = sizeof(reasons) / sizeof(reasons[0]);
	int at = -1;

	for (i = 0; i < n && at <= row; i++) {
		if (reasons[i].why == NULL)
			at++;
		else if (at == row && (reasons[i].who & 1u << p) != 0)
			return reasons[i].why;
	}
	return NULL;
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
		if (!row_is_of(i, p))
			continue;
		rules[n] = rows[i].rule;
		if (rules[n].value == SELF)
			rules[n].value = (uint64_t)getpid();
		if (i != row || widen(&rules[n]))
			n++;
	}
	fp->len =
	    (unsigned short)filter_compile(FILTER_HERE, rules, n, fp->filter);
}

static int
holds(const struct filter_rule *r, pid_t self, uint64_t arg)
{
	uint64_t value = r->value == SELF ? (uint64_t)self : r->value;
	uint32_t low = (uint32_t)arg, bits = (uint32_t)value;

	switch ((enum filter_if)r->cond) {
	case IF_ANY:
		break;
	case IF_EQUAL:
		return arg == value;
	case IF_CLEAR:
		return (low & bits) == 0;
	case IF_SET:
		return (low & bits) == bits;
	case IF_SOME:
		return (low & bits) != 0;
	}
	return 1;
}

int
row_that_decides(enum proc p, pid_t self, const struct seccomp_data *call)
{
	const struct filter_rule *r;
	int i;

	for (i = 0; i < NROWS; i++) {
		r = &rows[i].rule;
		if (row_is_of(i, p) && r->nr == (uint32_t)call->nr &&
		    holds(r, self, call->args[r->arg]))
			return i;
	}
	return -1;
}

const char *
row_of_call(long nr, enum proc p, int *refused)
{
	const char *name = NULL;
	int i;

	*refused = 0;
	for (i = 0; i < NROWS; i++)
		if (row_is_of(i, p) && rows[i].rule.nr == nr) {
			name = rows[i].name;
			*refused |= rows[i].rule.error != 0;
		}
	return name;
}
