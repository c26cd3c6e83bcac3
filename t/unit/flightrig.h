/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_FLIGHTRIG_H
#define T_UNIT_FLIGHTRIG_H

/*
 * flightside's insides in this process, the placer's end of its link in the
 * test's hands, and flightsim as a child.  Everything waits for something,
 * with a deadline.
 */

#include <sys/types.h>

#include "common/settings.h"
#include "ipc/chan.h"

#define RIG_CLUSTER "0c9f5a1e-77f1-4b64-9c3e-7a1f2f5f2f11"

struct serve;

enum {
	RIG_NAMES = 256,
	RIG_ANSWERS = 512,
	RIG_WAIT_MS = 15000,
};

/* What came over the link. */
struct rig_seen {
	unsigned int begins, ends, complete;
	int state; /* -1 none */
	uint32_t rate;
	char state_text[MAX_TEXT + 1];
	char listed[RIG_NAMES][MAX_NAME + 1]; /* DEVICE with id 0 */
	size_t nlisted;
	struct body_device_bad bad[RIG_NAMES];
	size_t nbad;
	unsigned int read; /* DEVICE with an id */
	struct body_done done[RIG_ANSWERS];
	uint64_t done_id[RIG_ANSWERS];
	size_t ndone;
	struct body_changed changed[RIG_ANSWERS];
	uint64_t changed_id[RIG_ANSWERS];
	size_t nchanged;
	char *last; /* the last DEVICE */
	size_t last_len;
};

struct rig {
	struct event_base *base;
	struct serve *serve;
	struct chan *placer;
	struct settings settings;
	struct rig_seen seen;
	char dir[64];
	pid_t sim;
};

/* options: of flightsim, NULL-ended; flightside is linked by rig_link(). */
void rig_start(struct rig *, const char *const options[]);
void rig_set(struct rig *, enum setting, const char *);
void rig_link(struct rig *);
void rig_restart(struct rig *); /* with other settings, nothing seen yet */
void rig_end(struct rig *);

/* One command to flightsim; its answer without "ok ". */
char *rig_tell(struct rig *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Until it holds; the test fails when it does not in time. */
#define RIG_UNTIL(r, cond) RIG_WITHIN(r, RIG_WAIT_MS, cond)
#define RIG_WITHIN(r, ms, cond)                                        \
	do {                                                           \
		int64_t end_ = rig_ms() + (ms);                        \
		while (!(cond)) {                                      \
			cr_assert_lt(rig_ms(), end_, "never: " #cond); \
			rig_turn(r);                                   \
		}                                                      \
	} while (0)
int64_t rig_ms(void);
void rig_turn(struct rig *); /* one event, or 20 ms */

/* NULL: not there yet. */
const struct body_changed *rig_changed(const struct rig *, uint64_t id);
const struct body_done *rig_done(const struct rig *, uint64_t id);
const struct body_device_bad *rig_bad(const struct rig *, const char *name);

/* Requests that the simulator counted of "GET /api/v1/devices" and such. */
unsigned int rig_count(struct rig *, const char *what);

/* Sends; the id. */
uint64_t rig_change(struct rig *, const char *device, const char *created,
    int64_t for_ms, unsigned int company_ms, const char *edit);
uint64_t rig_read(struct rig *, const char *names, enum read_for);

#endif
