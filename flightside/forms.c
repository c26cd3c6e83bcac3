/* SPDX-License-Identifier: ISC */
/*
 * forms.c: matches values with the forms of admit.def.
 *
 * Owns what each %-sign stands for.  Every one takes as much as it can and
 * never goes back, so a form matches in one way or not at all.
 */
#include "flightside/forms.h"

#include <ctype.h>
#include <string.h>

#include "common/form.h"
#include "common/mark.h"

#define STATE_DIR "/var/lib/vk-flightctl/"

/* What is left of a value; every taker moves it on or says no. */
struct rest {
	const char *p, *end;
};

static int
take_text(struct rest *r, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(r->end - r->p) < len || memcmp(r->p, text, len) != 0)
		return 0;
	r->p += len;
	return 1;
}

/* One or more bytes of a set. */
static int
take_set(struct rest *r, const char *more)
{
	const char *from = r->p;

	while (r->p < r->end && *r->p != '\0' &&
	    (isalnum((unsigned char)*r->p) || strchr(more, *r->p) != NULL))
		r->p++;
	return r->p > from;
}

static int
take_number(struct rest *r)
{
	const char *from = r->p;

	while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
		r->p++;
	return r->p > from && r->p - from < 20;
}

static int
take_plain(struct rest *r)
{
	if (r->p < r->end && (*r->p == '.' || *r->p == '-'))
		return 0;
	return take_set(r, "._:-");
}

/* As take_plain, for what a colon ends. */
static int
take_component(struct rest *r)
{
	if (r->p < r->end && (*r->p == '.' || *r->p == '-'))
		return 0;
	return take_set(r, "._-");
}

/* "10.0.0.1" or "[::1]"; what is no address podman refuses. */
static int
take_address(struct rest *r)
{
	static const char v4_bytes[] = "0123456789.",
			  v6_bytes[] = "0123456789abcdefABCDEF.:";
	int v6 = take_text(r, "[");
	const char *from = r->p;

	while (r->p < r->end && *r->p != '\0' &&
	    strchr(v6 ? v6_bytes : v4_bytes, *r->p) != NULL)
		r->p++;
	return r->p > from && (!v6 || take_text(r, "]"));
}

static int
take_end_mark(struct rest *r, const struct forms_file *f)
{
	struct rest with;

	if (!take_text(r, STATE_DIR) || !take_text(r, f->app->name) ||
	    !take_text(r, "/") || !take_text(r, f->stem))
		return 0;
	with = *r;
	if (take_text(&with, ".") && take_number(&with))
		*r = with;
	return take_text(r, ".done");
}

static int
in_registries(const char *list, struct span image)
{
	struct span words = span_of(list), word;

	while (form_next_word(&words, &word))
		if (word.len > 0 && image.len > word.len &&
		    memcmp(image.p, word.p, word.len) == 0 &&
		    strchr("/:@", image.p[word.len]) != NULL)
			return 1;
	return 0;
}

/* host/path[:tag][@digest]; the host has a dot or a port, or is localhost. */
static int
take_image(struct rest *r, const struct forms_file *f)
{
	const char *from = r->p, *slash;
	struct span host;

	if (!take_set(r, "._:/@-"))
		return 0;
	slash = memchr(from, '/', (size_t)(r->p - from));
	if (slash == NULL || slash == from)
		return 0;
	host = (struct span){ from, (size_t)(slash - from) };
	if (!span_is(host, "localhost") &&
	    memchr(host.p, '.', host.len) == NULL &&
	    memchr(host.p, ':', host.len) == NULL)
		return 0;
	if (*from == '-' || *from == '.')
		return 0;
	return *f->app->rules->registries == '\0' ||
	    in_registries(f->app->rules->registries,
		(struct span){ from, (size_t)(r->p - from) });
}

static int
take_volume(struct rest *r, const struct forms_file *f)
{
	const char *from = r->p;
	struct span name;
	size_t i;

	if (!take_set(r, "._-"))
		return 0;
	name = (struct span){ from, (size_t)(r->p - from) };
	for (i = 0; f->app->files[i] != NULL; i++)
		if (span_is(name, f->app->files[i]) &&
		    strncmp(f->app->files[i], "vol_", 4) == 0)
			return 1;
	return 0;
}

