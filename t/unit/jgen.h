/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_JGEN_H
#define T_UNIT_JGEN_H

/*
 * Random JSON texts for properties: every spelling that the grammar allows
 * (blanks, escapes, odd numbers, empty names), the same for the same seed.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"

struct jgen {
	uint64_t state; /* the seed; never 0 */
	struct bytes text;
};

void jgen_free(struct jgen *);

/* 0 .. n-1 */
uint32_t jgen_below(struct jgen *, uint32_t n);

/* Appends. */
void jgen_text(struct jgen *, const char *);
void jgen_blank(struct jgen *);
void jgen_string(struct jgen *);
void jgen_value(struct jgen *, int depth);

/* A string with this content, each character spelled plainly or escaped. */
void jgen_spelled(struct jgen *, const char *);

/* What was appended since the offset; valid until the next append. */
struct span jgen_since(const struct jgen *, size_t offset);

#endif
