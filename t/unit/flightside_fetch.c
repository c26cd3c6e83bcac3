/* SPDX-License-Identifier: ISC */
/*
 * What a list by name brings: to each who wants it, and a warning about what
 * nobody asked for; what was asked for and is wanted no more is no surprise.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "common/log.h"
#include "flightside/fetch.h"
#include "ipc/msg.h"
#include "t/unit/flightfake.h"

#define DEVICE(name) "{\"metadata\":{\"name\":\"" name "\"},\"spec\":{}}"
#define LIST(items) "{\"metadata\":{},\"items\":[" items "]}"

static struct fetch *fetch;
static unsigned int answers[3], unasked;

static void
on_log(const struct body_log *line, void *arg)
{
	(void)arg;
	unasked += strstr(line->text, "was not asked for") != NULL;
}

static void
on_device(const char *name, int64_t read_boot, struct span device,
    const struct why *why, void *arg)
{
	unsigned int *n = arg;

	(void)read_boot, (void)device;
	cr_assert_eq(why->kind, ERR_NONE, "%s: %s", name, why->text);
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
	unasked = 0;
	fake_start();
	fake_open();
	log_set_level(LOG_LEVEL_WARN);
	log_set_sink(on_log, NULL);
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
	log_set_sink(NULL, NULL);
	fake_stop();
}

Test(fetch, each_who_wants_a_device_gets_it, .timeout = 60)
{
	start();
	fake_reply(200, LIST(DEVICE("a") "," DEVICE("b")));
	FAKE_UNTIL(answers[0] > 0 && answers[1] > 0 && answers[2] > 0);
	cr_assert(answers[0] == 1 && answers[1] == 1 && answers[2] == 1);
	cr_assert_eq(unasked, 0);
	stop();
}

Test(fetch, what_nobody_asked_for_is_told, .timeout = 60)
{
	start();
	fake_reply(200, LIST(DEVICE("a") "," DEVICE("x") "," DEVICE("b")));
	FAKE_UNTIL(answers[0] > 0 && answers[1] > 0 && answers[2] > 0);
	cr_assert_eq(unasked, 1);
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
	cr_assert_eq(unasked, 0);

	/* The next request is judged as before. */
	want("a", 0);
	want("b", 1);
	(void)fake_asked();
	fake_reply(200, LIST(DEVICE("a") "," DEVICE("b") "," DEVICE("x")));
	FAKE_UNTIL(answers[0] > 0 && answers[1] > 1);
	cr_assert_eq(unasked, 1);
	stop();
}
