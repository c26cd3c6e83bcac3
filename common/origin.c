/* SPDX-License-Identifier: ISC */
/* origin.c: which images an operator lets devices pull. */
#include "common/origin.h"

#include <string.h>

/* One that a tool could take for another one has none. */
static int
is_plain(struct span image)
{
	size_t i;

	for (i = 0; i + 1 < image.len; i++)
		if (image.p[i] == '/' && strchr("/.", image.p[i + 1]) != NULL)
			return 0;
	return image.len > 0;
}

static int
begins(struct span image, const char *word, size_t len)
{
	const char *ends = memchr(word, '/', len) == NULL ? "/" : "/:@";

	return len > 0 && image.len > len && memcmp(image.p, word, len) == 0 &&
	    strchr(ends, image.p[len]) != NULL;
}

int
origin_is_of(const char *list, struct span image)
{
	size_t len;

	if (*list == '\0')
		return 1;
	if (!is_plain(image))
		return 0;
	for (;; list += len + 1) {
		size_t blank = strspn(list, " \t"), end;

		len = strcspn(list, ",");
		for (end = len; end > blank && strchr(" \t", list[end - 1]);)
			end--;
		if (end > blank && begins(image, list + blank, end - blank))
			return 1;
		if (list[len] == '\0')
			return 0;
	}
}
