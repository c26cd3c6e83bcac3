/* SPDX-License-Identifier: ISC */
/*
 * elements.c: the device policy over one element of ours.
 *
 * Owns the members that an application and a config entry may have, and where
 * files may lie on a device.  What stands in a Quadlet file is unitcheck.c's.
 */
#include "flightside/elements.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/form.h"
#include "common/limits.h"
#include "common/mark.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "flightside/forms.h"
#include "flightside/unitcheck.h"

#define STATE_DIR "/var/lib/vk-flightctl/"

enum {
	MAX_CONFIG = 2 * MAX_APPLICATION, /* base64 is longer */
	MAX_FILES = 256,		  /* of one element */
	MAX_MODE = 0777,
	MAX_ID = 999999999,
};

/* One member of an element or a file, and whether it may be there. */
struct member {
	const char *name;
	int needed;
	struct span value; /* len 0: absent */
};

/* Fills the members; any other, or one twice, is refused. */
static int
read_members(struct span object, struct member *m, size_t n, struct why *why)
{
	struct span key, value;
	size_t at = 0, i;
	int rc;

	while ((rc = scan_member(object, &at, &key, &value)) == 1) {
		for (i = 0; i < n; i++)
			if (scan_string_is(key, m[i].name))
				break;
		if (i == n)
			return fail(why, ERR_DENIED,
			    "member %.*s is not allowed",
			    (int)(key.len < 64 ? key.len : 64), key.p);
		if (m[i].value.len > 0)
			return fail(why, ERR_DENIED, "member %s is there twice",
			    m[i].name);
		m[i].value = value;
	}
	if (rc == -1)
		return fail(why, ERR_DENIED, "no object");
	for (i = 0; i < n; i++)
		if (m[i].needed && m[i].value.len == 0)
			return fail(why, ERR_DENIED, "no member %s", m[i].name);
	return 0;
}

/* A JSON string unescaped; caller frees; NULL: it is none. */
static char *
text_of(struct span value, size_t *len)
{
	AUTO_FREE char *text = xmalloc(value.len + 1);
	ssize_t n = scan_unescape(value, text, value.len + 1);

	if (n == -1)
		return NULL;
	*len = (size_t)n;
	return steal(&text);
}

/* -- applications -- */

enum {
	FILE_PATH,
	FILE_CONTENT,
	FILE_ENCODING,
	FILE_MODE,
	FILE_USER,
	FILE_GROUP,
	FILE_MEMBERS,
	FILE_OF_APP = FILE_ENCODING + 1,
};

static const struct member file_members[] = {
	{ "path", 1, { NULL, 0 } },
	{ "content", 1, { NULL, 0 } },
	{ "contentEncoding", 0, { NULL, 0 } },
	{ "mode", 0, { NULL, 0 } },
	{ "user", 0, { NULL, 0 } },
	{ "group", 0, { NULL, 0 } },
};

struct paths {
	char *list[MAX_FILES + 1];
	size_t n;
};

static void
paths_free(struct paths *p)
{
	while (p->n > 0)
		free(p->list[--p->n]);
}

/* The refusal of one file; its path is told when it can be. */
static int
fail_file(struct why *why, size_t index, const char *path, const char *what)
{
	if (path == NULL || !form_is_printable(span_of(path)))
		return fail(why, ERR_DENIED, "inline[%zu]: %s", index, what);
	return fail(why, ERR_DENIED, "inline[%zu] %.100s: %s", index, path,
	    what);
}

static int
has_path(const struct paths *p, const char *path)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (strcmp(p->list[i], path) == 0)
			return 1;
	return 0;
}

