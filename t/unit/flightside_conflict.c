/* SPDX-License-Identifier: ISC */
/*
 * A 409 through put.c, fetch.c and flight.c: the read and the write that
 * follow it are a pair with two requests of the budget, taken at once.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "flightside/fetch.h"
#include "flightside/fleets.h"
#include "flightside/put.h"
#include "t/unit/flightfake.h"
#include "t/unit/leap.h"

#define PATH "devices/d?org_id=" FAKE_ORG
#define FASTER                                                            \
	"{\"code\":409,\"reason\":\"Conflict\",\"message\":\"the object " \
	"has been modified; please apply your changes to the latest "     \
	"version and try again\"}"

enum {
	CONFLICTS = 5,
	DOUBTS = 3,
};

static struct fleets *fleets;
static struct fetch *fetch;
static struct put *put;
static unsigned int answers;
static struct body_changed answer;

static void
next_is(const char *method)
{
	char want[128];

	(void)snprintf(want, sizeof(want), "%s " PATH, method);
	cr_assert_str_eq(fake_asked(), want);
}

static void
reply_device(unsigned int version, const char *more)
{
	AUTO_FREE char *device =
	    xasprintf("{\"metadata\":{\"name\":\"d\",\"generation\":%u,"
		      "\"resourceVersion\":\"%u\",\"creationTimestamp\":"
		      "\"2026-01-01T00:00:00Z\"%s},\"spec\":{}}",
		version, version, more);

	fake_reply(200, device);
}

static void
on_answer(uint64_t id, const struct body_changed *m, void *arg)
{
	(void)id, (void)arg;
	answer = *m;
	answers++;
}

static void
start(void)
{
	struct why why;

	answers = 0;
	fake_start();
	fake_open();
	fleets = fleets_new(&fake.settings, &why);
	fetch = fetch_new(fake.base, fake.flight);
	put = put_new(&(struct put_parts){ fake.base, fake.flight, fetch,
			  fleets },
	    &fake.settings, on_answer, NULL);
	cr_assert_eq(put_cluster(put, "c"), 0);
	fake_stand_still();
}

static void
stop(void)
{
	put_free(put);
	fetch_free(fetch);
	fleets_free(fleets);
	fake_stop();
}

#define NAME "k8s-2e7d2c03a9-default-web-de19433b"
#define EDIT                                                                 \
	"{\"applications\":{\"set\":[{\"name\":\"" NAME "\",\"appType\":"    \
	"\"quadlet\",\"inline\":[{\"path\":\"c.container\",\"content\":\""   \
	"[Container]\\nContainerName=c\\nImage=quay.io/a/b:1\\n[Install]\\n" \
	"WantedBy=multi-user.target\\n\"}]}]}}"

static void
change_for(int64_t ms)
{
	struct body_change m = { .device = "d" };

	m.until_boot = (uint64_t)(now_read().boot_ms + ms);
	m.edit = span_of(EDIT);
	put_change(put, 7, &m);
	next_is("GET");
}

/* A change whose first write has met a conflict. */
static void
change_that_meets_one(void)
{
	change_for(4 * FAKE_PATIENCE_MS);
	cr_assert_eq(fake_kept(), 0, "a first read may share its request");
	reply_device(1, "");
	next_is("PUT");
	cr_assert_not_null(strstr(fake_body(), "\"resourceVersion\":\"1\""));
	fake_reply(409, FASTER);
}

/* The read of a pair has come: one more is kept for its write. */
static void
pair_begins(unsigned int before)
{
	next_is("GET");
	cr_assert_eq(fake_kept(), 1);
	cr_assert_eq(fake_left(), before - 1);
}

static void
pair_ends(unsigned int version, unsigned int before)
{
	AUTO_FREE char *swap = xasprintf("\"resourceVersion\":\"%u\"", version);

	reply_device(version, "");
	next_is("PUT");
	cr_assert_not_null(strstr(fake_body(), swap), "%s", swap);
	cr_assert_eq(fake_kept(), 0);
	cr_assert_eq(fake_left(), before - 2, "%u of %u", fake_left(), before);
}

