/* SPDX-License-Identifier: ISC */
/*
 * Frames of both key holders, as the placer takes them in: each that passes
 * the gate and decodes goes into a world, which plans after each, a second
 * later than the last.  Whatever they say, a seat is on a device that is
 * there, and of a pod that is there.
 */
#include "placer/intake.h"

#include <stdint.h>

#include "ipc/frame.h"
#include "placer/effects.h"
#include "t/fuzz/target.h"
#include "t/unit/fleet.h"

struct at {
	struct world *w;
	struct now now;
	struct effects done;
};

#define TAKE(name, body, call)                                 \
	static void take_##name(struct at *at, struct span s)  \
	{                                                      \
		struct body_##body *m = calloc(1, sizeof(*m)); \
                                                               \
		if (m != NULL && body_##body##_get(s, m) == 0) \
			call;                                  \
		free(m);                                       \
	}
#define TAKES(T)                                                              \
	T(WRITER, writer, intake_writer(at->w, m, at->now))                   \
	T(FORMER, former, intake_former(at->w, m))                            \
	T(NODE, node, intake_node(at->w, m))                                  \
	T(PODS_BEGIN, pods, intake_pods_begin(at->w, m))                      \
	T(POD, pod, intake_pod(at->w, m))                                     \
	T(PODS_END, pods, intake_pods_end(at->w, m))                          \
	T(FLIGHT_STATE, flight_state, intake_flight_state(at->w, m, at->now)) \
	T(DEVICES_BEGIN, devices, intake_devices_begin(at->w, m))             \
	T(DEVICE, device, intake_device(at->w, m, at->now, &at->done))        \
	T(DEVICES_END, devices, intake_devices_end(at->w, m))                 \
	T(DEVICE_BAD, device_bad, intake_device_bad(at->w, m))
TAKES(TAKE)

static void (*const takes[MSG_COUNT])(struct at *, struct span) = {
#define ROW(name, body, call) [MSG_##name] = take_##name,
	TAKES(ROW)
};

static void
look_at(struct world *w)
{
	struct wpod *p;

	must(w->npods <= MAX_PODS);
	RB_FOREACH(p, wpod_tree, &w->pods)
		must(world_pod(w, p->uid) == p);
}

static void
take(struct at *at, const struct frame_head *h, struct span body)
{
	if (h->type >= MSG_COUNT || takes[h->type] == NULL ||
	    (msg_admit(h->type, h->len, 0, PROC_KUBESIDE, PROC_PLACER,
		 WHEN_RUN) != ADMIT_OK &&
		msg_admit(h->type, h->len, 0, PROC_FLIGHTSIDE, PROC_PLACER,
		    WHEN_RUN) != ADMIT_OK))
		return;
	takes[h->type](at, body);
	at->now.boot_ms += 1000;
	at->now.wall_ms += 1000;
	intake_look(at->w, at->now);
	plan_turn(at->w, at->now, &at->done);
	look_at(at->w);
	effects_clear(&at->done);
}

static void
fuzz_intake(struct span input)
{
	struct at at = { fleet_world(), { 60000, 1700000000000 }, { 0 } };
	struct frame_in in = { 0 };
	struct frame_head h;
	struct span body;
	size_t room, n;

	fleet_add(at.w, &(struct fleet_device){ "a", 1, 64, NULL, NULL, NULL });
	fleet_pod(at.w, "p", "1", "1Mi", NULL, NULL);
	while (input.len > 0) {
		uint8_t *to = frame_in_room(&in, &room);

		n = room < input.len ? room : input.len;
		memcpy(to, input.p, n);
		frame_in_add(&in, n);
		input.p += n;
		input.len -= n;
		while (frame_in_body(&in, &body)) {
			(void)frame_in_head(&in, &h);
			take(&at, &h, body);
			frame_in_drop(&in);
		}
		if (frame_in_head(&in, &h) && h.len > MAX_FRAME)
			break;
	}
	frame_in_free(&in);
	fleet_free(at.w);
}

TARGET(intake, fuzz_intake);
