/* SPDX-License-Identifier: ISC */
/*
 * jgen.c: random JSON.  Owns its bytes and its seed; knows nothing of what
 * is tested with it.
 */
#include "t/unit/jgen.h"

#include <stdio.h>

static uint64_t
jgen_next(struct jgen *g)
{
	g->state ^= g->state << 13;
	g->state ^= g->state >> 7;
	g->state ^= g->state << 17;
	return g->state;
}

void
jgen_free(struct jgen *g)
{
	bytes_free(&g->text);
}

uint32_t
jgen_below(struct jgen *g, uint32_t n)
{
	return (uint32_t)((jgen_next(g) >> 16) % n);
}

void
jgen_text(struct jgen *g, const char *s)
{
	bytes_add_text(&g->text, s);
}

void
jgen_blank(struct jgen *g)
{
	static const char *const blanks[] = { " ", "\n", "\t", "\r\n", "  " };

	if (jgen_below(g, 6) == 0)
		jgen_text(g, blanks[jgen_below(g, 5)]);
}

void
jgen_string(struct jgen *g)
{
	static const char *const pieces[] = { "a", "items", "name", "z9", "{",
		"}", "[", "]", ",", ":", "\\\"", "\\\\", "\\n", "\\u00e9",
		"\\ud83d\\ude00", "\xc3\xa9", "\\/", "metadata", " ", "\\u0001",
		"spec", "-", "\\t", "null" };
	uint32_t n;

	jgen_text(g, "\"");
	for (n = jgen_below(g, 6); n > 0; n--)
		jgen_text(g,
		    pieces[jgen_below(g, sizeof(pieces) / sizeof(pieces[0]))]);
	jgen_text(g, "\"");
}

void
jgen_spelled(struct jgen *g, const char *s)
{
	char escaped[8];

	jgen_text(g, "\"");
	for (; *s != '\0'; s++)
		if (jgen_below(g, 12) == 0) {
			snprintf(escaped, sizeof(escaped), "\\u%04x",
			    (unsigned int)(unsigned char)*s);
			jgen_text(g, escaped);
		} else
			bytes_add(&g->text, (struct span){ s, 1 });
	jgen_text(g, "\"");
}

static void
jgen_scalar(struct jgen *g)
{
	static const char *const scalars[] = { "0", "-0", "1", "-1.50", "1e400",
		"2E-3", "12345678901234567890", "0.1e+7", "true", "false",
		"null" };

	if (jgen_below(g, 2) == 0)
		jgen_string(g);
	else
		jgen_text(g,
		    scalars[jgen_below(g,
			sizeof(scalars) / sizeof(scalars[0]))]);
}

void
jgen_value(struct jgen *g, int depth)
{
	uint32_t n, kind = jgen_below(g, 4);

	jgen_blank(g);
	if (depth == 0 || kind < 2) {
		jgen_scalar(g);
		jgen_blank(g);
		return;
	}
	jgen_text(g, kind == 2 ? "{" : "[");
	jgen_blank(g);
	for (n = jgen_below(g, 5); n > 0; n--) {
		if (kind == 2) {
			jgen_blank(g);
			jgen_string(g);
			jgen_blank(g);
			jgen_text(g, ":");
		}
		jgen_value(g, depth - 1);
		if (n > 1)
			jgen_text(g, ",");
	}
	jgen_text(g, kind == 2 ? "}" : "]");
	jgen_blank(g);
}

struct span
jgen_since(const struct jgen *g, size_t offset)
{
	return (struct span){ g->text.p + offset, g->text.len - offset };
}
