/* SPDX-License-Identifier: ISC */
/*
 * flight_orders.c: what tests tell flightsim to do to devices.
 *
 * Owns the reading of arguments; each order is a call of the part that does
 * it.
 */
#include "t/sim/flight_orders.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/edge.h"
#include "t/sim/flight.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_devices.h"
#include "t/sim/flight_edges.h"
#include "t/sim/flight_fleets.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_odd.h"
#include "t/sim/flight_pause.h"
#include "t/sim/flight_polls.h"
#include "t/sim/flight_store.h"

int
flight_say(struct evbuffer *answer, const char *text)
{
	evbuffer_add_printf(answer, "%s", text);
	return -1;
}

int
flight_number(struct evbuffer *answer, const char *text, int64_t *v)
{
	char *end;

	errno = 0;
	*v = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0') {
		evbuffer_add_printf(answer, "%s: not a number", text);
		return -1;
	}
	return 0;
}

struct flight_device *
flight_named(struct flight *f, const char *name, struct evbuffer *answer)
{
	struct flight_device *d = flight_store_get(f->store, name);

	if (d == NULL)
		evbuffer_add_printf(answer, "%s: no such device", name);
	return d;
}

/* Calls fn for each device whose name fits; an error when none does. */
static int
each(struct flight *f, const char *glob, struct evbuffer *answer,
    void (*fn)(struct flight *, struct flight_device *, void *), void *arg)
{
	struct flight_device *d;
	size_t i, n = 0;

	for (i = 0; i < flight_store_count(f->store); i++) {
		d = flight_store_at(f->store, i);
		if (!flight_glob(glob, d->name))
			continue;
		fn(f, d, arg);
		n++;
	}
	if (n == 0)
		return flight_say(answer, "no such device");
	evbuffer_add_printf(answer, "%zu", n);
	return 0;
}

static void
connect_one(struct flight *f, struct flight_device *d, void *arg)
{
	flight_edge_connect(f, d, arg != NULL);
}

int
flight_order_disconnect(int argc, char **argv, struct evbuffer *answer,
    void *arg)
{
	(void)argc;
	return each(arg, argv[1], answer, connect_one, NULL);
}

int
flight_order_connect(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	(void)argc;
	return each(arg, argv[1], answer, connect_one, arg);
}

static void
apply_ms_one(struct flight *f, struct flight_device *d, void *arg)
{
	flight_edge_apply_ms(f, d, *(int64_t *)arg);
}

int
flight_order_apply_ms(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	int64_t ms;

	(void)argc;
	if (flight_number(answer, argv[2], &ms) == -1)
		return -1;
	return each(arg, argv[1], answer, apply_ms_one, &ms);
}

struct failing {
	const char *app;
	enum edge_mode mode;
};

static void
fail_one(struct flight *f, struct flight_device *d, void *arg)
{
	const struct failing *x = arg;

	flight_edge_fail(f, d, x->app, x->mode);
}

int
flight_order_fail_app(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct failing x = { argv[2], EDGE_OK };

	(void)argc;
	if (edge_mode_by_name(argv[3], &x.mode) == -1)
		return flight_say(answer,
		    "modes: rollback pull-hang error completed "
		    "crashloop ok");
	return each(arg, argv[1], answer, fail_one, &x);
}

static void
restart_one(struct flight *f, struct flight_device *d, void *arg)
{
	(void)arg;
	flight_edge_restart(f, d);
}

int
flight_order_agent_restart(int argc, char **argv, struct evbuffer *answer,
    void *arg)
{
	(void)argc;
	return each(arg, argv[1], answer, restart_one, NULL);
}

static void
flap_one(struct flight *f, struct flight_device *d, void *arg)
{
	(void)arg;
	flight_edge_flap(f, d);
}

int
flight_order_flap(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	(void)argc;
	return each(arg, argv[1], answer, flap_one, NULL);
}

int
flight_order_add_device(int argc, char **argv, struct evbuffer *answer,
    void *arg)
{
	struct flight_pairs labels = { 0 };
	struct flight *f = arg;
	int rc = 0;

	if (flight_store_get(f->store, argv[1]) != NULL)
		return flight_say(answer, "it is there already");
	if (argc > 2 && flight_pairs_parse(&labels, argv[2]) == -1)
		rc = flight_say(answer, "labels: k=v,k=v");
	else
		flight_edge_add(f, argv[1], &labels, 0);
	flight_pairs_clear(&labels);
	return rc;
}

