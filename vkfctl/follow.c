/* SPDX-License-Identifier: ISC */
/*
 * follow.c: an answer that goes on.
 *
 * Owns what ends it.  What is there at first is printed as one table, what
 * comes later under the same names.
 */
#include "vkfctl/follow.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/auto.h"
#include "common/utf8.h"
#include "common/xmem.h"
#include "vkfctl/peer.h"

/* Rows that wait to be printed together. */
struct batch {
	char *text;
	size_t len, n;
};

static void
add(struct batch *b, const char *row)
{
	size_t len = strlen(row);

	b->text = xreallocarray(b->text, b->len + len + 2, 1);
	memcpy(b->text + b->len, row, len);
	b->len += len;
	b->text[b->len++] = '\n';
	b->text[b->len] = '\0';
	b->n++;
}

static void
print(struct batch *b, struct table *t, int json)
{
	struct why why;

	if (b->n == 0)
		return;
	if (json)
		(void)fputs(b->text, stdout);
	else if (table_print(t, b->text, &why) == -1)
		errx(EX_PROTOCOL, "%s", why.text);
	if (fflush(stdout) == EOF)
		err(EX_IOERR, "standard output");
	b->len = b->n = 0;
}

static __attribute__((noreturn)) void
ends(const char *path, char *line)
{
	if (line == NULL)
		errx(EX_UNAVAILABLE, "%s: the provider is gone", path);
	utf8_plain(line);
	errx(EX_UNAVAILABLE, "%s: %s", path, line + strlen("end "));
}

char *
follow(const char *path, const char *request, int json,
    struct table_style style)
{
	struct peer *p = peer_open(path, request);
	struct table *t = table_new(stdout, style);
	struct batch b = { NULL, 0, 0 };
	char *line = peer_line(p), *more;
	int all = 0; /* that was there at first */

	if (line == NULL || strcmp(line, "more") != 0) {
		more = xasprintf("%s\n", line != NULL ? line : "");
		free(line);
		peer_close(p);
		table_free(t);
		return more;
	}
	for (;;) {
		free(line);
		line = peer_line(p);
		if (line == NULL || strncmp(line, "end ", 4) == 0) {
			print(&b, t, json);
			ends(path, line);
		}
		if (strcmp(line, ".") == 0)
			all = 1;
		else
			add(&b, line);
		if (all && !peer_has_line(p))
			print(&b, t, json);
	}
}
