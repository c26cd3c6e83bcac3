/* SPDX-License-Identifier: ISC */
/*
 * msg.c: the catalogue of messages, their codecs and the gate.
 *
 * Owns what a frame may say and who may say it.  Never touches a descriptor,
 * never allocates, never logs.
 */
#include "ipc/msg.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum {
	NOBODY = 0,
	SUPERVISOR = 1 << PROC_SUPERVISOR,
	KUBESIDE = 1 << PROC_KUBESIDE,
	FLIGHTSIDE = 1 << PROC_FLIGHTSIDE,
	PLACER = 1 << PROC_PLACER,
	KEYHOLDER = KUBESIDE | FLIGHTSIDE,
	WORKER = KEYHOLDER | PLACER,
	ANYONE = WORKER | SUPERVISOR,
};

static const struct {
	const char *name;
	unsigned int peers;
} procs[PROC_COUNT] = {
#define PROC(name, program, peers) [PROC_##name] = { program, peers },
#include "common/proc.def"
#undef PROC
};

/* Smallest and largest encoding of each body, summed by the compiler. */
#define MIN(kind, ...) +MIN_##kind(__VA_ARGS__)
#define MIN_pad(n) 0
#define MIN_u32(n) 4
#define MIN_u64(n) 8
#define MIN_str(n, max) 4
#define MIN_u64s(n, len) (8 * (len))
#define MIN_blob(n, max) 4
#define MAX(kind, ...) +MAX_##kind(__VA_ARGS__)
#define MAX_pad(n) 0
#define MAX_u32(n) 4
#define MAX_u64(n) 8
#define MAX_str(n, max) (4 + (max))
#define MAX_u64s(n, len) (8 * (len))
#define MAX_blob(n, max) (4 + (max))

