/* SPDX-License-Identifier: ISC */
/*
 * fault_wire.c: TLS connections of the proxy and the messages on them.
 *
 * Owns framing, as far as a libcurl client and a server of ours use it; knows
 * no fault.
 */
#include "t/it/fault_wire.h"

#include <sys/socket.h>

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/xmem.h"

enum {
	PIECE = 16384,
	PATIENCE_MS = 20000,
};

int
wire_open(struct wire *w, SSL_CTX *ctx, int fd, int is_server)
{
	*w = (struct wire){ .fd = fd, .buf = xcalloc(1, 1) };
	if ((w->ssl = SSL_new(ctx)) == NULL)
		return -1;
	SSL_set_fd(w->ssl, fd);
	return (is_server ? SSL_accept(w->ssl) : SSL_connect(w->ssl)) == 1 ? 0 :
									     -1;
}

void
wire_close(struct wire *w)
{
	SSL_shutdown(w->ssl);
	close(w->fd);
}

void
wire_reset(struct wire *w)
{
	struct linger hard = { 1, 0 };

	setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(w->fd);
}

int
wire_send(struct wire *w, const void *p, size_t len)
{
	return len == 0 || SSL_write(w->ssl, p, (int)len) > 0 ? 0 : -1;
}

int
wire_more(struct wire *w, int ms)
{
	struct pollfd pfd = { .fd = w->fd, .events = POLLIN };
	int n;

	if (w->over)
		return -1;
	if (SSL_pending(w->ssl) == 0 && poll(&pfd, 1, ms) < 1)
		return 0;
	w->buf = xreallocarray(w->buf, w->len + PIECE + 1, 1);
	if ((n = SSL_read(w->ssl, w->buf + w->len, PIECE)) <= 0) {
		w->over = 1;
		return -1;
	}
	w->len += (size_t)n;
	w->buf[w->len] = '\0';
	return 1;
}

void
wire_take(struct wire *w, size_t n)
{
	w->len -= n;
	memmove(w->buf, w->buf + n, w->len + 1);
}

void
message_free(struct message *m)
{
	free(m->all);
	free(m->body);
	*m = (struct message){ NULL, 0, 0, NULL, 0, 0 };
}

/* Its head is in buf: the length of it. */
static size_t
await_head(struct wire *w)
{
	char *end;

	while ((end = strstr(w->buf, "\r\n\r\n")) == NULL)
		if (wire_more(w, PATIENCE_MS) != 1)
			return 0;
	return (size_t)(end - w->buf) + 4;
}

/* The value of a header in buf, whose head is so long; NULL: none. */
static const char *
header(const struct wire *w, size_t head, const char *name)
{
	const char *at = w->buf, *end = w->buf + head;
	size_t len = strlen(name);

	while ((at = strstr(at, "\r\n")) != NULL && at + 2 < end) {
		at += 2;
		if (strncasecmp(at, name, len) == 0 && at[len] == ':')
			return at + len + 1 + strspn(at + len + 1, " ");
	}
	return NULL;
}

static void
body_add(struct message *m, const char *p, size_t len)
{
	m->body = xreallocarray(m->body, m->body_len + len + 1, 1);
	memcpy(m->body + m->body_len, p, len);
	m->body_len += len;
	m->body[m->body_len] = '\0';
}

/* Its chunks from at on that have come: 1: the last one too. */
static int
chunks(const struct wire *w, size_t at, struct message *m)
{
	char *end;
	size_t size;

	m->body_len = 0;
	for (;;) {
		size = strtoul(w->buf + at, &end, 16);
		if (strncmp(end, "\r\n", 2) != 0)
			return 0;
		at = (size_t)(end - w->buf) + 2;
		if (w->len < at + size + 2)
			return 0;
		body_add(m, w->buf + at, size);
		at += size + 2;
		m->all_len = at;
		if (size == 0)
			return 1;
	}
}

/* So much of a message as has come: 1: all. */
static int
is_whole(const struct wire *w, struct message *m, int no_body)
{
	const char *length = header(w, m->head_len, "Content-Length");
	const char *coding = header(w, m->head_len, "Transfer-Encoding");
	size_t len;

	m->all_len = m->head_len;
	if (no_body)
		return 1;
	if (coding != NULL)
		return chunks(w, m->head_len, m);
	len = length == NULL ? 0 : strtoul(length, NULL, 10);
	if (w->len < m->head_len + len)
		return 0;
	m->body_len = 0;
	body_add(m, w->buf + m->head_len, len);
	m->all_len += len;
	return 1;
}

static int
read_message(struct wire *w, struct message *m, int no_body, int quiet_ms)
{
	*m = (struct message){ NULL, 0, 0, NULL, 0, 0 };
	if ((m->head_len = await_head(w)) == 0)
		return -1;
	body_add(m, "", 0);
	while (!(m->whole = is_whole(w, m, no_body)) &&
	    wire_more(w, quiet_ms) == 1)
		continue;
	if (!m->whole && w->over)
		return -1;
	m->all = xmalloc(m->all_len + 1);
	memcpy(m->all, w->buf, m->all_len);
	m->all[m->all_len] = '\0';
	wire_take(w, m->all_len);
	return 0;
}

int
wire_request(struct wire *w, struct message *m)
{
	return read_message(w, m, 0, PATIENCE_MS);
}

int
wire_answer(struct wire *w, struct message *m, int quiet_ms)
{
	size_t head = await_head(w);
	int status;

	if (head == 0)
		return -1;
	status = atoi(w->buf + strcspn(w->buf, " \r"));
	return read_message(w, m, status == 204 || status == 304, quiet_ms);
}
