/* SPDX-License-Identifier: ISC */
/* One writer: taken, renewed, lost, given back. */
#include "kubeside/writer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/mono.h"
#include "kubeside/api.h"
#include "t/unit/apiserver.h"
#include "t/unit/leap.h"
#include "t/unit/said.h"

enum {
	STORM_MS = 1500,
	STORM_ASKS = 24,
};

static struct writer *writer;
static int64_t held;
static int is_released;

static void
on_held(int64_t until, void *arg)
{
	(void)arg;
	held = until;
}

static void
on_released(void *arg)
{
	(void)arg;
	is_released = 1;
}

static unsigned int others;

static unsigned int
on_others(void *arg)
{
	(void)arg;
	return others;
}

static void
set_up(void)
{
	static const struct writer_ops ops = { on_held, on_released,
		on_others };
	struct api *api = apiserver_open();

	writer = writer_new(apiserver_base, api,
	    &(struct writer_conf){ "ns", "node", "me", NULL }, &ops, NULL);
	writer_start(writer);
	apiserver_wait(1);
}

static void
tear_down(void)
{
	writer_free(writer);
	apiserver_close();
}

TestSuite(writer, .init = set_up, .fini = tear_down);

#define PATH "/apis/coordination.k8s.io/v1/namespaces/ns/leases"
#define LEASE(version, holder)                                          \
	"{\"metadata\":{\"resourceVersion\":\"" version "\"},\"spec\":" \
	"{\"holderIdentity\":\"" holder "\",\"leaseDurationSeconds\":15}}"

static int
asks(size_t i, const char *method, const char *in_body)
{
	return strcmp(apiserver_asked[i].method, method) == 0 &&
	    strstr(apiserver_asked[i].body, in_body) != NULL;
}

static void
expect_held(int64_t since)
{
	apiserver_run(20);
	/* 15 s less 5 s, from before the request was sent. */
	cr_expect_geq(held, since + 10000);
	cr_expect_leq(held, now_read().boot_ms + 10000);
	cr_expect_eq(writer_until(writer), held);
}

Test(writer, created_when_it_is_not_there)
{
	int64_t since = now_read().boot_ms;

	cr_expect_str_eq(apiserver_asked[0].target, PATH "/node");
	apiserver_reply(0, 404, "{}");
	apiserver_wait(2);
	cr_expect_str_eq(apiserver_asked[1].target, PATH);
	cr_expect(asks(1, "POST", "\"holderIdentity\":\"me\""));
	cr_expect_eq(held, 0);
	apiserver_reply(1, 201, LEASE("1", "me"));
	expect_held(since);
	/* Renewed in time, and only when nobody else wrote. */
	apiserver_wait(3);
	cr_expect_lt(now_read().boot_ms - since, 8000);
	cr_expect(asks(2, "PATCH", "\"resourceVersion\":\"1\""));
	apiserver_reply(2, 409, "{}");
	apiserver_wait(4);
	cr_expect_eq(held, 0, "somebody else wrote");
	cr_expect(asks(3, "GET", ""));
}

Test(writer, taken_at_once_when_free_or_mine)
{
	static const char *const leases[] = { LEASE("4", ""),
		LEASE("4", "me") };
	int64_t since = now_read().boot_ms;
	size_t i;

	for (i = 0; i < 2; i++) {
		apiserver_reply(3 * i, 200, leases[i]);
		apiserver_wait(3 * i + 2);
		cr_expect(asks(3 * i + 1, "PATCH",
		    "\"resourceVersion\":\"4\"},\"spec\":"
		    "{\"holderIdentity\":\"me\""));
		apiserver_reply(3 * i + 1, 200, LEASE("5", "me"));
		expect_held(since);
		if (i == 1)
			return;
		writer_again(writer);
		apiserver_wait(3);
		apiserver_reply(2, 409, "{}");
		apiserver_wait(4);
	}
}

/* A proxy that sends each write twice answers with the second one's 409. */
Test(writer, who_never_wins_does_not_storm)
{
	int64_t until = now_read().boot_ms + STORM_MS;
	size_t i = 0;

	while (now_read().boot_ms < until) {
		for (; i < apiserver_count; i++)
			if (strcmp(apiserver_asked[i].method, "GET") == 0)
				apiserver_reply(i, 200, LEASE("4", "me"));
			else
				apiserver_reply(i, 409, "{}");
		apiserver_run(10);
	}
	cr_expect_geq(apiserver_count, 4, "once more at once");
	cr_expect_leq(apiserver_count, STORM_ASKS, "%zu requests",
	    apiserver_count);
	cr_expect_eq(held, 0);
}

