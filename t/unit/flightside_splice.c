/* SPDX-License-Identifier: ISC */
/* What is not ours goes back byte for byte, whatever the device looks like. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/scan.h"
#include "common/xmem.h"
#include "flightside/same.h"
#include "flightside/splice.h"
#include "t/unit/jgen.h"

static const char *const arrays[] = { "applications", "config" };

/* {"name":"ours-3", ...} with whatever else, in any order and spelling. */
static void
make_element(struct jgen *g, const char *stem, uint32_t i)
{
	char name[32];
	int first = (int)jgen_below(g, 2);

	snprintf(name, sizeof(name), "%s-%u", stem, i);
	jgen_text(g, "{");
	jgen_blank(g);
	if (!first) {
		jgen_text(g, "\"x\":");
		jgen_value(g, 2);
		jgen_text(g, ",");
	}
	jgen_spelled(g, "name");
	jgen_text(g, ":");
	jgen_blank(g);
	jgen_spelled(g, name);
	if (first) {
		jgen_text(g, ",\"y\":");
		jgen_value(g, 2);
	}
	jgen_text(g, "}");
}

/* Elements without a name, or that are none, are other people's too. */
static void
make_array(struct jgen *g)
{
	uint32_t n = jgen_below(g, 6), i;

	jgen_text(g, "[");
	jgen_blank(g);
	for (i = 0; i < n; i++) {
		jgen_blank(g);
		switch (jgen_below(g, 5)) {
		case 0:
			jgen_text(g, "[7]");
			break;
		case 1:
		case 2:
			make_element(g, "theirs", i);
			break;
		default:
			make_element(g, "ours", i);
		}
		jgen_blank(g);
		jgen_text(g, i + 1 < n ? "," : "");
	}
	jgen_text(g, "]");
}

static void
make_spec(struct jgen *g)
{
	static const char *const others[] = { "os", "updatePolicy", "systemd",
		"resources" };
	uint32_t n = jgen_below(g, 5), apps = jgen_below(g, 7),
		 config = jgen_below(g, 7), i;
	const char *comma = "";

	jgen_text(g, "{");
	jgen_blank(g);
	for (i = 0; i <= n; i++) {
		if (i == apps || i == config) {
			jgen_text(g, comma);
			jgen_spelled(g, arrays[i == config && apps != i]);
			jgen_text(g, ":");
			jgen_blank(g);
			if (jgen_below(g, 8) == 0)
				jgen_text(g, "null");
			else
				make_array(g);
			comma = ",";
		}
		if (i == n)
			break;
		jgen_text(g, comma);
		jgen_blank(g);
		jgen_spelled(g, others[i]);
		jgen_text(g, ":");
		jgen_value(g, 3);
		comma = ",";
	}
	jgen_blank(g);
	jgen_text(g, "}");
}

static void
make_device(struct jgen *g, struct span spec, struct bytes *out)
{
	size_t from;

	bytes_add_text(out,
	    "{\"metadata\":{\"creationTimestamp\":\"2026-11-23T"
	    "20:46:50.234028Z\",\"generation\":3,\"labels\":{\"\\u0061\":\"b"
	    "\"},\"name\":\"edge-1\",\"resourceVersion\":\"15\"},");
	if (jgen_below(g, 2) == 0) {
		from = g->text.len;
		jgen_value(g, 2);
		bytes_add_text(out, "\"status\":");
		bytes_add(out, jgen_since(g, from));
		bytes_add_text(out, ",");
	}
	bytes_add_text(out, "\"spec\":");
	bytes_add(out, spec);
	bytes_add_text(out, "}");
}