static void
is_answered(enum why_kind kind, uint32_t code, const char *text)
{
	FAKE_UNTIL(answers > 0);
	cr_assert_eq(answers, 1);
	cr_assert_eq(answer.kind, kind, "%s: %s", why_name(answer.kind),
	    answer.text);
	cr_assert_eq(answer.code, code, "%u", answer.code);
	cr_assert_not_null(strstr(answer.text, text), "%s", answer.text);
	cr_assert_eq(fake_kept(), 0);
	cr_assert_eq(fake.nasked, 0);
}

/* -- so many conflicts -- */

static void
after_conflicts(unsigned int n)
{
	unsigned int before, i;

	start();
	before = fake_left();
	change_that_meets_one();
	cr_assert_eq(fake_left(), before - 2);
	for (i = 1; i <= n; i++) {
		pair_begins(before - 2 * i);
		pair_ends(i + 1, before - 2 * i);
		if (i < n)
			fake_reply(409, FASTER);
	}
}

Test(conflict, one_is_read_again_and_written, .timeout = 60)
{
	after_conflicts(1);
	reply_device(3, "");
	is_answered(ERR_NONE, 200, "");
	cr_assert_eq(answer.written, 1);
	cr_assert_eq(answer.generation, 3);
	cr_assert_eq(fake.puts, 2);
	stop();
}

Test(conflict, two_are_two_pairs, .timeout = 60)
{
	after_conflicts(2);
	reply_device(4, "");
	is_answered(ERR_NONE, 200, "");
	cr_assert_eq(answer.written, 1);
	cr_assert_eq(fake.puts, 3);
	stop();
}

/* Whoever is faster each time is told of, and the change is the placer's. */
Test(conflict, always_ends_and_says_so, .timeout = 60)
{
	after_conflicts(CONFLICTS);
	fake_reply(409, FASTER);
	is_answered(ERR_CONFLICT, 409, "the object has been modified");
	cr_assert_eq(answer.written, 0);
	cr_assert_eq(fake.puts, 1 + CONFLICTS);
	stop();
}

/* A rival that is always right: no second try, and the words are its own. */
Test(conflict, of_another_kind_is_no_reason_to_try_again, .timeout = 60)
{
	static const struct {
		const char *message;
		enum why_kind kind;
	} rivals[] = {
		{ "could not update the resource because it has an owner",
		    ERR_DENIED },
		{ "device is decommissioned", ERR_DENIED },
		{ "conflict of a kind that is new", ERR_AGAIN },
	};
	size_t i;

	for (i = 0; i < sizeof(rivals) / sizeof(rivals[0]); i++) {
		AUTO_FREE char *body =
		    xasprintf("{\"message\":\"%s\"}", rivals[i].message);

		after_conflicts(1);
		fake_reply(409, body);
		is_answered(rivals[i].kind, 409, rivals[i].message);
		cr_assert_eq(fake.puts, 2);
		stop();
	}
}

/* -- a pair that is not finished -- */

Test(conflict, a_read_that_fails_gives_the_kept_one_back, .timeout = 60)
{
	static const struct {
		int status;
		const char *body;
		enum why_kind kind;
		uint32_t code;
		const char *text;
	} reads[] = {
		{ 500, "{\"message\":\"broken\"}", ERR_AGAIN, 500, "broken" },
		{ 404, "{\"message\":\"Device not found\"}", ERR_GONE, 404,
		    "not found" },
		{ 403, "{\"message\":\"Forbidden\"}", ERR_DENIED, 403,
		    "may not get devices" },
		{ 200, "{\"metadata\":{\"name\":\"other\"}}", ERR_FORMAT, 0,
		    "not the device asked for" },
		{ 200, "{\"metadata\":{\"name\":\"d\"},\"spec\":{}}",
		    ERR_FORMAT, 0, "metadata.resourceVersion" },
		{ 200, "{\"metadata\":", ERR_FORMAT, 0, "" },
	};
	unsigned int before;
	size_t i;

	for (i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
		start();
		before = fake_left();
		change_that_meets_one();
		pair_begins(before - 2);
		fake_reply(reads[i].status, reads[i].body);
		is_answered(reads[i].kind, reads[i].code, reads[i].text);
		cr_assert_eq(fake.puts, 1);
		cr_assert_eq(fake_left(), before - 3);
		stop();
	}
}

/* -- an answer that says nothing, and one that would come too late -- */

