/* SPDX-License-Identifier: ISC */
/*
 * flight_control.c: what tests tell flightsim.
 *
 * Owns the words; each command is a call of the part that does it.
 */
#include "t/sim/flight_control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/why.h"
#include "common/xmem.h"
#include "t/sim/flight.h"
#include "t/sim/flight_auth.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_devices.h"
#include "t/sim/flight_edges.h"
#include "t/sim/flight_faults.h"
#include "t/sim/flight_fleets.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_limit.h"
#include "t/sim/flight_odd.h"
#include "t/sim/flight_pause.h"
#include "t/sim/flight_store.h"
#include "t/sim/flight_worker.h"
#include "t/sim/web.h"

static int
say(struct evbuffer *answer, const char *text)
{
	evbuffer_add_printf(answer, "%s", text);
	return -1;
}

static int
number(struct evbuffer *answer, const char *text, int64_t *v)
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

static struct flight_device *
device(struct flight *f, const char *name, struct evbuffer *answer)
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
		return say(answer, "no such device");
	evbuffer_add_printf(answer, "%zu", n);
	return 0;
}

/* --- devices ------------------------------------------------------------- */

static void
connect_one(struct flight *f, struct flight_device *d, void *arg)
{
	flight_edge_connect(f, d, arg != NULL);
}

static int
cmd_disconnect(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	(void)argc;
	return each(arg, argv[1], answer, connect_one, NULL);
}

static int
cmd_connect(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	(void)argc;
	return each(arg, argv[1], answer, connect_one, arg);
}

static void
apply_ms_one(struct flight *f, struct flight_device *d, void *arg)
{
	flight_edge_apply_ms(f, d, *(int64_t *)arg);
}

