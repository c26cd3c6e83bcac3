/* SPDX-License-Identifier: ISC */
/* Frames come out as they went in, however the bytes are cut. */
#include "ipc/frame.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/unit/leaks.h"

static uint64_t seed = 1;

static size_t
rnd(size_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(seed >> 33) % below;
}

Test(ipc_frame, head_is_big_endian)
{
	static const uint8_t wire[FRAME_HEAD] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
		11, 12, 13, 14, 15, 16 };
	struct frame_head h = { 0x01020304, 0x05060708, 0x090a0b0c0d0e0f10 };
	uint8_t p[FRAME_HEAD];
	struct frame_head back;

	frame_head_put(p, &h);
	cr_assert(memcmp(p, wire, sizeof(wire)) == 0);
	frame_head_get(p, &back);
	cr_assert(back.len == h.len && back.type == h.type && back.id == h.id);
}

enum {
	FRAMES = 200
};

/* The stream of FRAMES frames; frame i has type i and bytes (uint8_t)i. */
static uint8_t *
make_stream(size_t *len)
{
	uint8_t *p = xmalloc(FRAMES * (300000 + FRAME_HEAD));
	struct frame_head h;
	uint32_t i;

	for (*len = 0, i = 0; i < FRAMES; i++) {
		h = (struct frame_head){ (uint32_t)(rnd(3) == 0 ? rnd(300000) :
								  rnd(100)),
			i, ~(uint64_t)i };
		frame_head_put(p + *len, &h);
		memset(p + *len + FRAME_HEAD, (int)i, h.len);
		*len += FRAME_HEAD + h.len;
	}
	return p;
}

static uint32_t
take_all(struct frame_in *in, uint32_t next)
{
	struct frame_head h;
	struct span body;
	size_t i;

	while (frame_in_body(in, &body)) {
		cr_assert(frame_in_head(in, &h));
		cr_assert(h.type == next && h.id == ~(uint64_t)next);
		cr_assert(body.len == h.len);
		for (i = 0; i < body.len; i++)
			cr_assert((uint8_t)body.p[i] == (uint8_t)next);
		frame_in_drop(in);
		next++;
	}
	return next;
}

Test(ipc_frame, any_cut_gives_the_same_frames)
{
	size_t len, at, n, room, most;
	struct frame_in in;
	uint32_t next;
	uint8_t *p, *to;
	int round;

	p = make_stream(&len);
	for (round = 0; round < 6; round++) {
		most = (size_t)1 << (4 + 4 * round);
		in = (struct frame_in){ 0 };
		for (at = 0, next = 0; at < len; at += n) {
			to = frame_in_room(&in, &room);
			cr_assert(room > 0);
			n = 1 + rnd(most);
			n = n > room ? room : n;
			n = n > len - at ? len - at : n;
			memcpy(to, p + at, n);
			frame_in_add(&in, n);
			next = take_all(&in, next);
		}
		cr_assert(next == FRAMES && in.len == 0);
		frame_in_free(&in);
	}
	free(p);
	NO_LEAKS();
}

Test(ipc_frame, room_grows_for_one_frame_and_shrinks_again)
{
	struct frame_head h = { 1 << 20, 1, 1 };
	struct frame_in in = { 0 };
	uint8_t *to;
	size_t room, small;

	(void)frame_in_room(&in, &small);
	to = frame_in_room(&in, &room);
	frame_head_put(to, &h);
	frame_in_add(&in, FRAME_HEAD);
	to = frame_in_room(&in, &room);
	cr_assert(room == h.len);
	memset(to, 0, room);
	frame_in_add(&in, room);
	frame_in_drop(&in);
	(void)frame_in_room(&in, &room);
	cr_assert(room == small);
	frame_in_free(&in);
	NO_LEAKS();
}

static void
add_frame(struct frame_in *in, const char *six)
{
	struct frame_head h = { 6, 1, 1 };
	size_t room;
	uint8_t *to = frame_in_room(in, &room);

	frame_head_put(to, &h);
	memcpy(to + FRAME_HEAD, six, 6);
	frame_in_add(in, FRAME_HEAD + 6);
}

Test(ipc_frame, used_frame_leaves_no_copy)
{
	struct frame_in in = { 0 };
	size_t room;

	add_frame(&in, "public");
	add_frame(&in, "secret");
	frame_in_drop(&in);
	cr_assert(memmem(in.buf, in.cap, "public", 6) == NULL);
	(void)frame_in_room(&in, &room); /* what is left moves to the front */
	frame_in_drop(&in);
	cr_assert(memmem(in.buf, in.cap, "secret", 6) == NULL);
	frame_in_free(&in);
}
