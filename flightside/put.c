/* SPDX-License-Identifier: ISC */
/*
 * put.c: changes of devices under way, one at a time for each device.
 *
 * Owns each change from its frame to its answer: read, splice, admit, PUT,
 * and what follows a conflict or a lost answer.  Never chooses a device or an
 * order, never sees a token; what may be written is admit.c's to say.
 */
#include "flightside/put.h"

#include <sys/queue.h>

#include <bsd/string.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/form.h"
#include "common/log.h"
#include "common/mark.h"
#include "common/mono.h"
#include "common/retry.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "flightside/admit.h"
#include "flightside/breadth.h"
#include "flightside/fetch.h"
#include "flightside/fleets.h"
#include "flightside/flight.h"
#include "flightside/path.h"
#include "flightside/splice.h"
#include "flightside/verdict.h"

enum {
	CONFLICTS = 5,
	DOUBTS = 3,
	/* With Redis away a write hangs for 25 s and then succeeds. */
	DEADLINE_MS = 45 * 1000,
};

enum stage {
	STAGE_BEHIND, /* another change of the device goes first */
	STAGE_BRAKED, /* CHANGE_RATE */
	STAGE_READING,
	STAGE_SLOT, /* waits for one of PUT_SENDING */
	STAGE_SENDING,
	STAGE_PAUSE, /* before it is read again */
};

struct change {
	TAILQ_ENTRY(change) entry;
	struct put *put;
	enum stage stage;
	uint64_t id;
	char device[MAX_NAME + 1];
	char created[65];
	int64_t until;
	int64_t due; /* until then it may wait for others */
	char *text;  /* what edit points into */
	struct edit edit;
	struct splice splice;
	struct flight_call *call;
	struct event *timer;
	unsigned int conflicts, doubts;
	int forgotten; /* nobody waits for the answer */
	int phantom;   /* our entries are being taken out of one */
};

struct put {
	struct put_parts with;
	struct admit_rules rules;
	char cluster[MAX_UID + 1];
	struct bucket brake;
	struct breadth *breadth;
	uint64_t refused[REFUSAL_KINDS];
	size_t nsending;
	TAILQ_HEAD(, change) changes;
	put_fn *answer;
	void *arg;
};

static void begin(struct change *);
static void next_slots(struct put *);

static void
change_free(struct change *c)
{
	struct put *p = c->put;

	TAILQ_REMOVE(&p->changes, c, entry);
	if (c->stage == STAGE_SENDING)
		p->nsending--;
	if (c->stage == STAGE_READING)
		fetch_forget(p->with.fetch, c);
	flight_cancel(c->call);
	event_free(c->timer);
	splice_free(&c->splice);
	free(c->text);
	free(c);
}

/* The next change of the same device, and whoever waits for a slot. */
static void
move_up(struct put *p, const char *device)
{
	struct change *c;

	TAILQ_FOREACH(c, &p->changes, entry)
		if (c->stage == STAGE_BEHIND && strcmp(c->device, device) == 0)
			break;
	if (c != NULL)
		begin(c);
	next_slots(p);
}

static void
finish(struct change *c, struct body_changed *m)
{
	struct put *p = c->put;
	char device[MAX_NAME + 1];

	(void)strlcpy(device, c->device, sizeof(device));
	(void)strlcpy(m->device, c->device, sizeof(m->device));
	if (c->phantom) {
		m->kind = ERR_GONE;
		m->code = 201;
		(void)strlcpy(m->text,
		    "the device was deleted while it was "
		    "written to",
		    sizeof(m->text));
	}
	if (!c->forgotten)
		p->answer(c->id, m, p->arg);
	change_free(c);
	move_up(p, device);
}

static void
finish_failed(struct change *c, const struct why *why)
{
	struct body_changed m = { .kind = why->kind, .code = why->code };

	(void)strlcpy(m.text, why->text, sizeof(m.text));
	finish(c, &m);
}

