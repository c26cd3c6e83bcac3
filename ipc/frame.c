/* SPDX-License-Identifier: ISC */
/*
 * frame.c: cuts a byte stream into frames.
 *
 * Owns the read buffer, in which nothing is left of a frame that is used up:
 * many bring tokens or what Secrets hold.  Grows only for a frame whose head is
 * complete, so whoever reads must have refused a length over the limit before
 * asking for room.  Never touches a descriptor, never looks into a body.
 */
#include "ipc/frame.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"

enum {
	USUAL = 64 * 1024, /* bytes read at once, and kept when idle */
};

void
frame_head_put(uint8_t *p, const struct frame_head *h)
{
	uint32_t len = htobe32(h->len), type = htobe32(h->type);
	uint64_t id = htobe64(h->id);

	memcpy(p, &len, 4);
	memcpy(p + 4, &type, 4);
	memcpy(p + 8, &id, 8);
}

void
frame_head_get(const uint8_t *p, struct frame_head *h)
{
	memcpy(&h->len, p, 4);
	memcpy(&h->type, p + 4, 4);
	memcpy(&h->id, p + 8, 8);
	h->len = be32toh(h->len);
	h->type = be32toh(h->type);
	h->id = be64toh(h->id);
}

static void
resize(struct frame_in *in, size_t cap)
{
	uint8_t *buf;

	buf = xmalloc(cap);
	if (in->len > 0) {
		memcpy(buf, in->buf + in->at, in->len);
		explicit_bzero(in->buf + in->at, in->len);
	}
	free(in->buf);
	in->buf = buf;
	in->cap = cap;
	in->at = 0;
}

uint8_t *
frame_in_room(struct frame_in *in, size_t *room)
{
	struct frame_head h;
	size_t want = USUAL;

	if (frame_in_head(in, &h) && FRAME_HEAD + (size_t)h.len > want)
		want = FRAME_HEAD + (size_t)h.len;
	/* A buffer that was for one large frame is not kept. */
	if (in->cap < want || (in->cap > want && in->len < USUAL)) {
		resize(in, want);
	} else if (in->at > 0) {
		memmove(in->buf, in->buf + in->at, in->len);
		explicit_bzero(in->buf + in->len, in->at);
		in->at = 0;
	}
	*room = in->cap - in->len;
	return in->buf + in->len;
}

void
frame_in_add(struct frame_in *in, size_t n)
{
	in->len += n;
}

int
frame_in_head(const struct frame_in *in, struct frame_head *h)
{
	if (in->len < FRAME_HEAD)
		return 0;
	frame_head_get(in->buf + in->at, h);
	return 1;
}

int
frame_in_body(const struct frame_in *in, struct span *body)
{
	struct frame_head h;

	if (!frame_in_head(in, &h) || in->len - FRAME_HEAD < h.len)
		return 0;
	body->p = (const char *)in->buf + in->at + FRAME_HEAD;
	body->len = h.len;
	return 1;
}

void
frame_in_drop(struct frame_in *in)
{
	struct frame_head h;
	size_t n;

	if (!frame_in_head(in, &h))
		return;
	n = FRAME_HEAD + (size_t)h.len;
	explicit_bzero(in->buf + in->at, n);
	in->at += n;
	in->len -= n;
}

void
frame_in_skip(struct frame_in *in)
{
	struct frame_head h;

	if (!frame_in_head(in, &h))
		return;
	in->at += FRAME_HEAD + (size_t)h.len;
	in->len -= FRAME_HEAD + (size_t)h.len;
}

void
frame_in_free(struct frame_in *in)
{
	if (in->len > 0)
		explicit_bzero(in->buf + in->at, in->len);
	free(in->buf);
	*in = (struct frame_in){ 0 };
}
