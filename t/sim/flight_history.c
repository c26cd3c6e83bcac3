/* SPDX-License-Identifier: ISC */
/*
 * flight_history.c: GET /events.
 *
 * Owns order, selectors and pages of events; the events are flight_events.c's.
 */
#include "t/sim/flight_history.h"

#include <stdlib.h>
#include <string.h>

#include "t/sim/flight.h"
#include "t/sim/flight_events.h"
#include "t/sim/flight_http.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_list.h"
#include "t/sim/flight_select.h"
#include "t/sim/web.h"

static const struct flight_field fields[] = {
	{ "actor", FLIGHT_STRING },
	{ "involvedObject.kind", FLIGHT_STRING },
	{ "involvedObject.name", FLIGHT_STRING },
	{ "metadata.creationTimestamp", FLIGHT_TIME },
	{ "metadata.name", FLIGHT_STRING },
	{ "metadata.owner", FLIGHT_STRING },
	{ "reason", FLIGHT_STRING },
	{ "type", FLIGHT_WORD },
	{ NULL, FLIGHT_STRING },
};

static const char *
field(const char *key, const void *object)
{
	const struct flight_event *ev = object;
	static char time[40];

	if (strcmp(key, "actor") == 0)
		return flight_event_actor(ev);
	if (strcmp(key, "involvedObject.kind") == 0)
		return ev->kind;
	if (strcmp(key, "involvedObject.name") == 0)
		return ev->object;
	if (strcmp(key, "metadata.creationTimestamp") == 0)
		return flight_time(time, sizeof(time), ev->us);
	if (strcmp(key, "metadata.name") == 0)
		return ev->name;
	if (strcmp(key, "reason") == 0)
		return ev->reason;
	if (strcmp(key, "type") == 0)
		return ev->warning ? "Warning" : "Normal";
	return NULL;
}

struct history {
	const struct flight_events *events;
	struct flight_selector *selector;
	struct flight_page page;
	int ascending;
	struct out items;
	const struct flight_event *next;
	int64_t remaining;
};

/* 1: the page begins at or after this one.  No two have one time. */
static int
is_on_page(const struct history *h, const struct flight_event *ev)
{
	int64_t us;

	if (h->page.nnames == 0)
		return 1;
	if (flight_time_parse(h->page.names[0], &us) == -1)
		return 1;
	return h->ascending ? ev->us >= us : ev->us <= us;
}

static void
collect(struct history *h)
{
	size_t i, at, n = 0, count = flight_events_count(h->events);
	const struct flight_event *ev;

	for (i = 0; i < count; i++) {
		at = h->ascending ? i : count - 1 - i;
		ev = flight_events_at(h->events, at);
		if (!is_on_page(h, ev) ||
		    (h->selector != NULL &&
			!flight_selects(h->selector, field, ev)))
			continue;
		if (n++ < h->page.limit) {
			flight_event_write(&h->items, ev);
			continue;
		}
		if (h->next == NULL)
			h->next = ev;
		h->remaining++;
	}
}

static void
send(struct history *h, struct web_req *req)
{
	struct out o = { 0 };
	const char *names[2];
	char time[40];

	out_open(&o, '{');
	out_member(&o, "apiVersion", "flightctl.io/v1beta1");
	out_key(&o, "items");
	out_open(&o, '[');
	if (h->items.len > 0)
		out_rawn(&o, h->items.p, h->items.len);
	out_close(&o, ']');
	out_member(&o, "kind", "EventList");
	out_key(&o, "metadata");
	out_open(&o, '{');
	if (h->next != NULL) {
		names[0] = flight_time(time, sizeof(time), h->next->us);
		names[1] = h->next->name;
		flight_page_write(&o, names, 2, h->remaining);
	}
	out_close(&o, '}');
	out_close(&o, '}');
	flight_answer(req, 200, &o);
}

void
flight_history(struct web_req *req, void *arg)
{
	struct flight *f = arg;
	struct history h = { .events = f->events };
	const char *order = web_query(req, "order");
	const char *text = web_query(req, "fieldSelector");
	char *error = NULL;

	if (!flight_may(f, req, "events", "list"))
		return;
	if (order != NULL && strcmp(order, "asc") != 0 &&
	    strcmp(order, "desc") != 0) {
		flight_refuse(req, 400,
		    "API Error: parameter \"order\" in "
		    "query has an error: value is not one of the allowed "
		    "values [\"asc\",\"desc\"]");
		return;
	}
	h.ascending = order != NULL && strcmp(order, "asc") == 0;
	if (flight_page_read(req, 2, &h.page) == -1)
		return;
	if (text != NULL && text[0] != '\0')
		h.selector = flight_select(FLIGHT_FIELDS, text, fields, &error);
	if (error != NULL) {
		flight_refuse(req, 400, error);
	} else {
		collect(&h);
		send(&h, req);
	}
	free(error);
	flight_selector_free(h.selector);
	out_free(&h.items);
	flight_page_clear(&h.page);
}
