/* SPDX-License-Identifier: ISC */
/*
 * http.c: answers probes, Prometheus and the status page.
 *
 * Owns the paths, and who is shown the page.  Reads the world, never changes
 * it.
 */
#include "placer/http.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/form.h"
#include "common/log.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "placer/api.h"
#include "placer/page.h"
#include "placer/scrape.h"
#include "placer/visitors.h"

#define TEXT "text/plain; charset=utf-8"
#define JSON "application/json"

struct http {
	struct evhttp *server;
	struct visitors *visitors;
	struct evconnlistener *listener; /* the server's */
	struct event *pause;
	int short_of; /* descriptors, and it was told */
	const struct world *world;
	const char *status_page;
	int64_t born; /* tells one run's tags from another's */
};

enum {
	FORBIDDEN = 403,
	NOT_MODIFIED = 304,
	TAG_SIZE = 64,
	PAUSE_MS = 20,	 /* until who was cut off has gone */
	SHORT_MS = 1000, /* until there may be descriptors again */
};

/* The one that listens, where a callback's argument is the library's. */
static struct http *listens;

/* Nothing from elsewhere, nothing for elsewhere, nothing kept. */
static const struct header {
	const char *name, *value;
} headers[] = {
	{ "Cache-Control", "no-cache" },
	{ "Content-Security-Policy",
	    "default-src 'none'; script-src 'self'; style-src 'self'; "
	    "img-src 'self'; connect-src 'self'; base-uri 'none'; "
	    "form-action 'none'; frame-ancestors 'none'; "
	    "require-trusted-types-for 'script'; trusted-types 'none'" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Referrer-Policy", "no-referrer" },
	{ "X-Content-Type-Options", "nosniff" },
};

static void
send_reply(struct evhttp_request *req, int code, struct evbuffer *body)
{
	struct evhttp_connection *c = evhttp_request_get_connection(req);

	visitors_answered(listens->visitors,
	    evhttp_connection_get_bufferevent(c));
	evhttp_send_reply(req, code, NULL, body);
}

static void
answer(struct evhttp_request *req, int code, const char *type,
    struct span bytes)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(req);
	const struct header *h;
	struct evbuffer *b;

	b = evbuffer_new();
	for (h = headers; h < headers + sizeof(headers) / sizeof(*h); h++)
		evhttp_add_header(out, h->name, h->value);
	evhttp_add_header(out, "Content-Type", type);
	/* The library would send it in answer to a HEAD, too. */
	if (evhttp_request_get_command(req) == EVHTTP_REQ_HEAD)
		bytes.len = 0;
	if (b == NULL || evbuffer_add(b, bytes.p, bytes.len) == -1)
		xmem_none();
	send_reply(req, code, b);
	evbuffer_free(b);
}

static void
answer_text(struct evhttp_request *req, int code, const char *text)
{
	answer(req, code, TEXT, span_of(text));
}

/* -- probes -- */

static void
on_healthz(struct evhttp_request *req, void *arg)
{
	(void)arg;
	answer_text(req, HTTP_OK, "ok\n");
}

static void
on_readyz(struct evhttp_request *req, void *arg)
{
	const struct http *h = arg;
	const char *why = api_unready(h->world);
	AUTO_FREE char *text = xasprintf("%s\n", why == NULL ? "ok" : why);

	answer_text(req, why == NULL ? HTTP_OK : HTTP_SERVUNAVAIL, text);
}

/* -- who asks -- */

static int
is_loopback(struct evhttp_request *req)
{
	char *peer = NULL;
	uint16_t port;

	evhttp_connection_get_peer(evhttp_request_get_connection(req), &peer,
	    &port);
	return peer != NULL &&
	    (strncmp(peer, "127.", 4) == 0 || strcmp(peer, "::1") == 0 ||
		strncmp(peer, "::ffff:127.", 11) == 0);
}

