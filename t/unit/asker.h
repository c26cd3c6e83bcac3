/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_ASKER_H
#define T_UNIT_ASKER_H

/* A client of https.c on the loop of a test: what it asks, what it hears. */

#include "common/https.h"
#include "t/unit/peer.h"

struct asker {
	int n;
	int end_loop_at;
	struct https_answer answer;
	char body[4096];
	char stream[65536];
	size_t stream_len;
	struct https *h;
	struct https_call *call;
};
extern struct asker heard;

/* peer.c's server with that answer; nothing is heard yet. */
void asker_serve(SSL_CTX *tls, const char *answer);
void asker_stop(void);

/* Of that server. */
struct https *asker_client(struct https_conf *);
struct https_call *asker_ask(struct https *, struct https_req);

/* For data of a request: keeps it in the stream. */
int asker_data(struct span, void *, struct why *);

/* For done of a request: frees the client, and ends the loop. */
void asker_frees(const struct https_answer *, void *);

/* Until as many answers came as are waited for. */
void asker_run(void);

#endif
