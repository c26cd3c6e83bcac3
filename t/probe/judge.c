/* SPDX-License-Identifier: ISC */
/*
 * judge.c: has copies of the worker try all, and says what was not as probe.def
 * has it; each line after "probe NAME ".
 *	sealed: N probes, N holes	also "under", "abi N sealed", ...
 *	hole SET PROBE: wanted X, got Y
 *	without LAYER: N noticed
 *	row N CALL: noticed by WHAT
 *	audit CALL if argument N is X: runs|ERRNO	and has some of ...
 *	audit CALL runs|ERRNO
 */
#include "t/probe/probe.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "t/probe/decode.h"

enum {
	CALLS = 480,
	RULES_MAX = 256,
	PROBES_MAX = 160,
	WORD_MAX = 32,
	LINE_BYTES = 256,
};

/* Standard error is the log, where each line is one write. */
__attribute__((format(printf, 1, 2))) static void
say(const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list ap;
	int n;

	n = snprintf(line, sizeof(line), "probe %s ", proc_name(aims.self));
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	if (write(STDERR_FILENO, line, (size_t)n) != n)
		_exit(UNSEALED);
}

static const char *
word(int outcome, char buf[WORD_MAX])
{
	const char *name = outcome > 0 ? strerrorname_np(outcome) : NULL;

	if (outcome == COULD)
		return "it could";
	if (outcome > EITHER_SHIFT(1)) {
		(void)snprintf(buf, WORD_MAX, "%s or %s",
		    strerrorname_np(outcome % EITHER_SHIFT(1)),
		    strerrorname_np(outcome / EITHER_SHIFT(1)));
		return buf;
	}
	if (outcome == KILLED)
		return "SIGSYS";
	if (outcome == UNSEALED)
		return "no seal";
	if (name != NULL)
		return name;
	(void)snprintf(buf, WORD_MAX, "%s %d", outcome < 0 ? "signal" : "error",
	    outcome < 0 ? -outcome : outcome);
	return buf;
}

static int
is_right(int got, int want)
{
	return got == want ||
	    (want > EITHER_SHIFT(1) &&
		(got == want % EITHER_SHIFT(1) ||
		    got == want / EITHER_SHIFT(1)));
}

/* How many of these differ from what probe.def says. */
static int
try_set(const struct probe *set, size_t n, const struct seal *how, int abi,
    const char *name)
{
	char a[WORD_MAX], b[WORD_MAX];
	int got, want, holes = 0;
	unsigned int tried = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (set[i].abi > abi)
			continue;
		tried++;
		got = probe_copy(how, set[i].run);
		want = set[i].verdict[aims.self];
		if (is_right(got, want))
			continue;
		holes++;
		if (name != NULL)
			say("hole %s %s: wanted %s, got %s\n", name,
			    set[i].name, word(want, a), word(got, b));
	}
	if (name != NULL)
		say("%s: %u probes, %d holes\n", name, tried, holes);
	return holes;
}

static int
try_both(struct seal how, int abi, const char *name)
{
	char sealed[WORD_MAX] = "", below[WORD_MAX] = "";
	int holes;

	if (name != NULL) {
		(void)snprintf(sealed, sizeof(sealed), "%ssealed", name);
		(void)snprintf(below, sizeof(below), "%sunder", name);
	}
	holes = try_set(probes, nprobes, &how, abi, name ? sealed : NULL);
	how.under = 1;
	return holes + try_set(under, nunder, &how, abi, name ? below : NULL);
}

/* As on the kernels that have come since 5.13. */
static void
try_abis(int abi)
{
	char name[WORD_MAX];
	int n;

	for (n = 1; n < abi && n <= 7; n++) {
		/* Those before TCP and before scopes; at night all. */
		if (n != 3 && n != 5 && getenv("PROBE_NIGHTLY") == NULL)
			continue;
		(void)snprintf(name, sizeof(name), "abi %d ", n);
		try_both((struct seal){ .row = -1, .abi = n }, n, name);
	}
}

