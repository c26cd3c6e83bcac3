/* SPDX-License-Identifier: ISC */
/*
 * explain.c: why a pod is where it is, and what it waits for.
 *
 * Owns the form of a row and the order of a pod's.  Facts, verdicts and
 * numbers are read, never made here.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/limits.h"
#include "common/stamp.h"
#include "common/utf8.h"
#include "common/xmem.h"
#include "placer/change.h"
#include "placer/explain_own.h"
#include "placer/facts.h"
#include "placer/said.h"

void
explain_row(struct explain *x, const struct explain_row *r, const char *fmt,
    ...)
{
	struct json_object *row = jmake_object();
	AUTO_FREE char *text = NULL;
	int64_t left = r->at_boot - x->now.boot_ms;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	jmake_str(row, "about", r->about);
	jmake_str(row, "name", r->name != NULL ? r->name : "");
	if (r->rule != 0)
		jmake_int(row, "rule", r->rule);
	else
		jmake_null(row, "rule");
	jmake_str(row, "verdict", r->verdict != NULL ? r->verdict : "");
	if (r->at_boot != NO_CLOCK)
		jmake_int(row, "left-s", left > 0 ? (left + 999) / 1000 : 0);
	else
		jmake_null(row, "left-s");
	jmake_str(row, "text", text);
	answer_row(x->to, &row);
}

void
explain_status(const struct wdevice *d, struct now now, char text[MAX_TEXT])
{
	const char *more;

	if (d->gone)
		(void)snprintf(text, MAX_TEXT,
		    "Flightctl has no such device any more");
	else if (d->unreadable)
		(void)snprintf(text, MAX_TEXT, "what it says cannot be read");
	else if (d->dev == NULL)
		(void)snprintf(text, MAX_TEXT, "not read since the start");
	else {
		more = d->dev->summary_info;
		(void)snprintf(text, MAX_TEXT, "%s, read %lld s ago%s%s",
		    device_summary_word(d->dev->summary),
		    (long long)((now.boot_ms - d->read_boot) / 1000),
		    more != NULL && *more != '\0' ? ": " : "",
		    more != NULL ? more : "");
	}
}

void
explain_order(struct explain *x, const char *name, const char *verdict,
    const struct worded *by)
{
	char at[STAMP_SIZE];

	if (!by->on)
		return;
	stamp_format(by->at_ms, at);
	explain_row(x,
	    &(struct explain_row){ "order", name, 0, verdict, NO_CLOCK },
	    "by uid %u, %s", by->uid, at);
}

void
explain_orders(struct explain *x, const struct wdevice *d)
{
	explain_order(x, d->name, "drained", &d->drained);
	explain_order(x, d->name, "given up", &d->given_up);
	explain_order(x, d->name, "brake released", &d->written_off);
	if (d->node != NULL)
		explain_order(x, d->node->name, "retired", &d->node->retired);
}

/* -- a pod -- */

static void
say_fact(struct explain *x, const char *about, const char *name,
    struct life_word word)
{
	explain_row(x,
	    &(struct explain_row){ about, name, 0, word.name, NO_CLOCK }, "%s",
	    word.means);
}

static void
say_device(struct explain *x, const struct wpod *p, const struct life_facts *f)
{
	struct life_word is = life_device_word(f->device);
	char status[MAX_TEXT];

	if (p->device == NULL)
		return;
	explain_status(p->device, x->now, status);
	explain_row(x,
	    &(struct explain_row){ "device", p->device->name, 0, is.name,
		NO_CLOCK },
	    "%s; %s", is.means, status);
}

void
explain_life(struct explain *x, const struct wpod *p,
    const struct life_facts *f)
{
	struct life_verdict v = life_decide(f);
	struct life_word so = life_action_word(v.action);
	AUTO_FREE char *who = xasprintf("%s/%s", p->ns, p->name);

	explain_row(x,
	    &(struct explain_row){ "pod", who, v.rule, life_state_name(v.state),
		NO_CLOCK },
	    "%s: %s", so.name, so.means);
}

static void
say_life(struct explain *x, const struct wpod *p, const struct life_facts *f)
{
	explain_life(x, p, f);
	say_fact(x, "uid", p->uid, life_pod_word(f->pod));
	say_fact(x, "seat", p->device != NULL ? p->device->name : NULL,
	    life_seat_word(f->seat));
	if (p->device != NULL)
		say_fact(x, "entry", p->app, life_entry_word(f->entry));
	say_device(x, p, f);
}

