/* SPDX-License-Identifier: ISC */
/*
 * apiserver.c: the other end of kubeside's parts in their tests.
 *
 * Owns the loop, the server, its kubeconfig and the client.  Knows nothing of
 * Kubernetes: the test says every answer.
 */
#include "t/unit/apiserver.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/settings.h"
#include "common/xmem.h"
#include "kubeside/api.h"

enum {
	PATIENCE_MS = 30000, /* longer than any step of a test takes: twice
				refused, a list comes within 10 s */
};

struct event_base *apiserver_base;
struct asked apiserver_asked[ASKED_MAX];
size_t apiserver_count;
int apiserver_reachable;
int apiserver_replaced;

char apiserver_authorization[64];
void (*apiserver_asks)(size_t);

static struct evhttp *http;
static struct evhttp_connection *last;
static unsigned int port;
static struct settings settings;
static struct api *api;
static char config[] = "/tmp/vk-unit-XXXXXX";
static char token_file[64];

static const char *
method_of(struct evhttp_request *req)
{
	switch ((int)evhttp_request_get_command(req)) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_PATCH:
		return "PATCH";
	case EVHTTP_REQ_DELETE:
		return "DELETE";
	default:
		return "?";
	}
}

static struct asked *
of_request(const struct evhttp_request *req)
{
	size_t i;

	for (i = 0; i < apiserver_count; i++)
		if (apiserver_asked[i].req == req)
			return &apiserver_asked[i];
	return NULL;
}

/* The client hung up: there is nobody to reply to. */
static void
on_hung_up(struct evhttp_connection *c, void *arg)
{
	struct asked *a = of_request(arg);

	(void)c;
	if (a == NULL)
		return;
	a->lost = a->req;
	a->req = NULL;
}

static void
on_asked(struct evhttp_request *req, void *arg)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	struct asked *a = &apiserver_asked[apiserver_count];
	size_t len = evbuffer_get_length(in);

	(void)arg;
	cr_assert_lt(apiserver_count, ASKED_MAX);
	snprintf(apiserver_authorization, sizeof(apiserver_authorization), "%s",
	    evhttp_find_header(evhttp_request_get_input_headers(req),
		"Authorization"));
	last = evhttp_request_get_connection(req);
	apiserver_count++;
	a->req = req;
	snprintf(a->method, sizeof(a->method), "%s", method_of(req));
	a->target = xstrdup(evhttp_request_get_uri(req));
	a->body = xcalloc(1, len + 1);
	evbuffer_copyout(in, a->body, len);
	evhttp_connection_set_closecb(evhttp_request_get_connection(req),
	    on_hung_up, req);
	event_base_loopbreak(apiserver_base);
	if (apiserver_asks != NULL)
		apiserver_asks(apiserver_count - 1);
}

static void
on_state(int reachable, const char *text, void *arg)
{
	(void)text;
	(void)arg;
	apiserver_reachable = reachable;
}

static void
on_replaced(void *arg)
{
	(void)arg;
	apiserver_replaced++;
}

static const char *host = "127.0.0.1";

static void
write_config(const char *key, const char *value, const char *more)
{
	FILE *f = fopen(config, "w");

	cr_assert_not_null(f);
	fprintf(f,
	    "current-context: a\n"
	    "contexts: [{name: a, context: {cluster: a, user: a}}]\n"
	    "clusters: [{name: a, cluster: "
	    "{server: 'http://%s:%u'%s}}]\n"
	    "users: [{name: a, user: {%s: %s}}]\n",
	    host, port, more, key, value);
	fclose(f);
}

void
apiserver_host(const char *name)
{
	host = name;
	apiserver_token("secret");
}

void
apiserver_token(const char *token)
{
	if (token == NULL)
		unlink(config);
	else
		write_config("token", token, "");
}

void
apiserver_token_file(const char *token)
{
	FILE *f;

	snprintf(token_file, sizeof(token_file), "%s.token", config);
	f = fopen(token_file, "w");
	cr_assert_not_null(f);
	fputs(token, f);
	fclose(f);
	write_config("tokenFile", token_file, "");
}

void
apiserver_proxy(const char *url)
{
	char more[128];

	snprintf(more, sizeof(more), ", proxy-url: '%s'", url);
	write_config("token", "secret", more);
}

void
apiserver_hang_up(void)
{
	evhttp_connection_free(last);
}

