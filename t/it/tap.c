/* SPDX-License-Identifier: ISC */
/*
 * tap.c: the recording proxy.
 *
 * Owns its process, one more for each connection, and the record.  An answer
 * is recorded before it is passed on, so that in the record a read comes
 * before the write that is based on it.
 */
#include "t/it/tap.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#include <curl/curl.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/bytes.h"
#include "common/xmem.h"
#include "t/it/it.h"

enum {
	PIECE = 16384,
	BACKLOG = 64,
	HEAD_MAX = 65536,
	ANSWER_S = 90,
};

static struct {
	char *base, *ca, *record;
} tap;

struct exchange {
	char method[16];
	char *path;
	struct curl_slist *headers;
	struct bytes request; /* body */
	struct bytes head;    /* of the answer: header lines to pass on */
	struct bytes answer;  /* body */
	long status;
};

static void
clear(struct exchange *x)
{
	free(x->path);
	bytes_free(&x->request);
	bytes_free(&x->head);
	bytes_free(&x->answer);
	curl_slist_free_all(x->headers);
	memset(x, 0, sizeof(*x));
}

/* Each side's connection is its own affair. */
static int
is_hop(const char *line)
{
	static const char *const names[] = { "connection:", "content-length:",
		"transfer-encoding:", "host:", "expect:", "accept-encoding:" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncasecmp(line, names[i], strlen(names[i])) == 0)
			return 1;
	return 0;
}

/* --- the provider's side ------------------------------------------------- */

/* More bytes of the connection; 0: it has ended. */
static int
more(int fd, struct bytes *in)
{
	char piece[PIECE];
	ssize_t n = read(fd, piece, sizeof(piece));

	if (n <= 0)
		return 0;
	bytes_add(in, (struct span){ piece, (size_t)n });
	return 1;
}

/* The head without its end, cut into x; the length of the body. */
static size_t
read_head(char *head, struct exchange *x)
{
	char *line, *rest = head, *end;
	size_t length = 0;

	line = strsep(&rest, "\n");
	(void)snprintf(x->method, sizeof(x->method), "%.*s",
	    (int)strcspn(line, " "), line);
	line += strcspn(line, " ");
	line += *line == ' ';
	if ((end = strchr(line, ' ')) != NULL)
		*end = '\0';
	x->path = xstrdup(line);
	while ((line = strsep(&rest, "\n")) != NULL) {
		line[strcspn(line, "\r")] = '\0';
		if (strncasecmp(line, "content-length:", 15) == 0)
			length = strtoul(line + 15, NULL, 10);
		if (!is_hop(line))
			x->headers = curl_slist_append(x->headers, line);
	}
	x->headers = curl_slist_append(x->headers, "Expect:");
	return length;
}

/* 0: the connection has ended.  What came after the request stays in `in'. */
static int
receive(int fd, struct bytes *in, struct exchange *x)
{
	char *end;
	size_t head, length;

	while (in->len == 0 ||
	    (end = memmem(in->p, in->len, "\r\n\r\n", 4)) == NULL)
		if (in->len > HEAD_MAX || !more(fd, in))
			return 0;
	*end = '\0';
	head = (size_t)(end - in->p) + 4;
	length = read_head(in->p, x);
	while (in->len < head + length)
		if (!more(fd, in))
			return 0;
	bytes_add(&x->request, (struct span){ in->p + head, length });
	in->len -= head + length;
	memmove(in->p, in->p + head + length, in->len);
	return 1;
}

static int
write_all(int fd, struct span s)
{
	size_t done = 0;
	ssize_t n;

	while (done < s.len) {
		if ((n = write(fd, s.p + done, s.len - done)) <= 0)
			return 0;
		done += (size_t)n;
	}
	return 1;
}

static int
reply(int fd, const struct exchange *x)
{
	AUTO_FREE char *first = xasprintf("HTTP/1.1 %ld Answer\r\n", x->status);
	AUTO_FREE char *length =
	    xasprintf("Content-Length: %zu\r\n\r\n", x->answer.len);
	AUTO_BYTES struct bytes whole = { 0 };

	bytes_add_text(&whole, first);
	bytes_add(&whole, bytes_span(&x->head));
	bytes_add_text(&whole, length);
	bytes_add(&whole, bytes_span(&x->answer));
	return write_all(fd, bytes_span(&whole));
}

