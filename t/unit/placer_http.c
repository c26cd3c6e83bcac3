/* SPDX-License-Identifier: ISC */
/*
 * The health listener: who is shown the status page, how little is asked for
 * again, and what is made of any bytes at all.
 */
#include "placer/http.h"
#include "placer/visitors.h"

#include <arpa/inet.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/mono.h"
#include "common/xmem.h"
#include "t/unit/fleet.h"

enum {
	ANSWER_MAX = 1 << 16,
	PATIENCE_MS = 5000,
	TRIES = 1500,
	DEVICES = 200,
	CROWD = 200,
	WATCHED_MS = 1500,
	TICK_MS = 100,
	FEW_FILES = 8,
};

struct rig {
	struct event_base *base;
	struct world *w;
	struct http *http;
	struct sockaddr_storage at;
	socklen_t len;
};

static struct rig
rig_at(const struct sockaddr *sa, socklen_t len, const char *status_page)
{
	struct rig r = { .base = event_base_new(),
		.w = fleet_world(),
		.len = sizeof(r.at) };
	int fd = socket(sa->sa_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	cr_assert_eq(bind(fd, sa, len), 0);
	cr_assert_eq(listen(fd, 64), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&r.at, &r.len), 0);
	r.http = http_new(r.base, fd, r.w, status_page);
	return r;
}

static struct rig
rig(const char *status_page)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };

	return rig_at((const struct sockaddr *)&sin, sizeof(sin), status_page);
}

static void
end(struct rig *r)
{
	http_free(r->http);
	event_base_free(r->base);
	fleet_free(r->w);
}

/* Everything until the connection ends; the request must ask for that. */
static void
say(struct rig *r, const void *bytes, size_t len, char got[ANSWER_MAX])
{
	int fd = socket(r->at.ss_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int64_t until = now_us() + PATIENCE_MS * 1000;
	struct pollfd there = { .fd = fd, .events = POLLOUT };
	size_t n = 0;
	ssize_t more = -1;

	/* A full backlog must not stop the loop that empties it. */
	(void)!connect(fd, (const struct sockaddr *)&r->at, r->len);
	while (poll(&there, 1, 0) == 0 && now_us() < until)
		event_base_loop(r->base, EVLOOP_NONBLOCK);
	cr_assert_eq(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
	shutdown(fd, SHUT_WR);
	while (more != 0 && now_us() < until) {
		event_base_loop(r->base, EVLOOP_NONBLOCK);
		more = recv(fd, got + n, ANSWER_MAX - 1 - n, MSG_DONTWAIT);
		n += more > 0 ? (size_t)more : 0;
	}
	got[n] = '\0';
	close(fd);
	cr_assert_lt(now_us(), until, "no end of the answer");
}

static const char *
ask(struct rig *r, const char *line, const char *headers)
{
	static char got[ANSWER_MAX];
	AUTO_FREE char *text =
	    xasprintf("%s HTTP/1.1\r\nConnection: close\r\n%s\r\n", line,
		headers);

	say(r, text, strlen(text), got);
	return got;
}

static void
gets(struct rig *r, const char *line, const char *headers, int code,
    const char *words)
{
	AUTO_FREE char *start = xasprintf("HTTP/1.1 %d ", code);
	const char *got = ask(r, line, headers);

	cr_expect(strncmp(got, start, strlen(start)) == 0, "%s: %s", line, got);
	cr_expect(strstr(got, words) != NULL, "%s: no %s in %s", line, words,
	    got);
}

#define HERE "Host: 127.0.0.1:10255\r\n"

Test(http, the_page_is_shown_and_kept_to_itself)
{
	static const char *const files[] = { "/", "/page.css", "/page.js",
		"/page.svg", "/api/pods" };
	static const char *const headers[] = { "Cache-Control: no-cache",
		"Content-Security-Policy: default-src 'none'; ",
		"Cross-Origin-Resource-Policy: same-origin",
		"Referrer-Policy: no-referrer",
		"X-Content-Type-Options: nosniff" };
	struct rig r = rig("local");
	size_t i, k;

	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		AUTO_FREE char *line = xasprintf("GET %s", files[i]);

		for (k = 0; k < sizeof(headers) / sizeof(*headers); k++)
			gets(&r, line, HERE, 200, headers[k]);
		cr_expect_null(strstr(ask(&r, line, HERE), "Set-Cookie"));
		cr_expect_null(strstr(ask(&r, line, HERE), "Allow-Origin"));
	}
	gets(&r, "GET /", HERE, 200, "</html>\n");
	end(&r);
}

/* What another site's name, made to point here, would be told. */
Test(http, under_another_name_nothing_is_shown)
{
	static const char *const good[] = { "127.0.0.1:10255", "127.0.0.1",
		"localhost:8080", "LOCALHOST", "[::1]:10255",
		"10.1.2.3:10255" };
	static const char *const bad[] = { "evil.example", "evil.example:10255",
		"localhost.evil.example", "127.0.0.1.evil.example:10255",
		"1.2.3", "" };
	struct rig r = rig("any");
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		AUTO_FREE char *host = xasprintf("Host: %s\r\n", good[i]);

		gets(&r, "GET /api/pods", host, 200, "\"rows\"");
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		AUTO_FREE char *host = xasprintf("Host: %s\r\n", bad[i]);

		gets(&r, "GET /api/pods", host, 403, "\r\n\r\nHost: ");
		gets(&r, "GET /", host, 403, "\r\n\r\nHost: ");
		gets(&r, "GET /metrics", host, 403, "\r\n\r\nHost: ");
		gets(&r, "GET /healthz", host, 200, "ok\n");
	}
	gets(&r, "GET /metrics", "Host: localhost:10255\r\n", 200, "# TYPE");
	gets(&r, "GET /metrics", "", 403, "\r\n\r\nHost: ");
	gets(&r, "GET /api/pods", "", 403, "\r\n\r\nHost: ");
	end(&r);
}

