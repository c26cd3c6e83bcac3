/* SPDX-License-Identifier: ISC */
/*
 * What must hold of JSON read and made: bounds before parsing, errors by
 * path, what is made is what is read back, byte for byte the same each time.
 */
#include "common/jread.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/limits.h"
#include "common/xmem.h"

struct got {
	const char *s;
	int64_t n;
	uint8_t b;
	struct json_object *o, *a;
};

static const struct jread_field fields[] = {
	JSTR(struct got, s, "a.b.s", 4, REQUIRED),
	JINT(struct got, n, "a.n", 100, OPTIONAL),
	JBOOL(struct got, b, "b", OPTIONAL),
	JOBJ(struct got, o, "a.b", OPTIONAL),
	JARR(struct got, a, "list", 2, OPTIONAL),
};

static int
read_into(const char *text, struct got *g, struct why *why)
{
	struct json_object *j = jread_parse(span_of(text), why);
	int r;

	memset(g, 0, sizeof(*g));
	if (j == NULL)
		return -1;
	r = jread_fields(j, "root", fields, 5, g, why);
	g->s = g->s == NULL ? NULL : xstrdup(g->s);
	json_object_put(j);
	return r;
}

Test(jread, members_by_their_path)
{
	struct got g;
	struct why why;

	cr_assert_eq(read_into("{\"a\":{\"b\":{\"s\":\"x\\u00e9\"},\"n\":7},"
			       "\"b\":true,\"list\":[1,2],\"more\":null}",
			 &g, &why),
	    0, "%s", why.text);
	cr_assert_str_eq(g.s, "xé");
	cr_assert_eq(g.n, 7);
	cr_assert_eq(g.b, 1);
	cr_assert_not_null(g.o);
	cr_assert_not_null(g.a);
}

struct wrong {
	const char *text, *says;
	enum why_kind kind;
};

static const struct wrong wrongs[] = {
	{ "{}", "root.a.b.s: not there", ERR_FORMAT },
	{ "{\"a\":null}", "root.a.b.s: not there", ERR_FORMAT },
	{ "{\"a\":{\"b\":{\"s\":null}}}", "root.a.b.s: not there", ERR_FORMAT },
	{ "{\"a\":[]}", "root.a: an array, not an object", ERR_FORMAT },
	{ "{\"a\":{\"b\":\"x\"}}", "root.a.b: a string, not an object",
	    ERR_FORMAT },
	{ "{\"a\":{\"b\":{\"s\":1}}}", "root.a.b.s: a number, not a string",
	    ERR_FORMAT },
	{ "{\"a\":{\"b\":{\"s\":\"a\\u0000b\"}}}", "root.a.b.s: a string",
	    ERR_FORMAT },
	{ "{\"a\":{\"b\":{\"s\":\"abcde\"}}}", "root.a.b.s: over 4",
	    ERR_LIMIT },
	{ "{\"a\":{\"b\":{\"s\":\"x\"},\"n\":101}}", "root.a.n: over 100",
	    ERR_LIMIT },
	{ "{\"a\":{\"b\":{\"s\":\"x\"},\"n\":-1}}", "root.a.n: a number, not",
	    ERR_FORMAT },
	{ "{\"a\":{\"b\":{\"s\":\"x\"},\"n\":1.5}}", "root.a.n: a fraction",
	    ERR_FORMAT },
	{ "{\"a\":{\"b\":{\"s\":\"x\"}},\"b\":0}", "root.b: a number",
	    ERR_FORMAT },
	{ "{\"a\":{\"b\":{\"s\":\"x\"}},\"list\":[1,2,3]}", "root.list: over 2",
	    ERR_LIMIT },
	{ "7", "root: a number, not an object", ERR_FORMAT },
};

/* json-c takes a NUL for the end (found by t/fuzz/jread.c). */
Test(jread, nothing_follows_a_nul)
{
	struct why why = { 0 };

	cr_assert_null(jread_parse((struct span){ "81\0x", 4 }, &why));
	cr_assert_eq(why.kind, ERR_FORMAT);
	cr_assert_null(jread_parse((struct span){ "\"a\\\0\"", 5 }, &why));
	cr_assert_str_eq(why.text, "JSON: no such value near byte 3");
}

Test(jread, wrong_types_are_told_by_path)
{
	struct got g;
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		cr_expect_eq(read_into(wrongs[i].text, &g, &why), -1, "%s",
		    wrongs[i].text);
		cr_expect_eq(why.kind, wrongs[i].kind, "%s", why.text);
		cr_expect_eq(strncmp(why.text, wrongs[i].says,
				 strlen(wrongs[i].says)),
		    0, "%s, not %s", why.text, wrongs[i].says);
	}
}

static struct json_object *
parse(const char *text, struct why *why)
{
	return jread_parse(span_of(text), why);
}