/* Whatever the placer has become, it is counted and told here. */
static int
refused(struct change *c, enum refusal what, const struct why *why)
{
	static const char *const words[REFUSAL_KINDS] = {
#define X(name, word) word,
		REFUSALS(X)
#undef X
	};

	c->put->refused[what]++;
	log_line(LOG_LEVEL_WARN,
	    &(struct log_about){ .operation = "change",
		.device = what == REFUSAL_MALFORMED ? NULL : c->device,
		.error = why->text },
	    "a change is refused: %s", words[what]);
	return -1;
}

static void
finish_stored(struct change *c, const struct base *b, int written)
{
	struct body_changed m = { .kind = ERR_NONE,
		.code = 200,
		.written = (uint32_t)written,
		.generation = b->generation };

	(void)strlcpy(m.created, b->created, sizeof(m.created));
	mark_digest(b->spec, m.spec_sha256);
	finish(c, &m);
}

static void
pause_then(struct change *c, enum stage stage, int64_t ms)
{
	c->stage = stage;
	xevent_in(c->timer, ms);
}

/* -- the write -- */

static int
put_ready(struct flight_req *r, void *arg)
{
	struct change *c = arg;
	struct why why;

	if (now_read().boot_ms >= c->until) {
		c->call = NULL;
		fail(&why, ERR_AGAIN,
		    "device %s: not sent while we were surely the writer of "
		    "its node",
		    c->device);
		finish_failed(c, &why);
		return 0;
	}
	r->method = HTTPS_PUT;
	r->path = path_make("devices", c->device,
	    flight_org(c->put->with.flight), NULL);
	r->right = RIGHT_UPDATE_DEVICE;
	r->body = bytes_span(&c->splice.body);
	r->deadline_ms = DEADLINE_MS;
	return 1;
}

static void
again(struct change *c, const struct why *why, unsigned int *count,
    unsigned int most)
{
	struct put *p = c->put;

	if (++*count > most || (c->forgotten && !c->phantom)) {
		finish_failed(c, why);
		return;
	}
	p->nsending--;
	pause_then(c, STAGE_PAUSE,
	    retry_wait_ms(why->kind, *count, -1, arc4random()));
	next_slots(p);
}

static void
on_stored(struct change *c, const struct https_answer *a)
{
	struct base b;
	struct why why;

	if (base_read(a->body, &b, &why) == -1 ||
	    strcmp(b.device, c->device) != 0) {
		fail_code(&why, ERR_AGAIN, a->status,
		    "device %s was written, "
		    "but the answer is not that device",
		    c->device);
		again(c, &why, &c->doubts, DOUBTS);
		return;
	}
	finish_stored(c, &b, 1);
}

/*
 * The device was deleted between read and write, and PUT made another that
 * nothing will ever poll: our entries leave it again.
 */
static void
on_phantom(struct change *c)
{
	struct why why = { .kind = ERR_GONE };
	char *cuts;

	if (c->phantom) {
		finish_failed(c, &why);
		return;
	}
	log_line(LOG_LEVEL_ERROR,
	    &(struct log_about){ .operation = "change", .device = c->device },
	    "the device was deleted while it was written to, and Flightctl "
	    "made an empty one of that name: delete it");
	cuts = edit_cuts(&c->edit);
	free(c->text);
	c->text = cuts;
	c->created[0] = '\0';
	c->phantom = 1;
	if (edit_read(span_of(c->text), &c->edit, &why) == -1)
		abort(); /* it is ours */
	c->put->nsending--;
	pause_then(c, STAGE_PAUSE, 0);
}

static void
put_done(const struct https_answer *a, void *arg)
{
	struct change *c = arg;
	struct why why;

	c->call = NULL;
	switch (verdict_of(a, &why)) {
	case VERDICT_STORED:
		on_stored(c, a);
		break;
	case VERDICT_PHANTOM:
		on_phantom(c);
		break;
	case VERDICT_FASTER:
		again(c, &why, &c->conflicts, CONFLICTS);
		break;
	case VERDICT_DOUBT:
		again(c, &why, &c->doubts, DOUBTS);
		break;
	case VERDICT_REFUSED:
		finish_failed(c, &why);
		break;
	}
}

