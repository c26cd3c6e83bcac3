/* SPDX-License-Identifier: ISC */
/* Bodies go through the wire unchanged; the gate lets nobody overstep. */
#include "ipc/msg.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"

static uint64_t seed;

static uint64_t
rnd(uint64_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % below;
}

/* A text of 0..max bytes, the bounds more often than not. */
static size_t
some_length(size_t max)
{
	size_t picks[] = { 0, max, rnd(max + 1), rnd(8) };

	if (max > 65536)
		picks[1] = picks[2] = rnd(65536);
	return picks[rnd(4)] > max ? max : picks[rnd(2) * 2];
}

static void
fill_str(char *p, size_t max)
{
	size_t i, len = some_length(max);

	for (i = 0; i < len; i++)
		p[i] = (char)(1 + rnd(255));
	p[len] = '\0';
}

static void
fill_u64s(uint64_t *p, size_t n)
{
	for (; n > 0; n--)
		*p++ = rnd(1u << 31) << 33 | rnd(1u << 31);
}

static char blob_bytes[65536];

static struct span
some_blob(size_t max)
{
	struct span s = { blob_bytes, some_length(max) };
	size_t i;

	for (i = 0; i < s.len; i++)
		blob_bytes[i] = (char)rnd(256);
	return s;
}

#define FILL(kind, ...) FILL_##kind(__VA_ARGS__)
#define FILL_pad(n) m->n = 0;
#define FILL_u32(n) m->n = (uint32_t)(rnd(1u << 31) * 2 + rnd(2));
#define FILL_u64(n) m->n = rnd(1u << 31) << 33 | rnd(1u << 31);
#define FILL_str(n, max) fill_str(m->n, max);
#define FILL_u64s(n, len) fill_u64s(m->n, len);
#define FILL_blob(n, max) m->n = some_blob(max);

#define BODY(name)                                     \
	static void fill_##name(struct body_##name *m) \
	{                                              \
		memset(m, 0, sizeof(*m));              \
		BODY_##name(FILL)                      \
	}
BODIES(BODY)
#undef BODY