/* Sets and cuts ours-0..7 and, to be sure, ours that are not there. */
static void
make_edit(struct jgen *g)
{
	uint32_t kind, i, set, first;

	jgen_text(g, "{");
	for (kind = 0; kind < 2; kind++) {
		jgen_text(g, kind ? "},\"config\":{" : "\"applications\":{");
		set = jgen_below(g, 256);
		jgen_text(g, "\"set\":[");
		for (i = first = 0; i < 8; i++)
			if (set & 1u << i) {
				jgen_text(g, first++ ? "," : "");
				make_element(g, "ours", i);
			}
		jgen_text(g, "],\"cut\":[");
		set = jgen_below(g, 256);
		for (i = first = 0; i < 8; i++)
			if (set & 1u << i) {
				jgen_text(g, first++ ? "," : "");
				jgen_text(g, "\"ours-");
				jgen_text(g, (char[]){ (char)('0' + i), 0 });
				jgen_text(g, "\"");
			}
		jgen_text(g, "]");
	}
	jgen_text(g, "}}");
}

static int
names(struct span array, const char *name, struct span *element)
{
	struct span e;
	size_t at = 0;
	int n = 0;
	char s[MAX_NAME + 1];

	while (array.len > 0 && scan_next(array, &at, &e) == 1)
		if (scan_get_string(e, s, sizeof(s), "name", NULL) == 1 &&
		    strcmp(s, name) == 0) {
			*element = e;
			n++;
		}
	return n;
}

static int
is_in_cut(struct span cut, const char *name)
{
	struct span e;
	size_t at = 0;

	while (cut.len > 0 && scan_next(cut, &at, &e) == 1)
		if (scan_string_is(e, name))
			return 1;
	return 0;
}

/* The text of all elements that the edit does not name. */
static char *
theirs(struct span array, const struct edit_part *part)
{
	struct bytes out = { NULL, 0, 0 };
	struct span e, found;
	size_t at = 0;
	char s[MAX_NAME + 1];

	while (array.len > 0 && scan_next(array, &at, &e) == 1) {
		if (scan_get_string(e, s, sizeof(s), "name", NULL) == 1 &&
		    (names(part->set, s, &found) || is_in_cut(part->cut, s)))
			continue;
		bytes_add(&out, e);
		bytes_add_text(&out, "\n");
	}
	bytes_add(&out, (struct span){ "", 1 });
	return out.p;
}

/* The spec with @ for its two arrays; members that were inserted left out. */
static char *
around(struct span spec, struct span old)
{
	struct bytes out = { NULL, 0, 0 };
	struct span key, value, there;
	const char *at = spec.p;
	size_t pos = 0;
	int i, skip;

	while (scan_member(spec, &pos, &key, &value) == 1) {
		skip = 0;
		for (i = 0; i < 2; i++)
			if (scan_string_is(key, arrays[i]))
				skip = 1 +
				    (scan_get(old, &there, arrays[i], NULL) ==
					0);
		if (skip == 0)
			continue;
		bytes_add(&out,
		    (struct span){ at, (skip == 1 ? value.p : key.p) - at });
		if (skip == 1)
			bytes_add_text(&out, "@");
		else if (out.p[out.len - 1] == ',')
			out.len--;
		at = value.p + value.len;
	}
	bytes_add(&out, (struct span){ at, spec.p + spec.len - at });
	bytes_add(&out, (struct span){ "", 1 });
	return out.p;
}

static struct span
array_of(struct span spec, int i)
{
	struct span v;

	if (scan_get(spec, &v, arrays[i], NULL) != 1 || *v.p != '[')
		v = (struct span){ NULL, 0 };
	return v;
}

static void
check_part(struct span old, struct span new, const struct edit_part *part)
{
	struct span e, found;
	char *a = theirs(old, part), *b = theirs(new, part), s[32];
	size_t at = 0;
	int i;

	cr_assert_str_eq(a, b);
	while (part->set.len > 0 && scan_next(part->set, &at, &e) == 1) {
		cr_assert_eq(scan_get_string(e, s, sizeof(s), "name", NULL), 1);
		cr_assert_eq(names(new, s, &found), 1);
		cr_assert(same_json(e, found));
	}
	for (i = 0; i < 8; i++) {
		snprintf(s, sizeof(s), "ours-%d", i);
		if (is_in_cut(part->cut, s) && !names(part->set, s, &found))
			cr_assert_eq(names(new, s, &found), 0);
	}
	free(a);
	free(b);
}

