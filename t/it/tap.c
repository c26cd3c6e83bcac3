/* SPDX-License-Identifier: ISC */
/*
 * tap.c: the recording proxy.
 *
 * Owns its process, one more for each connection, and the record.  An answer
 * is recorded before it is passed on, so that in the record a read comes
 * before the write that is based on it.
 */
#include "t/it/tap.h"

#include <sys/prctl.h>
#include <sys/uio.h>

#include <curl/curl.h>
#include <fcntl.h>
#include <openssl/ssl.h>
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
	HEAD_MAX = 65536,
	ANSWER_S = 90,
};

static struct {
	struct tap_conf conf;
	char *record;
	unsigned int started;
} tap;

/* A connection of the provider. */
struct side {
	int fd;
	SSL *ssl; /* NULL: plain */
};

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

static SSL *
accept_tls(int fd)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *ssl;

	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	if (SSL_CTX_use_certificate_chain_file(ctx, tap.conf.pem) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, tap.conf.pem, SSL_FILETYPE_PEM) !=
		1 ||
	    (tap.conf.client_ca != NULL &&
		SSL_CTX_load_verify_locations(ctx, tap.conf.client_ca, NULL) !=
		    1))
		return NULL;
	if (tap.conf.client_ca != NULL)
		SSL_CTX_set_verify(ctx,
		    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	ssl = SSL_new(ctx);
	return SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1 ? ssl : NULL;
}

/* More bytes of the connection; 0: it has ended. */
static int
more(const struct side *s, struct bytes *in)
{
	char piece[PIECE];
	ssize_t n = s->ssl == NULL ? read(s->fd, piece, sizeof(piece)) :
				     SSL_read(s->ssl, piece, sizeof(piece));

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
receive(const struct side *s, struct bytes *in, struct exchange *x)
{
	char *end;
	size_t head, length;

	while (in->len == 0 ||
	    (end = memmem(in->p, in->len, "\r\n\r\n", 4)) == NULL)
		if (in->len > HEAD_MAX || !more(s, in))
			return 0;
	*end = '\0';
	head = (size_t)(end - in->p) + 4;
	length = read_head(in->p, x);
	while (in->len < head + length)
		if (!more(s, in))
			return 0;
	bytes_add(&x->request, (struct span){ in->p + head, length });
	in->len -= head + length;
	memmove(in->p, in->p + head + length, in->len);
	return 1;
}

static int
write_all(const struct side *s, struct span text)
{
	size_t done = 0;
	ssize_t n;

	if (s->ssl != NULL)
		return SSL_write(s->ssl, text.p, (int)text.len) > 0;
	while (done < text.len) {
		n = write(s->fd, text.p + done, text.len - done);
		if (n <= 0)
			return 0;
		done += (size_t)n;
	}
	return 1;
}

static int
reply(const struct side *s, const struct exchange *x)
{
	AUTO_FREE char *first = xasprintf("HTTP/1.1 %ld Answer\r\n", x->status);
	AUTO_FREE char *length = xasprintf("%sContent-Length: %zu\r\n\r\n",
	    s->ssl != NULL ? "Connection: close\r\n" : "", x->answer.len);
	AUTO_BYTES struct bytes whole = { 0 };

	bytes_add_text(&whole, first);
	bytes_add(&whole, bytes_span(&x->head));
	bytes_add_text(&whole, length);
	bytes_add(&whole, bytes_span(&x->answer));
	return write_all(s, bytes_span(&whole));
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
	AUTO_FREE char *url = xasprintf("%s%s", tap.conf.base, x->path);

	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, x->method);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, x->headers);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)ANSWER_S);
	if (tap.conf.ca_file != NULL)
		curl_easy_setopt(c, CURLOPT_CAINFO, tap.conf.ca_file);
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
	struct side s = { fd, NULL };
	struct exchange x = { 0 };
	struct bytes in = { 0 };

	if (tap.conf.pem != NULL && (s.ssl = accept_tls(fd)) == NULL)
		_exit(0);
	while (receive(&s, &in, &x) && forward(c, &x)) {
		record(out, &x);
		if (!reply(&s, &x) || s.ssl != NULL)
			break;
		clear(&x);
	}
	if (s.ssl != NULL)
		(void)SSL_shutdown(s.ssl);
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
tap_start(const struct tap_conf *conf)
{
	uint16_t port;
	AUTO_FD int fd = it_listen(&port);

	tap.conf = *conf; /* for the process that is forked here */
	free(tap.record);
	tap.record = xasprintf("%s/tap-%u", it_folder(), ++tap.started);
	close(open(tap.record, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
	fflush(stdout);
	if (fork() == 0)
		listen_for(fd);
	return xasprintf("http%s://127.0.0.1:%d", conf->pem == NULL ? "" : "s",
	    port);
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