/* Who decides about it at all, and is heard. */
static void
say_writer(struct explain *x, const struct wpod *p)
{
	const struct world *w = x->world;

	if (p->node == NULL)
		explain_row(x,
		    &(struct explain_row){ "writer", NULL, 0, "none",
			NO_CLOCK },
		    "its node is none of this provider's");
	else if (x->now.boot_ms >= p->node->until_boot)
		explain_row(x,
		    &(struct explain_row){ "writer", p->node->name, 0, "other",
			NO_CLOCK },
		    "this provider does not hold the node's Lease: it does "
		    "nothing");
	if (!w->kube_up || !w->kube_reachable)
		explain_row(x,
		    &(struct explain_row){ "apiserver", NULL, 0, "away",
			NO_CLOCK },
		    "the apiserver does not answer");
	if (!w->flight_up || !w->flight_reachable)
		explain_row(x,
		    &(struct explain_row){ "flightctl", NULL, 0, "away",
			NO_CLOCK },
		    "Flightctl does not answer: %s", w->flight_text);
}

static void
say_namesake(struct explain *x, const struct wpod *p)
{
	const struct wpod *old = world_namesake(x->world, p);

	explain_row(x,
	    &(struct explain_row){ "waits", NULL, 0, p->why_reason, NO_CLOCK },
	    "the pod of that name before it (uid %s) is not confirmed gone "
	    "from %s",
	    old != NULL ? old->uid : "?",
	    old != NULL ? old->device->name : "its device");
}

static void
say_waits(struct explain *x, const struct wpod *p)
{
	AUTO_FREE char *says = NULL;
	char text[MAX_TEXT];
	const char *reason;

	if (p->why_waits != NULL)
		explain_row(x,
		    &(struct explain_row){ "waits", NULL, 0, p->why_reason,
			NO_CLOCK },
		    "%s", p->why_waits);
	else if (p->why_reason != NULL)
		say_namesake(x, p);
	if (p->fault != NULL)
		explain_row(x,
		    &(struct explain_row){ "fault", NULL, 0, p->fault_reason,
			NO_CLOCK },
		    "%s (tries that failed: %d)", p->fault, p->tries);
	if (p->pod != NULL && p->pod->wish != NULL && p->node != NULL &&
	    !p->node->labels_known)
		explain_row(x,
		    &(struct explain_row){ "waits", p->node->name, 0, NULL,
			NO_CLOCK },
		    "the node's own labels are not known yet");
	if (p->reserves != NULL)
		explain_row(x,
		    &(struct explain_row){ "keeps", p->reserves->name, 4, NULL,
			NO_CLOCK },
		    "what becomes free there is kept for this pod");
	if (p->device == NULL || p->device->dev == NULL)
		return;
	if ((reason = change_refusal(p->device, text)) != NULL)
		explain_row(x,
		    &(struct explain_row){ "refusal", p->device->name, 0,
			reason, NO_CLOCK },
		    "%s", text);
	if (p->state != STARTING || said_words(p->device->dev) == NULL)
		return;
	says = utf8_message(said_words(p->device->dev), MAX_TEXT);
	explain_row(x,
	    &(struct explain_row){ "says", p->device->name, 0,
		said_reason(says), NO_CLOCK },
	    "%s", says);
}

static void
say_pod(struct explain *x, const struct wpod *p)
{
	struct life_facts f = facts_of(x->world, p, x->now);

	say_life(x, p, &f);
	say_writer(x, p);
	say_waits(x, p);
	explain_order(x, p->name, "given up", &p->given_up);
	if (p->device != NULL)
		explain_orders(x, p->device);
	explain_pod_clocks(x, p);
	if (p->device == NULL && p->pod != NULL && p->node != NULL &&
	    (f.pod == WANTED || p->hopeless))
		explain_ranks(x, p);
}

int
explain_pod(struct answer *to, const struct world *w, const char *who,
    struct now now)
{
	struct explain x = { to, w, now };
	struct wpod *p = NULL;

	while ((p = world_called(w, who, p)) != NULL)
		say_pod(&x, p);
	return to->n > 0 ? 0 : -1;
}