Test(http, the_setting_says_who_is_shown_the_page)
{
	struct rig r = rig("no");

	gets(&r, "GET /", HERE, 403, "STATUS_PAGE=no");
	gets(&r, "GET /api/status", HERE, 403, "STATUS_PAGE=no");
	gets(&r, "GET /readyz", HERE, 503, "the apiserver is not reached\n");
	end(&r);
}

/* An address of this machine's that is not loopback, or none. */
static int
other_address(struct sockaddr_in *sin)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr = { htonl(0xc0000201) } }; /* TEST-NET-1 */
	socklen_t len = sizeof(*sin);
	AUTO_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == -1 ||
	    getsockname(fd, (struct sockaddr *)sin, &len) == -1)
		return 0;
	sin->sin_port = 0;
	return ntohl(sin->sin_addr.s_addr) >> 24 != 127;
}

Test(http, who_comes_from_elsewhere_is_not_shown_the_page)
{
	struct sockaddr_in sin;
	struct rig r;

	if (!other_address(&sin))
		cr_skip_test("this machine has no address but loopback");
	r = rig_at((const struct sockaddr *)&sin, sizeof(sin), "local");
	gets(&r, "GET /", HERE, 403, "STATUS_PAGE=local");
	gets(&r, "GET /metrics", HERE, 200, "# TYPE");
	gets(&r, "GET /metrics", "Host: provider.example\r\n", 200, "# TYPE");
	end(&r);
	r = rig_at((const struct sockaddr *)&sin, sizeof(sin), "any");
	gets(&r, "GET /", HERE, 200, "</html>");
	end(&r);
}

Test(http, loopback_has_two_families)
{
	struct sockaddr_in6 sin = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	AUTO_FD int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct rig r;

	if (fd == -1 ||
	    bind(fd, (const struct sockaddr *)&sin, sizeof(sin)) == -1)
		cr_skip_test("this machine has no ::1");
	r = rig_at((const struct sockaddr *)&sin, sizeof(sin), "local");
	gets(&r, "GET /api/pods", "Host: [::1]:80\r\n", 200, "\"rows\"");
	end(&r);
}

Test(http, what_has_not_changed_is_not_sent_again)
{
	struct rig r = rig("local");
	AUTO_FREE char *known = NULL;
	const char *tag;

	tag = strstr(ask(&r, "GET /api/status", HERE), "ETag: ");
	cr_assert_not_null(tag);
	known = xasprintf(HERE "If-None-Match: %.*s\r\n",
	    (int)strcspn(tag + 6, "\r"), tag + 6);
	gets(&r, "GET /api/status", known, 304, "ETag: ");
	cr_expect_null(strstr(ask(&r, "GET /api/status", known), "rows"));
	gets(&r, "GET /api/explain?pod=default/x", known, 404, "no such pod");
	r.w->planned.n++; /* a turn */
	gets(&r, "GET /api/status", known, 200, "rows");
	r.w->planned.n--;
	r.w->nodes[0].until_boot = now_read().boot_ms + 60000;
	gets(&r, "GET /api/status", known, 200, "rows");
	end(&r);
}

