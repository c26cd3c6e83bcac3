/* SPDX-License-Identifier: ISC */
/*
 * xmem.c: allocation that cannot fail.
 *
 * Owns the abort; never sees a size from outside that was not bounded.
 */
#include "common/xmem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In one call and without a log line, which would want memory. */
static void
complain(void)
{
	static const char words[] = ": out of memory\n";
	char line[64];
	size_t len = strnlen(program_invocation_short_name,
	    sizeof(line) - sizeof(words));

	memcpy(line, program_invocation_short_name, len);
	memcpy(line + len, words, sizeof(words));
	(void)!write(STDERR_FILENO, line, len + sizeof(words) - 1);
}

void
xmem_none(void)
{
	complain();
	abort();
}

static void *
need(void *p)
{
	if (p == NULL)
		xmem_none();
	return p;
}

void *
xmalloc(size_t size)
{
	return need(malloc(size > 0 ? size : 1));
}

void *
xcalloc(size_t n, size_t size)
{
	return need(calloc(n > 0 ? n : 1, size > 0 ? size : 1));
}

void *
xreallocarray(void *p, size_t n, size_t size)
{
	return need(reallocarray(p, n > 0 ? n : 1, size > 0 ? size : 1));
}

char *
xstrdup(const char *s)
{
	return need(strdup(s));
}

char *
xstrndup(const char *s, size_t n)
{
	size_t len = n > 0 ? strnlen(s, n) : 0;
	char *copy = xmalloc(len + 1);

	/* Not strndup(): ASan's strict one wants a NUL beyond n. */
	if (len > 0)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *
xvasprintf(const char *fmt, va_list ap)
{
	char *s;

	return need(vasprintf(&s, fmt, ap) == -1 ? NULL : s);
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

FILE *
xmemstream(char **text, size_t *len)
{
	return need(open_memstream(text, len));
}

/* glibc may end well, and have no text. */
void
xmemstream_end(FILE *f, char *const *text)
{
	if (fclose(f) == EOF || *text == NULL)
		xmem_none();
}
