/* SPDX-License-Identifier: ISC */
/*
 * https.c against a server of this test on the same loop: it answers with the
 * bytes that a test gives, plain or over TLS, and keeps what it was asked.
 */
#include "common/https.h"

#include <criterion/criterion.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mono.h"
#include "common/xmem.h"
#include "t/unit/asker.h"
#include "t/unit/peer.h"

#define OK(length) "HTTP/1.1 200 OK\r\nContent-Length: " #length "\r\n"

Test(https, get_and_keep_alive)
{
	struct https *h;
	int i;

	asker_serve(NULL, OK(2) "Audit-Id: 7\r\n\r\n{}");
	h = asker_client(&(struct https_conf){ .user_agent = "me/1" });
	https_token(h, span_of("tok-en"));
	for (i = 1; i <= 3; i++) {
		heard.end_loop_at = i;
		asker_ask(h, (struct https_req){ .path = "/a%2Fb/..?c=d" });
		asker_run();
		cr_assert_eq(heard.answer.status, 200);
		cr_assert_eq(heard.answer.why.kind, ERR_NONE);
		cr_assert_str_eq(heard.body, "{}");
	}
	cr_assert_eq(server.connections, 1);
	cr_assert_eq(https_count(h), 3);
	cr_assert(strstr(server.asked, "GET /a%2Fb/..?c=d HTTP/1.1\r\n"));
	cr_assert(strstr(server.asked, "\r\nAuthorization: Bearer tok-en\r\n"));
	cr_assert(strstr(server.asked, "\r\nUser-Agent: me/1\r\n"));
	cr_assert(strstr(server.asked, "\r\nAccept-Encoding: gzip\r\n"));
	https_free(h);
	asker_stop();
}

Test(https, forget_uses_a_new_connection)
{
	struct https *h;

	asker_serve(NULL, OK(0) "\r\n");
	h = asker_client(&(struct https_conf){ 0 });
	asker_ask(h, (struct https_req){ 0 });
	asker_run();
	https_forget(h);
	heard.end_loop_at = 2;
	asker_ask(h, (struct https_req){ 0 });
	asker_run();
	cr_assert_eq(server.connections, 2);
	https_free(h);
	asker_stop();
}

Test(https, patch_sends_type_and_body)
{
	struct https *h;

	asker_serve(NULL, OK(0) "\r\n");
	h = asker_client(&(struct https_conf){ 0 });
	asker_ask(h,
	    (struct https_req){ .method = HTTPS_PATCH,
		.content_type = "application/merge-patch+json",
		.body = span_of("{\"a\":1}") });
	asker_run();
	cr_assert(strstr(server.asked, "PATCH /x HTTP/1.1\r\n"));
	cr_assert(strstr(server.asked,
	    "\r\nContent-Type: application/merge-patch+json\r\n"));
	cr_assert(strstr(server.asked, "\r\n\r\n{\"a\":1}"));
	cr_assert_null(strstr(server.asked, "Authorization"));
	https_free(h);
	asker_stop();
}

Test(https, a_token_with_a_newline_is_never_sent)
{
	struct https *h;

	asker_serve(NULL, OK(0) "\r\n");
	h = asker_client(&(struct https_conf){ 0 });
	https_token(h, span_of("tok\r\nX-Evil: 1"));
	asker_ask(h, (struct https_req){ 0 });
	asker_run();
	cr_assert_null(strstr(server.asked, "Authorization"));
	cr_assert_null(strstr(server.asked, "Evil"));
	https_free(h);
	asker_stop();
}

/* Its message goes to logs and statuses. */
Test(https, a_token_that_an_error_repeats_is_hidden)
{
	struct https *h;

	asker_serve(NULL,
	    "HTTP/1.1 403 Forbidden\r\nContent-Length: 43\r\n\r\n"
	    "no: bearer-token-7, really: bearer-token-7.");
	h = asker_client(&(struct https_conf){ 0 });
	https_token(h, span_of("bearer-token-7"));
	asker_ask(h, (struct https_req){ .data = asker_data });
	asker_run();
	cr_assert_eq(heard.answer.status, 403);
	cr_assert_str_eq(heard.body, "no: [token], really: [token].");
	https_free(h);
	asker_stop();
}

Test(https, an_error_has_kind_text_and_headers)
{
	struct https *h;

	asker_serve(NULL,
	    "HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\n"
	    "X-Ratelimit-Remaining: 0\r\nX-Ratelimit-Reset: 1700000000\r\n"
	    "Content-Length: 4\r\n\r\nslow");
	h = asker_client(&(struct https_conf){ 0 });
	asker_ask(h, (struct https_req){ .data = asker_data });
	asker_run();
	cr_assert_eq(heard.answer.status, 429);
	cr_assert_eq(heard.answer.why.kind, ERR_AGAIN);
	cr_assert_eq(heard.answer.why.code, 429);
	cr_assert_str_eq(heard.answer.why.text, "GET /x: 429");
	cr_assert_eq(heard.answer.retry_after_ms, 7000);
	cr_assert_eq(heard.answer.limit_remaining, 0);
	cr_assert_eq(heard.answer.limit_reset_s, 1700000000);
	cr_assert_str_eq(heard.body, "slow");
	cr_assert_eq(heard.stream_len, 0, "an error is no part of a stream");
	https_free(h);
	asker_stop();
}