Test(http, nothing_is_ordered_and_a_bad_request_is_told_why)
{
	struct rig r = rig("local");

	fleet_add(r.w, &(struct fleet_device){ "a", 4, 64, NULL, NULL, NULL });
	gets(&r, "POST /api/pods", HERE, 501, "");
	gets(&r, "PUT /api/pods", HERE, 501, "");
	gets(&r, "DELETE /", HERE, 501, "");
	gets(&r, "GET /secret", HERE, 404, "there are /, /healthz, ");
	gets(&r, "GET /page.js/", HERE, 404, "there are ");
	gets(&r, "GET /api/../page.js", HERE, 404, "no such question");
	gets(&r, "GET /api/pods?match", HERE, 400, "malformed");
	gets(&r, "GET /api/devices?match=%22%3c&from=0", HERE, 200,
	    "{\"rows\":[],\"about\":{\"from\":0,\"matched\":0,\"all\":1}}");
	cr_expect_null(strstr(ask(&r, "HEAD /", HERE), "<html"));
	cr_expect_null(strstr(ask(&r, "HEAD /api/pods", HERE), "rows"));
	end(&r);
}

/* Whatever comes, the next one is answered. */
Test(http, any_bytes_leave_a_listener_that_answers)
{
	static const char *const words[] = { "GET ", "HEAD ", "POST ", "/",
		"/api/pods", "?match=", "?from=", "%", "%00", "&", "=",
		" HTTP/1.1", "\r\n", "Host: ", "127.0.0.1", "Host: localhost",
		"If-None-Match: \"", "Content-Length: 99999", "\r\n\r\n", ":",
		"http://", "[", "]", "/api/explain?pod=", "\xff", "\n" };
	const size_t nwords = sizeof(words) / sizeof(*words);
	static char got[ANSWER_MAX];
	struct rig r = rig("local");
	unsigned int s = 1;
	char text[1024];
	int i, k;

	for (i = 0; i < TRIES; i++) {
		size_t len = 0;

		for (k = rand_r(&s) % 20; k >= 0; k--)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
			    "%s", words[(size_t)rand_r(&s) % nwords]);
		for (k = 0; k < rand_r(&s) % 3; k++)
			text[(size_t)rand_r(&s) % len] = (char)rand_r(&s);
		say(&r, text, len, got);
	}
	gets(&r, "GET /healthz", HERE, 200, "ok\n");
	end(&r);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
}

/* In a child, whose descriptors are its own. */
static pid_t
crowd_comes(const struct rig *r)
{
	pid_t child = fork();
	int i;

	if (child != 0)
		return child;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < CROWD; i++)
		(void)!connect(socket(r->at.ss_family,
				   SOCK_STREAM | SOCK_NONBLOCK, 0),
		    (const struct sockaddr *)&r->at, r->len);
	for (;;)
		(void)pause();
}

/* The lowest descriptor that is free, thus how many are not; -1: none is. */
static int
next_descriptor(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static int
turns_until(const struct rig *r, int ms)
{
	int64_t until = now_us() + ms * 1000;
	int turns;

	for (turns = 0; now_us() < until; turns++)
		event_base_loop(r->base, EVLOOP_ONCE);
	return turns;
}

static void
a_crowd_is_survived(rlim_t files)
{
	static const struct timeval tick = { 0, TICK_MS * 1000 };
	struct rig r = rig("local");
	struct event *ticker = event_new(r.base, -1, EV_PERSIST, on_tick, NULL);
	struct rlimit was, few;
	int first = next_descriptor(), turns, status;
	pid_t crowd = crowd_comes(&r);

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
	few =
	    (struct rlimit){ files == 0 ? was.rlim_cur : (rlim_t)first + files,
		    was.rlim_max };
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	event_add(ticker, &tick);
	turns = turns_until(&r, WATCHED_MS);
	if (files == 0) /* a probe comes through */
		gets(&r, "GET /healthz", HERE, 200, "ok\n");
	if (files == 0)
		cr_expect_leq(next_descriptor() - first, VISITORS_OPEN);
	/* One a connection, one a tick, and a few to spare. */
	cr_expect_lt(turns, CROWD + 2 * WATCHED_MS / TICK_MS);
	kill(crowd, SIGKILL);
	waitpid(crowd, &status, 0);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
	(void)turns_until(&r, WATCHED_MS); /* and it takes who left */
	gets(&r, "GET /metrics", HERE, 200, "# HELP vk_flightctl_");
	event_free(ticker);
	end(&r);
}

Test(http, a_crowd_that_says_nothing_is_bounded)
{
	a_crowd_is_survived(0);
}

/* The listener stays readable: the loop must not turn for that. */
Test(http, without_descriptors_it_waits)
{
	a_crowd_is_survived(FEW_FILES);
}