Test(writer, who_has_more_takes_later)
{
	int64_t since = now_read().boot_ms;

	others = 3;
	apiserver_reply(0, 404, "{}");
	apiserver_wait(2);
	/* 300, from when libevent last looked at the clock. */
	cr_expect_geq(now_read().boot_ms - since, 250);
	cr_expect(asks(1, "GET", ""));
	cr_expect_eq(writer_has(writer), 0);
	/* Nobody came. */
	apiserver_reply(1, 404, "{}");
	apiserver_wait(3);
	cr_expect(asks(2, "POST", "\"holderIdentity\":\"me\""));
	cr_expect_eq(writer_has(writer), 1);
	apiserver_reply(2, 409, "{}");
	apiserver_wait(4);
	cr_expect_eq(writer_has(writer), 0);
	/* Free again: whoever has less comes first once more. */
	since = now_read().boot_ms;
	apiserver_reply(3, 200, LEASE("4", ""));
	apiserver_wait(5);
	cr_expect_geq(now_read().boot_ms - since, 250);
	cr_expect(asks(4, "GET", ""));
	apiserver_reply(4, 200, LEASE("5", "you"));
	apiserver_run(50);
	cr_expect_eq(apiserver_count, 5);
}

Test(writer, one_s_own_is_taken_at_once)
{
	int64_t since = now_read().boot_ms;

	others = 20;
	apiserver_reply(0, 200, LEASE("4", "me"));
	apiserver_wait(2);
	cr_expect_lt(now_read().boot_ms - since, 1000);
	cr_expect(asks(1, "PATCH", "\"holderIdentity\":\"me\""));
}

Test(writer, another_s_is_left_alone)
{
	apiserver_reply(0, 200, LEASE("4", "you"));
	apiserver_run(50);
	cr_expect_eq(apiserver_count, 1);
	writer_again(writer);
	apiserver_wait(2);
	cr_expect(asks(1, "GET", ""));
	apiserver_reply(1, 200, LEASE("5", "you"));
	apiserver_run(50);
	cr_expect_eq(held, 0);
	cr_expect_eq(apiserver_count, 2);
}

Test(writer, given_back)
{
	apiserver_reply(0, 200, LEASE("4", ""));
	apiserver_wait(2);
	/* While one flies: its answer says what there is to give back. */
	writer_release(writer);
	apiserver_run(20);
	cr_expect_eq(apiserver_count, 2);
	apiserver_reply(1, 200, LEASE("5", "me"));
	apiserver_wait(3);
	cr_expect(asks(2, "PATCH",
	    "\"resourceVersion\":\"5\"},\"spec\":{\"holderIdentity\":\"\""));
	cr_expect(!is_released);
	apiserver_reply(2, 200, LEASE("6", ""));
	apiserver_until(&is_released);
	cr_expect_eq(writer_until(writer), 0);
}

Test(writer, nothing_to_give_back)
{
	apiserver_reply(0, 200, LEASE("4", "you"));
	apiserver_run(20);
	writer_release(writer);
	cr_expect(is_released);
	cr_expect_eq(apiserver_count, 1);
}

#define KEPT(version, holder, orders)                              \
	"{\"metadata\":{\"resourceVersion\":\"" version            \
	"\",\"annotations\":{\"vk.flightctl.io/orders\":\"" orders \
	"\"}},\"spec\":{\"holderIdentity\":\"" holder              \
	"\",\"leaseDurationSeconds\":15}}"
#define ORDERS "\"vk.flightctl.io/orders\":"

/* Held, after what was read. */
static void
take_with(const char *lease)
{
	apiserver_reply(0, 200, lease);
	apiserver_wait(2);
	cr_expect(strstr(apiserver_asked[1].body, ORDERS) == NULL,
	    "who takes it changes nothing");
	apiserver_reply(1, 200, LEASE("5", "me"));
	expect_held(0);
}

static void
keep(const char *orders)
{
	writer_keep(writer, span_of(orders));
}

Test(writer, orders_of_the_one_before)
{
	take_with(KEPT("4", "", "{\\\"by\\\":1}"));
	cr_expect_str_eq(writer_orders(writer), "{\"by\":1}");
}

Test(writer, orders_are_kept_at_once_and_then_once_a_second)
{
	int64_t since = now_read().boot_ms;

	take_with(LEASE("4", ""));
	cr_expect_str_eq(writer_orders(writer), "");
	keep("a");
	apiserver_wait(3);
	cr_expect_lt(now_read().boot_ms - since, 900);
	cr_expect(asks(2, "PATCH", ORDERS "\"a\""));
	cr_expect(asks(2, "PATCH", "\"resourceVersion\":\"5\""));
	/* While that flies, and just after it. */
	keep("b");
	keep("c");
	apiserver_reply(2, 200, LEASE("6", "me"));
	since = now_read().boot_ms;
	apiserver_wait(4);
	cr_expect_geq(now_read().boot_ms - since, 800);
	cr_expect(asks(3, "PATCH", ORDERS "\"c\""));
	apiserver_reply(3, 200, LEASE("7", "me"));
	apiserver_run(20);
	keep("c");
	apiserver_run(1200);
	cr_expect_eq(apiserver_count, 4, "it has them");
}

