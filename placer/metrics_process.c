/* SPDX-License-Identifier: ISC */
/*
 * metrics_process.c: the provider itself: both APIs, workers, memory.
 *
 * Owns what of a process is a figure.  Pure.
 *
 * What a process has not told since the placer started has no series: zeros
 * would be a counter that goes backwards.
 */
#include "placer/metrics_own.h"

#include <inttypes.h>

#include "common/layer.h"
#include "common/least.h"
#include "ipc/build.h"

/* -- turns and the database -- */

static void
put_turns(struct metric *m, const char *operation, const struct tally *t)
{
	metric_sample(m, "_sum");
	metric_label(m, "operation", operation);
	metric_us(m, t->us);
	metric_sample(m, "_count");
	metric_label(m, "operation", operation);
	metric_count(m, t->n);
}

void
write_turns(struct metric *m)
{
	put_turns(m, "plan", &m->w->planned);
	put_turns(m, "act", &m->w->acted);
}

void
write_commits(struct metric *m)
{
	metric_alone(m, m->w->commits);
}

void
write_store_failed(struct metric *m)
{
	metric_alone(m, !world_is_durable(m->w));
}

/* -- both APIs -- */

void
write_ready(struct metric *m)
{
	metric_alone(m, m->scrape->ready != 0);
}

void
write_kube(struct metric *m)
{
	metric_alone(m, m->w->kube_up && m->w->kube_reachable);
}

void
write_flightctl(struct metric *m)
{
	static const char *const reasons[FLIGHT_STATES] = {
		[FLIGHT_SILENT] = "NotAnswering",
		[FLIGHT_ANSWERS] = "Answering",
		[FLIGHT_UNAUTHORIZED] = "Unauthorized",
		[FLIGHT_FORBIDDEN] = "Forbidden",
	};
	unsigned int i;

	for (i = 0; i < FLIGHT_STATES; i++) {
		metric_sample(m, "");
		metric_label(m, "reason", reasons[i]);
		metric_count(m, m->w->flight_state == (enum flight_state)i);
	}
}

void
write_list_age(struct metric *m)
{
	metric_sample(m, "");
	if (m->w->round_boot == 0)
		fputs(" NaN\n", m->f);
	else
		metric_us(m,
		    (m->scrape->now.boot_ms - m->w->round_boot) * 1000);
}

void
write_resync(struct metric *m)
{
	metric_sample(m, "");
	metric_us(m, m->w->set->number[SET_RESYNC_INTERVAL] * 1000);
}

static void
request_labels(struct metric *m, enum request what)
{
	metric_label(m, "api",
	    meter_proc(what) == PROC_KUBESIDE ? "kubernetes" : "flightctl");
	metric_label(m, "request", meter_label(what));
}

/* What never happened has no series but that of "ok". */
void
write_requests(struct metric *m)
{
	static const char *const words[ERR_COUNT] = {
		[ERR_NONE] = "ok",
		[ERR_AGAIN] = "again",
		[ERR_AUTH] = "auth",
		[ERR_CONFLICT] = "conflict",
		[ERR_GONE] = "gone",
		[ERR_LIMIT] = "limit",
		[ERR_FORMAT] = "format",
		[ERR_DENIED] = "denied",
		[ERR_SYSTEM] = "system",
		[ERR_BUG] = "bug",
	};
	const struct body_tally *t;
	enum request what;
	unsigned int i;

	for (what = 0; what < REQUEST_COUNT; what++) {
		if (!m->w->reported[meter_proc(what)])
			continue;
		t = &m->w->tallies[what];
		for (i = 0; i < ERR_COUNT; i++) {
			if (i != ERR_NONE && t->ended[i] == 0)
				continue;
			metric_sample(m, "");
			request_labels(m, what);
			metric_label(m, "result", words[i]);
			metric_count(m, t->ended[i]);
		}
	}
}

static void
put_times(struct metric *m, enum request what, const struct body_tally *t)
{
	uint64_t sum = 0;
	unsigned int i;
	char le[24];

	for (i = 0; i < TALLY_TIMES; i++) {
		sum += t->took[i];
		if (meter_bound(i) == INT64_MAX)
			(void)snprintf(le, sizeof(le), "+Inf");
		else
			(void)snprintf(le, sizeof(le), "%g",
			    (double)meter_bound(i) / 1000);
		metric_sample(m, "_bucket");
		request_labels(m, what);
		metric_label(m, "le", le);
		metric_count(m, sum);
	}
	metric_sample(m, "_sum");
	request_labels(m, what);
	metric_us(m, (int64_t)t->took_us);
	metric_sample(m, "_count");
	request_labels(m, what);
	metric_count(m, sum);
}

void
write_request_times(struct metric *m)
{
	enum request what;

	for (what = 0; what < REQUEST_COUNT; what++)
		if (meter_is_timed(what) && m->w->reported[meter_proc(what)])
			put_times(m, what, &m->w->tallies[what]);
}

