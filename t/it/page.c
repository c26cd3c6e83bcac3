/* SPDX-License-Identifier: ISC */
/* page.c: commands and answers of a manual page. */
#include "t/it/page.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"

#define DOTS "..."

/* roff's "\&" and "\e" are nothing and a backslash.  The caller's. */
static char *
plain(const char *line, size_t len)
{
	char *out = xcalloc(1, len + 1);
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		if (line[i] != '\\' || i + 1 == len) {
			out[n++] = line[i];
			continue;
		}
		if (line[++i] == 'e')
			out[n++] = '\\';
		else if (line[i] != '&')
			out[n++] = line[i];
	}
	return out;
}

static void
append(char **text, const char *line, const char *end)
{
	char *more = xasprintf("%s%s%s", *text == NULL ? "" : *text, line, end);

	free(*text);
	*text = more;
}

static void
begin_step(struct page_step **steps, size_t *n, const char *command)
{
	*steps = xreallocarray(*steps, *n + 1, sizeof(**steps));
	(*steps)[(*n)++] = (struct page_step){ .title = xstrdup(command),
		.command = xstrdup(command),
		.output = xstrdup("") };
}

size_t
page_steps(const char *mdoc, struct page_step **steps)
{
	const char *line, *end;
	int literal = 0;
	size_t n = 0;

	*steps = NULL;
	for (line = mdoc; *line != '\0'; line = end + (*end == '\n')) {
		AUTO_FREE char *text = NULL;

		end = line + strcspn(line, "\n");
		text = plain(line, (size_t)(end - line));
		if (strncmp(text, ".Bd -literal", 12) == 0)
			literal = 1;
		else if (strcmp(text, ".Ed") == 0)
			literal = 0;
		else if (literal && strncmp(text, "$ ", 2) == 0)
			begin_step(steps, &n, text + 2);
		else if (literal && n > 0 && strncmp(text, "> ", 2) == 0) {
			append(&(*steps)[n - 1].command, "\n", text + 2);
		} else if (literal && n > 0)
			append(&(*steps)[n - 1].output, text, "\n");
	}
	return n;
}

void
page_free(struct page_step *steps, size_t n)
{
	while (n-- > 0) {
		free(steps[n].title);
		free(steps[n].command);
		free(steps[n].output);
	}
	free(steps);
}

/* One blank for many, none at the ends.  The caller's. */
static char *
squeeze(const char *line, size_t len)
{
	char *out = xcalloc(1, len + 1);
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		if (strchr(" \t\r", line[i]) == NULL)
			out[n++] = line[i];
		else if (n > 0 && out[n - 1] != ' ')
			out[n++] = ' ';
	}
	if (n > 0 && out[n - 1] == ' ')
		out[n - 1] = '\0';
	return out;
}

/* The lines that are not empty.  Each, and the list, the caller's. */
static size_t
lines(const char *text, char ***list)
{
	const char *end;
	size_t n = 0;

	*list = xreallocarray(NULL, 1, sizeof(**list));
	for (; *text != '\0'; text = end + (*end == '\n')) {
		char *line;

		end = text + strcspn(text, "\n");
		line = squeeze(text, (size_t)(end - text));
		if (*line == '\0') {
			free(line);
			continue;
		}
		*list = xreallocarray(*list, n + 1, sizeof(**list));
		(*list)[n++] = line;
	}
	return n;
}

static void
free_lines(char **list, size_t n)
{
	while (n-- > 0)
		free(list[n]);
	free(list);
}

static int
line_agrees(const char *says, const char *seen)
{
	size_t dots = strlen(DOTS);

	if (strncmp(says, DOTS, dots) == 0) {
		do {
			if (line_agrees(says + dots, seen))
				return 1;
		} while (*seen++ != '\0');
		return 0;
	}
	if (*says != *seen)
		return 0;
	return *says == '\0' || line_agrees(says + 1, seen + 1);
}

static int
agree(char **says, size_t nsays, char **seen, size_t nseen)
{
	size_t i;

	if (nsays == 0)
		return nseen == 0;
	if (strcmp(says[0], DOTS) != 0)
		return nseen > 0 && line_agrees(says[0], seen[0]) &&
		    agree(says + 1, nsays - 1, seen + 1, nseen - 1);
	for (i = 0; i <= nseen; i++)
		if (agree(says + 1, nsays - 1, seen + i, nseen - i))
			return 1;
	return 0;
}

int
page_agrees(const char *says, const char *seen)
{
	char **a, **b;
	size_t na = lines(says, &a), nb = lines(seen, &b);
	int same = agree(a, na, b, nb);

	free_lines(a, na);
	free_lines(b, nb);
	return same;
}
