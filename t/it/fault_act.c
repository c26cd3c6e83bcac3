/* SPDX-License-Identifier: ISC */
/*
 * fault_act.c: the answers that clients get.
 *
 * Owns the table and what its acts mean; the server is never seen here.
 */
#include "t/it/fault_act.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/it.h"

enum {
	PIECE_MS = 20,
	LOOK_MS = 50,
	BODY_LEN = 104,
	PAUSE_EACH = 16, /* pieces of what has no end */
	PAUSE_MS = 2,
};

#define BODY                                                          \
	"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{}," \
	"\"status\":\"Failure\",\"message\":\"made by a test\",\"code\":0}"
#define TEN "0123456789"
#define THIRTY TEN TEN TEN
#define TEXT(n) #n
#define OK(type, length)                         \
	"HTTP/1.1 200 OK\r\nContent-Type: " type \
	"\r\nContent-Length: " TEXT(length) "\r\n\r\n"
#define STATUS(status, headers)           \
	"HTTP/1.1 " status "\r\n" headers \
	"Content-Type: application/json\r\nContent-Length: 104\r\n\r\n" BODY
#define MOVED(status) \
	"HTTP/1.1 " status "\r\nLocation: /strayed\r\nContent-Length: 0\r\n\r\n"
#define HEAD_200_CHUNKED                                        \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" \
	"Transfer-Encoding: chunked\r\n\r\n"
#define SPACES_64 \
	"                                                                "
#define SPACES_253                    \
	SPACES_64 SPACES_64 SPACES_64 \
	    "                                                             "
#define CHUNK_1K \
	"3f9\r\n" SPACES_253 SPACES_253 SPACES_253 SPACES_253 "     \r\n"
#define LETTERS_64 \
	"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl"
#define LETTERS_256 LETTERS_64 LETTERS_64 LETTERS_64 LETTERS_64
#define LETTERS_1K \
	"400\r\n" LETTERS_256 LETTERS_256 LETTERS_256 LETTERS_256 "\r\n"
#define LONG_HEADER "X-Long: 0123456789012345678901\r\n"

_Static_assert(sizeof(BODY) - 1 == BODY_LEN, "what STATUS() says");
_Static_assert(sizeof(LETTERS_1K) - 1 == 1031, "1024 and their frame");
_Static_assert(sizeof(CHUNK_1K) - 1 == 1024, "what its first line says");

static const struct fault_row rows[] = {
#define FAULT(name, sent, act, number, slow, text)                             \
	[FAULT_##name] = { #name, SENT_##sent, ACT_##act, number, SLOW_##slow, \
		text, sizeof(text) - 1 },
#include "t/it/fault.def"
#undef FAULT
};

const struct fault_row *
fault_row(enum fault f)
{
	return &rows[f];
}

const char *
fault_name(enum fault f)
{
	return rows[f].name;
}

int
fault_is_slow(enum fault f, enum fault_server s)
{
	return rows[f].slow == SLOW_BOTH ||
	    (rows[f].slow == SLOW_FLIGHT && s == FAULT_FLIGHT);
}

/* --- parts of answers ---------------------------------------------------- */

/* The head without what says how long the body is. */
static char *
bare_head(const struct message *m)
{
	char *head = xcalloc(1, m->head_len + 1);
	const char *at = m->all, *end;

	while (at < m->all + m->head_len - 2) {
		end = strstr(at, "\r\n") + 2;
		if (strncasecmp(at, "Content-Length:", 15) != 0 &&
		    strncasecmp(at, "Transfer-Encoding:", 18) != 0)
			strncat(head, at, (size_t)(end - at));
		at = end;
	}
	return head;
}

/* An answer that says a length and has so much of a body. */
static int
send_sized(struct wire *c, const struct message *m, long says, size_t has)
{
	AUTO_FREE char *head = bare_head(m);
	AUTO_FREE char *all =
	    xasprintf("%sContent-Length: %ld\r\n\r\n", head, says);

	return wire_send(c, all, strlen(all)) == -1 ||
		wire_send(c, m->body, has) == -1 ?
	    -1 :
	    0;
}

/* One that has no end of its own, as a watch, has chunks. */
static int
send_body(struct wire *c, const struct message *m, const char *body, size_t len)
{
	AUTO_FREE char *head = bare_head(m);
	AUTO_FREE char *all = xasprintf("%sTransfer-Encoding: chunked\r\n\r\n"
					"%zx\r\n",
	    head, len);

	if (len == 0)
		all[strlen(all) - 3] = '\0';
	if (wire_send(c, all, strlen(all)) == -1 ||
	    wire_send(c, body, len) == -1)
		return -1;
	return len == 0 ? wire_send(c, "0\r\n\r\n", 5) :
			  wire_send(c, "\r\n0\r\n\r\n", 7);
}

static size_t
percent(const struct message *m, int n)
{
	return m->body_len * (size_t)n / 100;
}

/* --- acts ---------------------------------------------------------------- */

/* What an act works with. */
struct scene {
	const struct fault_row *r;
	struct wire *c;
	const struct message *m;
	int (*let_go)(void *);
	void *arg;
};

