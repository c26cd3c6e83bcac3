/* SPDX-License-Identifier: ISC */
/*
 * What the one HTTP client asks, of names, a token and a body that may be
 * anything: one request goes out, its line has both names escaped, its lines
 * are ours and each there once, its bytes are the body, and whatever the other
 * end does then has one end.
 *
 * The first byte is the method and what is set (enum set), the second what the
 * other end does (enum deed); then a record each: a name in the path, a value
 * in the query, the token, the body.
 */
#include <sys/socket.h>

#include <event2/event.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/bytes.h"
#include "common/https.h"
#include "common/xmem.h"
#include "t/fuzz/peer.h"
#include "t/fuzz/target.h"
#include "t/unit/leap.h"

enum {
	TURNS = 200,
	METHODS = 5,
	BODY_MAX = 4096,
	SILENCE_MS = 1000,
	RESUME = 4, /* turns after a pause */
	HEARD = 1 << 18,
};

enum set {
	SET_STREAM = 1 << 3,
	SET_NAMES = 1 << 4, /* another name is to be verified, two files */
	SET_PEM = 1 << 5,
	SET_FORGOTTEN = 1 << 6, /* connections of just now, or of before */
	SET_RENEWED = 1 << 7,
};

enum deed {
	DEED_ANSWER,
	DEED_SILENCE,
	DEED_PAUSE,   /* we do, after the first piece */
	DEED_CANCEL,  /* within the first piece */
	DEED_GIVE_UP, /* before there is any */
	DEED_REFUSE,
	DEED_MUCH,
	DEED_LATER, /* long after what was forgotten */
	DEEDS,
};

static const char *const methods[METHODS] = { "GET", "POST", "PUT", "PATCH",
	"DELETE" };

struct ask {
	unsigned int set;
	enum deed deed;
	enum https_method method;
	char *name, *query, *path;
	struct span token, body;
	struct https_call *call;
	uint16_t port;
	unsigned int ends, answers;
	int paused, cancelled;
};

/* -- what was asked, at the other end -- */

/* Takes a line off; it has an end. */
static struct span
line_of(struct span *rest)
{
	const char *end = memmem(rest->p, rest->len, "\r\n", 2);
	struct span line = { rest->p, 0 };

	must(end != NULL);
	line.len = (size_t)(end - rest->p);
	must(memchr(line.p, '\n', line.len) == NULL &&
	    memchr(line.p, '\r', line.len) == NULL);
	rest->p = end + 2;
	rest->len -= line.len + 2;
	return line;
}

static int
nibble(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	must(at != NULL);
	return (int)(at - digits);
}

