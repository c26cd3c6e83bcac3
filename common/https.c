/* SPDX-License-Identifier: ISC */
/*
 * https.c: the one HTTP client: a server, its credentials, its names.
 *
 * Owns the certificates and the only copy of the bearer token.  Never sends
 * anything itself (https_request.c).  Only common/https*.c see curl.h.
 */
#include "common/https.h"

#include <stdlib.h>
#include <string.h>

#include "common/https_own.h"
#include "common/https_wipe.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/xmem.h"

enum {
	CONNECTIONS = 8,
	MAX_TOKEN = 16384,
};

static int
global_init(struct why *why)
{
	static int done;

	if (done)
		return 0;
	wipe_openssl();
	if (curl_global_init_mem(CURL_GLOBAL_SSL, xmalloc, wipe_free,
		wipe_realloc, xstrdup, xcalloc) != CURLE_OK)
		return fail(why, ERR_SYSTEM, "libcurl does not start");
	done = 1;
	return 0;
}

static int
is_loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
	    (strncmp(host, "127.", 4) == 0 &&
		strspn(host, "0123456789.") == strlen(host));
}

CURLU *
https_url(const char *text, unsigned int flags)
{
	CURLU *u = curl_url();

	if (curl_url_set(u, CURLUPART_URL, text, flags) == CURLUE_OK)
		return u;
	curl_url_cleanup(u);
	return NULL;
}

/* The parts of a base URL that a verified name other than its host moves. */
static void
set_names(struct https *h, const char *scheme, const char *host,
    const char *port, const char *path, const char *name)
{
	size_t len = strlen(path);

	while (len > 0 && path[len - 1] == '/')
		len--;
	h->origin = xasprintf("%s://%s:%s%.*s", scheme,
	    name == NULL ? host : name, port, (int)len, path);
	h->host = xstrdup(host);
	if (name == NULL)
		return;
	h->connect_to = xasprintf("%s:%s:%s:%s", name, port, host, port);
	h->host_header = xasprintf("Host: %s:%s", host, port);
}

static int
set_base(struct https *h, const struct https_conf *conf, struct why *why)
{
	CURLU *u = https_url(conf->base, 0);
	char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL;
	char *extra = NULL;
	int r = -1;

	if (u == NULL || curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0) ||
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ||
	    curl_url_get(u, CURLUPART_PATH, &path, 0))
		fail(why, ERR_FORMAT, "%s: not a URL", conf->base);
	else if (!curl_url_get(u, CURLUPART_USER, &extra, 0) ||
	    !curl_url_get(u, CURLUPART_QUERY, &extra, 0) ||
	    !curl_url_get(u, CURLUPART_FRAGMENT, &extra, 0))
		fail(why, ERR_DENIED,
		    "URL of %s: user, query and fragment are not allowed",
		    host);
	else if (strcmp(scheme, "https") != 0 &&
	    (strcmp(scheme, "http") != 0 || !is_loopback(host)))
		fail(why, ERR_DENIED,
		    "%s: only https, or http to a loopback address",
		    conf->base);
	else {
		set_names(h, scheme, host, port, path, conf->server_name);
		r = 0;
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_free(path);
	curl_free(extra);
	curl_url_cleanup(u);
	return r;
}

static void
blob_set(struct curl_blob *blob, struct span pem)
{
	wipe_free(blob->data);
	*blob = (struct curl_blob){ NULL, 0, CURL_BLOB_COPY };
	if (pem.len == 0)
		return;
	blob->data = xmalloc(pem.len);
	memcpy(blob->data, pem.p, pem.len);
	blob->len = pem.len;
}

static void
text_set(char **to, const char *from)
{
	free(*to);
	*to = from == NULL ? NULL : xstrdup(from);
}

static void
set_certificates(struct https *h, const struct https_conf *conf)
{
	text_set(&h->ca_file, conf->ca_file);
	text_set(&h->cert_file, conf->cert_file);
	text_set(&h->key_file, conf->key_file);
	blob_set(&h->ca_pem, conf->ca_pem);
	blob_set(&h->cert_pem, conf->cert_pem);
	secret_free(h->key_pem);
	h->key_pem = conf->key_pem.len == 0 ? NULL : secret_new(conf->key_pem);
}

struct https *
https_new(struct event_base *base, const struct https_conf *conf,
    struct why *why)
{
	struct https *h;

	if (global_init(why) == -1)
		return NULL;
	h = xcalloc(1, sizeof(*h));
	h->base = base;
	TAILQ_INIT(&h->calls);
	TAILQ_INIT(&h->waiting);
	https_loop_open(h,
	    conf->connections == 0 ? CONNECTIONS : conf->connections);
	text_set(&h->user_agent, conf->user_agent);
	set_certificates(h, conf);
	if (set_base(h, conf, why) == -1 ||
	    https_set_proxy(h, conf->proxy, why) == -1) {
		https_destroy(h);
		return NULL;
	}
	return h;
}

void
https_destroy(struct https *h)
{
	struct https_call *c;

	while ((c = TAILQ_FIRST(&h->calls)) != NULL ||
	    (c = TAILQ_FIRST(&h->waiting)) != NULL) {
		https_take_out(c);
		https_call_free(c);
	}
	https_loop_close(h);
	free(h->origin);
	free(h->host);
	free(h->connect_to);
	free(h->host_header);
	free(h->user_agent);
	wipe_free(h->proxy);
	set_certificates(h, &(struct https_conf){ .base = "" });
	secret_free(h->authorization);
	free(h);
}

void
https_free(struct https *h)
{
	if (h == NULL)
		return;
	if (h->in_curl > 0)
		h->doomed = 1;
	else
		https_destroy(h);
}

int
https_renew(struct https *h, const struct https_conf *conf, struct why *why)
{
	struct https probe = { 0 };
	int same;

	if (set_base(&probe, conf, why) == -1)
		return -1;
	same = strcmp(probe.origin, h->origin) == 0;
	free(probe.origin);
	free(probe.host);
	free(probe.connect_to);
	free(probe.host_header);
	if (!same)
		return fail(why, ERR_DENIED, "%s: another server than before",
		    conf->base);
	if (https_set_proxy(h, conf->proxy, why) == -1)
		return -1;
	set_certificates(h, conf);
	h->ca_since_ms = now_read().boot_ms;
	https_forget(h);
	return 0;
}

void
https_token(struct https *h, struct span token)
{
	size_t i;

	secret_free(h->authorization);
	h->authorization = NULL;
	if (token.len == 0)
		return;
	for (i = 0; i < token.len; i++)
		if (token.p[i] <= ' ' || token.p[i] > '~')
			break;
	if (i < token.len || token.len > MAX_TOKEN) {
		log_error("the token for %s is not used: it has spaces, "
			  "control bytes or more than %d bytes",
		    h->origin, MAX_TOKEN);
		return;
	}
	h->authorization = secret_join(HTTPS_BEARER, token);
}

void
https_forget(struct https *h)
{
	h->forgot_ms = now_read().boot_ms;
}

uint64_t
https_count(const struct https *h)
{
	return h->count;
}

char *
https_escape(const char *s)
{
	char *escaped = curl_easy_escape(NULL, s, (int)strlen(s));
	char *mine;

	if (escaped == NULL)
		xmem_none();
	mine = xstrdup(escaped);
	curl_free(escaped);
	return mine;
}
