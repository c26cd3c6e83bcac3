/* SPDX-License-Identifier: ISC */
/* What people ordered for a node, as its Lease keeps it. */
#include "placer/kept.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/orders.h"
#include "t/unit/fleet.h"
#include "t/unit/leaks.h"

static const struct now now = { 60000, 60000 };
static struct world *w;
static struct wnode *n;

static void
add(const char *name)
{
	fleet_add(w, &(struct fleet_device){ name, 4, 2048, NULL, NULL, NULL });
}

/* A writer with devices a and b, of the database "mine". */
static void
set_up(void)
{
	w = fleet_world();
	n = &w->nodes[0];
	n->until_boot = 70000;
	(void)snprintf(w->memory, sizeof(w->memory), "mine");
	add("a");
	add("b");
	n = world_device(w, "a")->node;
}

static void
tear_down(void)
{
	fleet_free(w);
	NO_LEAKS();
}

TestSuite(kept, .init = set_up, .fini = tear_down);

static enum order_verdict
order(enum order_kind kind, const char *name, char text[MAX_TEXT])
{
	struct effects fx = { NULL, 0, 0 };
	enum order_verdict v;

	v = orders_take(w, &(struct order){ kind, name, 1000 }, now, &fx, text);
	effects_clear(&fx);
	kept_stale(n);
	return v;
}

static void
ordered(enum order_kind kind, const char *name)
{
	char text[MAX_TEXT];

	cr_assert_eq(order(kind, name, text), ORDER_DOES, "%s", text);
}

static int
told(const char *orders, struct why *why)
{
	struct body_orders m = { .orders = span_of(orders) };

	(void)snprintf(m.node, sizeof(m.node), "%s", n->name);
	return kept_told(w, &m, why);
}

/* How many orders were saved, how many times it was said. */
static void
take(size_t saved, size_t said)
{
	struct effects fx = { NULL, 0, 0 };
	size_t i, words = 0, kept = 0;

	kept_take(w, &fx);
	for (i = 0; i < fx.n; i++) {
		words += fx.list[i].kind == EFFECT_WORD;
		kept += fx.list[i].kind == EFFECT_KEPT;
	}
	cr_expect_eq(words, saved, "%zu are saved", words);
	cr_expect_eq(kept, said, "it is said %zu times", kept);
	effects_clear(&fx);
}

#define AT "\"uid\":1000,\"at\":\"1970-01-01T00:01:00Z\""
#define DRAINED(by, name) \
	"{\"by\":\"" by "\",\"drained\":{\"" name "\":{" AT "}}}"

Test(kept, nothing_is_kept_where_nothing_was_ordered)
{
	cr_expect_null(kept_next(w, n, now), "it is not known what is there");
	cr_expect_eq(told("", NULL), 0);
	cr_expect_null(kept_next(w, n, now));
}

Test(kept, an_order_is_kept_until_it_is_taken_back)
{
	told("", NULL);
	ordered(ORDER_DRAIN, "b");
	cr_expect_str_eq(kept_next(w, n, now), DRAINED("mine", "b"));
	cr_expect_null(kept_next(w, n, now), "once");
	ordered(ORDER_UNDRAIN, "b");
	/* Whose it is stays: what an older memory has counts no more. */
	cr_expect_str_eq(kept_next(w, n, now), "{\"by\":\"mine\"}");
	ordered(ORDER_RETIRE, n->name);
	cr_expect_str_eq(kept_next(w, n, now),
	    "{\"by\":\"mine\",\"retired\":{" AT "}}");
}

Test(kept, only_the_writer_that_knows_all_devices_says_so)
{
	told("", NULL);
	ordered(ORDER_DRAIN, "a");
	w->devices_listed = 0;
	cr_expect_null(kept_next(w, n, now));
	w->devices_listed = 1;
	cr_expect_null(kept_next(w, n, (struct now){ 70000, 70000 }));
	cr_expect_str_eq(kept_next(w, n, now), DRAINED("mine", "a"));
}

