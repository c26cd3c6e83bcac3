/* SPDX-License-Identifier: ISC */
/*
 * filter.c: rules into seccomp's instructions.
 *
 * Owns the jumps.  A foreign architecture or x32 ends the process; a call
 * newer than this table (libc tries those and falls back) fails with ENOSYS.
 */
#include "common/filter.h"

#include <sys/syscall.h>

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

static const uint32_t archs[] = {
	[FILTER_X86_64] = AUDIT_ARCH_X86_64,
	[FILTER_AARCH64] = AUDIT_ARCH_AARCH64,
};

enum {
	NEWEST_CALL = SYS_futex_waitv, /* of Debian 12's headers, on both */
	X32_BIT = 0x40000000,
};

#define DATA(field) ((uint32_t)offsetof(struct seccomp_data, field))
#define STMT(code, k) (struct sock_filter) BPF_STMT(code, k)
#define LOAD(off) STMT(BPF_LD | BPF_W | BPF_ABS, off)
#define JUMP(op, k, yes, no) \
	(struct sock_filter) BPF_JUMP(BPF_JMP | op | BPF_K, k, yes, no)
#define RET(v) STMT(BPF_RET | BPF_K, v)

/* Little endian: the lower half comes first. */
static uint32_t
half(const struct filter_rule *r, int high)
{
	return DATA(args) + 8u * r->arg + (high ? 4 : 0);
}

/* Instructions of the condition; on failure they jump over it and RET. */
static size_t
condition(const struct filter_rule *r, struct sock_filter *f)
{
	uint32_t low = (uint32_t)r->value, high = (uint32_t)(r->value >> 32);

	switch ((enum filter_if)r->cond) {
	case IF_ANY:
		break;
	case IF_EQUAL:
		f[0] = LOAD(half(r, 0));
		f[1] = JUMP(BPF_JEQ, low, 0, 3);
		f[2] = LOAD(half(r, 1));
		f[3] = JUMP(BPF_JEQ, high, 0, 1);
		return 4;
	case IF_CLEAR:
		f[0] = LOAD(half(r, 0));
		f[1] = JUMP(BPF_JSET, low, 1, 0);
		return 2;
	case IF_SOME:
		f[0] = LOAD(half(r, 0));
		f[1] = JUMP(BPF_JSET, low, 0, 1);
		return 2;
	case IF_SET:
		f[0] = LOAD(half(r, 0));
		f[1] = STMT(BPF_ALU | BPF_AND | BPF_K, low);
		f[2] = JUMP(BPF_JEQ, low, 0, 1);
		return 3;
	}
	return 0;
}

static size_t
compile_rule(const struct filter_rule *r, struct sock_filter *f)
{
	size_t n;

	n = condition(r, f + 1);
	f[1 + n] = RET(
	    r->error == 0 ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | r->error);
	if (n == 0) {
		f[0] = JUMP(BPF_JEQ, r->nr, 0, 1);
		return 2;
	}
	/* The condition has overwritten the number. */
	f[2 + n] = LOAD(DATA(nr));
	f[0] = JUMP(BPF_JEQ, r->nr, 0, (uint8_t)(n + 2));
	return n + 3;
}

size_t
filter_compile(enum filter_arch arch, const struct filter_rule *rules, size_t n,
    struct sock_filter *prog)
{
	struct sock_filter *f = prog;
	size_t i;

	*f++ = LOAD(DATA(arch));
	*f++ = JUMP(BPF_JEQ, archs[arch], 1, 0);
	*f++ = RET(SECCOMP_RET_KILL_PROCESS);
	*f++ = LOAD(DATA(nr));
	for (i = 0; i < n; i++)
		f += compile_rule(&rules[i], f);
	/* From here on x32's numbers are killed, unknown ones are not there. */
	*f++ = JUMP(BPF_JGT, NEWEST_CALL, 0, 1);
	*f = JUMP(BPF_JGE, X32_BIT, 0, 1);
	f++;
	*f++ = RET(SECCOMP_RET_KILL_PROCESS);
	*f++ = RET(SECCOMP_RET_ERRNO | ENOSYS);
	return (size_t)(f - prog);
}
