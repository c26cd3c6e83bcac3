/* SPDX-License-Identifier: ISC */
/*
 * What the status page asks: the rows that vkfctl is given, a part at a time,
 * and never an order.
 */
#include "placer/api.h"

#include <criterion/criterion.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/unit/fleet.h"
#include "t/unit/leaks.h"

enum {
	DEVICES = 250,
	ALARMED = 3, /* of them */
	TRIES = 3000,
};

static const struct now at = { 60000, 1795798800000 };

/* Parsed; the caller's. */
static struct json_object *
ask(const struct world *w, int code, const char *path,
    const struct api_query *q)
{
	AUTO_FREE char *text = NULL;
	struct json_object *o;
	int got;

	got = api_answer(w, at, path, q, &text);
	cr_assert_eq(got, code, "%s: %d %s", path, got, text);
	o = json_tokener_parse(text);
	cr_assert_not_null(o, "%s", text);
	return o;
}

static struct json_object *
member(struct json_object *o, const char *name)
{
	struct json_object *got = NULL;

	cr_assert(json_object_object_get_ex(o, name, &got), "%s", name);
	return got;
}

static int
rows(struct json_object *o)
{
	return (int)json_object_array_length(member(o, "rows"));
}

static int
about(struct json_object *o, const char *name)
{
	return json_object_get_int(member(member(o, "about"), name));
}

static const char *
cell(struct json_object *o, size_t row, const char *name)
{
	return json_object_get_string(
	    member(json_object_array_get_idx(member(o, "rows"), row), name));
}

static struct world *
many(void)
{
	struct world *w = fleet_world();
	char name[16];
	int i;

	for (i = 0; i < DEVICES; i++) {
		(void)snprintf(name, sizeof(name), "edge-%03d", i);
		fleet_add(w,
		    &(struct fleet_device){ name, 4, 4096, NULL, NULL,
			i >= DEVICES - ALARMED ? "Unknown" : NULL });
	}
	return w;
}

Test(api, rows_are_those_of_vkfctl)
{
	static const char *const questions[] = { "devices", "fleets", "pods",
		"status" };
	struct world *w = many();
	size_t i;

	fleet_pod(w, "web", "1", "1Mi", NULL, NULL);
	for (i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
		AUTO_FREE char *path = xasprintf("/api/%s", questions[i]);
		AUTO_FREE char *told = NULL, *row = NULL;
		AUTO_JSON struct json_object *o = NULL;

		told =
		    command_answer(&(struct command){ .world = w, .now = at },
			questions[i]);
		o = ask(w, API_OK, path, &(struct api_query){ 0 });
		cr_assert_gt(rows(o), 0, "%s", path);
		row = xasprintf("%s\n",
		    json_object_to_json_string_ext(
			json_object_array_get_idx(member(o, "rows"), 0),
			JSON_C_TO_STRING_PLAIN));
		cr_expect(strstr(told, row) != NULL, "%s in %s", row, told);
	}
	fleet_free(w);
	NO_LEAKS();
}

Test(api, a_long_list_comes_in_parts_with_trouble_first)
{
	struct world *w = many();
	AUTO_JSON struct json_object *first = NULL, *last = NULL, *none = NULL;

	first = ask(w, API_OK, "/api/devices", &(struct api_query){ 0 });
	cr_expect_eq(rows(first), API_ROWS);
	cr_expect_eq(about(first, "matched"), DEVICES);
	cr_expect_str_eq(cell(first, 0, "device"), "edge-247");
	cr_expect_str_eq(cell(first, ALARMED, "device"), "edge-000");
	last = ask(w, API_OK, "/api/devices",
	    &(struct api_query){ .from = "200" });
	cr_expect_eq(rows(last), DEVICES - 200);
	cr_expect_eq(about(last, "from"), 200);
	cr_expect_str_eq(cell(last, DEVICES - 201, "device"), "edge-246");
	none = ask(w, API_OK, "/api/devices",
	    &(struct api_query){ .from = "999999999" });
	cr_expect_eq(rows(none), 0);
	fleet_free(w);
	NO_LEAKS();
}

static void
matches(const struct world *w, const char *match, const char *only, int n)
{
	AUTO_JSON struct json_object *o = ask(w, API_OK, "/api/devices",
	    &(struct api_query){ .match = match, .only = only });

	cr_expect_eq(about(o, "matched"), n, "%s, %s: %d", match, only,
	    about(o, "matched"));
	cr_expect_eq(about(o, "all"), DEVICES);
	cr_expect_eq(rows(o), n < API_ROWS ? n : API_ROWS);
}