/* An address, or localhost: a name that no other site can have. */
static int
is_ours(const char *host)
{
	AUTO_FREE char *with_port = NULL;

	if (host == NULL)
		return 0;
	with_port = xasprintf("%s:1", host);
	return strcasecmp(host, "localhost") == 0 ||
	    form_is_listen(span_of(with_port));
}

/*
 * A Prometheus may know us by any name; but one that comes over loopback has
 * no reason to, and a browser there may have been sent by whoever owns it.
 */
static void
on_metrics(struct evhttp_request *req, void *arg)
{
	const struct http *h = arg;
	AUTO_FREE char *text = NULL;

	if (is_loopback(req) && !is_ours(evhttp_request_get_host(req))) {
		answer_text(req, FORBIDDEN,
		    "Host: over loopback metrics are shown under an address "
		    "or localhost, under no other name\n");
		return;
	}
	text = scrape_text(h->world, api_unready(h->world) == NULL);
	answer(req, HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
	    span_of(text));
}

/* -- the status page -- */

/* Why it is not for this request, or NULL. */
static const char *
refusal(const struct http *h, struct evhttp_request *req)
{
	if (strcmp(h->status_page, "no") == 0)
		return "STATUS_PAGE=no: there is no status page\n";
	if (strcmp(h->status_page, "local") == 0 && !is_loopback(req))
		return "STATUS_PAGE=local: the status page is for who connects "
		       "over loopback (ssh -L, kubectl port-forward)\n";
	if (!is_ours(evhttp_request_get_host(req)))
		return "Host: the status page is shown under an address or "
		       "localhost, under no other name\n";
	return NULL;
}

/* Has the asker what has this tag?  It is told, and the tag too. */
static int
is_known(struct evhttp_request *req, const char *tag)
{
	const char *has =
	    evhttp_find_header(evhttp_request_get_input_headers(req),
		"If-None-Match");
	struct evkeyvalq *out = evhttp_request_get_output_headers(req);

	evhttp_add_header(out, "ETag", tag);
	if (has == NULL || strcmp(has, tag) != 0)
		return 0;
	send_reply(req, NOT_MODIFIED, NULL);
	return 1;
}

/* FNV-1a. */
static uint64_t
digest(struct span s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	return h;
}

static void
answer_page(struct evhttp_request *req, const struct page *page)
{
	char tag[TAG_SIZE];

	(void)snprintf(tag, sizeof(tag), "\"%" PRIx64 "\"",
	    digest(page->bytes));
	if (!is_known(req, tag))
		answer(req, HTTP_OK, page->type, page->bytes);
}

/* What changes the world is counted; but Leases run out by themselves. */
static void
world_tag(const struct http *h, struct now now, char tag[TAG_SIZE])
{
	const struct world *w = h->world;
	unsigned int held = 0;
	size_t i;

	for (i = 0; i < w->nnodes; i++)
		held += now.boot_ms < w->nodes[i].until_boot;
	(void)snprintf(tag, TAG_SIZE, "\"%" PRIx64 "-%" PRIx64 "-%x\"",
	    (uint64_t)h->born, w->planned.n + w->asides, held);
}

static void
answer_api(const struct http *h, struct evhttp_request *req,
    const struct evhttp_uri *uri)
{
	const char *query = evhttp_uri_get_query(uri);
	const char *path = evhttp_uri_get_path(uri);
	struct now now = now_read();
	struct evkeyvalq q = { 0 };
	AUTO_FREE char *text = NULL;
	struct api_query asked;
	char tag[TAG_SIZE];
	int code;

	world_tag(h, now, tag);
	/* Its clocks run without anything having changed. */
	if (strcmp(path, "/api/explain") != 0 && is_known(req, tag))
		return;
	if (query != NULL && evhttp_parse_query_str(query, &q) == -1) {
		answer_text(req, HTTP_BADREQUEST, "the query is malformed\n");
		return;
	}
	asked = (struct api_query){ .match = evhttp_find_header(&q, "match"),
		.only = evhttp_find_header(&q, "only"),
		.from = evhttp_find_header(&q, "from"),
		.pod = evhttp_find_header(&q, "pod"),
		.device = evhttp_find_header(&q, "device") };
	code =
	    api_answer(h->world, now, evhttp_uri_get_path(uri), &asked, &text);
	answer(req, code, JSON, span_of(text));
	evhttp_clear_headers(&q);
}

