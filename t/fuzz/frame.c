/* SPDX-License-Identifier: ISC */
/* Any bytes in pieces of any size: the same frames as in one piece. */
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "ipc/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Bytes of bodies seen; a length over the limit ends it, as in chan.c. */
static size_t
run(const uint8_t *p, size_t len, size_t piece)
{
	struct frame_in in = { 0 };
	struct frame_head h = { 0 };
	size_t seen = 0, room, n;
	struct span body;
	uint8_t *to;

	while (len > 0 && h.len <= MAX_FRAME) {
		to = frame_in_room(&in, &room);
		n = piece < len ? piece : len;
		n = n < room ? n : room;
		memcpy(to, p, n);
		frame_in_add(&in, n);
		for (p += n, len -= n; frame_in_body(&in, &body);
		     frame_in_drop(&in, (int)piece & 1))
			seen += body.len + 1;
		if (!frame_in_head(&in, &h))
			h.len = 0;
	}
	frame_in_free(&in);
	return seen;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 &&
	    run(data + 1, size - 1, (size_t)data[0] + 1) !=
		run(data + 1, size - 1, size))
		abort();
	return 0;
}
