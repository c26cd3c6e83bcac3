/* SPDX-License-Identifier: ISC */
#ifndef COMMON_XMEM_H
#define COMMON_XMEM_H

/*
 * Allocation of our own sizes: never NULL, aborts instead (the supervisor
 * restarts the worker).  Sizes that come from outside are checked against
 * limits.h before they get here.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/* A library had none: as when we have none. */
void xmem_none(void) __attribute__((noreturn));

void *xmalloc(size_t);
void *xcalloc(size_t, size_t);
void *xreallocarray(void *, size_t, size_t);
char *xstrdup(const char *);
char *xstrndup(const char *, size_t);
char *xasprintf(const char *, ...) __attribute__((format(printf, 1, 2)));
/* open_memstream(), and its fclose(), after which the text is there. */
FILE *xmemstream(char **text, size_t *len);
void xmemstream_end(FILE *, char *const *text);

char *xvasprintf(const char *, va_list) __attribute__((format(printf, 1, 0)));

#endif
