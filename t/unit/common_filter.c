/* SPDX-License-Identifier: ISC */
/*
 * The filters of both architectures, run by an interpreter of ours: what each
 * worker may call is t/golden/sandbox, which t/it/sandbox holds against the
 * kernel where it runs.  GOLDEN_WRITE=1 writes what it compares otherwise.
 */
#include "common/filter.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "ipc/msg.h"
#include "t/probe/decode.h"
#include "t/unit/arch.h"
#include "t/unit/golden.h"

enum {
	PROGRAM_MAX = 1024,
	RULES_MAX = PROGRAM_MAX / FILTER_RULE_MAX - 1,
	CALLS = 480,
	OWN_ID = 4711,
	X32 = 0x40000000,
};

static const struct arch {
	enum filter_arch arch;
	const char *name;
	uint32_t audit;
	const struct arch_row *rows;
	const size_t *n;
} archs[] = {
#if defined(__x86_64__)
	{ FILTER_X86_64, "x86_64", AUDIT_ARCH_X86_64, arch_here, &narch_here },
#endif
	{ FILTER_AARCH64, "aarch64", AUDIT_ARCH_AARCH64, arch_aarch64,
	    &narch_aarch64 },
};

#define EACH_ARCH(a) \
	for ((a) = archs; (a) < archs + sizeof(archs) / sizeof(archs[0]); (a)++)

/* --- a machine ------------------------------------------------------------
 */

static int
jumps(uint16_t code, uint32_t acc, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return acc == k;
	case BPF_JGT:
		return acc > k;
	case BPF_JGE:
		return acc >= k;
	case BPF_JSET:
		return (acc & k) != 0;
	}
	cr_assert(0, "jump 0x%x", code);
	return 0;
}

/* As the kernel does; a program that leaves its end fails the test. */
static uint32_t
run(const struct sock_filter *prog, size_t n, const struct seccomp_data *call)
{
	uint32_t acc = 0;
	size_t at;

	for (at = 0; at < n; at++) {
		const struct sock_filter *f = &prog[at];

		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			cr_assert(f->k % 4 == 0 &&
			    f->k + sizeof(acc) <= sizeof(*call));
			memcpy(&acc, (const char *)call + f->k, sizeof(acc));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			acc &= f->k;
			break;
		case BPF_RET | BPF_K:
			return f->k;
		default:
			cr_assert(BPF_CLASS(f->code) == BPF_JMP &&
				BPF_SRC(f->code) == BPF_K,
			    "instruction 0x%x", f->code);
			at += jumps(f->code, acc, f->k) ? f->jt : f->jf;
		}
	}
	cr_assert(0, "no answer");
	return 0;
}

/* --- a worker's program ---------------------------------------------------
 */

struct program {
	struct sock_filter code[PROGRAM_MAX];
	size_t n;
};

static int
is_of(const struct arch *a, size_t row, enum proc p)
{
	return (a->rows[row].who & 1u << p) != 0;
}

/* What filter.c is given; how many. */
static size_t
rules_of(const struct arch *a, enum proc p, struct filter_rule rules[RULES_MAX])
{
	size_t i, n = 0;

	for (i = 0; i < *a->n; i++) {
		if (!is_of(a, i, p))
			continue;
		cr_assert(n < RULES_MAX);
		rules[n] = a->rows[i].rule;
		if (rules[n].value == UINT64_MAX)
			rules[n].value = OWN_ID;
		n++;
	}
	return n;
}

static void
compile(const struct arch *a, enum proc p, struct program *to)
{
	struct filter_rule rules[RULES_MAX];
	size_t n = rules_of(a, p, rules);

	to->n = filter_compile(a->arch, rules, n, to->code);
}

static uint32_t
asked(const struct arch *a, const struct program *prog, uint32_t nr,
    uint64_t arg)
{
	struct seccomp_data call = { .nr = (int)nr, .arch = a->audit };
	size_t i;

	for (i = 0; i < sizeof(call.args) / sizeof(call.args[0]); i++)
		call.args[i] = arg;
	return run(prog->code, prog->n, &call);
}

static const char *
name_of(const struct arch *a, enum proc p, uint32_t nr)
{
	size_t i;

	for (i = 0; i < *a->n; i++)
		if (is_of(a, i, p) && a->rows[i].rule.nr == nr)
			return a->rows[i].name;
	return NULL;
}

