/* SPDX-License-Identifier: ISC */
/*
 * why.c: the error value.
 *
 * Owns its shape and nothing else: never logs, never allocates.
 */
#include "common/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/utf8.h"

#define AS_NAME(name) #name,

static const char *const names[] = { WHY_KINDS(AS_NAME) };

static void vfill(struct why *, enum why_kind, uint32_t, const char *, va_list)
    __attribute__((format(printf, 4, 0)));

static void
vfill(struct why *why, enum why_kind kind, uint32_t code, const char *fmt,
    va_list ap)
{
	int n;

	if (why == NULL)
		return;
	why->kind = kind;
	why->code = code;
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): by callers */
	n = vsnprintf(why->text, sizeof(why->text), fmt, ap);
	if (n < 0)
		why->text[0] = '\0';
	else if ((size_t)n >= sizeof(why->text))
		utf8_end(why->text, sizeof(why->text));
}

int
fail(struct why *why, enum why_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfill(why, kind, 0, fmt, ap);
	va_end(ap);
	return -1;
}

int
fail_code(struct why *why, enum why_kind kind, uint32_t code, const char *fmt,
    ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfill(why, kind, code, fmt, ap);
	va_end(ap);
	return -1;
}

const char *
why_name(enum why_kind kind)
{
	return kind < ERR_COUNT ? names[kind] : "UNKNOWN";
}