static int
cmd_apply_ms(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	int64_t ms;

	(void)argc;
	if (number(answer, argv[2], &ms) == -1)
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

static int
cmd_fail_app(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct failing x = { argv[2], EDGE_OK };

	(void)argc;
	if (edge_mode_by_name(argv[3], &x.mode) == -1)
		return say(answer,
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

static int
cmd_agent_restart(int argc, char **argv, struct evbuffer *answer, void *arg)
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

static int
cmd_flap(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	(void)argc;
	return each(arg, argv[1], answer, flap_one, NULL);
}

static int
cmd_add_device(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight_pairs labels = { 0 };
	struct flight *f = arg;
	int rc = 0;

	if (flight_store_get(f->store, argv[1]) != NULL)
		return say(answer, "it is there already");
	if (argc > 2 && flight_pairs_parse(&labels, argv[2]) == -1)
		rc = say(answer, "labels: k=v,k=v");
	else
		flight_edge_add(f, argv[1], &labels, 0);
	flight_pairs_clear(&labels);
	return rc;
}

static int
cmd_delete_device(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight_device *d = device(arg, argv[1], answer);

	(void)argc;
	if (d == NULL)
		return -1;
	flight_device_remove(arg, d);
	return 0;
}

static int
cmd_set_owner(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight_device *d = device(arg, argv[1], answer);
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

static int
cmd_decommission(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight_device *d = device(arg, argv[1], answer);

	(void)argc;
	if (d == NULL)
		return -1;
	if (flight_device_leave(arg, d, "Unenroll") == -1)
		return say(answer, "it is decommissioned already");
	return 0;
}

static int
cmd_set_labels(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight_device *d = device(arg, argv[1], answer);
	struct flight_pairs labels = { 0 };

	if (d == NULL)
		return -1;
	if (argc > 2 && flight_pairs_parse(&labels, argv[2]) == -1) {
		flight_pairs_clear(&labels);
		return say(answer, "labels: k=v,k=v");
	}
	flight_odd_labels(arg, d, &labels);
	flight_pairs_clear(&labels);
	return 0;
}

static int
cmd_foreign_app(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight_device *d = device(arg, argv[1], answer);

	if (d == NULL)
		return -1;
	if (flight_odd_foreign(arg, d, argc > 2 ? argv[2] : "foreign") == -1)
		return say(answer, "its spec cannot take one");
	return 0;
}

static int
cmd_remove_app(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight_device *d = device(arg, argv[1], answer);

	(void)argc;
	if (d == NULL)
		return -1;
	if (flight_odd_remove(arg, d, argv[2]) == 0)
		return say(answer, "no such application");
	return 0;
}

static int
cmd_oversize(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight_device *d = device(arg, argv[1], answer);
	int64_t bytes;

	(void)argc;
	if (d == NULL || number(answer, argv[2], &bytes) == -1)
		return -1;
	flight_odd_size(d, (size_t)bytes);
	return 0;
}

static int
cmd_garble(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight_device *d = device(arg, argv[1], answer);

	(void)argc;
	if (d == NULL)
		return -1;
	flight_odd_types(d);
	return 0;
}

static int
cmd_heal(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight_device *d = device(arg, argv[1], answer);

	(void)argc;
	if (d == NULL)
		return -1;
	free(d->override);
	d->override = NULL;
	return 0;
}

static int
cmd_await(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight_device *d = device(arg, argv[1], answer);

	(void)argc;
	if (d == NULL)
		return -1;
	flight_await(arg, d);
	return 0;
}

static int
cmd_conflict(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight_device *d = device(arg, argv[1], answer);

	(void)argc;
	if (d == NULL)
		return -1;
	flight_conflict(arg, d);
	return 0;
}

/* --- the service --------------------------------------------------------- */

static int
cmd_hang(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	if (argc > 1 && strcmp(argv[1], "off") != 0)
		return say(answer, "hang [off]");
	flight_hang(arg, argc == 1);
	return 0;
}

static int
cmd_down(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight *f = arg;

	(void)argc, (void)argv, (void)answer;
	web_down(f->api);
	web_down(f->agent);
	return 0;
}

static int
cmd_up(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight *f = arg;
	struct why why;

	(void)argc, (void)argv;
	flight_hang(f, 0);
	if (web_up(f->api, &why) == -1 || web_up(f->agent, &why) == -1)
		return say(answer, why.text);
	return 0;
}

static int
cmd_latency(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight *f = arg;

	(void)argc;
	return number(answer, argv[1], &f->conf.latency_ms);
}

static int
cmd_fail_next(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	int64_t code, n;

	(void)argc;
	if (number(answer, argv[3], &code) == -1 ||
	    number(answer, argv[4], &n) == -1)
		return -1;
	if (code < 400 || code > 599 || n < 1)
		return say(answer, "status 400 to 599, count from 1");
	flight_fail_next(arg, argv[1], argv[2], (int)code, (unsigned int)n);
	return 0;
}

static int
cmd_cut_next(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	int64_t bytes, n = 1;

	if (number(answer, argv[3], &bytes) == -1 ||
	    (argc > 4 && number(answer, argv[4], &n) == -1))
		return -1;
	if (bytes < 0 || n < 1)
		return say(answer, "bytes from 0, count from 1");
	flight_cut_next(arg, argv[1], argv[2], (size_t)bytes, (unsigned int)n);
	return 0;
}

static int
cmd_render_delay(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	int64_t ms;

	(void)argc;
	if (strcmp(argv[1], "off") == 0)
		ms = -1;
	else if (number(answer, argv[1], &ms) == -1)
		return -1;
	flight_worker_pace(arg, ms);
	return 0;
}

static int
cmd_rate(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	int64_t n, window = 60000, auth = 20, auth_window = 3600000;

	if (strcmp(argv[1], "off") == 0) {
		flight_limit_set(arg, 0, 60000, 0, 60000);
		return 0;
	}
	if (number(answer, argv[1], &n) == -1 ||
	    (argc > 2 && number(answer, argv[2], &window) == -1) ||
	    (argc > 3 && number(answer, argv[3], &auth) == -1) ||
	    (argc > 4 && number(answer, argv[4], &auth_window) == -1))
		return -1;
	if (n < 1 || window < 1000 || auth < 0 || auth_window < 1000)
		return say(answer, "N from 1, windows from 1000 ms");
	flight_limit_set(arg, (unsigned int)n, window, (unsigned int)auth,
	    auth_window);
	return 0;
}

static int
cmd_expire(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	(void)argc, (void)argv, (void)answer;
	flight_auth_expire(arg);
	return 0;
}

static int
cmd_token(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct why why;

	if (flight_auth_renew(arg, argc > 1 ? argv[1] : NULL, &why) == -1)
		return say(answer, why.text);
	return 0;
}

/* --- questions ----------------------------------------------------------- */

static void
give(struct evbuffer *answer, struct out *o)
{
	evbuffer_add(answer, o->p, o->len);
	out_free(o);
}

static int
cmd_counts(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct out o = { 0 };

	(void)argc, (void)argv;
	flight_counts_write(&o, arg);
	give(answer, &o);
	return 0;
}

static int
cmd_reset_counts(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	(void)argc, (void)argv, (void)answer;
	flight_counts_reset(arg);
	return 0;
}

static int
cmd_dump(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	const struct flight_device *d = device(arg, argv[1], answer);
	struct out o = { 0 };

	(void)argc;
	if (d == NULL)
		return -1;
	flight_device_write(&o, d);
	give(answer, &o);
	return 0;
}

static int
cmd_summary(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct out o = { 0 };

	(void)argc, (void)argv;
	flight_odd_summary(&o, arg);
	give(answer, &o);
	return 0;
}

static int
cmd_stop(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	const struct timeval soon = { 0, 50000 }; /* the answer goes first */
	struct flight *f = arg;

	(void)argc, (void)argv, (void)answer;
	event_base_loopexit(f->base, &soon);
	return 0;
}

const struct control_cmd flight_commands[] = {
	{ "disconnect", 1, 1, cmd_disconnect,
	    "disconnect GLOB: devices poll and push no more" },
	{ "connect", 1, 1, cmd_connect, "connect GLOB: and do so again" },
	{ "apply-ms", 2, 2, cmd_apply_ms,
	    "apply-ms GLOB MS: a version takes so long" },
	{ "fail-app", 3, 3, cmd_fail_app,
	    "fail-app GLOB APPGLOB MODE: "
	    "rollback pull-hang error completed crashloop ok" },
	{ "agent-restart", 1, 1, cmd_agent_restart,
	    "agent-restart GLOB: no applications, then Unknown, then truth" },
	{ "flap", 1, 1, cmd_flap,
	    "flap GLOB: Unknown for half a second, then Online" },
	{ "add-device", 1, 2, cmd_add_device,
	    "add-device NAME [LABELS]: one enrols" },
	{ "delete-device", 1, 1, cmd_delete_device,
	    "delete-device NAME: the object and its agent" },
	{ "set-owner", 2, 2, cmd_set_owner,
	    "set-owner NAME FLEET: or - for none" },
	{ "decommission", 1, 1, cmd_decommission, "decommission NAME" },
	{ "set-labels", 1, 2, cmd_set_labels,
	    "set-labels NAME [LABELS]: replaced as a whole" },
	{ "foreign-app", 1, 2, cmd_foreign_app,
	    "foreign-app NAME [APP]: another writer adds one" },
	{ "remove-app", 2, 2, cmd_remove_app,
	    "remove-app NAME APPGLOB: another writer takes some away" },
	{ "oversize-device", 2, 2, cmd_oversize,
	    "oversize-device NAME BYTES: its object is that large" },
	{ "garble-device", 1, 1, cmd_garble,
	    "garble-device NAME: its object has wrong types" },
	{ "heal-device", 1, 1, cmd_heal,
	    "heal-device NAME: ends oversize and garble" },
	{ "await-reconnect", 1, 1, cmd_await,
	    "await-reconnect NAME: as after a restored database" },
	{ "conflict-pause", 1, 1, cmd_conflict,
	    "conflict-pause NAME: until POST /deviceactions/resume" },
	{ "hang", 0, 1, cmd_hang, "hang [off]: requests wait" },
	{ "down", 0, 0, cmd_down, "down: both ports refuse" },
	{ "up", 0, 0, cmd_up, "up: ends down and hang" },
	{ "latency", 1, 1, cmd_latency, "latency MS: of each answer" },
	{ "fail-next", 4, 4, cmd_fail_next,
	    "fail-next METHOD PATHGLOB CODE COUNT: method * is any" },
	{ "cut-next", 3, 4, cmd_cut_next,
	    "cut-next METHOD PATHGLOB BYTES [COUNT]: cut after so many" },
	{ "render-delay", 1, 1, cmd_render_delay,
	    "render-delay MS: or off, the worker stands" },
	{ "rate", 1, 4, cmd_rate,
	    "rate N [WINDOW-MS [AUTH-N [AUTH-WINDOW-MS]]]: or off" },
	{ "expire-tokens", 0, 0, cmd_expire, "expire-tokens: all of now" },
	{ "token", 0, 1, cmd_token,
	    "token [TEXT]: a new one in DIR/provider.token" },
	{ "counts", 0, 0, cmd_counts,
	    "counts: requests by verb and path pattern" },
	{ "reset-counts", 0, 0, cmd_reset_counts, "reset-counts" },
	{ "dump", 1, 1, cmd_dump, "dump NAME: the device as GET has it" },
	{ "summary", 0, 0, cmd_summary,
	    "summary: devices and applications by state" },
	{ "stop", 0, 0, cmd_stop, "stop: the simulator ends" },
	{ NULL, 0, 0, NULL, NULL },
};
