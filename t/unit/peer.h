/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_PEER_H
#define T_UNIT_PEER_H

/* A server on the loop of a test: it answers with the bytes it is given. */

#include <openssl/ssl.h>

enum {
	PEER_OPEN = 8, /* connections */
};

/* One answer a request, the last one again and again; NULL: none. */
struct peer {
	struct event_base *base;
	struct evconnlistener *listener;
	SSL_CTX *tls;
	const char *answer;
	size_t answer_len; /* 0: it is a string */
	size_t piece;	   /* so many bytes at a time, 0: all at once */
	size_t sent;	   /* of the last answer */
	int close_after;
	unsigned int connections;
	unsigned int requests;
	struct bufferevent *open[PEER_OPEN];
	char asked[8192];
	char url[64];
};
extern struct peer server;

/* Makes the loop and listens; takes tls, NULL: plain. */
void peer_start(SSL_CTX *tls, const char *answer);
void peer_stop(void);

/* A server certified for `name` by itself; the certificate as PEM. */
SSL_CTX *peer_certified(const char *name, char *pem, size_t size);

#endif
