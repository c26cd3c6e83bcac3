/* SPDX-License-Identifier: ISC */
/*
 * page.c: the status page's files.
 *
 * Owns their paths and types.  The assembler takes their bytes in, so the
 * program opens nothing; it looks from the root of the sources.
 */
#include "placer/page.h"

#include <string.h>

#define EMBED(name, file)                                       \
	__asm__(".section .rodata\n" #name "_bytes:\n"          \
		".incbin \"placer/" file "\"\n" #name "_end:\n" \
		".byte 0\n.previous\n");                        \
	extern const char name##_bytes[],                       \
	    name##_end[] __attribute__((visibility("hidden")))

EMBED(html, "page.html");
EMBED(css, "page.css");
EMBED(js, "page.js");
EMBED(svg, "page.svg");

static const struct row {
	const char *path, *type, *from, *to;
} files[] = {
	{ "/", "text/html; charset=utf-8", html_bytes, html_end },
	{ "/page.css", "text/css; charset=utf-8", css_bytes, css_end },
	{ "/page.js", "text/javascript; charset=utf-8", js_bytes, js_end },
	{ "/page.svg", "image/svg+xml", svg_bytes, svg_end },
};

int
page_find(const char *path, struct page *page)
{
	const struct row *r;

	for (r = files; r < files + sizeof(files) / sizeof(*r); r++) {
		if (strcmp(path, r->path) != 0)
			continue;
		*page = (struct page){ r->path, r->type,
			{ r->from, (size_t)(r->to - r->from) } };
		return 0;
	}
	return -1;
}
