/* SPDX-License-Identifier: ISC */
/*
 * https_request.c: what a request looks like, its limits, its bytes.
 *
 * Owns one call from https_send() until its answer.  Never repeats a request,
 * never follows a redirect, never uses a proxy of the environment; what an
 * answer means is https_answer.c's.
 */
#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/https_own.h"
#include "common/https_wipe.h"
#include "common/limits.h"
#include "common/mono.h"
#include "common/xevent.h"
#include "common/xmem.h"

enum {
	DEADLINE_MS = 30000,
	UNACKED_MS = 20000,	/* a dead peer is found after so long */
	MAX_ERROR_BODY = 65536, /* of an error answer, cut beyond */
	UPLOAD_BUFFER = 16384,	/* libcurl's least */
	IDLE_S = 60,		/* a Go server closes after 90: not in a race */
	FORGET_MS = 2000,	/* ages of connections count in whole seconds */
	CA_KEPT_S = 60,		/* a CA file once read serves so long */
};

static const char *const methods[] = {
	[HTTPS_GET] = "GET",
	[HTTPS_POST] = "POST",
	[HTTPS_PUT] = "PUT",
	[HTTPS_PATCH] = "PATCH",
	[HTTPS_DELETE] = "DELETE",
};

static int
keep(struct https_call *c, struct span piece, size_t max)
{
	size_t size;

	if (piece.len > max - c->body_len)
		return -1;
	if (c->body_len + piece.len > c->body_size) {
		size = c->body_size * 2;
		if (size < c->body_len + piece.len)
			size = c->body_len + piece.len;
		/* It may be a Secret. */
		c->body = wipe_realloc(c->body, size);
		c->body_size = size;
	}
	memcpy(c->body + c->body_len, piece.p, piece.len);
	c->body_len += piece.len;
	return 0;
}

static size_t
/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type */
on_bytes(char *p, size_t one, size_t n, void *arg)
{
	struct https_call *c = arg;
	struct span piece = { p, one * n };
	size_t max = c->req.body_max;
	long status = 0;

	c->bytes += piece.len;
	if (c->silence != NULL)
		c->heard_ms = now_read().boot_ms;
	if (c->dead || c->h->doomed)
		return piece.len;
	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	if (https_kind((unsigned int)status) != ERR_NONE) {
		if (piece.len > MAX_ERROR_BODY - c->body_len)
			piece.len = MAX_ERROR_BODY - c->body_len;
		keep(c, piece, MAX_ERROR_BODY);
		return one * n;
	}
	if (max == 0)
		max = c->req.data != NULL ? SIZE_MAX : MAX_ITEM;
	if (c->req.data == NULL ? keep(c, piece, max) == -1 : c->bytes > max) {
		fail(&c->why, ERR_LIMIT, "%s: answer over %zu bytes",
		    c->method_path, max);
		return 0;
	}
	if (c->req.data == NULL)
		return piece.len;
	return c->req.data(piece, c->req.arg, &c->why) == -1 ? 0 : piece.len;
}

/*
 * libcurl would say of a process without descriptors that the server cannot be
 * reached.  A peer that vanished without a word is found by its missing ACKs.
 */
static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	const unsigned int ms = UNACKED_MS;
	struct https_call *c = arg;
	int fd = socket(to->family, to->socktype, to->protocol);

	(void)purpose;
	if (fd != -1 &&
	    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms)) !=
		-1) {
		c->why = (struct why){ 0 }; /* of an address before */
		return fd;
	}
	/* Another address may be of another family. */
	if (errno != EAFNOSUPPORT)
		fail_code(&c->why, ERR_AGAIN, (uint32_t)errno, "%s: socket: %s",
		    c->method_path, strerror(errno));
	if (fd != -1)
		close(fd);
	return CURL_SOCKET_BAD;
}

static void
on_silence(evutil_socket_t fd, short what, void *arg)
{
	struct https_call *c = arg;
	struct https *h = c->h;
	int64_t now = now_read().boot_ms, left;

	(void)fd;
	(void)what;
	if (c->paused)
		c->heard_ms = now;
	left = c->heard_ms + (int64_t)c->req.silence_ms - now;
	if (left > 0) {
		xevent_in(c->silence, left);
		return;
	}
	c->silent = 1;
	fail(&c->why, ERR_AGAIN, "%s: silent for %u ms", c->method_path,
	    c->req.silence_ms);
	https_enter(h);
	https_call_end(c, CURLE_OPERATION_TIMEDOUT);
	https_leave(h);
}