static void
check_all(struct span old, const struct splice *s, const struct edit *e)
{
	struct span new = splice_spec(s), v;
	char *a = around(old, old), *b = around(new, old);

	cr_assert(scan_is_valid(bytes_span(&s->body)));
	cr_assert_eq(scan_get(bytes_span(&s->body), &v, "spec", NULL), 1);
	cr_assert_eq(v.p, new.p);
	cr_assert_eq(v.len, new.len);
	cr_assert_eq(scan_get(bytes_span(&s->body), &v, "metadata", "labels",
			 NULL),
	    1);
	cr_assert(span_is(v, "{\"\\u0061\":\"b\"}"));
	cr_assert_str_eq(a, b);
	check_part(array_of(old, 0), array_of(new, 0), &e->applications);
	check_part(array_of(old, 1), array_of(new, 1), &e->config);
	if (!s->changed) {
		cr_assert_eq(old.len, new.len);
		cr_assert_arr_eq(old.p, new.p, old.len);
	}
	free(a);
	free(b);
}

Test(splice, all_that_is_not_ours_survives_and_twice_is_once)
{
	struct jgen spec = { .state = 31 }, edit = { .state = 17 };
	struct bytes device = { NULL, 0, 0 };
	struct splice s, again;
	struct base b;
	struct edit e;
	struct why why;
	int round, changed = 0;

	for (round = 0; round < 5000; round++) {
		spec.text.len = edit.text.len = device.len = 0;
		make_spec(&spec);
		make_edit(&edit);
		make_device(&edit, jgen_since(&spec, 0), &device);
		edit.text.len = 0;
		make_edit(&edit);
		cr_assert_eq(base_read(bytes_span(&device), &b, &why), 0,
		    "%s "
		    "%.*s",
		    why.text, (int)device.len, device.p);
		cr_assert_eq(edit_read(jgen_since(&edit, 0), &e, &why), 0);
		cr_assert_eq(splice(&b, &e, &s, &why), 0, "%s", why.text);
		check_all(jgen_since(&spec, 0), &s, &e);
		changed += s.changed;
		device.len = 0;
		make_device(&spec, splice_spec(&s), &device);
		cr_assert_eq(base_read(bytes_span(&device), &b, &why), 0);
		cr_assert_eq(splice(&b, &e, &again, &why), 0);
		cr_assert_eq(again.changed, 0);
		splice_free(&s);
		splice_free(&again);
	}
	cr_assert(changed > 1000);
	jgen_free(&spec);
	jgen_free(&edit);
	bytes_free(&device);
}

static const char head[] = "{\"metadata\":{\"name\":\"e\",\"resourceVersion\":"
			   "\"7\",\"generation\":1,\"creationTimestamp\":\"t\""
			   "},\"spec\":";

static char *
spliced(const char *spec, const char *edit)
{
	char *device = xasprintf("%s%s}", head, spec), *out;
	struct base b;
	struct edit e;
	struct splice s;
	struct why why = { .kind = ERR_NONE };

	cr_assert_eq(base_read(span_of(device), &b, &why), 0, "%s", why.text);
	cr_assert_eq(edit_read(span_of(edit), &e, &why), 0, "%s", why.text);
	if (splice(&b, &e, &s, &why) == -1)
		out = xstrdup(why.text);
	else
		out = xstrndup(splice_spec(&s).p, splice_spec(&s).len);
	splice_free(&s);
	free(device);
	return out;
}

#define SPLICES(spec, edit, want)                 \
	do {                                      \
		char *got_ = spliced(spec, edit); \
		cr_assert_str_eq(got_, want);     \
		free(got_);                       \
	} while (0)

#define SET_A "{\"applications\":{\"set\":[{\"name\":\"a\"}]}}"
#define CUT_A "{\"applications\":{\"cut\":[\"a\"]}}"

