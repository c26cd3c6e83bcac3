/* SPDX-License-Identifier: ISC */
/*
 * https.c over TLS: whom it trusts, under which name, which versions and
 * protocols it speaks, and a CA that is replaced.
 */
#include "common/https.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mono.h"
#include "t/unit/asker.h"
#include "t/unit/leap.h"
#include "t/unit/peer.h"

#define OK(length) "HTTP/1.1 200 OK\r\nContent-Length: " #length "\r\n"

static const struct https_answer *
over_tls(const char *certified, int trusted, const char *server_name)
{
	char pem[4096], other[4096];
	struct https *h;

	SSL_CTX_free(peer_certified("IP:127.0.0.1", other, sizeof(other)));
	asker_serve(peer_certified(certified, pem, sizeof(pem)),
	    OK(2) "\r\n{}");
	h = asker_client(
	    &(struct https_conf){ .ca_pem = span_of(trusted ? pem : other),
		.server_name = server_name });
	asker_ask(h, (struct https_req){ .method = HTTPS_POST });
	asker_run();
	https_free(h);
	asker_stop();
	return &heard.answer;
}

Test(https_tls, tls_is_verified)
{
	cr_expect_eq(over_tls("IP:127.0.0.1", 1, NULL)->status, 200);
	cr_expect_eq(over_tls("IP:127.0.0.1", 0, NULL)->why.kind, ERR_AUTH);
	cr_expect(!heard.answer.maybe_done);
	cr_expect_eq(over_tls("IP:127.0.0.9", 1, NULL)->why.kind, ERR_AUTH);
	cr_expect_eq(server.requests, 0);
}

/* OpenSSL's own limits out of the way, for this process. */
static void
allow_old_tls(void)
{
	static const char text[] = "openssl_conf = a\n"
				   "[a]\nssl_conf = b\n"
				   "[b]\nsystem_default = c\n"
				   "[c]\nMinProtocol = TLSv1\n"
				   "CipherString = DEFAULT@SECLEVEL=0\n";
	char path[] = "/tmp/common_https.XXXXXX";
	int fd = mkstemp(path);

	cr_assert_eq(write(fd, text, sizeof(text) - 1),
	    (ssize_t)sizeof(text) - 1);
	close(fd);
	cr_assert_eq(setenv("OPENSSL_CONF", path, 1), 0);
	cr_assert(OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL));
	unlink(path);
}

/* Whether somebody without scruples could talk to that server. */
static int
handshakes(SSL_CTX *of_server)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *client = SSL_new(ctx), *server_side = SSL_new(of_server);
	BIO *a, *b;
	int i, r = 0;

	cr_assert(BIO_new_bio_pair(&a, 0, &b, 0));
	SSL_set_bio(client, a, a);
	SSL_set_bio(server_side, b, b);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server_side);
	for (i = 0; i < 10 && r != 1; i++) {
		r = SSL_do_handshake(client);
		(void)SSL_do_handshake(server_side);
	}
	SSL_free(client);
	SSL_free(server_side);
	SSL_CTX_free(ctx);
	return r == 1;
}

Test(https_tls, nothing_older_than_tls_1_2)
{
	static const struct {
		int highest;
		unsigned int status;
	} versions[] = {
		{ TLS1_VERSION, 0 },
		{ TLS1_1_VERSION, 0 },
		{ TLS1_2_VERSION, 200 },
		{ TLS1_3_VERSION, 200 },
	};
	char pem[4096];
	struct https *h;
	SSL_CTX *tls;
	size_t i;

	allow_old_tls();
	for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		tls = peer_certified("IP:127.0.0.1", pem, sizeof(pem));
		SSL_CTX_set_max_proto_version(tls, versions[i].highest);
		cr_assert(handshakes(tls), "%x shows nothing",
		    versions[i].highest);
		asker_serve(tls, OK(2) "\r\n{}");
		h = asker_client(
		    &(struct https_conf){ .ca_pem = span_of(pem) });
		asker_ask(h, (struct https_req){ 0 });
		asker_run();
		cr_expect_eq(heard.answer.status, versions[i].status, "%x: %s",
		    versions[i].highest, heard.answer.why.text);
		cr_expect_eq(server.requests, versions[i].status != 0);
		https_free(h);
		asker_stop();
	}
}

Test(https_tls, another_name_may_be_verified)
{
	cr_expect_eq(over_tls("DNS:kube.test", 1, "kube.test")->status, 200);
	cr_expect(strstr(server.asked, "\r\nHost: 127.0.0.1:"));
	cr_expect_eq(over_tls("DNS:kube.test", 1, "cube.test")->why.kind,
	    ERR_AUTH);
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	cr_assert_gt(fputs(text, f), 0);
	cr_assert_eq(fclose(f), 0);
}

static enum why_kind
one_more(struct https *h)
{
	heard.end_loop_at = heard.n + 1;
	asker_ask(h, (struct https_req){ 0 });
	asker_run();
	return heard.answer.why.kind;
}

#define CLOSED OK(0) "Connection: close\r\n\r\n"

