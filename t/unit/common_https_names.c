/* SPDX-License-Identifier: ISC */
/*
 * https.c when names are not known, late, or another address's than before.
 * getaddrinfo(), which libcurl calls in a thread of its own, is this test's.
 */
#include <criterion/criterion.h>
#include <event2/event.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/https.h"
#include "common/mono.h"
#include "common/xmem.h"
#include "t/unit/asker.h"
#include "t/unit/leap.h"
#include "t/unit/peer.h"

#define NAME "api.test"

enum {
	ADDRESSES = 4,
	DEAF_PEERS = 4,
	AT_ONCE_MS = 2000,
	HANGS_S = 20,
};

/* What its addresses are: of 127.0.0.0/8, the last byte, 0: no more. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t change;
	unsigned char last[ADDRESSES];
	int error; /* of EAI_, 0: none */
	int is_late;
	unsigned int asked;
} names = { .lock = PTHREAD_MUTEX_INITIALIZER,
	.change = PTHREAD_COND_INITIALIZER };

/* --- the resolver --------------------------------------------------------- */

static struct addrinfo *
address(unsigned char last, unsigned short port, struct addrinfo *next)
{
	struct addrinfo *a = xcalloc(1, sizeof(*a));
	struct sockaddr_in *in = xcalloc(1, sizeof(*in));

	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + last);
	a->ai_family = AF_INET;
	a->ai_socktype = SOCK_STREAM;
	a->ai_protocol = IPPROTO_TCP;
	a->ai_addr = (struct sockaddr *)in;
	a->ai_addrlen = sizeof(*in);
	a->ai_next = next;
	return a;
}

int
getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
    struct addrinfo **found)
{
	unsigned short port =
	    service == NULL ? 0 : (unsigned short)strtoul(service, NULL, 10);
	int n = 0, r;

	(void)hints;
	pthread_mutex_lock(&names.lock);
	names.asked++;
	while (names.is_late)
		pthread_cond_wait(&names.change, &names.lock);
	r = strcmp(host, NAME) != 0 ? EAI_NONAME : names.error;
	*found = NULL;
	while (n < ADDRESSES && names.last[n] != 0)
		n++;
	while (r == 0 && n > 0)
		*found = address(names.last[--n], port, *found);
	pthread_mutex_unlock(&names.lock);
	return r;
}

void
freeaddrinfo(struct addrinfo *a)
{
	struct addrinfo *next;

	for (; a != NULL; a = next) {
		next = a->ai_next;
		free(a->ai_addr);
		free(a);
	}
}

static void
answers_come(int on)
{
	pthread_mutex_lock(&names.lock);
	names.is_late = !on;
	pthread_cond_broadcast(&names.change);
	pthread_mutex_unlock(&names.lock);
}

/* --- the server and who asks it ------------------------------------------- */

static struct https *
client(void)
{
	static char pem[4096];
	const char *port;

	asker_serve(peer_certified("DNS:" NAME, pem, sizeof(pem)),
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
	port = strrchr(server.url, ':');
	cr_assert_not_null(port);
	(void)snprintf(server.url, sizeof(server.url), "https://" NAME ":%lu",
	    strtoul(port + 1, NULL, 10));
	return asker_client(&(struct https_conf){ .ca_pem = span_of(pem) });
}

static void
ask(struct https *h)
{
	heard.n = 0;
	asker_ask(h, (struct https_req){ 0 });
	event_base_dispatch(server.base);
	cr_assert_eq(heard.n, 1);
}

static void
end(struct https *h)
{
	https_free(h);
	asker_stop();
}

/* --- what is promised ----------------------------------------------------- */

Test(https_names, who_is_not_known_is_named)
{
	static const int errors[] = { EAI_NONAME, EAI_AGAIN, EAI_NODATA,
		EAI_FAIL };
	struct https *h = client();
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		names.error = errors[i];
		ask(h);
		cr_assert_eq(heard.answer.status, 0);
		cr_assert_eq(heard.answer.cause, HTTPS_NO_NAME);
		cr_assert_eq(heard.answer.why.kind, ERR_AGAIN);
		cr_assert(strstr(heard.answer.why.text, NAME), "%s",
		    heard.answer.why.text);
	}
	names.error = 0;
	names.last[0] = 1;
	ask(h);
	cr_assert_eq(heard.answer.status, 200, "%s", heard.answer.why.text);
	end(h);
}

/* The loop has other duties, and a process has its end. */
Test(https_names, who_resolves_late_holds_nobody_up, .timeout = HANGS_S)
{
	struct https *h = client();
	int64_t since;

	answers_come(0);
	leap(1);
	ask(h);
	leap(0);
	cr_assert_eq(heard.answer.status, 0);
	cr_assert_eq(heard.answer.cause, HTTPS_NO_NAME);
	cr_assert(strstr(heard.answer.why.text, NAME), "%s",
	    heard.answer.why.text);
	since = now_read().boot_ms;
	https_cancel(asker_ask(h, (struct https_req){ 0 }));
	asker_ask(h, (struct https_req){ 0 });
	event_base_loop(server.base, EVLOOP_NONBLOCK);
	end(h);
	cr_assert_lt(now_read().boot_ms - since, AT_ONCE_MS);
	answers_come(1);
}

Test(https_names, an_address_is_not_kept)
{
	struct https *h = client();

	names.last[0] = 9; /* nobody listens there */
	ask(h);
	cr_assert_eq(heard.answer.cause, HTTPS_REFUSED);
	names.last[0] = 1;
	ask(h);
	cr_assert_eq(heard.answer.status, 200, "%s", heard.answer.why.text);
	cr_assert_eq(names.asked, 2);
	end(h);
}

/* Takes no connection any more, and refuses none. */
static int
deaf_listener(unsigned char last, unsigned short port, int fds[DEAF_PEERS])
{
	const struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + last) };
	int i, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1 ||
	    bind(fd, (const struct sockaddr *)&in, sizeof(in)) == -1 ||
	    listen(fd, 0) == -1)
		cr_assert_fail("no deaf listener");
	for (i = 0; i < DEAF_PEERS; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fds[i], (const struct sockaddr *)&in, sizeof(in));
	}
	return fd;
}

Test(https_names, one_good_address_is_enough)
{
	struct https *h = client();
	unsigned short port =
	    (unsigned short)strtoul(strrchr(server.url, ':') + 1, NULL, 10);
	int i, fds[DEAF_PEERS], deaf = deaf_listener(8, port, fds);

	names.last[0] = 9;
	names.last[1] = 8;
	names.last[2] = 1;
	leap(1);
	ask(h);
	leap(0);
	cr_assert_eq(heard.answer.status, 200, "%s", heard.answer.why.text);
	end(h);
	for (i = 0; i < DEAF_PEERS; i++)
		close(fds[i]);
	close(deaf);
}
