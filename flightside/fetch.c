/* SPDX-License-Identifier: ISC */
/*
 * fetch.c: devices by name.
 *
 * Owns who wants which device and which request it goes with.  A list that
 * does not name a device proves nothing: it is asked for alone before it
 * counts as gone.  Never looks into a device but for its name.
 */
#include "flightside/fetch.h"

#include <sys/queue.h>

#include <bsd/string.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/scan.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "flightside/flight.h"
#include "flightside/group.h"
#include "flightside/path.h"

enum {
	DEADLINE_MS = 45 * 1000,
	SILENCE_MS = 30 * 1000,
};

struct want {
	TAILQ_ENTRY(want) entry;
	char name[MAX_NAME + 1];
	int64_t due;
	int alone; /* a list did not have it */
	fetch_fn *fn;
	void *arg;
};

TAILQ_HEAD(wants, want);

/* One request. */
struct batch {
	TAILQ_ENTRY(batch) entry;
	struct fetch *fetch;
	enum budget_class class;
	struct flight_call *call;
	int waits;  /* for its turn: its wants are not chosen yet */
	int alone;  /* GET of one device, not a list */
	int pair;   /* of one want, from the start */
	int forgot; /* some want since it was sent: its answer has more */
	struct wants wants;
	struct scan *scan;
	int64_t read_boot;
};

struct fetch {
	struct flight *flight;
	struct event *timer;
	struct wants wants[BUDGET_CLASSES];
	TAILQ_HEAD(, batch) batches;
};

static void
serve(struct batch *b, struct want *w, struct span device,
    const struct why *why)
{
	TAILQ_REMOVE(&b->wants, w, entry);
	w->fn(w->name, b->read_boot, device, why, w->arg);
	free(w);
}

static struct want *
wants_find(const struct wants *wants, const char *name)
{
	struct want *w;

	TAILQ_FOREACH(w, wants, entry)
		if (strcmp(w->name, name) == 0)
			return w;
	return NULL;
}

/* Everybody who wants the device; 0: nobody does. */
static int
serve_name(struct batch *b, const char *name, struct span device,
    const struct why *why)
{
	struct want *w;
	int served = 0;

	/* From the start each time: fn may forget others. */
	while ((w = wants_find(&b->wants, name)) != NULL) {
		serve(b, w, device, why);
		served = 1;
	}
	return served;
}

static int
on_item(struct span item, void *arg, struct why *why)
{
	static const struct why fine = { .kind = ERR_NONE };
	struct batch *b = arg;
	char name[MAX_NAME + 1];
	struct why bad;

	(void)why;
	if (scan_head_string(item, name, sizeof(name), "metadata", "name",
		NULL) != 1) {
		log_warn("a device without a name in a list by name");
		return 0;
	}
	fail(&bad, ERR_FORMAT, "device %s: no JSON", name);
	if (!serve_name(b, name, item, scan_is_valid(item) ? &fine : &bad) &&
	    !b->forgot)
		log_line(LOG_LEVEL_WARN,
		    &(struct log_about){ .operation = "read", .device = name },
		    "a device came that was not asked for");
	return 0;
}

static int
on_oversize(struct span head, void *arg, struct why *why)
{
	struct batch *b = arg;
	char name[MAX_NAME + 1];
	struct why bad;

	(void)why;
	if (scan_head_string(head, name, sizeof(name), "metadata", "name",
		NULL) != 1)
		return 0;
	fail(&bad, ERR_LIMIT, "device %s: over %d bytes", name, MAX_ITEM);
	serve_name(b, name, (struct span){ NULL, 0 }, &bad);
	return 0;
}

/* Names that are not yet in this request, as many as fit. */
static void
choose(struct batch *b, struct bytes *selector)
{
	struct wants *waiting = &b->fetch->wants[b->class];
	struct want *w, *next;
	struct group g = { 0 };

	bytes_add_text(selector, GROUP_HEAD);
	for (w = TAILQ_FIRST(waiting); w != NULL; w = next) {
		next = TAILQ_NEXT(w, entry);
		if (wants_find(&b->wants, w->name) == NULL) {
			if (!group_add(&g, strlen(w->name), w->alone))
				continue;
			bytes_add_text(selector, g.n > 1 ? "," : "");
			bytes_add_text(selector, w->name);
		}
		TAILQ_REMOVE(waiting, w, entry);
		TAILQ_INSERT_TAIL(&b->wants, w, entry);
	}
	bytes_add_text(selector, ")");
	bytes_add(selector, (struct span){ "", 1 });
	b->alone = g.n == 1;
}

