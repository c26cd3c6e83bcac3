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
#include <stdlib.h>
#include <string.h>

#include "common/why.h"
#include "t/sim/flight.h"
#include "t/sim/flight_auth.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_diary.h"
#include "t/sim/flight_faults.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_limit.h"
#include "t/sim/flight_odd.h"
#include "t/sim/flight_orders.h"
#include "t/sim/flight_polls.h"
#include "t/sim/flight_store.h"
#include "t/sim/flight_worker.h"
#include "t/sim/web.h"

static int
cmd_hang(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	if (argc > 1 && strcmp(argv[1], "off") != 0)
		return flight_say(answer, "hang [off]");
	flight_hang(arg, argc == 1);
	return 0;
}

static int
cmd_say_back(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight *f = arg;

	(void)argv, (void)answer;
	web_say_back(f->api, argc == 1);
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
		return flight_say(answer, why.text);
	return 0;
}

static int
cmd_latency(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight *f = arg;

	(void)argc;
	return flight_number(answer, argv[1], &f->conf.latency_ms);
}

static int
cmd_fail_next(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	int64_t code, n;

	(void)argc;
	if (flight_number(answer, argv[3], &code) == -1 ||
	    flight_number(answer, argv[4], &n) == -1)
		return -1;
	if (code < 200 || code > 599 || n < 1)
		return flight_say(answer, "status 200 to 599, count from 1");
	flight_fail_next(arg, argv[1], argv[2], (int)code, (unsigned int)n);
	return 0;
}

static int
cmd_cut_next(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	int64_t bytes, n = 1;

	if (flight_number(answer, argv[3], &bytes) == -1 ||
	    (argc > 4 && flight_number(answer, argv[4], &n) == -1))
		return -1;
	if (bytes < 0 || n < 1)
		return flight_say(answer, "bytes from 0, count from 1");
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
	else if (flight_number(answer, argv[1], &ms) == -1)
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
	if (flight_number(answer, argv[1], &n) == -1 ||
	    (argc > 2 && flight_number(answer, argv[2], &window) == -1) ||
	    (argc > 3 && flight_number(answer, argv[3], &auth) == -1) ||
	    (argc > 4 && flight_number(answer, argv[4], &auth_window) == -1))
		return -1;
	if (n < 1 || window < 1000 || auth < 0 || auth_window < 1000)
		return flight_say(answer, "N from 1, windows from 1000 ms");
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

	if (flight_auth_renew(arg, argc > 1 ? argv[1] : NULL, 0, &why) == -1)
		return flight_say(answer, why.text);
	return 0;
}

static int
cmd_short_token(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct why why;
	int64_t seconds;

	(void)argc;
	if (flight_number(answer, argv[1], &seconds) == -1)
		return -1;
	if (seconds < 1)
		return flight_say(answer, "from 1 second");
	if (flight_auth_renew(arg, NULL, seconds, &why) == -1)
		return flight_say(answer, why.text);
	return 0;
}

static int
cmd_distrust(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	if (argc > 1 && strcmp(argv[1], "off") != 0)
		return flight_say(answer, "distrust [off]");
	flight_auth_distrust(arg, argc == 1);
	return 0;
}

