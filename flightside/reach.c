/* SPDX-License-Identifier: ISC */
/*
 * reach.c: the verdict how Flightctl answers.  Owns the counting of failures
 * and the log lines about them, however long they last; never sends.
 */
#include "flightside/reach.h"

#include <bsd/string.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/xevent.h"
#include "common/xmem.h"

enum {
	SILENT_S = 10,
	FAILURES = 2,
	PAUSE_S = 60,	   /* between lines of what changes to and fro */
	AGAIN_S = 60 * 60, /* and of what lasts */
	UNKNOWN = -1,
	NO_WORD = -2, /* about the service */
};

struct reach {
	int state;
	unsigned int failures; /* since the last good answer */
	int failing;	       /* what the last of them was */
	struct event *silent;  /* a failure and no success for too long */
	struct event *again;   /* it is still so */
	int64_t since_ms;      /* it does not answer, 0: it does */
	int64_t said_ms;       /* the last line about that, 0: none yet */
	int said;	       /* the log knows that it does not answer */
	unsigned int refused;  /* rights, as bits */
	char text[MAX_TEXT];
	char pending[MAX_TEXT]; /* of the last failure */
	void (*tell)(enum flight_state, const char *, void *);
	void *arg;
};

static const char *const words[FLIGHT_STATES] = {
	[FLIGHT_SILENT] = "does not answer",
	[FLIGHT_ANSWERS] = "answers",
	[FLIGHT_UNAUTHORIZED] = "refuses our credentials",
	[FLIGHT_FORBIDDEN] = "forbids what we cannot do without",
};

/* -- log -- */

static void
arm(struct event *ev, int s)
{
	xevent_in(ev, s * 1000);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct reach *r = arg;

	(void)fd, (void)what;
	r->said = 1;
	r->said_ms = now_read().boot_ms;
	log_line(LOG_LEVEL_WARN, &(struct log_about){ .error = r->text },
	    "Flightctl %s, for %lld minutes now", words[r->state],
	    (long long)((r->said_ms - r->since_ms) / 60000));
	arm(r->again, AGAIN_S);
}

static void
say_good(struct reach *r, int64_t now)
{
	evtimer_del(r->again);
	if (r->said)
		log_info("Flightctl answers, after %lld s",
		    (long long)((now - r->since_ms) / 1000));
	else if (r->since_ms == 0)
		log_info("Flightctl answers");
	r->said = 0;
	r->since_ms = 0;
}

static void
say(struct reach *r)
{
	int64_t now = now_read().boot_ms;

	if (r->state == FLIGHT_ANSWERS) {
		say_good(r, now);
		return;
	}
	if (r->since_ms == 0)
		r->since_ms = now;
	if (r->said_ms != 0 && now - r->said_ms < (int64_t)PAUSE_S * 1000) {
		arm(r->again, PAUSE_S);
		return;
	}
	r->said = 1;
	r->said_ms = now;
	log_line(LOG_LEVEL_WARN, &(struct log_about){ .error = r->text },
	    "Flightctl %s", words[r->state]);
	arm(r->again, AGAIN_S);
}

/* -- state -- */

static void
set(struct reach *r, int state, const char *text)
{
	int turned = r->state != state;

	if (!turned && (state == FLIGHT_ANSWERS || strcmp(r->text, text) == 0))
		return;
	(void)strlcpy(r->text, text, sizeof(r->text));
	r->state = state;
	if (turned)
		say(r);
	r->tell((enum flight_state)state, r->text, r->arg);
}

static void
on_silent(evutil_socket_t fd, short what, void *arg)
{
	struct reach *r = arg;

	(void)fd, (void)what;
	if (r->failures > 0)
		set(r, r->failing, r->pending);
}

/* Before anything is known, a refusal is worth telling at once. */
static void
failed(struct reach *r, int how, const char *text)
{
	if (r->failures++ == 0)
		arm(r->silent, SILENT_S);
	r->failing = how;
	(void)strlcpy(r->pending, text, sizeof(r->pending));
	if (r->failures >= FAILURES ||
	    (r->state == UNKNOWN && how == FLIGHT_UNAUTHORIZED))
		set(r, how, text);
}

static void
good(struct reach *r)
{
	r->failures = 0;
	evtimer_del(r->silent);
}

void
reach_forbidden(struct reach *r, const char *text)
{
	good(r);
	set(r, FLIGHT_FORBIDDEN, text);
}

/* -- judging -- */

/* Ended by us, or too large: no word about the service. */
static int
meaning(const struct https_answer *a, enum right right)
{
	if (a->status == 0)
		return a->why.kind == ERR_AGAIN || a->why.kind == ERR_AUTH ||
			a->why.kind == ERR_SYSTEM ?
		    FLIGHT_SILENT :
		    NO_WORD;
	if (a->why.kind == ERR_AUTH)
		return FLIGHT_UNAUTHORIZED;
	if (a->status >= 500)
		return FLIGHT_SILENT;
	return a->status == 403 && right_without(right) == WITHOUT_BLIND ?
	    FLIGHT_FORBIDDEN :
	    FLIGHT_ANSWERS;
}

/* Each right that is missed is said once, until it is there. */
static void
note_right(struct reach *r, const struct https_answer *a, enum right right)
{
	unsigned int bit = 1u << right;

	if (a->why.kind == ERR_NONE && a->status != 0)
		r->refused &= ~bit;
	if (a->status != 403 || right_without(right) != WITHOUT_PART ||
	    (r->refused & bit) != 0)
		return;
	r->refused |= bit;
	log_line(LOG_LEVEL_ERROR, &(struct log_about){ .error = a->why.text },
	    "not allowed");
}

void
reach_judge(struct reach *r, const struct https_answer *a, enum right right)
{
	int how = meaning(a, right);

	note_right(r, a, right);
	if (how == NO_WORD)
		return;
	if (how == FLIGHT_FORBIDDEN)
		reach_forbidden(r, a->why.text);
	else if (how != FLIGHT_ANSWERS)
		failed(r, how, a->why.text);
	else {
		good(r);
		/* Forbidden it is until just that is allowed. */
		if (r->state != FLIGHT_FORBIDDEN ||
		    (right_without(right) == WITHOUT_BLIND &&
			a->why.kind == ERR_NONE))
			set(r, FLIGHT_ANSWERS, "");
	}
}

/* -- life -- */

int
reach_state(const struct reach *r)
{
	return r->state;
}

const char *
reach_text(const struct reach *r)
{
	return r->text;
}

struct reach *
reach_new(struct event_base *base,
    void (*tell)(enum flight_state, const char *, void *), void *arg)
{
	struct reach *r = xcalloc(1, sizeof(*r));

	r->state = UNKNOWN;
	r->tell = tell;
	r->arg = arg;
	r->silent = xevent_timer(base, on_silent, r);
	r->again = xevent_timer(base, on_again, r);
	return r;
}

void
reach_free(struct reach *r)
{
	if (r == NULL)
		return;
	event_free(r->silent);
	event_free(r->again);
	free(r);
}