int
flight_order_delete_device(int argc, char **argv, struct evbuffer *answer,
    void *arg)
{
	struct flight_device *d = flight_named(arg, argv[1], answer);

	(void)argc;
	if (d == NULL)
		return -1;
	flight_device_remove(arg, d);
	return 0;
}

int
flight_order_set_owner(int argc, char **argv, struct evbuffer *answer,
    void *arg)
{
	struct flight_device *d = flight_named(arg, argv[1], answer);
	char *owner;

	(void)argc;
	if (d == NULL)
		return -1;
	owner =
	    strcmp(argv[2], "-") == 0 ? NULL : xasprintf("Fleet/%s", argv[2]);
	flight_fleet_own(arg, d, owner);
	free(owner);
	return 0;
}

int
flight_order_decommission(int argc, char **argv, struct evbuffer *answer,
    void *arg)
{
	struct flight_device *d = flight_named(arg, argv[1], answer);

	(void)argc;
	if (d == NULL)
		return -1;
	if (flight_device_leave(arg, d, "Unenroll") == -1)
		return flight_say(answer, "it is decommissioned already");
	return 0;
}

int
flight_order_set_labels(int argc, char **argv, struct evbuffer *answer,
    void *arg)
{
	struct flight_device *d = flight_named(arg, argv[1], answer);
	struct flight_pairs labels = { 0 };

	if (d == NULL)
		return -1;
	if (argc > 2 && flight_pairs_parse(&labels, argv[2]) == -1) {
		flight_pairs_clear(&labels);
		return flight_say(answer, "labels: k=v,k=v");
	}
	flight_odd_labels(arg, d, &labels);
	flight_pairs_clear(&labels);
	return 0;
}

int
flight_order_foreign_app(int argc, char **argv, struct evbuffer *answer,
    void *arg)
{
	struct flight_device *d = flight_named(arg, argv[1], answer);

	if (d == NULL)
		return -1;
	if (flight_odd_foreign(arg, d, argc > 2 ? argv[2] : "foreign") == -1)
		return flight_say(answer, "its spec cannot take one");
	return 0;
}

int
flight_order_remove_app(int argc, char **argv, struct evbuffer *answer,
    void *arg)
{
	struct flight_device *d = flight_named(arg, argv[1], answer);

	(void)argc;
	if (d == NULL)
		return -1;
	if (flight_odd_remove(arg, d, argv[2]) == 0)
		return flight_say(answer, "no such application");
	return 0;
}

int
flight_order_oversize(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight_device *d = flight_named(arg, argv[1], answer);
	int64_t bytes;

	(void)argc;
	if (d == NULL || flight_number(answer, argv[2], &bytes) == -1)
		return -1;
	flight_odd_size(d, (size_t)bytes);
	return 0;
}

int
flight_order_garble(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight_device *d = flight_named(arg, argv[1], answer);

	(void)argc;
	if (d == NULL)
		return -1;
	flight_odd_types(d);
	return 0;
}

int
flight_order_heal(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight_device *d = flight_named(arg, argv[1], answer);

	(void)argc;
	if (d == NULL)
		return -1;
	free(d->override);
	d->override = NULL;
	return 0;
}

int
flight_order_await(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight_device *d = flight_named(arg, argv[1], answer);
	uint64_t back = argc < 3 ? 0 : strtoull(argv[2], NULL, 10);

	if (d == NULL)
		return -1;
	flight_await(arg, d, back);
	return 0;
}

int
flight_order_conflict(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight_device *d = flight_named(arg, argv[1], answer);

	(void)argc;
	if (d == NULL)
		return -1;
	flight_conflict(arg, d);
	return 0;
}

int
flight_order_age(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight_device *d = flight_named(arg, argv[1], answer);
	int64_t ms;

	(void)argc;
	if (d == NULL || flight_number(answer, argv[2], &ms) == -1)
		return -1;
	d->seen_us = d->heard_us = d->seen_us - ms * 1000;
	return 0;
}

int
flight_order_heartbeats(int argc, char **argv, struct evbuffer *answer,
    void *arg)
{
	(void)argc, (void)argv, (void)answer;
	flight_store_heartbeats(arg);
	return 0;
}

int
flight_order_remade(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	(void)argc, (void)argv, (void)arg;
	evbuffer_add_printf(answer, "%llu", (unsigned long long)edge_remade());
	return 0;
}

int
flight_order_look_out(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	(void)argc, (void)argv, (void)answer;
	flight_look_out(arg);
	return 0;
}
