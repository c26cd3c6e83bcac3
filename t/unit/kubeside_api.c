/* SPDX-License-Identifier: ISC */
/* The server as the rest of kubeside sees it: there, away, another. */
#include "kubeside/api.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/settings.h"
#include "ipc/msg.h"
#include "t/unit/apiserver.h"
#include "t/unit/leap.h"
#include "t/unit/said.h"
#include "t/unit/tunnel.h"

static struct api *api;
static struct https_answer answer;
static int answered;

static void
set_up(void)
{
	api = apiserver_open();
}

static void
tear_down(void)
{
	apiserver_close();
}

TestSuite(api, .init = set_up, .fini = tear_down);

static void
on_done(const struct https_answer *a, void *arg)
{
	(void)arg;
	answer = *a;
	answered = 1;
}

static void
ask(void)
{
	answered = 0;
	api_send(api, &(struct https_req){ .path = "/x", .done = on_done });
}

static void
ask_and_reply(int status, const char *body)
{
	size_t i = apiserver_count;

	ask();
	apiserver_wait(i + 1);
	apiserver_reply(i, status, body);
	apiserver_until(&answered);
}

Test(api, what_the_server_says_is_in_the_text)
{
	ask_and_reply(403,
	    "{\"kind\":\"Status\",\"message\":\"User \\\"a\\\" "
	    "cannot list\"}");
	cr_expect_eq(answer.why.kind, ERR_DENIED);
	cr_expect_not_null(strstr(answer.why.text, "cannot list"));
	cr_expect_null(strstr(answer.why.text, "secret"));
	ask_and_reply(404, "404 page not found");
	cr_expect_eq(answer.why.kind, ERR_GONE);
	ask_and_reply(500, "");
	cr_expect_eq(answer.why.kind, ERR_AGAIN);
}

Test(api, reachable_when_it_answers)
{
	cr_expect(!apiserver_reachable);
	ask_and_reply(403, "{}");
	cr_expect(!apiserver_reachable, "a young server refuses everything");
	ask_and_reply(404, "{}");
	cr_expect(apiserver_reachable);
	/* One failure soon after a good answer is no outage. */
	ask_and_reply(503, "{}");
	cr_expect(apiserver_reachable);
}

Test(api, one_that_closed_an_idle_connection_may_be_another)
{
	ask_and_reply(200, "{}");
	ask_and_reply(200, "{}");
	cr_expect_eq(apiserver_replaced, 0);
	apiserver_hang_up();
	apiserver_run(20);
	ask_and_reply(200, "{}");
	cr_expect_eq(apiserver_replaced, 1);
	ask_and_reply(200, "{}");
	cr_expect_eq(apiserver_replaced, 1);
}

/* Two at once need two connections: that says nothing. */
Test(api, more_connections_are_no_news)
{
	ask_and_reply(200, "{}");
	ask();
	ask();
	apiserver_wait(3);
	apiserver_reply(1, 200, "{}");
	apiserver_reply(2, 200, "{}");
	apiserver_until(&answered);
	apiserver_run(20);
	cr_expect_eq(apiserver_replaced, 0);
}

static int
on_data(struct span piece, void *arg, struct why *why)
{
	(void)piece, (void)arg, (void)why;
	return 0;
}

/* Begun again because of it, watches would take connections for ever. */
Test(api, a_connection_that_a_stream_took_is_no_news)
{
	struct api_call *stream;

	ask_and_reply(200, "{}");
	stream =
	    api_send(api, &(struct https_req){ .path = "/x", .data = on_data });
	apiserver_wait(2);
	ask_and_reply(200, "{}");
	cr_expect_eq(apiserver_replaced, 0);
	ask_and_reply(200, "{}");
	cr_expect_eq(apiserver_replaced, 0);
	api_cancel(stream);
	ask_and_reply(200, "{}");
	apiserver_hang_up();
	apiserver_run(20);
	ask_and_reply(200, "{}");
	cr_expect_eq(apiserver_replaced, 1);
}

Test(api, new_credentials_after_a_reload)
{
	ask_and_reply(200, "{}");
	cr_expect_str_eq(apiserver_authorization, "Bearer secret");
	apiserver_token("other");
	ask_and_reply(200, "{}");
	cr_expect_str_eq(apiserver_authorization, "Bearer secret");
	api_reload(api);
	ask_and_reply(200, "{}");
	cr_expect_str_eq(apiserver_authorization, "Bearer other");
	/* What cannot be read leaves what there was. */
	apiserver_token(NULL);
	api_reload(api);
	ask_and_reply(200, "{}");
	cr_expect_str_eq(apiserver_authorization, "Bearer other");
}