Test(jread, exactly_one_value)
{
	static const char *const bad[] = { "", " ", "nul", "null", "{", "[1",
		"{}{}", "[1,]", "{\"a\":1,}", "{'a':1}", "{a:1}", "\"a", "01",
		"[1] x", "/* */ 1", "\"\xff\"", "NaN", "\"a\001\"", "\"a\nb\"",
		"[\001 1]" };
	static const char *const good[] = { "1", "-5", "\"\"", "[]", "{}",
		" [1, 2]", "true", "1.5e3" };
	struct json_object *j;
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		j = parse(bad[i], &why);
		cr_expect_null(j, "%s", bad[i]);
		cr_expect_eq(why.kind, ERR_FORMAT);
		json_object_put(j);
	}
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		j = parse(good[i], &why);
		cr_expect_not_null(j, "%s: %s", good[i], why.text);
		json_object_put(j);
	}
}

/* Answers of both servers end in a newline. */
Test(jread, blanks_may_follow)
{
	struct why why;
	struct json_object *j = parse("{\"a\":1}\n \t\r\n", &why);

	cr_assert_not_null(j, "%s", why.text);
	json_object_put(j);
}

static char *
repeat(const char *start, const char *what, size_t n, const char *end)
{
	size_t len = strlen(what), at = strlen(start);
	char *text = xcalloc(1, at + n * len + strlen(end) + 1);

	memcpy(text, start, at);
	for (; n > 0; n--, at += len)
		memcpy(text + at, what, len);
	memcpy(text + at, end, strlen(end));
	return text;
}

static void
too_much(const char *start, const char *what, size_t n, const char *end)
{
	AUTO_FREE char *text = repeat(start, what, n, end);
	struct why why;

	cr_expect_null(parse(text, &why));
	cr_expect_neq(why.kind, ERR_NONE, "%s", why.text);
}

Test(jread, bounds)
{
	AUTO_FREE char *commas = repeat("[\"", ",[{\\\"", 200000, "\"]");
	struct json_object *j;
	struct why why;

	too_much("", "[", 100000, "");
	too_much("", "{\"a\":", 100000, "");
	too_much("[0", ",0", MAX_JSON_NODES, "]");
	too_much("\"", "x", MAX_ITEM, "\"");
	/* what only looks like values, inside a text, is one value */
	j = parse(commas, &why);
	cr_assert_not_null(j, "%s", why.text);
	json_object_put(j);
}

Test(jmake, what_is_made_is_read_back)
{
	struct json_object *o = jmake_object(), *list, *in, *again;
	AUTO_FREE char *once = NULL, *copy = NULL, *twice = NULL;

	jmake_str(o, "s", "a\"\\/\n\té\x01");
	jmake_str(o, "none", NULL);
	jmake_int(o, "n", INT64_MIN);
	jmake_bool(o, "b", 1);
	jmake_null(o, "z");
	jmake_bytes(o, "bytes", (struct span){ "abc", 2 });
	in = jmake_in(o, "in");
	jmake_int(in, "x", 1);
	list = jmake_list(o, "list");
	jmake_add(list, "one");
	jmake_str(jmake_item(list), "k", "v");
	copy = jmake_copy(o);
	once = jmake_text(&o);
	cr_assert_null(o);
	cr_assert_str_eq(copy, once);
	cr_assert_str_eq(once,
	    "{\"s\":\"a\\\"\\\\/\\n\\té\\u0001\",\"n\":-9223372036854775808,"
	    "\"b\":true,\"z\":null,\"bytes\":\"ab\",\"in\":{\"x\":1},"
	    "\"list\":[\"one\",{\"k\":\"v\"}]}");
	again = parse(once, NULL);
	cr_assert_not_null(again);
	cr_assert_str_eq(jread_string(jread_member(again, "s")),
	    "a\"\\/\n\té\x01");
	twice = jmake_text(&again);
	cr_assert_str_eq(twice, once);
}

Test(jread, the_index_of_a_word)
{
	static const char *const words[] = { "", "one", "two" };

	cr_expect_eq(jread_word(words, 3, "two", 7), 2);
	cr_expect_eq(jread_word(words, 3, "", 7), 0);
	cr_expect_eq(jread_word(words, 3, "three", 7), 7);
	cr_expect_eq(jread_word(words, 3, NULL, 7), 7);
	cr_expect_eq(jread_word(words, 2, "two", 7), 7);
}

Test(jread, the_element_that_has_a_value)
{
	AUTO_JSON struct json_object *list =
	    parse("[7,{\"k\":1},{\"k\":\"a\",\"n\":1},{\"k\":\"a\",\"n\":2}]",
		NULL);

	cr_assert_not_null(list);
	cr_expect_eq(jread_find(list, "k", "a"), jread_item(list, 2));
	cr_expect_null(jread_find(list, "k", "b"));
	cr_expect_null(jread_find(list, "n", "a"));
	cr_expect_null(jread_find(list, "k", NULL));
	cr_expect_null(jread_find(jread_item(list, 2), "k", "a"));
	cr_expect_null(jread_find(NULL, "k", "a"));
}
