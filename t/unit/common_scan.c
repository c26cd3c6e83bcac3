/* SPDX-License-Identifier: ISC */
/* The scanner: what it cuts, whatever the pieces are. */
#include <criterion/criterion.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "t/unit/jgen.h"

/* Everything that came out, as one text to compare. */
struct seen {
	struct jgen text;
	size_t items, oversizes;
	int stop;
};

static int
on_item(struct span item, void *arg, struct why *why)
{
	struct seen *seen = arg;
	char *s = xstrndup(item.p, item.len);

	jgen_text(&seen->text, "I:");
	jgen_text(&seen->text, s);
	jgen_text(&seen->text, "\n");
	free(s);
	seen->items++;
	return seen->stop ? fail(why, ERR_DENIED, "enough") : 0;
}

static int
on_oversize(struct span head, void *arg, struct why *why)
{
	struct seen *seen = arg;
	char *s = xstrndup(head.p, head.len);

	(void)why;
	jgen_text(&seen->text, "O:");
	jgen_text(&seen->text, s);
	jgen_text(&seen->text, "\n");
	free(s);
	seen->oversizes++;
	return 0;
}

static const struct scan_ops ops = { on_item, on_oversize };

/* Feeds text in pieces of 1..max bytes (0: whole); the result as text. */
static char *
run(enum scan_shape shape, struct span text, struct jgen *random, uint32_t max,
    size_t item_max)
{
	struct seen seen = { .text.state = 1 };
	struct scan *s = scan_new(shape, item_max, &ops, &seen);
	struct why why = { .kind = ERR_NONE };
	struct span piece;
	char *copy, *all;
	int rc = 0;

	while (text.len > 0 && rc == 0) {
		piece = text;
		if (max > 0 &&
		    (piece.len = 1 + jgen_below(random, max)) > text.len)
			piece.len = text.len;
		/* A copy of its own: reads beyond it are seen. */
		copy = xmalloc(piece.len);
		memcpy(copy, piece.p, piece.len);
		rc = scan_feed(s, (struct span){ copy, piece.len }, &why);
		free(copy);
		text.p += piece.len;
		text.len -= piece.len;
	}
	if (rc == 0)
		rc = scan_end(s, &why);
	if (rc == 0 && shape == SCAN_LIST)
		on_item(scan_rest(s), &seen, &why);
	all = xasprintf("%.*s%d %s", (int)seen.text.text.len,
	    seen.text.text.len > 0 ? seen.text.text.p : "", rc,
	    rc == -1 ? why.text : "");
	scan_free(s);
	jgen_free(&seen.text);
	return all;
}

/* A list whose items are noted in want, in run()'s form. */
static void
make_list(struct jgen *g, struct jgen *want)
{
	uint32_t n = jgen_below(g, 5), i;
	size_t from;
	char *item;

	jgen_blank(g);
	jgen_text(g, jgen_below(g, 2) ? "{\"kind\":\"L\"," : "{ ");
	jgen_text(g, "\"items\" : [");
	for (i = 0; i < n; i++) {
		jgen_blank(g);
		from = g->text.len;
		jgen_text(g, "{\"n\":");
		jgen_value(g, 4);
		jgen_text(g, "}");
		item = xstrndup(g->text.p + from, g->text.len - from);
		jgen_text(want, "I:");
		jgen_text(want, item);
		jgen_text(want, "\n");
		free(item);
		jgen_blank(g);
		jgen_text(g, i + 1 < n ? "," : "");
	}
	jgen_text(g, "]");
	jgen_blank(g);
	if (jgen_below(g, 2)) {
		jgen_text(g, ",\"metadata\":");
		jgen_value(g, 3);
	}
	jgen_text(g, "}");
	jgen_blank(g);
}