/* Every cut of it and every byte more is refused, and it comes back as is. */
#define BODY(name)                                                            \
	Test(ipc_msg, name##_comes_back)                                      \
	{                                                                     \
		struct body_##name *m = xcalloc(1, sizeof(*m));               \
		struct body_##name *back = xcalloc(1, sizeof(*back));         \
		uint8_t *a = xmalloc(1 << 20), *b = xmalloc(1 << 20);         \
		size_t cut;                                                   \
		int i;                                                        \
                                                                              \
		seed = 1;                                                     \
		for (i = 0; i < 40; i++) {                                    \
			struct wbuf wa = { a, 0, (1 << 20) - 1 };             \
			struct wbuf wb = { b, 0, 1 << 20 };                   \
			struct span s;                                        \
                                                                              \
			fill_##name(m);                                       \
			cr_assert(body_##name##_put(&wa, m) == 0);            \
			s = (struct span){ (char *)a, wa.len };               \
			cr_assert(body_##name##_get(s, back) == 0);           \
			cr_assert(body_##name##_put(&wb, back) == 0);         \
			cr_assert(wb.len == wa.len);                          \
			cr_assert(memcmp(a, b, wa.len) == 0);                 \
			for (cut = 0; cut < wa.len; cut += 1 + wa.len / 64) { \
				s.len = cut;                                  \
				cr_assert(body_##name##_get(s, back) == -1);  \
			}                                                     \
			s.len = wa.len + 1;                                   \
			cr_assert(body_##name##_get(s, back) == -1);          \
			wb = (struct wbuf){ b, 0, wa.len - (wa.len > 0) };    \
			cr_assert(body_##name##_put(&wb, m) ==                \
			    (wa.len > 0 ? -1 : 0));                           \
		}                                                             \
		free(m), free(back), free(a), free(b);                        \
	}
BODIES(BODY)
#undef BODY

Test(ipc_msg, size_is_what_put_writes)
{
	uint8_t *p = xmalloc(1 << 20);
	struct wbuf w;
	int i;

	seed = 7;
	for (i = 0; i < 20; i++) {
#define MSG(name, from, to, when, fd, body)                           \
	{                                                             \
		struct body_##body *m = xcalloc(1, sizeof(*m));       \
		fill_##body(m);                                       \
		w = (struct wbuf){ p, 0, 1 << 20 };                   \
		cr_assert(msg_put(MSG_##name, &w, m) == 0);           \
		cr_assert(w.len == msg_size(MSG_##name, m), #name);   \
		cr_assert(w.len >= msg_info(MSG_##name)->min, #name); \
		cr_assert(w.len <= msg_info(MSG_##name)->max, #name); \
		free(m);                                              \
	}
#include "ipc/msg.def"
#undef MSG
	}
	free(p);
}

Test(ipc_msg, text_over_its_bound_is_not_put)
{
	struct body_hello m = { .role = 1 };
	uint8_t p[256];
	struct wbuf w = { p, 0, sizeof(p) };

	memset(m.build, 'x', sizeof(m.build));
	cr_assert(body_hello_put(&w, &m) == -1);
}

Test(ipc_msg, text_with_nul_or_over_its_bound_is_not_got)
{
	static const char nul[] = "\0\0\0\1\0\0\0\2a\0";
	char over[8 + 65] = "\0\0\0\1\0\0\0\101";
	struct body_hello m;

	cr_assert(body_hello_get((struct span){ nul, 10 }, &m) == -1);
	memset(over + 8, 'x', 65);
	cr_assert(
	    body_hello_get((struct span){ over, sizeof(over) }, &m) == -1);
}

/* All types, all pairs, both phases: what must hold of any catalogue. */
static void
each_admitted(void (*check)(enum msg_type, enum proc, enum proc, enum msg_when))
{
	enum proc from, to;
	uint32_t type;
	int when;

	for (type = 1; type < MSG_COUNT; type++)
		for (from = 0; from < PROC_COUNT; from++)
			for (to = 0; to < PROC_COUNT; to++)
				for (when = WHEN_SETUP; when <= WHEN_RUN;
				     when++)
					if (msg_admit(type, msg_info(type)->min,
						msg_info(type)->fd == ONE_FD,
						from, to,
						(enum msg_when)when) ==
					    ADMIT_OK)
						check((enum msg_type)type, from,
						    to, (enum msg_when)when);
}

static unsigned int admitted;
static uint8_t seen[MSG_COUNT];

static void
check_walls(enum msg_type type, enum proc from, enum proc to,
    enum msg_when when)
{
	const char *name = msg_info(type)->name;

	admitted++;
	seen[type] = 1;
	cr_assert(from != to, "%s to itself", name);
	cr_assert(!(from == PROC_KUBESIDE && to == PROC_FLIGHTSIDE) &&
		!(from == PROC_FLIGHTSIDE && to == PROC_KUBESIDE),
	    "%s between key holders", name);
	if (type == MSG_TOKEN)
		cr_assert(from == PROC_SUPERVISOR && to == PROC_FLIGHTSIDE &&
		    when == WHEN_SETUP);
	if (type == MSG_LISTENER)
		cr_assert(from == PROC_SUPERVISOR && to == PROC_PLACER);
	if (msg_info(type)->fd == ONE_FD)
		cr_assert(from == PROC_SUPERVISOR, "%s hands a descriptor",
		    name);
	if (when == WHEN_SETUP && from != PROC_SUPERVISOR)
		cr_assert(type == MSG_HELLO || type == MSG_LOG,
		    "%s before anything is agreed", name);
	if (from == PROC_PLACER && to == PROC_KUBESIDE && type != MSG_HELLO)
		cr_assert(type >= MSG_POD_STATUS && type <= MSG_PURGE, "%s",
		    name);
}

Test(ipc_msg, gate_keeps_the_walls)
{
	uint32_t type;

	each_admitted(check_walls);
	cr_assert(admitted > 0);
	for (type = 1; type < MSG_COUNT; type++)
		cr_assert(seen[type], "%s: nobody may send it",
		    msg_info(type)->name);
}

static void
check_bounds(enum msg_type type, enum proc from, enum proc to,
    enum msg_when when)
{
	const struct msg_info *mi = msg_info(type);
	int fd = mi->fd == ONE_FD;

	cr_assert(msg_admit(type, mi->max, fd, from, to, when) == ADMIT_OK);
	cr_assert(
	    msg_admit(type, mi->max + 1, fd, from, to, when) == ADMIT_SIZE);
	if (mi->min > 0)
		cr_assert(msg_admit(type, mi->min - 1, fd, from, to, when) ==
		    ADMIT_SIZE);
	cr_assert(msg_admit(type, mi->min, !fd, from, to, when) == ADMIT_FD);
	cr_assert(mi->max <= MAX_FRAME);
}

Test(ipc_msg, gate_keeps_the_bounds)
{
	each_admitted(check_bounds);
}

Test(ipc_msg, unknown_types_are_refused)
{
	cr_assert(msg_admit(0, 0, 0, PROC_PLACER, PROC_SUPERVISOR, WHEN_RUN) ==
	    ADMIT_TYPE);
	cr_assert(msg_admit(MSG_COUNT, 0, 0, PROC_PLACER, PROC_SUPERVISOR,
		      WHEN_RUN) == ADMIT_TYPE);
	cr_assert(msg_admit(UINT32_MAX, 0, 0, PROC_PLACER, PROC_SUPERVISOR,
		      WHEN_RUN) == ADMIT_TYPE);
	cr_assert(msg_info(0) == NULL && msg_info(MSG_COUNT) == NULL);
}

Test(ipc_msg, names_of_processes_come_back)
{
	enum proc p;

	for (p = 0; p < PROC_COUNT; p++)
		cr_assert(proc_by_name(proc_name(p)) == p);
	cr_assert(proc_by_name("nobody") == PROC_COUNT);
}
