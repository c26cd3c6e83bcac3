/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as a server's answer to the one HTTP client, of which the first
 * says what was asked: one end, a status or why there is none, and nothing
 * beyond the bounds; what a stream is given in pieces is not given again, and
 * no error and no line of the log says the token back.
 */
#include "common/https.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "ipc/msg.h"
#include "t/fuzz/peer.h"
#include "t/fuzz/target.h"
#include "t/unit/leap.h"

enum {
	TURNS = 100,
	BODY_MAX = 100000,
	SILENCE_MS = 1000,
};

#define TOKEN "fuzz-sesame-fuzz"

struct peer {
	int listener;
	struct span answer;
	unsigned int ends;
	size_t pieces; /* bytes */
	int stream;
	int token; /* it was asked with one */
};

static int
on_data(struct span piece, void *arg, struct why *why)
{
	struct peer *p = arg;

	must(piece.len > 0 && p->ends == 0);
	p->pieces += piece.len;
	if (p->pieces > BODY_MAX)
		return fail(why, ERR_LIMIT, "enough");
	return 0;
}

static void
on_done(const struct https_answer *a, void *arg)
{
	struct peer *p = arg;

	must(p->ends++ == 0);
	must(a->status != 0 || a->why.kind != ERR_NONE);
	must(a->why.kind == ERR_NONE || a->why.text[0] != '\0');
	must(a->status == 0 || a->why.kind == https_kind(a->status));
	must(a->retry_after_ms >= -1 && a->limit_reset_s >= -1 &&
	    a->limit_remaining >= -1);
	must(a->body.len <= BODY_MAX);
	must(!p->stream || a->why.kind != ERR_NONE || a->body.len == 0);
	must(!p->token || a->status == 0 || a->why.kind == ERR_NONE ||
	    (memmem(a->body.p, a->body.len, TOKEN, strlen(TOKEN)) == NULL &&
		strstr(a->why.text, TOKEN) == NULL));
}

static void
on_line(const struct body_log *line, void *arg)
{
	const struct peer *p = arg;

	must(!p->token ||
	    (strstr(line->text, TOKEN) == NULL &&
		strstr(line->error, TOKEN) == NULL));
}

/* To the first who comes; the others find a server that is away. */
static void
serve(struct peer *p)
{
	int fd = accept4(p->listener, NULL, NULL, SOCK_NONBLOCK);

	if (fd == -1)
		return;
	(void)send(fd, p->answer.p, p->answer.len, MSG_NOSIGNAL);
	p->answer.len = 0;
	(void)shutdown(fd, SHUT_WR);
	close(fd);
}

static void
fuzz_https(struct span input)
{
	struct event_base *base;
	uint16_t port;
	struct peer p = { 0 };
	struct https *h;
	char url[32];
	unsigned int i, how;

	if (input.len == 0)
		return;
	how = (uint8_t)input.p[0];
	p.stream = how & 1;
	p.answer = (struct span){ input.p + 1, input.len - 1 };
	p.listener = peer_listen(&port);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", port);
	base = event_base_new();
	h = https_new(base, &(struct https_conf){ .base = url }, NULL);
	must(h != NULL);
	if ((p.token = (how & 4) != 0))
		https_token(h, span_of(TOKEN));
	log_set_sink(on_line, &p);
	leap_at_once(1);
	(void)https_send(h,
	    &(struct https_req){ .method = how & 2 ? HTTPS_PUT : HTTPS_GET,
		.path = "/x",
		.body = how & 2 ? span_of("{}") : (struct span){ "", 0 },
		.body_max = p.stream ? 0 : BODY_MAX,
		.silence_ms = p.stream ? SILENCE_MS : 0,
		.data = p.stream ? on_data : NULL,
		.done = on_done,
		.arg = &p });
	for (i = 0; i < TURNS && p.ends == 0; i++) {
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
		serve(&p);
		if (p.ends == 0)
			(void)event_base_loop(base, EVLOOP_ONCE);
	}
	leap_at_once(0);
	must(p.ends == 1);
	https_free(h);
	event_base_free(base);
}

TARGET(https, fuzz_https);
