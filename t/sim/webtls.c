/* SPDX-License-Identifier: ISC */
/*
 * webtls.c: TLS for web.c: one server context and a bufferevent for each
 * accepted connection.  A client certificate is verified when a CA is given;
 * who the client is, is read in webreq.c.
 */

#include <openssl/err.h>

#include <event2/bufferevent_ssl.h>

#include "common/why.h"
#include "t/sim/web_impl.h"

SSL_CTX *
web_tls_new(const struct web_tls *tls, struct why *why)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int must = tls->client_must ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
	char text[256];

	if (ctx == NULL ||
	    SSL_CTX_use_certificate_chain_file(ctx, tls->cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, tls->key, SSL_FILETYPE_PEM) != 1 ||
	    (tls->client_ca != NULL &&
		SSL_CTX_load_verify_locations(ctx, tls->client_ca, NULL) !=
		    1)) {
		ERR_error_string_n(ERR_get_error(), text, sizeof(text));
		fail(why, ERR_SYSTEM, "TLS server %s: %s", tls->cert, text);
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* Resumption with client certificates wants a context of its own. */
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"sim", 3);
	if (tls->client_ca != NULL) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | must, NULL);
		SSL_CTX_set_client_CA_list(ctx,
		    SSL_load_client_CA_file(tls->client_ca));
	}
	return ctx;
}

struct bufferevent *
web_tls_accept(struct event_base *base, void *ctx)
{
	SSL *ssl = SSL_new(ctx);
	struct bufferevent *bev;

	bev = bufferevent_openssl_socket_new(base, -1, ssl,
	    BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	/* Clients that vanish without close_notify are ordinary here. */
	if (bev != NULL)
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}