Test(scan, any_split_gives_the_same_items)
{
	struct jgen g = { .state = 4711 }, want = { .state = 1 };
	char *whole, *cut, *bytes;
	int round;

	for (round = 0; round < 2000; round++) {
		g.text.len = want.text.len = 0;
		make_list(&g, &want);
		jgen_text(&want, "");
		if (round % 4 == 3) /* broken somewhere */
			g.text.p[jgen_below(&g, (uint32_t)g.text.len)] =
			    "]}{\"x,"[jgen_below(&g, 6)];
		whole = run(SCAN_LIST, jgen_since(&g, 0), &g, 0, 200);
		cut = run(SCAN_LIST, jgen_since(&g, 0), &g, 40, 200);
		bytes = run(SCAN_LIST, jgen_since(&g, 0), &g, 1, 200);
		cr_assert_str_eq(whole, cut);
		cr_assert_str_eq(whole, bytes);
		if (round % 4 != 3 && strstr(whole, "O:") == NULL)
			cr_assert_eq(strncmp(whole,
					 want.text.len > 0 ? want.text.p : "",
					 want.text.len),
			    0, "%s", whole);
		free(whole);
		free(cut);
		free(bytes);
	}
	jgen_free(&g);
	jgen_free(&want);
}

static char *
run_text(enum scan_shape shape, const char *text, size_t item_max)
{
	struct jgen unused = { .state = 1 };

	return run(shape, span_of(text), &unused, 0, item_max);
}

#define SCANS(shape, text, max, want)                    \
	do {                                             \
		char *got_ = run_text(shape, text, max); \
		cr_assert_str_eq(got_, want);            \
		free(got_);                              \
	} while (0)

Test(scan, list_is_cut_and_the_rest_kept)
{
	SCANS(SCAN_LIST,
	    "{\"kind\":\"L\",\"items\":[{\"a\":[1]} , {}],"
	    "\"metadata\":{\"continue\":\"x\"}}\n",
	    100,
	    "I:{\"a\":[1]}\nI:{}\nI:{\"kind\":\"L\",\"metadata\":"
	    "{\"continue\":\"x\"}}\n0 ");
	SCANS(SCAN_LIST, "{\"items\":[]}", 9, "I:{}\n0 ");
	SCANS(SCAN_LIST, "{\"items\":null,\"a\":1}", 9,
	    "I:{\"items\":null,\"a\":1}\n0 ");
	SCANS(SCAN_LIST, "{\"x\":{\"items\":[1]},\"items\":[2]}", 9,
	    "I:2\nI:{\"x\":{\"items\":[1]}}\n0 ");
}

Test(scan, what_is_no_list_is_refused_with_its_place)
{
	SCANS(SCAN_LIST, "[1]", 9, "-1 byte 0: unexpected 0x5b");
	SCANS(SCAN_LIST, "{\"kind\":\"Status\"}", 9,
	    "-1 no list: it has no items");
	SCANS(SCAN_LIST, "{\"items\":[1],\"items\":[2]}", 9,
	    "I:1\n-1 list: items twice");
	SCANS(SCAN_LIST, "{\"item\\u0073\":[1]}", 9,
	    "-1 list: escaped member name");
	SCANS(SCAN_LIST, "{\"items\":{}}", 9, "-1 byte 9: items is no array");
	SCANS(SCAN_LIST, "{\"items\":[{}", 9,
	    "I:{}\n-1 byte 12: ends within the list");
	SCANS(SCAN_LIST, "{\"items\":[{", 9, "-1 byte 11: ends within an item");
	SCANS(SCAN_LIST, "{\"items\":[]}x", 9, "-1 byte 12: unexpected 0x78");
	SCANS(SCAN_LIST, "", 9, "-1 byte 0: ends within the list");
}

Test(scan, blanks_without_end_are_no_list)
{
	char blanks[4096];
	struct seen seen = { .text.state = 1 };
	enum scan_shape shape;
	struct why why;
	int n;

	memset(blanks, '\n', sizeof(blanks));
	for (shape = SCAN_LIST; shape <= SCAN_OBJECTS; shape++) {
		struct scan *s = scan_new(shape, 100, &ops, &seen);

		for (n = 0; n < 100; n++)
			if (scan_feed(s,
				(struct span){ blanks, sizeof(blanks) },
				&why) == -1)
				break;
		cr_expect_eq(n, 16);
		cr_expect_str_eq(why.text, "byte 65536: nothing but blanks");
		scan_free(s);
	}
}

