/* SPDX-License-Identifier: ISC */
/*
 * identity.c: the labels that say whose application this is.
 *
 * Owns their keys and their one line form.  Never decides what is ours: that
 * is the application's name.
 */
#include "placer/identity.h"

#include <ctype.h>

static const char *const keys[] = {
#define X(name, key) [ID_##name] = key,
	IDENTITY(X)
#undef X
};

const char *
identity_key(enum identity id)
{
	return keys[id];
}

static int
is_plain(char c)
{
	return isalnum((unsigned char)c) || c == '.' || c == '_' || c == ':' ||
	    c == '-';
}

int
identity_is_plain(const char *s)
{
	if (*s == '\0')
		return 0;
	while (is_plain(*s))
		s++;
	return *s == '\0';
}

/* The rest of a line "Label=KEY=rest". */
static void
read_line(struct span line, struct span values[ID_COUNT])
{
	size_t i, k, len;

	for (i = 0; i < ID_COUNT; i++) {
		len = strlen(keys[i]);
		if (line.len <= len + 1 || memcmp(line.p, keys[i], len) != 0 ||
		    line.p[len] != '=' || values[i].len != 0)
			continue;
		for (k = len + 1; k < line.len; k++)
			if (!is_plain(line.p[k]))
				return;
		values[i] =
		    (struct span){ line.p + len + 1, line.len - len - 1 };
		return;
	}
}

void
identity_read(const char *file, struct span values[ID_COUNT])
{
	static const char start[] = "Label=";
	const size_t n = sizeof(start) - 1;
	size_t i, len;

	for (i = 0; i < ID_COUNT; i++)
		values[i] = (struct span){ "", 0 };
	for (; *file != '\0'; file += len + (file[len] == '\n')) {
		len = strcspn(file, "\n");
		if (len > n && memcmp(file, start, n) == 0)
			read_line((struct span){ file + n, len - n }, values);
	}
}
