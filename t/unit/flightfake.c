/* SPDX-License-Identifier: ISC */
/*
 * flightfake.c: a Flightctl whose answers are the test's.  Owns the loop, the
 * server and the queue in front of it; knows one answer, the organisations.
 */
#include "t/unit/flightfake.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <criterion/criterion.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/xmem.h"
#include "flightside/flight_own.h" /* to look into the budget */
#include "t/unit/leaks.h"

struct fake fake;

/* -- the server -- */

static void
on_asked(struct evhttp_request *req, void *arg)
{
	(void)arg;
	cr_assert_lt(fake.nasked, FAKE_REQUESTS);
	if (evhttp_request_get_command(req) == EVHTTP_REQ_PUT)
		fake.puts++;
	else
		fake.gets++;
	fake.asked[fake.nasked++] = req;
}

void
fake_turn(void)
{
	static const struct timeval tick = { 0, 200000 };

	event_base_loopexit(fake.base, &tick);
	event_base_loop(fake.base, EVLOOP_ONCE);
}

const char *
fake_asked(void)
{
	static const char root[] = "/api/v1/";
	static char text[8192];
	const struct evhttp_request *req;
	AUTO_FREE char *uri = NULL;

	FAKE_UNTIL(fake.nasked > 0);
	req = fake.asked[0];
	uri = evhttp_uridecode(evhttp_request_get_uri(req), 0, NULL);
	cr_assert_eq(strncmp(uri, root, strlen(root)), 0, "%s", uri);
	(void)strlcpy(text,
	    evhttp_request_get_command(req) == EVHTTP_REQ_PUT ? "PUT " : "GET ",
	    sizeof(text));
	cr_assert_lt(strlcat(text, uri + strlen(root), sizeof(text)),
	    sizeof(text));
	return text;
}

const char *
fake_body(void)
{
	static char body[8192];
	ssize_t n =
	    evbuffer_copyout(evhttp_request_get_input_buffer(fake.asked[0]),
		body, sizeof(body) - 1);

	cr_assert_geq(n, 0);
	body[n] = '\0';
	return body;
}

void
fake_reply(unsigned int status, const char *body)
{
	struct evhttp_request *req = fake.asked[0];
	struct evbuffer *out = evbuffer_new();

	memmove(fake.asked, fake.asked + 1,
	    --fake.nasked * sizeof(fake.asked[0]));
	evbuffer_add(out, body, strlen(body));
	if (status == 429)
		evhttp_add_header(evhttp_request_get_output_headers(req),
		    "Retry-After", "1");
	evhttp_send_reply(req, (int)status, NULL, out);
	evbuffer_free(out);
}

/* -- the budget -- */

unsigned int
fake_left(void)
{
	struct bucket copy = fake.flight->budget.all;
	int64_t now = now_read().boot_ms;
	unsigned int n = 0;

	while (bucket_take(&copy, now))
		n++;
	return n;
}

int64_t
fake_kept(void)
{
	return budget_keeps(&fake.flight->budget);
}

void
fake_stand_still(void)
{
	fake.flight->budget.all.tenths = 1;
}

void
fake_spend(void)
{
	while (fake_left() > 1)
		(void)bucket_take(&fake.flight->budget.all, now_read().boot_ms);
}

/* -- life -- */

void
fake_set(enum setting which, const char *value)
{
	struct why why;

	cr_assert_eq(settings_set(&fake.settings, which, value, &why), 0, "%s",
	    why.text);
}

void
fake_start(void)
{
	struct evhttp_bound_socket *socket;
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	AUTO_FREE char *url = NULL;

	memset(&fake, 0, sizeof(fake));
	log_init("fake");
	log_set_level(LOG_LEVEL_ERROR);
	fake.base = event_base_new();
	fake.http = evhttp_new(fake.base);
	evhttp_set_gencb(fake.http, on_asked, NULL);
	socket = evhttp_bind_socket_with_handle(fake.http, "127.0.0.1", 0);
	cr_assert_not_null(socket);
	cr_assert_eq(getsockname(evhttp_bound_socket_get_fd(socket),
			 (struct sockaddr *)&sin, &len),
	    0);
	url = xasprintf("http://127.0.0.1:%u", ntohs(sin.sin_port));
	settings_init(&fake.settings);
	fake_set(SET_FLIGHTCTL_API_URL, url);
}

static void
on_state(enum flight_state state, const char *text, void *arg)
{
	(void)state, (void)text, (void)arg;
}

void
fake_open(void)
{
	struct why why;

	fake.flight = flight_new(fake.base, &fake.settings, span_of("secret"),
	    on_state, NULL, &why);
	cr_assert_not_null(fake.flight, "%s", why.text);
	cr_assert_str_eq(fake_asked(), "GET organizations");
	fake_reply(200,
	    "{\"items\":[{\"metadata\":{\"name\":\"" FAKE_ORG "\"}}]}");
	FAKE_UNTIL(flight_state(fake.flight) == FLIGHT_ANSWERS);
	fake.gets = 0;
}

void
fake_stop(void)
{
	flight_free(fake.flight);
	evhttp_free(fake.http);
	event_base_free(fake.base);
	settings_free(&fake.settings);
	NO_LEAKS();
}