/* One byte of text; % and $ come in pairs. */
static int
take_byte(struct rest *r, const char * not )
{
	unsigned char c = (unsigned char)*r->p;

	if (c < 0x20 || c == 0x7f || strchr(not, c) != NULL)
		return 0;
	if (c != '%' && c != '$') {
		r->p++;
		return 1;
	}
	if (r->end - r->p < 2 || r->p[1] != r->p[0])
		return 0;
	r->p += 2;
	return 1;
}

static int
take_bytes(struct rest *r, const char * not )
{
	const char *from = r->p;

	while (r->p < r->end && take_byte(r, not ))
		;
	return r->p > from;
}

static int
take_escape(struct rest *r)
{
	r->p++;
	if (r->p == r->end)
		return 0;
	if (*r->p == 'x') {
		if (r->end - r->p < 3 || !isxdigit((unsigned char)r->p[1]) ||
		    !isxdigit((unsigned char)r->p[2]))
			return 0;
		r->p += 3;
		return 1;
	}
	if (strchr("nt\"\\", *r->p) == NULL || *r->p == '\0')
		return 0;
	r->p++;
	return 1;
}

/* A word in double quotes, as systemd reads it. */
static int
take_quoted(struct rest *r)
{
	r->p++;
	while (r->p < r->end && *r->p != '"')
		if (*r->p == '\\' ? !take_escape(r) : !take_byte(r, "\"\\"))
			return 0;
	return take_text(r, "\"");
}

static int
take_word(struct rest *r)
{
	if (r->p < r->end && *r->p == '"')
		return take_quoted(r);
	return take_set(r, "_./:=@,+-");
}

/* NAME= at the beginning, inside the quotes if there are any. */
static int
names_variable(const char *from, const char *end)
{
	struct rest r = { from, end };

	(void)take_text(&r, "\"");
	return take_set(&r, "_.-") && take_text(&r, "=");
}

/* To the end of the value: words with one blank between. */
static int
take_words(struct rest *r, int variables)
{
	const char *from;

	do {
		from = r->p;
		if (!take_word(r) || (variables && !names_variable(from, r->p)))
			return 0;
	} while (take_text(r, " "));
	return 1;
}

/* What the agent makes of the name: see placer/quadlet.c. */
static int
take_id(struct rest *r, const struct forms_file *f)
{
	char id[MAX_APP + 8];

	mark_id(f->app->name, id);
	return take_text(r, id);
}

static int
take_one(struct rest *r, char what, const struct forms_file *f)
{
	switch (what) {
	case 'A':
		return take_text(r, f->app->name);
	case 'C':
		return take_text(r, f->app->rules->cluster);
	case 'D':
		return take_text(r, STATE_DIR) && take_text(r, f->app->name);
	case 'I':
		return take_id(r, f);
	case 'S':
		return take_text(r, f->stem);
	case 'F':
		return take_end_mark(r, f);
	case 'N':
		return take_number(r);
	case 'P':
		return take_plain(r);
	case 'Q':
		return take_component(r);
	case 'a':
		return take_address(r);
	case 'G':
		return take_image(r, f);
	case 'V':
		return take_volume(r, f);
	case 'M':
		return r->p < r->end && *r->p == '/' && take_bytes(r, "\"'\\:");
	case 'T':
		return take_bytes(r, "\"'\\");
	case 'W':
		return take_words(r, 0);
	case 'E':
		return take_words(r, 1);
	case 'B':
		return take_set(r, "_./:@+-");
	case '%':
		return take_text(r, "%");
	default:
		return 0;
	}
}

/* Is all of the value of that form? */
int
forms_match(const struct forms_file *f, struct span value, const char *form)
{
	struct rest r = { value.p, value.p + value.len };

	for (; *form != '\0'; form++) {
		if (*form == '%') {
			if (!take_one(&r, *++form, f))
				return 0;
			continue;
		}
		if (r.p == r.end || *r.p++ != *form)
			return 0;
	}
	return r.p == r.end;
}

int
forms_is_component(struct span s)
{
	struct rest r = { s.p, s.p + s.len };

	return take_component(&r) && r.p == r.end;
}