#define DATE "Date: Fri, 01 Jan 2100 00:00:00 GMT\r\n"

/* What Retry-After asks for; by the server's clock, and never for ever. */
static const struct {
	const char *headers;
	int64_t ms;
} afters[] = {
	{ "", -1 },
	{ "Retry-After: 0\r\n", 0 },
	{ "Retry-After: 3600\r\n", 3600000 },
	{ "Retry-After: 3601\r\n", -1 },
	{ "Retry-After: 1000000000\r\n", -1 },
	{ "Retry-After: 99999999999999999999\r\n", -1 },
	{ "Retry-After: -5\r\n", -1 },
	{ "Retry-After: soon\r\n", -1 },
	{ DATE "Retry-After: Fri, 01 Jan 2100 00:00:07 GMT\r\n", 7000 },
	{ DATE "Retry-After: Fri, 01 Jan 2100 01:00:01 GMT\r\n", -1 },
	{ "Retry-After: Fri, 01 Jan 2100 00:00:00 GMT\r\n", -1 },
	{ "Retry-After: Thu, 01 Jan 1970 00:00:01 GMT\r\n", 0 },
};

Test(https, retry_after_is_seconds_or_a_date_of_the_servers_clock)
{
	struct https *h;
	size_t i;

	for (i = 0; i < sizeof(afters) / sizeof(afters[0]); i++) {
		char *answer = xasprintf("HTTP/1.1 429 Too Many\r\n%s"
					 "Content-Length: 0\r\n\r\n",
		    afters[i].headers);

		asker_serve(NULL, answer);
		h = asker_client(&(struct https_conf){ 0 });
		asker_ask(h, (struct https_req){ 0 });
		asker_run();
		cr_assert_eq(heard.answer.status, 429);
		cr_assert_eq(heard.answer.retry_after_ms, afters[i].ms,
		    "%s: %lld", afters[i].headers,
		    (long long)heard.answer.retry_after_ms);
		https_free(h);
		asker_stop();
		free(answer);
	}
}

Test(https, a_redirect_is_not_followed)
{
	struct https *h;

	asker_serve(NULL,
	    "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
	    "Content-Length: 0\r\n\r\n");
	h = asker_client(&(struct https_conf){ 0 });
	asker_ask(h, (struct https_req){ 0 });
	asker_run();
	cr_assert_eq(heard.answer.status, 302);
	cr_assert_eq(heard.answer.why.kind, ERR_FORMAT);
	cr_assert_eq(server.requests, 1);
	https_free(h);
	asker_stop();
}

Test(https, a_cut_answer_is_no_answer)
{
	struct https *h;

	asker_serve(NULL, OK(100) "\r\nhalf of it");
	server.close_after = 1;
	h = asker_client(&(struct https_conf){ 0 });
	asker_ask(h,
	    (struct https_req){ .method = HTTPS_PUT, .body = span_of("{}") });
	asker_run();
	cr_assert_eq(heard.answer.status, 0);
	cr_assert_eq(heard.answer.why.kind, ERR_AGAIN);
	cr_assert(heard.answer.maybe_done);
	https_free(h);
	asker_stop();
}

Test(https, the_deadline_ends_a_write_that_may_be_done)
{
	struct https *h;

	asker_serve(NULL, NULL);
	h = asker_client(&(struct https_conf){ 0 });
	asker_ask(h,
	    (struct https_req){ .method = HTTPS_PUT,
		.body = span_of("{}"),
		.deadline_ms = 200 });
	asker_run();
	cr_assert_eq(heard.answer.status, 0);
	cr_assert_eq(heard.answer.why.kind, ERR_AGAIN);
	cr_assert(heard.answer.maybe_done);
	cr_assert_eq(server.requests, 1);
	https_free(h);
	asker_stop();
}

Test(https, nobody_there_is_certainly_not_done)
{
	struct https *h;

	asker_serve(NULL, NULL);
	h = asker_client(&(struct https_conf){ 0 });
	evconnlistener_free(server.listener);
	server.listener = NULL;
	asker_ask(h,
	    (struct https_req){ .method = HTTPS_PUT, .body = span_of("{}") });
	asker_run();
	cr_assert_eq(heard.answer.status, 0);
	cr_assert_eq(heard.answer.why.kind, ERR_AGAIN);
	cr_assert(!heard.answer.maybe_done);
	https_free(h);
	asker_stop();
}

Test(https, larger_than_allowed_is_a_limit)
{
	struct https *h;

	asker_serve(NULL, OK(10) "\r\n0123456789");
	h = asker_client(&(struct https_conf){ 0 });
	asker_ask(h, (struct https_req){ .body_max = 9 });
	asker_run();
	cr_assert_eq(heard.answer.why.kind, ERR_LIMIT);
	heard.end_loop_at = 2;
	asker_ask(h, (struct https_req){ .body_max = 10 });
	asker_run();
	cr_assert_eq(heard.answer.status, 200);
	https_free(h);
	asker_stop();
}

