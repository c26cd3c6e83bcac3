/* SPDX-License-Identifier: ISC */
#ifndef COMMON_WHY_H
#define COMMON_WHY_H

/*
 * Why something failed: a kind that callers branch on and a text that people
 * read.  Made where the failure is known, logged once by whoever decides.
 */

#include <stdint.h>

#define WHY_KINDS(X)                                                    \
	X(NONE)	    /* nothing failed */                                \
	X(AGAIN)    /* the same may succeed later */                    \
	X(AUTH)	    /* credentials missing, expired or refused */       \
	X(CONFLICT) /* somebody else changed it: read, decide anew */   \
	X(GONE)	    /* the object, or this incarnation, is not there */ \
	X(LIMIT)    /* a bound of limits.h */                           \
	X(FORMAT)   /* what was read is not what it should be */        \
	X(DENIED)   /* a rule of ours or of theirs forbids it */        \
	X(SYSTEM)   /* the operating system said no */                  \
	X(BUG)	    /* cannot happen, happened */

enum why_kind {
#define X(name) ERR_##name,
	WHY_KINDS(X)
#undef X
	ERR_COUNT
};

struct why {
	enum why_kind kind;
	uint32_t code;	/* HTTP status or errno, 0: neither */
	char text[512]; /* one line; a cut one ends in "..." */
};

/* Fills *why (NULL allowed) and returns -1. */
int fail(struct why *, enum why_kind, const char *, ...)
    __attribute__((format(printf, 3, 4)));

/* As fail(), with a code: an HTTP status, or an errno. */
int fail_code(struct why *, enum why_kind, uint32_t, const char *, ...)
    __attribute__((format(printf, 4, 5)));

/* "AGAIN", "AUTH", ...; never NULL. */
const char *why_name(enum why_kind);

#endif