/* A stream stays for long: once it is let in, it wants no token. */
static size_t
/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type */
on_header(char *p, size_t one, size_t n, void *arg)
{
	struct https_call *c = arg;
	long status = 0;

	(void)p;
	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	if (c->token != NULL && c->req.data != NULL && c->sent == NULL &&
	    status >= 200 && https_kind((unsigned int)status) == ERR_NONE) {
		SETOPT(c->easy, CURLOPT_HTTPHEADER, c->headers);
		/* That frees the one in which the request went out. */
		SETOPT(c->easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER);
		secret_free(c->token);
		c->token = NULL;
	}
	return one * n;
}

static void
add_header(struct https_call *c, const char *line)
{
	c->headers = curl_slist_append(c->headers, line);
}

static void
set_headers(struct https_call *c)
{
	const char *type = c->req.content_type;
	char *line;

	add_header(c, "Accept: application/json");
	add_header(c, "Expect:");
	if (c->sent != NULL) {
		line = xasprintf("Content-Type: %s",
		    type == NULL ? "application/json" : type);
		add_header(c, line);
		free(line);
	}
	if (c->h->host_header != NULL)
		add_header(c, c->h->host_header);
	if (c->h->authorization == NULL) {
		SETOPT(c->easy, CURLOPT_HTTPHEADER, c->headers);
		return;
	}
	/* A list that libcurl makes has copies. */
	c->token = secret_share(c->h->authorization);
	c->auth = (struct curl_slist){ secret_text(c->token), c->headers };
	SETOPT(c->easy, CURLOPT_HTTPHEADER, &c->auth);
	SETOPT(c->easy, CURLOPT_HEADERFUNCTION, on_header);
	SETOPT(c->easy, CURLOPT_HEADERDATA, c);
}

/* Not those read before the instant from which they count; 0: read anew. */
static long
ca_kept_s(const struct https *h)
{
	int64_t age = now_read().boot_ms - h->ca_since_ms;

	return h->ca_since_ms == 0 || age / 1000 > CA_KEPT_S ?
	    CA_KEPT_S :
	    (long)(age / 1000);
}

