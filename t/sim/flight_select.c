/* SPDX-License-Identifier: ISC */
/*
 * flight_select.c: selectors of the list calls.
 *
 * Owns the grammar (that of Kubernetes' label selectors and two more
 * operators) and the texts of refusals.  Knows no object.
 */
#include "t/sim/flight_select.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_select_impl.h"

struct parser {
	enum flight_selector_kind kind;
	const char *at;
	const struct flight_field *fields;
	char *error;
};

#define NAME_RULE                                                            \
	"name part must consist of alphanumeric characters, '-', '_' or "    \
	"'.', and must start and end with an alphanumeric character (e.g. "  \
	"'MyName',  or 'my.name',  or '123-abc', regex used for validation " \
	"is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

static int
wrong(struct parser *p, char *text)
{
	if (p->error == NULL)
		p->error = text;
	else
		free(text);
	return -1;
}

static const char *
noun(const struct parser *p)
{
	return p->kind == FLIGHT_LABELS ? "label" : "field";
}

/* Syntax errors all begin alike. */
static int
syntax(struct parser *p, char *text)
{
	char *full = xasprintf("failed to parse %s selector: invalid %s "
			       "selector syntax: %s",
	    noun(p), noun(p), text);

	free(text);
	return wrong(p, full);
}

/* --- words --------------------------------------------------------------- */

static int
is_special(char c)
{
	return c != '\0' && strchr("=!(),<>", c) != NULL;
}

/* The next token, the caller's; "" at the end. */
static char *
token(struct parser *p)
{
	static const char *const doubles[] = { "==", "!=", ">=", "<=" };
	const char *s;
	size_t i;

	while (isspace((unsigned char)*p->at))
		p->at++;
	s = p->at;
	for (i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++)
		if (strncmp(s, doubles[i], 2) == 0) {
			p->at += 2;
			return xstrndup(s, 2);
		}
	if (is_special(*s)) {
		p->at++;
		return xstrndup(s, 1);
	}
	while (*p->at != '\0' && !is_special(*p->at) &&
	    !isspace((unsigned char)*p->at))
		p->at++;
	return xstrndup(s, (size_t)(p->at - s));
}

static char *
peek(struct parser *p)
{
	const char *at = p->at;
	char *t = token(p);

	p->at = at;
	return t;
}

static int
is_name(const char *s)
{
	size_t n = strlen(s), i;

	if (n == 0 || n > 63 || !isalnum((unsigned char)s[0]) ||
	    !isalnum((unsigned char)s[n - 1]))
		return 0;
	for (i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) &&
		    strchr("-_.", s[i]) == NULL)
			return 0;
	return 1;
}

static int
check_key(struct parser *p, const char *key)
{
	const char *slash = strchr(key, '/');
	const char *name = slash == NULL ? key : slash + 1;

	if (strlen(name) > 63)
		return syntax(p,
		    xasprintf("key: Invalid value: %s: name "
			      "part must be no more than 63 characters",
			key));
	if (p->kind == FLIGHT_LABELS && !is_name(name))
		return syntax(p,
		    xasprintf("key: Invalid value: \"%s\": " NAME_RULE, key));
	return 0;
}

static int
check_value(struct parser *p, const char *key, const char *value, size_t i)
{
	if (p->kind != FLIGHT_LABELS)
		return 0;
	if (strlen(value) > 63)
		return syntax(p,
		    xasprintf("values[%zu][%s]: Invalid value: "
			      "\"%s\": must be no more than 63 characters",
			i, key, value));
	return 0;
}

/* --- requirements -------------------------------------------------------- */

static const struct {
	const char *word;
	enum flight_op op;
} ops[] = {
	{ "=", EQ },
	{ "==", EQ },
	{ "!=", NE },
	{ "in", IN },
	{ "notin", NOTIN },
	{ "contains", CONTAINS },
	{ "notcontains", LACKS },
	{ ">", GT },
	{ ">=", GE },
	{ "<", LT },
	{ "<=", LE },
};

static int
op_of(const char *word, enum flight_op *op)
{
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strcmp(word, ops[i].word) == 0) {
			*op = ops[i].op;
			return 0;
		}
	return -1;
}

static int
add_value(struct parser *p, struct flight_requirement *r, char *value)
{
	r->values = xreallocarray(r->values, r->n + 1, sizeof(*r->values));
	r->values[r->n] = value;
	return check_value(p, r->key, value, r->n++);
}

/* "(a,b)" */
static int
values(struct parser *p, struct flight_requirement *r)
{
	char *t = token(p);
	int more = 1;

	if (strcmp(t, "(") != 0) {
		char *text = xasprintf("unable to parse requirement: found "
				       "'%s' expected: '('",
		    t);

		free(t);
		return syntax(p, text);
	}
	while (more) {
		free(t);
		t = token(p);
		if (t[0] == '\0' || is_special(t[0])) {
			free(t);
			return syntax(p,
			    xstrdup(
				"unable to parse requirement: "
				"found '', expected: ',', ')' or identifier"));
		}
		if (add_value(p, r, t) == -1)
			return -1;
		t = token(p);
		more = strcmp(t, ",") == 0;
	}
	if (strcmp(t, ")") != 0) {
		free(t);
		return syntax(p,
		    xstrdup("unable to parse requirement: found "
			    "'', expected: ',' or ')'"));
	}
	free(t);
	return 0;
}

static const char *const op_names[] = {
	[CONTAINS] = "contains",
	[LACKS] = "notcontains",
	[GT] = "gt",
	[GE] = "gte",
	[LT] = "lt",
	[LE] = "lte",
};