/* All paths first: a file may name another that comes later. */
static int
read_paths(struct span files, struct paths *p, struct why *why)
{
	struct span file, value;
	const char *what;
	size_t at = 0, len;
	char *path;
	int rc;

	while ((rc = scan_next(files, &at, &file)) == 1) {
		if (p->n == MAX_FILES)
			return fail(why, ERR_LIMIT, "inline: over %d files",
			    MAX_FILES);
		if (scan_get(file, &value, "path", NULL) != 1 ||
		    (path = text_of(value, &len)) == NULL)
			return fail_file(why, p->n, NULL, "no path");
		what = has_path(p, path) ? "is there twice" :
		    !form_is_printable(span_of(path)) ?
					   "path has a control byte" :
					   NULL;
		p->list[p->n++] = path;
		if (what != NULL)
			return fail_file(why, p->n - 1, path, what);
	}
	return rc == 0 ? 0 : fail(why, ERR_DENIED, "inline: no array");
}

static int
check_unit(const struct unit_app *app, size_t index, struct span file,
    size_t *total, struct why *why)
{
	const char *path = app->files[index];
	struct member m[FILE_OF_APP];
	AUTO_FREE char *content = NULL;
	struct why inner;
	size_t len;

	memcpy(m, file_members, sizeof(m));
	if (read_members(file, m, FILE_OF_APP, &inner) == -1)
		return fail_file(why, index, path, inner.text);
	if (m[FILE_ENCODING].value.len > 0 &&
	    !scan_string_is(m[FILE_ENCODING].value, "plain"))
		return fail_file(why, index, path,
		    "contentEncoding is not plain");
	if ((content = text_of(m[FILE_CONTENT].value, &len)) == NULL)
		return fail_file(why, index, path, "content is no text");
	if ((*total += len + strlen(path)) > MAX_APPLICATION)
		return fail(why, ERR_LIMIT,
		    "inline[%zu] %.100s: with it the application is over %d "
		    "bytes",
		    index, path, MAX_APPLICATION);
	if (unitcheck_file(app, path, (struct span){ content, len }, &inner) ==
	    -1)
		return fail(why, inner.kind, "inline[%zu] %s", index,
		    inner.text);
	return 0;
}

static int
check_units(const struct unit_app *app, struct span files, struct why *why)
{
	struct span file;
	size_t at = 0, i, total = 0;

	for (i = 0; app->files[i] != NULL; i++)
		if (scan_next(files, &at, &file) != 1 ||
		    check_unit(app, i, file, &total, why) == -1)
			return -1;
	return 0;
}

int
elements_application(const struct admit_rules *rules, const char *name,
    struct span element, struct why *why)
{
	struct member m[] = { { "name", 1, { NULL, 0 } },
		{ "appType", 1, { NULL, 0 } }, { "inline", 1, { NULL, 0 } } };
	struct paths paths = { .n = 0 };
	int rc;

	if (read_members(element, m, 3, why) == -1)
		return -1;
	if (!scan_string_is(m[1].value, "quadlet"))
		return fail(why, ERR_DENIED, "appType is not quadlet");
	if ((rc = read_paths(m[2].value, &paths, why)) == 0) {
		paths.list[paths.n] = NULL;
		rc = check_units(&(struct unit_app){ .rules = rules,
				     .name = name,
				     .files = (const char *const *)paths.list },
		    m[2].value, why);
	}
	paths_free(&paths);
	return rc;
}

/* -- config -- */

/* <application>/<volume>/<path>, below our directory; nothing climbs. */
static const char *
check_path(const char *name, const char *path)
{
	const char *dot = strchr(name, '.'), *rest, *end;
	size_t app = (size_t)(dot - name), n;

	if (strncmp(path, STATE_DIR, strlen(STATE_DIR)) != 0)
		return "path is not below " STATE_DIR;
	rest = path + strlen(STATE_DIR);
	n = strlen(dot + 1);
	if (strncmp(rest, name, app) != 0 || rest[app] != '/' ||
	    strncmp(rest + app + 1, dot + 1, n) != 0 ||
	    rest[app + 1 + n] != '/')
		return "path is not of its own application and volume";
	for (rest += app + 1 + n + 1;; rest = end + 1) {
		end = strchrnul(rest, '/');
		if (end == rest || strncmp(rest, "..", 2) == 0 ||
		    (end - rest == 1 && *rest == '.'))
			return "path is not clean";
		for (n = 0; rest + n < end; n++)
			if ((unsigned char)rest[n] < 0x20 || rest[n] == 0x7f ||
			    strchr("\\\"'", rest[n]) != NULL)
				return "path has a quote, a backslash or a "
				       "control byte";
		if (*end == '\0')
			return NULL;
	}
}

