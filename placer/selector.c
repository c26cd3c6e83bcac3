/* SPDX-License-Identifier: ISC */
/*
 * selector.c: requirements on labels, read and tried.
 *
 * Owns the syntax of label selectors and what each operator means
 * (k8s.io/apimachinery labels.Parse and Requirement.Matches).  Never knows
 * whose labels they are.
 */
#include "placer/selector.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"

enum token {
	T_END,
	T_WORD,
	T_COMMA,
	T_OPEN,
	T_CLOSE,
	T_NOT,
	T_EQ,
	T_NE,
	T_GT,
	T_LT,
	T_BAD,
};

struct lexer {
	const char *at; /* after the token */
	enum token token;
	struct span word; /* of T_WORD */
};

static const struct symbol {
	const char *text;
	enum token token;
} symbols[] = {
	{ "==", T_EQ },
	{ "!=", T_NE },
	{ "=", T_EQ },
	{ "!", T_NOT },
	{ ",", T_COMMA },
	{ "(", T_OPEN },
	{ ")", T_CLOSE },
	{ ">", T_GT },
	{ "<", T_LT },
};

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.' ||
	    c == '/';
}

static void
next(struct lexer *x)
{
	const char *from;
	size_t i;

	while (*x->at == ' ' || *x->at == '\t')
		x->at++;
	for (from = x->at; is_word(*x->at);)
		x->at++;
	x->word = (struct span){ from, (size_t)(x->at - from) };
	if (x->word.len > 0) {
		x->token = T_WORD;
		return;
	}
	for (i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		if (strncmp(from, symbols[i].text, strlen(symbols[i].text)) ==
		    0) {
			x->at += strlen(symbols[i].text);
			x->token = symbols[i].token;
			return;
		}
	x->token = *from == '\0' ? T_END : T_BAD;
}

/* Takes the token if it is this one. */
static bool
taken(struct lexer *x, enum token token)
{
	if (x->token != token)
		return false;
	next(x);
	return true;
}

static int
bad(const struct lexer *x, const char *want, struct why *why)
{
	if (x->token == T_END)
		return fail(why, ERR_DENIED, "%s wanted at its end", want);
	if (x->token == T_WORD)
		return fail(why, ERR_DENIED, "%s wanted, not \"%.*s\"", want,
		    (int)x->word.len, x->word.p);
	return fail(why, ERR_DENIED, "%s wanted before \"%.20s\"", want, x->at);
}

/* "(a,b,)": how many values; it goes to their end. */
static size_t
count_values(struct lexer *x)
{
	size_t n = 1;

	while (x->token == T_WORD || x->token == T_COMMA) {
		n += x->token == T_COMMA;
		next(x);
	}
	return n;
}

static int
one_value(struct block *b, struct lexer *x, char **value, struct why *why)
{
	if (x->token == T_WORD && x->word.len > MAX_LABEL_VALUE)
		return fail(why, ERR_DENIED, "\"%.*s\": longer than %d bytes",
		    (int)x->word.len, x->word.p, MAX_LABEL_VALUE);
	*value = x->token == T_WORD ? block_strn(b, x->word.p, x->word.len) :
				      block_str(b, "");
	if (x->token == T_WORD)
		next(x);
	return 0;
}

static int
value_set(struct block *b, struct lexer *x, struct requirement *r,
    struct why *why)
{
	struct lexer end;
	size_t i;

	if (!taken(x, T_OPEN))
		return bad(x, "(", why);
	end = *x;
	r->nvalues = count_values(&end);
	if (end.token != T_CLOSE)
		return bad(&end, ")", why);
	r->values = block_get(b, r->nvalues, sizeof(char *));
	for (i = 0; i < r->nvalues; i++) {
		if (one_value(b, x, &r->values[i], why) == -1)
			return -1;
		if (!taken(x, i + 1 < r->nvalues ? T_COMMA : T_CLOSE))
			return bad(x, ", or )", why);
	}
	return 0;
}

static int
comparison(struct block *b, struct lexer *x, struct requirement *r,
    struct why *why)
{
	static const struct {
		enum token token;
		enum selector_op op;
	} ops[] = {
		{ T_EQ, SEL_IN },
		{ T_NE, SEL_NOT_IN },
		{ T_GT, SEL_GT },
		{ T_LT, SEL_LT },
	};
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (!taken(x, ops[i].token))
			continue;
		r->op = ops[i].op;
		r->nvalues = 1;
		r->values = block_get(b, 1, sizeof(char *));
		return one_value(b, x, &r->values[0], why);
	}
	if (x->token == T_WORD && span_is(x->word, "in"))
		r->op = SEL_IN;
	else if (x->token == T_WORD && span_is(x->word, "notin"))
		r->op = SEL_NOT_IN;
	else if (x->token == T_COMMA || x->token == T_END) {
		r->op = SEL_EXISTS;
		return 0;
	} else {
		return bad(x, "an operator", why);
	}
	next(x);
	return value_set(b, x, r, why);
}

