/* SPDX-License-Identifier: ISC */
/*
 * Files that change under a running pod: how often the apiserver is asked,
 * what of a pod may change, and what becomes of its entry.
 */
#include "placer/live.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h"
#include "common/xmem.h"
#include "placer/block.h"
#include "placer/edit.h"
#include "placer/recipe.h"
#include "t/unit/leaks.h"

/* -- questions -- */

static char ns[] = "default";
static struct wpod pod = { .ns = ns };
static struct world w;

static void
setup(void)
{
	memset(&w, 0, sizeof(w));
	RB_INIT(&w.objects);
	TAILQ_INIT(&w.polls);
}

/* n objects that were just read, of as many pods. */
static struct wuse *
use(size_t n)
{
	struct wuse *uses = xcalloc(n, sizeof(*uses));
	char name[32];
	size_t i;

	for (i = 0; i < n; i++) {
		uses[i].pod = &pod;
		(void)snprintf(name, sizeof(name), "cm-%zu", i);
		objects_use(&w, &uses[i], 0, name);
		objects_wait(&w, uses[i].object, (struct now){ .boot_ms = 1 });
	}
	return uses;
}

static void
unuse(struct wuse *uses, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		objects_unuse(&w, &uses[i]);
	free(uses);
	cr_expect(RB_EMPTY(&w.objects));
	cr_expect(TAILQ_EMPTY(&w.polls));
}

/* All that is asked until then, each answered at once; the most in a second. */
static size_t
ask_until(int64_t end_ms, size_t *most)
{
	size_t n = 0, in_second = 0;
	struct now now = { .boot_ms = 0 };
	int64_t second = -1, at;
	struct wobject *o;

	for (*most = 0; (at = objects_due(&w)) < end_ms;) {
		if (at > now.boot_ms)
			now.boot_ms = at;
		o = objects_next(&w, now);
		cr_assert_not_null(o);
		objects_note(o, span_of("{}"));
		objects_wait(&w, o, now);
		n++;
		in_second = now.boot_ms / 1000 == second ? in_second + 1 : 1;
		second = now.boot_ms / 1000;
		*most = in_second > *most ? in_second : *most;
	}
	return n;
}

Test(objects, each_is_asked_for_once_a_minute, .init = setup)
{
	struct wuse *uses = use(1000);
	size_t most;

	cr_expect_eq(ask_until(OBJECTS_PERIOD_MS, &most), 0);
	cr_expect_eq(ask_until(2 * OBJECTS_PERIOD_MS, &most), 1000);
	cr_expect_leq(most, OBJECTS_BURST);
	cr_expect_leq(ask_until(12 * OBJECTS_PERIOD_MS, &most), 10000);
	unuse(uses, 1000);
	NO_LEAKS();
}

/* With more than that allows the period grows, and the bound does not. */
Test(objects, the_bound_holds_for_any_number, .init = setup)
{
	struct wuse *uses = use(6000);
	int64_t end = 11 * OBJECTS_PERIOD_MS;
	size_t most, i, n;

	n = ask_until(end, &most);
	cr_expect_leq(most, OBJECTS_BURST);
	cr_expect_leq(n, (size_t)(end / 1000) * OBJECTS_BURST);
	cr_expect_geq(n, 10 * 60 * (OBJECTS_BURST - 1));
	for (i = 0; i < 6000; i++)
		cr_expect_gt(uses[i].object->asked_boot,
		    end - 6 * OBJECTS_PERIOD_MS);
	unuse(uses, 6000);
	NO_LEAKS();
}

Test(objects, one_question_for_all_that_use_it, .init = setup)
{
	struct wuse uses[100] = { { .pod = &pod } };
	size_t i, most;

	for (i = 0; i < 100; i++) {
		uses[i].pod = &pod;
		objects_use(&w, &uses[i], 1, "key");
	}
	objects_wait(&w, uses[0].object, (struct now){ .boot_ms = 1 });
	cr_expect_eq(ask_until(2 * OBJECTS_PERIOD_MS, &most), 1);
	for (i = 0; i < 100; i++)
		objects_unuse(&w, &uses[i]);
	NO_LEAKS();
}

Test(objects, an_immutable_one_is_not_asked_for_again, .init = setup)
{
	struct wuse *uses = use(1);
	struct now now = { .boot_ms = OBJECTS_PERIOD_MS + 1 };
	struct wobject *o = objects_next(&w, now);

	cr_assert_not_null(o);
	objects_note(o, span_of("{\"immutable\":true}"));
	objects_wait(&w, o, now);
	cr_expect_eq(objects_due(&w), INT64_MAX);
	/* but when its bytes are needed */
	objects_want(&w, o);
	cr_expect_eq(objects_next(&w, now), o);
	objects_note(o, span_of("{\"immutable\":true}"));
	objects_wait(&w, o, now);
	cr_expect_eq(objects_due(&w), INT64_MAX);
	cr_expect_eq(o->len, 18);
	objects_unwant(o);
	cr_expect_null(o->bytes);
	unuse(uses, 1);
	NO_LEAKS();
}

/* -- what may change -- */