static void
try_layers(int abi)
{
	static const struct {
		enum layer layer;
		const char *name;
	} layers[] = { { WITHOUT_FILTER, "FILTER" },
		{ WITHOUT_LANDLOCK, "LANDLOCK" }, { WITHOUT_NOFILE, "NOFILE" },
		{ WITHOUT_NPROC, "NPROC" } };
	size_t i;

	for (i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
		say("without %s: %d noticed\n", layers[i].name,
		    try_both((struct seal){ .row = -1,
				 .without = layers[i].layer },
			abi, NULL));
}

/* --- rows ------------------------------------------------------------------
 */

static int
is_noticed(int row, enum layer without, const int base[], const char *suffix)
{
	const struct seal wide = { .row = row, .without = without };
	size_t i;

	for (i = 0; i < nprobes; i++)
		if (probe_copy(&wide, probes[i].run) != base[i]) {
			say("row %d %s: noticed by %s%s\n", row, row_name(row),
			    probes[i].name, suffix);
			return 1;
		}
	return 0;
}

static int
is_audited(int row)
{
	const struct seal whole = { .row = -1 }, wide = { .row = row };

	audited = row_call(row);
	if (probe_copy(&wide, audit_call) == probe_copy(&whole, audit_call))
		return 0;
	say("row %d %s: noticed by audit\n", row, row_name(row));
	return 1;
}

/* Landlock may hold what a wider row lets through; then without it. */
static void
try_rows(void)
{
	const struct seal open = { .row = -1, .without = WITHOUT_LANDLOCK };
	const struct seal whole = { .row = -1 };
	int alone[PROBES_MAX], both[PROBES_MAX], row;
	size_t i;

	for (i = 0; i < nprobes; i++) {
		alone[i] = probe_copy(&open, probes[i].run);
		both[i] = probe_copy(&whole, probes[i].run);
	}
	for (row = 0; row < rows_count(); row++) {
		if (!row_widens(row, aims.self) || is_audited(row) ||
		    is_noticed(row, WITHOUT_NONE, both, "") ||
		    is_noticed(row, WITHOUT_LANDLOCK, alone,
			" where Landlock is not"))
			continue;
		say("row %d %s: not noticed\n", row, row_name(row));
	}
}

/* --- all calls there are ---------------------------------------------------
 */

/* This worker's program: each copy looks whether it is that one (inject.c). */
static size_t
rules_loaded(struct filter_rule rules[RULES_MAX])
{
	struct sock_filter prog[FILTER_FIXED + RULES_MAX * FILTER_RULE_MAX];
	struct sock_fprog fp = { .filter = prog };
	int n;

	rows_compile(-1, aims.self, &fp);
	if ((n = decode_program(prog, fp.len, rules, RULES_MAX)) == -1)
		say("audit: a program that is none\n");
	return n == -1 ? 0 : (size_t)n;
}

static void
audit_conditions(const struct filter_rule *rules, size_t n, long call)
{
	char words[DECODE_WORDS];
	int refused;
	size_t i;

	for (i = 0; i < n; i++)
		if (rules[i].nr == call &&
		    !decode_words(&rules[i], (uint64_t)getpid(), words))
			say("audit %s %s\n",
			    row_of_call(call, aims.self, &refused), words);
}

static void
audit(void)
{
	struct filter_rule rules[RULES_MAX];
	size_t n = rules_loaded(rules);
	const struct seal whole = { .row = -1 };
	int got, refused, ends = 0;
	char buf[WORD_MAX];
	const char *name;

	for (audited = 0; audited < CALLS; audited++) {
#if defined(__x86_64__)
		/* Those never come to a filter. */
		if (audited == 335 || audited == 336)
			continue;
#endif
		audit_conditions(rules, n, audited);
		got = probe_copy(&whole, audit_call);
		if (got == KILLED) {
			ends++;
			continue;
		}
		name = row_of_call(audited, aims.self, &refused);
		if (name == NULL)
			say("audit %ld %s\n", audited, word(got, buf));
		else
			say("audit %s %s\n", name,
			    refused ? word(got, buf) : "runs");
	}
	say("audited: %d calls, %d end the process\n", CALLS, ends);
}

void
judge(int brief)
{
	int abi = probe_abi();

	say("Landlock: ABI %d\n", abi);
	(void)try_both((struct seal){ .row = -1 }, abi, "");
	if (!brief) {
		try_abis(abi);
		try_layers(abi);
		try_rows();
		audit();
	}
	say("end\n");
}