Test(splice, absent_null_and_emptied_arrays)
{
	SPLICES("{}", SET_A, "{\"applications\":[{\"name\":\"a\"}]}");
	SPLICES("{}",
	    "{\"applications\":{\"set\":[{\"name\":\"a\"}]},"
	    "\"config\":{\"set\":[{\"name\":\"a\"}]}}",
	    "{\"applications\":[{\"name\":\"a\"}],"
	    "\"config\":[{\"name\":\"a\"}]}");
	SPLICES("{\"applications\":null,\"os\":1}", SET_A,
	    "{\"applications\":[{\"name\":\"a\"}],\"os\":1}");
	SPLICES("{\"os\":1}", SET_A,
	    "{\"os\":1,\"applications\":[{\"name\":\"a\"}]}");
	SPLICES("{\"applications\":[{\"name\":\"a\"}]}", CUT_A,
	    "{\"applications\":[]}");
	SPLICES("{\"applications\":null}", CUT_A, "{\"applications\":null}");
	SPLICES("{\"applications\":[1,{\"name\":\"a\",\"v\":1},2]}", CUT_A,
	    "{\"applications\":[1,2]}");
	SPLICES("{\"applications\":[{\"name\":\"a\",\"v\":1},2]}", SET_A,
	    "{\"applications\":[{\"name\":\"a\"},2]}");
}

Test(splice, an_object_with_a_name_twice_is_like_no_other)
{
	static const char *const pairs[][2] = {
		{ "{\"a\":1,\"a\":1}", "{\"a\":1,\"b\":1}" },
		{ "[{\"a\":1,\"a\":2}]", "[{\"a\":1, \"a\":2}]" },
	};
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		cr_assert_not(
		    same_json(span_of(pairs[i][0]), span_of(pairs[i][1])));
		cr_assert_not(
		    same_json(span_of(pairs[i][1]), span_of(pairs[i][0])));
	}
}

Test(splice, other_spelling_of_the_same_is_left_alone)
{
	SPLICES("{\"applications\":[{\"v\":\"\\u003c\", \"name\":\"a\"}]}",
	    "{\"applications\":{\"set\":[{\"name\":\"a\",\"v\":\"<\"}]}}",
	    "{\"applications\":[{\"v\":\"\\u003c\", \"name\":\"a\"}]}");
}

Test(splice, bad_edits_are_refused)
{
	static const struct {
		const char *edit, *error;
	} cases[] = {
		{ "[]", "edit: no JSON object" },
		{ "{", "edit: no JSON object" },
		{ "{\"os\":{}}", "edit: unknown member" },
		{ "{\"config\":{\"set\":{}}}", "edit: config: no array" },
		{ "{\"config\":{\"add\":[]}}",
		    "edit: config: member is neither set nor cut, or twice" },
		{ "{\"config\":{\"set\":[],\"set\":[]}}",
		    "edit: config: member is neither set nor cut, or twice" },
		{ "{\"config\":[]}", "edit: config: no object" },
		{ "{\"config\":{},\"config\":{}}", "edit: config twice" },
	};
	struct edit e;
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(edit_read(span_of(cases[i].edit), &e, &why), -1,
		    "%s", cases[i].edit);
		cr_expect_str_eq(why.text, cases[i].error);
	}
	cr_assert_eq(edit_read(span_of("{}"), &e, &why), 0);
	cr_assert(!e.adds);
	SPLICES("{}",
	    "{\"config\":{\"set\":[{\"name\":\"a\"},"
	    "{\"name\":\"\\u0061\"}]}}",
	    "edit: a is set twice");
	SPLICES("{}", "{\"config\":{\"set\":[{}]}}",
	    "edit: element without a name");
	SPLICES("{}", "{\"config\":{\"set\":[{\"name\":\"\"}]}}",
	    "edit: element without a name");
	SPLICES("{}", "{\"config\":{\"cut\":[7]}}",
	    "edit: element without a name");
}

static void
base_of(const char *metadata, const char *rest, struct base *b)
{
	char *device = xasprintf("{\"metadata\":{\"name\":\"edge-1\","
				 "\"resourceVersion\":\"7\",\"generation\":1,"
				 "\"creationTimestamp\":\"2026\"%s},%s}",
	    metadata, rest);
	struct why why;

	cr_assert_eq(base_read(span_of(device), b, &why), 0, "%s", device);
	free(device);
}

