/* SPDX-License-Identifier: ISC */
/*
 * flight_read.c: lists and reads of devices.
 *
 * Owns the field selectors of devices and the form of DeviceList.  Changes
 * nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/flight.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_devices.h"
#include "t/sim/flight_http.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_list.h"
#include "t/sim/flight_polls.h"
#include "t/sim/flight_select.h"
#include "t/sim/flight_store.h"
#include "t/sim/web.h"

static const struct flight_field fields[] = {
	{ "metadata.alias", FLIGHT_STRING },
	{ "metadata.annotations", FLIGHT_PRIVATE },
	{ "metadata.creationTimestamp", FLIGHT_TIME },
	{ "metadata.labels", FLIGHT_PRIVATE },
	{ "metadata.name", FLIGHT_STRING },
	{ "metadata.nameOrAlias", FLIGHT_STRING },
	{ "metadata.owner", FLIGHT_STRING },
	{ "status.applicationsSummary.status", FLIGHT_WORD },
	{ "status.lifecycle.status", FLIGHT_WORD },
	{ "status.summary.status", FLIGHT_WORD },
	{ "status.updated.status", FLIGHT_WORD },
	{ NULL, FLIGHT_STRING },
};

/* The time's text lives until the next one is asked for. */
static const char *
field(const char *key, const void *object)
{
	const struct flight_device *d = object;
	static char time[40];

	if (strcmp(key, "metadata.name") == 0)
		return d->name;
	if (strcmp(key, "metadata.alias") == 0)
		return flight_pairs_get(&d->labels, "alias");
	if (strcmp(key, "metadata.owner") == 0)
		return d->owner;
	if (strcmp(key, "metadata.creationTimestamp") == 0)
		return flight_time(time, sizeof(time), d->created_us);
	if (strcmp(key, "status.applicationsSummary.status") == 0)
		return d->apps.status;
	if (strcmp(key, "status.lifecycle.status") == 0)
		return d->lifecycle.status;
	if (strcmp(key, "status.summary.status") == 0)
		return d->summary.status;
	return d->updated.status;
}

static const char *
label(const char *key, const void *object)
{
	const struct flight_device *d = object;

	return flight_pairs_get(&d->labels, key);
}

int
flight_device_selectors(struct web_req *req, const char *labels,
    const char *texts, struct flight_selector **by_label,
    struct flight_selector **by_field)
{
	char *error = NULL;

	*by_label = *by_field = NULL;
	if (labels != NULL)
		*by_label = flight_select(FLIGHT_LABELS, labels, NULL, &error);
	if (error == NULL && texts != NULL && texts[0] != '\0')
		*by_field = flight_select(FLIGHT_FIELDS, texts, fields, &error);
	if (error == NULL)
		return 0;
	flight_selector_free(*by_label);
	*by_label = NULL;
	flight_refuse(req, 400, error);
	free(error);
	return -1;
}

int
flight_device_selected(const struct flight_selector *labels,
    const struct flight_selector *by_field, const struct flight_device *d)
{
	return (labels == NULL || flight_selects(labels, label, d)) &&
	    (by_field == NULL || flight_selects(by_field, field, d));
}

/* --- the list ------------------------------------------------------------ */

struct list {
	struct flight *flight;
	struct flight_selector *labels, *fields;
	struct flight_page page;
	struct flight_summary summary;
	struct out items;
	const char *next; /* first name that does not fit the page */
	int64_t remaining;
};

static void
collect(struct list *l, int only_summary)
{
	const struct flight_store *s = l->flight->store;
	const struct flight_device *d;
	size_t i, n = 0, count = flight_store_count(s);

	i = l->page.nnames == 0 ? 0 : flight_store_from(s, l->page.names[0]);
	for (; i < count; i++) {
		d = flight_store_at(s, i);
		if (!flight_device_selected(l->labels, l->fields, d))
			continue;
		if (n == l->page.limit && !only_summary) {
			if (l->next == NULL)
				l->next = d->name;
			l->remaining++;
			if (l->page.nnames > 0)
				break; /* later pages estimate */
			continue;
		}
		n++;
		flight_summary_add(&l->summary, d);
		if (!only_summary)
			flight_device_write(&l->items, d);
	}
	if (l->page.nnames > 0 && l->next != NULL)
		l->remaining =
		    l->page.count > (int64_t)n ? l->page.count - (int64_t)n : 1;
}

