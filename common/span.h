/* SPDX-License-Identifier: ISC */
#ifndef COMMON_SPAN_H
#define COMMON_SPAN_H

#include <stddef.h>
#include <string.h>

/* Borrowed bytes, not NUL-terminated; who lends them says until when. */
struct span {
	const char *p;
	size_t len;
};

static inline struct span
span_of(const char *s)
{
	return (struct span){ s, strlen(s) };
}

static inline int
span_is(struct span s, const char *word)
{
	return strlen(word) == s.len && memcmp(s.p, word, s.len) == 0;
}

#endif
