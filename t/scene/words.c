/* SPDX-License-Identifier: ISC */
/*
 * words.c: cuts a line of a scene into words.
 */
#include "t/scene/words.h"

#include <stdlib.h>
#include <string.h>

#include "common/duration.h"
#include "common/xmem.h"

static int
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* Moves the word that starts at p to *to without its quotes. */
static char *
one_word(char *p, char **to)
{
	char quote = '\0';

	for (; *p != '\0' && (quote != '\0' || !is_blank(*p)); p++) {
		if (*p == quote)
			quote = '\0';
		else if (quote == '\0' && (*p == '"' || *p == '\''))
			quote = *p;
		else
			*(*to)++ = *p;
	}
	return quote != '\0' ? NULL : p;
}

int
words_cut(struct words *s, const char *line)
{
	char *p, *to, end;

	s->n = 0;
	s->line = xstrdup(line);
	for (p = s->line; p != NULL;) {
		while (is_blank(*p))
			p++;
		if (*p == '\0' || *p == '#')
			return 0;
		if (s->n == WORDS_MAX)
			return -1;
		s->w[s->n++] = to = p;
		if ((p = one_word(p, &to)) == NULL)
			return -1;
		end = *p;
		*to = '\0';
		if (end == '\0')
			return 0;
		p++;
	}
	return 0;
}

void
words_free(struct words *s)
{
	free(s->line);
	s->line = NULL;
	s->n = 0;
}

const char *
words_at(const struct words *s, size_t i)
{
	return i < s->n ? s->w[i] : "";
}

const char *
words_get(const struct words *s, const char *name, const char *def)
{
	size_t len = strlen(name), i;

	for (i = 0; i < s->n; i++)
		if (strncmp(s->w[i], name, len) == 0 && s->w[i][len] == '=')
			return s->w[i] + len + 1;
	return def;
}

int64_t
words_ms(const char *text)
{
	int64_t ms;

	return duration_ms(text, &ms) == 0 && ms >= 0 ? ms : -1;
}
