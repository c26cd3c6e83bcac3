/* SPDX-License-Identifier: ISC */
/*
 * webout.c: answers and streams of the simulators' HTTP server.
 *
 * Owns the order of ends: a request is freed when it is answered, a stream
 * when it ends or its client goes.  A connection is closed only from the
 * event loop, never below an evhttp callback.
 */

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <json-c/json.h>

#include "common/xmem.h"
#include "t/sim/web_impl.h"

static const struct timeval at_once;

/* The stream's end as its owner sees it; frees both. */
static void
stream_gone(struct web_stream *s)
{
	struct web_req *req = s->req;

	req->stream = NULL;
	if (s->on_close != NULL)
		s->on_close(s->arg);
	free(s);
	web_req_free(req);
}

/* The connection ended under us; evhttp gives up the request or frees it. */
void
web_gone(struct evhttp_connection *conn, void *arg)
{
	struct web_req *req = arg;

	evhttp_connection_set_closecb(conn, NULL, NULL);
	if (req->ev != NULL && evhttp_request_get_connection(req->ev) == NULL)
		evhttp_request_free(req->ev); /* it was handed to us */
	req->ev = NULL;
	req->conn = NULL;
	if (req->stream != NULL)
		stream_gone(req->stream);
	else if (req->doomed)
		web_req_free(req);
}

static void
on_reap(evutil_socket_t fd, short what, void *arg)
{
	struct web_req *req = arg;

	(void)fd, (void)what;
	if (req->conn != NULL)
		evhttp_connection_free(req->conn); /* calls web_gone() */
	else if (req->stream != NULL)
		stream_gone(req->stream);
	else
		web_req_free(req);
}

/* Closes from the loop; from now on nobody else may hold the request. */
static void
reap(struct web_req *req)
{
	req->doomed = 1;
	if (req->reaper != NULL)
		return;
	req->reaper = evtimer_new(req->web->conf.base, on_reap, req);
	evtimer_add(req->reaper, &at_once);
}

static void
on_flushed(struct evhttp_connection *conn, void *arg)
{
	(void)conn;
	reap(arg);
}

void
web_drop(struct web_req *req)
{
	reap(req);
}

void
web_cut_after(struct web_req *req, size_t n)
{
	req->cutting = 1;
	req->cut_after = n;
}

void
web_add_header(struct web_req *req, const char *name, const char *value)
{
	if (req->ev != NULL)
		evhttp_add_header(evhttp_request_get_output_headers(req->ev),
		    name, value);
}

/* Says the whole length, sends the first part, closes. */
static void
send_cut(struct web_req *req, int status, struct evbuffer *body)
{
	struct evbuffer *part;
	char len[32];

	req->doomed = 1;
	snprintf(len, sizeof(len), "%zu", evbuffer_get_length(body));
	if (req->cut_after == 0) {
		reap(req);
		return;
	}
	web_add_header(req, "Content-Length", len);
	part = evbuffer_new();
	evbuffer_remove_buffer(body, part, req->cut_after);
	evhttp_send_reply_start(req->ev, status, NULL);
	evhttp_send_reply_chunk_with_cb(req->ev, part, on_flushed, req);
	evbuffer_free(part);
}

/* What a careless server or a proxy before it does with a refused request. */
static void
say_back(struct web_req *req, struct evbuffer *body)
{
	static const char before[] = "\"message\":\"";
	const char *said = web_header(req, "Authorization");
	struct evbuffer_ptr at =
	    evbuffer_search(body, before, sizeof(before) - 1, NULL);
	struct evbuffer *tail = evbuffer_new();

	if (said != NULL) {
		web_add_header(req, "Audit-Id", said);
		web_add_header(req, "X-Request-Id", said);
	}
	if (said != NULL && at.pos != -1) {
		size_t head = (size_t)at.pos + sizeof(before) - 1;

		evbuffer_remove_buffer(body, tail, head);
		evbuffer_add_printf(tail, "%s: ", said);
		evbuffer_add_buffer(tail, body);
		evbuffer_add_buffer(body, tail);
	}
	evbuffer_free(tail);
}

void
web_buffer(struct web_req *req, int status, const char *type,
    struct evbuffer *body)
{
	size_t len;

