/* SPDX-License-Identifier: ISC */
/*
 * block.c: one allocation for a struct and all that it points to.
 *
 * Owns the counting.  Never moves what it gave out: the counting run gives
 * out real memory from pieces, the second one fills the final block.
 */
#include "placer/block.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"

enum {
	PIECE = 4096
};

struct piece {
	struct piece *next;
	size_t size;
	size_t used;
	max_align_t bytes[];
};

struct block {
	struct piece *pieces; /* of the counting run, newest first */
	char *final;	      /* of the second run */
	size_t used;
	size_t size; /* of the final block */
};

static char *
from_pieces(struct block *b, size_t bytes, size_t align)
{
	struct piece *p = b->pieces;
	size_t at, size;

	at = p == NULL ? 0 : (p->used + align - 1) & ~(align - 1);
	if (p == NULL || at > p->size || p->size - at < bytes) {
		size = bytes > PIECE ? bytes : PIECE;
		p = xmalloc(sizeof(*p) + size);
		p->next = b->pieces;
		p->size = size;
		b->pieces = p;
		at = 0;
	}
	p->used = at + bytes;
	return (char *)p->bytes + at;
}

static char *
take(struct block *b, size_t bytes, size_t align)
{
	char *p;

	b->used = (b->used + align - 1) & ~(align - 1);
	if (b->final == NULL) {
		p = from_pieces(b, bytes, align);
	} else {
		if (b->size - b->used < bytes)
			abort(); /* the two runs differ */
		p = b->final + b->used;
	}
	b->used += bytes;
	return p;
}

void *
block_get(struct block *b, size_t n, size_t size)
{
	if (n == 0)
		return NULL;
	if (size > SIZE_MAX / 4 / n)
		abort();
	return memset(take(b, n * size, sizeof(void *)), 0, n * size);
}

char *
block_strn(struct block *b, const char *s, size_t len)
{
	char *p;

	if (s == NULL)
		return NULL;
	p = take(b, len + 1, 1);
	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

char *
block_str(struct block *b, const char *s)
{
	return s == NULL ? NULL : block_strn(b, s, strlen(s));
}

void *
block_build(int (*build)(struct block *, void *), void *arg)
{
	struct block b = { 0 };
	struct piece *p;
	int r;

	r = build(&b, arg);
	while ((p = b.pieces) != NULL) {
		b.pieces = p->next;
		free(p);
	}
	if (r == -1 || b.used == 0)
		return NULL;
	b.size = b.used;
	b.used = 0;
	b.final = xmalloc(b.size);
	if (build(&b, arg) == -1) {
		free(b.final);
		return NULL;
	}
	return b.final;
}