Test(https, a_silent_stream_ends)
{
	struct https *h;

	asker_serve(NULL,
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "3\r\nabc\r\n");
	h = asker_client(&(struct https_conf){ 0 });
	asker_ask(h,
	    (struct https_req){ .data = asker_data, .silence_ms = 200 });
	asker_run();
	cr_assert_eq(heard.stream_len, 3);
	cr_assert_eq(heard.answer.status, 0);
	cr_assert_eq(heard.answer.why.kind, ERR_AGAIN);
	cr_assert(strstr(heard.answer.why.text, "silent"));
	https_free(h);
	asker_stop();
}

static int
on_data_refuse(struct span piece, void *arg, struct why *why)
{
	(void)piece;
	(void)arg;
	return fail(why, ERR_CONFLICT, "not mine");
}

Test(https, a_refused_piece_ends_with_its_reason)
{
	struct https *h;

	asker_serve(NULL, OK(3) "\r\nabc");
	h = asker_client(&(struct https_conf){ 0 });
	asker_ask(h, (struct https_req){ .data = on_data_refuse });
	asker_run();
	cr_assert_eq(heard.answer.why.kind, ERR_CONFLICT);
	cr_assert_str_eq(heard.answer.why.text, "not mine");
	https_free(h);
	asker_stop();
}

/* Pauses itself at the first piece, reads on 300 ms later. */
static void
on_later(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	cr_assert_eq(heard.n, 0, "a paused stream was read to its end");
	https_resume(heard.call);
}

static int
on_data_pause(struct span piece, void *arg, struct why *why)
{
	struct timeval tv = { 0, 300000 };

	if (heard.stream_len == 0) {
		https_pause(heard.call);
		event_base_once(server.base, -1, EV_TIMEOUT, on_later, NULL,
		    &tv);
	}
	return asker_data(piece, arg, why);
}

Test(https, a_paused_stream_waits_and_is_not_silent)
{
	struct https *h;

	asker_serve(NULL,
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
	h = asker_client(&(struct https_conf){ 0 });
	heard.call = asker_ask(h,
	    (struct https_req){ .data = on_data_pause, .silence_ms = 100 });
	asker_run();
	cr_assert_eq(heard.answer.status, 200, "%s", heard.answer.why.text);
	cr_assert_eq(heard.stream_len, 6);
	https_free(h);
	asker_stop();
}

/* What callbacks may do: send, cancel others, free the client. */
static void
on_done_send(const struct https_answer *a, void *arg)
{
	(void)arg;
	cr_assert_eq(a->status, 200);
	https_cancel(heard.call);
	asker_ask(heard.h, (struct https_req){ 0 });
}

Test(https, a_callback_may_send_and_cancel)
{
	struct https *h;

	asker_serve(NULL, OK(0) "\r\n");
	h = asker_client(&(struct https_conf){ .connections = 1 });
	https_send(h,
	    &(struct https_req){ .path = "/1", .done = on_done_send });
	heard.call = asker_ask(h, (struct https_req){ 0 });
	asker_run();
	cr_assert_eq(server.requests, 2, "the cancelled one was sent");
	https_free(h);
	asker_stop();
}

Test(https, a_callback_may_free_the_client)
{
	struct https *h;

	asker_serve(NULL, OK(0) "\r\n");
	h = asker_client(&(struct https_conf){ .connections = 1 });
	https_send(h, &(struct https_req){ .path = "/1", .done = asker_frees });
	asker_ask(h, (struct https_req){ 0 });
	asker_run();
	asker_stop();
}

Test(https, what_is_no_server_is_refused)
{
	static const struct {
		const char *url;
		enum why_kind kind;
	} bad[] = {
		{ "http://192.0.2.1:80", ERR_DENIED },
		{ "http://localhost.example.org", ERR_DENIED },
		{ "http://127.example.org", ERR_DENIED },
		{ "ftp://127.0.0.1", ERR_DENIED },
		{ "https://me:secret@127.0.0.1", ERR_DENIED },
		{ "https://127.0.0.1/?a=b", ERR_DENIED },
		{ "not a url", ERR_FORMAT },
	};
	struct event_base *base = event_base_new();
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = (struct why){ 0 };
		cr_expect_null(https_new(base,
		    &(struct https_conf){ .base = bad[i].url }, &why));
		cr_expect_eq(why.kind, bad[i].kind, "%s: %s", bad[i].url,
		    why.text);
		cr_expect_null(strstr(why.text, "secret"));
	}
	event_base_free(base);
}

Test(https, kinds_of_status)
{
	unsigned int s;

	for (s = 100; s < 600; s++)
		cr_expect_eq(https_kind(s) == ERR_NONE, s / 100 == 2);
	for (s = 500; s < 600; s++)
		cr_expect_eq(https_kind(s), ERR_AGAIN);
	cr_expect_eq(https_kind(401), ERR_AUTH);
	cr_expect_eq(https_kind(410), ERR_GONE);
	cr_expect_eq(https_kind(412), ERR_CONFLICT);
	cr_expect_eq(https_kind(422), ERR_FORMAT);
}
