/* SPDX-License-Identifier: ISC */
/*
 * relog.c: log lines of workers and of the supervisor.
 *
 * Owns the bucket of each; how a line looks is log.c's.
 */
#include "supervisor/relog.h"

#include "common/log.h"
#include "common/mono.h"

void
relog_init(struct relog *r, int64_t now)
{
	*r = (struct relog){ .tokens = RELOG_FULL, .last = now };
}

int
relog_admit(struct relog *r, int64_t now, unsigned int *lost)
{
	int64_t gained;

	*lost = 0;
	gained = now - r->last;
	if (gained > 0) {
		/* A long silence fills the bucket, no more. */
		if (gained > RELOG_FULL / RELOG_RATE)
			gained = RELOG_FULL / RELOG_RATE;
		r->tokens += gained * RELOG_RATE;
		if (r->tokens > RELOG_FULL)
			r->tokens = RELOG_FULL;
		r->last = now;
	}
	if (r->tokens < 1000) {
		r->lost++;
		return 0;
	}
	r->tokens -= 1000;
	*lost = r->lost;
	r->lost = 0;
	return 1;
}

static struct {
	void (*fn)(enum proc, const struct body_log *, void *);
	void *arg;
} listener;

void
relog_listen(void (*fn)(enum proc, const struct body_log *, void *), void *arg)
{
	listener.fn = fn;
	listener.arg = arg;
}

static void
relay(struct relog *r, enum proc who, const struct body_log *m, int64_t now)
{
	unsigned int lost;

	if (!relog_admit(r, now, &lost))
		return;
	if (lost > 0)
		log_warn("%s: %u log lines left out, more than %d a second",
		    proc_name(who), lost, RELOG_RATE);
	log_relay(proc_name(who), m);
	if (listener.fn != NULL && m->level <= LOG_LEVEL_WARN)
		listener.fn(who, m, listener.arg);
}

int
relog_frame(struct relog *r, enum proc who, struct span body, int64_t now)
{
	struct body_log m;

	if (body_log_get(body, &m) == -1)
		return -1;
	relay(r, who, &m, now);
	return 0;
}

static void
on_own(const struct body_log *m, void *arg)
{
	/* What relay() itself says is always written. */
	log_set_sink(NULL, NULL);
	relay(arg, PROC_SUPERVISOR, m, now_read().boot_ms);
	log_set_sink(on_own, arg);
}

void
relog_own(struct relog *r)
{
	relog_init(r, now_read().boot_ms);
	log_set_sink(on_own, r);
}
