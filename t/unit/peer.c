/* SPDX-License-Identifier: ISC */
/*
 * peer.c: a server on the loop of a test that answers with the bytes it is
 * given, plain or over TLS, and keeps what it was asked.
 */
#include "t/unit/peer.h"

#include <criterion/criterion.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

struct peer server;

static void
hang_up(struct bufferevent *bev)
{
	size_t i;

	for (i = 0; i < PEER_OPEN; i++)
		if (server.open[i] == bev)
			server.open[i] = NULL;
	bufferevent_free(bev);
}

static size_t
answer_len(void)
{
	return server.answer_len != 0 ? server.answer_len :
					strlen(server.answer);
}

static void
send_piece(struct bufferevent *bev)
{
	size_t left = answer_len() - server.sent;

	if (server.piece != 0 && left > server.piece)
		left = server.piece;
	bufferevent_write(bev, server.answer + server.sent, left);
	server.sent += left;
}

static void
on_request(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	size_t len = evbuffer_get_length(in), body = 0;
	const char *at;

	(void)arg;
	if (end.pos == -1 || len >= sizeof(server.asked))
		return;
	evbuffer_copyout(in, server.asked, len);
	server.asked[len] = '\0';
	at = strstr(server.asked, "Content-Length: ");
	if (at != NULL)
		body = strtoul(at + strlen("Content-Length: "), NULL, 10);
	if (len < (size_t)end.pos + 4 + body)
		return;
	evbuffer_drain(in, len);
	server.requests++;
	server.sent = 0;
	if (server.answer != NULL)
		send_piece(bev);
}

/* Comes before any request too. */
static void
on_sent(struct bufferevent *bev, void *arg)
{
	(void)arg;
	if (server.answer == NULL || server.sent == 0)
		return;
	if (server.sent < answer_len())
		send_piece(bev);
	else if (server.close_after)
		hang_up(bev);
}

static void
on_gone(struct bufferevent *bev, short what, void *arg)
{
	(void)arg;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		hang_up(bev);
}

static void
on_connection(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa,
    int len, void *arg)
{
	struct bufferevent *bev;

	(void)l;
	(void)sa;
	(void)len;
	(void)arg;
	cr_assert_lt(server.connections, PEER_OPEN);
	bev = server.tls == NULL ?
	    bufferevent_socket_new(server.base, fd, BEV_OPT_CLOSE_ON_FREE) :
	    bufferevent_openssl_socket_new(server.base, fd, SSL_new(server.tls),
		BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	server.open[server.connections++] = bev;
	server.sent = 0;
	bufferevent_setcb(bev, on_request, on_sent, on_gone, NULL);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

void
peer_start(SSL_CTX *tls, const char *answer)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(sin);

	memset(&server, 0, sizeof(server));
	server.base = event_base_new();
	server.tls = tls;
	server.answer = answer;
	server.listener =
	    evconnlistener_new_bind(server.base, on_connection, NULL,
		LEV_OPT_CLOSE_ON_FREE, 8, (struct sockaddr *)&sin, sizeof(sin));
	cr_assert_not_null(server.listener);
	getsockname(evconnlistener_get_fd(server.listener),
	    (struct sockaddr *)&sin, &len);
	snprintf(server.url, sizeof(server.url), "%s://127.0.0.1:%u",
	    tls == NULL ? "http" : "https", ntohs(sin.sin_port));
}

void
peer_stop(void)
{
	size_t i;

	for (i = 0; i < PEER_OPEN; i++)
		if (server.open[i] != NULL)
			hang_up(server.open[i]);
	if (server.listener != NULL)
		evconnlistener_free(server.listener);
	SSL_CTX_free(server.tls);
	event_base_free(server.base);
}

SSL_CTX *
peer_certified(const char *name, char *pem, size_t size)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_EXTENSION *ext =
	    X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, name);
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	BIO *bio = BIO_new(BIO_s_mem());
	int n;

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN",
	    MBSTRING_ASC, (const unsigned char *)"t", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	X509_add_ext(cert, ext, -1);
	cr_assert(X509_sign(cert, key, EVP_sha256()));
	SSL_CTX_use_certificate(ctx, cert);
	SSL_CTX_use_PrivateKey(ctx, key);
	PEM_write_bio_X509(bio, cert);
	n = BIO_read(bio, pem, (int)size - 1);
	cr_assert_gt(n, 0);
	pem[n] = '\0';
	X509_EXTENSION_free(ext);
	X509_free(cert);
	EVP_PKEY_free(key);
	BIO_free(bio);
	return ctx;
}