enum {
	ENDED_WELL = 42
};

/* Ends the test: well when it ended for that. */
static void
on_end(const struct body_log *line, void *arg)
{
	static const char before[] = "apiserver http://localhost:",
			  between[] = " in place of http://127.0.0.1:",
			  after[] = " may be another cluster: a process that "
				    "asks which it is follows";
	const char *at;

	(void)arg;
	if (line->level != LOG_LEVEL_ERROR)
		return;
	at = line->text + sizeof(before) - 1;
	_exit(strncmp(line->text, before, sizeof(before) - 1) == 0 &&
		    (at = strstr(at, between)) != NULL &&
		    strstr(at, after) != NULL ?
		ENDED_WELL :
		1);
}

/* Whose lists would be taken for those of the cluster that we know. */
Test(api, another_server_is_for_another_process, .exit_code = ENDED_WELL)
{
	ask_and_reply(200, "{}");
	apiserver_host("localhost");
	log_set_sink(on_end, NULL);
	api_reload(api);
}

/* It is this server still, and all else goes on as before. */
Test(api, a_proxy_that_the_kubeconfig_names)
{
	ask_and_reply(200, "{}");
	tunnel_start(apiserver_base, NULL);
	apiserver_proxy(tunnel.url);
	api_reload(api);
	cr_expect_eq(tunnel.connections, 0);
	ask_and_reply(200, "{}");
	cr_expect_eq(answer.status, 200, "%s", answer.why.text);
	cr_expect_str_eq(apiserver_authorization, "Bearer secret");
	cr_expect_eq(tunnel.connections, 1);
	cr_expect(apiserver_reachable);
	cr_expect_eq(apiserver_replaced, 0);
	tunnel_stop();
}

Test(api, cancelled_is_not_answered)
{
	struct api_call *c;

	c = api_send(api, &(struct https_req){ .path = "/x", .done = on_done });
	apiserver_wait(1);
	api_cancel(c);
	apiserver_run(50);
	cr_expect(!answered);
}

/* A young server refuses everything for a second. */
Test(api, what_is_not_allowed_is_told_once_when_it_lasts, .timeout = 60)
{
	static const struct {
		const char *body, *said;
	} cases[] = {
		{ "{\"message\":\"User \\\"a\\\" cannot list\"}",
		    "not allowed: User \"a\" cannot list\n" },
		{ "<html>", "not allowed: GET /x: 403\n" },
	};
	size_t i;

	leap(1);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		said_start();
		ask_and_reply(403, cases[i].body);
		cr_expect_str_eq(said(), "");
		apiserver_run(5000);
		ask_and_reply(403, cases[i].body);
		ask_and_reply(403, cases[i].body);
		cr_expect_str_eq(said(), cases[i].said);
	}
	said_stop();
	leap(0);
}

static char state[512];

static void
on_state(int reachable, const char *text, void *arg)
{
	(void)arg;
	snprintf(state, sizeof(state), "%d %s", reachable, text);
}

static void
on_replaced(void *arg)
{
	(void)arg;
}

/* Until they can be read nobody is asked, and each who asks learns why. */
Test(api, without_credentials_nothing_is_sent, .timeout = 60)
{
	static const struct api_ops ops = { on_state, on_replaced };
	struct settings s;
	struct why why;
	char none[128], line[256];

	(void)snprintf(none, sizeof(none),
	    "/nonexistent/config: not readable for uid %u: No such file or "
	    "directory",
	    geteuid());
	(void)snprintf(line, sizeof(line),
	    "no credentials for the apiserver: %s\n", none);
	settings_init(&s);
	cr_assert_eq(settings_set(&s, SET_KUBECONFIG, "/nonexistent/config",
			 &why),
	    0);
	said_start();
	api = api_new(apiserver_base, &s, 1, &ops, NULL);
	cr_expect_eq(strncmp(state, "0 ", 2), 0);
	cr_expect_str_eq(state + 2, none);
	ask();
	apiserver_until(&answered);
	cr_expect_eq(answer.status, 0);
	cr_expect_eq(answer.why.kind, ERR_AGAIN);
	cr_expect_str_eq(answer.why.text, none);
	api_reload(api);
	apiserver_run(20);
	cr_expect_str_eq(said(), line, "once");
	cr_expect_eq(apiserver_count, 0);
	said_stop();
	api_free(api);
	settings_free(&s);
}