/* --- the server's side --------------------------------------------------- */

static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;

	/* After an interim answer the true one begins. */
	if (strncmp(p, "HTTP/", 5) == 0)
		x->head.len = 0;
	else if (n * size > 2 && !is_hop(p))
		bytes_add(&x->head, (struct span){ p, n * size });
	return n * size;
}

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;

	bytes_add(&x->answer, (struct span){ p, n * size });
	return n * size;
}

static int
forward(CURL *c, struct exchange *x)
{
	AUTO_FREE char *url = xasprintf("%s%s", tap.base, x->path);

	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, x->method);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, x->headers);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)ANSWER_S);
	if (tap.ca != NULL)
		curl_easy_setopt(c, CURLOPT_CAINFO, tap.ca);
	if (x->request.len > 0) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, x->request.p);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)x->request.len);
	}
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
	return curl_easy_perform(c) == CURLE_OK &&
	    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &x->status) ==
	    CURLE_OK;
}

/* In one write, which O_APPEND keeps whole. */
static void
record(int fd, const struct exchange *x)
{
	AUTO_FREE char *head = xasprintf("%s %s %ld %zu %zu\n", x->method,
	    x->path, x->status, x->request.len, x->answer.len);
	struct iovec parts[] = { { head, strlen(head) },
		{ x->request.p, x->request.len },
		{ x->answer.p, x->answer.len } };

	if (writev(fd, parts, 3) !=
	    (ssize_t)(parts[0].iov_len + parts[1].iov_len + parts[2].iov_len))
		abort();
}

__attribute__((noreturn)) static void
serve(int fd)
{
	int out = open(tap.record, O_WRONLY | O_APPEND | O_CLOEXEC);
	CURL *c = curl_easy_init();
	struct exchange x = { 0 };
	struct bytes in = { 0 };

	while (receive(fd, &in, &x) && forward(c, &x)) {
		record(out, &x);
		if (!reply(fd, &x))
			break;
		clear(&x);
	}
	_exit(0);
}

__attribute__((noreturn)) static void
listen_for(int listener)
{
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		if ((fd = accept(listener, NULL, NULL)) == -1)
			continue;
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(listener);
			serve(fd);
		}
		close(fd);
	}
}

char *
tap_start(const char *base, const char *ca_file)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	AUTO_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(a);

	tap.base = xstrdup(base);
	tap.ca = ca_file == NULL ? NULL : xstrdup(ca_file);
	tap.record = xasprintf("%s/tap", it_folder());
	close(open(tap.record, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
	if (fd == -1 || bind(fd, (struct sockaddr *)&a, len) == -1 ||
	    listen(fd, BACKLOG) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) == -1)
		it_die("no port for a proxy");
	fflush(stdout);
	if (fork() == 0)
		listen_for(fd);
	return xasprintf("http://127.0.0.1:%d", ntohs(a.sin_port));
}

/* --- the record ---------------------------------------------------------- */

static char *
field(char **rest, char end)
{
	char *start = *rest;

	*rest = strchr(start, end);
	if (*rest == NULL)
		it_die("the record of the proxy is broken");
	*(*rest)++ = '\0';
	return start;
}

size_t
tap_read(void (*fn)(const struct tap_exchange *, void *), void *arg)
{
	size_t len, n = 0;
	AUTO_FREE char *text = it_file(tap.record, &len);
	char *at = text;

	while (text != NULL && at < text + len) {
		struct tap_exchange x = { 0 };

		(void)snprintf(x.method, sizeof(x.method), "%s",
		    field(&at, ' '));
		x.path = field(&at, ' ');
		x.status = strtol(field(&at, ' '), NULL, 10);
		x.request_len = strtoul(field(&at, ' '), NULL, 10);
		x.answer_len = strtoul(field(&at, '\n'), NULL, 10);
		x.request = at;
		x.answer = at + x.request_len;
		at += x.request_len + x.answer_len;
		fn(&x, arg);
		n++;
	}
	return n;
}