static int
requirement(struct block *b, struct lexer *x, struct requirement *r,
    struct why *why)
{
	bool negated;

	negated = taken(x, T_NOT);
	if (x->token != T_WORD)
		return bad(x, "a label's key", why);
	if (x->word.len > MAX_LABEL_KEY)
		return fail(why, ERR_DENIED, "a key of %zu bytes, at most %d",
		    x->word.len, MAX_LABEL_KEY);
	r->key = block_strn(b, x->word.p, x->word.len);
	next(x);
	if (!negated)
		return comparison(b, x, r, why);
	r->op = SEL_NOT_EXISTS;
	return 0;
}

/* At least as many as there are: commas in value lists count too. */
static size_t
count_requirements(const char *text)
{
	struct lexer x = { .at = text };
	size_t n = 1, depth = 0;

	for (next(&x); x.token != T_END && x.token != T_BAD; next(&x)) {
		depth += x.token == T_OPEN;
		depth -= x.token == T_CLOSE && depth > 0;
		n += x.token == T_COMMA && depth == 0;
	}
	return n;
}

int
selector_parse(struct block *b, const char *text, struct term *t,
    struct why *why)
{
	struct lexer x = { .at = text };
	size_t i;

	next(&x);
	if (x.token == T_END)
		return 0;
	t->nreqs = count_requirements(text);
	t->reqs = block_get(b, t->nreqs, sizeof(*t->reqs));
	for (i = 0; i < t->nreqs; i++) {
		if (requirement(b, &x, &t->reqs[i], why) == -1)
			return -1;
		if (!taken(&x, i + 1 < t->nreqs ? T_COMMA : T_END))
			return bad(&x, ", or the end", why);
	}
	return 0;
}

int
selector_of_map(struct block *b, struct json_object *map, const char *at,
    struct term *t, struct why *why)
{
	struct lh_entry *e = NULL;
	struct json_object *v;
	struct requirement *r;
	const char *key;

	t->reqs = block_get(b, jread_members(map), sizeof(*t->reqs));
	while (jread_next(map, &e, &key, &v)) {
		if (jread_string(v) == NULL)
			return fail(why, ERR_FORMAT,
			    "%s[%.64s]: %s, not a string", at, key,
			    jread_type(v));
		r = &t->reqs[t->nreqs++];
		r->key = block_str(b, key);
		r->op = SEL_IN;
		r->nvalues = 1;
		r->values = block_get(b, 1, sizeof(char *));
		r->values[0] = block_str(b, jread_string(v));
	}
	return 0;
}

static const struct op_name {
	const char *name;
	enum selector_op op;
} op_names[] = {
	{ "In", SEL_IN },
	{ "NotIn", SEL_NOT_IN },
	{ "Exists", SEL_EXISTS },
	{ "DoesNotExist", SEL_NOT_EXISTS },
	{ "Gt", SEL_GT },
	{ "Lt", SEL_LT },
};

static int
expression(struct block *b, struct json_object *j, const char *at,
    struct requirement *r, struct why *why)
{
	struct {
		const char *key, *op;
		struct json_object *values;
	} raw = { 0 };
	static const struct jread_field fields[] = {
		JSTR(__typeof__(raw), key, "key", 512, REQUIRED),
		JSTR(__typeof__(raw), op, "operator", 32, REQUIRED),
		JARR(__typeof__(raw), values, "values", MAX_LIST, OPTIONAL),
	};
	const char *s;
	size_t i;