static void
set_tls(struct https_call *c)
{
	struct https *h = c->h;
	struct curl_blob key;
	CURL *e = c->easy;

	SETOPT(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SETOPT(e, CURLOPT_SSL_VERIFYPEER, 1L);
	SETOPT(e, CURLOPT_SSL_VERIFYHOST, 2L);
	/* With files only, one parsed CA store serves all connections. */
	SETOPT(e, CURLOPT_CAPATH, NULL);
	SETOPT(e, CURLOPT_CA_CACHE_TIMEOUT, ca_kept_s(h));
	/* A session resumed is a certificate not looked at. */
	SETOPT(e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	if (h->ca_pem.data != NULL)
		SETOPT(e, CURLOPT_CAINFO_BLOB, &h->ca_pem);
	else if (h->ca_file != NULL)
		SETOPT(e, CURLOPT_CAINFO, h->ca_file);
	if (h->cert_pem.data != NULL) {
		SETOPT(e, CURLOPT_SSLCERT_BLOB, &h->cert_pem);
		c->key = secret_share(h->key_pem);
		key = (struct curl_blob){ secret_text(c->key),
			secret_bytes(c->key).len, CURL_BLOB_NOCOPY };
		SETOPT(e, CURLOPT_SSLKEY_BLOB, &key);
	} else if (h->cert_file != NULL) {
		SETOPT(e, CURLOPT_SSLCERT, h->cert_file);
		SETOPT(e, CURLOPT_SSLKEY, h->key_file);
	}
}

static void
set_limits(struct https_call *c)
{
	int64_t age = now_read().boot_ms - c->h->forgot_ms;
	CURL *e = c->easy;

	c->began_ms = now_read().boot_ms;
	/* 0 is no limit. */
	if (c->due_ms != 0)
		SETOPT(e, CURLOPT_TIMEOUT_MS,
		    c->due_ms > c->began_ms ? (long)(c->due_ms - c->began_ms) :
					      1L);
	SETOPT(e, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTPS_CONNECT_MS);
	SETOPT(e, CURLOPT_TCP_KEEPALIVE, 1L);
	SETOPT(e, CURLOPT_OPENSOCKETFUNCTION, on_open);
	SETOPT(e, CURLOPT_OPENSOCKETDATA, c);
	/* Who no longer waits for a name does not wait for its thread. */
	SETOPT(e, CURLOPT_QUICK_EXIT, 1L);
	/* It may be that of another address by now; and libcurl counts the
	 * age of what it keeps by a clock that people set. */
	SETOPT(e, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	c->fresh = c->h->forgot_ms != 0 && age < FORGET_MS;
	if (c->fresh)
		SETOPT(e, CURLOPT_FRESH_CONNECT, 1L);
	else if (c->h->forgot_ms != 0)
		SETOPT(e, CURLOPT_MAXLIFETIME_CONN,
		    (long)((age - 1000) / 1000));
	if (c->req.silence_ms == 0)
		return;
	c->silence = xevent_timer(c->h->base, on_silence, c);
	c->heard_ms = now_read().boot_ms;
	xevent_in(c->silence, c->req.silence_ms);
}

void
https_ready(struct https_call *c)
{
	set_headers(c);
	set_tls(c);
	set_limits(c);
}

static void
set_request(struct https_call *c)
{
	struct https *h = c->h;
	CURL *e = c->easy;
	char *url = xasprintf("%s%s", h->origin, c->req.path);

	SETOPT(e, CURLOPT_URL, url);
	free(url);
	SETOPT(e, CURLOPT_PRIVATE, c);
	SETOPT(e, CURLOPT_ERRORBUFFER, c->detail);
	SETOPT(e, CURLOPT_WRITEFUNCTION, on_bytes);
	SETOPT(e, CURLOPT_WRITEDATA, c);
	SETOPT(e, CURLOPT_NOSIGNAL, 1L);
	SETOPT(e, CURLOPT_NOPROGRESS, 1L);
	https_use_proxy(h, e);
	SETOPT(e, CURLOPT_FOLLOWLOCATION, 0L);
	SETOPT(e, CURLOPT_PROTOCOLS_STR,
	    strncmp(h->origin, "https:", 6) == 0 ? "https" : "http");
	/* Not 2: there a stream that is paused fills the window of all. */
	SETOPT(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SETOPT(e, CURLOPT_MAXAGE_CONN, (long)IDLE_S);
	SETOPT(e, CURLOPT_ACCEPT_ENCODING, "gzip");
	SETOPT(e, CURLOPT_USERAGENT, h->user_agent);
	/* One is made, and wiped, for each request over TLS. */
	SETOPT(e, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER);
	/* An escaped path goes out as it is: "%2F" and ".." are names. */
	SETOPT(e, CURLOPT_PATH_AS_IS, 1L);
	if (h->connect_to != NULL) {
		c->connect_to = curl_slist_append(NULL, h->connect_to);
		SETOPT(e, CURLOPT_CONNECT_TO, c->connect_to);
	}
	if (c->req.method == HTTPS_GET)
		return;
	if (c->sent != NULL || c->req.method != HTTPS_DELETE) {
		SETOPT(e, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)c->req.body.len);
		SETOPT(e, CURLOPT_POSTFIELDS, c->sent == NULL ? "" : c->sent);
	}
	SETOPT(e, CURLOPT_CUSTOMREQUEST, methods[c->req.method]);
}

void
https_call_free(struct https_call *c)
{
	curl_easy_cleanup(c->easy);
	if (c->silence != NULL)
		event_free(c->silence);
	curl_slist_free_all(c->headers);
	curl_slist_free_all(c->connect_to);
	free(c->method_path);
	secret_free(c->token);
	secret_free(c->key);
	wipe_free(c->body);
	wipe_free(c->sent);
	free(c);
}

struct https_call *
https_send(struct https *h, const struct https_req *req)
{
	struct https_call *c = xcalloc(1, sizeof(*c));
	unsigned int deadline = req->deadline_ms;

	if (deadline == 0 && req->data == NULL)
		deadline = DEADLINE_MS;
	c->h = h;
	c->req = *req;
	c->method_path =
	    xasprintf("%s %.300s", methods[req->method], req->path);
	if (req->body.len > 0) {
		c->sent = xmalloc(req->body.len);
		memcpy(c->sent, req->body.p, req->body.len);
	}
	if ((c->easy = curl_easy_init()) == NULL)
		xmem_none();
	c->sent_ms = now_read().boot_ms;
	if (deadline != 0)
		c->due_ms = c->sent_ms + deadline;
	set_request(c);
	h->count++;
	https_start(c);
	return c;
}

void
https_cancel(struct https_call *c)
{
	struct https *h = c->h;

	c->dead = 1;
	if (h->in_curl > 0)
		return;
	https_take_out(c);
	https_call_free(c);
	/* Another may have its connection. */
	event_active(h->kick, EV_TIMEOUT, 0);
}

void
https_pause(struct https_call *c)
{
	c->resume = 0;
	if (c->paused || !c->added)
		return;
	c->paused = 1;
	curl_easy_pause(c->easy, CURLPAUSE_RECV);
}

void
https_resume(struct https_call *c)
{
	if (!c->paused)
		return;
	c->resume = 1;
	event_active(c->h->kick, EV_TIMEOUT, 0);
}
