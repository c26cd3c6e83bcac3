/* SPDX-License-Identifier: ISC */
/*
 * kubeenc.c: the one way from a JSON tree to the text of an object (pure).
 *
 * Owns what "decoding" means: types of members, unknown ones, canonical
 * values, what is dropped.  Knows no rule beyond a member's type; those are
 * in the kuberule files.
 */

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/why.h"
#include "common/xmem.h"
#include "t/sim/kubequant.h"
#include "t/sim/kubetype.h"

void
kwarn_clear(struct kwarn *warn)
{
	size_t i;

	for (i = 0; i < warn->n; i++)
		free(warn->text[i]);
	free(warn->text);
	*warn = (struct kwarn){ NULL, 0 };
}

enum {
	PATH_DEPTH = 32,
};

struct step {
	const char *name; /* NULL: an index */
	size_t index;
};

struct encoder {
	struct ktext *out;
	struct kwarn *warn;
	struct why *why;
	const struct ktype *type; /* innermost */
	struct step path[PATH_DEPTH];
	size_t depth;
};

static int encode_object(struct encoder *, const struct ktype *,
    struct json_object *);

static int
push(struct encoder *e, const char *name, size_t index)
{
	if (e->depth == PATH_DEPTH)
		return fail(e->why, ERR_LIMIT, "exceeded max depth");
	e->path[e->depth++] = (struct step){ name, index };
	return 0;
}

/* "spec.containers[0].name"; without indexes in decoding errors. */
static void
path_text(const struct encoder *e, int indexes, struct ktext *t)
{
	size_t i;

	for (i = 0; i < e->depth; i++) {
		if (e->path[i].name == NULL) {
			if (indexes)
				ktext_printf(t, "[%zu]", e->path[i].index);
			continue;
		}
		ktext_puts(t, t->len != 0 ? "." : "");
		ktext_puts(t, e->path[i].name);
	}
}

static const char *
go_kind(struct json_object *v)
{
	switch (json_object_get_type(v)) {
	case json_type_boolean:
		return "bool";
	case json_type_double:
	case json_type_int:
		return "number";
	case json_type_object:
		return "object";
	case json_type_array:
		return "array";
	case json_type_string:
	case json_type_null:
		break;
	}
	return "string";
}

static int
wrong_type(struct encoder *e, struct json_object *v, const char *go)
{
	struct ktext t = { NULL, 0, 0 };

	path_text(e, 0, &t);
	fail(e->why, ERR_FORMAT,
	    "json: cannot unmarshal %s into Go struct field %s.%s of type %s",
	    go_kind(v), e->type->name, t.s, go);
	ktext_free(&t);
	return -1;
}

static void
note_unknown(struct encoder *e, const struct ktype *type, struct json_object *o)
{
	struct ktext t = { NULL, 0, 0 };
	struct json_object_iter i;

	json_object_object_foreachC(o, i)
	{
		if (ktype_field(type, i.key) != NULL)
			continue;
		t.len = 0;
		path_text(e, 1, &t);
		e->warn->text = xreallocarray(e->warn->text, e->warn->n + 1,
		    sizeof(e->warn->text[0]));
		e->warn->text[e->warn->n++] =
		    xasprintf("unknown field \"%s%s%s\"", t.len != 0 ? t.s : "",
			t.len != 0 ? "." : "", i.key);
	}
	ktext_free(&t);
}

static int
encode_string(struct encoder *e, struct json_object *v, const char *go)
{
	if (!json_object_is_type(v, json_type_string))
		return wrong_type(e, v, go);
	ktext_quote(e->out, json_object_get_string(v),
	    (size_t)json_object_get_string_len(v));
	return 0;
}

static int
encode_number(struct encoder *e, struct json_object *v, const struct kfield *f)
{
	int64_t n = json_object_get_int64(v);

	if (!json_object_is_type(v, json_type_int) ||
	    (f->kind == K_INT && (n > INT32_MAX || n < INT32_MIN)))
		return wrong_type(e, v, f->go);
	ktext_printf(e->out, "%lld", (long long)n);
	return 0;
}

