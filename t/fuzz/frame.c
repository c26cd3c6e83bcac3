/* SPDX-License-Identifier: ISC */
/*
 * Any bytes in pieces of any size: the same frames as in one piece, and their
 * heads are as they came.
 */
#include <stdint.h>
#include <string.h>

#include "common/limits.h"
#include "ipc/frame.h"
#include "t/fuzz/target.h"

/* Bytes of bodies seen; a length over the limit ends it, as in chan.c. */
static size_t
run(const char *p, const char *end, size_t piece)
{
	struct frame_in in = { 0 };
	struct frame_head h;
	size_t seen = 0, room;
	struct span body;

	for (; p < end && !(frame_in_head(&in, &h) && h.len > MAX_FRAME);
	     p += room) {
		uint8_t *to = frame_in_room(&in, &room);

		room = room > piece ? piece : room;
		room = room > (size_t)(end - p) ? (size_t)(end - p) : room;
		memcpy(to, p, room);
		frame_in_add(&in, room);
		for (; frame_in_body(&in, &body); frame_in_drop(&in))
			seen += body.len + 1;
	}
	frame_in_free(&in);
	return seen;
}

static void
fuzz_frame(struct span in)
{
	if (in.len > 1)
		must(run(in.p + 1, in.p + in.len, (uint8_t)in.p[0] + 1u) ==
		    run(in.p + 1, in.p + in.len, in.len));
}

TARGET(frame, fuzz_frame);