/* It was stored, perhaps: that is looked at, and written once more. */
Test(conflict, a_write_whose_answer_is_no_device_is_read_again, .timeout = 60)
{
	static const char *const bodies[] = { "{}", "<html>",
		"{\"metadata\":{\"name\":\"d\"},\"spec\":{}}",
		"{\"metadata\":{\"name\":\"x\",\"generation\":1,"
		"\"resourceVersion\":\"1\",\"creationTimestamp\":"
		"\"2026-01-01T00:00:00Z\"},\"spec\":{}}" };
	unsigned int i;

	start();
	change_for(4 * FAKE_PATIENCE_MS);
	leap(1);
	for (i = 0; i <= DOUBTS; i++) {
		next_is("GET");
		reply_device(1 + i, "");
		next_is("PUT");
		fake_reply(200, bodies[i]);
	}
	is_answered(ERR_AGAIN, 200,
	    "device d was written, but the answer is not that device");
	leap(0);
	stop();
}

/* The Lease may be another's by then. */
Test(conflict, a_write_waits_no_longer_than_we_are_the_writer, .timeout = 60)
{
	int64_t until;

	start();
	until = now_read().boot_ms + 100;
	change_for(100);
	FAKE_UNTIL(now_read().boot_ms > until);
	reply_device(1, "");
	is_answered(ERR_AGAIN, 0,
	    "device d: not sent while we were surely the writer of its node");
	cr_assert_eq(fake.puts, 0);
	stop();
}

/* What the read shows is not to be written to. */
Test(conflict, a_device_that_was_taken_gives_the_kept_one_back, .timeout = 60)
{
	unsigned int before;

	start();
	before = fake_left();
	change_that_meets_one();
	pair_begins(before - 2);
	reply_device(2, ",\"owner\":\"Fleet/x\"");
	is_answered(ERR_DENIED, 0, "owned by Fleet/x");
	cr_assert_eq(fake_left(), before - 3);
	stop();
}

/* The link to the placer is over, or we are. */
Test(conflict, nobody_waits_for_it_any_more, .timeout = 60)
{
	unsigned int before;

	start();
	before = fake_left();
	change_that_meets_one();
	pair_begins(before - 2);
	put_forget(put);
	reply_device(2, "");
	FAKE_UNTIL(fake_kept() == 0);
	cr_assert_eq(answers, 0);
	cr_assert_eq(fake_left(), before - 3);
	stop();
}

Test(conflict, a_refusal_for_now_keeps_nothing_and_reads_anew, .timeout = 60)
{
	start();
	change_that_meets_one();
	next_is("GET");
	cr_assert_eq(fake_kept(), 1);
	fake_reply(429, "{\"message\":\"Too many requests\"}");
	FAKE_UNTIL(fake_kept() == 0);
	next_is("GET");
	reply_device(2, "");
	next_is("PUT");
	reply_device(3, "");
	is_answered(ERR_NONE, 200, "");
	stop();
}

/* -- and nobody in between -- */

static int
other_ready(struct flight_req *r, void *arg)
{
	(void)arg;
	r->path = xstrdup("/api/v1/other");
	r->deadline_ms = FAKE_PATIENCE_MS;
	return 1;
}

static void
other_done(const struct https_answer *a, void *arg)
{
	(void)a;
	*(int *)arg = 1;
}

Test(conflict, the_write_waits_for_no_turn, .timeout = 60)
{
	static const struct flight_ops ops = { other_ready, NULL, other_done };
	int other = 0;

	start();
	change_that_meets_one();
	next_is("GET");
	/* Nothing is left but what is kept, and others wait. */
	fake_spend();
	flight_queue(fake.flight, BUDGET_WRITE, FLIGHT_FIRST, &ops, &other);
	reply_device(2, "");
	next_is("PUT");
	cr_assert_eq(fake.nasked, 1);
	cr_assert_eq(fake_left(), 0);
	reply_device(3, "");
	FAKE_UNTIL(answers > 0);
	cr_assert_eq(fake.nasked, 0);
	flight_reload(fake.flight, &fake.settings); /* requests come again */
	cr_assert_str_eq(fake_asked(), "GET other");
	fake_reply(200, "{}");
	FAKE_UNTIL(other);
	stop();
}
