/* SPDX-License-Identifier: ISC */
/*
 * What a list by name brings: to each who wants it, and a warning about what
 * nobody asked for; what was asked for and is wanted no more is no surprise.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "flightside/fetch.h"
#include "t/unit/flightfake.h"
#include "t/unit/said.h"

#define DEVICE(name) "{\"metadata\":{\"name\":\"" name "\"},\"spec\":{}}"
#define UNASKED "a device came that was not asked for\n"
#define LIST(items) "{\"metadata\":{},\"items\":[" items "]}"

static struct fetch *fetch;
static unsigned int answers[3];
static char error[512]; /* of a device that was told to be none */

static void
on_device(const char *name, int64_t read_boot, struct span device,
    const struct why *why, void *arg)
{
	unsigned int *n = arg;

	(void)name, (void)read_boot, (void)device;
	if (why->kind != ERR_NONE)
		snprintf(error, sizeof(error), "%s", why->text);
	(*n)++;
}

static void
want(const char *name, unsigned int i)
{
	fetch_device(fetch, BUDGET_SUSPECT, name, 0, on_device, &answers[i]);
}

/* Three ask, for two devices: one request, which has been sent. */
static void
start(void)
{
	memset(answers, 0, sizeof(answers));
	error[0] = '\0';
	fake_start();
	fake_open();
	said_start();
	fetch = fetch_new(fake.base, fake.flight);
	want("a", 0);
	want("b", 1);
	want("b", 2);
	cr_assert_not_null(strstr(fake_asked(), "in (a,b)"), "%s",
	    fake_asked());
}

static void
stop(void)
{
	fetch_free(fetch);
	said_stop();
	cr_expect_str_eq(error, "");
	fake_stop();
}

Test(fetch, each_who_wants_a_device_gets_it, .timeout = 60)
{
	start();
	fake_reply(200, LIST(DEVICE("a") "," DEVICE("b")));
	FAKE_UNTIL(answers[0] > 0 && answers[1] > 0 && answers[2] > 0);
	cr_assert(answers[0] == 1 && answers[1] == 1 && answers[2] == 1);
	cr_assert_str_eq(said(), "");
	stop();
}

Test(fetch, what_nobody_asked_for_is_told, .timeout = 60)
{
	start();
	fake_reply(200, LIST(DEVICE("a") "," DEVICE("x") "," DEVICE("b")));
	FAKE_UNTIL(answers[0] > 0 && answers[1] > 0 && answers[2] > 0);
	cr_assert_str_eq(said(), UNASKED);
	stop();
}

Test(fetch, what_has_no_name_or_is_no_json_is_told, .timeout = 60)
{
	start();
	fake_reply(200,
	    LIST("{\"metadata\":{}}," DEVICE(
		"a") ",{\"metadata\":{\"name\":\"b\"},?}"));
	FAKE_UNTIL(answers[0] > 0 && answers[1] > 0 && answers[2] > 0);
	cr_assert_str_eq(said(), "a device without a name in a list by name\n");
	cr_assert_str_eq(error, "device b: no JSON");
	error[0] = '\0';
	stop();
}

/* A worker was killed while Flightctl answered. */
Test(fetch, what_is_wanted_no_more_is_no_surprise, .timeout = 60)
{
	start();
	fetch_forget(fetch, &answers[0]);
	fake_reply(200, LIST(DEVICE("a") "," DEVICE("b")));
	FAKE_UNTIL(answers[1] > 0 && answers[2] > 0);
	cr_assert_eq(answers[0], 0);
	cr_assert_str_eq(said(), "");

	/* The next request is judged as before. */
	want("a", 0);
	want("b", 1);
	(void)fake_asked();
	fake_reply(200, LIST(DEVICE("a") "," DEVICE("b") "," DEVICE("x")));
	FAKE_UNTIL(answers[0] > 0 && answers[1] > 1);
	cr_assert_str_eq(said(), UNASKED);
	stop();
}
