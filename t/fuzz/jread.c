/* SPDX-License-Identifier: ISC */
/*
 * JSON as the placer reads it: what is JSON for the scanner too is printed as
 * such, and is the same tree again; fields are within their bounds.
 */
#include "common/jread.h"

#include <json-c/json.h>

#include "common/scan.h"
#include "t/fuzz/target.h"

struct some {
	const char *name;
	int64_t number;
	uint8_t is;
	struct json_object *object, *array;
};

static void
print_again(struct json_object *tree)
{
	AUTO_JSON struct json_object *again = NULL;
	struct span text = span_of(json_object_to_json_string_ext(tree,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));

	must(scan_is_valid(text));
	again = jread_parse(text, NULL);
	must(again != NULL && json_object_equal(tree, again));
}

static void
fuzz_jread(struct span input)
{
	static const struct jread_field fields[] = {
		JSTR(struct some, name, "a", 8, OPTIONAL),
		JINT(struct some, number, "b.c", 100, OPTIONAL),
		JBOOL(struct some, is, "d", OPTIONAL),
		JOBJ(struct some, object, "e", OPTIONAL),
		JARR(struct some, array, "f", 3, REQUIRED),
	};
	static const char *const words[] = { "x", "y" };
	AUTO_JSON struct json_object *tree = NULL;
	struct some some = { 0 };
	struct lh_entry *at = NULL;
	struct json_object *value;
	const char *key;
	struct why why = { 0 };
	size_t i, n = 0;

	if ((tree = jread_parse(input, &why)) == NULL) {
		must(why.kind == ERR_FORMAT || why.kind == ERR_LIMIT);
		return;
	}
	/* json-c takes more than that: control bytes, zeros before a number. */
	if (scan_is_valid(input))
		print_again(tree);
	(void)jread_type(tree);
	for (; jread_next(tree, &at, &key, &value); n++)
		must(jread_type(value)[0] == 'a' || value == NULL);
	must(n == jread_members(tree));
	if (jread_fields(tree, "", fields, sizeof(fields) / sizeof(*fields),
		&some, &why) == -1) {
		must(why.kind == ERR_FORMAT || why.kind == ERR_LIMIT);
		return;
	}
	must(some.name == NULL || strlen(some.name) <= 8);
	must(jread_word(words, 2, some.name, 2) <= 2);
	must(some.number >= 0 && some.number <= 100 && some.is <= 1);
	must(some.array != NULL && jread_count(some.array) <= 3);
	for (i = 0; i < jread_count(some.array); i++)
		(void)jread_string(jread_item(some.array, i));
	(void)jread_find(some.array, "name", "x");
}

TARGET(jread, fuzz_jread);