	if (jread_fields(j, at, fields, 3, &raw, why) == -1)
		return -1;
	for (i = 0; i < sizeof(op_names) / sizeof(op_names[0]); i++)
		if (strcmp(raw.op, op_names[i].name) == 0)
			break;
	if (i == sizeof(op_names) / sizeof(op_names[0]))
		return fail(why, ERR_FORMAT, "%s.operator: \"%s\" is unknown",
		    at, raw.op);
	r->op = op_names[i].op;
	r->key = block_str(b, raw.key);
	r->nvalues = jread_count(raw.values);
	r->values = block_get(b, r->nvalues, sizeof(char *));
	for (i = 0; i < r->nvalues; i++) {
		if ((s = jread_string(jread_item(raw.values, i))) == NULL)
			return fail(why, ERR_FORMAT,
			    "%s.values[%zu]: not a string", at, i);
		r->values[i] = block_str(b, s);
	}
	return 0;
}

int
selector_of_term(struct block *b, struct json_object *j, const char *at,
    struct term *t, struct why *why)
{
	struct {
		struct json_object *exprs, *members;
	} raw = { 0 };
	static const struct jread_field fields[] = {
		JARR(__typeof__(raw), exprs, "matchExpressions", MAX_LIST,
		    OPTIONAL),
		JARR(__typeof__(raw), members, "matchFields", MAX_LIST,
		    OPTIONAL),
	};
	struct requirement *r;
	size_t i, nexprs, n;

	if (jread_fields(j, at, fields, 2, &raw, why) == -1)
		return -1;
	nexprs = jread_count(raw.exprs);
	n = nexprs + jread_count(raw.members);
	t->nreqs = n > 0 ? n : 1;
	t->reqs = block_get(b, t->nreqs, sizeof(*t->reqs));
	if (n == 0) { /* in no value: never */
		t->reqs[0].key = block_str(b, "");
		t->reqs[0].op = SEL_IN;
	}
	for (i = 0; i < n; i++) {
		r = &t->reqs[i];
		r->field = i >= nexprs;
		if (expression(b,
			i < nexprs ? jread_item(raw.exprs, i) :
				     jread_item(raw.members, i - nexprs),
			at, r, why) == -1)
			return -1;
	}
	return 0;
}

static const char *
value_of(const struct requirement *r, const struct bearer *b)
{
	size_t i, k;

	if (r->field)
		return strcmp(r->key, "metadata.name") == 0 ? b->name : NULL;
	for (k = 0; k < 2; k++)
		for (i = 0; i < b->of[k].n; i++)
			if (strcmp(b->of[k].list[i].key, r->key) == 0)
				return b->of[k].list[i].value;
	return NULL;
}

static bool
listed(const struct requirement *r, const char *value)
{
	size_t i;

	for (i = 0; i < r->nvalues; i++)
		if (strcmp(r->values[i], value) == 0)
			return true;
	return false;
}

/* Both whole decimal numbers, else no comparison holds. */
static bool
numbers(const struct requirement *r, const char *value, long long *a,
    long long *b)
{
	char *end_a, *end_b;

	if (value == NULL || r->nvalues != 1 || *value == '\0' ||
	    r->values[0][0] == '\0')
		return false;
	errno = 0;
	*a = strtoll(value, &end_a, 10);
	*b = strtoll(r->values[0], &end_b, 10);
	return errno == 0 && *end_a == '\0' && *end_b == '\0';
}

static bool
holds(const struct requirement *r, const char *value)
{
	long long a, b;

	switch (r->op) {
	case SEL_IN:
		return value != NULL && listed(r, value);
	case SEL_NOT_IN:
		return value == NULL || !listed(r, value);
	case SEL_EXISTS:
		return value != NULL;
	case SEL_NOT_EXISTS:
		return value == NULL;
	case SEL_GT:
		return numbers(r, value, &a, &b) && a > b;
	case SEL_LT:
		return numbers(r, value, &a, &b) && a < b;
	}
	return false;
}

int
term_holds(const struct term *t, const struct bearer *b)
{
	size_t i;

	for (i = 0; i < t->nreqs; i++)
		if (!holds(&t->reqs[i], value_of(&t->reqs[i], b)))
			return 0;
	return 1;
}
