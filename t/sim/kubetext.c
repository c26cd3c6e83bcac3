/* SPDX-License-Identifier: ISC */
/*
 * kubetext.c: a growing text and JSON strings in it (pure).
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/kubetype.h"

static void
room(struct ktext *t, size_t more)
{
	if (t->len + more + 1 <= t->cap)
		return;
	while (t->len + more + 1 > t->cap)
		t->cap = t->cap == 0 ? 4096 : t->cap * 2;
	t->s = xreallocarray(t->s, t->cap, 1);
}

void
ktext_add(struct ktext *t, const char *s, size_t len)
{
	room(t, len);
	memcpy(t->s + t->len, s, len);
	t->len += len;
	t->s[t->len] = '\0';
}

void
ktext_puts(struct ktext *t, const char *s)
{
	ktext_add(t, s, strlen(s));
}

void
ktext_printf(struct ktext *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	room(t, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(t->s + t->len, t->cap - t->len, fmt, ap);
	va_end(ap);
	t->len += (size_t)n;
}

void
ktext_quote(struct ktext *t, const char *s, size_t len)
{
	size_t i, from = 0;
	char esc[8];

	ktext_add(t, "\"", 1);
	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		ktext_add(t, s + from, i - from);
		from = i + 1;
		if (c == '"' || c == '\\')
			snprintf(esc, sizeof(esc), "\\%c", c);
		else if (c == '\n' || c == '\t' || c == '\r')
			snprintf(esc, sizeof(esc), "\\%c",
			    c == '\n'	  ? 'n' :
				c == '\t' ? 't' :
					    'r');
		else
			snprintf(esc, sizeof(esc), "\\u%04x", c);
		ktext_puts(t, esc);
	}
	ktext_add(t, s + from, len - from);
	ktext_add(t, "\"", 1);
}

void
ktext_free(struct ktext *t)
{
	free(t->s);
	*t = (struct ktext){ NULL, 0, 0 };
}
