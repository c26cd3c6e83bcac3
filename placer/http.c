/* SPDX-License-Identifier: ISC */
/*
 * http.c: answers probes and Prometheus.
 *
 * Owns the three paths.  Reads the world, never changes it.
 */
#include "placer/http.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/xmem.h"
#include "placer/scrape.h"

struct http {
	struct evhttp *server;
	const struct world *world;
};

static void
answer(struct evhttp_request *req, int code, const char *text)
{
	struct evbuffer *b;

	b = evbuffer_new();
	evhttp_add_header(evhttp_request_get_output_headers(req),
	    "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
	evbuffer_add_printf(b, "%s", text);
	evhttp_send_reply(req, code, NULL, b);
	evbuffer_free(b);
}

static void
on_healthz(struct evhttp_request *req, void *arg)
{
	(void)arg;
	answer(req, HTTP_OK, "ok\n");
}

/* What is still missing, or NULL. */
static const char *
unready(const struct world *w)
{
	size_t i;

	if (!w->kube_up || !w->kube_reachable)
		return "the apiserver is not reached\n";
	if (!w->devices_listed)
		return "devices were not yet listed\n";
	for (i = 0; i < w->nnodes; i++)
		if (!w->nodes[i].pods_listed)
			return "pods were not yet listed\n";
	return NULL;
}

static void
on_readyz(struct evhttp_request *req, void *arg)
{
	const struct http *h = arg;
	const char *why = unready(h->world);

	answer(req, why == NULL ? HTTP_OK : HTTP_SERVUNAVAIL,
	    why == NULL ? "ok\n" : why);
}

static void
on_metrics(struct evhttp_request *req, void *arg)
{
	const struct http *h = arg;
	char *text;

	text = scrape_text(h->world, unready(h->world) == NULL);
	answer(req, HTTP_OK, text);
	free(text);
}

struct http *
http_new(struct event_base *base, int fd, const struct world *w)
{
	struct http *h;

	h = xcalloc(1, sizeof(*h));
	h->world = w;
	h->server = evhttp_new(base);
	evhttp_set_allowed_methods(h->server, EVHTTP_REQ_GET);
	evhttp_set_max_headers_size(h->server, 8192);
	evhttp_set_max_body_size(h->server, 0);
	evhttp_set_timeout(h->server, 10);
	evhttp_set_cb(h->server, "/healthz", on_healthz, h);
	evhttp_set_cb(h->server, "/readyz", on_readyz, h);
	evhttp_set_cb(h->server, "/metrics", on_metrics, h);
	if (evhttp_accept_socket(h->server, fd) == -1)
		log_error("the health listener cannot be served");
	return h;
}

void
http_free(struct http *h)
{
	if (h == NULL)
		return;
	evhttp_free(h->server);
	free(h);
}