/* The server's certificate is replaced, and the file too. */
Test(https_tls, a_replaced_ca_file_is_read_when_the_old_one_fails)
{
	char path[] = "/tmp/common_https.XXXXXX", first[4096], second[4096];
	struct https_conf conf = { .ca_file = path };
	int fd = mkstemp(path);
	struct https *h;
	SSL_CTX *old;

	close(fd);
	asker_serve(peer_certified("IP:127.0.0.1", first, sizeof(first)),
	    CLOSED);
	write_file(path, first);
	h = asker_client(&conf);
	cr_expect_eq(one_more(h), ERR_NONE);
	old = server.tls;
	server.tls = peer_certified("IP:127.0.0.1", second, sizeof(second));
	cr_expect_eq(one_more(h), ERR_AUTH);
	write_file(path, second);
	cr_expect_eq(one_more(h), ERR_NONE, "%s", heard.answer.why.text);
	cr_expect_eq(one_more(h), ERR_NONE, "%s", heard.answer.why.text);
	https_free(h);
	asker_stop();
	SSL_CTX_free(old);
	unlink(path);
}

/* Who is no longer trusted is refused, whatever was kept of earlier times. */
Test(https_tls, a_renewed_ca_file_is_read_at_once)
{
	char path[] = "/tmp/common_https.XXXXXX", ours[4096], other[4096];
	struct https_conf conf = { .ca_file = path };
	int fd = mkstemp(path);
	struct why why;
	struct https *h;

	close(fd);
	SSL_CTX_free(peer_certified("IP:127.0.0.1", other, sizeof(other)));
	asker_serve(peer_certified("IP:127.0.0.1", ours, sizeof(ours)), CLOSED);
	write_file(path, ours);
	h = asker_client(&conf);
	cr_expect_eq(one_more(h), ERR_NONE);
	cr_expect_eq(one_more(h), ERR_NONE);
	write_file(path, other);
	cr_assert_eq(https_renew(h, &conf, &why), 0);
	cr_expect_eq(one_more(h), ERR_AUTH);
	write_file(path, ours);
	cr_assert_eq(https_renew(h, &conf, &why), 0);
	cr_expect_eq(one_more(h), ERR_NONE, "%s", heard.answer.why.text);
	https_free(h);
	asker_stop();
	unlink(path);
}

enum {
	MINUTE_MS = 61000,
};

/* Nor is a signal needed, where there is none. */
Test(https_tls, a_ca_that_is_taken_away_is_refused_after_a_minute)
{
	char path[] = "/tmp/common_https.XXXXXX", ours[4096], other[4096];
	struct https_conf conf = { .ca_file = path };
	int fd = mkstemp(path);
	struct https *h;
	int64_t until;

	close(fd);
	SSL_CTX_free(peer_certified("IP:127.0.0.1", other, sizeof(other)));
	asker_serve(peer_certified("IP:127.0.0.1", ours, sizeof(ours)), CLOSED);
	write_file(path, ours);
	h = asker_client(&conf);
	cr_expect_eq(one_more(h), ERR_NONE);
	write_file(path, other);
	leap(1);
	/* What ends earlier waits of asker_run() is still due in there. */
	for (until = now_read().boot_ms + MINUTE_MS;
	     now_read().boot_ms < until;) {
		event_base_loopexit(server.base, &(struct timeval){ 1, 0 });
		event_base_dispatch(server.base);
	}
	leap(0);
	cr_expect_eq(one_more(h), ERR_AUTH);
	https_free(h);
	asker_stop();
	unlink(path);
}

/* -- HTTP/1.1 by ALPN -- */

struct speaks {
	const unsigned char *what; /* RFC 7301, a list */
	unsigned int len;
};

static int
choose(SSL *ssl, const unsigned char **out, unsigned char *out_len,
    const unsigned char *in, unsigned int in_len, void *arg)
{
	const struct speaks *s = arg;
	unsigned char *chosen;

	(void)ssl;
	if (SSL_select_next_proto(&chosen, out_len, s->what, s->len, in,
		in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* One request of a server that speaks these. */
static void
ask_one_that_speaks(const char *what, size_t len)
{
	struct speaks s = { (const unsigned char *)what, (unsigned int)len };
	char pem[4096];
	struct https *h;
	SSL_CTX *tls = peer_certified("IP:127.0.0.1", pem, sizeof(pem));

	SSL_CTX_set_alpn_select_cb(tls, choose, &s);
	asker_serve(tls, OK(2) "\r\n{}");
	h = asker_client(&(struct https_conf){ .ca_pem = span_of(pem) });
	asker_ask(h, (struct https_req){ 0 });
	asker_run();
	https_free(h);
	asker_stop();
}

/* A paused watch must not fill the window of all others. */
Test(https_tls, one_that_prefers_http_2_is_asked_in_http_1_1)
{
	static const char both[] = "\2h2\10http/1.1";

	ask_one_that_speaks(both, sizeof(both) - 1);
	cr_expect_eq(heard.answer.status, 200, "%s", heard.answer.why.text);
	cr_expect_eq(server.requests, 1);
}

Test(https_tls, one_that_speaks_only_http_2_is_told_by_that)
{
	static const char two[] = "\2h2";

	ask_one_that_speaks(two, sizeof(two) - 1);
	cr_expect_eq(heard.answer.status, 0);
	cr_expect_not_null(strstr(heard.answer.why.text,
			       "no application protocol"),
	    "%s", heard.answer.why.text);
}
