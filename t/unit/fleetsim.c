/* SPDX-License-Identifier: ISC */
/*
 * fleetsim.c: see fleetsim.h.  Owns virtual time and who waits for what;
 * whose turn it is, who goes together and when is asked of the project.
 */
#include "t/unit/fleetsim.h"

#include <sys/queue.h>

#include <stdlib.h>

#include "common/least.h"
#include "common/xmem.h"
#include "flightside/events.h"
#include "flightside/pages.h"
#include "t/unit/fleetsim_own.h"

enum {
	CONNECTIONS = 12,
	SENT = 400000,
	MINUTE = 60 * 1000,
	BEGIN_MS = 5000000,
};

/* -- what will happen -- */

static int
before(const struct happening *a, const struct happening *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void
fleetsim_at(struct fleetsim *s, int64_t when, struct happening h)
{
	struct happening *heap;
	size_t i;

	if (s->nheap == s->room) {
		s->room = s->room * 2 + 64;
		s->heap = xreallocarray(s->heap, s->room, sizeof(*s->heap));
	}
	heap = s->heap;
	h.at = when > s->now ? when : s->now;
	h.order = s->order++;
	for (i = s->nheap++; i > 0 && before(&h, &heap[(i - 1) / 2]);
	     i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = h;
}

static struct happening
next(struct fleetsim *s)
{
	struct happening first = s->heap[0], last = s->heap[--s->nheap];
	size_t i = 0, k;

	while ((k = 2 * i + 1) < s->nheap) {
		if (k + 1 < s->nheap && before(&s->heap[k + 1], &s->heap[k]))
			k++;
		if (!before(&s->heap[k], &last))
			break;
		s->heap[i] = s->heap[k];
		i = k;
	}
	s->heap[i] = last;
	return first;
}

struct request *
fleetsim_queue(struct fleetsim *s, enum kind kind, enum budget_class class)
{
	struct request *r = xcalloc(1, sizeof(*r));

	r->kind = kind;
	r->class = class;
	/* Who waits in a pause waits from its end on. */
	if (TAILQ_EMPTY(&s->waiting[class]))
		s->since[class] = most(s->now, s->budget.free_at);
	TAILQ_INSERT_TAIL(&s->waiting[class], r, entry);
	return r;
}

/* -- looking (pages.c, events.c) -- */

static void
seen(struct fleetsim *s, unsigned int d, int64_t read)
{
	struct sdevice *v = &s->device[d];
	int64_t *worst = v->with_event ? &s->r.seen_ms : &s->r.listed_ms;

	if (v->changed == 0 || v->changed > read)
		return;
	if (s->now - v->changed > *worst)
		*worst = s->now - v->changed;
	v->changed = 0;
	s->r.unseen--;
}

static void
to_list(struct fleetsim *s)
{
	if (s->list_began != 0 && s->now - s->list_began > s->r.period_ms)
		s->r.period_ms = s->now - s->list_began;
	s->list_began = s->now;
	s->list_bytes = s->list_devices = s->npages = 0;
	fleetsim_queue(s, PAGE, BUDGET_FULL);
}

static void
on_page(struct fleetsim *s, const struct request *r)
{
	unsigned int i;

	for (i = r->from; i < r->from + r->n; i++)
		seen(s, i, r->sent);
	s->list_devices += r->n;
	s->list_bytes += (uint64_t)r->n * FLEETSIM_BYTES;
	s->npages++;
	if (s->list_devices < s->devices) {
		fleetsim_queue(s, PAGE, BUDGET_FULL);
		return;
	}
	s->last_bytes = s->list_bytes;
	s->last_devices = s->list_devices;
	fleetsim_at(s,
	    s->list_began +
		pages_period(s->list_bytes, s->npages, s->budget.slowed,
		    FLEETSIM_LIST_MS),
	    (struct happening){ .what = TO_LIST });
}

static void
look_at_news(struct fleetsim *s)
{
	if (s->nnews > 0)
		fleetsim_queue(s, NEWS, BUDGET_MOTION);
	else
		fleetsim_at(s, s->now + FLEETSIM_LOOK_MS,
		    (struct happening){ .what = TO_LOOK });
}

static void
on_events(struct fleetsim *s, const struct request *r)
{
	struct sdevice *v;
	unsigned int d;

	for (d = 0; d < s->devices; d++) {
		v = &s->device[d];
		if (v->changed == 0 || !v->with_event || v->told ||
		    v->changed > r->sent)
			continue;
		v->told = 1;
		s->news[s->nnews++] = d;
	}
	look_at_news(s);
}

static void
on_news(struct fleetsim *s, const struct request *r)
{
	unsigned int i;

	for (i = 0; i < r->n; i++)
		seen(s, r->device[i], r->sent);
	look_at_news(s);
}

/* -- requests -- */

/* What it is about is chosen when its turn has come. */
static void
fill(struct fleetsim *s, struct request *r)
{
	unsigned int limit;

	if (r->n > 0)
		return; /* refused before */
	switch (r->kind) {
	case PAGE:
		limit = pages_limit(s->list_bytes + s->last_bytes,
		    s->list_devices + s->last_devices);
		r->from = (unsigned int)s->list_devices;
		r->n = s->devices - r->from;
		if (r->n > limit)
			r->n = limit;
		break;
	case BASES:
	case POLLS:
		sim_choose(s, r);
		break;
	case NEWS:
		while (s->nnews > 0 && r->n < EVENTS_NAMES)
			r->device[r->n++] = s->news[--s->nnews];
		break;
	case PUT:
	case EVENTS:
		break;
	}
}

static void
send(struct fleetsim *s, enum budget_class class)
{
	struct request *r = TAILQ_FIRST(&s->waiting[class]);
	int64_t ms = FLEETSIM_ANSWER_MS, waited = s->now - s->since[class];

	TAILQ_REMOVE(&s->waiting[class], r, entry);
	if (waited > s->r.waited_ms[class])
		s->r.waited_ms[class] = waited;
	s->since[class] = s->now;
	fill(s, r);
	r->sent = s->now;
	r->refused = s->refuse > 0;
	if (s->r.sent < SENT)
		s->sent[s->r.sent++] = s->now;
	s->nsent++;
	if (r->kind == PAGE)
		ms += (int64_t)r->n * FLEETSIM_BYTES / FLEETSIM_BYTES_MS;
	fleetsim_at(s, s->now + ms,
	    (struct happening){ .what = TO_ANSWER, .request = r });
}

static void
refused(struct fleetsim *s, struct request *r)
{
	unsigned int c;

	budget_refused(&s->budget, s->refuse, s->now);
	s->r.refused_at = s->now;
	s->refuse = 0;
	TAILQ_INSERT_HEAD(&s->waiting[r->class], r, entry);
	for (c = 0; c < BUDGET_CLASSES; c++)
		s->since[c] = s->budget.free_at;
}

static void
to_answer(struct fleetsim *s, struct request *r)
{
	s->nsent--;
	if (r->refused && s->refuse > 0) {
		refused(s, r);
		return;
	}
	switch (r->kind) {
	case PAGE:
		on_page(s, r);
		break;
	case BASES:
		sim_on_bases(s, r);
		break;
	case PUT:
		sim_on_put(s, r->device[0]);
		break;
	case POLLS:
		sim_on_polls(s, r);
		break;
	case EVENTS:
		on_events(s, r);
		break;
	case NEWS:
		on_news(s, r);
		break;
	}
	free(r);
}

/* Sends what may go; when it is to be called again. */
static int64_t
pump(struct fleetsim *s)
{
	enum budget_class class;
	unsigned int mask, c;

	while (s->nsent < CONNECTIONS) {
		for (mask = c = 0; c < BUDGET_CLASSES; c++)
			if (!TAILQ_EMPTY(&s->waiting[c]))
				mask |= 1u << c;
		if (mask == 0)
			break;
		class = budget_next(&s->budget, mask, s->now);
		if (class == BUDGET_CLASSES)
			return s->now + budget_wait(&s->budget, mask, s->now);
		send(s, class);
	}
	return INT64_MAX;
}

static void
happen(struct fleetsim *s, const struct happening *h)
{
	switch (h->what) {
	case TO_WRITE:
		sim_to_write(s, h->device);
		break;
	case TO_ASK:
		sim_ask(s, h->device);
		break;
	case TO_ANSWER:
		to_answer(s, h->request);
		break;
	case TO_LIST:
		to_list(s);
		break;
	case TO_LOOK:
		fleetsim_queue(s, EVENTS, BUDGET_REST);
		break;
	case TO_POLL:
		sim_to_poll(s, h->device);
		break;
	}
}

static void
step(struct fleetsim *s, int64_t end)
{
	struct happening h;
	int64_t again = pump(s);

	if (s->nheap > 0 && s->heap[0].at <= again && s->heap[0].at <= end) {
		h = next(s);
		s->now = h.at;
		happen(s, &h);
	} else
		s->now = again < end ? again : end;
}

/* -- from outside -- */

struct fleetsim *
fleetsim_new(unsigned int devices, uint32_t rate)
{
	struct fleetsim *s = xcalloc(1, sizeof(*s));
	unsigned int c;

	s->now = BEGIN_MS;
	s->devices = devices;
	s->rate = rate;
	s->device = xcalloc(devices, sizeof(*s->device));
	s->slots = xcalloc(devices, sizeof(*s->slots));
	s->news = xcalloc(devices, sizeof(*s->news));
	s->sent = xcalloc(SENT, sizeof(*s->sent));
	budget_init(&s->budget, rate, s->now);
	pace_init(&s->pace, rate);
	for (c = 0; c < BUDGET_CLASSES; c++) {
		TAILQ_INIT(&s->waiting[c]);
		s->wants[c].device = xcalloc(devices, sizeof(unsigned int));
		s->wants[c].due = xcalloc(devices, sizeof(int64_t));
	}
	fleetsim_at(s, s->now, (struct happening){ .what = TO_LIST });
	fleetsim_at(s, s->now + FLEETSIM_LOOK_MS,
	    (struct happening){ .what = TO_LOOK });
	return s;
}

void
fleetsim_free(struct fleetsim *s)
{
	struct request *r;
	unsigned int c;
	size_t i;

	for (i = 0; i < s->nheap; i++)
		free(s->heap[i].request);
	for (c = 0; c < BUDGET_CLASSES; c++) {
		while ((r = TAILQ_FIRST(&s->waiting[c])) != NULL) {
			TAILQ_REMOVE(&s->waiting[c], r, entry);
			free(r);
		}
		free(s->wants[c].device);
		free(s->wants[c].due);
	}
	free(s->heap);
	free(s->device);
	free(s->slots);
	free(s->news);
	free(s->sent);
	free(s);
}

int64_t
fleetsim_now(const struct fleetsim *s)
{
	return s->now;
}

void
fleetsim_pods(struct fleetsim *s, unsigned int n)
{
	unsigned int d;

	s->decided = s->any = s->now;
	s->ndirty += n;
	for (d = 0; d < n; d++) {
		s->device[d].dirty = s->now;
		fleetsim_at(s, s->now,
		    (struct happening){ .what = TO_WRITE, .device = d });
	}
}

void
fleetsim_change(struct fleetsim *s, unsigned int d, int with_event)
{
	s->r.unseen += s->device[d].changed == 0;
	s->device[d].changed = s->now;
	s->device[d].with_event = with_event;
	s->device[d].told = 0;
}

void
fleetsim_run(struct fleetsim *s, int64_t ms)
{
	int64_t end = s->now + ms;

	while (s->now < end)
		step(s, end);
}

void
fleetsim_refuse(struct fleetsim *s, int64_t pause_ms)
{
	s->refuse = pause_ms;
}

struct fleetsim_result
fleetsim_result(struct fleetsim *s)
{
	struct fleetsim_result r = s->r;
	size_t i, from = 0;

	r.first_after = -1;
	for (i = 0; i < r.sent; i++) {
		while (s->sent[from] <= s->sent[i] - MINUTE)
			from++;
		if (i - from + 1 > r.most_in_a_minute)
			r.most_in_a_minute = i - from + 1;
		if (r.refused_at == 0 || s->sent[i] < r.refused_at)
			continue;
		if (r.first_after == -1)
			r.first_after = s->sent[i] - r.refused_at;
		r.a_minute_after +=
		    s->sent[i] - r.refused_at < r.first_after + MINUTE;
	}
	s->r.written = s->r.running = 0;
	s->r.written_ms = s->r.shown_ms = s->r.seen_ms = s->r.listed_ms =
	    s->r.period_ms = 0;
	return r;
}