/* What stands beside the items is kept, and so has an end of its own. */
Test(scan, what_is_beside_the_items_is_bounded)
{
	char piece[64 * 1024];
	struct seen seen = { .text.state = 1 };
	struct scan *s = scan_new(SCAN_LIST, 100, &ops, &seen);
	struct why why = { .kind = ERR_NONE };
	int n;

	cr_assert_eq(scan_feed(s, span_of("{\"kind\":\""), &why), 0);
	memset(piece, 'x', sizeof(piece));
	for (n = 0; n < 100; n++)
		if (scan_feed(s, (struct span){ piece, sizeof(piece) }, &why) ==
		    -1)
			break;
	cr_expect_eq(n, 15);
	cr_expect_eq(why.kind, ERR_LIMIT);
	cr_expect_str_eq(why.text,
	    "list: more than 1048576 bytes beside its items");
	scan_free(s);
}

Test(scan, objects_follow_each_other)
{
	SCANS(SCAN_OBJECTS, "{\"a\":\"}\"}\n{}{}\r\n", 99,
	    "I:{\"a\":\"}\"}\nI:{}\nI:{}\n0 ");
	SCANS(SCAN_OBJECTS, "{}[]", 99, "I:{}\n-1 byte 2: no object");
	SCANS(SCAN_OBJECTS, "", 99, "0 ");
	SCANS(SCAN_OBJECTS, "{\"a\"", 99, "-1 byte 4: ends within an item");
}

Test(scan, oversize_item_spoils_no_other)
{
	struct jgen g = { .state = 1 };
	char name[20], *out, *head;
	struct span span;
	int i;

	jgen_text(&g,
	    "{\"items\":[{},{\"metadata\":{\"labels\":{},"
	    "\"name\":\"big\"},\"spec\":\"");
	for (i = 0; i < 3000; i++)
		jgen_text(&g, "0123456789");
	jgen_text(&g, "\"},{}]}");
	for (i = 0; i < 2; i++) {
		out = run(SCAN_LIST, jgen_since(&g, 0), &g, i * 900, 20000);
		cr_assert_eq(strncmp(out, "I:{}\nO:{\"meta", 13), 0);
		head = strstr(out, "O:") + 2;
		span = (struct span){ head, strchr(head, '\n') - head };
		cr_assert_eq(span.len, SCAN_HEAD);
		cr_assert_eq(scan_head_string(span, name, sizeof(name),
				 "metadata", "name", NULL),
		    1);
		cr_assert_str_eq(name, "big");
		cr_assert_eq(scan_head_string(span, name, sizeof(name), "spec",
				 NULL),
		    -1);
		cr_assert_not_null(strstr(out, "\nI:{}\nI:{}\n0 "));
		free(out);
	}
	jgen_free(&g);
}

/* The strictest parser at hand agrees with whatever we call valid. */
Test(scan, what_is_valid_is_json_to_a_parser)
{
	static const char odd[] = "{}[]\",:\\u0eE+-.\x01 tfn/";
	struct json_tokener *t = json_tokener_new_ex(MAX_JSON_DEPTH + 2);
	struct jgen g = { .state = 99 };
	struct json_object *o;
	int round, valid, both[2] = { 0, 0 };

	json_tokener_set_flags(t, JSON_TOKENER_STRICT);
	for (round = 0; round < 20000; round++) {
		g.text.len = 0;
		jgen_value(&g, 3);
		if (round % 2 == 1)
			g.text.p[jgen_below(&g, (uint32_t)g.text.len)] =
			    odd[jgen_below(&g, sizeof(odd) - 1)];
		valid = scan_is_valid(jgen_since(&g, 0));
		cr_assert(valid || round % 2 == 1, "%.*s", (int)g.text.len,
		    g.text.p);
		jgen_text(&g, " ");
		json_tokener_reset(t);
		o = json_tokener_parse_ex(t, g.text.p, (int)g.text.len);
		/* json-c knows no NUL-ended numbers: a blank ends them. */
		if (valid)
			cr_assert_eq(json_tokener_get_error(t),
			    json_tokener_success, "%.*s", (int)g.text.len,
			    g.text.p);
		json_object_put(o);
		both[valid]++;
	}
	cr_assert(both[0] > 1000 && both[1] > 10000);
	json_tokener_free(t);
	jgen_free(&g);
}

Test(scan, depth_is_bounded)
{
	char deep[2 * MAX_JSON_DEPTH + 3];
	size_t n = MAX_JSON_DEPTH;

	memset(deep, '[', n);
	memset(deep + n, ']', n);
	cr_assert(scan_is_valid((struct span){ deep, 2 * n }));
	memset(deep, '[', n + 1);
	memset(deep + n + 1, ']', n + 1);
	cr_assert(!scan_is_valid((struct span){ deep, 2 * n + 2 }));
}