/* One value after an operator; none is the empty string. */
static int
one_value(struct parser *p, struct flight_requirement *r)
{
	char *t = peek(p), *text;
	int64_t us;

	if (is_special(t[0]) && t[0] != ',') {
		text = xasprintf("unable to parse requirement: found '%s', "
				 "expected: identifier",
		    t);
		free(t);
		return syntax(p, text);
	}
	free(t);
	t = *p->at == '\0' || *p->at == ',' ? xstrdup("") : token(p);
	if (r->op >= GT && p->kind == FLIGHT_FIELDS &&
	    flight_time_parse(t, &us) == -1) {
		text = xasprintf(
		    "unable to parse requirement: values[0]: "
		    "Invalid value: \"%s\": for 'Gt', 'Lt', 'Gte', and 'Lte' "
		    "operators, the value must be a number or a valid time in "
		    "RFC3339 format",
		    t);
		free(t);
		return syntax(p, text);
	}
	return add_value(p, r, t);
}

static int
operation(struct parser *p, struct flight_requirement *r)
{
	char *t = peek(p), *text;

	if (t[0] == '\0' || strcmp(t, ",") == 0) {
		free(t);
		r->op = EXISTS;
		return 0;
	}
	free(t);
	t = token(p);
	if (op_of(t, &r->op) == -1) {
		text = xasprintf(
		    "unable to parse requirement: found '%s', "
		    "expected: in, notin, =, ==, !=, contains, notcontains, "
		    "gt, gte, lt, lte",
		    t);
		free(t);
		return syntax(p, text);
	}
	free(t);
	if (r->op == IN || r->op == NOTIN)
		return values(p, r);
	if (one_value(p, r) == -1)
		return -1;
	if (p->kind == FLIGHT_LABELS && r->op >= CONTAINS)
		return wrong(p,
		    xasprintf("failed to parse label selector: "
			      "failed to resolve operation for key "
			      "\"%s\": unsupported "
			      "operator \"%s\" for label selector",
			r->key, op_names[r->op]));
	return 0;
}

static int
unknown_field(struct parser *p, const char *key)
{
	const struct flight_field *f;
	struct out list = { 0 };
	char *text;

	for (f = p->fields; f->name != NULL; f++)
		if (f->type != FLIGHT_PRIVATE)
			out_printf(&list, "%s%s", list.len > 0 ? " " : "",
			    f->name);
	text = xasprintf("unknown or unsupported selector: unable to resolve "
			 "selector name \"%s\". Supported selectors are: [%s]",
	    key, list.p);
	out_free(&list);
	return wrong(p, text);
}

static int
resolve(struct parser *p, struct flight_requirement *r)
{
	const struct flight_field *f;
	size_t n;

	if (p->kind == FLIGHT_LABELS)
		return 0;
	for (f = p->fields; f->name != NULL; f++) {
		n = strlen(f->name);
		if (f->type == FLIGHT_PRIVATE ?
			strncmp(r->key, f->name, n) != 0 :
			strcmp(r->key, f->name) != 0)
			continue;
		if (f->type == FLIGHT_PRIVATE)
			return wrong(p,
			    xasprintf(
				"failed to parse field "
				"selector: failed to parse selector "
				"\"%s\": field "
				"is marked as private and cannot be selected",
				r->key));
		r->type = f->type;
		if ((r->op == CONTAINS || r->op == LACKS) &&
		    strchr(r->values[0], '%') != NULL)
			return wrong(p,
			    xasprintf(
				"failed to parse field "
				"selector: failed to parse value for selector "
				"\"%s\": partial match strings cannot contain "
				"'%%' characters",
				r->key));
		return 0;
	}
	return unknown_field(p, r->key);
}

static int
requirement(struct parser *p, struct flight_requirement *r)
{
	char *t = token(p), *text;

	if (strcmp(t, "!") == 0) {
		free(t);
		r->op = ABSENT;
		t = token(p);
	}
	if (t[0] == '\0' || is_special(t[0])) {
		text =
		    xasprintf("found '%s', expected: identifier after ','", t);
		free(t);
		return syntax(p, text);
	}
	r->key = t;
	if (check_key(p, t) == -1)
		return -1;
	if (r->op != ABSENT && operation(p, r) == -1)
		return -1;
	return resolve(p, r);
}

static int
requirements(struct parser *p, struct flight_selector *s)
{
	char *t, *text;

	for (;;) {
		s->v = xreallocarray(s->v, s->n + 1, sizeof(*s->v));
		s->v[s->n] = (struct flight_requirement){ 0 };
		if (requirement(p, &s->v[s->n++]) == -1)
			return -1;
		t = token(p);
		if (t[0] == '\0') {
			free(t);
			return 0;
		}
		if (strcmp(t, ",") != 0) {
			text = xasprintf("found '%s', expected: ',' or 'end of "
					 "string'",
			    t);
			free(t);
			return syntax(p, text);
		}
		free(t);
	}
}

struct flight_selector *
flight_select(enum flight_selector_kind kind, const char *text,
    const struct flight_field *fields, char **error)
{
	struct parser p = { kind, text, fields, NULL };
	struct flight_selector *s = xcalloc(1, sizeof(*s));

	if (requirements(&p, s) == -1) {
		flight_selector_free(s);
		*error = p.error;
		return NULL;
	}
	return s;
}

void
flight_selector_free(struct flight_selector *s)
{
	size_t i, j;

	if (s == NULL)
		return;
	for (i = 0; i < s->n; i++) {
		for (j = 0; j < s->v[i].n; j++)
			free(s->v[i].values[j]);
		free(s->v[i].values);
		free(s->v[i].key);
	}
	free(s->v);
	free(s);
}
