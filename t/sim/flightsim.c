/* SPDX-License-Identifier: ISC */
/*
 * flightsim: the Flightctl service v1.2.0, simulated: user API and agent
 * endpoint over TLS on 127.0.0.1, and devices inside.
 *
 * Owns the command line and the order of start and end.  DIR gets ca.crt, the
 * tokens, enrol.crt and enrol.key, and at last env (as t/real/flight makes
 * it) and the control socket: when that is there, all is ready.
 */
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/why.h"
#include "common/xmem.h"
#include "t/sim/cert.h"
#include "t/sim/control.h"
#include "t/sim/flight.h"
#include "t/sim/flight_agent.h"
#include "t/sim/flight_api.h"
#include "t/sim/flight_auth.h"
#include "t/sim/flight_control.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_edges.h"
#include "t/sim/flight_enrol.h"
#include "t/sim/flight_events.h"
#include "t/sim/flight_faults.h"
#include "t/sim/flight_fleets.h"
#include "t/sim/flight_limit.h"
#include "t/sim/flight_polls.h"
#include "t/sim/flight_store.h"
#include "t/sim/flight_worker.h"
#include "t/sim/web.h"

enum {
	EVENTS_MAX = 200000,
	USAGE = 64
};

struct options {
	int64_t port, agent_port, devices, cores, memory_mb;
	const char *control, *port_file, *prefix, *labels, *rate;
};

int64_t
flight_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* --- command line -------------------------------------------------------- */

static struct options opt = { .prefix = "edge-",
	.labels = "fleet=edge-fleet-1",
	.rate = "off",
	.cores = 4,
	.memory_mb = 8192 };

static struct flight sim = { .conf = { .render_ms = 17,
				 .disconnect_ms = 300000,
				 .wait_ms = 120000,
				 .batch_ms = 15000,
				 .refuse_ms = 10000,
				 .patch_ms = 60,
				 .edge = { .apply_ms = 1000,
				     .status_ms = 2000,
				     .restart_ms = 5000,
				     .arch = "amd64" } } };

struct choice {
	const char *name;
	const char **word;
	int64_t *number;
	const char *what;
};

static const struct choice choices[] = {
	{ "dir", &sim.conf.dir, NULL,
	    "folder for certificates and tokens (required)" },
	{ "control", &opt.control, NULL, "command socket, DIR/control" },
	{ "port-file", &opt.port_file, NULL, "gets both ports" },
	{ "port", NULL, &opt.port, "user API, 0: any" },
	{ "agent-port", NULL, &opt.agent_port, "agent endpoint, 0: any" },
	{ "devices", NULL, &opt.devices, "how many run inside" },
	{ "device-prefix", &opt.prefix, NULL, "names are this and a number" },
	{ "labels", &opt.labels, NULL, "k=v,k=v of each device" },
	{ "arch", &sim.conf.edge.arch, NULL, "amd64, arm64" },
	{ "cores", NULL, &opt.cores, "of each device" },
	{ "memory-mb", NULL, &opt.memory_mb, "of each device" },
	{ "apply-ms", NULL, &sim.conf.edge.apply_ms,
	    "a version takes so long" },
	{ "status-interval-ms", NULL, &sim.conf.edge.status_ms,
	    "applications are reported so often, 0: at once" },
	{ "restart-ms", NULL, &sim.conf.edge.restart_ms,
	    "an agent's start takes so long" },
	{ "render-ms", NULL, &sim.conf.render_ms, "one event of the worker" },
	{ "patch-ms", NULL, &sim.conf.patch_ms,
	    "between read and write of a PATCH" },
	{ "disconnect-ms", NULL, &sim.conf.disconnect_ms,
	    "silence that means Unknown" },
	{ "wait-ms", NULL, &sim.conf.wait_ms, "a long poll without news" },
	{ "heartbeat-ms", NULL, &sim.conf.batch_ms,
	    "last polls are stored so often" },
	{ "refuse-ms", NULL, &sim.conf.refuse_ms,
	    "an expired token is refused after" },
	{ "rate", &opt.rate, NULL, "requests a minute, or off" },
};