static int
pass(const struct scene *s)
{
	if (s->r->sent != SENT_AGAIN)
		it_pause(s->r->number);
	return wire_send(s->c, s->m->all, s->m->all_len);
}

static int
give(const struct scene *s)
{
	return wire_send(s->c, s->r->text, s->r->text_len) == -1 ||
		s->r->number == 0 ?
	    -1 :
	    0;
}

static int
first(const struct scene *s)
{
	if (wire_send(s->c, s->r->text, s->r->text_len) == -1)
		return -1;
	return wire_send(s->c, s->m->all, s->m->all_len);
}

static int
reset(const struct scene *s)
{
	wire_reset(s->c);
	s->c->fd = -1;
	return -1;
}

static int
end(const struct scene *s)
{
	(void)s;
	return -1;
}

static int
hold(const struct scene *s)
{
	while (!s->let_go(s->arg) && wire_more(s->c, LOOK_MS) != -1)
		continue;
	return -1;
}

/* As another connection's would be, or one with a bit that fell over. */
static int
record(const struct scene *s)
{
	static const unsigned char bytes[] = "\x17\x03\x03\x00\x20"
					     "0123456789abcdef"
					     "0123456789abcdef";

	(void)!write(s->c->fd, bytes, sizeof(bytes) - 1);
	return -1;
}

static int
head(const struct scene *s)
{
	(void)wire_send(s->c, s->m->all, (size_t)s->r->number);
	return -1;
}

static int
half(const struct scene *s)
{
	(void)send_sized(s->c, s->m, (long)s->m->body_len + 1,
	    percent(s->m, s->r->number));
	return -1;
}

static int
break_off(const struct scene *s)
{
	(void)half(s);
	return reset(s);
}

static int
shorten(const struct scene *s)
{
	return send_body(s->c, s->m, s->m->body, percent(s->m, s->r->number));
}

static int
length(const struct scene *s)
{
	long says = (long)s->m->body_len + s->r->number;

	(void)send_sized(s->c, s->m, says > 0 ? says : 0, s->m->body_len);
	return s->r->number > 0 ? -1 : 0;
}

static int
lengths(const struct scene *s)
{
	AUTO_FREE char *bare = bare_head(s->m);
	AUTO_FREE char *text = xasprintf("%sContent-Length: %zu\r\n"
					 "Content-Length: 7\r\n\r\n%s",
	    bare, s->m->body_len, s->m->body);

	(void)wire_send(s->c, text, strlen(text));
	return -1;
}

static int
chunk(const struct scene *s)
{
	AUTO_FREE char *bare = bare_head(s->m);
	AUTO_FREE char *text = xasprintf("%sTransfer-Encoding: chunked\r\n\r\n"
					 "%zx\r\n%s\r\nzz\r\nmore\r\n",
	    bare, s->m->body_len, s->m->body);

	(void)wire_send(s->c, text, strlen(text));
	return -1;
}

static int
garble(const struct scene *s)
{
	const struct message *m = s->m;
	AUTO_FREE char *body = xmalloc(m->body_len + 1);
	size_t len = s->r->text_len;

	memcpy(body, m->body, m->body_len);
	if (len > m->body_len)
		len = m->body_len;
	memcpy(body + (m->body_len - len) / 2, s->r->text, len);
	return send_body(s->c, m, body, m->body_len);
}

static int
slowly(const struct scene *s)
{
	const struct message *m = s->m;
	size_t at, len;

	for (at = 0; at < m->all_len; at += len) {
		len = m->all_len - at;
		if (len > (size_t)s->r->number)
			len = (size_t)s->r->number;
		if (wire_send(s->c, m->all + at, len) == -1)
			return -1;
		it_pause(PIECE_MS);
	}
	return 0;
}

static int
endless(const struct scene *s)
{
	size_t len = (size_t)s->r->number;
	const char *again = s->r->text + s->r->text_len - len;
	unsigned int n = 0;

	if (wire_send(s->c, s->r->text, s->r->text_len) == -1)
		return -1;
	while (!s->let_go(s->arg) && wire_send(s->c, again, len) == 0)
		if (++n % PAUSE_EACH == 0)
			it_pause(PAUSE_MS);
	return -1;
}

static int (*const acts[])(const struct scene *) = {
	[ACT_PASS] = pass,
	[ACT_SECOND] = pass,
	[ACT_GIVE] = give,
	[ACT_FIRST] = first,
	[ACT_RESET] = reset,
	[ACT_CLOSE] = end,
	[ACT_HOLD] = hold,
	[ACT_RECORD] = record,
	[ACT_HEAD] = head,
	[ACT_HALF] = half,
	[ACT_BREAK] = break_off,
	[ACT_SHORT] = shorten,
	[ACT_LENGTH] = length,
	[ACT_LENGTHS] = lengths,
	[ACT_CHUNK] = chunk,
	[ACT_GARBLE] = garble,
	[ACT_SLOW] = slowly,
	[ACT_ENDLESS] = endless,
};

int
fault_act(const struct fault_row *r, struct wire *c, const struct message *m,
    int (*let_go)(void *), void *arg)
{
	return acts[r->act](&(struct scene){ r, c, m, let_go, arg });
}
