/* SPDX-License-Identifier: ISC */
/*
 * explain_device.c: why a device takes pods or does not, and what is there.
 */
#include <stdio.h>

#include "placer/amount.h"
#include "placer/explain_own.h"
#include "placer/facts.h"
#include "placer/pick.h"

static void
say_rule(struct explain *x, const struct wdevice *d, unsigned int rule,
    const char *name, enum pick_reason why)
{
	char status[MAX_TEXT];

	explain_status(d, x->now, status);
	explain_row(x,
	    &(struct explain_row){ "rule", name, rule, pick_words(why),
		NO_CLOCK },
	    "%s%s%s", status, why == PICK_OWNED ? "; owned by " : "",
	    why == PICK_OWNED ? d->dev->owner : "");
}

static void
say_room(struct explain *x, const struct wdevice *d)
{
	struct fit_room room = fit_free(&d->total, &d->used);
	struct explain_row row = { "rule", "cpu", 4, NULL, NO_CLOCK };
	char has[AMOUNT_SIZE], of[AMOUNT_SIZE];

	amount_cpu(has, room.cpu_m);
	amount_cpu(of, d->total.cpu_m);
	row.verdict = has;
	explain_row(x, &row, "%s CPU free of %s", has, of);
	amount_memory(has, room.memory);
	amount_memory(of, d->total.memory);
	row.name = "memory";
	explain_row(x, &row, "%s memory free of %s", has, of);
	(void)snprintf(has, sizeof(has), "%u", room.pods);
	row.name = "pods";
	explain_row(x, &row, "pods: %zu, at most %u", d->npods, d->total.pods);
	if (d->reserved_for == NULL)
		return;
	row.name = "kept";
	row.verdict = pick_words(PICK_RESERVED);
	explain_row(x, &row, "for %s/%s", d->reserved_for->ns,
	    d->reserved_for->name);
}

static void
say_spec(struct explain *x, const struct wdevice *d)
{
	explain_row(x,
	    &(struct explain_row){ "spec", NULL, 0,
		spec_state_name(d->spec_state), NO_CLOCK },
	    "%zu changes queued, of them %zu removals; %s", d->nqueued,
	    d->nurgent,
	    d->change_id != 0 ? "a write is on its way" : "no write under way");
}

static void
say_pods(struct explain *x, const struct wdevice *d)
{
	const struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		struct life_facts f = facts_of(x->world, p, x->now);

		explain_life(x, p, &f);
	}
}

int
explain_device(struct answer *to, const struct world *w, const char *name,
    struct now now)
{
	struct explain x = { to, w, now };
	const struct wdevice *d = world_device(w, name);
	enum pick_reason why;

	if (d == NULL)
		return -1;
	why = pick_usable(d);
	explain_row(&x,
	    &(struct explain_row){ "device", name, pick_rule(why),
		pick_words(why), NO_CLOCK },
	    "fleet %s, node %s",
	    d->node != NULL && d->node->fleet[0] != '\0' ? d->node->fleet : "-",
	    d->node != NULL ? d->node->name : "-");
	say_rule(&x, d, 2, "placeable", pick_placeable(d));
	say_rule(&x, d, 3, "connected", pick_connected(d));
	explain_orders(&x, d);
	say_room(&x, d);
	say_spec(&x, d);
	explain_device_clocks(&x, d);
	say_pods(&x, d);
	return 0;
}
