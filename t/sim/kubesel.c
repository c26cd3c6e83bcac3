/* SPDX-License-Identifier: ISC */
/*
 * kubesel.c: label and field selectors (pure).
 */

#include "t/sim/kubesel.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/why.h"
#include "common/xmem.h"

enum operator{
	OP_EQUALS,
	OP_DIFFERS,
	OP_IN,
	OP_NOT_IN,
	OP_EXISTS,
	OP_MISSING,
};

struct term {
	enum operator op;
	char *key;
	char **values;
	size_t n;
};

struct kselector {
	enum kid kid;
	char *ns, *name;
	struct term *labels, *fields;
	size_t nlabels, nfields;
};

static struct term *
add_term(struct term **terms, size_t *n, enum operator op, const char *key,
    size_t len)
{
	struct term *t;

	*terms = xreallocarray(*terms, *n + 1, sizeof(**terms));
	t = &(*terms)[(*n)++];
	while (len > 0 && (key[len - 1] == ' ' || key[len - 1] == '\t'))
		len--;
	*t = (struct term){ .op = op, .key = xstrndup(key, len) };
	return t;
}

static void
add_value(struct term *t, const char *value, size_t len)
{
	while (len > 0 && *value == ' ')
		value++, len--;
	while (len > 0 && value[len - 1] == ' ')
		len--;
	t->values = xreallocarray(t->values, t->n + 1, sizeof(*t->values));
	t->values[t->n++] = xstrndup(value, len);
}

/* "(a, b)"; where it ends, or NULL. */
static const char *
read_set(struct term *t, const char *p)
{
	size_t n;

	p += strspn(p, " ");
	if (*p++ != '(')
		return NULL;
	for (;;) {
		n = strcspn(p, ",)");
		if (p[n] == '\0')
			return NULL;
		add_value(t, p, n);
		p += n + 1;
		if (p[-1] == ')')
			return p + strspn(p, " ");
	}
}

static const char *
read_label_term(struct kselector *s, const char *p)
{
	struct term *t;
	size_t n;
	int not ;

	p += strspn(p, " ");
	if (*p == '!') {
		n = strcspn(p, ",");
		add_term(&s->labels, &s->nlabels, OP_MISSING, p + 1, n - 1);
		return p + n;
	}
	n = strcspn(p, "=!, ");
	if (n == 0)
		return NULL;
	not = p[n] == '!';
	if (p[n] == '=' || (not &&p[n + 1] == '=')) {
		t = add_term(&s->labels, &s->nlabels,
		    not ? OP_DIFFERS : OP_EQUALS, p, n);
		p += n + (p[n + 1] == '=' ? 2 : 1);
		n = strcspn(p, ",");
		add_value(t, p, n);
		return p + n;
	}
	if (strncmp(p + n, " in", 3) == 0) {
		t = add_term(&s->labels, &s->nlabels, OP_IN, p, n);
		return read_set(t, p + n + 3);
	}
	if (strncmp(p + n, " notin", 6) == 0) {
		t = add_term(&s->labels, &s->nlabels, OP_NOT_IN, p, n);
		return read_set(t, p + n + 6);
	}
	add_term(&s->labels, &s->nlabels, OP_EXISTS, p, n);
	p += n;
	return p + strspn(p, " ");
}

static int
read_labels(struct kselector *s, const char *text, struct why *why)
{
	const char *p = text;

	while (p != NULL && *p != '\0') {
		p = read_label_term(s, p);
		if (p == NULL || (*p != ',' && *p != '\0'))
			return fail(why, ERR_FORMAT,
			    "unable to parse requirement: found '%s', "
			    "expected: identifier",
			    p != NULL ? p : text);
		if (*p == ',')
			p++;
	}
	return 0;
}

static int
read_fields(struct kselector *s, const char *text, struct why *why)
{
	AUTO_FREE char *all = xstrdup(text);
	char *rest = all, *one, *eq;
	struct term *t;
	int differs;

	while ((one = strsep(&rest, ",")) != NULL) {
		if (*one == '\0')
			continue;
		if ((eq = strchr(one, '=')) == NULL)
			return fail(why, ERR_FORMAT,
			    "invalid selector: '%s'; can't understand '%s'",
			    text, one);
		differs = eq > one && eq[-1] == '!';
		t = add_term(&s->fields, &s->nfields,
		    differs ? OP_DIFFERS : OP_EQUALS, one,
		    (size_t)(eq - one) - (differs ? 1 : 0));
		eq += eq[1] == '=' ? 2 : 1;
		add_value(t, eq, strlen(eq));
		if (!kresource_has_field(s->kid, t->key))
			return fail(why, ERR_FORMAT,
			    "field label not supported: %s", t->key);
	}
	return 0;
}

struct kselector *
kselector_new(enum kid kid, const char *ns, const char *name,
    const char *labels, const char *fields, struct why *why)
{
	struct kselector *s = xcalloc(1, sizeof(*s));

	s->kid = kid;
	s->ns = xstrdup(ns);
	s->name = name != NULL ? xstrdup(name) : NULL;
	if ((labels != NULL && read_labels(s, labels, why) == -1) ||
	    (fields != NULL && read_fields(s, fields, why) == -1)) {
		kselector_free(s);
		return NULL;
	}
	return s;
}

static void
free_terms(struct term *terms, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < terms[i].n; k++)
			free(terms[i].values[k]);
		free(terms[i].values);
		free(terms[i].key);
	}
	free(terms);
}

void
kselector_free(struct kselector *s)
{
	if (s == NULL)
		return;
	free_terms(s->labels, s->nlabels);
	free_terms(s->fields, s->nfields);
	free(s->ns);
	free(s->name);
	free(s);
}

static int
has_value(const struct term *t, const char *value)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (strcmp(t->values[i], value) == 0)
			return 1;
	return 0;
}

/* value: NULL when the object has no such label. */
static int
holds(const struct term *t, const char *value)
{
	switch (t->op) {
	case OP_EQUALS:
	case OP_IN:
		return value != NULL && has_value(t, value);
	case OP_DIFFERS:
	case OP_NOT_IN:
		return value == NULL || !has_value(t, value);
	case OP_EXISTS:
		return value != NULL;
	case OP_MISSING:
		break;
	}
	return value == NULL;
}

static const char *
label(const struct kobj *o, const char *key)
{
	size_t i;

	for (i = 0; i < o->nlabels; i++)
		if (strcmp(o->labels[i].key, key) == 0)
			return o->labels[i].value;
	return NULL;
}

int
kselector_fits(const struct kselector *s, const struct kobj *o)
{
	size_t i;

	if ((s->ns[0] != '\0' && strcmp(s->ns, o->ns) != 0) ||
	    (s->name != NULL && strcmp(s->name, o->name) != 0))
		return 0;
	for (i = 0; i < s->nfields; i++)
		if (!holds(&s->fields[i], kobj_field(o, s->fields[i].key)))
			return 0;
	for (i = 0; i < s->nlabels; i++)
		if (!holds(&s->labels[i], label(o, s->labels[i].key)))
			return 0;
	return 1;
}

int
kselector_narrows(const struct kselector *s)
{
	return s->nlabels + s->nfields != 0;
}

const char *
kselector_namespace(const struct kselector *s)
{
	return s->ns;
}
