/* SPDX-License-Identifier: ISC */
#ifndef COMMON_FILTER_H
#define COMMON_FILTER_H

/*
 * A table of system calls as a seccomp program.  Pure: whoever loads it is
 * sandbox.c.
 */

#include <stddef.h>
#include <stdint.h>

struct sock_filter;

/* Whose calls the numbers are. */
enum filter_arch {
	FILTER_X86_64,
	FILTER_AARCH64,
#if defined(__x86_64__)
	FILTER_HERE = FILTER_X86_64
#elif defined(__aarch64__)
	FILTER_HERE = FILTER_AARCH64
#else
#error "no system call filter for this architecture"
#endif
};

enum filter_if {
	IF_ANY,
	IF_EQUAL, /* the argument, all 64 bits */
	IF_CLEAR, /* none of these bits in its lower half */
	IF_SET,	  /* all of them */
	IF_SOME,  /* at least one of them */
};

/*
 * One rule.  The first whose call and condition hold decides; a call that no
 * rule decides ends the process.
 */
struct filter_rule {
	uint32_t nr;
	uint16_t error; /* 0: allowed; else it fails with this errno */
	uint8_t cond;	/* enum filter_if */
	uint8_t arg;	/* 0-5 */
	uint64_t value;
};

enum {
	FILTER_RULE_MAX = 8, /* instructions of one rule at most */
	FILTER_FIXED = 8     /* and of none */
};

/*
 * Writes the program for n rules; prog has room for FILTER_FIXED +
 * n * FILTER_RULE_MAX.  How many instructions it is.
 */
size_t filter_compile(enum filter_arch, const struct filter_rule *, size_t n,
    struct sock_filter *prog);

#endif
