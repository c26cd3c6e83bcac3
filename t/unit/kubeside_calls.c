/* SPDX-License-Identifier: ISC */
/* The writes of a pod: order, the lease, what an answer means. */
#include "kubeside/calls.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/mono.h"
#include "kubeside/api.h"
#include "t/unit/apiserver.h"

enum {
	PODS = 12,
	FLYING = 8, /* at once */
};

static struct calls *calls;
static struct pods *pods;
static int64_t held_until;

static struct ended {
	int n;
	uint64_t id;
	struct why why;
	char object[256];
} ended[64];
static int nended;

static void
on_done(uint64_t id, const struct why *why, void *arg)
{
	(void)arg;
	ended[nended].id = id;
	ended[nended++].why = *why;
}

static void
on_object(uint64_t id, struct span object, void *arg)
{
	(void)arg;
	ended[nended].id = id;
	snprintf(ended[nended++].object, sizeof(ended[0].object), "%.*s",
	    (int)object.len, object.p);
}

static int64_t
on_until(unsigned int node, void *arg)
{
	(void)node;
	(void)arg;
	return held_until;
}

static void
set_up(void)
{
	static const struct calls_ops ops = { on_done, on_object, on_until };
	struct api *api = apiserver_open();
	char text[256];
	int i;

	pods = pods_new();
	calls = calls_new(apiserver_base, api, pods, &ops, NULL);
	held_until = INT64_MAX;
	pods_list_begin(pods, 0);
	for (i = 0; i < PODS; i++) {
		snprintf(text, sizeof(text),
		    "{\"metadata\":{\"namespace\":\"ns\",\"name\":\"p%d\","
		    "\"uid\":\"u%d\"},\"spec\":"
		    "{\"nodeName\":\"n\",\"volumes\":[{\"secret\":"
		    "{\"secretName\":\"s\"}}]}}",
		    i, i);
		pods_see(pods, 0, "n", span_of(text), NULL);
	}
	pods_list_end(pods, 0);
}

static void
tear_down(void)
{
	calls_free(calls);
	pods_free(pods);
	apiserver_close();
}

static void
status(uint64_t id, int pod, const char *text)
{
	struct body_pod_status m = { .until_boot = INT64_MAX,
		.ns = "ns",
		.status = span_of(text) };

	snprintf(m.name, sizeof(m.name), "p%d", pod);
	snprintf(m.uid, sizeof(m.uid), "u%d", pod);
	calls_status(calls, id, 0, &m);
}

static void delete (uint64_t id, int pod, uint64_t until)
{
	struct body_pod_delete m = { .until_boot = until,
		.ns = "ns",
		.grace_s = 0 };

	snprintf(m.name, sizeof(m.name), "p%d", pod);
	snprintf(m.uid, sizeof(m.uid), "u%d", pod);
	calls_delete(calls, id, 0, &m);
}

static void
wait_ended(int n)
{
	int64_t since = now_read().boot_ms;

	while (nended < n && now_read().boot_ms - since < 10000)
		apiserver_run(5);
	cr_assert_eq(nended, n);
}

TestSuite(calls, .init = set_up, .fini = tear_down);

Test(calls, a_status_is_a_patch_with_the_uid)
{
	status(7, 3, "{\"phase\":\"Running\"}");
	apiserver_wait(1);
	cr_expect_str_eq(apiserver_asked[0].method, "PATCH");
	cr_expect_str_eq(apiserver_asked[0].target,
	    "/api/v1/namespaces/ns/pods/p3/status");
	cr_expect_str_eq(apiserver_asked[0].body,
	    "{\"metadata\":{\"uid\":\"u3\"},\"status\":"
	    "{\"phase\":\"Running\"}}");
	cr_expect_eq(nended, 0);
	apiserver_reply(0, 200, "{}");
	wait_ended(1);
	cr_expect_eq(ended[0].id, 7);
	cr_expect_eq(ended[0].why.kind, ERR_NONE);
	cr_expect(calls_is_idle(calls));
}

