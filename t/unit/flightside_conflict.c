/* SPDX-License-Identifier: ISC */
/*
 * A 409 through put.c, fetch.c and flight.c: the read and the write that
 * follow it are a pair with two requests of the budget, taken at once.  The
 * server is here, and the test says every answer.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/xmem.h"
#include "flightside/fetch.h"
#include "flightside/fleets.h"
#include "flightside/flight_own.h" /* to look into the budget */
#include "flightside/put.h"
#include "t/unit/leaks.h"

#define ORG "00000000-0000-0000-0000-000000000000"
#define PATH "/api/v1/devices/d?org_id=" ORG
#define FASTER                                                            \
	"{\"code\":409,\"reason\":\"Conflict\",\"message\":\"the object " \
	"has been modified; please apply your changes to the latest "     \
	"version and try again\"}"

enum {
	PATIENCE_MS = 15000,
	RATE = 240, /* 40 at once */
	CONFLICTS = 5,
	REQUESTS = 16,
};

static struct {
	struct event_base *base;
	struct evhttp *http;
	struct settings settings;
	struct fleets *fleets;
	struct flight *flight;
	struct fetch *fetch;
	struct put *put;

	struct evhttp_request *asked[REQUESTS]; /* unanswered, oldest first */
	size_t nasked;
	unsigned int writes; /* PUTs that came */

	unsigned int answers;
	struct body_changed answer;
} t;

/* -- the server -- */

static void
on_asked(struct evhttp_request *req, void *arg)
{
	(void)arg;
	cr_assert_lt(t.nasked, REQUESTS);
	t.writes += evhttp_request_get_command(req) == EVHTTP_REQ_PUT;
	t.asked[t.nasked++] = req;
}