/* -- the budget -- */

void
write_budget_left(struct metric *m)
{
	if (m->w->reported[PROC_FLIGHTSIDE])
		metric_alone(m, m->w->budget.left);
}

void
write_budget_burst(struct metric *m)
{
	if (m->w->reported[PROC_FLIGHTSIDE])
		metric_alone(m, m->w->budget.burst);
}

void
write_budget_rate(struct metric *m)
{
	const struct pace *p = &m->w->pace;

	metric_sample(m, "");
	metric_us(m, (p->rate > 0 ? p->rate : p->set) * 1000000 / 60);
}

void
write_budget_waiting(struct metric *m)
{
	static const char *const words[BUDGET_KINDS] = { "write", "motion",
		"full", "suspect", "rest" };
	unsigned int i;

	for (i = 0; i < BUDGET_KINDS && m->w->reported[PROC_FLIGHTSIDE]; i++) {
		metric_sample(m, "");
		metric_label(m, "class", words[i]);
		metric_count(m, m->w->budget.waiting[i]);
	}
}

void
write_budget_refusals(struct metric *m)
{
	if (m->w->reported[PROC_FLIGHTSIDE])
		metric_alone(m, m->w->budget.limited);
}

void
write_changes_refused(struct metric *m)
{
	static const char *const words[REFUSAL_KINDS] = {
#define X(name, word) word,
		REFUSALS(X)
#undef X
	};
	unsigned int i;

	for (i = 0; i < REFUSAL_KINDS && m->w->reported[PROC_FLIGHTSIDE]; i++) {
		metric_sample(m, "");
		metric_label(m, "reason", words[i]);
		metric_count(m, m->w->budget.refused[i]);
	}
}

/* -- processes -- */

static int
is_up(const struct world *w, enum proc who)
{
	uint32_t state = w->crew[who].state;

	if (state != CREW_READY && state != CREW_UNKNOWN)
		return 0;
	return who == PROC_PLACER ||
	    (who == PROC_KUBESIDE ? w->kube_up : w->flight_up);
}

static void
worker(struct metric *m, enum proc who, uint64_t value)
{
	metric_sample(m, "");
	metric_label(m, "worker", proc_name(who));
	metric_count(m, value);
}

void
write_workers(struct metric *m)
{
	enum proc who;

	for (who = PROC_SUPERVISOR + 1; who < PROC_COUNT; who++)
		worker(m, who, is_up(m->w, who) != 0);
}

/* Of one that another supervisor tends, it is not known. */
void
write_restarts(struct metric *m)
{
	enum proc who;

	for (who = PROC_SUPERVISOR + 1; who < PROC_COUNT; who++)
		if (m->w->crew[who].state != CREW_UNKNOWN)
			worker(m, who, m->w->crew[who].restarts);
}

void
write_heap(struct metric *m)
{
	enum proc who;

	for (who = 0; who < PROC_COUNT; who++)
		if (m->w->reported[who])
			worker(m, who, m->w->vitals[who].heap);
	worker(m, PROC_PLACER, m->scrape->heap);
}

/* The placer's own are those of its world. */
void
write_sandbox(struct metric *m)
{
	static const char *const names[] = {
#define X(id, label, abi, holds) label,
		SANDBOX_LAYERS(X)
#undef X
	};
	enum proc who;
	size_t i;

	for (who = PROC_SUPERVISOR + 1; who < PROC_COUNT; who++) {
		if (!m->w->reported[who] && who != PROC_PLACER)
			continue;
		for (i = 0; i < NLAYERS_OF_SANDBOX; i++) {
			metric_sample(m, "");
			metric_label(m, "worker", proc_name(who));
			metric_label(m, "layer", names[i]);
			metric_count(m, m->w->vitals[who].missing >> i & 1);
		}
	}
}

static void
refusals(struct metric *m, enum proc who, uint64_t n)
{
	metric_sample(m, "");
	metric_label(m, "process", proc_name(who));
	metric_count(m, n);
}

void
write_refused(struct metric *m)
{
	int known = 0;
	uint64_t n = 0;
	enum proc who;

	for (who = 0; who < PROC_COUNT; who++) {
		known |= m->w->crew[who].state != CREW_UNKNOWN;
		n += m->w->crew[who].refused;
	}
	if (known)
		refusals(m, PROC_SUPERVISOR, n);
	for (who = 0; who < PROC_COUNT; who++)
		if (m->w->reported[who])
			refusals(m, who, m->w->vitals[who].refused);
	refusals(m, PROC_PLACER, m->scrape->refused);
}

void
write_build(struct metric *m)
{
	metric_sample(m, "");
	metric_label(m, "version", build_version);
	metric_label(m, "build", build_id);
	metric_count(m, 1);
}

void
write_start_time(struct metric *m)
{
	metric_alone(m, (uint64_t)most(m->w->started_ms, 0) / 1000);
}