static const struct msg_info catalogue[MSG_COUNT] = {
#define MSG(name, from, to, when, fd, body)                                    \
	[MSG_##name] = { #name, from, to, WHEN_##when, fd, 0 BODY_##body(MIN), \
		0 BODY_##body(MAX) },
#include "ipc/msg.def"
#undef MSG
};

#define MSG(name, from, to, when, fd, body) \
	static_assert((0 BODY_##body(MAX)) <= MAX_FRAME, #name " too large");
#include "ipc/msg.def"
#undef MSG

const struct msg_info *
msg_info(uint32_t type)
{
	if (type == MSG_NONE || type >= MSG_COUNT)
		return NULL;
	return &catalogue[type];
}

/* A worker that is not a neighbour has no business on this link. */
static int
are_neighbours(enum proc a, enum proc b)
{
	return a == PROC_SUPERVISOR || b == PROC_SUPERVISOR ||
	    (procs[a].peers & 1u << b) != 0;
}

enum admit
msg_admit(uint32_t type, uint32_t len, int has_fd, enum proc from, enum proc to,
    enum msg_when now)
{
	const struct msg_info *mi;

	if ((mi = msg_info(type)) == NULL)
		return ADMIT_TYPE;
	if ((mi->from & 1u << from) == 0 || !are_neighbours(from, to))
		return ADMIT_SENDER;
	if ((mi->to & 1u << to) == 0)
		return ADMIT_RECEIVER;
	if ((mi->when & now) == 0)
		return ADMIT_WHEN;
	if (len < mi->min || len > mi->max)
		return ADMIT_SIZE;
	if (has_fd != (mi->fd == ONE_FD))
		return ADMIT_FD;
	return ADMIT_OK;
}

static int
put_bytes(struct wbuf *b, const void *p, size_t len)
{
	if (b->cap - b->len < len)
		return -1;
	if (len > 0)
		memcpy(b->p + b->len, p, len);
	b->len += len;
	return 0;
}

static int
put_u32(struct wbuf *b, uint32_t v)
{
	v = htobe32(v);
	return put_bytes(b, &v, sizeof(v));
}

static int
put_u64(struct wbuf *b, uint64_t v)
{
	v = htobe64(v);
	return put_bytes(b, &v, sizeof(v));
}

static int
put_u64s(struct wbuf *b, const uint64_t *v, size_t n)
{
	for (; n > 0; n--)
		if (put_u64(b, *v++) == -1)
			return -1;
	return 0;
}

static int
put_blob(struct wbuf *b, const void *p, size_t len, size_t max)
{
	if (len > max || put_u32(b, (uint32_t)len) == -1)
		return -1;
	return put_bytes(b, p, len);
}

static int
get_bytes(struct span *s, void *p, size_t len)
{
	if (s->len < len)
		return -1;
	memcpy(p, s->p, len);
	s->p += len;
	s->len -= len;
	return 0;
}

static int
get_u32(struct span *s, uint32_t *v)
{
	if (get_bytes(s, v, sizeof(*v)) == -1)
		return -1;
	*v = be32toh(*v);
	return 0;
}

static int
get_u64(struct span *s, uint64_t *v)
{
	if (get_bytes(s, v, sizeof(*v)) == -1)
		return -1;
	*v = be64toh(*v);
	return 0;
}

static int
get_u64s(struct span *s, uint64_t *v, size_t n)
{
	for (; n > 0; n--)
		if (get_u64(s, v++) == -1)
			return -1;
	return 0;
}

static int
get_blob(struct span *s, struct span *v, size_t max)
{
	uint32_t len;

	if (get_u32(s, &len) == -1 || len > max || len > s->len)
		return -1;
	*v = (struct span){ s->p, len };
	s->p += len;
	s->len -= len;
	return 0;
}

static int
get_str(struct span *s, char *dst, size_t max)
{
	struct span v;

	if (get_blob(s, &v, max) == -1)
		return -1;
	if (v.len > 0 && memchr(v.p, '\0', v.len) != NULL)
		return -1;
	if (v.len > 0)
		memcpy(dst, v.p, v.len);
	dst[v.len] = '\0';
	return 0;
}

static int
skip(struct span *s, size_t len)
{
	if (s->len < len)
		return -1;
	s->p += len;
	s->len -= len;
	return 0;
}

static int
skip_str(struct span *s, size_t max)
{
	struct span v;

	if (get_blob(s, &v, max) == -1)
		return -1;
	return v.len > 0 && memchr(v.p, '\0', v.len) != NULL ? -1 : 0;
}

#define PUT(kind, ...) || PUT_##kind(__VA_ARGS__) == -1
#define PUT_pad(n) 0
#define PUT_u32(n) put_u32(b, m->n)
#define PUT_u64(n) put_u64(b, m->n)
#define PUT_str(n, max) put_blob(b, m->n, strnlen(m->n, (max) + 1), max)
#define PUT_u64s(n, len) put_u64s(b, m->n, len)
#define PUT_blob(n, max) put_blob(b, m->n.p, m->n.len, max)

#define GET(kind, ...) || GET_##kind(__VA_ARGS__) == -1
#define GET_pad(n) 0
#define GET_u32(n) get_u32(&s, &m->n)
#define GET_u64(n) get_u64(&s, &m->n)
#define GET_str(n, max) get_str(&s, m->n, max)
#define GET_u64s(n, len) get_u64s(&s, m->n, len)
#define GET_blob(n, max) get_blob(&s, &m->n, max)

/* As GET, for the answer alone. */
#define SKIP(kind, ...) || SKIP_##kind(__VA_ARGS__) == -1
#define SKIP_pad(n) 0
#define SKIP_u32(n) skip(&s, 4)
#define SKIP_u64(n) skip(&s, 8)
#define SKIP_str(n, max) skip_str(&s, max)
#define SKIP_u64s(n, len) skip(&s, (size_t)8 * (len))
#define SKIP_blob(n, max) get_blob(&s, &(struct span){ NULL, 0 }, max)

#define SIZE(kind, ...) +SIZE_##kind(__VA_ARGS__)
#define SIZE_pad(n) 0
#define SIZE_u32(n) 4
#define SIZE_u64(n) 8
#define SIZE_str(n, max) 4 + strnlen(m->n, (max) + 1)
#define SIZE_u64s(n, len) 8 * (len)
#define SIZE_blob(n, max) 4 + m->n.len

#define BODY(name)                                                         \
	int body_##name##_put(struct wbuf *b, const struct body_##name *m) \
	{                                                                  \
		(void)b, (void)m;                                          \
		return (0 BODY_##name(PUT)) ? -1 : 0;                      \
	}                                                                  \
	int body_##name##_get(struct span s, struct body_##name *m)        \
	{                                                                  \
		memset(m, 0, sizeof(*m));                                  \
		return (0 BODY_##name(GET) || s.len != 0) ? -1 : 0;        \
	}                                                                  \
	static int body_##name##_is(struct span s)                         \
	{                                                                  \
		return !(0 BODY_##name(SKIP) || s.len != 0);               \
	}                                                                  \
	static size_t body_##name##_size(const struct body_##name *m)      \
	{                                                                  \
		(void)m;                                                   \
		return 0 BODY_##name(SIZE);                                \
	}
BODIES(BODY)
#undef BODY

int
msg_decodes(enum msg_type type, struct span body)
{
	switch (type) {
#define MSG(name, from, to, when, fd, kind) \
	case MSG_##name:                    \
		return body_##kind##_is(body);
#include "ipc/msg.def"
#undef MSG
	case MSG_NONE:
	case MSG_COUNT:
		break;
	}
	return 0;
}

size_t
msg_size(enum msg_type type, const void *body)
{
	switch (type) {
#define MSG(name, from, to, when, fd, kind) \
	case MSG_##name:                    \
		return body_##kind##_size(body);
#include "ipc/msg.def"
#undef MSG
	case MSG_NONE:
	case MSG_COUNT:
		break;
	}
	return 0;
}

int
msg_put(enum msg_type type, struct wbuf *b, const void *body)
{
	switch (type) {
#define MSG(name, from, to, when, fd, kind) \
	case MSG_##name:                    \
		return body_##kind##_put(b, body);
#include "ipc/msg.def"
#undef MSG
	case MSG_NONE:
	case MSG_COUNT:
		break;
	}
	return -1;
}

const char *
admit_name(enum admit a)
{
	static const char *const names[] = {
#define X(name) #name,
		ADMITS(X)
#undef X
	};

	return names[a];
}

const char *
crew_state_name(enum crew_state s)
{
	static const char *const names[] = {
#define X(name, word) word,
		CREW_STATES(X)
#undef X
	};

	return s < CREW_NSTATES ? names[s] : "unknown";
}

const char *
proc_name(enum proc p)
{
	return p < PROC_COUNT ? procs[p].name : "unknown";
}

enum proc
proc_by_name(const char *name)
{
	enum proc p;

	for (p = 0; p < PROC_COUNT; p++)
		if (strcmp(procs[p].name, name) == 0)
			return p;
	return PROC_COUNT;
}