enum {
	NCHOICES = sizeof(choices) / sizeof(choices[0])
};

static void
usage(void)
{
	size_t i;

	fprintf(stderr, "usage: flightsim --dir DIR [--OPTION VALUE ...]\n");
	for (i = 0; i < NCHOICES; i++)
		fprintf(stderr, "\t--%-20s%s\n", choices[i].name,
		    choices[i].what);
	exit(USAGE);
}

static int64_t
number(const char *name, const char *text)
{
	char *end;
	int64_t v;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || v < 0)
		errx(USAGE, "--%s %s: not a number", name, text);
	return v;
}

static void
choose(const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < NCHOICES; i++) {
		if (strcmp(name, choices[i].name) != 0)
			continue;
		if (choices[i].word != NULL)
			*choices[i].word = value;
		else
			*choices[i].number = number(name, value);
		return;
	}
	usage();
}

static void
read_options(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i += 2) {
		if (strncmp(argv[i], "--", 2) != 0 || i + 1 == argc)
			usage();
		choose(argv[i] + 2, argv[i + 1]);
	}
	if (sim.conf.dir == NULL || opt.port > 65535 ||
	    opt.agent_port > 65535 || sim.conf.disconnect_ms == 0)
		usage();
	if (strcmp(opt.rate, "off") != 0)
		number("rate", opt.rate);
	sim.conf.edge.cores = (int)opt.cores;
	sim.conf.edge.memory_kb = opt.memory_mb * 1024;
}

/* --- start --------------------------------------------------------------- */

static void
must(int ok, const struct why *why)
{
	if (!ok)
		errx(1, "%s", why->text);
}

static void
make_certificates(struct flight *f)
{
	struct why why;

	if (mkdir(f->conf.dir, 0700) == -1 && errno != EEXIST)
		err(1, "%s", f->conf.dir);
	f->ca = cert_ca_open(f->conf.dir, "ca", &why);
	must(f->ca != NULL, &why);
	f->client_ca = cert_ca_open(f->conf.dir, "client-signer", &why);
	must(f->client_ca != NULL, &why);
	must(cert_server(f->ca, f->conf.dir, "server", &why) == 0, &why);
	must(cert_client(f->client_ca, f->conf.dir, "enrol",
		 "client-enrollment-flightsim", NULL, &why) == 0,
	    &why);
}

static void
open_ports(struct flight *f, const struct options *o)
{
	static char cert[4096], key[4096], client[4096];
	static struct web_tls api = { .cert = cert, .key = key };
	static struct web_tls agent = { .cert = cert,
		.key = key,
		.client_ca = client,
		.client_must = 1 };
	struct why why;

	snprintf(cert, sizeof(cert), "%s/server.crt", f->conf.dir);
	snprintf(key, sizeof(key), "%s/server.key", f->conf.dir);
	snprintf(client, sizeof(client), "%s/client-signer.crt", f->conf.dir);
	f->api = flight_api_open(f, (uint16_t)o->port, &api, &why);
	must(f->api != NULL, &why);
	f->agent = flight_agent_open(f, (uint16_t)o->agent_port, &agent, &why);
	must(f->agent != NULL, &why);
}

static void
add_devices(struct flight *f, const struct options *o)
{
	struct flight_pairs labels = { 0 };
	int64_t i;
	char *name;

	if (flight_pairs_parse(&labels, o->labels) == -1)
		errx(USAGE, "--labels %s: k=v,k=v", o->labels);
	for (i = 0; i < o->devices; i++) {
		name = xasprintf("%s%" PRId64, o->prefix, i);
		if (flight_store_get(f->store, name) == NULL)
			flight_edge_add(f, name, &labels, 1);
		free(name);
	}
	flight_pairs_clear(&labels);
}