static int
cmd_refuse_ms(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct flight *f = arg;

	(void)argc;
	return flight_number(answer, argv[1], &f->conf.refuse_ms);
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
cmd_history(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	(void)argc;
	if (flight_history_to(arg,
		strcmp(argv[1], "off") == 0 ? NULL : argv[1]) == 0)
		return 0;
	evbuffer_add_printf(answer, "%s: cannot be written", argv[1]);
	return -1;
}

static int
cmd_dump(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	const struct flight_device *d = flight_named(arg, argv[1], answer);
	struct out o = { 0 };

	(void)argc;
	if (d == NULL)
		return -1;
	flight_device_write(&o, d);
	give(answer, &o);
	return 0;
}

static int
cmd_diary(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	(void)argc;
	if (flight_diary_open(arg,
		strcmp(argv[1], "off") == 0 ? NULL : argv[1]) == -1)
		return flight_say(answer, strerror(errno));
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
	{ "disconnect", 1, 1, flight_order_disconnect,
	    "disconnect GLOB: devices poll and push no more" },
	{ "connect", 1, 1, flight_order_connect,
	    "connect GLOB: and do so again" },
	{ "apply-ms", 2, 2, flight_order_apply_ms,
	    "apply-ms GLOB MS: a version takes so long" },
	{ "fail-app", 3, 3, flight_order_fail_app,
	    "fail-app GLOB APPGLOB MODE: "
	    "rollback pull-hang error completed crashloop ok" },
	{ "agent-restart", 1, 1, flight_order_agent_restart,
	    "agent-restart GLOB: no applications, then Unknown, then truth" },
	{ "flap", 1, 1, flight_order_flap,
	    "flap GLOB: Unknown for half a second, then Online" },
	{ "add-device", 1, 2, flight_order_add_device,
	    "add-device NAME [LABELS]: one enrols" },
	{ "delete-device", 1, 1, flight_order_delete_device,
	    "delete-device NAME: the object and its agent" },
	{ "set-owner", 2, 2, flight_order_set_owner,
	    "set-owner NAME FLEET: or - for none" },
	{ "decommission", 1, 1, flight_order_decommission,
	    "decommission NAME" },
	{ "set-labels", 1, 2, flight_order_set_labels,
	    "set-labels NAME [LABELS]: replaced as a whole" },
	{ "foreign-app", 1, 2, flight_order_foreign_app,
	    "foreign-app NAME [APP]: another writer adds one" },
	{ "remove-app", 2, 2, flight_order_remove_app,
	    "remove-app NAME APPGLOB: another writer takes some away" },
	{ "oversize-device", 2, 2, flight_order_oversize,
	    "oversize-device NAME BYTES: its object is that large" },
	{ "garble-device", 1, 1, flight_order_garble,
	    "garble-device NAME: its object has wrong types" },
	{ "heal-device", 1, 1, flight_order_heal,
	    "heal-device NAME: ends oversize and garble" },
	{ "await-reconnect", 1, 2, flight_order_await,
	    "await-reconnect NAME [VERSIONS]: restored, so much older" },
	{ "conflict-pause", 1, 1, flight_order_conflict,
	    "conflict-pause NAME: until POST /deviceactions/resume" },
	{ "age", 2, 2, flight_order_age,
	    "age NAME MS: it was last seen that much earlier" },
	{ "heartbeats", 0, 0, flight_order_heartbeats,
	    "heartbeats: the last polls are stored now" },
	{ "remade", 0, 0, flight_order_remade,
	    "remade: how many running applications got other bytes" },
	{ "look-out", 0, 0, flight_order_look_out,
	    "look-out: who fell silent is found now" },
	{ "hang", 0, 1, cmd_hang, "hang [off]: requests wait" },
	{ "say-back", 0, 1, cmd_say_back,
	    "say-back [off]: each error repeats the request's token" },
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
	{ "short-token", 1, 1, cmd_short_token,
	    "short-token SECONDS: a new one that expires so soon" },
	{ "distrust", 0, 1, cmd_distrust,
	    "distrust [off]: all tokens but the administrator's expire" },
	{ "refuse-ms", 1, 1, cmd_refuse_ms,
	    "refuse-ms MS: an expired token is refused after" },
	{ "counts", 0, 0, cmd_counts,
	    "counts: requests by verb and path pattern" },
	{ "reset-counts", 0, 0, cmd_reset_counts, "reset-counts" },
	{ "history", 1, 1, cmd_history,
	    "history FILE|off: append each request's method and target" },
	{ "dump", 1, 1, cmd_dump, "dump NAME: the device as GET has it" },
	{ "diary", 1, 1, cmd_diary,
	    "diary FILE|off: append what devices are to run and report" },
	{ "summary", 0, 0, cmd_summary,
	    "summary: devices and applications by state" },
	{ "stop", 0, 0, cmd_stop, "stop: the simulator ends" },
	{ NULL, 0, 0, NULL, NULL },
};
