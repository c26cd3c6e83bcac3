/* SPDX-License-Identifier: ISC */
/*
 * tunnel.c: takes a CONNECT and passes bytes on, both ways, whatever host it
 * is asked for: all servers of tests are here.
 */
#include "t/unit/tunnel.h"

#include <criterion/criterion.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct tunnel tunnel;
static struct event_base *base;

enum {
	ENDS = 16
};

static const char opened[] = "HTTP/1.1 200 Connection established\r\n"
			     "Via: tunnel\r\n\r\n";

/* Both ends of each way. */
static struct bufferevent *ends[ENDS];

static struct bufferevent *
end_new(evutil_socket_t fd)
{
	size_t i = 0;

	while (i < ENDS && ends[i] != NULL)
		i++;
	cr_assert_lt(i, ENDS);
	ends[i] = bufferevent_socket_new(base, fd,
	    BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	return ends[i];
}

static void
end_free(struct bufferevent *b)
{
	size_t i;

	for (i = 0; i < ENDS; i++)
		if (b != NULL && ends[i] == b) {
			bufferevent_free(b);
			ends[i] = NULL;
		}
}

static void
on_end(struct bufferevent *b, short what, void *arg)
{
	if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)))
		return;
	end_free(b);
	end_free(arg);
}

static void
pass_on(struct bufferevent *b, void *arg)
{
	bufferevent_write_buffer(arg, bufferevent_get_input(b));
}

static void
open_way(struct bufferevent *client)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct bufferevent *far = end_new(-1);
	unsigned int port;

	cr_assert_eq(sscanf(tunnel.asked, "CONNECT %*[^:]:%u", &port), 1);
	to.sin_port = htons((uint16_t)port);
	bufferevent_setcb(client, pass_on, NULL, on_end, far);
	bufferevent_setcb(far, pass_on, NULL, on_end, client);
	cr_assert_eq(bufferevent_socket_connect(far, (struct sockaddr *)&to,
			 sizeof(to)),
	    0);
	bufferevent_enable(far, EV_READ | EV_WRITE);
	bufferevent_write(client, opened, sizeof(opened) - 1);
}

static void
on_request(struct bufferevent *client, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(client);
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	int n;

	(void)arg;
	if (end.pos == -1)
		return;
	n = evbuffer_remove(in, tunnel.asked, (size_t)end.pos + 4);
	tunnel.asked[n] = '\0';
	if (tunnel.refusal == NULL)
		open_way(client);
	else
		bufferevent_write(client, tunnel.refusal,
		    strlen(tunnel.refusal));
}

static void
on_client(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa,
    int len, void *arg)
{
	struct bufferevent *b = end_new(fd);

	(void)l, (void)sa, (void)len, (void)arg;
	tunnel.connections++;
	bufferevent_setcb(b, on_request, NULL, on_end, NULL);
	bufferevent_enable(b, EV_READ | EV_WRITE);
}

void
tunnel_start(struct event_base *loop, const char *refusal)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	base = loop;
	tunnel = (struct tunnel){ .refusal = refusal };
	tunnel.listener = evconnlistener_new_bind(base, on_client, NULL,
	    LEV_OPT_CLOSE_ON_FREE, -1, (struct sockaddr *)&at, sizeof(at));
	cr_assert_not_null(tunnel.listener);
	cr_assert_eq(getsockname(evconnlistener_get_fd(tunnel.listener),
			 (struct sockaddr *)&at, &len),
	    0);
	(void)snprintf(tunnel.url, sizeof(tunnel.url),
	    "http://user:pass@127.0.0.1:%u", ntohs(at.sin_port));
}

void
tunnel_stop(void)
{
	size_t i;

	for (i = 0; i < ENDS; i++)
		end_free(ends[i]);
	evconnlistener_free(tunnel.listener);
}
