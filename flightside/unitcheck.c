/* SPDX-License-Identifier: ISC */
/*
 * unitcheck.c: reads a Quadlet file as its parsers on the device do, and
 * looks each line up in the table.
 *
 * Owns what a line is; what a form means is forms.c's.  Where the parsers of
 * Flightctl, podman and systemd could differ (comments, blanks at an end, an
 * even number of backslashes at a line's end) the file is refused.
 */
#include "flightside/unitcheck.h"

#include <string.h>

#include "common/bytes.h"
#include "common/form.h"
#include "flightside/forms.h"

enum {
	LINE_MAX_BYTES = 2047,
};

enum kind {
	KIND_CONTAINER,
	KIND_POD,
	KIND_VOLUME,
};

static const struct {
	const char *prefix, *suffix;
} kinds[] = {
	[KIND_CONTAINER] = { "", ".container" },
	[KIND_POD] = { "pod_", ".pod" },
	[KIND_VOLUME] = { "vol_", ".volume" },
};

/* One file under examination. */
struct file {
	struct forms_file is;
	enum kind kind;
	char section[32];
};

static const struct row {
	enum kind kind;
	int words;
	int host; /* with ALLOW_PRIVILEGED=yes */
	const char *section, *key, *form;
} rows[] = {
#define LINE(k, section, key, form) { KIND_##k, 0, 0, section, key, form },
#define WORD(k, section, key, form) { KIND_##k, 1, 0, section, key, form },
#define HOSTLINE(k, section, key, form) { KIND_##k, 0, 1, section, key, form },
#define HOSTWORD(k, section, key, form) { KIND_##k, 1, 1, section, key, form },
#include "flightside/admit.def"
#include "flightside/exec.def"
#undef LINE
#undef WORD
#undef HOSTLINE
#undef HOSTWORD
};

static int
is_row(const struct row *row, const struct file *f, struct span key)
{
	return row->kind == f->kind && strcmp(row->section, f->section) == 0 &&
	    span_is(key, row->key);
}

static int
is_admitted(const struct file *f, struct span key, struct span value, int words)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].words == words &&
		    rows[i].host <= f->is.app->rules->host &&
		    is_row(&rows[i], f, key) &&
		    forms_match(&f->is, value, rows[i].form))
			return 1;
	return 0;
}

/* Every word, with one blank between, is admitted. */
static int
are_words_admitted(const struct file *f, struct span key, struct span value)
{
	struct span word;
	const char *blank;

	for (;;) {
		blank = memchr(value.p, ' ', value.len);
		word.p = value.p;
		word.len =
		    blank == NULL ? value.len : (size_t)(blank - value.p);
		if (!is_admitted(f, key, word, 1))
			return 0;
		if (blank == NULL)
			return 1;
		value.len -= word.len + 1;
		value.p = blank + 1;
	}
}

static int
has_section(const struct file *f, struct span name)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].kind == f->kind && span_is(name, rows[i].section))
			return 1;
	return 0;
}

/* One whole line, continued ones joined; NULL or what is wrong with it. */
static const char *
check_line(struct file *f, struct span line)
{
	const char *equals;
	struct span key, value;

	if (line.p[0] == '[') {
		if (line.len < 3 || line.len - 2 >= sizeof(f->section) ||
		    line.p[line.len - 1] != ']' ||
		    !has_section(f, (struct span){ line.p + 1, line.len - 2 }))
			return "this section is not allowed";
		memcpy(f->section, line.p + 1, line.len - 2);
		f->section[line.len - 2] = '\0';
		return NULL;
	}
	equals = memchr(line.p, '=', line.len);
	if (equals == NULL || equals == line.p)
		return "no key";
	key = (struct span){ line.p, (size_t)(equals - line.p) };
	value = (struct span){ equals + 1, line.len - key.len - 1 };
	if (value.len > 0 && value.p[value.len - 1] == ' ')
		return "a blank at its end";
	if (is_admitted(f, key, value, 0) || are_words_admitted(f, key, value))
		return NULL;
	if (span_is(key, "Image") || span_is(key, "Mount"))
		return "not of an allowed form, or not from IMAGE_REGISTRIES";
	return "not of an allowed form";
}

/* Backslashes at the end of a line. */
static size_t
trailing(struct span line)
{
	size_t n = 0;

	while (n < line.len && line.p[line.len - 1 - n] == '\\')
		n++;
	return n;
}

/* A line as it stands in the file; NULL or what is wrong with it. */
static const char *
check_bytes(struct span line, int continues)
{
	if (line.len > LINE_MAX_BYTES)
		return "over 2047 bytes";
	if (!form_is_printable(line))
		return "a control byte";
	if (trailing(line) > 0 && trailing(line) % 2 == 0)
		return "an even number of backslashes at its end";
	if (continues && (line.len == 0 || strchr(" #;[", line.p[0]) != NULL))
		return "a continued line that begins with a blank or a sign";
	return NULL;
}

/* The key of a line, for a text that shows no value. */
static int
refuse(const char *path, unsigned int number, struct span line,
    const char *what, struct why *why)
{
	const char *equals = memchr(line.p, '=', line.len);
	size_t len = equals == NULL ? 0 : (size_t)(equals - line.p) + 1;

	if (len > 40 || !form_is_printable((struct span){ line.p, len }))
		len = 0;
	return fail(why, ERR_DENIED, "%s line %u: %.*s%s%s", path, number,
	    (int)len, len > 0 ? line.p : "", len > 0 ? " " : "", what);
}

static int
check_lines(struct file *f, const char *path, struct span text, struct why *why)
{
	AUTO_BYTES struct bytes whole = { NULL, 0, 0 };
	const char *newline, *what;
	unsigned int number = 0;
	struct span line;

	while (text.len > 0) {
		number++;
		newline = memchr(text.p, '\n', text.len);
		line.p = text.p;
		line.len =
		    newline == NULL ? text.len : (size_t)(newline - text.p);
		text.len -= line.len + (newline != NULL);
		text.p += line.len + (newline != NULL);
		what = check_bytes(line, whole.len > 0);
		if (what == NULL && trailing(line) > 0) {
			bytes_add(&whole,
			    (struct span){ line.p, line.len - 1 });
			if (text.len > 0)
				continue;
			what = "nothing follows its backslash";
		}
		if (whole.len > 0 && what == NULL) {
			bytes_add(&whole, line);
			line = bytes_span(&whole);
		}
		if (what == NULL && line.len > 0)
			what = check_line(f, line);
		if (what != NULL)
			return refuse(path, number, line, what, why);
		whole.len = 0;
	}
	return 0;
}

int
unitcheck_file(const struct unit_app *app, const char *path,
    struct span content, struct why *why)
{
	struct file f = { .is.app = app };
	size_t len = strlen(path), before, after, i;

	for (i = sizeof(kinds) / sizeof(kinds[0]); i-- > 0;) {
		before = strlen(kinds[i].prefix);
		after = strlen(kinds[i].suffix);
		if (len < before + after || len > MAX_NAME ||
		    strncmp(path, kinds[i].prefix, before) != 0 ||
		    strcmp(path + len - after, kinds[i].suffix) != 0)
			continue;
		f.kind = (enum kind)i;
		memcpy(f.is.stem, path + before, len - before - after);
		if ((f.kind == KIND_POD) != (f.is.stem[0] == '\0') ||
		    (f.is.stem[0] != '\0' &&
			!forms_is_component(span_of(f.is.stem))))
			break;
		return check_lines(&f, path, content, why);
	}
	return fail(why, ERR_DENIED, "%.100s: not a name of ours", path);
}