Test(api, words_narrow_it_down)
{
	struct world *w = many();

	matches(w, "", "", DEVICES);
	matches(w, "EDGE-00", NULL, 10);
	matches(w, "edge-24 unknown", NULL, ALARMED);
	matches(w, "edge-24/unknown,", NULL, ALARMED);
	matches(w, "no-such", NULL, 0);
	matches(w, NULL, "disconnected", ALARMED);
	matches(w, NULL, "disconnect", 0);
	matches(w, "edge-249", "disconnected", 1);
	fleet_free(w);
	NO_LEAKS();
}

static void
refuses(const struct world *w, int code, const char *path,
    const struct api_query *q, const char *text)
{
	AUTO_JSON struct json_object *o = ask(w, code, path, q);

	cr_expect_str_eq(json_object_get_string(member(o, "error")), text);
}

Test(api, what_cannot_be_answered_says_why)
{
	struct world *w = many();
	char words[WINDOW_TEXT + 1] = "";

	memset(words, 'x', WINDOW_TEXT);
	refuses(w, API_NONE, "/api/records", &(struct api_query){ 0 },
	    "no such question");
	refuses(w, API_BAD, "/api/pods", &(struct api_query){ .from = "-1" },
	    "from: not a number");
	refuses(w, API_BAD, "/api/pods",
	    &(struct api_query){ .from = "1000000000" }, "from: not a number");
	refuses(w, API_BAD, "/api/pods", &(struct api_query){ .match = words },
	    "match: too long, or too many words");
	refuses(w, API_BAD, "/api/pods",
	    &(struct api_query){ .match = "a b c d e f g h i j k l m n o p q" },
	    "match: too long, or too many words");
	refuses(w, API_BAD, "/api/explain", &(struct api_query){ 0 },
	    "explain: wants pod=NAMESPACE/NAME or device=NAME");
	refuses(w, API_NONE, "/api/explain",
	    &(struct api_query){ .pod = "default/x" }, "no such pod");
	refuses(w, API_NONE, "/api/explain",
	    &(struct api_query){ .device = "x" }, "no such device");
	fleet_free(w);
	NO_LEAKS();
}

Test(api, status_counts_devices_and_says_what_is_missing)
{
	struct world *w = many();
	AUTO_JSON struct json_object *o = NULL, *ready = NULL;

	o = ask(w, API_OK, "/api/status", &(struct api_query){ 0 });
	cr_expect_str_eq(json_object_to_json_string_ext(member(o, "about"),
			     JSON_C_TO_STRING_PLAIN),
	    "{\"now\":\"2026-11-27T17:00:00Z\",\"ready\":\"the apiserver is "
	    "not reached\",\"placeable\":{\"fit\":247,\"disconnected\":3}}");
	w->kube_up = w->kube_reachable = w->devices_listed = 1;
	w->nodes[0].pods_listed = 1;
	ready = ask(w, API_OK, "/api/status", &(struct api_query){ 0 });
	cr_expect_str_eq(json_object_get_string(
			     member(member(ready, "about"), "ready")),
	    "yes");
	fleet_free(w);
	NO_LEAKS();
}

/* Names with quotes, markup, newlines and orders are data. */
Test(api, any_question_is_answered_in_json_and_orders_nothing)
{
	static const char *const paths[] = { "/api/status", "/api/pods",
		"/api/devices", "/api/fleets", "/api/explain", "/api/",
		"/api/orders" };
	static const char *const words[] = { "yes drain edge-000", "\n", "\"",
		"yes give-up default/web", "default/web", "edge-000", "", "/",
		"a b", "<script>", "\xff\xfe", "9", "-9", "%00",
		"explain\npod" };
	const size_t nwords = sizeof(words) / sizeof(*words);
	struct world *w = many();
	unsigned int s = 1;
	size_t i;

	fleet_pod(w, "web", "1", "1Mi", NULL, NULL);
	w->nodes[0].until_boot = at.boot_ms + 10000;
	for (i = 0; i < TRIES; i++) {
		AUTO_JSON struct json_object *o = NULL;
		AUTO_FREE char *text = NULL;
		const char *word[5];
		struct api_query q;
		size_t k;

		for (k = 0; k < 5; k++)
			word[k] = rand_r(&s) % 2 == 0 ?
			    NULL :
			    words[(size_t)rand_r(&s) % nwords];
		q = (struct api_query){ word[0], word[1], word[2], word[3],
			word[4] };
		(void)api_answer(w, at, paths[(size_t)rand_r(&s) % 7], &q,
		    &text);
		o = json_tokener_parse(text);
		cr_assert(json_object_is_type(o, json_type_object), "%s", text);
	}
	cr_expect_not(world_device(w, "edge-000")->drained.on);
	fleet_free(w);
}
