/* SPDX-License-Identifier: ISC */
/*
 * golden_flight_http.c: one request with an actor's credentials.
 *
 * Owns the use of libcurl; nothing is interpreted.
 */
#include <ctype.h>
#include <curl/curl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/golden_flight.h"
#include "t/it/it.h"

enum {
	ANSWER_S = 20
};

struct growing {
	char *p;
	size_t len;
};

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct growing *g = arg;

	g->p = xreallocarray(g->p, g->len + n * size + 1, 1);
	memcpy(g->p + g->len, p, n * size);
	g->len += n * size;
	g->p[g->len] = '\0';
	return n * size;
}

static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
	AUTO_FREE char *line = xstrndup(p, size * n);
	char *value = strchr(line, ':'), *c;

	if (value == NULL)
		return size * n;
	*value++ = '\0';
	value += strspn(value, " ");
	value[strcspn(value, "\r\n")] = '\0';
	for (c = line; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	json_object_object_add(arg, line, json_object_new_string(value));
	return size * n;
}

/* --- who --- */

/* Devices and enrolment speak to the agent endpoint, all others to the API. */
static int
is_agent(const struct flight_request *q)
{
	return strcmp(q->actor, "device") == 0 ||
	    strcmp(q->actor, "enroll") == 0;
}

static char *
device_of(const char *target)
{
	const char *p = strstr(target, "/devices/");

	if (p == NULL)
		return xstrdup("");
	p += strlen("/devices/");
	return xstrndup(p, strcspn(p, "/?"));
}

static char *
token_of(const struct flight_replay *r, const char *actor)
{
	AUTO_FREE char *path = NULL;
	char *text;

	if (strcmp(actor, "expired") == 0)
		return xstrdup(r->expired);
	path = xasprintf("%s/%s.token", r->dir, actor);
	if ((text = it_file(path, NULL)) == NULL)
		return xstrdup("x.y.z"); /* one that nobody knows */
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* A recorded Authorization that is no token of an actor. */
static int
has_own(struct json_object *headers)
{
	size_t i, n = headers == NULL ? 0 : json_object_array_length(headers);

	for (i = 0; i < n; i++)
		if (strcmp(json_object_get_string(json_object_array_get_idx(
			       json_object_array_get_idx(headers, i), 0)),
			"Authorization") == 0)
			return 1;
	return 0;
}

static struct curl_slist *
credentials(const struct flight_replay *r, const struct flight_request *q,
    CURL *c, struct curl_slist *list)
{
	AUTO_FREE char *token = NULL, *header = NULL;
	AUTO_FREE char *device =
	    q->device != NULL ? xstrdup(q->device) : device_of(q->target);
	AUTO_FREE char *cert = NULL, *key = NULL;

	if (is_agent(q)) {
		cert = strcmp(q->actor, "enroll") == 0 ?
		    xasprintf("%s/enrol.crt", r->dir) :
		    xasprintf("%s/%s.crt", r->keys, device);
		key = strcmp(q->actor, "enroll") == 0 ?
		    xasprintf("%s/enrol.key", r->dir) :
		    xasprintf("%s/%s.key", r->keys, device);
		curl_easy_setopt(c, CURLOPT_SSLCERT, cert);
		curl_easy_setopt(c, CURLOPT_SSLKEY, key);
		return list;
	}
	if (strcmp(q->actor, "anonymous") == 0 || has_own(q->headers))
		return list;
	token = token_of(r, q->actor);
	header = xasprintf("Authorization: Bearer %s", token);
	return curl_slist_append(list, header);
}

/* --- the request --- */

static struct curl_slist *
headers_of(struct json_object *headers)
{
	struct curl_slist *list = NULL;
	struct json_object *pair;
	size_t i, n = headers == NULL ? 0 : json_object_array_length(headers);
	int typed = 0;

	for (i = 0; i < n; i++) {
		AUTO_FREE char *line = NULL;

		pair = json_object_array_get_idx(headers, i);
		line = xasprintf("%s: %s",
		    json_object_get_string(json_object_array_get_idx(pair, 0)),
		    json_object_get_string(json_object_array_get_idx(pair, 1)));
		typed |= strncmp(line, "Content-Type:", 13) == 0;
		list = curl_slist_append(list, line);
	}
	if (!typed)
		list = curl_slist_append(list, "Content-Type:");
	return curl_slist_append(list, "Expect:");
}

void
flight_send_as(const struct flight_replay *r, const struct flight_request *q,
    struct flight_answer *a)
{
	AUTO_FREE char *ca = xasprintf("%s/ca.crt", r->dir);
	AUTO_FREE char *url =
	    xasprintf("%s%s", is_agent(q) ? r->agent : r->api, q->target);
	struct growing body = { xstrdup(""), 0 };
	struct curl_slist *list;
	CURL *c = curl_easy_init();
	CURLcode rc;

	*a = (struct flight_answer){ .headers = json_object_new_object() };
	list = credentials(r, q, c, headers_of(q->headers));
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_CAINFO, ca);
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, q->method);
	if (strcmp(q->method, "HEAD") == 0)
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	if (q->body != NULL) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)strlen(q->body));
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, q->body);
	}
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)ANSWER_S);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &body);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, a->headers);
	rc = curl_easy_perform(c);
	if (rc == CURLE_OK)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &a->status);
	a->body = body.p;
	curl_slist_free_all(list);
	curl_easy_cleanup(c);
}

void
flight_answer_clear(struct flight_answer *a)
{
	json_object_put(a->headers);
	free(a->body);
	*a = (struct flight_answer){ 0 };
}
