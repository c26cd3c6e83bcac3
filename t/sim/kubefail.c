/* SPDX-License-Identifier: ISC */
/*
 * kubefail.c: the server's error bodies (pure).
 *
 * Owns their words and the order of their members, which clients match on.
 */

#include "t/sim/kubefail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/sim/kubetype.h"

int
kfail(struct kfail *f, int code, const char *reason,
    struct json_object *details, const char *fmt, ...)
{
	va_list ap;

	kfail_clear(f);
	f->code = code;
	f->reason = reason;
	f->details = details;
	va_start(ap, fmt);
	f->message = xvasprintf(fmt, ap);
	va_end(ap);
	return -1;
}

void
kfail_clear(struct kfail *f)
{
	free(f->message);
	free(f->go_on);
	json_object_put(f->details);
	*f = (struct kfail){ .code = 0 };
}

static void
add_string(struct json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, json_object_new_string(value));
}

struct json_object *
kfail_status(const struct kfail *f)
{
	struct json_object *o = json_object_new_object();
	struct json_object *meta = json_object_new_object();

	add_string(o, "kind", "Status");
	add_string(o, "apiVersion", "v1");
	if (f->go_on != NULL)
		add_string(meta, "continue", f->go_on);
	json_object_object_add(o, "metadata", meta);
	add_string(o, "status", "Failure");
	add_string(o, "message", f->message);
	if (f->reason != NULL)
		add_string(o, "reason", f->reason);
	if (f->details != NULL)
		json_object_object_add(o, "details",
		    json_object_get(f->details));
	json_object_object_add(o, "code", json_object_new_int(f->code));
	return o;
}

struct json_object *
kdetails(const char *name, const char *group, const char *kind)
{
	struct json_object *o = json_object_new_object();

	if (name != NULL && name[0] != '\0')
		add_string(o, "name", name);
	if (group != NULL && group[0] != '\0')
		add_string(o, "group", group);
	if (kind != NULL && kind[0] != '\0')
		add_string(o, "kind", kind);
	return o;
}

void
kdetails_cause(struct json_object *details, const char *reason,
    const char *message, const char *field)
{
	struct json_object *causes, *cause = json_object_new_object();

	if (!json_object_object_get_ex(details, "causes", &causes)) {
		causes = json_object_new_array();
		json_object_object_add(details, "causes", causes);
	}
	add_string(cause, "reason", reason);
	add_string(cause, "message", message);
	if (field != NULL)
		add_string(cause, "field", field);
	json_object_array_add(causes, cause);
}

int
kfail_not_found(struct kfail *f, enum kid kid, const char *name)
{
	const struct kresource *r = kresource(kid);

	return kfail(f, 404, "NotFound", kdetails(name, r->group, r->plural),
	    "%s \"%s\" not found", r->qualified, name);
}

int
kfail_stale(struct kfail *f, enum kid kid, const char *name)
{
	const struct kresource *r = kresource(kid);

	return kfail(f, 409, "Conflict", kdetails(name, r->group, r->plural),
	    "Operation cannot be fulfilled on %s \"%s\": the object has been "
	    "modified; please apply your changes to the latest version and "
	    "try again",
	    r->qualified, name);
}

int
kfail_bad(struct kfail *f, const char *fmt, ...)
{
	AUTO_FREE char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	return kfail(f, 400, "BadRequest", NULL, "%s", text);
}

int
kfail_patch(struct kfail *f, const char *object, const char *text)
{
	struct json_object *details = json_object_new_object();
	struct ktext t = { NULL, 0, 0 };

	ktext_puts(&t, "Invalid value: ");
	ktext_quote(&t, object, strlen(object));
	ktext_printf(&t, ": %s", text);
	kdetails_cause(details, "FieldValueInvalid", t.s, "patch");
	kfail(f, 422, "Invalid", details, " \"\" is invalid: patch: %s", t.s);
	ktext_free(&t);
	return -1;
}

/* --- problems --- */

static const char *const problem_reasons[] = {
	[PROBLEM_INVALID] = "FieldValueInvalid",
	[PROBLEM_REQUIRED] = "FieldValueRequired",
	[PROBLEM_FORBIDDEN] = "FieldValueForbidden",
	[PROBLEM_UNSUPPORTED] = "FieldValueNotSupported",
};

static const char *const problem_words[] = {
	[PROBLEM_INVALID] = "Invalid value",
	[PROBLEM_REQUIRED] = "Required value",
	[PROBLEM_FORBIDDEN] = "Forbidden",
	[PROBLEM_UNSUPPORTED] = "Unsupported value",
};

void
kproblem(struct kproblems *ps, enum kproblem_kind kind, const char *field,
    const char *value, const char *detail)
{
	struct kproblem *p;

	ps->v = xreallocarray(ps->v, ps->n + 1, sizeof(*ps->v));
	p = &ps->v[ps->n++];
	p->field = xstrdup(field);
	p->kind = kind;
	p->text = xasprintf("%s%s%s%s%s", problem_words[kind],
	    value != NULL ? ": " : "", value != NULL ? value : "",
	    detail != NULL ? ": " : "", detail != NULL ? detail : "");
}

void
kproblem_string(struct kproblems *ps, const char *field, const char *value,
    const char *detail)
{
	struct ktext t = { NULL, 0, 0 };

	ktext_quote(&t, value, strlen(value));
	kproblem(ps, PROBLEM_INVALID, field, t.s, detail);
	ktext_free(&t);
}

void
kproblems_clear(struct kproblems *ps)
{
	size_t i;

	for (i = 0; i < ps->n; i++) {
		free(ps->v[i].field);
		free(ps->v[i].text);
	}
	free(ps->v);
	*ps = (struct kproblems){ NULL, 0 };
}

int
kproblems_fail(struct kproblems *ps, enum kid kid, const char *name,
    struct kfail *f)
{
	const struct kresource *r = kresource(kid);
	struct json_object *details;
	struct ktext t = { NULL, 0, 0 };
	size_t i;

	if (ps->n == 0)
		return 0;
	details = kdetails(name, r->group, r->kind);
	ktext_puts(&t, ps->n > 1 ? "[" : "");
	for (i = 0; i < ps->n; i++) {
		ktext_printf(&t, "%s%s: %s", i != 0 ? ", " : "", ps->v[i].field,
		    ps->v[i].text);
		kdetails_cause(details, problem_reasons[ps->v[i].kind],
		    ps->v[i].text, ps->v[i].field);
	}
	ktext_puts(&t, ps->n > 1 ? "]" : "");
	kfail(f, 422, "Invalid", details, "%s%s%s \"%s\" is invalid: %s",
	    r->kind, r->group[0] != '\0' ? "." : "", r->group, name, t.s);
	ktext_free(&t);
	kproblems_clear(ps);
	return -1;
}