/* The text that was escaped; nothing else than it wants to be. */
static void
must_mean(struct span escaped, const char *text)
{
	static const char plain[] = "-._~";
	size_t i;

	for (i = 0; i < escaped.len; i++, text++) {
		char c = escaped.p[i];

		if (c == '%') {
			must(i + 2 < escaped.len);
			c = (char)(nibble(escaped.p[i + 1]) << 4 |
			    nibble(escaped.p[i + 2]));
			i += 2;
		} else
			must((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			    (c >= 'A' && c <= 'Z') || strchr(plain, c) != NULL);
		must(*text != '\0' && c == *text);
	}
	must(*text == '\0');
}

/* What follows that word in the text; what it is until that one. */
static struct span
between(struct span *rest, const char *begin, const char *end)
{
	size_t len = strlen(begin);
	struct span part;
	const char *at;

	must(rest->len >= len && memcmp(rest->p, begin, len) == 0);
	rest->p += len;
	rest->len -= len;
	at = memmem(rest->p, rest->len, end, strlen(end));
	must(at != NULL);
	part = (struct span){ rest->p, (size_t)(at - rest->p) };
	rest->p = at;
	rest->len -= part.len;
	return part;
}

static int
is_token(struct span t)
{
	size_t i;

	for (i = 0; i < t.len; i++)
		if (t.p[i] <= ' ' || t.p[i] > '~')
			return 0;
	return t.len > 0 && t.len <= 16384;
}

/* Its line; the others, each at most once, and their ends. */
static void
must_be_asked(const struct ask *a, struct span head)
{
	AUTO_FREE char *host = xasprintf("Host: 127.0.0.1:%u", a->port);
	AUTO_FREE char *size = xasprintf("Content-Length: %zu", a->body.len);
	AUTO_FREE char *begin = xasprintf("%s /api/", methods[a->method]);
	AUTO_FREE char *bearer = xasprintf("Authorization: Bearer %.*s",
	    (int)a->token.len, a->token.p);
	const struct {
		const char *line;
		int wanted;
	} lines[] = { { host, 1 }, { "Accept: application/json", 1 },
		{ "Accept-Encoding: gzip", 1 }, { bearer, is_token(a->token) },
		{ "Content-Type: application/json", a->body.len > 0 },
		{ size,
		    a->body.len > 0 ||
			(a->method != HTTPS_GET &&
			    a->method != HTTPS_DELETE) } };
	unsigned int seen[sizeof(lines) / sizeof(lines[0])] = { 0 };
	struct span first = line_of(&head), line;
	size_t i;

	must_mean(between(&first, begin, "?x="), a->name);
	must_mean(between(&first, "?x=", " HTTP/1.1"), a->query);
	must(span_is(first, " HTTP/1.1"));
	while ((line = line_of(&head)).len > 0) {
		for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
			if (span_is(line, lines[i].line))
				break;
		/* curl's own word for one that has no type of its own. */
		if (i == sizeof(lines) / sizeof(lines[0]))
			must(a->body.len == 0 &&
			    span_is(line,
				"Content-Type: "
				"application/x-www-form-urlencoded"));
		else
			seen[i]++;
	}
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		must(seen[i] == (unsigned int)lines[i].wanted);
	must(head.len == 0);
}

/* 1: it is whole, and is what was asked. */
static int
is_asked(const struct ask *a, struct span heard)
{
	const char *end = memmem(heard.p, heard.len, "\r\n\r\n", 4);
	struct span head = { heard.p, 0 }, body;

	if (end == NULL)
		return 0;
	head.len = (size_t)(end - heard.p) + 4;
	body = (struct span){ end + 4, heard.len - head.len };
	must(body.len <= a->body.len);
	if (body.len < a->body.len)
		return 0;
	must_be_asked(a, head);
	must(body.len == 0 || memcmp(body.p, a->body.p, body.len) == 0);
	return 1;
}

/* -- and answered -- */

static void
answer(const struct ask *a, int fd)
{
	static const char *const texts[DEEDS] = {
		[DEED_REFUSE] = "HTTP/1.1 409 Conflict\r\n"
				"Content-Length: 3\r\n\r\nno!",
	};
	static char much[BODY_MAX + 1];
	const char *text = texts[a->deed] == NULL ?
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "2\r\n{}\r\n1\r\n \r\n" :
	    texts[a->deed];

	(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
	if (a->deed == DEED_MUCH) {
		(void)send(fd, "1001\r\n", 6, MSG_NOSIGNAL);
		(void)send(fd, much, sizeof(much), MSG_NOSIGNAL);
		(void)send(fd, "\r\n", 2, MSG_NOSIGNAL);
	}
	if (a->deed != DEED_REFUSE)
		(void)send(fd, "0\r\n\r\n", 5, MSG_NOSIGNAL);
}

struct other {
	int listener, fd; /* -1: nobody came */
	size_t len;
	char heard[HEARD];
};

static void
serve(struct ask *a, struct other *o)
{
	ssize_t n;

	if (o->fd == -1)
		o->fd = accept4(o->listener, NULL, NULL, SOCK_NONBLOCK);
	if (o->fd == -1 ||
	    (n = recv(o->fd, o->heard + o->len, HEARD - o->len, 0)) <= 0)
		return;
	o->len += (size_t)n;
	must(a->answers == 0); /* else more came than a request */
	if (!is_asked(a, (struct span){ o->heard, o->len }))
		return;
	a->answers++;
	if (a->deed != DEED_SILENCE)
		answer(a, o->fd);
}

static int
on_data(struct span piece, void *arg, struct why *why)
{
	struct ask *a = arg;

	(void)why;
	must(piece.len > 0 && a->ends == 0 && !a->cancelled);
	if (a->deed == DEED_PAUSE && !a->paused) {
		a->paused = 1;
		https_pause(a->call);
		https_pause(a->call);
	}
	if (a->deed == DEED_CANCEL) {
		a->cancelled = 1;
		https_cancel(a->call);
	}
	return 0;
}

static void
on_done(const struct https_answer *answered, void *arg)
{
	struct ask *a = arg;

	must(a->ends++ == 0 && !a->cancelled);
	must(answered->status != 0 || answered->why.text[0] != '\0');
	must(answered->why.kind == ERR_NONE || answered->why.text[0] != '\0');
	must(a->answers == 1 || answered->status == 0);
}

/* -- one of them -- */

static void
configure(struct ask *a, struct https_conf *conf)
{
	if (a->set & SET_NAMES) {
		conf->server_name = "verified.example";
		conf->ca_file = "/none/ca.crt";
		conf->cert_file = "/none/tls.crt";
		conf->key_file = "/none/tls.key";
	}
	if (a->set & SET_PEM)
		conf->ca_pem = conf->cert_pem = conf->key_pem =
		    span_of("-----BEGIN X-----\n");
}

static void
turn(struct event_base *base, struct ask *a, struct other *o)
{
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	serve(a, o);
	if (a->deed == DEED_GIVE_UP && a->answers > 0 && !a->cancelled &&
	    a->ends == 0) {
		a->cancelled = 1;
		https_cancel(a->call);
	}
	/* For longer than it may be silent. */
	if (a->paused > 0 && a->paused++ == RESUME && a->ends == 0) {
		https_resume(a->call);
		https_resume(a->call);
	}
	if (a->ends == 0 && !a->cancelled)
		(void)event_base_loop(base, EVLOOP_ONCE);
}

static void
ask(struct event_base *base, struct https *h, struct ask *a)
{
	static struct other o;
	unsigned int i;

	o.listener = peer_listen(&a->port);
	o.fd = -1;
	o.len = 0;
	a->call = https_send(h,
	    &(struct https_req){ .method = a->method,
		.path = a->path,
		.body = a->body,
		.body_max = BODY_MAX,
		.silence_ms = a->set & SET_STREAM ? SILENCE_MS : 0,
		.data = a->set & SET_STREAM ? on_data : NULL,
		.done = on_done,
		.arg = a });
	for (i = 0; i < TURNS && a->ends == 0 && !a->cancelled; i++)
		turn(base, a, &o);
	must(a->ends + (unsigned int)a->cancelled == 1);
	if (o.fd != -1)
		close(o.fd);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
on_nothing(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
}

/* What was forgotten was so for a while. */
static void
wait_a_while(struct event_base *base)
{
	static const struct timeval while_ = { 3, 0 };

	must(event_base_once(base, -1, EV_TIMEOUT, on_nothing, NULL, &while_) ==
	    0);
	(void)event_base_loop(base, EVLOOP_ONCE);
}

static char *
text_of(struct span *rest)
{
	struct span record = { "", 0 };

	(void)target_record(rest, &record);
	return xstrndup(record.p, record.len);
}

static void
fuzz_request(struct span input)
{
	struct ask a = { 0 };
	AUTO_FREE char *name = NULL, *query = NULL, *escaped = NULL,
		       *value = NULL, *path = NULL;
	struct https_conf conf = { 0 };
	struct event_base *base;
	struct https *h;
	char url[32];

	if (input.len < 2)
		return;
	a.set = (uint8_t)input.p[0];
	a.method = (enum https_method)(a.set % 8 % METHODS);
	a.deed = (enum deed)((uint8_t)input.p[1] % DEEDS);
	input.p += 2;
	input.len -= 2;
	a.name = name = text_of(&input);
	a.query = query = text_of(&input);
	a.token = (struct span){ "", 0 };
	(void)target_record(&input, &a.token);
	a.body = a.method == HTTPS_GET ? (struct span){ "", 0 } : input;
	escaped = https_escape(name);
	value = https_escape(query);
	a.path = path = xasprintf("/api/%s?x=%s", escaped, value);
	(void)peer_listen(&a.port);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", a.port);
	conf.base = url;
	configure(&a, &conf);
	base = event_base_new();
	h = https_new(base, &conf, NULL);
	must(h != NULL);
	https_token(h, a.token);
	if (a.set & SET_RENEWED)
		must(https_renew(h, &conf, NULL) == 0);
	if (a.set & SET_FORGOTTEN)
		https_forget(h);
	leap_at_once(1);
	if (a.deed == DEED_LATER)
		wait_a_while(base);
	ask(base, h, &a);
	leap_at_once(0);
	https_free(h);
	event_base_free(base);
}

TARGET(request, fuzz_request);