Test(writer, orders_that_are_refused_cost_no_lease)
{
	take_with(LEASE("4", ""));
	keep("a");
	apiserver_wait(3);
	apiserver_reply(2, 422, "{}");
	apiserver_wait(4);
	cr_expect(asks(3, "PATCH", "\"holderIdentity\":\"me\""));
	cr_expect(strstr(apiserver_asked[3].body, ORDERS) == NULL);
	apiserver_reply(3, 200, LEASE("6", "me"));
	expect_held(0);
}

Test(writer, orders_that_did_not_arrive_are_sent_again)
{
	take_with(LEASE("4", ""));
	keep("a");
	apiserver_wait(3);
	apiserver_reply(2, 503, "{}");
	apiserver_wait(4);
	cr_expect(asks(3, "PATCH", ORDERS "\"a\""));
	/* Somebody else writes: what was ours counts no more. */
	apiserver_reply(3, 409, "{}");
	apiserver_wait(5);
	apiserver_reply(4, 200, KEPT("9", "you", "b"));
	apiserver_run(20);
	cr_expect_str_eq(writer_orders(writer), "b");
	keep("c");
	cr_expect_str_eq(writer_orders(writer), "b", "not the writer");
}

Test(writer, given_back_with_its_orders)
{
	take_with(LEASE("4", ""));
	keep("a");
	writer_release(writer);
	apiserver_wait(3);
	cr_expect(asks(2, "PATCH", ORDERS "\"a\""));
	cr_expect(asks(2, "PATCH", "\"holderIdentity\":\"\""));
	apiserver_reply(2, 200, LEASE("6", ""));
	apiserver_until(&is_released);
}

/* -- what is said of it -- */

#define NO_LEASE                                               \
	"not a Lease: metadata.resourceVersion is absent, or " \
	"spec.holderIdentity is no text\n"
#define NOT_RENEWED "the Lease of node node was not renewed: " NO_LEASE

/* What we know of it holds: nobody's is written over. */
Test(writer, an_answer_that_is_no_lease_is_a_failure, .timeout = 60)
{
	take_with(LEASE("4", ""));
	said_start();
	leap(1);
	apiserver_wait(3);
	cr_expect(asks(2, "PATCH", "\"resourceVersion\":\"5\""));
	apiserver_reply(2, 200, "{\"kind\":\"Lease\"}");
	apiserver_wait(4);
	cr_expect(asks(3, "PATCH", "\"resourceVersion\":\"5\""));
	cr_expect_str_eq(said(), "", "one alone is no news");
	apiserver_reply(3, 200, "{\"spec\":{\"holderIdentity\":7}}");
	apiserver_wait(5);
	cr_expect(asks(4, "PATCH", "\"resourceVersion\":\"5\""));
	cr_expect_str_eq(said(), NOT_RENEWED);
	/* The second was written. */
	apiserver_reply(4, 409, "{}");
	apiserver_wait(6);
	cr_expect(asks(5, "GET", ""));
	apiserver_reply(5, 200, "{}");
	apiserver_wait(7);
	cr_expect(asks(6, "GET", ""));
	apiserver_reply(6, 200, LEASE("7", "me"));
	apiserver_wait(8);
	cr_expect(asks(7, "PATCH", "\"resourceVersion\":\"7\""));
	cr_expect_str_eq(said(), NOT_RENEWED);
	leap(0);
	said_stop();
}

Test(writer, one_that_cannot_be_given_back_is_told)
{
	take_with(LEASE("4", ""));
	said_start();
	writer_release(writer);
	apiserver_wait(3);
	apiserver_reply(2, 500, "{\"message\":\"broken\"}");
	apiserver_until(&is_released);
	cr_expect_str_eq(said(),
	    "the Lease of node node was not given back: PATCH " PATH
	    "/node: 500: broken\n");
	said_stop();
}

/* Whoever comes next waits for its end. */
Test(writer, one_that_was_perhaps_taken_keeps_nobody)
{
	apiserver_reply(0, 200, LEASE("4", ""));
	apiserver_wait(2);
	writer_release(writer);
	apiserver_reply(1, 200, "{\"kind\":\"Lease\"}");
	apiserver_until(&is_released);
	cr_expect_eq(apiserver_count, 2);
}