/* As t/probe/judge.c says it of the kernel. */
static char *
audit(const struct arch *a, enum proc p, const struct program *prog)
{
	struct filter_rule rules[RULES_MAX];
	int i, n = decode_program(prog->code, prog->n, rules, RULES_MAX);
	char *text = NULL, words[DECODE_WORDS];
	const char *name;
	uint32_t nr, got;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	cr_assert(n > 0, "%s: not the program of any rules", a->name);
	for (nr = 0; nr < CALLS; nr++) {
		name = name_of(a, p, nr);
		for (i = 0; i < n; i++)
			if (rules[i].nr == nr &&
			    !decode_words(&rules[i], OWN_ID, words))
				fprintf(f, "%s %s\n", name, words);
		got = asked(a, prog, nr, UINT64_MAX);
		if (got == SECCOMP_RET_KILL_PROCESS)
			continue;
		if (name == NULL)
			fprintf(f, "%u ", nr);
		else
			fprintf(f, "%s ", name);
		fprintf(f, "%s\n",
		    got == SECCOMP_RET_ALLOW ?
			"runs" :
			strerrorname_np((int)(got & SECCOMP_RET_DATA)));
	}
	fclose(f);
	return text;
}

static void
is_golden(const struct arch *a, enum proc p)
{
	AUTO_FREE char *folder = xasprintf("sandbox/%s", a->name);
	AUTO_FREE char *file = xasprintf("%s.txt", proc_name(p));
	AUTO_FREE char *path = xasprintf("t/golden/%s/%s", folder, file);
	AUTO_FREE char *found = NULL, *golden = NULL;
	struct program prog;
	FILE *f;

	compile(a, p, &prog);
	found = audit(a, p, &prog);
	if (getenv("GOLDEN_WRITE") != NULL) {
		cr_assert((f = fopen(path, "w")) != NULL);
		fputs(found, f);
		fclose(f);
	}
	golden = golden_read(folder, file);
	cr_assert(golden != NULL && strcmp(golden, found) == 0,
	    "%s differs:\n%s", path, found);
}

/* --- what must hold -------------------------------------------------------
 */

Test(common_filter, what_each_may_call_is_golden)
{
	const struct arch *a;
	enum proc p;

	EACH_ARCH(a)
	for (p = PROC_KUBESIDE; p <= PROC_PLACER; p++)
		is_golden(a, p);
}

/* What the golden files say is read from programs: none may say less. */
Test(common_filter, a_program_is_read_back_as_its_rules)
{
	struct filter_rule rules[RULES_MAX], back[RULES_MAX];
	const struct arch *a;
	struct program prog;
	size_t i, n;
	enum proc p;

	EACH_ARCH(a)
	for (p = PROC_KUBESIDE; p <= PROC_PLACER; p++) {
		n = rules_of(a, p, rules);
		compile(a, p, &prog);
		cr_assert(decode_program(prog.code, prog.n, back, RULES_MAX) ==
		    (int)n);
		for (i = 0; i < n; i++)
			cr_assert(back[i].nr == rules[i].nr &&
				back[i].error == rules[i].error &&
				back[i].cond == rules[i].cond &&
				back[i].arg == rules[i].arg &&
				back[i].value == rules[i].value,
			    "%s, %s: rule %zu of %s", a->name, proc_name(p), i,
			    name_of(a, p, rules[i].nr));
	}
}

Test(common_filter, calls_of_another_architecture_end_the_process)
{
	const struct arch *a;
	struct program prog;
	enum proc p;

	EACH_ARCH(a)
	for (p = PROC_KUBESIDE; p <= PROC_PLACER; p++) {
		struct arch other = *a;

		compile(a, p, &prog);
		other.audit = AUDIT_ARCH_I386;
		cr_assert(
		    asked(&other, &prog, 0, 0) == SECCOMP_RET_KILL_PROCESS);
		cr_assert(
		    asked(a, &prog, X32 + 1, 0) == SECCOMP_RET_KILL_PROCESS);
		cr_assert(asked(a, &prog, X32 - 1, 0) ==
		    (SECCOMP_RET_ERRNO | ENOSYS));
	}
}