#define UNTIL(cond)                                                         \
	do {                                                                \
		static const struct timeval tick_ = { 0, 20000 };           \
		int64_t end_ = now_read().boot_ms + PATIENCE_MS;            \
		while (!(cond)) {                                           \
			cr_assert_lt(now_read().boot_ms, end_, "never: %s", \
			    #cond);                                         \
			event_base_loopexit(t.base, &tick_);                \
			event_base_loop(t.base, EVLOOP_ONCE);               \
		}                                                           \
	} while (0)

/* The next request is this one; its body, until it is replied to. */
static const char *
next_is(const char *method, const char *path)
{
	static char body[8192];
	struct evhttp_request *req;
	ssize_t n;

	UNTIL(t.nasked > 0);
	req = t.asked[0];
	cr_assert_str_eq(evhttp_request_get_uri(req), path);
	cr_assert_str_eq(evhttp_request_get_command(req) == EVHTTP_REQ_PUT ?
		"PUT" :
		"GET",
	    method);
	n = evbuffer_copyout(evhttp_request_get_input_buffer(req), body,
	    sizeof(body) - 1);
	cr_assert_geq(n, 0);
	body[n] = '\0';
	return body;
}

static void
reply(int status, const char *body)
{
	struct evhttp_request *req = t.asked[0];
	struct evbuffer *out = evbuffer_new();

	memmove(t.asked, t.asked + 1, --t.nasked * sizeof(t.asked[0]));
	evbuffer_add(out, body, strlen(body));
	if (status == 429)
		evhttp_add_header(evhttp_request_get_output_headers(req),
		    "Retry-After", "1");
	evhttp_send_reply(req, status, NULL, out);
	evbuffer_free(out);
}

static void
reply_device(unsigned int version, const char *more)
{
	AUTO_FREE char *device =
	    xasprintf("{\"metadata\":{\"name\":\"d\",\"generation\":%u,"
		      "\"resourceVersion\":\"%u\",\"creationTimestamp\":"
		      "\"2026-01-01T00:00:00Z\"%s},\"spec\":{}}",
		version, version, more);

	reply(200, device);
}

/* -- the budget -- */

/* How many could be sent now. */
static unsigned int
left(void)
{
	struct bucket copy = t.flight->budget.all;
	int64_t now = now_read().boot_ms;
	unsigned int n = 0;

	while (bucket_take(&copy, now))
		n++;
	return n;
}

static int64_t
kept(void)
{
	return budget_keeps(&t.flight->budget);
}

/* From now on hardly any are added: one in ten minutes. */
static void
stand_still(void)
{
	(void)left();
	t.flight->budget.all.tenths = 1;
}

/* -- life -- */

static void
on_state(enum flight_state state, const char *text, void *arg)
{
	(void)state, (void)text, (void)arg;
}

static void
on_answer(uint64_t id, const struct body_changed *m, void *arg)
{
	(void)id, (void)arg;
	t.answer = *m;
	t.answers++;
}

static unsigned int
listen_here(void)
{
	struct evhttp_bound_socket *socket;
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	t.http = evhttp_new(t.base);
	evhttp_set_gencb(t.http, on_asked, NULL);
	socket = evhttp_bind_socket_with_handle(t.http, "127.0.0.1", 0);
	cr_assert_not_null(socket);
	cr_assert_eq(getsockname(evhttp_bound_socket_get_fd(socket),
			 (struct sockaddr *)&sin, &len),
	    0);
	return ntohs(sin.sin_port);
}

static void
set(enum setting which, const char *value)
{
	struct why why;

	cr_assert_eq(settings_set(&t.settings, which, value, &why), 0, "%s",
	    why.text);
}

static void
start(void)
{
	AUTO_FREE char *url = NULL;
	struct why why;

	log_init("conflict");
	log_set_level(LOG_LEVEL_ERROR);
	t.base = event_base_new();
	url = xasprintf("http://127.0.0.1:%u", listen_here());
	settings_init(&t.settings);
	set(SET_FLIGHTCTL_API_URL, url);
	set(SET_FLIGHTCTL_RATE, "240");
	t.fleets = fleets_new(&t.settings, &why);
	t.flight = flight_new(t.base, &t.settings, span_of("secret"), on_state,
	    NULL, &why);
	cr_assert_not_null(t.flight, "%s", why.text);
	t.fetch = fetch_new(t.base, t.flight);
	t.put =
	    put_new(&(struct put_parts){ t.base, t.flight, t.fetch, t.fleets },
		&t.settings, on_answer, NULL);
	cr_assert_eq(put_cluster(t.put, "c"), 0);
	next_is("GET", "/api/v1/organizations");
	reply(200, "{\"items\":[{\"metadata\":{\"name\":\"" ORG "\"}}]}");
	UNTIL(flight_state(t.flight) == FLIGHT_ANSWERS);
	stand_still();
}

static void
stop(void)
{
	put_free(t.put);
	fetch_free(t.fetch);
	flight_free(t.flight);
	fleets_free(t.fleets);
	evhttp_free(t.http);
	event_base_free(t.base);
	settings_free(&t.settings);
	NO_LEAKS();
}

#define NAME "k8s-2e7d2c03a9-default-web-de19433b"
#define EDIT                                                                 \
	"{\"applications\":{\"set\":[{\"name\":\"" NAME "\",\"appType\":"    \
	"\"quadlet\",\"inline\":[{\"path\":\"c.container\",\"content\":\""   \
	"[Container]\\nContainerName=c\\nImage=quay.io/a/b:1\\n[Install]\\n" \
	"WantedBy=multi-user.target\\n\"}]}]}}"

/* A change whose first write has met a conflict. */
static void
change_that_meets_one(void)
{
	struct body_change m = { .device = "d" };

	m.until_boot = (uint64_t)(now_read().boot_ms + 4 * PATIENCE_MS);
	m.edit = span_of(EDIT);
	put_change(t.put, 7, &m);
	next_is("GET", PATH);
	cr_assert_eq(kept(), 0, "a first read may share its request");
	reply_device(1, "");
	cr_assert_not_null(
	    strstr(next_is("PUT", PATH), "\"resourceVersion\":\"1\""));
	reply(409, FASTER);
}

/* The read of a pair has come: one more is kept for its write. */
static void
pair_begins(unsigned int before)
{
	next_is("GET", PATH);
	cr_assert_eq(kept(), 1);
	cr_assert_eq(left(), before - 1);
}

static void
pair_ends(unsigned int version, unsigned int before)
{
	AUTO_FREE char *swap = xasprintf("\"resourceVersion\":\"%u\"", version);

	reply_device(version, "");
	cr_assert_not_null(strstr(next_is("PUT", PATH), swap), "%s", swap);
	cr_assert_eq(kept(), 0);
	cr_assert_eq(left(), before - 2, "%u of %u", left(), before);
}

static void
is_answered(enum why_kind kind, uint32_t code, const char *text)
{
	UNTIL(t.answers > 0);
	cr_assert_eq(t.answers, 1);
	cr_assert_eq(t.answer.kind, kind, "%s: %s", why_name(t.answer.kind),
	    t.answer.text);
	cr_assert_eq(t.answer.code, code, "%u", t.answer.code);
	cr_assert_not_null(strstr(t.answer.text, text), "%s", t.answer.text);
	cr_assert_eq(kept(), 0);
	cr_assert_eq(t.nasked, 0);
}

/* -- so many conflicts -- */

static void
after_conflicts(unsigned int n)
{
	unsigned int before, i;

	start();
	before = left();
	change_that_meets_one();
	cr_assert_eq(left(), before - 2);
	for (i = 1; i <= n; i++) {
		pair_begins(before - 2 * i);
		pair_ends(i + 1, before - 2 * i);
		if (i < n)
			reply(409, FASTER);
	}
}

Test(conflict, one_is_read_again_and_written, .timeout = 60)
{
	after_conflicts(1);
	reply_device(3, "");
	is_answered(ERR_NONE, 200, "");
	cr_assert_eq(t.answer.written, 1);
	cr_assert_eq(t.answer.generation, 3);
	cr_assert_eq(t.writes, 2);
	stop();
}

Test(conflict, two_are_two_pairs, .timeout = 60)
{
	after_conflicts(2);
	reply_device(4, "");
	is_answered(ERR_NONE, 200, "");
	cr_assert_eq(t.answer.written, 1);
	cr_assert_eq(t.writes, 3);
	stop();
}

/* Whoever is faster each time is told of, and the change is the placer's. */
Test(conflict, always_ends_and_says_so, .timeout = 60)
{
	after_conflicts(CONFLICTS);
	reply(409, FASTER);
	is_answered(ERR_CONFLICT, 409, "the object has been modified");
	cr_assert_eq(t.answer.written, 0);
	cr_assert_eq(t.writes, 1 + CONFLICTS);
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

		memset(&t, 0, sizeof(t));
		after_conflicts(1);
		reply(409, body);
		is_answered(rivals[i].kind, 409, rivals[i].message);
		cr_assert_eq(t.writes, 2);
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
		memset(&t, 0, sizeof(t));
		start();
		before = left();
		change_that_meets_one();
		pair_begins(before - 2);
		reply(reads[i].status, reads[i].body);
		is_answered(reads[i].kind, reads[i].code, reads[i].text);
		cr_assert_eq(t.writes, 1);
		cr_assert_eq(left(), before - 3);
		stop();
	}
}

