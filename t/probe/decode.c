/* SPDX-License-Identifier: ISC */
/*
 * decode.c: reads instructions as common/filter.c writes them.
 *
 * Owns no table: a jump that goes elsewhere, or an instruction that is not
 * expected where it stands, makes it no program of ours.
 */
#include "t/probe/decode.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>

enum {
	HEAD = 4, /* the architecture, the number */
	TAIL = 4, /* what no rule decides */
	JEQ = BPF_JMP | BPF_JEQ | BPF_K,
	JSET = BPF_JMP | BPF_JSET | BPF_K,
	LOAD = BPF_LD | BPF_W | BPF_ABS,
	AND = BPF_ALU | BPF_AND | BPF_K,
	RET = BPF_RET | BPF_K,
	ARGS = offsetof(struct seccomp_data, args),
	NR = offsetof(struct seccomp_data, nr),
	ARG_BYTES = 8,
};

static int
is(const struct sock_filter *f, int code, uint8_t yes, uint8_t no)
{
	return f->code == code && f->jt == yes && f->jf == no;
}

static int
loads(const struct sock_filter *f, uint32_t offset)
{
	return f->code == LOAD && f->k == offset;
}

/* Its instructions; 0: there is no such condition. */
static size_t
condition(const struct sock_filter *f, struct filter_rule *r)
{
	uint32_t at = f[0].k;

	if (f[0].code != LOAD || at < ARGS || (at - ARGS) % ARG_BYTES != 0)
		return 0;
	r->arg = (uint8_t)((at - ARGS) / ARG_BYTES);
	r->value = f[1].k;
	if (is(&f[1], JEQ, 0, 3) && loads(&f[2], at + ARG_BYTES / 2) &&
	    is(&f[3], JEQ, 0, 1)) {
		r->cond = IF_EQUAL;
		r->value |= (uint64_t)f[3].k << 32;
		return 4;
	}
	if (f[1].code == AND && is(&f[2], JEQ, 0, 1) && f[2].k == f[1].k) {
		r->cond = IF_SET;
		return 3;
	}
	r->cond = is(&f[1], JSET, 1, 0) ? IF_CLEAR : IF_SOME;
	return r->cond == IF_CLEAR || is(&f[1], JSET, 0, 1) ? 2 : 0;
}

/* Its instructions; 0: there is no rule. */
static size_t
rule(const struct sock_filter *f, struct filter_rule *r)
{
	size_t n = 0;

	*r = (struct filter_rule){ .nr = f[0].k };
	if (f[0].code != JEQ || f[0].jt != 0 ||
	    (f[0].jf != 1 && (n = condition(f + 1, r)) == 0))
		return 0;
	if (f[n + 1].code != RET ||
	    (n > 0 && (f[0].jf != n + 2 || !loads(&f[n + 2], NR))))
		return 0;
	if (f[n + 1].k != SECCOMP_RET_ALLOW) {
		r->error = f[n + 1].k & SECCOMP_RET_DATA;
		if (f[n + 1].k != (SECCOMP_RET_ERRNO | r->error))
			return 0;
	}
	return n == 0 ? 2 : n + 3;
}

int
decode_program(const struct sock_filter *prog, size_t n,
    struct filter_rule *rules, size_t max)
{
	size_t at, used, found = 0;

	if (n < HEAD + TAIL)
		return -1;
	/* A jump that stays before the tail has all that rule() looks at. */
	for (at = HEAD; at + TAIL < n; at += used)
		if (found == max || at + prog[at].jf + 1 + TAIL > n ||
		    (used = rule(prog + at, &rules[found++])) == 0)
			return -1;
	return at + TAIL == n ? (int)found : -1;
}

int
decode_words(const struct filter_rule *r, uint64_t self,
    char words[DECODE_WORDS])
{
	static const char *const conds[] = { [IF_EQUAL] = "is",
		[IF_CLEAR] = "has no bit of",
		[IF_SET] = "has all of",
		[IF_SOME] = "has some of" };
	const char *end = r->error == 0 ? "runs" : strerrorname_np(r->error);

	if (r->cond == IF_ANY)
		(void)snprintf(words, DECODE_WORDS, "%s", end);
	else if (r->value == self)
		(void)snprintf(words, DECODE_WORDS,
		    "if argument %u %s SELF: %s", r->arg, conds[r->cond], end);
	else
		(void)snprintf(words, DECODE_WORDS,
		    "if argument %u %s 0x%llx: %s", r->arg, conds[r->cond],
		    (unsigned long long)r->value, end);
	return r->cond == IF_ANY;
}
