/* SPDX-License-Identifier: ISC */
/*
 * Any bytes to the health listener, of which the first says who sees the page:
 * what it answers is HTTP, and the world is as it was.
 */
#include "placer/http.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <stdint.h>
#include <unistd.h>

#include "placer/world.h"
#include "t/fuzz/target.h"
#include "t/unit/fleet.h"

enum {
	TURNS = 4,
	ANSWER = 1 << 18,
};

static struct world *
world(void)
{
	static struct world *w;

	if (w != NULL)
		return w;
	w = fleet_world();
	world_seat(w, fleet_pod(w, "p", "1", "1Mi", NULL, NULL),
	    fleet_add(w,
		&(struct fleet_device){ "a", 1, 64, NULL, NULL, "Unknown" }));
	fleet_pod(w, "big", "8", "1Mi", NULL, NULL);
	return w;
}

/* Listens, and is connected to. */
static int
open_pair(int *client)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	must(fd != -1 && bind(fd, (struct sockaddr *)&sin, len) == 0 &&
	    listen(fd, 1) == 0 &&
	    getsockname(fd, (struct sockaddr *)&sin, &len) == 0);
	*client = socket(AF_INET, SOCK_STREAM, 0);
	must(connect(*client, (struct sockaddr *)&sin, len) == 0);
	return fd;
}

static void
turn(struct event_base *base)
{
	unsigned int i;

	for (i = 0; i < TURNS; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
judge(const char *answer, size_t len)
{
	if (len == 0)
		return;
	must(len > 12 && memcmp(answer, "HTTP/", 5) == 0);
	must(memmem(answer, len, "\r\n\r\n", 4) != NULL);
}

static void
fuzz_http(struct span input)
{
	static const char *const pages[] = { "local", "any", "no" };
	static char answer[ANSWER];
	/* Nothing is left behind: no connection waits for its last packets. */
	static const struct linger at_once = { 1, 0 };
	struct event_base *base;
	struct http *http;
	uint64_t asides;
	size_t half;
	ssize_t n;
	int fd, client;

	if (input.len == 0)
		return;
	asides = world()->asides;
	base = event_base_new();
	fd = open_pair(&client);
	http = http_new(base, fd, world(), pages[(uint8_t)input.p[0] % 3]);
	input.p++, input.len--;
	half = input.len / 2;
	turn(base);
	(void)send(client, input.p, half, MSG_NOSIGNAL | MSG_DONTWAIT);
	turn(base);
	(void)send(client, input.p + half, input.len - half,
	    MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)shutdown(client, SHUT_WR);
	turn(base);
	n = recv(client, answer, sizeof(answer), MSG_DONTWAIT);
	judge(answer, n < 0 ? 0 : (size_t)n);
	(void)setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once,
	    sizeof(at_once));
	close(client);
	turn(base);
	must(world()->asides == asides);
	http_free(http);
	event_base_free(base);
}

TARGET(http, fuzz_http);