static void
send_list(struct list *l, struct web_req *req)
{
	struct out o = { 0 };

	out_open(&o, '{');
	out_member(&o, "apiVersion", "flightctl.io/v1beta1");
	out_key(&o, "items");
	out_open(&o, '[');
	if (l->items.len > 0)
		out_rawn(&o, l->items.p, l->items.len);
	out_close(&o, ']');
	out_member(&o, "kind", "DeviceList");
	out_key(&o, "metadata");
	out_open(&o, '{');
	if (l->next != NULL)
		flight_page_write(&o, &l->next, 1, l->remaining);
	out_close(&o, '}');
	out_key(&o, "summary");
	flight_summary_write(&o, &l->summary);
	out_close(&o, '}');
	flight_answer(req, 200, &o);
}

static int
is_true(struct web_req *req, const char *key)
{
	const char *v = web_query(req, key);

	return v != NULL && strcmp(v, "true") == 0;
}

void
flight_devices_list(struct web_req *req, void *arg)
{
	struct list l = { .flight = arg };
	const char *labels = web_query(req, "labelSelector");
	int summary = is_true(req, "summaryOnly");

	if (!flight_may(arg, req, "devices", "list"))
		return;
	if (labels != NULL && labels[0] == '\0') {
		flight_refuse(req, 400,
		    "API Error: parameter "
		    "\"labelSelector\" in query has an error: empty value is "
		    "not allowed");
		return;
	}
	if (flight_page_read(req, 1, &l.page) == -1)
		return;
	if (summary &&
	    (web_query(req, "limit") != NULL ||
		web_query(req, "continue") != NULL)) {
		flight_refuse(req, 400,
		    "parameters such as 'limit', and "
		    "'continue' are not supported when 'summaryOnly' is true");
	} else if (flight_device_selectors(req, labels,
		       web_query(req, "fieldSelector"), &l.labels,
		       &l.fields) == 0) {
		collect(&l, summary);
		send_list(&l, req);
	}
	flight_selector_free(l.labels);
	flight_selector_free(l.fields);
	out_free(&l.items);
	flight_page_clear(&l.page);
}

/* --- single ones --------------------------------------------------------- */

static struct flight_device *
wanted(struct flight *f, struct web_req *req, const char *resource)
{
	const char *name = web_capture(req, "name");
	struct flight_device *d;

	if (!flight_may(f, req, resource, "get"))
		return NULL;
	if ((d = flight_store_get(f->store, name)) == NULL)
		flight_not_found(req, "Device", name);
	return d;
}

void
flight_devices_get(struct web_req *req, void *arg)
{
	const struct flight_device *d = wanted(arg, req, "devices");

	if (d != NULL)
		flight_answer_device(req, 200, d);
}

void
flight_devices_status(struct web_req *req, void *arg)
{
	const struct flight_device *d = wanted(arg, req, "devices/status");

	if (d != NULL)
		flight_answer_device(req, 200, d);
}

void
flight_devices_lastseen(struct web_req *req, void *arg)
{
	const struct flight_device *d = wanted(arg, req, "devices/lastseen");
	struct out o = { 0 };

	if (d == NULL)
		return;
	if (d->seen_us == 0) {
		flight_answer(req, 204, NULL);
		return;
	}
	out_open(&o, '{');
	out_key(&o, "lastSeen");
	out_time(&o, d->seen_us);
	out_close(&o, '}');
	flight_answer(req, 200, &o);
}

void
flight_devices_rendered(struct web_req *req, void *arg)
{
	struct flight_device *d = wanted(arg, req, "devices/rendered");

	if (d != NULL)
		flight_poll(arg, d, req, 0);
}

void
flight_labels_list(struct web_req *req, void *arg)
{
	struct flight *f = arg;
	struct flight_pairs all = { 0 };
	const struct flight_device *d;
	struct out o = { 0 };
	size_t i, j;
	char *text;

	if (!flight_may(f, req, "labels", "list"))
		return;
	for (i = 0; i < flight_store_count(f->store); i++) {
		d = flight_store_at(f->store, i);
		for (j = 0; j < d->labels.n; j++) {
			text = xasprintf("%s=%s", d->labels.v[j].key,
			    d->labels.v[j].value);
			flight_pairs_set(&all, text, "");
			free(text);
		}
	}
	out_open(&o, '[');
	for (i = 0; i < all.n; i++)
		out_str(&o, all.v[i].key);
	out_close(&o, ']');
	flight_pairs_clear(&all);
	flight_answer(req, 200, &o);
}
