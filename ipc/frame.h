/* SPDX-License-Identifier: ISC */
#ifndef IPC_FRAME_H
#define IPC_FRAME_H

/*
 * Bytes to frames and back: u32 length of the body, u32 type, u64 id, all big
 * endian, then the body.  Pure: what a frame may say is msg.c's matter.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/span.h"

enum {
	FRAME_HEAD = 16,
};

struct frame_head {
	uint32_t len; /* of the body */
	uint32_t type;
	uint64_t id;
};

void frame_head_put(uint8_t *, const struct frame_head *);
void frame_head_get(const uint8_t *, struct frame_head *);

/* What came in and is not used up; zeroed is empty. */
struct frame_in {
	uint8_t *buf;
	size_t cap;
	size_t at;
	size_t len; /* bytes from at on */
};

/* Where to put the next bytes and how many fit (> 0). */
uint8_t *frame_in_room(struct frame_in *, size_t *room);

/* So many bytes were put there. */
void frame_in_add(struct frame_in *, size_t);

/* 1: the head of the next frame is there; 0: more bytes first. */
int frame_in_head(const struct frame_in *, struct frame_head *);

/*
 * As frame_in_head() for the whole frame; the body is good until the next
 * call that is given this frame_in not const.
 */
int frame_in_body(const struct frame_in *, struct span *);

/* The frame that frame_in_body() gave is used up; no copy of it is left. */
void frame_in_drop(struct frame_in *);

/* Of a copy that looks ahead: the frame that frame_in_body() gave stays. */
void frame_in_skip(struct frame_in *);

void frame_in_free(struct frame_in *);

#endif