static int
build(struct block *b, void *arg)
{
	return recipe_of(b, arg) == NULL ? -1 : 0;
}

static char *
recipe(const char *volume, const char *mount)
{
	AUTO_FREE char *text = xasprintf(
	    "{\"metadata\":{\"name\":\"p\",\"labels\":{\"a\":\"b\"}},\"spec\":{"
	    "\"hostNetwork\":true,\"containers\":[{\"name\":\"c\",\"image\":"
	    "\"i\",\"volumeMounts\":[{\"name\":\"v\"%s}]}],\"volumes\":["
	    "{\"name\":\"v\",%s},{\"name\":\"w\",\"emptyDir\":{}}]}}",
	    mount, volume);
	AUTO_JSON struct json_object *json = jread_parse(span_of(text), NULL);

	return block_build(build, json);
}

#define DOWN(path)                                                         \
	"\"downwardAPI\":{\"items\":[{\"fieldRef\":{\"fieldPath\":\"" path \
	"\"}}]}"

Test(recipe, is_of_what_may_change_and_nothing_else)
{
	static const struct {
		const char *volume, *mount;
		int may;
	} rows[] = {
		{ "\"configMap\":{\"name\":\"m\"}", "", 1 },
		{ "\"secret\":{\"secretName\":\"m\"}", "", 1 },
		{ "\"configMap\":{\"name\":\"m\"}", ",\"subPath\":\"k\"", 0 },
		{ "\"configMap\":{\"name\":\"m\"}", ",\"subPath\":\"\"", 1 },
		{ "\"secret\":{\"secretName\":\"m\"}",
		    ",\"subPathExpr\":\"$(X)\"", 0 },
		{ DOWN("metadata.labels"), "", 1 },
		{ DOWN("metadata.annotations['x']"), "", 1 },
		{ DOWN("metadata.name"), "", 0 },
		{ "\"projected\":{\"sources\":[{" DOWN(
		      "metadata.uid") "},{"
				      "\"secret\":{\"name\":\"m\"}}]}",
		    "", 1 },
		{ "\"projected\":{\"sources\":[{" DOWN("metadata.uid") "}]}",
		    "", 0 },
		{ "\"emptyDir\":{}", "", 0 },
		{ "\"hostPath\":{\"path\":\"/x\"}", "", 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO_FREE char *text = recipe(rows[i].volume, rows[i].mount);

		cr_expect_eq(text != NULL, rows[i].may, "row %zu: %s", i, text);
		if (text == NULL)
			continue;
		cr_expect_null(strstr(text, "hostNetwork"));
		cr_expect_null(strstr(text, "image"));
		cr_expect_null(strstr(text, "emptyDir"));
		cr_expect_eq(strstr(text, "\"labels\":{") != NULL,
		    strstr(rows[i].volume, "labels") != NULL);
	}
}

static uint64_t
files(const char *text)
{
	AUTO_JSON struct json_object *json = jread_parse(span_of(text), NULL);

	return recipe_files(json);
}

Test(recipe, files_are_the_same_whatever_a_server_adds)
{
	uint64_t one = files("{\"name\":\"a.v\",\"inline\":[{\"path\":\"/p\","
			     "\"content\":\"c\",\"mode\":420}]}");

	cr_expect_eq(one,
	    files("{\"inline\":[{\"content\":\"c\",\"contentEncoding\":"
		  "\"plain\",\"mode\":420,\"path\":\"/p\",\"user\":\"\"}],"
		  "\"name\":\"a.v\"}"));
	cr_expect_neq(one,
	    files("{\"inline\":[{\"path\":\"/p\",\"content\":\"d\"}]}"));
	cr_expect_neq(one,
	    files("{\"inline\":[{\"path\":\"/pc\",\"content\":\"\"}]}"));
	cr_expect_neq(one, files("{\"inline\":[]}"));
}

/* -- entries -- */

#define CONF(name, more) "{\"name\":\"k8s-a." name "\"" more "}"

Test(files, take_the_place_of_those_of_their_name)
{
	AUTO_FREE char *text = edit_renew("{\"name\":\"k8s-a\"}\n" CONF("v",
					      "") "\n" CONF("w", ""),
	    CONF("v", ",\"x\":1"));

	cr_expect_str_eq(text,
	    "{\"name\":\"k8s-a\"}\n" CONF("w", "") "\n" CONF("v", ",\"x\":1"));
}

Test(files, are_set_without_their_application)
{
	struct device dev = { .name = NULL };
	struct wdevice d = { .dev = &dev };
	struct edit *e = edit_new(&d);
	AUTO_FREE char *text = NULL;
	static const char want[] =
	    "{\"applications\":{\"set\":[],\"cut\":[]},\"config\":{\"set\":["
	    "{\"name\":\"k8s-a.v\"},{\"name\":\"k8s-a.w\"}],\"cut\":[]}}";

	cr_assert_eq(edit_files(e, CONF("v", "") "\n" CONF("w", "")), 0);
	text = edit_text(e);
	edit_free(e);
	cr_expect_str_eq(text, want);
	NO_LEAKS();
}
