/* SPDX-License-Identifier: ISC */
/*
 * web.c: the listening side of the simulators' HTTP server.
 *
 * Owns the listener, the evhttp instance and the choice of a route.  Knows
 * nothing about what is served; never answers itself but for "no such path".
 * Going down frees the whole evhttp, which is what cuts every connection.
 */

#include "t/sim/web.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/why.h"
#include "common/xmem.h"
#include "t/sim/web_impl.h"

enum {
	WEB_BODY_MAX = 1 << 20,
	WEB_BACKLOG = 512,
	/* Keep-alive connections and silent watches are not ours to end. */
	WEB_IDLE_SECONDS = 86400,
	/* Bodies up to this many times the bound are read, then refused. */
	WEB_READ_ON = 8,
};

/* How long the address is; it has that port. */
static socklen_t
make_address(const char *text, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	*out = (struct sockaddr_storage){ 0 };
	if (text == NULL)
		text = "127.0.0.1";
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	return inet_pton(AF_INET6, text, &v6->sin6_addr) == 1 ? sizeof(*v6) : 0;
}

static uint16_t
port_of(const struct sockaddr_storage *a)
{
	return ntohs(a->ss_family == AF_INET6 ?
		((const struct sockaddr_in6 *)a)->sin6_port :
		((const struct sockaddr_in *)a)->sin_port);
}

static int
listen_on(const char *address, uint16_t *port, struct why *why)
{
	struct sockaddr_storage a;
	socklen_t len = make_address(address, *port, &a);
	int fd, one = 1;

	fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return fail_code(why, ERR_SYSTEM, (uint32_t)errno, "socket: %s",
		    strerror(errno));
	/* Accepted sockets inherit NODELAY: answers are several writes. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, len) == -1 ||
	    listen(fd, WEB_BACKLOG) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) == -1) {
		fail_code(why, ERR_SYSTEM, (uint32_t)errno, "port %u: %s",
		    *port, strerror(errno));
		close(fd);
		return -1;
	}
	*port = port_of(&a);
	return fd;
}

/* Captures what ":name" and "*" stand for; 0 when the path does not fit. */
static int
fits(struct web_req *req, const char *pattern)
{
	const char *p = req->path, *q = pattern;
	size_t n, m;

	req->ncaptures = 0;
	while (*q == '/' && *p == '/') {
		struct web_pair *c = &req->captures[req->ncaptures];

		p++, q++;
		n = strcspn(p, "/");
		m = strcspn(q, "/");
		if (*q == '*')
			n = strlen(p);
		if (*q == '*' || *q == ':') {
			if ((n == 0 && *q == ':') ||
			    req->ncaptures == WEB_CAPTURES)
				return 0;
			free(c->name);
			free(c->value);
			c->name =
			    *q == '*' ? xstrdup("*") : xstrndup(q + 1, m - 1);
			c->value = xstrndup(p, n);
			req->ncaptures++;
		} else if (n != m || strncmp(p, q, n) != 0) {
			return 0;
		}
		p += n;
		q += m;
	}
	return *p == '\0' && *q == '\0';
}

static void
decode_captures(struct web_req *req)
{
	size_t i;

	for (i = 0; i < req->ncaptures; i++) {
		char *was = req->captures[i].value;
		char *is = evhttp_uridecode(was, 0, NULL);

		if (is != NULL) {
			req->captures[i].value = is;
			free(was);
		}
	}
}

static void
route(struct web_req *req)
{
	const struct web_conf *conf = &req->web->conf;
	const struct web_route *r;

	for (r = conf->routes; r != NULL && r->pattern != NULL; r++) {
		if ((r->methods & web_method(req)) == 0 ||
		    !fits(req, r->pattern))
			continue;
		decode_captures(req);
		req->pattern = r->pattern;
		r->fn(req, conf->arg);
		return;
	}
	req->ncaptures = 0;
	if (conf->missing != NULL)
		conf->missing(req, conf->arg);
	else
		web_text(req, 404, "text/plain", "404 page not found\n");
}

static void
on_request(struct evhttp_request *ev, void *arg)
{
	struct web *web = arg;
	struct web_req *req = xcalloc(1, sizeof(*req));

	req->web = web;
	req->ev = ev;
	req->method = (enum web_method)evhttp_request_get_command(ev);
	req->conn = evhttp_request_get_connection(ev);
	web_req_peer(req);
	evhttp_connection_set_closecb(req->conn, web_gone, req);
	if (web_req_read(req) == -1) {
		web_text(req, 400, "text/plain", "400 Bad Request\n");
		return;
	}
	if (web->conf.gate != NULL && web->conf.gate(req, web->conf.arg))
		return;
	route(req);
}

void
web_resume(struct web_req *req)
{
	route(req);
}

int
web_up(struct web *web, struct why *why)
{
	struct evhttp *http;
	int fd;

	if (web->http != NULL)
		return 0;
	if ((fd = listen_on(web->conf.address, &web->port, why)) == -1)
		return -1;
	http = evhttp_new(web->conf.base);
	if (http == NULL ||
	    evhttp_accept_socket_with_handle(http, fd) == NULL) {
		if (http != NULL)
			evhttp_free(http);
		close(fd);
		return fail(why, ERR_SYSTEM, "evhttp: cannot listen");
	}
	evhttp_set_allowed_methods(http,
	    EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
		EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
		EVHTTP_REQ_PATCH);
	evhttp_set_max_body_size(http,
	    (ev_ssize_t)(web->conf.body_max * WEB_READ_ON));
	evhttp_set_max_headers_size(http, 64 * 1024);
	evhttp_set_timeout(http, WEB_IDLE_SECONDS);
	evhttp_set_gencb(http, on_request, web);
	if (web->ctx != NULL)
		evhttp_set_bevcb(http, web_tls_accept, web->ctx);
	web->http = http;
	return 0;
}

void
web_down(struct web *web)
{
	struct evhttp *http = web->http;

	web->http = NULL;
	if (http != NULL)
		evhttp_free(http);
}

void
web_say_back(struct web *web, int on)
{
	web->says_back = on;
}

int
web_is_up(const struct web *web)
{
	return web->http != NULL;
}

int
web_certify(struct web *web, struct why *why)
{
	SSL_CTX *ctx = web_tls_new(web->conf.tls, why);

	if (ctx == NULL)
		return -1;
	web_down(web);
	SSL_CTX_free(web->ctx);
	web->ctx = ctx;
	return web_up(web, why);
}

uint16_t
web_port(const struct web *web)
{
	return web->port;
}

struct web *
web_new(const struct web_conf *conf, struct why *why)
{
	struct web *web = xcalloc(1, sizeof(*web));

	web->conf = *conf;
	web->port = conf->port;
	if (web->conf.body_max == 0)
		web->conf.body_max = WEB_BODY_MAX;
	signal(SIGPIPE, SIG_IGN);
	if ((conf->tls != NULL &&
		(web->ctx = web_tls_new(conf->tls, why)) == NULL) ||
	    web_up(web, why) == -1) {
		web_free(web);
		return NULL;
	}
	return web;
}

void
web_free(struct web *web)
{
	if (web == NULL)
		return;
	web_down(web);
	SSL_CTX_free(web->ctx);
	free(web);
}