static void
on_other(struct evhttp_request *req, void *arg)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *path = evhttp_uri_get_path(uri), *why;
	const struct http *h = arg;
	struct page page;
	int is_page;

	is_page = page_find(path != NULL ? path : "", &page) == 0;
	if (!is_page && (path == NULL || strncmp(path, "/api/", 5) != 0))
		answer_text(req, HTTP_NOTFOUND,
		    "there are /, /healthz, /readyz and /metrics\n");
	else if ((why = refusal(h, req)) != NULL)
		answer_text(req, FORBIDDEN, why);
	else if (is_page)
		answer_page(req, &page);
	else
		answer_api(h, req, uri);
}

/* -- crowds -- */

static void
pause_listening(struct http *h, int ms)
{
	(void)evconnlistener_disable(h->listener);
	xevent_in(h->pause, ms);
}

static void
on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct http *h = arg;

	(void)fd, (void)what;
	if (visitors_open(h->visitors) >= VISITORS_OPEN)
		pause_listening(h, PAUSE_MS);
	else if (evconnlistener_enable(h->listener) == -1)
		xmem_none();
}

/* What comes after waits in the backlog. */
static struct bufferevent *
on_connection(struct event_base *base, void *arg)
{
	struct http *h = arg;
	struct bufferevent *stream = visitors_add(h->visitors);

	(void)base;
	h->short_of = 0;
	if (visitors_open(h->visitors) >= VISITORS_OPEN)
		pause_listening(h, PAUSE_MS);
	return stream;
}

/* The connection stays in the backlog and the listener readable. */
static void
on_not_accepted(struct evconnlistener *l, void *arg)
{
	struct http *h = listens;

	(void)l, (void)arg;
	/* The library takes all that wait in one turn, whatever we say. */
	if (visitors_open(h->visitors) >= VISITORS_MAX) {
		pause_listening(h, PAUSE_MS);
		return;
	}
	if (!h->short_of)
		log_warn("the health listener takes no connection: %s",
		    strerror(errno));
	h->short_of = 1;
	pause_listening(h, SHORT_MS);
}

static void
listen_on(struct http *h, int fd)
{
	struct evhttp_bound_socket *bound;

	bound = evhttp_accept_socket_with_handle(h->server, fd);
	if (bound == NULL) {
		log_error("the health listener cannot be served");
		return;
	}
	listens = h;
	h->listener = evhttp_bound_socket_get_listener(bound);
	evconnlistener_set_error_cb(h->listener, on_not_accepted);
	evhttp_set_bevcb(h->server, on_connection, h);
}

struct http *
http_new(struct event_base *base, int fd, const struct world *w,
    const char *status_page)
{
	struct http *h;

	h = xcalloc(1, sizeof(*h));
	h->world = w;
	h->status_page = status_page;
	h->born = now_read().wall_ms;
	h->visitors = visitors_new(base);
	h->pause = xevent_timer(base, on_pause_over, h);
	if ((h->server = evhttp_new(base)) == NULL)
		xmem_none();
	evhttp_set_allowed_methods(h->server, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(h->server, 8192);
	evhttp_set_max_body_size(h->server, 0);
	evhttp_set_timeout(h->server, VISIT_SECONDS);
	evhttp_set_cb(h->server, "/healthz", on_healthz, h);
	evhttp_set_cb(h->server, "/readyz", on_readyz, h);
	evhttp_set_cb(h->server, "/metrics", on_metrics, h);
	evhttp_set_gencb(h->server, on_other, h);
	listen_on(h, fd);
	return h;
}

void
http_free(struct http *h)
{
	if (h == NULL)
		return;
	evhttp_free(h->server);
	visitors_free(h->visitors);
	event_free(h->pause);
	free(h);
}