Test(kept, another_writer_s_orders_hold_and_no_others)
{
	char text[MAX_TEXT];

	ordered(ORDER_DRAIN, "a");
	cr_expect_eq(told(DRAINED("other", "b"), NULL), 0);
	w->devices_listed = 0;
	take(0, 0);
	cr_expect_eq(order(ORDER_RETIRE, n->name, text), ORDER_REFUSED,
	    "it would be overwritten");
	cr_expect(strstr(text, "try again") != NULL, "%s", text);
	w->devices_listed = 1;
	take(2, 1);
	cr_expect_not(world_device(w, "a")->drained.on);
	cr_expect(world_device(w, "b")->drained.on);
	cr_expect_eq(world_device(w, "b")->drained.uid, 1000);
	cr_expect_eq(world_device(w, "b")->drained.at_ms, 60000);
	take(0, 0);
	ordered(ORDER_DRAIN, "a");
	cr_expect_str_eq(kept_next(w, n, now),
	    "{\"by\":\"mine\",\"drained\":{\"a\":{" AT "},\"b\":{" AT "}}}");
}

Test(kept, a_node_that_another_writer_retired_is)
{
	told("{\"by\":\"other\",\"retired\":{" AT "},\"givenUp\":"
	     "{\"a\":{" AT ",\"created\":\"c\"},\"left\":{" AT "}}}",
	    NULL);
	take(2, 1);
	cr_expect(n->retired.on);
	cr_expect(world_device(w, "a")->given_up.on);
	cr_expect_str_eq(world_device(w, "a")->given_up_created, "c");
	cr_expect_str_eq(kept_next(w, n, now),
	    "{\"by\":\"mine\",\"retired\":{" AT "},\"givenUp\":"
	    "{\"a\":{" AT ",\"created\":\"c\"}}}");
}

Test(kept, one_s_own_memory_may_know_more)
{
	ordered(ORDER_DRAIN, "a");
	told(DRAINED("mine", "b"), NULL);
	take(0, 0);
	cr_expect(world_device(w, "a")->drained.on);
	cr_expect_str_eq(kept_next(w, n, now), DRAINED("mine", "a"));
}

Test(kept, what_cannot_be_read_changes_nothing)
{
	static const struct {
		const char *orders, *why;
	} bad[] = {
		{ "[]", "" },
		{ "{", "" },
		{ "{\"drained\":{}}", "by" },
		{ "{\"by\":\"o\",\"drained\":{\"b\":1}}", "drained.b" },
		{ "{\"by\":\"o\",\"drained\":{\"b\":{\"uid\":1}}}",
		    "drained.b.at" },
		{ "{\"by\":\"o\",\"givenUp\":{\"b\":"
		  "{\"uid\":1,\"at\":\"now\"}}}",
		    "givenUp.b.at" },
		{ "{\"by\":\"o\",\"retired\":{\"uid\":-1,\"at\":\"\"}}",
		    "retired.uid" },
	};
	struct why why;
	size_t i;

	ordered(ORDER_DRAIN, "a");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_expect_eq(told(bad[i].orders, &why), -1, "%s",
		    bad[i].orders);
		cr_expect(strstr(why.text, bad[i].why) != NULL, "%s: %s",
		    bad[i].orders, why.text);
		take(0, 0);
		cr_expect_str_eq(kept_next(w, n, now), DRAINED("mine", "a"));
	}
}

Test(kept, an_order_without_room_is_refused)
{
	char name[MAX_NAME + 1], text[MAX_TEXT];
	AUTO_FREE char *all = NULL;
	enum order_verdict v = ORDER_DOES;
	int i;

	told("", NULL);
	for (i = 0; v == ORDER_DOES; i++) {
		cr_assert_lt(i, 2000, "it goes on without end");
		(void)snprintf(name, sizeof(name), "%04d%0246d", i, 0);
		add(name);
		v = order(ORDER_DRAIN, name, text);
	}
	cr_expect_eq(v, ORDER_REFUSED);
	cr_expect(strstr(text, "has no room for more orders") != NULL, "%s",
	    text);
	all = kept_text(w, n);
	cr_expect_leq(strlen(all), MAX_ORDERS);
	cr_expect_geq(strlen(all), MAX_ORDERS - 1024, "%zu", strlen(all));
	ordered(ORDER_RETIRE, n->name);
	cr_expect_not_null(kept_next(w, n, now));
}
