/* SPDX-License-Identifier: ISC */
#ifndef T_IT_FAULT_WIRE_H
#define T_IT_FAULT_WIRE_H

/* One end of a TLS connection, and HTTP/1.1 messages read from it. */

#include <openssl/ssl.h>
#include <stddef.h>

struct wire {
	int fd;
	SSL *ssl;
	char *buf; /* read and not taken yet, NUL-terminated */
	size_t len;
	int over; /* the peer has ended */
};

/* -1: no TLS with that peer.  ctx: of a server or of a client. */
int wire_open(struct wire *, SSL_CTX *, int fd, int is_server);
void wire_close(struct wire *);
void wire_reset(struct wire *); /* by RST */

int wire_send(struct wire *, const void *, size_t);
/* More into buf: 1; 0: nothing within ms; -1: over. */
int wire_more(struct wire *, int ms);
void wire_take(struct wire *, size_t); /* those bytes of buf are done with */

struct message {
	char *all; /* head and body as they came */
	size_t all_len;
	size_t head_len; /* with its empty line */
	char *body;	 /* without chunks */
	size_t body_len;
	int whole; /* 0: more may come, as of a watch */
};

/*
 * The next message.  An answer that says nothing for quiet_ms is not whole.
 * no_body: to a request or in an answer that has none.  -1: the peer ended.
 */
int wire_request(struct wire *, struct message *);
int wire_answer(struct wire *, struct message *, int quiet_ms);
void message_free(struct message *);

#endif
