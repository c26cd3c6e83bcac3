/* SPDX-License-Identifier: ISC */
/*
 * flight_entry.c: who we are to Flightctl.
 *
 * Owns the token's way into the HTTP client, the organisation, and what 400,
 * 401 and 403 say about both.  While one of them is not accepted, only the
 * organisations are asked for, at a growing distance.
 */
#include <bsd/string.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/retry.h"
#include "common/scan.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "flightside/flight_own.h"
#include "flightside/path.h"

enum {
	LOOK_MS = 1000, /* for another token, while this one is not accepted */
};

/* -- the token -- */

/* The client has it: one copy is enough. */
static void
hand_on(struct flight *f)
{
	https_token(f->https, creds_token(f->creds));
	creds_handed_on(f->creds);
}

int
entry_renew(struct flight *f, int now)
{
	struct why why;
	int rc = creds_refresh(f->creds, now_read(), now, &why);

	if (rc == 1) {
		f->token++;
		hand_on(f);
	}
	if (rc != -1)
		f->token_text[0] = '\0';
	else if (strcmp(f->token_text, why.text) != 0) {
		(void)strlcpy(f->token_text, why.text, sizeof(f->token_text));
		log_line(LOG_LEVEL_WARN,
		    &(struct log_about){ .operation = "credentials",
			.error = why.text },
		    "the Flightctl token cannot be read");
	}
	return rc == 1;
}

int
entry_accepts(struct flight_call *c, const struct https_answer *a)
{
	struct flight *f = c->flight;

	if (a->status != 401 || c->renewed)
		return 1;
	/* Another call may have found the new one. */
	if (!entry_renew(f, 1) && c->token == f->token)
		return 1;
	c->renewed = 1;
	return 0;
}

/* -- answers -- */

struct https_answer
entry_explain(const struct flight_call *c, const struct https_answer *plain)
{
	const struct flight *f = c->flight;
	struct https_answer a = *plain;
	AUTO_FREE char *more = NULL;
	char message[MAX_TEXT] = "";

	if (a.why.kind == ERR_NONE || a.status == 0)
		return a;
	if (a.body.len == 0 || a.body.len > 65536 ||
	    scan_get_string(a.body, message, sizeof(message), "message",
		NULL) != 1)
		message[0] = '\0';
	/* Without a token it is 400, and just as bad. */
	if (a.status == 401 ||
	    (a.status == 400 && !creds_has_token(f->creds))) {
		more = creds_describe(f->creds);
		fail_code(&a.why, ERR_AUTH, a.status, "%u %.160s (%s)",
		    a.status, message, more);
	} else if (a.status == 403 && !org_is_refused(a.status, message)) {
		more = right_refusal(c->right, f->org);
		fail_code(&a.why, ERR_DENIED, a.status, "%u %.160s: %s",
		    a.status, message, more);
	} else if (message[0] != '\0')
		fail_code(&a.why, a.why.kind, a.status, "%.160s: %s",
		    plain->why.text, message);
	return a;
}

/* -- the organisation -- */

static int
org_ready(struct flight_req *r, void *arg)
{
	(void)arg;
	r->path = path_make("organizations", NULL, NULL, NULL);
	r->right = RIGHT_LIST_ORGS;
	return 1;
}

/* Who may not ask which there are must know which is meant. */
static int
org_of(struct flight *f, const struct https_answer *a, struct why *why)
{
	if (why->kind == ERR_NONE)
		return org_pick(a->body, f->wanted, f->org, why);
	if (a->status != 403 || f->wanted[0] == '\0' ||
	    org_is_refused(a->status, why->text))
		return -1;
	(void)strlcpy(f->org, f->wanted, sizeof(f->org));
	return 0;
}

static void
org_done(const struct https_answer *a, void *arg)
{
	struct flight *f = arg;
	struct why why = a->why;
	char before[ORG_SIZE];

	f->org_call = NULL;
	(void)strlcpy(before, f->org, sizeof(before));
	if (org_of(f, a, &why) == 0) {
		f->settled = 1;
		if (strcmp(before, f->org) != 0)
			log_info("organization %s", f->org);
		return;
	}
	(void)strlcpy(f->org, before, sizeof(f->org));
	/* It answers, but nothing can be asked of it. */
	if (a->status != 0 && a->status < 500 && why.kind != ERR_AUTH)
		reach_forbidden(f->reach, why.text);
	xevent_in(f->org_again,
	    retry_wait_ms(why.kind, ++f->refusals, a->retry_after_ms,
		arc4random()));
}

static void
on_org_again(evutil_socket_t fd, short what, void *arg)
{
	static const struct flight_ops ops = { org_ready, NULL, org_done };
	struct flight *f = arg;

	(void)fd, (void)what;
	if (f->org_call == NULL)
		f->org_call =
		    flight_queue(f, BUDGET_WRITE, FLIGHT_FIRST, &ops, f);
}

/* With another token it is asked at once, whatever is under way. */
static void
ask_anew(struct flight *f)
{
	f->refusals = 0;
	flight_cancel(f->org_call);
	f->org_call = NULL;
	xevent_in(f->org_again, 0);
}

static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	struct flight *f = arg;

	(void)fd, (void)what;
	if (f->settled)
		return;
	if (entry_renew(f, 1))
		ask_anew(f);
	xevent_in(f->look, LOOK_MS);
}

/* Not accepted any more: asked anew, and nothing else until then. */
static void
unsettle(struct flight *f, enum why_kind kind)
{
	if (!f->settled)
		return;
	f->settled = 0;
	xevent_in(f->org_again,
	    retry_wait_ms(kind, ++f->refusals, -1, arc4random()));
	xevent_in(f->look, LOOK_MS);
}

/* Another request was refused for its organisation. */
static int
is_of_org(const struct https_answer *a, enum right right)
{
	return a->why.kind != ERR_NONE && right != RIGHT_LIST_ORGS &&
	    org_is_refused(a->status, a->why.text);
}

void
entry_look(struct flight_call *c, const struct https_answer *a)
{
	struct flight *f = c->flight;

	if (a->status == 0)
		return;
	if (a->why.kind == ERR_AUTH || is_of_org(a, c->right))
		unsettle(f, a->why.kind);
	else if (a->why.kind == ERR_NONE && c->right != RIGHT_LIST_ORGS)
		f->refusals = 0;
}

void
entry_judge(struct flight *f, const struct https_answer *a, enum right right)
{
	if (is_of_org(a, right))
		reach_forbidden(f->reach, a->why.text);
	/* What organisations were answered with is judged by who asked. */
	else if (f->settled || right != RIGHT_LIST_ORGS || a->status == 0 ||
	    a->status >= 500 || a->why.kind == ERR_AUTH)
		reach_judge(f->reach, a, right);
}

/* -- life -- */

void
entry_open(struct flight *f)
{
	f->org_again = xevent_timer(f->base, on_org_again, f);
	f->look = xevent_timer(f->base, on_look, f);
	hand_on(f);
	xevent_in(f->org_again, 0);
	xevent_in(f->look, LOOK_MS);
}

void
entry_close(struct flight *f)
{
	if (f->org_again != NULL)
		event_free(f->org_again);
	if (f->look != NULL)
		event_free(f->look);
}

void
entry_reload(struct flight *f)
{
	if (entry_renew(f, 1) && !f->settled)
		ask_anew(f);
}
