/* SPDX-License-Identifier: ISC */
/*
 * asker.c: a client of https.c that keeps what it hears of peer.c's server.
 */
#include "t/unit/asker.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <string.h>

#include "t/unit/peer.h"

enum {
	PATIENCE_S = 10, /* longer than any step of a test takes */
};

struct asker heard;

void
asker_serve(SSL_CTX *tls, const char *answer)
{
	peer_start(tls, answer);
	memset(&heard, 0, sizeof(heard));
	heard.end_loop_at = 1;
}

void
asker_stop(void)
{
	peer_stop();
}

struct https *
asker_client(struct https_conf *conf)
{
	struct why why = { 0 };
	struct https *h;

	conf->base = server.url;
	h = https_new(server.base, conf, &why);
	cr_assert_not_null(h, "%s", why.text);
	heard.h = h;
	return h;
}

static void
on_done(const struct https_answer *a, void *arg)
{
	struct asker *to = arg;

	to->answer = *a;
	cr_assert_lt(a->body.len, sizeof(to->body));
	if (a->body.len > 0)
		memcpy(to->body, a->body.p, a->body.len);
	to->body[a->body.len] = '\0';
	if (++to->n == to->end_loop_at)
		event_base_loopbreak(server.base);
}

int
asker_data(struct span piece, void *arg, struct why *why)
{
	struct asker *to = arg;

	(void)why;
	cr_assert_lt(to->stream_len + piece.len, sizeof(to->stream));
	memcpy(to->stream + to->stream_len, piece.p, piece.len);
	to->stream_len += piece.len;
	return 0;
}

void
asker_frees(const struct https_answer *a, void *arg)
{
	(void)a;
	(void)arg;
	https_free(heard.h);
	heard.n++;
	event_base_loopbreak(server.base);
}

void
asker_run(void)
{
	struct timeval tv = { PATIENCE_S, 0 };

	event_base_loopexit(server.base, &tv);
	event_base_dispatch(server.base);
	cr_assert_eq(heard.n, heard.end_loop_at, "%d answers of %d", heard.n,
	    heard.end_loop_at);
}

struct https_call *
asker_ask(struct https *h, struct https_req req)
{
	if (req.path == NULL)
		req.path = "/x";
	req.done = on_done;
	req.arg = &heard;
	return https_send(h, &req);
}
