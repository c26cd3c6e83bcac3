/* SPDX-License-Identifier: ISC */
/* A node's heartbeat: made, renewed in time but not in step, never back. */
#include "kubeside/beat.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/mono.h"
#include "common/scan.h"
#include "common/stamp.h"
#include "kubeside/api.h"
#include "t/unit/apiserver.h"

enum {
	PERIOD_MS = 500,
	ROUNDS = 8,
	SLOW_MS = 300, /* this machine, under load */
};

static struct beat *beat;

static void
set_up(void)
{
	struct api *api = apiserver_open();

	beat = beat_new(apiserver_base, api, "n", "f", PERIOD_MS);
}

static void
tear_down(void)
{
	beat_free(beat);
	apiserver_close();
}

TestSuite(beat, .init = set_up, .fini = tear_down);

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
#define LEASE(renew)                                          \
	"{\"metadata\":{\"resourceVersion\":\"1\"},\"spec\":" \
	"{\"holderIdentity\":\"n\",\"renewTime\":\"" renew "\"}}"

static void
asked(size_t i, const char *method, const char *path)
{
	apiserver_wait(i + 1);
	cr_assert_str_eq(apiserver_asked[i].method, method);
	cr_assert_str_eq(apiserver_asked[i].target, path);
}

static const char *
renewed(size_t i)
{
	static char text[64];

	cr_assert_eq(scan_get_string(span_of(apiserver_asked[i].body), text,
			 sizeof(text), "spec", "renewTime", NULL),
	    1);
	return text;
}

Test(beat, made_when_it_is_not_there_and_when_it_went)
{
	beat_start(beat, "u");
	asked(0, "GET", LEASES "/n");
	apiserver_reply(0, 404, "{}");
	asked(1, "POST", LEASES);
	cr_expect_not_null(strstr(apiserver_asked[1].body,
	    "\"kind\":\"Node\",\"name\":\"n\",\"uid\":\"u\""));
	apiserver_reply(1, 201, "{}");
	asked(2, "PATCH", LEASES "/n");
	apiserver_reply(2, 404, "{}");
	asked(3, "POST", LEASES);
	apiserver_reply(3, 409, "{}");
	asked(4, "PATCH", LEASES "/n");
}

/* A clock that was set back, another replica's that is ahead (K.5, P.D4). */
Test(beat, it_goes_on_from_the_time_that_is_there)
{
	char first[64];

	beat_start(beat, "u");
	asked(0, "GET", LEASES "/n");
	apiserver_reply(0, 200, LEASE("2101-02-03T04:05:06.789012Z"));
	asked(1, "PATCH", LEASES "/n");
	cr_expect_gt(strcmp(renewed(1), "2101-02-03T04:05:06.789012Z"), 0, "%s",
	    renewed(1));
	cr_expect_lt(strcmp(renewed(1), "2101-02-03T04:05:07"), 0);
	memcpy(first, renewed(1), sizeof(first));
	apiserver_reply(1, 200, "{}");
	asked(2, "PATCH", LEASES "/n");
	cr_expect_gt(strcmp(renewed(2), first), 0, "%s", renewed(2));
	apiserver_reply(2, 200, "{}");
	/* Others may have renewed it, while we were not its writer. */
	beat_stop(beat);
	beat_start(beat, "u");
	asked(3, "GET", LEASES "/n");
	apiserver_reply(3, 200, LEASE("2102-02-03T04:05:06.789012Z"));
	asked(4, "PATCH", LEASES "/n");
	cr_expect_gt(strcmp(renewed(4), "2102-02-03T04:05:06.789012Z"), 0);
}

/* An old one, one that is no time, or none to be seen: our clock. */
Test(beat, else_it_is_the_clock_s)
{
	static const struct {
		int status;
		const char *body;
	} answers[] = {
		{ 200, LEASE("2001-02-03T04:05:06.789012Z") },
		{ 200, LEASE("soon") },
		{ 200, "{}" },
		{ 403, "{}" },
	};
	int64_t ms;
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		beat_start(beat, "u");
		asked(2 * i, "GET", LEASES "/n");
		apiserver_reply(2 * i, answers[i].status, answers[i].body);
		asked(2 * i + 1, "PATCH", LEASES "/n");
		ms = now_read().wall_ms - stamp_parse(renewed(2 * i + 1));
		cr_expect(ms >= 0 && ms < 5000, "%s", renewed(2 * i + 1));
		apiserver_reply(2 * i + 1, 200, "{}");
		apiserver_run(20);
		beat_stop(beat);
	}
}

Test(beat, not_known_is_asked_again)
{
	beat_start(beat, "u");
	asked(0, "GET", LEASES "/n");
	apiserver_reply(0, 503, "{}");
	asked(1, "GET", LEASES "/n");
	apiserver_reply(1, 200, LEASE("2101-02-03T04:05:06.789012Z"));
	asked(2, "PATCH", LEASES "/n");
}

/* In time, but many nodes not in step. */
Test(beat, a_tenth_more_or_less)
{
	int64_t since, ms, least = INT64_MAX, most = 0;
	size_t i;

	beat_start(beat, "u");
	asked(0, "GET", LEASES "/n");
	apiserver_reply(0, 404, "{}");
	apiserver_wait(2);
	for (i = 1; i <= ROUNDS; i++) {
		apiserver_reply(i, 200, "{}");
		since = now_read().boot_ms;
		apiserver_wait(i + 2);
		ms = now_read().boot_ms - since;
		cr_expect_geq(ms, PERIOD_MS * 9 / 10);
		cr_expect_leq(ms, PERIOD_MS * 11 / 10 + SLOW_MS);
		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
	}
	cr_expect_gt(most - least, PERIOD_MS / 50, "%lld..%lld",
	    (long long)least, (long long)most);
}