/* 1: absent, or a decimal number up to most; as text too when quoted. */
static int
is_number(struct span value, unsigned long most, int quoted)
{
	unsigned long n = 0;
	size_t i;

	if (value.len == 0)
		return 1;
	if (quoted && value.len > 2 && *value.p == '"') {
		value.p++;
		value.len -= 2;
	}
	if (value.len > 9 || (value.len > 1 && *value.p == '0'))
		return 0;
	for (i = 0; i < value.len; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return 0;
		n = n * 10 + (unsigned long)(value.p[i] - '0');
	}
	return n <= most;
}

static int
is_base64(const char *s)
{
	size_t n = strspn(s,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/");

	return s[n + strspn(s + n, "=")] == '\0' && strlen(s) - n <= 2;
}

static const char *
check_file_values(const struct member *m, const char *content)
{
	struct span encoding = m[FILE_ENCODING].value;

	if (encoding.len > 0 && !scan_string_is(encoding, "plain") &&
	    !(scan_string_is(encoding, "base64") && is_base64(content)))
		return "contentEncoding is neither plain nor base64";
	if (!is_number(m[FILE_MODE].value, MAX_MODE, 0))
		return "mode is no number up to 0777";
	if (!is_number(m[FILE_USER].value, MAX_ID, 1) ||
	    !is_number(m[FILE_GROUP].value, MAX_ID, 1))
		return "user or group is no number";
	return NULL;
}

static int
check_config_file(const char *name, size_t index, struct span file,
    size_t *total, struct why *why)
{
	struct member m[FILE_MEMBERS];
	AUTO_FREE char *path = NULL, *content = NULL;
	const char *what;
	struct why inner;
	size_t n, len;

	memcpy(m, file_members, sizeof(m));
	if (read_members(file, m, FILE_MEMBERS, &inner) == -1)
		return fail_file(why, index, NULL, inner.text);
	if ((path = text_of(m[FILE_PATH].value, &n)) == NULL)
		return fail_file(why, index, NULL, "path is no text");
	if ((content = text_of(m[FILE_CONTENT].value, &len)) == NULL)
		return fail_file(why, index, path, "content is no text");
	if ((*total += n + len) > MAX_CONFIG)
		return fail(why, ERR_LIMIT,
		    "inline[%zu]: with it the entry is over %d bytes", index,
		    MAX_CONFIG);
	if ((what = check_path(name, path)) != NULL ||
	    (what = check_file_values(m, content)) != NULL)
		return fail_file(why, index, path, what);
	return 0;
}

int
elements_config(const struct admit_rules *rules, const char *name,
    struct span element, struct why *why)
{
	struct member m[] = { { "name", 1, { NULL, 0 } },
		{ "inline", 1, { NULL, 0 } } };
	const char *dot = strchr(name, '.');
	struct span file;
	size_t at = 0, total = 0, i;
	int rc;

	(void)rules;
	if (dot == NULL || !forms_is_component(span_of(dot + 1)))
		return fail(why, ERR_DENIED,
		    "not named after an application and a volume");
	if (read_members(element, m, 2, why) == -1)
		return -1;
	for (i = 0; (rc = scan_next(m[1].value, &at, &file)) == 1; i++)
		if (check_config_file(name, i, file, &total, why) == -1)
			return -1;
	return rc == 0 ? 0 : fail(why, ERR_DENIED, "inline: no array");
}
