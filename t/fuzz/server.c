/* SPDX-License-Identifier: ISC */
/*
 * server.c: answers what the client asks for with what the fuzzer has.  What
 * is random is so by the input: the same input is always the same run.
 */
#include "t/fuzz/server.h"

#include <sys/queue.h>

#include <event2/event.h>
#include <stdint.h>

#include "common/https.h"
#include "common/limits.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "t/fuzz/target.h"
#include "t/unit/leap.h"

struct https_call {
	TAILQ_ENTRY(https_call) entry;
	struct https_req req;
	char *path;
	int told;   /* it is being answered */
	int paused; /* the last piece was too much */
	int over;   /* cancelled meanwhile */
};

enum {
	RECORDS = 64,
	LEAPS = 6,   /* before each record */
	PIECES = 97, /* lengths of a stream's pieces */
};

/* '.' gives a stream some of its body and leaves it open. */
static const struct row {
	char is;
	unsigned int status;
	int64_t retry_after_ms;
} answers[] = {
	{ 'o', 200, -1 },
	{ '.', 200, -1 },
	{ 'c', 201, -1 },
	{ 'n', 204, -1 },
	{ '-', 0, -1 },
	{ 'b', 400, -1 },
	{ 'u', 401, -1 },
	{ 'd', 403, -1 },
	{ 'x', 404, -1 },
	{ 't', 408, -1 },
	{ 'f', 409, -1 },
	{ 'g', 410, -1 },
	{ 'p', 412, -1 },
	{ 'l', 413, -1 },
	{ 'v', 422, -1 },
	{ 'm', 429, 1000 },
	{ 'e', 500, -1 },
	{ 's', 503, 0 },
};

static int gave_much; /* in this input */
static uint32_t drawn;

static TAILQ_HEAD(, https_call) asked = TAILQ_HEAD_INITIALIZER(asked);

uint32_t
arc4random(void)
{
	drawn ^= drawn << 13;
	drawn ^= drawn >> 17;
	drawn ^= drawn << 5;
	return drawn;
}

uint32_t
arc4random_uniform(uint32_t below)
{
	return below < 2 ? 0 : arc4random() % below;
}

struct https_call *__wrap_https_send(struct https *, const struct https_req *);
void __wrap_https_cancel(struct https_call *);
void __wrap_https_pause(struct https_call *);
void __wrap_https_resume(struct https_call *);

struct https_call *
__wrap_https_send(struct https *h, const struct https_req *req)
{
	struct https_call *c = xcalloc(1, sizeof(*c));

	(void)h;
	/* What goes out is text, whatever came in before. */
	must(req->path[0] == '/' && strpbrk(req->path, " \r\n") == NULL);
	must(req->done != NULL);
	must(req->body.len == 0 || scan_is_valid(req->body));
	c->req = *req;
	c->path = xstrdup(req->path);
	target_say("asked", req->path);
	TAILQ_INSERT_TAIL(&asked, c, entry);
	return c;
}

static void
end(struct https_call *c)
{
	TAILQ_REMOVE(&asked, c, entry);
	free(c->path);
	free(c);
}

void
__wrap_https_cancel(struct https_call *c)
{
	c->over = 1;
	if (!c->told)
		end(c);
}

void
__wrap_https_pause(struct https_call *c)
{
	c->paused = 1;
}

void
__wrap_https_resume(struct https_call *c)
{
	c->paused = 0;
}

static const struct row *
row_of(char is)
{
	const struct row *r;

	for (r = answers; r < answers + sizeof(answers) / sizeof(*r); r++)
		if (r->is == is)
			return r;
	return answers;
}

/* -1: the caller does not want it. */
static int
give_pieces(struct https_call *c, struct span body, struct why *why)
{
	size_t piece = 1 + body.len % PIECES;

	for (; body.len > 0 && !c->over; body.p += piece, body.len -= piece) {
		piece = piece < body.len ? piece : body.len;
		if (c->req.data((struct span){ body.p, piece }, c->req.arg,
			why) == -1) {
			must(why->kind != ERR_NONE && why->text[0] != '\0');
			return -1;
		}
	}
	return 0;
}

