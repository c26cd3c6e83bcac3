/* SPDX-License-Identifier: ISC */
/* How Flightctl answers, from what its answers were. */
#include "flightside/reach.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <event2/event.h>
#include <string.h>

#include "common/log.h"
#include "t/unit/leap.h"
#include "t/unit/said.h"

static struct {
	int state, told;
	char text[512];
} seen;

static void
on_tell(enum flight_state state, const char *text, void *arg)
{
	(void)arg;
	seen.state = (int)state;
	seen.told++;
	snprintf(seen.text, sizeof(seen.text), "%s", text);
}

static struct event_base *base;

static struct reach *
begin(void)
{
	log_init("t");
	base = event_base_new();
	memset(&seen, 0, sizeof(seen));
	seen.state = -1;
	return reach_new(base, on_tell, NULL);
}

static void
end(struct reach *r)
{
	reach_free(r);
	event_base_free(base);
}

static void
answer(struct reach *r, unsigned int status, enum right right)
{
	struct https_answer a = { .status = status };

	if (status == 0)
		fail(&a.why, ERR_AGAIN, "no connection");
	else if (status >= 300)
		fail_code(&a.why, https_kind(status), status, "it said %u",
		    status);
	reach_judge(r, &a, right);
}

Test(reach, one_failure_is_none_and_two_are)
{
	struct reach *r = begin();

	answer(r, 200, RIGHT_LIST_DEVICES);
	cr_assert_eq(seen.state, FLIGHT_ANSWERS);
	answer(r, 503, RIGHT_LIST_DEVICES);
	answer(r, 200, RIGHT_LIST_DEVICES);
	answer(r, 0, RIGHT_LIST_DEVICES);
	cr_assert_eq(seen.told, 1);
	answer(r, 0, RIGHT_UPDATE_DEVICE);
	cr_assert_eq(seen.state, FLIGHT_SILENT);
	cr_assert_str_eq(seen.text, "no connection");
	answer(r, 401, RIGHT_LIST_DEVICES);
	cr_assert_eq(seen.state, FLIGHT_UNAUTHORIZED);
	answer(r, 404, RIGHT_GET_DEVICE);
	cr_assert_eq(seen.state, FLIGHT_ANSWERS);
	end(r);
}

/* However often: it is an answer, and says so once in the log. */
Test(reach, a_missing_right_is_no_outage, .init = cr_redirect_stderr)
{
	struct reach *r = begin();
	char log[4096] = "";
	int i;

	answer(r, 200, RIGHT_LIST_DEVICES);
	for (i = 0; i < 5; i++) {
		answer(r, 403, RIGHT_UPDATE_DEVICE);
		answer(r, 403, RIGHT_GET_DEVICE);
		answer(r, 403, RIGHT_LIST_EVENTS);
		answer(r, 403, RIGHT_LIST_ORGS);
	}
	cr_assert_eq(seen.state, FLIGHT_ANSWERS);
	cr_assert_eq(seen.told, 1);
	/* From an outage it is the end. */
	answer(r, 0, RIGHT_UPDATE_DEVICE);
	answer(r, 0, RIGHT_UPDATE_DEVICE);
	cr_assert_eq(seen.state, FLIGHT_SILENT);
	answer(r, 403, RIGHT_UPDATE_DEVICE);
	cr_assert_eq(seen.state, FLIGHT_ANSWERS);
	end(r);
	fflush(stderr);
	cr_assert_gt(fread(log, 1, sizeof(log) - 1, cr_get_redirected_stderr()),
	    0);
	/* One for update, one for get. */
	cr_assert_not_null(strstr(log, "not allowed error=\"it said 403"));
	cr_assert_not_null(
	    strstr(strstr(log, "not allowed") + 1, "not allowed"));
	cr_assert_null(
	    strstr(strstr(strstr(log, "not allowed") + 1, "not allowed") + 1,
		"not allowed"));
}

Test(reach, without_the_list_it_is_forbidden_until_there_is_one)
{
	struct reach *r = begin();

	answer(r, 200, RIGHT_LIST_DEVICES);
	answer(r, 403, RIGHT_LIST_DEVICES);
	cr_assert_eq(seen.state, FLIGHT_FORBIDDEN);
	cr_assert_str_eq(seen.text, "it said 403");
	answer(r, 200, RIGHT_GET_DEVICE);
	answer(r, 200, RIGHT_LIST_ORGS);
	answer(r, 404, RIGHT_LIST_DEVICES);
	answer(r, 503, RIGHT_LIST_DEVICES);
	cr_assert_eq(seen.state, FLIGHT_FORBIDDEN);
	cr_assert_eq(seen.told, 2);
	answer(r, 200, RIGHT_LIST_DEVICES);
	cr_assert_eq(seen.state, FLIGHT_ANSWERS);
	cr_assert_eq(seen.told, 3);
	end(r);
}

Test(reach, before_anything_is_known_a_401_is_told_at_once)
{
	struct reach *r = begin();

	answer(r, 0, RIGHT_LIST_ORGS);
	cr_assert_eq(seen.told, 0);
	answer(r, 401, RIGHT_LIST_ORGS);
	cr_assert_eq(seen.state, FLIGHT_UNAUTHORIZED);
	end(r);
	r = begin();
	answer(r, 401, RIGHT_LIST_ORGS);
	cr_assert_eq(seen.state, FLIGHT_UNAUTHORIZED);
	end(r);
}

/* To and fro within a minute: the log has one line, and its end. */
Test(reach, the_log_stays_short, .init = cr_redirect_stderr)
{
	struct reach *r = begin();
	char log[8192] = "";
	const char *at = log;
	int i, lines = 0;

	for (i = 0; i < 50; i++) {
		answer(r, 401, RIGHT_LIST_DEVICES);
		answer(r, 401, RIGHT_LIST_DEVICES);
		answer(r, 503, RIGHT_LIST_DEVICES);
		answer(r, 200, RIGHT_LIST_DEVICES);
	}
	end(r);
	fflush(stderr);
	cr_assert_gt(fread(log, 1, sizeof(log) - 1, cr_get_redirected_stderr()),
	    0);
	for (; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	cr_assert_eq(lines, 2, "%s", log);
	cr_assert_not_null(
	    strstr(log, "refuses our credentials error=\"it said 401"));
	cr_assert_not_null(strstr(log, "answers, after 0 s"));
}

/* What lasts is said again, with its cause and how long it has been so. */
Test(reach, what_lasts_is_said_each_hour)
{
	static const char twice[] =
	    "Flightctl does not answer: no connection\n"
	    "Flightctl does not answer, for 60 minutes now: no connection\n"
	    "Flightctl does not answer, for 120 minutes now: no connection\n";
	struct reach *r = begin();
	int i;

	said_start();
	leap_at_once(1);
	answer(r, 0, RIGHT_LIST_DEVICES);
	answer(r, 0, RIGHT_LIST_DEVICES);
	/* The first is the end of the wait for a word. */
	for (i = 0; i < 3; i++)
		event_base_loop(base, EVLOOP_ONCE);
	leap_at_once(0);
	cr_expect_str_eq(said(), twice);
	said_stop();
	end(r);
}
