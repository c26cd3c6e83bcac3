/* SPDX-License-Identifier: ISC */
/*
 * https_proxy.c: a request that goes by a proxy, and which proxies there are.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/https.h"
#include "t/unit/asker.h"
#include "t/unit/peer.h"
#include "t/unit/tunnel.h"

#define OK(length) "HTTP/1.1 200 OK\r\nContent-Length: " #length "\r\n"

/* The proxy sees where to, and its own password: no request, no token. */
Test(https_proxy, a_request_goes_through)
{
	static char pem[4096];
	struct https *h;

	asker_serve(peer_certified("DNS:far.test", pem, sizeof(pem)),
	    OK(2) "\r\n{}");
	tunnel_start(server.base, NULL);
	/* Names that only the proxy may know are left to it. */
	setenv("NO_PROXY", "*", 1);
	h = asker_client(&(struct https_conf){ .ca_pem = span_of(pem),
	    .server_name = "far.test",
	    .proxy = tunnel.url });
	https_token(h, span_of("tok-en"));
	asker_ask(h, (struct https_req){ 0 });
	asker_run();
	cr_assert_eq(heard.answer.status, 200, "%s", heard.answer.why.text);
	cr_assert_str_eq(heard.body, "{}");
	cr_assert_eq(tunnel.connections, 1);
	cr_assert_eq(strncmp(tunnel.asked, "CONNECT 127.0.0.1:", 18), 0, "%s",
	    tunnel.asked);
	cr_assert(strstr(tunnel.asked,
	    "\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n"));
	cr_assert_null(strstr(tunnel.asked, "tok-en"));
	cr_assert(strstr(server.asked, "\r\nAuthorization: Bearer tok-en\r\n"));
	cr_assert_null(strstr(server.asked, "Proxy-"));
	https_free(h);
	tunnel_stop();
	asker_stop();
}

/* What it is verified by is the server's certificate, not the proxy's word. */
Test(https_proxy, the_server_is_verified)
{
	static char pem[4096], other[4096];
	struct https *h;

	SSL_CTX_free(peer_certified("DNS:far.test", other, sizeof(other)));
	asker_serve(peer_certified("DNS:far.test", pem, sizeof(pem)),
	    OK(2) "\r\n{}");
	tunnel_start(server.base, NULL);
	h = asker_client(&(struct https_conf){ .ca_pem = span_of(other),
	    .server_name = "far.test",
	    .proxy = tunnel.url });
	asker_ask(h, (struct https_req){ 0 });
	asker_run();
	cr_assert_eq(heard.answer.status, 0);
	cr_assert_neq(heard.answer.why.kind, ERR_NONE);
	cr_assert_eq(server.asked[0], '\0');
	https_free(h);
	tunnel_stop();
	asker_stop();
}

/* The proxy's refusal is not the server's: tried again, and told as what it is.
 */
Test(https_proxy, a_refusal_is_the_proxys)
{
	struct https *h;

	asker_serve(NULL, OK(2) "\r\n{}");
	tunnel_start(server.base,
	    "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
	h = asker_client(&(struct https_conf){ .proxy = tunnel.url });
	asker_ask(h, (struct https_req){ 0 });
	asker_run();
	cr_assert_eq(heard.answer.status, 0);
	cr_assert_eq(heard.answer.why.kind, ERR_AGAIN);
	cr_assert(strstr(heard.answer.why.text, "403"), "%s",
	    heard.answer.why.text);
	cr_assert(strstr(heard.answer.why.text, "CONNECT"), "%s",
	    heard.answer.why.text);
	cr_assert_null(strstr(heard.answer.why.text, "pass"));
	https_free(h);
	tunnel_stop();
	asker_stop();
}

/* A kubeconfig that is wrong for a while opens no way past the proxy. */
Test(https_proxy, a_new_one_that_is_none_changes_nothing)
{
	const struct {
		struct https_conf conf;
		const char *error;
	} cases[] = {
		{ { .base = server.url, .proxy = "ftp://p" },
		    "proxy-url: only http, https and socks5" },
		{ { .base = "https://[::1]:1/x", .proxy = tunnel.url },
		    "https://[::1]:1/x: another server than before" },
		{ { .base = "x y", .proxy = tunnel.url }, "x y: not a URL" },
	};
	struct why why = { 0 };
	struct https *h;
	size_t i;

	asker_serve(NULL, OK(2) "\r\n{}");
	tunnel_start(server.base, NULL);
	h = asker_client(&(struct https_conf){ .proxy = tunnel.url });
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_eq(https_renew(h, &cases[i].conf, &why), -1);
		cr_expect_str_eq(why.text, cases[i].error);
	}
	asker_ask(h, (struct https_req){ 0 });
	asker_run();
	cr_assert_eq(heard.answer.status, 200);
	cr_assert_eq(tunnel.connections, 1);
	cr_assert_eq(https_renew(h, &(struct https_conf){ .base = server.url },
			 &why),
	    0);
	heard.end_loop_at = 2;
	asker_ask(h, (struct https_req){ 0 });
	asker_run();
	cr_assert_eq(heard.answer.status, 200);
	cr_assert_eq(tunnel.connections, 1, "none is wanted any more");
	https_free(h);
	tunnel_stop();
	asker_stop();
}

#define ONLY "proxy-url: only http, https and socks5"
#define NO_URL "proxy-url: not a URL"

Test(https_proxy, one_that_is_none_is_refused_by_name)
{
	static const struct {
		const char *url;
		enum why_kind kind; /* ERR_NONE: taken */
		const char *error;
	} cases[] = {
		{ "http://p", ERR_NONE, "" },
		{ "https://u:secret@p:1", ERR_NONE, "" },
		{ "socks5://p", ERR_NONE, "" },
		{ "http://[::1]:3128/", ERR_NONE, "" },
		{ "socks4://u:secret@p", ERR_DENIED, ONLY },
		{ "ftp://p", ERR_DENIED, ONLY },
		{ "", ERR_FORMAT, NO_URL },
		{ "secret", ERR_FORMAT, NO_URL },
		{ "http://", ERR_FORMAT, NO_URL },
		{ "http://u:secret@p:99999", ERR_FORMAT, NO_URL },
	};
	struct why why;
	struct https *h;
	size_t i;

	asker_serve(NULL, OK(0) "\r\n");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		why = (struct why){ .kind = ERR_NONE };
		h = https_new(server.base,
		    &(struct https_conf){ .base = server.url,
			.proxy = cases[i].url },
		    &why);
		cr_expect_eq(why.kind, cases[i].kind, "%s: %s", cases[i].url,
		    why.text);
		cr_expect_eq(h == NULL, cases[i].kind != ERR_NONE);
		if (h == NULL)
			cr_expect_str_eq(why.text, cases[i].error);
		cr_expect_null(strstr(why.text, "secret"));
		https_free(h);
	}
	asker_stop();
}