/* Written beside and renamed, so that a reader sees all or nothing. */
static void
write_file(const char *path, const char *text)
{
	char *fresh = xasprintf("%s.new", path);
	FILE *fp = fopen(fresh, "we");

	if (fp == NULL || fputs(text, fp) == EOF || fclose(fp) == EOF ||
	    rename(fresh, path) == -1)
		err(1, "%s", path);
	free(fresh);
}

static void
describe(const struct flight *f, const struct options *o)
{
	unsigned int api = web_port(f->api), agent = web_port(f->agent);
	const char *dir = f->conf.dir;
	char *path = xasprintf("%s/env", dir), *text;

	text = xasprintf("export FLIGHTCTL_API_URL=https://127.0.0.1:%u\n"
			 "export FLIGHTCTL_CA_FILE=%s/ca.crt\n"
			 "export FLIGHTCTL_AUTH_TOKEN_FILE=%s/provider.token\n"
			 "export FC_ADMIN_TOKEN_FILE=%s/admin.token\n"
			 "export FC_VIEWER_TOKEN_FILE=%s/viewer.token\n"
			 "export FC_AGENT_URL=https://127.0.0.1:%u\n"
			 "export FC_ENROL_CERT=%s/enrol.crt\n"
			 "export FC_ENROL_KEY=%s/enrol.key\n"
			 "export FC_DIR=%s\n",
	    api, dir, dir, dir, dir, agent, dir, dir, dir);
	write_file(path, text);
	free(text);
	free(path);
	if (o->port_file == NULL)
		return;
	text = xasprintf("%u %u\n", api, agent);
	write_file(o->port_file, text);
	free(text);
}

static void
start(struct flight *f, const struct options *o)
{
	struct why why;

	f->base = event_base_new();
	f->store = flight_store_new();
	f->events = flight_events_new(EVENTS_MAX);
	f->worker = flight_worker_new(f);
	f->polls = flight_polls_new(f);
	f->fleets = flight_fleets_new();
	f->enrol = flight_enrol_new();
	f->limit = flight_limit_new();
	f->faults = flight_faults_new(f);
	make_certificates(f);
	must(flight_auth_new(f, &why) != NULL, &why);
	if (strcmp(o->rate, "off") != 0)
		flight_limit_set(f, (unsigned int)number("rate", o->rate),
		    60000, 20, 3600000);
	add_devices(f, o);
	open_ports(f, o);
	describe(f, o);
}

static void
finish(struct flight *f)
{
	size_t i;

	for (i = 0; i < flight_store_count(f->store); i++)
		flight_edge_remove(flight_store_at(f->store, i));
	flight_faults_free(f->faults);
	flight_polls_free(f->polls);
	web_free(f->api);
	web_free(f->agent);
	flight_worker_free(f->worker);
	flight_store_free(f->store);
	flight_events_free(f->events);
	flight_fleets_free(f->fleets);
	flight_enrol_free(f->enrol);
	flight_auth_free(f->auth);
	flight_limit_free(f->limit);
	cert_ca_free(f->ca);
	cert_ca_free(f->client_ca);
	event_base_free(f->base);
}

static void
on_signal(evutil_socket_t fd, short what, void *base)
{
	(void)fd, (void)what;
	event_base_loopbreak(base);
}

int
main(int argc, char **argv)
{
	struct event *term, *intr;
	struct control *control;
	struct why why;
	char *path;

	read_options(argc, argv);
	start(&sim, &opt);
	term = evsignal_new(sim.base, SIGTERM, on_signal, sim.base);
	intr = evsignal_new(sim.base, SIGINT, on_signal, sim.base);
	event_add(term, NULL);
	event_add(intr, NULL);
	path = opt.control != NULL ? xstrdup(opt.control) :
				     xasprintf("%s/control", sim.conf.dir);
	control = control_new(sim.base, path, flight_commands, &sim, &why);
	must(control != NULL, &why);
	event_base_dispatch(sim.base);
	control_free(control);
	event_free(term);
	event_free(intr);
	free(path);
	finish(&sim);
	return 0;
}
