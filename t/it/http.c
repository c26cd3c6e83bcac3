/* SPDX-License-Identifier: ISC */
/*
 * http.c: the scenarios' own client, libcurl one request at a time.
 *
 * Owns a curl handle and its credentials.  Never repeats a request and decides
 * nothing: a scenario says what it expects.
 */
#include "t/it/http.h"

#include <curl/curl.h>
#include <json-c/json_tokener.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/it.h"

enum {
	ANSWER_S = 60,
	LOOK_MS = 100,
};

struct http {
	CURL *curl;
	char *base, *ca, *bearer, *user, *cert, *key;
};

struct http *
http_new(const char *base, const char *ca_file, const char *token_file)
{
	struct http *h = xcalloc(1, sizeof(*h));
	AUTO_FREE char *token = NULL;

	h->curl = curl_easy_init();
	h->base = xstrdup(base);
	if (ca_file != NULL)
		h->ca = xstrdup(ca_file);
	if (token_file == NULL)
		return h;
	if ((token = it_file(token_file, NULL)) == NULL)
		it_die("%s: cannot be read", token_file);
	token[strcspn(token, "\r\n")] = '\0';
	h->bearer = xasprintf("Authorization: Bearer %s", token);
	return h;
}

void
http_certificate(struct http *h, const char *cert, const char *key)
{
	h->cert = xstrdup(cert);
	h->key = xstrdup(key);
}

void
http_impersonate(struct http *h, const char *user)
{
	h->user = xasprintf("Impersonate-User: %s", user);
}

void
http_free(struct http *h)
{
	if (h == NULL)
		return;
	curl_easy_cleanup(h->curl);
	free(h->base);
	free(h->ca);
	free(h->bearer);
	free(h->user);
	free(h->cert);
	free(h->key);
	free(h);
}

void
http_answer_clear(struct http_answer *a)
{
	free(a->body);
	memset(a, 0, sizeof(*a));
}

char *
http_escape(const char *text)
{
	char *escaped = curl_easy_escape(NULL, text, 0);
	char *copy = xstrdup(escaped);

	curl_free(escaped);
	return copy;
}

static size_t
append(char *p, size_t size, size_t n, void *arg)
{
	struct http_answer *a = arg;

	a->body = xreallocarray(a->body, a->len + n * size + 1, 1);
	memcpy(a->body + a->len, p, n * size);
	a->len += n * size;
	a->body[a->len] = '\0';
	return n * size;
}

static struct curl_slist *
prepare(struct http *h, CURL *c, const char *path, const char *type)
{
	AUTO_FREE char *url = xasprintf("%s%s", h->base, path);
	AUTO_FREE char *content = xasprintf("Content-Type: %s",
	    type != NULL ? type : "application/json");
	struct curl_slist *list = NULL;

	list = curl_slist_append(list, content);
	list = curl_slist_append(list, "Expect:");
	if (h->bearer != NULL)
		list = curl_slist_append(list, h->bearer);
	if (h->user != NULL)
		list = curl_slist_append(list, h->user);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	if (h->ca != NULL)
		curl_easy_setopt(c, CURLOPT_CAINFO, h->ca);
	if (h->cert != NULL) {
		curl_easy_setopt(c, CURLOPT_SSLCERT, h->cert);
		curl_easy_setopt(c, CURLOPT_SSLKEY, h->key);
	}
	return list;
}

long
http_send(struct http *h, const char *method, const char *path,
    const char *type, const char *body, struct http_answer *a)
{
	struct curl_slist *list;

	memset(a, 0, sizeof(*a));
	curl_easy_reset(h->curl);
	list = prepare(h, h->curl, path, type);
	curl_easy_setopt(h->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(h->curl, CURLOPT_TIMEOUT, (long)ANSWER_S);
	curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, append);
	curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, a);
	if (body != NULL)
		curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, body);
	if (curl_easy_perform(h->curl) == CURLE_OK)
		curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &a->status);
	curl_slist_free_all(list);
	return a->status;
}

int
http_await(struct http *h, const char *path, long status, int ms)
{
	int64_t until = it_ms() + ms;
	struct http_answer a;
	long got;

	for (;;) {
		got = http_send(h, "GET", path, NULL, NULL, &a);
		http_answer_clear(&a);
		if (got == status || it_ms() > until)
			return got == status;
		it_pause(LOOK_MS);
	}
}

int
http_metric(struct http *h, const char *text)
{
	struct http_answer a;
	int has;

	has = http_send(h, "GET", "/metrics", NULL, NULL, &a) == 200 &&
	    strstr(a.body, text) != NULL;
	http_answer_clear(&a);
	return has;
}

struct json_object *
http_json(struct http *h, const char *method, const char *path,
    struct json_object *body, long *status)
{
	struct http_answer a;
	struct json_object *j = NULL;

	http_send(h, method, path, NULL,
	    body == NULL ?
		NULL :
		json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN),
	    &a);
	if (status != NULL)
		*status = a.status;
	if (a.body != NULL)
		j = json_tokener_parse(a.body);
	http_answer_clear(&a);
	return j;
}

/* --- streams ------------------------------------------------------------- */

struct lines {
	int (*fn)(const char *, void *);
	int (*pause)(void *); /* or NULL */
	void *arg;
	int news;		 /* lines since the last pause */
	struct http_answer rest; /* bytes after the last whole line */
	int done;
};

static size_t
on_piece(char *p, size_t size, size_t n, void *arg)
{
	struct lines *l = arg;
	char *start, *end;

	append(p, size, n, &l->rest);
	start = l->rest.body;
	while (!l->done && (end = strchr(start, '\n')) != NULL) {
		*end = '\0';
		l->done = l->fn(start, l->arg);
		l->news = 1;
		start = end + 1;
	}
	l->rest.len -= (size_t)(start - l->rest.body);
	memmove(l->rest.body, start, l->rest.len + 1);
	return n * size;
}

static int
run_until(CURLM *multi, struct lines *l, int64_t deadline)
{
	int running = 1;
	int64_t left;

	while (!l->done) {
		if (curl_multi_perform(multi, &running) != CURLM_OK)
			return -1;
		if (!l->done && l->news && l->pause != NULL)
			l->done = l->pause(l->arg);
		l->news = 0;
		if (l->done)
			break;
		if (running == 0)
			return -1;
		if ((left = deadline - it_ms()) <= 0)
			return 0;
		curl_multi_poll(multi, NULL, 0, left > 1000 ? 1000 : (int)left,
		    NULL);
	}
	return 1;
}

int
http_lines(struct http *h, const char *path,
    int (*fn)(const char *line, void *), void *arg, int64_t deadline)
{
	return http_lines_pausing(h, path, fn, NULL, arg, deadline);
}

int
http_lines_pausing(struct http *h, const char *path,
    int (*fn)(const char *line, void *), int (*pause)(void *), void *arg,
    int64_t deadline)
{
	struct lines l = { .fn = fn, .pause = pause, .arg = arg };
	CURLM *multi = curl_multi_init();
	CURL *c = curl_easy_init();
	struct curl_slist *list = prepare(h, c, path, NULL);
	int result;

	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_piece);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &l);
	curl_multi_add_handle(multi, c);
	result = run_until(multi, &l, deadline);
	curl_multi_remove_handle(multi, c);
	curl_easy_cleanup(c);
	curl_multi_cleanup(multi);
	curl_slist_free_all(list);
	http_answer_clear(&l.rest);
	return result;
}
