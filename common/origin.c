/* SPDX-License-Identifier: ISC */
/* origin.c: which images an operator lets devices pull. */
#include "common/origin.h"

#include <string.h>

#include "common/form.h"

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
begins(struct span image, struct span word)
{
	const char *ends = memchr(word.p, '/', word.len) == NULL ? "/" : "/:@";

	return word.len > 0 && image.len > word.len &&
	    memcmp(image.p, word.p, word.len) == 0 &&
	    strchr(ends, image.p[word.len]) != NULL;
}

int
origin_is_of(const char *list, struct span image)
{
	struct span words = span_of(list), word;

	if (*list == '\0')
		return 1;
	if (!is_plain(image))
		return 0;
	while (form_next_word(&words, &word))
		if (begins(image, word))
			return 1;
	return 0;
}
