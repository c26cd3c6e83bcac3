/* SPDX-License-Identifier: ISC */
/*
 * webreq.c: what a handler reads of a request.
 *
 * Owns copies of target, path, query and body, because a request may outlive
 * its connection.  Never writes to the connection.
 */

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/keyvalq_struct.h>
#include <json-c/json.h>
#include <openssl/x509.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/sim/web_impl.h"

_Static_assert(WEB_GET == (int)EVHTTP_REQ_GET &&
	WEB_POST == (int)EVHTTP_REQ_POST && WEB_HEAD == (int)EVHTTP_REQ_HEAD &&
	WEB_PUT == (int)EVHTTP_REQ_PUT &&
	WEB_DELETE == (int)EVHTTP_REQ_DELETE &&
	WEB_OPTIONS == (int)EVHTTP_REQ_OPTIONS &&
	WEB_PATCH == (int)EVHTTP_REQ_PATCH,
    "web_method is evhttp_cmd_type");

enum {
	WEB_JSON_DEPTH = 64,
};

/* a=b&c=d; "?verbose" is a key with an empty value. */
static int
read_query(struct web_req *req, const char *p)
{
	struct web_pair *pair;
	AUTO_FREE char *all = xstrdup(p);
	char *rest = all, *one, *eq;

	while ((one = strsep(&rest, "&")) != NULL) {
		if (*one == '\0')
			continue;
		if (req->nqueries == WEB_QUERIES)
			return -1;
		pair = &req->queries[req->nqueries++];
		if ((eq = strchr(one, '=')) != NULL)
			*eq++ = '\0';
		pair->name = evhttp_uridecode(one, 1, NULL);
		pair->value = evhttp_uridecode(eq != NULL ? eq : "", 1, NULL);
		if (pair->name == NULL || pair->value == NULL)
			return -1;
	}
	return 0;
}

int
web_req_read(struct web_req *req)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req->ev);
	const char *question;
	char *slash;

	req->target = xstrdup(evhttp_request_get_uri(req->ev));
	question = strchr(req->target, '?');
	req->path = question == NULL ?
	    xstrdup(req->target) :
	    xstrndup(req->target, (size_t)(question - req->target));
	if (req->path[0] != '/') {
		/* absolute form: keep what follows the authority */
		slash = strstr(req->path, "://");
		slash = slash != NULL ? strchr(slash + 3, '/') : NULL;
		if (slash == NULL)
			return -1;
		memmove(req->path, slash, strlen(slash) + 1);
	}
	req->len = evbuffer_get_length(in);
	if (req->len > req->web->conf.body_max) {
		req->too_large = 1;
		evbuffer_drain(in, req->len);
		req->len = 0;
	}
	req->body = xmalloc(req->len + 1);
	evbuffer_remove(in, req->body, req->len);
	req->body[req->len] = '\0';
	return question != NULL ? read_query(req, question + 1) : 0;
}

void
web_req_free(struct web_req *req)
{
	size_t i;

	if (req == NULL)
		return;
	for (i = 0; i < WEB_CAPTURES; i++) {
		free(req->captures[i].name);
		free(req->captures[i].value);
	}
	for (i = 0; i < req->nqueries; i++) {
		free(req->queries[i].name);
		free(req->queries[i].value);
	}
	if (req->reaper != NULL)
		event_free(req->reaper);
	free(req->target);
	free(req->path);
	free(req->body);
	free(req->peer);
	free(req);
}

enum web_method
web_method(const struct web_req *req)
{
	return req->method;
}

const char *
web_method_name(const struct web_req *req)
{
	switch (req->method) {
	case WEB_GET:
		return "GET";
	case WEB_POST:
		return "POST";
	case WEB_HEAD:
		return "HEAD";
	case WEB_PUT:
		return "PUT";
	case WEB_DELETE:
		return "DELETE";
	case WEB_OPTIONS:
		return "OPTIONS";
	case WEB_PATCH:
		return "PATCH";
	case WEB_ANY:
		break;
	}
	return "?";
}

const char *
web_target(const struct web_req *req)
{
	return req->target;
}

const char *
web_path(const struct web_req *req)
{
	return req->path;
}

const char *
web_pattern(const struct web_req *req)
{
	return req->pattern;
}

const char *
web_capture(const struct web_req *req, const char *name)
{
	size_t i;

	for (i = 0; i < req->ncaptures; i++)
		if (strcmp(req->captures[i].name, name) == 0)
			return req->captures[i].value;
	return NULL;
}

const char *
web_query(const struct web_req *req, const char *key)
{
	size_t i;

	for (i = 0; i < req->nqueries; i++)
		if (strcmp(req->queries[i].name, key) == 0)
			return req->queries[i].value;
	return NULL;
}

const char *
web_header(const struct web_req *req, const char *name)
{
	if (req->ev == NULL)
		return NULL;
	return evhttp_find_header(evhttp_request_get_input_headers(req->ev),
	    name);
}

const char *
web_body(const struct web_req *req, size_t *len)
{
	if (len != NULL)
		*len = req->len;
	return req->body;
}

int
web_too_large(const struct web_req *req)
{
	return req->too_large;
}

/* The verified client's common name, read once, in web.c's on_request. */
void
web_req_peer(struct web_req *req)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(req->conn);
	SSL *ssl = bev != NULL ? bufferevent_openssl_get_ssl(bev) : NULL;
	X509 *x = ssl != NULL ? SSL_get0_peer_certificate(ssl) : NULL;
	char cn[256];

	if (x != NULL && SSL_get_verify_result(ssl) == X509_V_OK &&
	    X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName,
		cn, sizeof(cn)) > 0)
		req->peer = xstrdup(cn);
}

const char *
web_peer(const struct web_req *req)
{
	return req->peer;
}

struct json_object *
web_body_json(const struct web_req *req)
{
	struct json_tokener *tok;
	struct json_object *o;

	if (req->len == 0 || req->len > INT32_MAX)
		return NULL;
	tok = json_tokener_new_ex(WEB_JSON_DEPTH);
	json_tokener_set_flags(tok,
	    JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, req->body, (int)req->len);
	if (o != NULL &&
	    (json_tokener_get_error(tok) != json_tokener_success ||
		strspn(req->body + json_tokener_get_parse_end(tok),
		    " \t\r\n") != req->len - json_tokener_get_parse_end(tok))) {
		json_object_put(o);
		o = NULL;
	}
	json_tokener_free(tok);
	return o;
}
