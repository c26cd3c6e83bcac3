/* SPDX-License-Identifier: ISC */
/*
 * flight_schema.c: the validator in front of the handlers.
 *
 * Owns the objects of flight_schema.def and the order in which errors are
 * found: members as they sort, then what is missing.  Applications are a
 * union of their own.
 */
#include "t/sim/flight_schema.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/flight_http.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_union.h"
#include "t/sim/web.h"

enum kind {
	STR,
	INT,
	OBJ,
	LIST,
	WORDS,
	MAP,
	ENUM,
	ANY,
	VALUE
};

struct member {
	const char *name;
	enum kind kind;
	int required;
	const void *more; /* words of an ENUM, object of OBJ and LIST */
};

struct object {
	const char *name;
	int closed;
	const struct member *members;
};

static const struct object Application = { "Application", 0, NULL };
static const struct object ConfigEntry = { "ConfigEntry", 0, NULL };
static const struct object AnyObject = { "Object", 0, NULL };

#define M(name, kind, required, more) { #name, kind, required, more },
#define OBJECT(name, closed, ...)                                          \
	static const struct member name##_members[] = { __VA_ARGS__{ NULL, \
	    ANY, 0, NULL } };                                              \
	static const struct object name = { #name, closed, name##_members };
#include "t/sim/flight_schema.def"
#undef OBJECT
#undef M

struct where {
	struct out path;
	char *error; /* complete; set once */
	int whole;   /* error needs no "doesn't match schema" */
};

static char *check_object(struct where *, const struct object *,
    struct json_object *);

/* "Error at "/a/b": text", or the text alone at the top. */
static char *
at(const struct where *w, const char *text)
{
	if (w->path.len == 0)
		return xstrdup(text);
	return xasprintf("Error at \"%s\": %s", w->path.p, text);
}

static char *
not_allowed(const struct where *w, const char *words)
{
	struct out o = { 0 };
	const char *p = words;
	char *text, *full;
	size_t n;

	out_open(&o, '[');
	for (; *p != '\0'; p += n + (p[n] == ' ')) {
		n = strcspn(p, " ");
		if (n == 2 && p[0] == '\'')
			out_str(&o, "");
		else
			out_strn(&o, p, n);
	}
	out_close(&o, ']');
	text = xasprintf("value is not one of the allowed values %s", o.p);
	full = at(w, text);
	free(text);
	out_free(&o);
	return full;
}

static int
is_word(const char *words, const char *s)
{
	size_t n, len = strlen(s);

	for (; *words != '\0'; words += n + (words[n] == ' ')) {
		n = strcspn(words, " ");
		if (n == len && memcmp(words, s, n) == 0)
			return 1;
		if (len == 0 && n == 2 && words[0] == '\'')
			return 1;
	}
	return 0;
}

static size_t
descend(struct where *w, const char *key)
{
	size_t len = w->path.len;

	out_printf(&w->path, "/%s", key);
	return len;
}

static void
ascend(struct where *w, size_t len)
{
	w->path.len = len;
	if (w->path.p != NULL)
		w->path.p[len] = '\0';
}

static char *
check_map(struct where *w, struct json_object *v)
{
	struct json_object_iter it;
	char *error = NULL;
	size_t len;

	json_object_object_foreachC(v, it)
	{
		if (error != NULL ||
		    json_object_is_type(it.val, json_type_string))
			continue;
		len = descend(w, it.key);
		error = at(w, "value must be a string");
		ascend(w, len);
	}
	return error;
}

static char *
check_list(struct where *w, const struct object *o, struct json_object *v)
{
	char index[24], *error = NULL;
	size_t i, n = json_object_array_length(v), len;

	for (i = 0; i < n && error == NULL; i++) {
		snprintf(index, sizeof(index), "%zu", i);
		len = descend(w, index);
		if (o == NULL) {
			if (!json_object_is_type(json_object_array_get_idx(v,
						     i),
				json_type_string))
				error = at(w, "value must be a string");
		} else {
			error =
			    check_object(w, o, json_object_array_get_idx(v, i));
		}
		ascend(w, len);
	}
	return error;
}

static char *
check_value(struct where *w, const struct member *m, struct json_object *v)
{
	if (v == NULL)
		return m->kind == ANY ? NULL : at(w, "Value is not nullable");
	switch (m->kind) {
	case ANY:
	case VALUE:
		return NULL;
	case STR:
	case ENUM:
		if (!json_object_is_type(v, json_type_string))
			return at(w, "value must be a string");
		if (m->kind == ENUM &&
		    !is_word(m->more, json_object_get_string(v)))
			return not_allowed(w, m->more);
		return NULL;
	case INT:
		if (!json_object_is_type(v, json_type_int))
			return at(w, "value must be an integer");
		return NULL;
	case OBJ:
		return check_object(w, m->more, v);
	case MAP:
		if (!json_object_is_type(v, json_type_object))
			return at(w, "value must be an object");
		return check_map(w, v);
	case LIST:
	case WORDS:
		if (!json_object_is_type(v, json_type_array))
			return at(w, "value must be an array");
		return check_list(w, m->more, v);
	}
	return NULL;
}

static const struct member *
member_of(const struct object *o, const char *key)
{
	const struct member *m;

	for (m = o->members; m->name != NULL; m++)
		if (strcmp(m->name, key) == 0)
			return m;
	return NULL;
}

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static char *
check_key(struct where *w, const struct object *o, struct json_object *v,
    const char *key)
{
	const struct member *m = member_of(o, key);
	struct json_object *value;
	char *text, *error;
	size_t len;

	if (m == NULL) {
		if (!o->closed)
			return NULL;
		text = xasprintf("property \"%s\" is unsupported", key);
		error = at(w, text);
		free(text);
		return error;
	}
	json_object_object_get_ex(v, key, &value);
	len = descend(w, key);
	error = check_value(w, m, value);
	ascend(w, len);
	return error;
}

static char *
check_missing(struct where *w, const struct object *o, struct json_object *v)
{
	const struct member *m;
	char *text, *error;
	size_t len;

	for (m = o->members; m->name != NULL; m++) {
		if (!m->required || json_object_object_get_ex(v, m->name, NULL))
			continue;
		len = descend(w, m->name);
		text = xasprintf("property \"%s\" is missing", m->name);
		error = at(w, text);
		free(text);
		ascend(w, len);
		return error;
	}
	return NULL;
}

static char *
check_members(struct where *w, const struct object *o, struct json_object *v)
{
	struct json_object_iter it;
	const char **keys;
	char *error = NULL;
	size_t i, n = 0;

	keys = xcalloc((size_t)json_object_object_length(v), sizeof(*keys));
	json_object_object_foreachC(v, it)
	{
		keys[n++] = it.key;
	}
	qsort(keys, n, sizeof(*keys), by_bytes);
	for (i = 0; i < n && error == NULL; i++)
		error = check_key(w, o, v, keys[i]);
	free(keys);
	return error != NULL ? error : check_missing(w, o, v);
}

static char *
check_object(struct where *w, const struct object *o, struct json_object *v)
{
	if (o == &Application)
		return flight_union_check(v, w->path.p, &w->whole);
	if (v == NULL)
		return at(w, "Value is not nullable");
	if (!json_object_is_type(v, json_type_object))
		return at(w, "value must be an object");
	if (o == &ConfigEntry)
		return flight_union_config(v, w->path.p, &w->whole);
	return o->members == NULL ? NULL : check_members(w, o, v);
}

/* --- whole bodies -------------------------------------------------------- */

static const struct {
	const char *name; /* as errors call it */
	const struct object *object;
	int list;
} schemas[] = {
	[FLIGHT_SCHEMA_DEVICE] = { "Device", &Device, 0 },
	[FLIGHT_SCHEMA_AGENT_DEVICE] = { "core_v1beta1_openapi_Device", &Device,
	    0 },
	[FLIGHT_SCHEMA_PATCH] = { "PatchRequest", &Operation, 1 },
	[FLIGHT_SCHEMA_DECOMMISSION] = { "DeviceDecommission",
	    &DeviceDecommission, 0 },
	[FLIGHT_SCHEMA_ENROLMENT] = { "EnrollmentRequest", &EnrollmentRequest,
	    0 },
	[FLIGHT_SCHEMA_APPROVAL] = { "EnrollmentRequestApproval",
	    &EnrollmentRequestApproval, 0 },
	[FLIGHT_SCHEMA_RESUME] = { "DeviceResumeRequest", &DeviceResumeRequest,
	    0 },
	[FLIGHT_SCHEMA_SIGNING] = { "CertificateSigningRequest",
	    &CertificateSigningRequest, 0 },
	[FLIGHT_SCHEMA_FLEET] = { "Fleet", &Fleet, 0 },
};

char *
flight_schema_check(enum flight_schema which, struct json_object *v)
{
	struct where w = { 0 };
	char *error, *full;

	if (!schemas[which].list)
		error = check_object(&w, schemas[which].object, v);
	else if (v == NULL)
		error = xstrdup("Value is not nullable");
	else if (!json_object_is_type(v, json_type_array))
		error = xstrdup("value must be an array");
	else
		error = check_list(&w, schemas[which].object, v);
	out_free(&w.path);
	if (error == NULL || w.whole)
		return error;
	full = xasprintf("API Error: request body has an error: doesn't match "
			 "schema #/components/schemas/%s: %s",
	    schemas[which].name, error);
	free(error);
	return full;
}

#define IN_BODY "API Error: request body has an error: "

static int
has_type(struct web_req *req, const char *type)
{
	const char *h = web_header(req, "Content-Type");
	size_t n = strlen(type);

	return h != NULL && strncmp(h, type, n) == 0 &&
	    (h[n] == '\0' || h[n] == ';');
}

/* Go's words for what is no JSON. */
static void
refuse_text(struct web_req *req, const char *body)
{
	const char *p = body + strspn(body, " \t\r\n");

	if (*p == '{' || *p == '[' || *p == '"' || *p == '\0')
		flight_refuse(req, 400,
		    IN_BODY "failed to decode request body: unexpected EOF");
	else if (*p < 0x20)
		flight_refusef(req, 400,
		    IN_BODY
		    "failed to decode request "
		    "body: invalid character '\\x%02x' looking for beginning "
		    "of value",
		    (unsigned char)*p);
	else
		flight_refusef(req, 400,
		    IN_BODY
		    "failed to decode request "
		    "body: invalid character '%c' looking for beginning of "
		    "value",
		    *p);
}

struct json_object *
flight_body(struct web_req *req, enum flight_schema which)
{
	const char *type = web_header(req, "Content-Type"), *body;
	struct json_object *v = NULL;
	char *error;
	size_t len;

	body = web_body(req, &len);
	if (web_too_large(req)) {
		flight_refuse(req, 400,
		    IN_BODY "reading failed: http: request body too large");
	} else if (len == 0) {
		flight_refuse(req, 400,
		    IN_BODY "value is required but "
			    "missing");
	} else if (!has_type(req,
		       which == FLIGHT_SCHEMA_PATCH ?
			   "application/json-patch+json" :
			   "application/json")) {
		flight_refusef(req, 400,
		    IN_BODY "header Content-Type has "
			    "unexpected value \"%s\"",
		    type == NULL ? "" : type);
	} else if ((v = flight_parse((struct span){ body, len })) == NULL &&
	    strncmp(body, "null", 4) != 0) {
		refuse_text(req, body);
	} else if ((error = flight_schema_check(which, v)) != NULL) {
		flight_refuse(req, 400, error);
		free(error);
		json_object_put(v);
		v = NULL;
	} else {
		return v;
	}
	return NULL;
}
