/* SPDX-License-Identifier: ISC */
/*
 * Any bytes to the health listener, of which the first says who sees the page,
 * whether they come over loopback, and what the world knows: what it answers is
 * HTTP, what had a tag is known by it, and the world is as it was.
 */
#include "placer/http.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/world.h"
#include "t/fuzz/target.h"
#include "t/unit/fleet.h"

enum {
	TURNS = 4,
	ANSWER = 1 << 18,
	TAG = 64,
};

/* A bit each says what it knows. */
static struct world *
world(uint8_t knows)
{
	static struct world *w;

	if (w != NULL) {
		w->kube_up = w->kube_reachable = (knows & 0x10) != 0;
		w->devices_listed = (knows & 0x20) != 0;
		w->nodes[0].pods_listed = (knows & 0x40) != 0;
		return w;
	}
	w = fleet_world();
	world_seat(w, fleet_pod(w, "p", "1", "1Mi", NULL, NULL),
	    fleet_add(w,
		&(struct fleet_device){ "a", 1, 64, NULL, NULL, "Unknown" }));
	fleet_pod(w, "big", "8", "1Mi", NULL, NULL);
	return world(knows);
}

/* Listens; over a unix socket nobody comes over loopback. */
static int
listen_at(int family, struct sockaddr_storage *at, socklen_t *len)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)at;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	*at = (struct sockaddr_storage){ .ss_family = (sa_family_t)family };
	*len = sizeof(sa_family_t); /* a name of the kernel's */
	if (family == AF_INET) {
		sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		*len = sizeof(*sin);
	}
	must(fd != -1 && bind(fd, (struct sockaddr *)at, *len) == 0 &&
	    listen(fd, 2) == 0);
	*len = sizeof(*at);
	must(getsockname(fd, (struct sockaddr *)at, len) == 0);
	return fd;
}

static void
turn(struct event_base *base)
{
	unsigned int i;

	for (i = 0; i < TURNS; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

/* What one visitor sends, in two pieces, and gets; as text. */
static void
visit(struct event_base *base, const struct sockaddr_storage *at, socklen_t len,
    struct span request, char answer[ANSWER])
{
	/* Nothing is left behind: no connection waits for its last packets. */
	static const struct linger at_once = { 1, 0 };
	int client = socket(at->ss_family, SOCK_STREAM, 0);
	size_t half = request.len / 2;
	ssize_t n;

	must(connect(client, (const struct sockaddr *)at, len) == 0);
	turn(base);
	(void)send(client, request.p, half, MSG_NOSIGNAL | MSG_DONTWAIT);
	turn(base);
	(void)send(client, request.p + half, request.len - half,
	    MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)shutdown(client, SHUT_WR);
	turn(base);
	n = recv(client, answer, ANSWER - 1, MSG_DONTWAIT);
	answer[n < 0 ? 0 : n] = '\0';
	(void)setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once,
	    sizeof(at_once));
	close(client);
	turn(base);
	must(answer[0] == '\0' ||
	    (strncmp(answer, "HTTP/", 5) == 0 &&
		strstr(answer, "\r\n\r\n") != NULL));
}

/* The tag of what a plain GET got; "": it has none. */
static void
tag_of(const char *answer, char tag[TAG])
{
	const char *at = strstr(answer, "\r\nETag: "), *end;

	tag[0] = '\0';
	if (strncmp(answer, "HTTP/1.1 200 ", 13) != 0 || at == NULL ||
	    at > strstr(answer, "\r\n\r\n"))
		return;
	at += strlen("\r\nETag: ");
	end = strstr(at, "\r\n");
	if ((size_t)(end - at) < TAG)
		(void)snprintf(tag, TAG, "%.*s", (int)(end - at), at);
}

/* The same by who has what is tagged so; NULL: it was no plain GET. */
static char *
ask_again(struct span request, const char *tag)
{
	const char *end;

	if (tag[0] == '\0' || request.len < 5 ||
	    memcmp(request.p, "GET ", 4) != 0 ||
	    (end = memchr(request.p + 4, ' ', request.len - 4)) == NULL)
		return NULL;
	return xasprintf("%.*s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
			 "If-None-Match: %s\r\nConnection: close\r\n\r\n",
	    (int)(end - request.p), request.p, tag);
}

static void
fuzz_http(struct span input)
{
	static const char *const pages[] = { "local", "any", "no" };
	static char answer[ANSWER];
	AUTO_FREE char *again = NULL;
	struct event_base *base;
	struct sockaddr_storage at;
	struct http *http;
	struct world *w;
	char tag[TAG];
	uint64_t asides;
	uint8_t how;
	socklen_t len;
	int fd;

	if (input.len == 0)
		return;
	how = (uint8_t)input.p[0];
	w = world(how);
	asides = w->asides;
	base = event_base_new();
	fd = listen_at(how & 8 ? AF_UNIX : AF_INET, &at, &len);
	http = http_new(base, fd, w, pages[how % 3]);
	input.p++, input.len--;
	visit(base, &at, len, input, answer);
	tag_of(answer, tag);
	if ((again = ask_again(input, tag)) != NULL) {
		visit(base, &at, len, span_of(again), answer);
		must(strncmp(answer, "HTTP/1.1 304 ", 13) == 0);
	}
	must(w->asides == asides);
	http_free(http);
	event_base_free(base);
}

TARGET(http, fuzz_http);