/* In place of the byte 1, once: more than any item may have. */
static int
give_much(struct https_call *c, struct why *why)
{
	static char much[1 << 20];
	size_t given;

	memset(much, 'x', sizeof(much));
	for (given = 0; given <= MAX_ITEM && !c->over; given += sizeof(much))
		if (c->req.data((struct span){ much, sizeof(much) }, c->req.arg,
			why) == -1)
			return -1;
	return 0;
}

static int
give(struct https_call *c, struct span body, struct why *why)
{
	struct span rest;
	const char *much =
	    body.len > 0 && !gave_much ? memchr(body.p, 1, body.len) : NULL;

	if (much == NULL)
		return give_pieces(c, body, why);
	gave_much = 1;
	rest =
	    (struct span){ much + 1, (size_t)(body.p + body.len - much) - 1 };
	body.len = (size_t)(much - body.p);
	if (give_pieces(c, body, why) == -1 || give_much(c, why) == -1)
		return -1;
	return give_pieces(c, rest, why);
}

static void
fill(const struct https_call *c, const struct row *r, struct span body,
    struct https_answer *a)
{
	size_t max = c->req.body_max > 0 ? c->req.body_max : MAX_ITEM;

	*a = (struct https_answer){ .status = r->status,
		.asked = c->path,
		.body = body,
		.retry_after_ms = r->retry_after_ms,
		.limit_reset_s = -1,
		.limit_remaining = -1,
		.date_ms = 1700000000000 };
	if (c->req.data == NULL && body.len > max)
		a->status = 0;
	if (a->status == 0)
		fail(&a->why, ERR_AGAIN, "no answer");
	else if (https_kind(r->status) != ERR_NONE)
		fail_code(&a->why, https_kind(r->status), r->status, "%u",
		    r->status);
}

/* Of those of whose path this is a part: "/part and a blank" before the rest.
 */
static struct https_call *
call_of_path(struct span *record)
{
	const char *blank = memchr(record->p, ' ', record->len);
	struct https_call *c;
	size_t len;

	if (blank == NULL)
		return NULL;
	len = (size_t)(blank - record->p);
	TAILQ_FOREACH(c, &asked, entry)
		if (memmem(c->path, strlen(c->path), record->p, len) != NULL)
			break;
	*record = (struct span){ blank + 1, record->len - len - 1 };
	return c;
}

/* After as many others as a digit says. */
static struct https_call *
call_of(struct span *record)
{
	struct https_call *c = TAILQ_FIRST(&asked);
	int skip = 0;

	if (record->len > 0 && record->p[0] == '/')
		return call_of_path(record);
	if (record->len > 0 && record->p[0] >= '0' && record->p[0] <= '9') {
		skip = record->p[0] - '0';
		record->p++;
		record->len--;
	}
	for (; skip > 0 && c != NULL; skip--)
		c = TAILQ_NEXT(c, entry);
	return c;
}

int
server_answer(struct span record)
{
	struct https_call *c = call_of(&record);
	const struct row *r = row_of(record.len > 0 ? record.p[0] : 'o');
	struct span body = { record.p + (record.len > 0),
		record.len - (record.len > 0) };
	struct https_answer a;

	if (c == NULL)
		return 0;
	fill(c, r, body, &a);
	c->told = 1;
	if (c->req.data != NULL && a.why.kind == ERR_NONE) {
		a.body.len = 0;
		if (give(c, body, &a.why) == -1)
			a.status = 0;
		else if (r->is == '.' && !c->over) {
			c->told = 0;
			return 1;
		}
	}
	if (!c->over)
		c->req.done(&a, c->req.arg);
	end(c);
	return 1;
}

/* Until the record is an answer to somebody, or only much later. */
static void
go_on(struct event_base *base, struct span record)
{
	struct span of = record;
	unsigned int i;

	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	for (i = 0; i < LEAPS && call_of(&of) == NULL; i++, of = record)
		(void)event_base_loop(base, EVLOOP_ONCE);
}

void
server_play(struct event_base *base, struct span input,
    int (*take)(struct span, void *), void *arg)
{
	struct span record;
	unsigned int i;

	gave_much = 0;
	drawn = (uint32_t)input.len + 1;
	leap_at_once(1);
	for (i = 0; i < RECORDS && target_record(&input, &record); i++) {
		if (take(record, arg))
			continue;
		go_on(base, record);
		(void)server_answer(record);
	}
	go_on(base, (struct span){ "", 0 });
	leap_at_once(0);
}
