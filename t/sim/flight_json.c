/* SPDX-License-Identifier: ISC */
/*
 * flight_json.c: JSON as Go's encoder and PostgreSQL's jsonb make it.
 *
 * Owns the escapes, the order of members and the form of times.  Knows
 * nothing of devices, never does I/O.
 */
#include "t/sim/flight_json.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/xmem.h"

enum {
	OUT_MIN = 256
};

static void
reserve(struct out *o, size_t more)
{
	size_t size = o->size < OUT_MIN ? OUT_MIN : o->size;

	while (size < o->len + more + 1)
		size *= 2;
	if (size == o->size)
		return;
	o->p = xreallocarray(o->p, size, 1);
	o->size = size;
}

void
out_textn(struct out *o, const char *s, size_t n)
{
	reserve(o, n);
	memcpy(o->p + o->len, s, n);
	o->len += n;
	o->p[o->len] = '\0';
}

void
out_text(struct out *o, const char *s)
{
	out_textn(o, s, strlen(s));
}

void
out_printf(struct out *o, const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	out_text(o, s);
	free(s);
}

void
out_free(struct out *o)
{
	free(o->p);
	*o = (struct out){ 0 };
}

char *
out_take(struct out *o)
{
	char *p = o->p;

	*o = (struct out){ 0 };
	return p == NULL ? xstrdup("") : p;
}

static void
separate(struct out *o)
{
	if (o->comma)
		out_textn(o, ",", 1);
	o->comma = 1;
}

void
out_open(struct out *o, char bracket)
{
	separate(o);
	out_textn(o, &bracket, 1);
	o->comma = 0;
}

void
out_close(struct out *o, char bracket)
{
	out_textn(o, &bracket, 1);
	o->comma = 1;
}

/* What Go would not leave as it is; 0: leave n bytes. */
static size_t
escape(const unsigned char *s, size_t left, char buf[8])
{
	static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	size_t i;

	for (i = 0; i + 1 < sizeof(shorts); i += 2)
		if (*s == (unsigned char)shorts[i]) {
			buf[0] = '\\';
			buf[1] = shorts[i + 1];
			buf[2] = '\0';
			return 1;
		}
	if (*s < 0x20 || *s == '<' || *s == '>' || *s == '&') {
		snprintf(buf, 8, "\\u%04x", *s);
		return 1;
	}
	if (left >= 3 && s[0] == 0xe2 && s[1] == 0x80 &&
	    (s[2] & 0xfe) == 0xa8) {
		snprintf(buf, 8, "\\u20%02x", s[2] & 0x3f);
		return 3;
	}
	return 0;
}

static void
quote(struct out *o, const char *s, size_t n)
{
	char buf[8];
	size_t i = 0, from = 0, eaten;

	out_textn(o, "\"", 1);
	while (i < n) {
		eaten = escape((const unsigned char *)s + i, n - i, buf);
		if (eaten == 0) {
			i++;
			continue;
		}
		out_textn(o, s + from, i - from);
		out_text(o, buf);
		i += eaten;
		from = i;
	}
	out_textn(o, s + from, n - from);
	out_textn(o, "\"", 1);
}

void
out_key(struct out *o, const char *key)
{
	separate(o);
	quote(o, key, strlen(key));
	out_textn(o, ":", 1);
	o->comma = 0;
}

void
out_strn(struct out *o, const char *s, size_t n)
{
	separate(o);
	quote(o, s, n);
}

void
out_str(struct out *o, const char *s)
{
	out_strn(o, s, strlen(s));
}

void
out_int(struct out *o, int64_t v)
{
	separate(o);
	out_printf(o, "%" PRId64, v);
}

void
out_bool(struct out *o, int v)
{
	out_raw(o, v ? "true" : "false");
}

void
out_rawn(struct out *o, const char *json, size_t n)
{
	separate(o);
	out_textn(o, json, n);
}

void
out_raw(struct out *o, const char *json)
{
	out_rawn(o, json, strlen(json));
}

void
out_member(struct out *o, const char *key, const char *value)
{
	out_key(o, key);
	out_str(o, value);
}

/* --- jsonb --------------------------------------------------------------- */

struct member {
	const char *key;
	struct json_object *value;
};

static int
by_length(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	size_t nx = strlen(x->key), ny = strlen(y->key);

	if (nx != ny)
		return nx < ny ? -1 : 1;
	return strcmp(x->key, y->key);
}

static void
jsonb_object(struct out *o, struct json_object *v)
{
	struct json_object_iter it;
	struct member *m;
	size_t i, n = 0, len = (size_t)json_object_object_length(v);

	m = xcalloc(len, sizeof(*m));
	json_object_object_foreachC(v, it)
	{
		m[n].key = it.key;
		m[n++].value = it.val;
	}
	qsort(m, n, sizeof(*m), by_length);
	out_open(o, '{');
	for (i = 0; i < n; i++) {
		out_key(o, m[i].key);
		out_jsonb(o, m[i].value);
	}
	out_close(o, '}');
	free(m);
}

/*
 * A number as numeric prints it: no exponent, the digits it was given.
 */
static void
jsonb_number(struct out *o, const char *text)
{
	char digits[512];
	size_t n = 0, whole = 0, i;
	const char *p = text;
	long point;
	int minus = *p == '-', zero = 1, dotted = 0;

	for (p += minus; *p == '.' || (*p >= '0' && *p <= '9'); p++) {
		if (*p == '.') {
			dotted = 1;
			continue;
		}
		zero &= *p == '0';
		whole += !dotted;
		if (n < sizeof(digits))
			digits[n++] = *p;
	}
	point = (long)whole;
	if (*p == 'e' || *p == 'E')
		point += strtol(p + 1, NULL, 10);
	separate(o);
	if (minus && !zero)
		out_text(o, "-");
	if (point <= 0)
		out_text(o, "0");
	for (i = 0; (long)i < point; i++)
		out_textn(o, i < n ? digits + i : "0", 1);
	if ((long)n <= point)
		return;
	out_text(o, ".");
	for (; point < 0; point++)
		out_text(o, "0");
	out_textn(o, digits + point, n - (size_t)point);
}

void
out_jsonb(struct out *o, struct json_object *v)
{
	size_t i, n;

	switch (json_object_get_type(v)) {
	case json_type_object:
		jsonb_object(o, v);
		break;
	case json_type_array:
		out_open(o, '[');
		n = json_object_array_length(v);
		for (i = 0; i < n; i++)
			out_jsonb(o, json_object_array_get_idx(v, i));
		out_close(o, ']');
		break;
	case json_type_string:
		out_strn(o, json_object_get_string(v),
		    (size_t)json_object_get_string_len(v));
		break;
	case json_type_double:
		jsonb_number(o, json_object_to_json_string(v));
		break;
	case json_type_null:
	case json_type_boolean:
	case json_type_int:
		out_raw(o,
		    json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN));
		break;
	}
}
