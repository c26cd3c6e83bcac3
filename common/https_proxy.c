/* SPDX-License-Identifier: ISC */
/*
 * https_proxy.c: the proxy's URL as libcurl takes it.
 *
 * Owns which proxies there are and what they mean, which is what clients of
 * Kubernetes make of proxy-url.  Never says a URL: it may hold a password.
 */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "common/https_own.h"
#include "common/https_wipe.h"
#include "common/xmem.h"

static const struct {
	const char *scheme;
	const char *of_curl; /* the proxy, not we, knows the server's name */
	const char *port;    /* libcurl's own is another */
} kinds[] = {
	{ "http", "http", "80" },
	{ "https", "https", "443" },
	{ "socks5", "socks5h", "1080" },
	{ "socks5h", "socks5h", "1080" },
};

/* 0: rewritten for libcurl. */
static int
rewrite(CURLU *u, struct why *why)
{
	char *scheme = NULL, *port = NULL;
	size_t i = 0, n = sizeof(kinds) / sizeof(kinds[0]);

	if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK)
		while (i < n && strcmp(kinds[i].scheme, scheme) != 0)
			i++;
	else
		i = n;
	curl_free(scheme);
	if (i == n)
		return fail(why, ERR_DENIED,
		    "proxy-url: only http, https and socks5");
	if (curl_url_get(u, CURLUPART_PORT, &port, 0) != CURLUE_OK)
		(void)curl_url_set(u, CURLUPART_PORT, kinds[i].port, 0);
	curl_free(port);
	(void)curl_url_set(u, CURLUPART_SCHEME, kinds[i].of_curl,
	    CURLU_NON_SUPPORT_SCHEME);
	return 0;
}

int
https_set_proxy(struct https *h, const char *url, struct why *why)
{
	char *host = NULL, *whole = NULL;
	CURLU *u;
	int r = -1;

	if (url == NULL) {
		wipe_free(h->proxy);
		h->proxy = NULL;
		return 0;
	}
	u = https_url(url, CURLU_NON_SUPPORT_SCHEME);
	if (u == NULL || curl_url_get(u, CURLUPART_HOST, &host, 0) ||
	    host[0] == '\0')
		fail(why, ERR_FORMAT, "proxy-url: not a URL");
	else if (rewrite(u, why) == 0) {
		if (curl_url_get(u, CURLUPART_URL, &whole, 0) != CURLUE_OK)
			abort();
		wipe_free(h->proxy);
		h->proxy = xstrdup(whole);
		r = 0;
	}
	curl_free(host);
	curl_free(whole);
	curl_url_cleanup(u);
	return r;
}

void
https_use_proxy(const struct https *h, CURL *e)
{
	/* What the environment says of proxies is not for us. */
	SETOPT(e, CURLOPT_NOPROXY, "");
	SETOPT(e, CURLOPT_PROXY, h->proxy == NULL ? "" : h->proxy);
	if (h->proxy == NULL)
		return;
	/* It sees the server's name and what goes by, and no request. */
	SETOPT(e, CURLOPT_HTTPPROXYTUNNEL, 1L);
	SETOPT(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SETOPT(e, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

uint16_t
https_port(const struct https *h)
{
	const char *url = h->proxy != NULL ? h->proxy : h->origin;
	unsigned long n = 0;
	char *port = NULL;
	CURLU *u = https_url(url, CURLU_NON_SUPPORT_SCHEME);

	if (u != NULL &&
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ==
		CURLUE_OK)
		n = strtoul(port, NULL, 10);
	curl_free(port);
	curl_url_cleanup(u);
	return n > UINT16_MAX ? 0 : (uint16_t)n;
}