Test(calls, the_newest_status_wins)
{
	status(1, 0, "{\"a\":1}");
	apiserver_wait(1);
	status(2, 0, "{\"a\":2}");
	status(3, 0, "{\"a\":3}");
	status(4, 0, "{\"a\":4}");
	/* One at a time for a pod; 2 and 3 are not needed any more. */
	cr_expect_eq(nended, 2);
	cr_expect_eq(ended[0].id, 2);
	cr_expect_eq(ended[1].id, 3);
	apiserver_run(20);
	cr_expect_eq(apiserver_count, 1);
	apiserver_reply(0, 200, "{}");
	apiserver_wait(2);
	cr_expect(strstr(apiserver_asked[1].body, "{\"a\":4}") != NULL);
	apiserver_reply(1, 200, "{}");
	wait_ended(4);
	cr_expect_eq(ended[2].id, 1);
	cr_expect_eq(ended[3].id, 4);
}

Test(calls, a_delete_follows_the_status_before_it)
{
	status(1, 0, "{\"a\":1}");
	delete (2, 0, INT64_MAX);
	apiserver_wait(1);
	apiserver_run(20);
	cr_expect_eq(apiserver_count, 1);
	apiserver_reply(0, 200, "{}");
	apiserver_wait(2);
	cr_expect_str_eq(apiserver_asked[1].method, "DELETE");
	cr_expect(strstr(apiserver_asked[1].body,
		      "\"gracePeriodSeconds\":0,\"preconditions\":{\"uid\":"
		      "\"u0\"}") != NULL);
	apiserver_reply(1, 200, "{}");
	wait_ended(2);
}

Test(calls, few_at_once)
{
	int i;

	for (i = 0; i < PODS; i++)
		status((uint64_t)i, i, "{}");
	apiserver_wait(FLYING);
	apiserver_run(20);
	cr_expect_eq(apiserver_count, FLYING);
	apiserver_reply(0, 200, "{}");
	apiserver_wait(FLYING + 1);
}

Test(calls, what_is_refused_is_not_sent)
{
	struct body_pod_status m = { .ns = "ns",
		.name = "p1",
		.uid = "u2",
		.status = span_of("{}") };

	calls_status(calls, 1, 0, &m);
	status(2, 1, "{\"podIP\":\"10.0.0.1\"}");
	status(3, 1, "{\"\\u0070odIPs\":[]}");
	status(4, 1, "{} {}");
	status(5, 1, "{},\"spec\":{}");
	status(6, 1, "[]");
	apiserver_run(20);
	cr_assert_eq(nended, 6);
	cr_expect_eq(ended[0].why.kind, ERR_DENIED);
	cr_expect_eq(ended[1].why.kind, ERR_DENIED);
	cr_expect_eq(ended[2].why.kind, ERR_DENIED);
	cr_expect_eq(ended[3].why.kind, ERR_FORMAT);
	cr_expect_eq(ended[4].why.kind, ERR_FORMAT);
	cr_expect_eq(ended[5].why.kind, ERR_FORMAT);
	cr_expect_eq(apiserver_count, 0);
}

Test(calls, nothing_is_sent_after_the_lease)
{
	uint64_t now = (uint64_t)now_read().boot_ms;

	delete (1, 0, now);
	delete (2, 0, UINT64_MAX);
	held_until = (int64_t)now;
	delete (3, 0, INT64_MAX);
	apiserver_run(20);
	cr_assert_eq(nended, 3);
	cr_expect_eq(ended[0].why.kind, ERR_DENIED);
	cr_expect_eq(ended[1].why.kind, ERR_DENIED);
	cr_expect_eq(ended[2].why.kind, ERR_DENIED);
	cr_expect_eq(apiserver_count, 0);
}

#define CAUSE(field)                                                        \
	"{\"kind\":\"Status\",\"message\":\"bad\",\"details\":{\"causes\":" \
	"[{\"reason\":\"FieldValueInvalid\",\"field\":\"" field "\"}]}}"

