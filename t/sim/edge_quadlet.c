/* SPDX-License-Identifier: ISC */
/*
 * edge_quadlet.c: what the quadlet generator on a device refuses.
 *
 * Owns the table of known keys (edge_quadlet.def).  Says why, never what
 * becomes of the version.
 */
#include <string.h>

#include "t/sim/edge_app.h"

struct section {
	const char *name;
	const char *suffix;
	const char *keys; /* separated by blanks */
};

static const struct section sections[] = {
#define SECTION(name, suffix, keys) { #name, suffix, keys },
#include "t/sim/edge_quadlet.def"
#undef SECTION
};

static const struct section *
section_of(const char *path)
{
	const char *dot = strrchr(path, '.');
	size_t i;

	if (dot == NULL)
		return NULL;
	for (i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		if (strcmp(dot, sections[i].suffix) == 0)
			return &sections[i];
	return NULL;
}

static int
knows(const struct section *s, const char *key, size_t n)
{
	const char *p = s->keys;
	size_t len;

	for (;;) {
		len = strcspn(p, " ");
		if (len == n && memcmp(p, key, n) == 0)
			return 1;
		if (p[len] == '\0')
			return 0;
		p += len + 1;
	}
}

static int
is_word(const char *line, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(line, word, n) == 0;
}

/* The line a file's next one starts at; NULL: none.  '\' joins lines. */
static const char *
next_line(const char *line)
{
	const char *end;

	for (;;) {
		if ((end = strchr(line, '\n')) == NULL)
			return NULL;
		if (end == line || end[-1] != '\\')
			return end + 1;
		line = end + 1;
	}
}

const char *
edge_quadlet_defect(const char *path, const char *text)
{
	const struct section *s = section_of(path);
	const char *line, *at = "";
	size_t n, nat = 0, key;
	int held = 0;

	if (s == NULL)
		return NULL;
	for (line = text; line != NULL; line = next_line(line)) {
		n = strcspn(line, "\r\n");
		if (n > 1 && line[0] == '[') {
			at = line + 1;
			nat = strcspn(at, "]\r\n");
			continue;
		}
		if (n == 0 || line[0] == '#' || line[0] == ';')
			continue;
		key = strcspn(line, "=\r\n");
		while (key > 0 && line[key - 1] == ' ')
			key--;
		if (is_word(at, nat, "Install") &&
		    (is_word(line, key, "WantedBy") ||
			is_word(line, key, "RequiredBy")))
			held = 1;
		if (is_word(at, nat, s->name) && !knows(s, line, key))
			return "unsupported key";
	}
	if (strcmp(s->suffix, ".container") == 0 && !held)
		return "not loaded as a target";
	return NULL;
}