static void ask(struct fetch *);

static void
batch_free(struct batch *b)
{
	TAILQ_REMOVE(&b->fetch->batches, b, entry);
	scan_free(b->scan);
	free(b);
}

/* Refused and asked again: who was to go with it chooses anew. */
static void
unchoose(struct batch *b)
{
	struct want *w;

	while ((w = TAILQ_LAST(&b->wants, wants)) != NULL) {
		TAILQ_REMOVE(&b->wants, w, entry);
		TAILQ_INSERT_HEAD(&b->fetch->wants[b->class], w, entry);
	}
	b->alone = 0;
	scan_free(b->scan);
	b->scan = NULL;
}

static int
batch_ready(struct flight_req *r, void *arg)
{
	static const struct scan_ops ops = { on_item, on_oversize };
	AUTO_BYTES struct bytes selector = { NULL, 0, 0 };
	struct batch *b = arg;
	struct fetch *f = b->fetch;
	const char *org = flight_org(f->flight);

	b->waits = 0;
	if (!b->pair) {
		unchoose(b);
		choose(b, &selector);
	}
	if (TAILQ_EMPTY(&b->wants)) {
		batch_free(b);
		return 0;
	}
	b->forgot = 0;
	b->read_boot = now_read().boot_ms;
	if (b->alone)
		r->path = path_make("devices", TAILQ_FIRST(&b->wants)->name,
		    org, NULL);
	else
		r->path = path_make("devices", NULL, org,
		    (const struct path_param[]){
			{ "fieldSelector", selector.p }, { NULL, NULL } });
	r->right = b->alone ? RIGHT_GET_DEVICE : RIGHT_LIST_DEVICES;
	r->deadline_ms = DEADLINE_MS;
	r->silence_ms = SILENCE_MS;
	scan_free(b->scan);
	b->scan =
	    scan_new(b->alone ? SCAN_OBJECTS : SCAN_LIST, MAX_ITEM, &ops, b);
	ask(f); /* for those that did not fit */
	return 1;
}

static int
batch_data(struct span piece, void *arg, struct why *why)
{
	struct batch *b = arg;

	return scan_feed(b->scan, piece, why);
}

/* A complete list had everything but these: each is asked for alone. */
static void
confirm(struct batch *b)
{
	struct want *w;

	while ((w = TAILQ_FIRST(&b->wants)) != NULL) {
		TAILQ_REMOVE(&b->wants, w, entry);
		w->alone = 1;
		w->due = 0;
		TAILQ_INSERT_HEAD(&b->fetch->wants[b->class], w, entry);
	}
}

/* Only Flightctl's own word makes a device gone, not a proxy's 404. */
static int
says_gone(const struct batch *b, const struct https_answer *a)
{
	char message[MAX_TEXT];

	return b->alone && a->status == 404 &&
	    scan_get_string(a->body, message, sizeof(message), "message",
		NULL) == 1 &&
	    strstr(message, "not found") != NULL;
}