Test(calls, what_answers_mean)
{
	static const struct {
		int status;
		const char *body;
		int deleting;
		enum why_kind kind;
	} answers[] = {
		{ 200, "{}", 0, ERR_NONE },
		{ 404, "{}", 0, ERR_GONE },
		{ 422, CAUSE("metadata.uid"), 0, ERR_GONE },
		{ 422, CAUSE("status.phase"), 0, ERR_FORMAT },
		{ 409, "{}", 0, ERR_CONFLICT },
		{ 200, "{}", 1, ERR_NONE },
		{ 404, "{}", 1, ERR_GONE },
		{ 409, "{}", 1, ERR_GONE },
	};
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (answers[i].deleting)
			delete (i, 1, INT64_MAX);
		else
			status(i, 1, "{}");
		apiserver_wait(i + 1);
		apiserver_reply(i, answers[i].status, answers[i].body);
		wait_ended((int)i + 1);
		cr_expect_eq(ended[i].why.kind, answers[i].kind, "%d %s: %s",
		    answers[i].status, answers[i].body, ended[i].why.text);
	}
}

/* A server that asks for a rest gets it; a newer status replaces an old. */
Test(calls, a_busy_server_is_asked_again)
{
	int64_t since = now_read().boot_ms;

	status(1, 0, "{\"a\":1}");
	apiserver_wait(1);
	apiserver_reply_after(0, 429, "1");
	apiserver_run(50);
	status(2, 1, "{\"a\":2}");
	apiserver_run(100);
	cr_expect_eq(apiserver_count, 1, "nothing else meanwhile");
	apiserver_wait(3);
	cr_expect_geq(now_read().boot_ms - since, 1000);
	cr_expect(strstr(apiserver_asked[1].body, "{\"a\":1}") != NULL);
	apiserver_reply(1, 200, "{}");
	apiserver_reply(2, 200, "{}");
	wait_ended(2);
}

static int
asks(size_t i, const char *pod)
{
	return strstr(apiserver_asked[i].target, pod) != NULL;
}

/* An admission policy, a webhook: of one pod's; the others do not rest. */
Test(calls, one_that_is_refused_waits_alone)
{
	static const int refusals[] = { 403, 500, 504 };
	size_t i, n;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		n = apiserver_count;
		status(2 * i, 0, "{}");
		apiserver_wait(n + 1);
		apiserver_reply_after(n, refusals[i], "1");
		apiserver_run(50);
		status(2 * i + 1, 1, "{}");
		apiserver_wait(n + 2);
		cr_expect(asks(n + 1, "/p1/"), "%d stops all", refusals[i]);
		apiserver_reply(n + 1, 200, "{}");
		wait_ended(2 * (int)i + 1);
		cr_expect_eq(ended[nended - 1].id, 2 * i + 1);
		/* It is tried again, by itself. */
		apiserver_wait(n + 3);
		cr_expect(asks(n + 2, "/p0/"));
		apiserver_reply(n + 2, 200, "{}");
		wait_ended(2 * (int)i + 2);
	}
	cr_expect(calls_is_idle(calls));
}

/* A young server refuses everything (K.3): all rest, in their order. */
Test(calls, when_all_is_refused_all_rest)
{
	status(0, 0, "{}");
	status(1, 1, "{}");
	apiserver_wait(2);
	apiserver_reply(0, 403, "{}");
	apiserver_reply(1, 403, "{}");
	apiserver_run(1);
	status(2, 2, "{}");
	apiserver_wait(3);
	cr_expect(!asks(2, "/p2/"), "it is sent before those that rest");
}

/* It waits longer and longer, and its end says why, not "lease over". */
Test(calls, refused_for_good_ends_with_the_reason)
{
	struct body_pod_status m = { .ns = "ns",
		.name = "p1",
		.uid = "u1",
		.until_boot = (uint64_t)now_read().boot_ms + 300,
		.status = span_of("{}") };
	size_t i;

	calls_status(calls, 1, 0, &m);
	for (i = 0; nended == 0; i++) {
		cr_assert_lt(i, 7);
		if (apiserver_count == i)
			apiserver_run(20);
		if (apiserver_count > i)
			apiserver_reply(i, 403, "{\"message\":\"policy\"}");
		else
			i--;
	}
	cr_expect_eq(ended[0].id, 1);
	cr_expect_eq(ended[0].why.kind, ERR_DENIED);
	cr_expect_not_null(strstr(ended[0].why.text, "policy"), "%s",
	    ended[0].why.text);
	cr_expect(calls_is_idle(calls));
}

