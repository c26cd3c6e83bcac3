/* SPDX-License-Identifier: ISC */
/*
 * A token that a file holds and that somebody replaces (the kubelet, well
 * before its end): when the file is read again, in leaps of the clock.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "kubeside/api.h"
#include "t/unit/apiserver.h"
#include "t/unit/leap.h"

enum {
	YOUNG_MS = 50000,
	OLD_MS = 15000, /* then it is over a minute */
	REST_MS = 6000, /* between two readings for a refusal */
	WINDOW_MS = 5000,
};

static struct api *api;
static unsigned int status;
static int answered;

static void
set_up(void)
{
	api = apiserver_open();
	apiserver_token_file("first\n");
	api_reload(api);
	leap(1);
}

static void
tear_down(void)
{
	leap(0);
	apiserver_close();
}

TestSuite(token, .init = set_up, .fini = tear_down);

static void
on_done(const struct https_answer *a, void *arg)
{
	(void)arg;
	status = a->status;
	answered = 1;
}

/* The server's answer to a request, which has that token. */
static void
ask(const char *token, int reply)
{
	char header[64];
	size_t i = apiserver_count;

	leap(0);
	answered = 0;
	api_send(api, &(struct https_req){ .path = "/x", .done = on_done });
	apiserver_wait(i + 1);
	snprintf(header, sizeof(header), "Bearer %s", token);
	cr_expect_str_eq(apiserver_authorization, header);
	apiserver_reply(i, reply, "{}");
	apiserver_until(&answered);
	cr_expect_eq(status, (unsigned int)reply);
	leap(1);
}

/* Long before it expires: no request is ever refused. */
Test(token, a_file_is_read_again_after_a_minute)
{
	ask("first", 200);
	apiserver_token_file("second");
	ask("first", 200);
	apiserver_run(YOUNG_MS);
	ask("first", 200);
	apiserver_run(OLD_MS);
	ask("second", 200);
	/* And again: it is not the first time alone. */
	apiserver_token_file("third");
	apiserver_run(YOUNG_MS);
	ask("second", 200);
	apiserver_run(OLD_MS);
	ask("third", 200);
}

Test(token, a_refusal_is_looked_after_at_once)
{
	ask("first", 200);
	apiserver_run(REST_MS);
	apiserver_token_file("second");
	ask("first", 401);
	ask("second", 200);
	/* But not with each refusal: nobody may have a better one. */
	apiserver_token_file("third");
	ask("second", 401);
	ask("second", 401);
	apiserver_run(REST_MS);
	ask("second", 401);
	ask("third", 200);
}

/* What we closed ourselves says nothing of the server (api.c, replaced). */
Test(token, new_credentials_are_no_news_of_the_server)
{
	ask("first", 200);
	api_reload(api);
	ask("first", 200);
	ask("first", 200);
	apiserver_run(WINDOW_MS);
	ask("first", 200);
	ask("first", 200);
	cr_expect_eq(apiserver_replaced, 0, "%d", apiserver_replaced);
	api_reload(api);
	apiserver_run(WINDOW_MS);
	ask("first", 200);
	ask("first", 200);
	cr_expect_eq(apiserver_replaced, 0, "%d", apiserver_replaced);
	apiserver_hang_up();
	apiserver_run(20);
	ask("first", 200);
	cr_expect_eq(apiserver_replaced, 1);
}