struct api *
apiserver_open(void)
{
	static const struct api_ops ops = { on_state, on_replaced };
	struct sockaddr_in sin;
	struct evhttp_bound_socket *socket;
	socklen_t len = sizeof(sin);
	struct why why;

	apiserver_base = event_base_new();
	http = evhttp_new(apiserver_base);
	evhttp_set_allowed_methods(http,
	    EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PATCH |
		EVHTTP_REQ_DELETE);
	evhttp_set_gencb(http, on_asked, NULL);
	socket = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
	cr_assert_not_null(socket);
	getsockname(evhttp_bound_socket_get_fd(socket), (struct sockaddr *)&sin,
	    &len);
	port = ntohs(sin.sin_port);
	close(mkstemp(config));
	apiserver_token("secret");
	settings_init(&settings);
	cr_assert_eq(settings_set(&settings, SET_KUBECONFIG, config, &why), 0);
	api = api_new(apiserver_base, &settings, 4, &ops, NULL);
	return api;
}

void
apiserver_close(void)
{
	size_t i;

	api_free(api);
	/* Without a connection an end frees the request. */
	for (i = 0; i < apiserver_count; i++)
		if (apiserver_asked[i].lost != NULL)
			evhttp_send_reply_end(apiserver_asked[i].lost);
	evhttp_free(http);
	event_base_free(apiserver_base);
	settings_free(&settings);
	unlink(config);
	unlink(token_file);
	for (i = 0; i < apiserver_count; i++) {
		free(apiserver_asked[i].target);
		free(apiserver_asked[i].body);
	}
	apiserver_count = 0;
}

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(int *)arg = 1;
}

/* Until the condition, or the count of requests, or the time is there. */
static void
run_until(const int *condition, size_t count, int ms)
{
	struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };
	int late = 0;
	struct event *timer = evtimer_new(apiserver_base, on_time, &late);

	evtimer_add(timer, &tv);
	while (!late && !*condition && apiserver_count < count)
		event_base_loop(apiserver_base, EVLOOP_ONCE);
	event_free(timer);
}

void
apiserver_run(int ms)
{
	static const int never = 0;

	run_until(&never, SIZE_MAX, ms);
}

void
apiserver_wait(size_t count)
{
	static const int never = 0;

	run_until(&never, count, PATIENCE_MS);
	cr_assert_eq(apiserver_count, count, "%zu requests of %zu",
	    apiserver_count, count);
}

void
apiserver_until(const int *condition)
{
	run_until(condition, SIZE_MAX, PATIENCE_MS);
	cr_assert(*condition, "in vain");
}

static struct evhttp_request *
take(size_t i)
{
	struct evhttp_request *req = apiserver_asked[i].req;

	cr_assert_lt(i, apiserver_count);
	cr_assert_not_null(req, "request %zu has its reply, or hung up", i);
	apiserver_asked[i].req = NULL;
	return req;
}

/* As every object of the API has one; "": a success. */
static const char *
with_kind(const char *body)
{
	static char buf[65536];

	if (body[0] != '{')
		return body[0] == '\0' ?
		    "{\"kind\":\"Status\",\"status\":\"Success\"}" :
		    body;
	cr_assert_lt((size_t)snprintf(buf, sizeof(buf), "{\"kind\":\"Any\"%s%s",
			 body[1] == '}' ? "" : ",", body + 1),
	    sizeof(buf));
	return buf;
}

static void
reply(size_t i, int status, const char *body, const char *retry_after)
{
	struct evhttp_request *req = take(i);
	struct evbuffer *out = evbuffer_new();

	if (retry_after != NULL)
		evhttp_add_header(evhttp_request_get_output_headers(req),
		    "Retry-After", retry_after);
	if (status / 100 == 2 && strstr(body, "\"kind\"") == NULL)
		body = with_kind(body);
	evbuffer_add(out, body, strlen(body));
	evhttp_send_reply(req, status, NULL, out);
	evbuffer_free(out);
}

void
apiserver_reply(size_t i, int status, const char *body)
{
	reply(i, status, body, NULL);
}

void
apiserver_reply_after(size_t i, int status, const char *retry_after)
{
	reply(i, status, "", retry_after);
}

void
apiserver_begin(size_t i)
{
	cr_assert_not_null(apiserver_asked[i].req);
	evhttp_send_reply_start(apiserver_asked[i].req, 200, NULL);
}

void
apiserver_piece(size_t i, const char *text)
{
	struct evbuffer *out = evbuffer_new();

	cr_assert_not_null(apiserver_asked[i].req);
	evbuffer_add(out, text, strlen(text));
	evhttp_send_reply_chunk(apiserver_asked[i].req, out);
	evbuffer_free(out);
}

void
apiserver_end(size_t i)
{
	evhttp_send_reply_end(take(i));
}