Test(calls, a_delete_does_not_wait_for_what_is_refused)
{
	size_t i;

	status(1, 0, "{}");
	for (i = 0; i < 3; i++) {
		apiserver_wait(i + 1);
		apiserver_reply(i, 500, "{}");
	}
	apiserver_run(1);
	delete (2, 0, INT64_MAX);
	apiserver_wait(4);
	cr_expect_str_eq(apiserver_asked[3].method, "PATCH");
	apiserver_reply(3, 500, "{}");
	apiserver_wait(5);
	cr_expect_str_eq(apiserver_asked[4].method, "DELETE");
	wait_ended(1);
	cr_expect_eq(ended[0].id, 1);
	cr_expect_eq(ended[0].why.kind, ERR_AGAIN);
	apiserver_reply(4, 200, "{}");
	wait_ended(2);
}

Test(calls, nobody_waits_any_more)
{
	int i;

	for (i = 0; i < PODS; i++)
		status((uint64_t)i, i, "{}");
	apiserver_wait(FLYING);
	calls_unlink(calls);
	for (i = 0; i < FLYING; i++)
		apiserver_reply((size_t)i, 200, "{}");
	apiserver_run(50);
	cr_expect_eq(nended, 0);
	cr_expect_eq(apiserver_count, FLYING);
	cr_expect(calls_is_idle(calls));
}

Test(calls, objects_that_a_pod_names)
{
	struct body_get_object m = { .kind = OBJECT_SECRET,
		.ns = "ns",
		.name = "s",
		.pod_uid = "u1" };

	calls_object(calls, 1, &m);
	apiserver_wait(1);
	cr_expect_str_eq(apiserver_asked[0].target,
	    "/api/v1/namespaces/ns/secrets/s");
	apiserver_reply(0, 200, "{\"kind\":\"Secret\"}");
	wait_ended(1);
	cr_expect_str_eq(ended[0].object, "{\"kind\":\"Secret\"}");
	calls_object(calls, 2, &m);
	apiserver_wait(2);
	apiserver_reply(1, 404, "{}");
	wait_ended(2);
	cr_expect_eq(ended[1].why.kind, ERR_GONE);
	m.kind = OBJECT_CONFIGMAP;
	calls_object(calls, 3, &m);
	m.kind = OBJECT_SECRET;
	m.ns[0] = 'm';
	calls_object(calls, 4, &m);
	m.ns[0] = 'n';
	m.name[0] = 't';
	calls_object(calls, 5, &m);
	m.kind = 9;
	calls_object(calls, 6, &m);
	cr_expect_eq(nended, 6);
	cr_expect_eq(ended[2].why.kind, ERR_DENIED);
	cr_expect_eq(ended[3].why.kind, ERR_DENIED);
	cr_expect_eq(ended[4].why.kind, ERR_DENIED);
	cr_expect_eq(ended[5].why.kind, ERR_DENIED);
	cr_expect_eq(apiserver_count, 2);
}

/* It may have been kept nowhere; another one of its name is another pod. */
Test(calls, the_pod_itself)
{
	struct body_get_object m = { .kind = OBJECT_POD,
		.ns = "ns",
		.name = "p1",
		.pod_uid = "u1" };

	calls_object(calls, 1, &m);
	apiserver_wait(1);
	cr_expect_str_eq(apiserver_asked[0].target,
	    "/api/v1/namespaces/ns/pods/p1");
	apiserver_reply(0, 200,
	    "{\"kind\":\"Pod\",\"metadata\":{\"uid\":\"u1\"}}");
	wait_ended(1);
	cr_expect_str_eq(ended[0].object,
	    "{\"kind\":\"Pod\",\"metadata\":{\"uid\":\"u1\"}}");
	calls_object(calls, 2, &m);
	apiserver_wait(2);
	apiserver_reply(1, 200, "{\"metadata\":{\"uid\":\"u9\"}}");
	wait_ended(2);
	cr_expect_eq(ended[1].why.kind, ERR_GONE);
	m.name[1] = '2';
	calls_object(calls, 3, &m);
	cr_expect_eq(nended, 3);
	cr_expect_eq(ended[2].why.kind, ERR_DENIED);
	cr_expect_eq(apiserver_count, 2);
}
