/* SPDX-License-Identifier: ISC */
/*
 * path.c: puts paths together.  Owns the escaping; never knows what a
 * selector means.
 */
#include "flightside/path.h"

#include <stdlib.h>

#include "common/auto.h"
#include "common/bytes.h"
#include "common/https.h"

static void
add_escaped(struct bytes *b, const char *before, const char *text)
{
	AUTO_FREE char *escaped = https_escape(text);

	bytes_add_text(b, before);
	bytes_add_text(b, escaped);
}

static void
add_param(struct bytes *b, char *separator, const char *name, const char *value)
{
	if (value == NULL)
		return;
	bytes_add(b, (struct span){ separator, 1 });
	*separator = '&';
	bytes_add_text(b, name);
	add_escaped(b, "=", value);
}

char *
path_make(const char *kind, const char *name, const char *org,
    const struct path_param *params)
{
	struct bytes b = { NULL, 0, 0 };
	char separator = '?';

	bytes_add_text(&b, "/api/v1/");
	bytes_add_text(&b, kind);
	if (name != NULL)
		add_escaped(&b, "/", name);
	add_param(&b, &separator, "org_id", org);
	for (; params != NULL && params->name != NULL; params++)
		add_param(&b, &separator, params->name, params->value);
	bytes_add(&b, (struct span){ "", 1 });
	return b.p;
}
