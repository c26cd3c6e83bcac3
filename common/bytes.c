/* SPDX-License-Identifier: ISC */
/*
 * bytes.c: bytes that grow.  Owns their memory; bounds are its caller's.
 */
#include "common/bytes.h"

#include <stdlib.h>

#include "common/xmem.h"

void
bytes_add(struct bytes *b, struct span s)
{
	if (s.len == 0)
		return;
	if (b->cap - b->len < s.len) {
		b->cap = (b->len + s.len) * 2;
		b->p = xreallocarray(b->p, b->cap, 1);
	}
	memcpy(b->p + b->len, s.p, s.len);
	b->len += s.len;
}

void
bytes_add_text(struct bytes *b, const char *text)
{
	bytes_add(b, span_of(text));
}

void
bytes_free(struct bytes *b)
{
	free(b->p);
	*b = (struct bytes){ NULL, 0, 0 };
}