/* What the read shows is not to be written to. */
Test(conflict, a_device_that_was_taken_gives_the_kept_one_back, .timeout = 60)
{
	unsigned int before;

	start();
	before = left();
	change_that_meets_one();
	pair_begins(before - 2);
	reply_device(2, ",\"owner\":\"Fleet/x\"");
	is_answered(ERR_DENIED, 0, "owned by Fleet/x");
	cr_assert_eq(left(), before - 3);
	stop();
}

/* The link to the placer is over, or we are. */
Test(conflict, nobody_waits_for_it_any_more, .timeout = 60)
{
	unsigned int before;

	start();
	before = left();
	change_that_meets_one();
	pair_begins(before - 2);
	put_forget(t.put);
	reply_device(2, "");
	UNTIL(kept() == 0);
	cr_assert_eq(t.answers, 0);
	cr_assert_eq(left(), before - 3);
	stop();
}

Test(conflict, a_refusal_for_now_keeps_nothing_and_reads_anew, .timeout = 60)
{
	start();
	change_that_meets_one();
	next_is("GET", PATH);
	cr_assert_eq(kept(), 1);
	reply(429, "{\"message\":\"Too many requests\"}");
	UNTIL(kept() == 0);
	next_is("GET", PATH);
	reply_device(2, "");
	next_is("PUT", PATH);
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
	r->deadline_ms = PATIENCE_MS;
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
	struct bucket *all;
	int other = 0;

	start();
	all = &t.flight->budget.all;
	change_that_meets_one();
	next_is("GET", PATH);
	/* Nothing is left but what is kept, and others wait. */
	while (left() > 1)
		(void)bucket_take(all, now_read().boot_ms);
	flight_queue(t.flight, BUDGET_WRITE, FLIGHT_FIRST, &ops, &other);
	reply_device(2, "");
	next_is("PUT", PATH);
	cr_assert_eq(t.nasked, 1);
	cr_assert_eq(left(), 0);
	reply_device(3, "");
	UNTIL(t.answers > 0);
	cr_assert_eq(t.nasked, 0);
	flight_reload(t.flight, &t.settings); /* requests come again */
	next_is("GET", "/api/v1/other");
	reply(200, "{}");
	UNTIL(other);
	stop();
}