	if (req->web->says_back && status >= 400 && req->ev != NULL)
		say_back(req, body);
	len = evbuffer_get_length(body);
	if (req->ev == NULL) {
		evbuffer_drain(body, len);
		web_req_free(req);
		return;
	}
	if (type != NULL)
		web_add_header(req, "Content-Type", type);
	if (req->cutting && req->cut_after < len) {
		send_cut(req, status, body);
		return;
	}
	evhttp_connection_set_closecb(req->conn, NULL, NULL);
	if (req->web->conf.chunk_over != 0 && len > req->web->conf.chunk_over) {
		evhttp_send_reply_start(req->ev, status, NULL);
		evhttp_send_reply_chunk(req->ev, body);
		evhttp_send_reply_end(req->ev);
	} else {
		evhttp_send_reply(req->ev, status, NULL, body);
	}
	web_req_free(req);
}

void
web_bytes(struct web_req *req, int status, const char *type, const void *data,
    size_t len)
{
	struct evbuffer *body = evbuffer_new();

	evbuffer_add(body, data, len);
	web_buffer(req, status, type, body);
	evbuffer_free(body);
}

void
web_text(struct web_req *req, int status, const char *type, const char *text)
{
	web_bytes(req, status, type, text, strlen(text));
}

void
web_json(struct web_req *req, int status, struct json_object *o)
{
	size_t len;
	const char *text = json_object_to_json_string_length(o,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

	web_bytes(req, status, "application/json", text, len);
	json_object_put(o);
}

struct web_stream *
web_stream(struct web_req *req, int status, const char *type,
    void (*on_close)(void *), void *arg)
{
	struct web_stream *s = xcalloc(1, sizeof(*s));

	s->req = req;
	s->on_close = on_close;
	s->arg = arg;
	req->stream = s;
	if (req->ev == NULL || (req->cutting && req->cut_after == 0)) {
		reap(req); /* on_close comes from the loop, not from here */
		return s;
	}
	web_add_header(req, "Content-Type", type);
	evhttp_send_reply_start(req->ev, status, NULL);
	return s;
}

void
web_stream_write(struct web_stream *s, const void *data, size_t len)
{
	struct web_req *req = s->req;
	struct evbuffer *part;

	if (req->ev == NULL || req->doomed || len == 0)
		return;
	if (req->cutting && s->sent + len >= req->cut_after) {
		len = req->cut_after - s->sent;
		req->doomed = 1;
	}
	s->sent += len;
	part = evbuffer_new();
	evbuffer_add(part, data, len);
	if (req->doomed)
		evhttp_send_reply_chunk_with_cb(req->ev, part, on_flushed, req);
	else
		evhttp_send_reply_chunk(req->ev, part);
	evbuffer_free(part);
}

/* NULL: its client is gone. */
static struct evbuffer *
output_of(const struct web_req *req)
{
	return req->conn == NULL ?
	    NULL :
	    bufferevent_get_output(
		evhttp_connection_get_bufferevent(req->conn));
}

size_t
web_stream_pending(const struct web_stream *s)
{
	struct evbuffer *out = output_of(s->req);

	return out == NULL ? 0 : evbuffer_get_length(out);
}

static void
on_drained(struct evbuffer *out, const struct evbuffer_cb_info *info, void *arg)
{
	(void)info;
	if (evbuffer_get_length(out) == 0)
		reap(arg);
}

/*
 * An evhttp that ends a reply takes what it hears of earlier bytes for the end
 * of all, and would leave the last ones unsent.
 */
static void
end_behind(struct web_req *req, struct evbuffer *out)
{
	req->doomed = 1;
	evbuffer_add(out, "0\r\n\r\n", 5);
	evbuffer_add_cb(out, on_drained, req);
}

void
web_stream_end(struct web_stream *s)
{
	struct web_req *req = s->req;
	struct evbuffer *out = output_of(req);

	req->stream = NULL;
	free(s);
	if (req->doomed) {
		reap(req);
		return;
	}
	if (req->ev != NULL && evbuffer_get_length(out) > 0) {
		end_behind(req, out);
		return;
	}
	if (req->ev != NULL) {
		evhttp_connection_set_closecb(req->conn, NULL, NULL);
		evhttp_send_reply_end(req->ev);
	}
	web_req_free(req);
}

void
web_stream_cut(struct web_stream *s)
{
	struct web_req *req = s->req;

	req->stream = NULL;
	free(s);
	reap(req);
}