#define OBJECT(text) span_of(text)

Test(scan, members_are_found_once)
{
	struct span v;
	char s[8];

	cr_assert_eq(scan_get(OBJECT("{\"a\":{\"b\":[1, 2]}}"), &v, "a", "b",
			 NULL),
	    1);
	cr_assert(span_is(v, "[1, 2]"));
	cr_assert_eq(scan_get(OBJECT("{\"a\":{}}"), &v, "a", "b", NULL), 0);
	cr_assert_eq(scan_get(OBJECT("{\"a\":3}"), &v, "a", "b", NULL), -1);
	cr_assert_eq(scan_get(OBJECT("{\"a\":1,\"\\u0061\":2}"), &v, "a", NULL),
	    -1);
	cr_assert_eq(scan_get(OBJECT("{\"a\":1"), &v, "a", NULL), -1);
	cr_assert_eq(scan_get(OBJECT("{\"a\":1,}"), &v, "a", NULL), -1);
	cr_assert_eq(scan_get(OBJECT("{} x"), &v, "a", NULL), -1);
	cr_assert_eq(scan_get_string(OBJECT("{\"a\":\"\\u00e9\"}"), s,
			 sizeof(s), "a", NULL),
	    1);
	cr_assert_str_eq(s, "\xc3\xa9");
	cr_assert_eq(scan_get_string(OBJECT("{\"a\":\"12345678\"}"), s,
			 sizeof(s), "a", NULL),
	    -1);
	cr_assert_eq(scan_get_string(OBJECT("{\"a\":\"1\\u00002\"}"), s,
			 sizeof(s), "a", NULL),
	    -1);
	cr_assert_eq(scan_get_string(OBJECT("{\"a\":7}"), s, sizeof(s), "a",
			 NULL),
	    -1);
	cr_assert_eq(scan_get_string(OBJECT("{}"), s, sizeof(s), "a", NULL), 0);
}

Test(scan, strings_are_unescaped_as_written)
{
	char s[32];

	cr_assert_eq(scan_unescape(OBJECT("\"\\ud83d\\ude00\\n\\/\""), s,
			 sizeof(s)),
	    6);
	cr_assert_str_eq(s, "\xf0\x9f\x98\x80\n/");
	cr_assert_eq(scan_unescape(OBJECT("\"\\ud83d\""), s, sizeof(s)), -1);
	cr_assert_eq(scan_unescape(OBJECT("\"\\ude00\""), s, sizeof(s)), -1);
	cr_assert_eq(scan_unescape(OBJECT("\"\\ud83dxxxxxx\""), s, sizeof(s)),
	    -1);
	cr_assert_eq(scan_unescape(OBJECT("\"a"), s, sizeof(s)), -1);
	cr_assert_eq(scan_unescape(OBJECT("\"\""), s, 1), 0);
	cr_assert_eq(scan_unescape(OBJECT("\"a\""), s, 1), -1);
	cr_assert(scan_string_is(OBJECT("\"\\u006eame\""), "name"));
	cr_assert(!scan_string_is(OBJECT("\"\\u006eame\""), "names"));
	cr_assert(!scan_string_is(OBJECT("\"nam\\u0065s\""), "name"));
}

Test(scan, elements_and_members_in_order)
{
	struct span object = OBJECT(" {\"a\" : 1 ,\"b\":[ 2,\"x\" ]} "), k, v,
		    array = { NULL, 0 };
	size_t at = 0;

	cr_assert_eq(scan_member(object, &at, &k, &v), 1);
	cr_assert(span_is(k, "\"a\"") && span_is(v, "1"));
	cr_assert_eq(scan_member(object, &at, &k, &array), 1);
	cr_assert_eq(scan_member(object, &at, &k, &v), 0);
	at = 0;
	cr_assert_eq(scan_next(array, &at, &v), 1);
	cr_assert(span_is(v, "2"));
	cr_assert_eq(scan_next(array, &at, &v), 1);
	cr_assert(span_is(v, "\"x\""));
	cr_assert_eq(scan_next(array, &at, &v), 0);
	at = 0;
	cr_assert_eq(scan_next(OBJECT("[ ]"), &at, &v), 0);
	cr_assert_eq(scan_next(OBJECT("{}"), &at, &v), -1);
}