Test(base, who_may_not_be_written_to)
{
	static const struct {
		const char *metadata, *rest;
		enum why_kind kind;
	} cases[] = {
		{ "", "\"spec\":{}", ERR_NONE },
		{ ",\"owner\":\"Fleet/x\"", "\"spec\":{}", ERR_DENIED },
		{ "", "\"spec\":{\"decommissioning\":{}}", ERR_DENIED },
		{ "", "\"spec\":{\"consoles\":[{}]}", ERR_AGAIN },
		{ "", "\"spec\":{\"consoles\":[]}", ERR_NONE },
		{ "",
		    "\"spec\":{},\"status\":{\"summary\":{\"status\":"
		    "\"AwaitingReconnect\"}}",
		    ERR_DENIED },
		{ "",
		    "\"spec\":{},\"status\":{\"summary\":{\"status\":"
		    "\"ConflictPaused\"}}",
		    ERR_DENIED },
		{ ",\"annotations\":{\"device-controller/awaitingReconnect\":"
		  "\"true\"}",
		    "\"spec\":{}", ERR_DENIED },
	};
	struct base b;
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		base_of(cases[i].metadata, cases[i].rest, &b);
		why.kind = ERR_NONE;
		cr_assert_eq(base_check(&b, "2026", &why),
		    cases[i].kind == ERR_NONE ? 0 : -1, "%zu", i);
		cr_assert_eq(why.kind, cases[i].kind, "%zu", i);
	}
	cr_assert_eq(base_check(&b, "2025", &why), -1);
	cr_assert_eq(why.kind, ERR_GONE);
}

#define METADATA                                      \
	"\"resourceVersion\":\"7\",\"generation\":1," \
	"\"creationTimestamp\":\"2026\""
#define OF(metadata) "{\"metadata\":{" metadata "},\"spec\":{}}"
#define WITH(more) OF("\"name\":\"e\"," METADATA "," more)
#define SPEC(spec) \
	"{\"metadata\":{\"name\":\"e\"," METADATA "},\"spec\":" spec "}"

Test(base, what_is_no_device_is_refused)
{
	static const struct {
		const char *device, *wrong;
	} cases[] = {
		{ "{\"metadata\":[]}", "?: metadata" },
		{ OF(METADATA), "?: metadata.name" },
		{ OF("\"name\":\"E_\"," METADATA), "E_: metadata.name" },
		{ WITH("\"name\":\"e\""), "?: metadata.name" },
		{ OF("\"name\":\"e\""), "e: metadata.resourceVersion" },
		{ WITH("\"labels\":[]"), "e: metadata.labels" },
		{ OF("\"name\":\"e\",\"resourceVersion\":\"7\""),
		    "e: metadata.creationTimestamp" },
		{ WITH("\"owner\":7"), "e: metadata.owner" },
		{ WITH("\"generation\":2"), "e: metadata.generation" },
		{ WITH("\"annotations\":[]"), "e: metadata.annotations" },
		{ SPEC("null"), "e: spec" },
		{ SPEC("[]"), "e: spec" },
		{ SPEC("{},\"spec\":{}"), "e: spec" },
		{ SPEC("{\"applications\":{}}"), "e: spec.applications" },
		{ SPEC("{\"applications\":[],\"applications\":[]}"),
		    "e: spec.applications" },
		{ SPEC("{\"config\":{}}"), "e: spec.config" },
		{ SPEC("{\"decommissioning\":{},\"decommissioning\":{}}"),
		    "e: spec.decommissioning" },
		{ SPEC("{\"consoles\":[],\"consoles\":[]}"),
		    "e: spec.consoles" },
	};
	struct base b;
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *want =
		    xasprintf("device %s is malformed, absent or there twice",
			cases[i].wrong);

		cr_expect_eq(base_read(span_of(cases[i].device), &b, &why), -1,
		    "%s", cases[i].device);
		cr_expect_str_eq(why.text, want);
		free(want);
	}
	cr_expect_eq(base_read(span_of("{\"metadata\":{"), &b, &why), -1);
	cr_expect_str_eq(why.text, "device: no JSON");
	cr_expect_eq(base_read(span_of(SPEC("{}")), &b, &why), 0);
}
