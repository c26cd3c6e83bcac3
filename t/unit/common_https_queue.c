/* SPDX-License-Identifier: ISC */
/* More requests than connections: each has its turn, or is told in time. */
#include <criterion/criterion.h>
#include <event2/event.h>
#include <string.h>

#include "common/mono.h"
#include "t/unit/asker.h"
#include "t/unit/peer.h"

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

static const struct https_conf narrow = { .connections = 1 };

static struct https *
client(void)
{
	struct https_conf conf = narrow;

	return asker_client(&conf);
}

static struct https_call *
put(struct https *h, unsigned int deadline_ms)
{
	return asker_ask(h,
	    (struct https_req){ .method = HTTPS_PUT,
		.body = span_of("{}"),
		.deadline_ms = deadline_ms });
}

Test(https_queue, each_has_its_turn)
{
	struct https *h;
	int i;

	asker_serve(NULL, answer);
	h = asker_client(&(struct https_conf){ .connections = 2 });
	heard.end_loop_at = 50;
	for (i = 0; i < 50; i++)
		asker_ask(h, (struct https_req){ .deadline_ms = 5000 });
	asker_run();
	cr_assert_eq(heard.answer.status, 200);
	cr_assert_eq(server.requests, 50);
	cr_assert_eq(server.connections, 2);
	https_free(h);
	asker_stop();
}

Test(https_queue, who_waits_too_long_was_not_sent)
{
	int64_t began = now_read().boot_ms, took;
	struct https *h;

	asker_serve(NULL, NULL);
	h = client();
	put(h, 8000);
	put(h, 200);
	asker_run();
	took = now_read().boot_ms - began;
	cr_assert(took >= 200 && took < 4000, "%lld ms", (long long)took);
	cr_assert_eq(heard.answer.status, 0);
	cr_assert_eq(heard.answer.why.kind, ERR_AGAIN);
	cr_assert_eq(heard.answer.cause, HTTPS_TIMED_OUT);
	cr_assert_str_eq(heard.answer.why.text,
	    "PUT /x: not sent: 1 others were under way all the time");
	cr_assert(!heard.answer.maybe_done);
	cr_assert_eq(server.requests, 1);
	https_free(h);
	asker_stop();
}

/* The second begins when the first is given up, with what is left to it. */
Test(https_queue, a_deadline_counts_from_when_it_was_asked)
{
	int64_t began = now_read().boot_ms, took;
	struct https *h;

	asker_serve(NULL, NULL);
	h = client();
	heard.end_loop_at = 2;
	put(h, 1500);
	put(h, 2000);
	asker_run();
	took = now_read().boot_ms - began;
	cr_assert(took >= 2000 && took < 3400, "%lld ms", (long long)took);
	cr_assert(heard.answer.maybe_done);
	cr_assert_eq(server.requests, 2);
	https_free(h);
	asker_stop();
}

Test(https_queue, one_that_is_cancelled_makes_room)
{
	struct https_call *first;
	struct https *h;

	asker_serve(NULL, NULL);
	h = client();
	first = put(h, 8000);
	put(h, 1000);
	https_cancel(first);
	asker_run();
	cr_assert(heard.answer.maybe_done);
	cr_assert_eq(server.requests, 1);
	https_free(h);
	asker_stop();
}

Test(https_queue, one_that_waits_can_be_cancelled)
{
	struct https_call *second;
	struct https *h;

	asker_serve(NULL, answer);
	h = client();
	heard.end_loop_at = 2;
	put(h, 8000);
	second = put(h, 8000);
	put(h, 8000);
	https_cancel(second);
	asker_run();
	cr_assert_eq(heard.answer.status, 200);
	cr_assert_eq(server.requests, 2);
	https_free(h);
	asker_stop();
}

Test(https_queue, who_waited_too_long_may_free_the_client)
{
	struct https *h;

	asker_serve(NULL, NULL);
	h = client();
	put(h, 8000);
	https_send(h,
	    &(struct https_req){ .path = "/1",
		.deadline_ms = 100,
		.done = asker_frees });
	put(h, 100);
	asker_run();
	asker_stop();
}