static int
encode_time(struct encoder *e, struct json_object *v, const struct kfield *f)
{
	char buf[64];
	int r;

	if (!json_object_is_type(v, json_type_string))
		return wrong_type(e, v, f->go);
	r = f->kind == K_TIME ?
	    ktime_seconds(json_object_get_string(v), buf, sizeof(buf), e->why) :
	    ktime_micros(json_object_get_string(v), buf, sizeof(buf), e->why);
	if (r == -1)
		return -1;
	ktext_quote(e->out, buf, strlen(buf));
	return 0;
}

static int
encode_quantity(struct encoder *e, struct json_object *v)
{
	struct kquant q;
	char buf[64];

	/* Numbers are taken as their text. */
	if (!json_object_is_type(v, json_type_string) &&
	    !json_object_is_type(v, json_type_int) &&
	    !json_object_is_type(v, json_type_double))
		return wrong_type(e, v, "resource.Quantity");
	if (kquant_parse(json_object_get_string(v), &q) == -1)
		return fail(e->why, ERR_FORMAT,
		    "quantities must match the regular expression "
		    "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
	kquant_format(&q, buf, sizeof(buf));
	ktext_quote(e->out, buf, strlen(buf));
	return 0;
}

static int
by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
encode_map(struct encoder *e, struct json_object *v, const struct kfield *f)
{
	struct json_object_iter it;
	const char **keys;
	size_t n = 0, i;
	struct json_object *one;
	int r = 0;

	if (!json_object_is_type(v, json_type_object))
		return wrong_type(e, v, f->go);
	keys = xcalloc((size_t)json_object_object_length(v) + 1, sizeof(*keys));
	json_object_object_foreachC(v, it) keys[n++] = it.key;
	qsort(keys, n, sizeof(*keys), by_key);
	ktext_add(e->out, "{", 1);
	for (i = 0; i < n && r == 0; i++) {
		ktext_puts(e->out, i != 0 ? "," : "");
		ktext_quote(e->out, keys[i], strlen(keys[i]));
		ktext_add(e->out, ":", 1);
		one = json_object_object_get(v, keys[i]);
		if (f->kind == K_MAP_QUANTITY)
			r = encode_quantity(e, one);
		else if (one == NULL)
			ktext_puts(e->out,
			    f->kind == K_MAP_BYTES ? "null" : "\"\"");
		else
			r = encode_string(e, one, "string");
	}
	ktext_add(e->out, "}", 1);
	free(keys);
	return r;
}

static int
encode_list(struct encoder *e, struct json_object *v, const struct kfield *f)
{
	size_t i, n;
	int r = 0;

	if (!json_object_is_type(v, json_type_array))
		return wrong_type(e, v, f->go);
	n = json_object_array_length(v);
	ktext_add(e->out, "[", 1);
	for (i = 0; i < n && r == 0; i++) {
		ktext_puts(e->out, i != 0 ? "," : "");
		if (push(e, NULL, i) == -1)
			return -1;
		if (f->kind == K_LIST)
			r = encode_object(e, f->type,
			    json_object_array_get_idx(v, i));
		else
			r = encode_string(e, json_object_array_get_idx(v, i),
			    "string");
		e->depth--;
	}
	ktext_add(e->out, "]", 1);
	return r;
}

static int
encode_value(struct encoder *e, const struct kfield *f, struct json_object *v)
{
	size_t len;
	const char *text;

	switch (f->kind) {
	case K_STRING:
		return encode_string(e, v, f->go);
	case K_INT:
	case K_LONG:
		return encode_number(e, v, f);
	case K_BOOL:
		if (!json_object_is_type(v, json_type_boolean))
			return wrong_type(e, v, f->go);
		ktext_puts(e->out,
		    json_object_get_boolean(v) ? "true" : "false");
		return 0;
	case K_TIME:
	case K_MICROTIME:
		return encode_time(e, v, f);
	case K_QUANTITY:
		return encode_quantity(e, v);
	case K_INT_OR_STRING:
		return json_object_is_type(v, json_type_int) ?
		    encode_number(e, v, f) :
		    encode_string(e, v, f->go);
	case K_MAP_STRING:
	case K_MAP_BYTES:
	case K_MAP_QUANTITY:
		return encode_map(e, v, f);
	case K_OBJECT:
		return encode_object(e, f->type, v);
	case K_LIST:
	case K_STRINGS:
	case K_STRINGS_SET:
		return encode_list(e, v, f);
	case K_ANY:
	case K_DROP:
		break;
	}
	text = json_object_to_json_string_length(v,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	ktext_add(e->out, text, len);
	return 0;
}

/* A missing member that is always written. */
static int
encode_zero(struct encoder *e, const struct kfield *f)
{
	switch (f->kind) {
	case K_STRING:
		ktext_puts(e->out, "\"\"");
		break;
	case K_INT:
	case K_LONG:
	case K_INT_OR_STRING:
		ktext_puts(e->out, "0");
		break;
	case K_BOOL:
		ktext_puts(e->out, "false");
		break;
	case K_QUANTITY:
		ktext_puts(e->out, "\"0\"");
		break;
	case K_OBJECT:
		return encode_object(e, f->type, NULL);
	case K_TIME:
	case K_MICROTIME:
	case K_MAP_STRING:
	case K_MAP_BYTES:
	case K_MAP_QUANTITY:
	case K_LIST:
	case K_STRINGS:
	case K_STRINGS_SET:
	case K_ANY:
	case K_DROP:
		ktext_puts(e->out, "null");
		break;
	}
	return 0;
}

/* Go's omitempty: what KEEP_SET drops. */
static int
is_zero(const struct kfield *f, struct json_object *v)
{
	if (v == NULL)
		return 1;
	if (f->keep != KEEP_SET)
		return 0;
	switch (json_object_get_type(v)) {
	case json_type_string:
		return json_object_get_string_len(v) == 0;
	case json_type_int:
		return json_object_get_int64(v) == 0;
	case json_type_boolean:
		return !json_object_get_boolean(v);
	case json_type_array:
		return json_object_array_length(v) == 0;
	case json_type_object:
		return json_object_object_length(v) == 0;
	case json_type_double:
	case json_type_null:
		break;
	}
	return 0;
}

static int
encode_member(struct encoder *e, const struct kfield *f, struct json_object *v,
    int *first)
{
	int r;

	if (f->kind == K_DROP || (is_zero(f, v) && f->keep != KEEP_ALWAYS))
		return 0;
	ktext_puts(e->out, *first ? "\"" : ",\"");
	*first = 0;
	ktext_puts(e->out, f->name);
	ktext_puts(e->out, "\":");
	if (push(e, f->name, 0) == -1)
		return -1;
	r = v == NULL ? encode_zero(e, f) : encode_value(e, f, v);
	e->depth--;
	return r;
}

static int
encode_object(struct encoder *e, const struct ktype *type,
    struct json_object *o)
{
	const struct ktype *outer = e->type;
	struct json_object *v;
	int known = 0, first = 1;
	size_t i;

	if (o != NULL && !json_object_is_type(o, json_type_object)) {
		struct ktext go = { NULL, 0, 0 };

		ktext_printf(&go, "v1.%s", type->name);
		wrong_type(e, o, go.s);
		ktext_free(&go);
		return -1;
	}
	e->type = type;
	ktext_add(e->out, "{", 1);
	for (i = 0; i < type->n; i++) {
		v = NULL;
		if (o != NULL &&
		    json_object_object_get_ex(o, type->fields[i].name, &v))
			known++;
		if (encode_member(e, &type->fields[i], v, &first) == -1)
			return -1;
	}
	ktext_add(e->out, "}", 1);
	if (o != NULL && known != json_object_object_length(o))
		note_unknown(e, type, o);
	e->type = outer;
	return 0;
}

int
ktype_encode(const struct ktype *type, struct json_object *o, struct ktext *out,
    struct kwarn *warn, struct why *why)
{
	struct encoder e = { .out = out,
		.warn = warn,
		.why = why,
		.type = type };

	return encode_object(&e, type, o);
}
