/* SPDX-License-Identifier: ISC */
/*
 * ask.c: a request's kind, by method and path.
 *
 * Owns the matching of paths; requests.def has the rows.
 */
#include "kubeside/ask.h"

#include <stdint.h>
#include <string.h>

enum {
	METHOD_GET = 1 << HTTPS_GET,
	METHOD_PUT = 1 << HTTPS_PUT,
	METHOD_PATCH = 1 << HTTPS_PATCH,
	METHOD_DELETE = 1 << HTTPS_DELETE,
	METHOD_WATCH = 1 << (HTTPS_DELETE + 1),
	METHOD_ANY = -1,
};

static const struct {
	enum proc proc;
	int methods;
	const char *path;
} rows[REQUEST_COUNT] = {
#define REQUEST(name, proc, label, method, path) \
	{ PROC_##proc, METHOD_##method, path },
#include "common/requests.def"
#undef REQUEST
};

/* The path begins with the pattern's segments. */
static int
matches(const char *pattern, const char *path)
{
	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '*') {
			if (*pattern != *path++)
				return 0;
			continue;
		}
		if (strcspn(path, "/?") == 0)
			return 0;
		path += strcspn(path, "/?");
	}
	return *path == '\0' || *path == '/' || *path == '?';
}

enum request
ask_kind(enum https_method method, const char *path)
{
	int bit = strstr(path, "&watch=1") != NULL ? METHOD_WATCH : 1 << method;
	enum request i;

	for (i = 0; i < REQUEST_COUNT; i++)
		if (rows[i].proc == PROC_KUBESIDE &&
		    (rows[i].methods & bit) != 0 &&
		    (rows[i].path[0] == '\0' || matches(rows[i].path, path)))
			return i;
	return REQUEST_KUBE_OTHER;
}
