/* SPDX-License-Identifier: ISC */
/*
 * golden_http.c: the client of the replays, libcurl one request at a time.
 *
 * Owns nothing of what is sent: the caller gives every header.
 */
#include "t/it/golden_http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/auto.h"
#include "common/xmem.h"

enum {
	ANSWER_S = 10,
};

struct golden_conn {
	CURL *curl;
	char *ca;
};

struct reading {
	const struct golden_request *request;
	struct golden_answer *answer;
	size_t told; /* bytes of the body already given to line() */
};

struct golden_conn *
golden_conn_new(const char *ca_file)
{
	struct golden_conn *c = xcalloc(1, sizeof(*c));

	c->curl = curl_easy_init();
	c->ca = xstrdup(ca_file);
	return c;
}

void
golden_conn_free(struct golden_conn *c)
{
	if (c == NULL)
		return;
	curl_easy_cleanup(c->curl);
	free(c->ca);
	free(c);
}

void
golden_answer_clear(struct golden_answer *a)
{
	free(a->type);
	free(a->retry_after);
	free(a->warning);
	free(a->body);
	*a = (struct golden_answer){ .status = 0 };
}

static size_t
on_header(char *data, size_t size, size_t n, void *arg)
{
	struct golden_answer *a = ((struct reading *)arg)->answer;
	const struct {
		const char *name;
		char **value;
	} kept[] = { { "Content-Type: ", &a->type },
		{ "Retry-After: ", &a->retry_after },
		{ "Warning: ", &a->warning } };
	size_t i, len, all = size * n;

	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		len = strlen(kept[i].name);
		if (all < len || strncasecmp(data, kept[i].name, len) != 0)
			continue;
		while (all > len && strchr("\r\n", data[all - 1]) != NULL)
			all--;
		free(*kept[i].value);
		*kept[i].value = xstrndup(data + len, all - len);
		break;
	}
	return size * n;
}

static size_t
on_body(char *data, size_t size, size_t n, void *arg)
{
	struct reading *r = arg;
	struct golden_answer *a = r->answer;
	char *line, *end;

	a->body = xreallocarray(a->body, a->len + size * n + 1, 1);
	memcpy(a->body + a->len, data, size * n);
	a->len += size * n;
	a->body[a->len] = '\0';
	if (r->request->line == NULL)
		return size * n;
	while ((end = strchr(a->body + r->told, '\n')) != NULL) {
		line = xstrndup(a->body + r->told,
		    (size_t)(end - a->body) - r->told);
		r->told = (size_t)(end - a->body) + 1;
		a->enough = r->request->line(line, r->request->arg);
		free(line);
		if (a->enough)
			return 0;
	}
	return size * n;
}

static struct curl_slist *
headers(const struct golden_request *q)
{
	struct curl_slist *list = NULL;
	size_t i;

	for (i = 0; i < 8 && q->headers[i] != NULL; i++)
		list = curl_slist_append(list, q->headers[i]);
	/* What curl adds unasked. */
	list = curl_slist_append(list, "Expect:");
	return list;
}

int
golden_send(struct golden_conn *c, const struct golden_request *q,
    struct golden_answer *a)
{
	struct reading r = { .request = q, .answer = a };
	struct curl_slist *list = headers(q);
	CURLcode code;

	*a = (struct golden_answer){ .status = 0 };
	a->body = xstrdup("");
	curl_easy_reset(c->curl);
	curl_easy_setopt(c->curl, CURLOPT_URL, q->url);
	curl_easy_setopt(c->curl, CURLOPT_CAINFO, c->ca);
	curl_easy_setopt(c->curl, CURLOPT_SSLCERT, q->cert);
	curl_easy_setopt(c->curl, CURLOPT_SSLKEY, q->key);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, &r);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &r);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, (long)ANSWER_S);
	curl_easy_setopt(c->curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c->curl, CURLOPT_PATH_AS_IS, 1L);
	/* Other credentials are another connection. */
	curl_easy_setopt(c->curl, CURLOPT_FORBID_REUSE, 1L);
	if (strcmp(q->method, "HEAD") == 0)
		curl_easy_setopt(c->curl, CURLOPT_NOBODY, 1L);
	else if (q->body != NULL)
		curl_easy_setopt(c->curl, CURLOPT_COPYPOSTFIELDS, q->body);
	curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, q->method);
	code = curl_easy_perform(c->curl);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &a->status);
	curl_slist_free_all(list);
	return code == CURLE_OK || (a->enough && code == CURLE_WRITE_ERROR) ?
	    0 :
	    -1;
}
