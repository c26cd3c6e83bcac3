/* SPDX-License-Identifier: ISC */
/*
 * reach.c: the verdict whether Flightctl answers.  Owns the counting of
 * failures and the two log lines about it; never sends.
 */
#include "flightside/reach.h"

#include <bsd/string.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/xmem.h"

enum {
	SILENT_S = 10,
	FAILURES = 2,
};

struct reach {
	int state;
	unsigned int failures; /* since the last good answer */
	struct event *silent;  /* a failure and no success for too long */
	char text[MAX_TEXT];
	void (*tell)(int, const char *, void *);
	void *arg;
};

static void
set(struct reach *r, int state, const char *text)
{
	int turned = r->state != state;

	if (!turned && (state == 1 || strcmp(r->text, text) == 0))
		return;
	if (text != r->text)
		(void)strlcpy(r->text, text, sizeof(r->text));
	r->state = state;
	if (turned && state == 1)
		log_info("Flightctl answers");
	else if (turned)
		log_warn("Flightctl does not answer: %s", r->text);
	r->tell(state, r->text, r->arg);
}

static void
on_silent(evutil_socket_t fd, short what, void *arg)
{
	struct reach *r = arg;

	(void)fd, (void)what;
	if (r->failures > 0 && r->state != 0)
		set(r, 0, r->text);
}

static void
failed(struct reach *r, const char *text)
{
	static const struct timeval silent = { SILENT_S, 0 };

	if (r->failures++ == 0 && evtimer_add(r->silent, &silent) == -1)
		abort();
	if (r->failures >= FAILURES)
		set(r, 0, text);
	else if (r->state != 0)
		(void)strlcpy(r->text, text, sizeof(r->text));
}

/* Ended by us, or too large: no word about the service. */
static int
is_failure(const struct https_answer *a)
{
	if (a->status != 0)
		return a->status == 401 || a->status == 403 || a->status >= 500;
	return a->why.kind == ERR_AGAIN || a->why.kind == ERR_AUTH ||
	    a->why.kind == ERR_SYSTEM;
}

void
reach_judge(struct reach *r, const struct https_answer *a, int quiet)
{
	if (quiet && a->status == 403)
		return;
	if (is_failure(a)) {
		failed(r, a->why.text);
		return;
	}
	if (a->status == 0)
		return;
	r->failures = 0;
	evtimer_del(r->silent);
	set(r, 1, "");
}

void
reach_lost(struct reach *r, const char *text)
{
	r->failures = FAILURES;
	set(r, 0, text);
}

int
reach_state(const struct reach *r)
{
	return r->state;
}

const char *
reach_text(const struct reach *r)
{
	return r->state == 1 ? "" : r->text;
}

struct reach *
reach_new(struct event_base *base, void (*tell)(int, const char *, void *),
    void *arg)
{
	struct reach *r = xcalloc(1, sizeof(*r));

	r->state = -1;
	r->tell = tell;
	r->arg = arg;
	if ((r->silent = evtimer_new(base, on_silent, r)) == NULL)
		abort();
	return r;
}

void
reach_free(struct reach *r)
{
	if (r == NULL)
		return;
	event_free(r->silent);
	free(r);
}