static void
send_put(struct change *c, enum flight_rank rank)
{
	static const struct flight_ops ops = { put_ready, NULL, put_done };

	c->stage = STAGE_SENDING;
	c->put->nsending++;
	c->call =
	    flight_queue(c->put->with.flight, BUDGET_WRITE, rank, &ops, c);
}

/* Mere removals first. */
static void
next_slots(struct put *p)
{
	struct change *c, *first;

	while (p->nsending < PUT_SENDING) {
		first = NULL;
		TAILQ_FOREACH(c, &p->changes, entry)
			if (c->stage == STAGE_SLOT &&
			    (first == NULL ||
				(first->edit.adds && !c->edit.adds)))
				first = c;
		if (first == NULL)
			return;
		send_put(first, first->edit.adds ? FLIGHT_LAST : FLIGHT_FIRST);
	}
}

/* -- the read before it -- */

static int
admit_change(struct change *c, const struct base *b, struct why *why)
{
	struct put *p = c->put;
	const char *fleet = fleets_named(p->with.fleets, b->labels);

	if (admit(&p->rules, b->spec, splice_spec(&c->splice), why) == -1)
		return refused(c,
		    why->kind == ERR_LIMIT ? REFUSAL_SIZE : REFUSAL_POLICY,
		    why);
	if (breadth_take(p->breadth, fleet == NULL ? "" : fleet, c->device,
		now_read().boot_ms) == 0)
		return 0;
	(void)fail(why, ERR_LIMIT,
	    "device %s: so many others of its fleet were changed within an "
	    "hour as CHANGE_DEVICES allows",
	    c->device);
	return refused(c, REFUSAL_DEVICES, why);
}

static int
is_in_fleet(struct change *c, const struct base *b, struct why *why)
{
	if (base_check(b, c->created, why) == -1)
		return 0;
	if (!c->edit.adds || fleets_have(c->put->with.fleets, b))
		return 1;
	(void)fail(why, ERR_DENIED, "device %s is in none of our fleets",
	    c->device);
	return 0;
}

static int
prepare(struct change *c, struct span device, struct base *b, struct why *why)
{
	if (base_read(device, b, why) == -1)
		return -1;
	if (!is_in_fleet(c, b, why))
		return why->kind == ERR_DENIED ?
		    refused(c, REFUSAL_FLEET, why) :
		    -1;
	splice_free(&c->splice);
	if (splice(b, &c->edit, &c->splice, why) == -1)
		return -1;
	return c->splice.changed ? admit_change(c, b, why) : 0;
}

static void
on_base(const char *name, int64_t read_boot, struct span device,
    const struct why *cause, void *arg)
{
	struct change *c = arg;
	struct why why = *cause;
	struct base b;

	(void)name, (void)read_boot;
	c->stage = STAGE_SLOT;
	if (why.kind != ERR_NONE || prepare(c, device, &b, &why) == -1)
		finish_failed(c, &why);
	else if (!c->splice.changed)
		finish_stored(c, &b, c->doubts > 0);
	else if (c->conflicts > 0)
		send_put(c, FLIGHT_KEPT); /* now, whoever waits for a slot */
	else
		next_slots(c->put);
}

static void
read_base(struct change *c)
{
	int64_t left = c->due - now_read().boot_ms;

	c->stage = STAGE_READING;
	/* Whoever was faster may be again: nothing comes in between. */
	if (c->conflicts > 0) {
		fetch_pair(c->put->with.fetch, c->device, on_base, c);
		return;
	}
	fetch_device(c->put->with.fetch, BUDGET_WRITE, c->device,
	    c->edit.adds && left > 0 ? left : 0, on_base, c);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct change *c = arg;

	(void)fd, (void)what;
	(c->stage == STAGE_BRAKED ? begin : read_base)(c);
}

static void
begin(struct change *c)
{
	int64_t now = now_read().boot_ms;

	if (!bucket_take(&c->put->brake, now)) {
		pause_then(c, STAGE_BRAKED, bucket_wait(&c->put->brake, now));
		return;
	}
	read_base(c);
}

/* -- from outside -- */