static void
batch_done(const struct https_answer *a, void *arg)
{
	struct batch *b = arg;
	struct fetch *f = b->fetch;
	struct why why = a->why;
	struct want *w;

	if (why.kind == ERR_NONE && scan_end(b->scan, &why) == 0) {
		if (!b->alone)
			confirm(b);
		else
			fail(&why, ERR_FORMAT, "not the device asked for");
	} else if (why.kind == ERR_GONE && !says_gone(b, a))
		why.kind = ERR_AGAIN;
	while ((w = TAILQ_FIRST(&b->wants)) != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked */
		serve(b, w, (struct span){ NULL, 0 }, &why);
	batch_free(b);
	ask(f);
}

static int
is_asking(const struct fetch *f, enum budget_class class)
{
	const struct batch *b;

	TAILQ_FOREACH(b, &f->batches, entry)
		if (b->waits && b->class == class)
			return 1;
	return 0;
}

static struct batch *
batch_new(struct fetch *f, enum budget_class class, enum flight_rank rank)
{
	static const struct flight_ops ops = { batch_ready, batch_data,
		batch_done };
	struct batch *b = xcalloc(1, sizeof(*b));

	b->fetch = f;
	b->class = class;
	TAILQ_INIT(&b->wants);
	TAILQ_INSERT_TAIL(&f->batches, b, entry);
	b->call = flight_queue(f->flight, class, rank, &ops, b);
	return b;
}

/* Who has waited long enough, or has company enough, gets a request. */
static void
ask(struct fetch *f)
{
	int64_t now = now_read().boot_ms, soonest = INT64_MAX, due;
	struct want *w;
	unsigned int c;
	size_t n;

	for (c = 0; c < BUDGET_CLASSES; c++) {
		if (TAILQ_EMPTY(&f->wants[c]) || is_asking(f, c))
			continue;
		due = INT64_MAX;
		n = 0;
		TAILQ_FOREACH(w, &f->wants[c], entry) {
			if (w->due < due)
				due = w->due;
			n++;
		}
		due = group_due(n, due, now);
		if (due <= now)
			batch_new(f, c, FLIGHT_LAST)->waits = 1;
		else if (due < soonest)
			soonest = due;
	}
	if (soonest != INT64_MAX)
		xevent_in(f->timer, soonest - now);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	ask(arg);
}

struct fetch *
fetch_new(struct event_base *base, struct flight *flight)
{
	struct fetch *f = xcalloc(1, sizeof(*f));
	unsigned int c;

	f->flight = flight;
	f->timer = xevent_timer(base, on_timer, f);
	for (c = 0; c < BUDGET_CLASSES; c++)
		TAILQ_INIT(&f->wants[c]);
	TAILQ_INIT(&f->batches);
	return f;
}

/* How many were arg's. */
static int
wants_forget(struct wants *wants, const void *arg)
{
	struct want *w, *next;
	int n = 0;

	for (w = TAILQ_FIRST(wants); w != NULL; w = next) {
		next = TAILQ_NEXT(w, entry);
		if (arg != NULL && w->arg != arg)
			continue;
		TAILQ_REMOVE(wants, w, entry);
		free(w);
		n++;
	}
	return n;
}

void
fetch_forget(struct fetch *f, const void *arg)
{
	struct batch *b;
	unsigned int c;

	for (c = 0; c < BUDGET_CLASSES; c++)
		wants_forget(&f->wants[c], arg);
	TAILQ_FOREACH(b, &f->batches, entry)
		if (wants_forget(&b->wants, arg) > 0)
			b->forgot = 1;
}

void
fetch_free(struct fetch *f)
{
	struct batch *b;

	if (f == NULL)
		return;
	fetch_forget(f, NULL);
	while ((b = TAILQ_FIRST(&f->batches)) != NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked */
		flight_cancel(b->call);
		batch_free(b);
	}
	event_free(f->timer);
	free(f);
}

static struct want *
want_new(const char *name, fetch_fn *fn, void *arg)
{
	struct want *w = xcalloc(1, sizeof(*w));

	(void)strlcpy(w->name, name, sizeof(w->name));
	w->fn = fn;
	w->arg = arg;
	return w;
}

void
fetch_pair(struct fetch *f, const char *name, fetch_fn *fn, void *arg)
{
	struct batch *b = batch_new(f, BUDGET_WRITE, FLIGHT_PAIR);
	struct want *w = want_new(name, fn, arg);

	b->pair = b->alone = 1;
	TAILQ_INSERT_TAIL(&b->wants, w, entry);
}

void
fetch_device(struct fetch *f, enum budget_class class, const char *name,
    int64_t company_ms, fetch_fn *fn, void *arg)
{
	struct want *w = want_new(name, fn, arg);

	w->due = now_read().boot_ms + company_ms;
	TAILQ_INSERT_TAIL(&f->wants[class], w, entry);
	ask(f);
}