static int
understand(struct put *p, struct change *c, const struct body_change *m,
    struct why *why)
{
	if (p->cluster[0] == '\0') {
		(void)fail(why, ERR_DENIED, "no cluster id yet");
		return refused(c, REFUSAL_WRITER, why);
	}
	if (now_read().boot_ms >= c->until) {
		(void)fail(why, ERR_DENIED,
		    "device %s: we are not the writer "
		    "of its node",
		    c->device);
		return refused(c, REFUSAL_WRITER, why);
	}
	if (!form_is_subdomain(span_of(m->device))) {
		(void)fail(why, ERR_FORMAT, "not the name of a device");
		return refused(c, REFUSAL_MALFORMED, why);
	}
	if (edit_read((struct span){ c->text, m->edit.len }, &c->edit, why) ==
	    -1)
		return refused(c, REFUSAL_MALFORMED, why);
	return 0;
}

void
put_change(struct put *p, uint64_t id, const struct body_change *m)
{
	struct change *c = xcalloc(1, sizeof(*c)), *other;
	struct why why;
	int busy = 0;

	c->put = p;
	c->id = id;
	(void)strlcpy(c->device, m->device, sizeof(c->device));
	(void)strlcpy(c->created, m->created, sizeof(c->created));
	c->until = (int64_t)m->until_boot;
	c->due = now_read().boot_ms +
	    (m->company_ms < PUT_COMPANY_MS ? m->company_ms : PUT_COMPANY_MS);
	c->text = xstrndup(m->edit.p, m->edit.len);
	c->timer = xevent_timer(p->with.base, on_timer, c);
	TAILQ_FOREACH(other, &p->changes, entry)
		busy |= strcmp(other->device, c->device) == 0;
	c->stage = STAGE_BEHIND;
	TAILQ_INSERT_TAIL(&p->changes, c, entry);
	if (understand(p, c, m, &why) == -1)
		finish_failed(c, &why);
	else if (!busy)
		begin(c);
}

int
put_cluster(struct put *p, const char *cluster)
{
	if (p->cluster[0] != '\0')
		return strcmp(p->cluster, cluster) == 0 ? 0 : -1;
	(void)strlcpy(p->cluster, cluster, sizeof(p->cluster));
	return 0;
}

void
put_forget(struct put *p)
{
	struct change *c, *next;

	for (c = TAILQ_FIRST(&p->changes); c != NULL; c = next) {
		next = TAILQ_NEXT(c, entry);
		c->forgotten = 1;
		/* What may be under way is finished, and a phantom cleaned. */
		if (!c->phantom && c->stage != STAGE_SENDING)
			change_free(c);
	}
}

void
put_reload(struct put *p, const struct settings *s)
{
	int64_t rate = s->number[SET_CHANGE_RATE];

	bucket_init(&p->brake, rate * 10, rate / 6 > 40 ? rate / 6 : 40,
	    now_read().boot_ms);
	breadth_change(p->breadth, s->number[SET_CHANGE_DEVICES]);
}

void
put_budget(const struct put *p, struct body_budget *m)
{
	memcpy(m->refused, p->refused, sizeof(m->refused));
}

struct put *
put_new(const struct put_parts *parts, const struct settings *s, put_fn *answer,
    void *arg)
{
	struct put *p = xcalloc(1, sizeof(*p));

	p->with = *parts;
	p->rules = (struct admit_rules){ .cluster = p->cluster,
		.registries = s->text[SET_IMAGE_REGISTRIES],
		.host = strcmp(s->text[SET_ALLOW_PRIVILEGED], "yes") == 0,
		.pods = (size_t)s->number[SET_DEVICE_MAX_PODS] };
	p->breadth = breadth_new(s->number[SET_CHANGE_DEVICES]);
	p->answer = answer;
	p->arg = arg;
	TAILQ_INIT(&p->changes);
	put_reload(p, s);
	return p;
}

void
put_free(struct put *p)
{
	struct change *c;

	if (p == NULL)
		return;
	while ((c = TAILQ_FIRST(&p->changes)) != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked */
		change_free(c);
	breadth_free(p->breadth);
	free(p);
}
