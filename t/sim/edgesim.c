/* SPDX-License-Identifier: ISC */
/*
 * edgesim: simulated devices as clients of an agent endpoint, of flightsim or
 * of the real service.
 *
 * Owns the command line, the set of devices and the control commands.  Keys
 * and certificates stay in DIR, so that a second start enrols nothing.
 */
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/https.h"
#include "common/log.h"
#include "common/why.h"
#include "common/xmem.h"
#include "t/sim/control.h"
#include "t/sim/edge_client.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_json.h"

enum {
	USAGE = 64,
	MIN_NAME = 16, /* the service takes no shorter ones */
};

static struct {
	struct edge_site site;
	const char *api, *admin_token, *enrol_cert, *enrol_key;
	const char *prefix, *labels, *control;
	int64_t count, cores, memory_mb;
	struct edge_client **clients;
	size_t n, online;
} sim;

/* --- command line -------------------------------------------------------- */

struct option {
	const char *name;
	const char **word;
	int64_t *number;
	const char *what;
};

static const struct option options[] = {
	{ "api", &sim.api, NULL, "user API, for approvals" },
	{ "agent", &sim.site.agent_url, NULL, "agent endpoint" },
	{ "ca", &sim.site.ca_file, NULL, "certificate of both" },
	{ "admin-token", &sim.admin_token, NULL, "file with a token" },
	{ "enrol-cert", &sim.enrol_cert, NULL, "certificate to enrol with" },
	{ "enrol-key", &sim.enrol_key, NULL, "and its key" },
	{ "dir", &sim.site.dir, NULL, "keys, certificates, control socket" },
	{ "control", &sim.control, NULL, "command socket, DIR/control" },
	{ "prefix", &sim.prefix, NULL, "names are this and a number" },
	{ "labels", &sim.labels, NULL, "k=v,k=v of each device" },
	{ "arch", &sim.site.conf.arch, NULL, "amd64, arm64" },
	{ "count", NULL, &sim.count, "how many devices" },
	{ "apply-ms", NULL, &sim.site.conf.apply_ms,
	    "a version takes so long" },
	{ "status-interval-ms", NULL, &sim.site.conf.status_ms,
	    "applications are reported so often, 0: at once" },
	{ "restart-ms", NULL, &sim.site.conf.restart_ms,
	    "an agent's start takes so long" },
	{ "cores", NULL, &sim.cores, "of each device" },
	{ "memory-mb", NULL, &sim.memory_mb, "of each device" },
};

enum {
	NOPTIONS = sizeof(options) / sizeof(options[0])
};

static void
usage(void)
{
	size_t i;

	fprintf(stderr, "usage: edgesim --OPTION VALUE ...\n");
	for (i = 0; i < NOPTIONS; i++)
		fprintf(stderr, "\t--%-20s%s\n", options[i].name,
		    options[i].what);
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
read_option(const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < NOPTIONS; i++) {
		if (strcmp(name, options[i].name) != 0)
			continue;
		if (options[i].word != NULL)
			*options[i].word = value;
		else
			*options[i].number = number(name, value);
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
		read_option(argv[i] + 2, argv[i + 1]);
	}
	if (sim.api == NULL || sim.site.agent_url == NULL ||
	    sim.site.ca_file == NULL || sim.admin_token == NULL ||
	    sim.enrol_cert == NULL || sim.enrol_key == NULL ||
	    sim.site.dir == NULL)
		usage();
	sim.site.conf.cores = (int)sim.cores;
	sim.site.conf.memory_kb = sim.memory_mb * 1024;
}

/* --- devices ------------------------------------------------------------- */

static void
on_online(struct edge_client *c, void *arg)
{
	(void)c, (void)arg;
	if (++sim.online == (size_t)sim.count) {
		printf("ready %zu devices\n", sim.online);
		fflush(stdout);
	}
}

static char *
labels_json(void)
{
	struct flight_pairs labels = { 0 };
	struct out o = { 0 };

	if (flight_pairs_parse(&labels, sim.labels) == -1)
		errx(USAGE, "--labels %s: k=v,k=v", sim.labels);
	flight_pairs_write(&o, &labels);
	flight_pairs_clear(&labels);
	return out_take(&o);
}

static struct https *
open_https(const char *base, const char *cert, const char *key)
{
	const struct https_conf conf = { .base = base,
		.ca_file = sim.site.ca_file,
		.cert_file = cert,
		.key_file = key };
	struct why why;
	struct https *h = https_new(sim.site.base, &conf, &why);

	if (h == NULL)
		errx(1, "%s: %s", base, why.text);
	return h;
}

static void
use_token(struct https *h)
{
	FILE *fp = fopen(sim.admin_token, "re");
	char text[8192];
	size_t n;

	if (fp == NULL)
		err(1, "%s", sim.admin_token);
	n = fread(text, 1, sizeof(text), fp);
	fclose(fp);
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		n--;
	if (n == 0 || n == sizeof(text))
		errx(1, "%s: not a token", sim.admin_token);
	https_token(h, (struct span){ text, n });
}

static void
start(void)
{
	int width = MIN_NAME - (int)strlen(sim.prefix);
	int64_t i;
	char *name;

	sim.site.labels = labels_json();
	sim.site.enrol =
	    open_https(sim.site.agent_url, sim.enrol_cert, sim.enrol_key);
	sim.site.admin = open_https(sim.api, NULL, NULL);
	use_token(sim.site.admin);
	sim.clients = xcalloc((size_t)sim.count, sizeof(*sim.clients));
	for (i = 0; i < sim.count; i++) {
		name = xasprintf("%s%0*" PRId64, sim.prefix,
		    width < 1 ? 1 : width, i);
		sim.clients[sim.n++] = edge_client_new(&sim.site, name);
		free(name);
	}
}

/* --- commands ------------------------------------------------------------ */

static int
each(const char *glob, struct evbuffer *answer,
    void (*fn)(struct edge_client *, void *), void *arg)
{
	size_t i, n = 0;

	for (i = 0; i < sim.n; i++) {
		if (!flight_glob(glob, edge_client_name(sim.clients[i])))
			continue;
		fn(sim.clients[i], arg);
		n++;
	}
	evbuffer_add_printf(answer, n == 0 ? "no such device" : "%zu", n);
	return n == 0 ? -1 : 0;
}

static void
disconnect_one(struct edge_client *c, void *arg)
{
	(void)arg;
	edge_client_connect(c, 0);
}

static void
connect_one(struct edge_client *c, void *arg)
{
	(void)arg;
	edge_client_connect(c, 1);
}

static void
flap_one(struct edge_client *c, void *arg)
{
	(void)arg;
	edge_client_connect(c, 0);
	edge_client_connect(c, 1);
}

static void
restart_one(struct edge_client *c, void *arg)
{
	(void)arg;
	edge_agent_restart(edge_client_edge(c), now_read());
	edge_client_poke(c);
}

static void
apply_ms_one(struct edge_client *c, void *arg)
{
	edge_apply_ms(edge_client_edge(c), *(int64_t *)arg);
	edge_client_poke(c);
}

struct failing {
	const char *app;
	enum edge_mode mode;
};

static void
fail_one(struct edge_client *c, void *arg)
{
	const struct failing *x = arg;

	edge_fail(edge_client_edge(c), x->app, x->mode, now_read());
	edge_client_poke(c);
}

static int
cmd_disconnect(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	(void)argc, (void)arg;
	return each(argv[1], answer, disconnect_one, NULL);
}

static int
cmd_connect(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	(void)argc, (void)arg;
	return each(argv[1], answer, connect_one, NULL);
}

static int
cmd_flap(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	(void)argc, (void)arg;
	return each(argv[1], answer, flap_one, NULL);
}

static int
cmd_agent_restart(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	(void)argc, (void)arg;
	return each(argv[1], answer, restart_one, NULL);
}

static int
cmd_apply_ms(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	char *end;
	int64_t ms = strtoll(argv[2], &end, 10);

	(void)argc, (void)arg;
	if (end == argv[2] || *end != '\0' || ms < 0) {
		evbuffer_add_printf(answer, "%s: not a number", argv[2]);
		return -1;
	}
	return each(argv[1], answer, apply_ms_one, &ms);
}

static int
cmd_fail_app(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct failing x = { argv[2], EDGE_OK };

	(void)argc, (void)arg;
	if (edge_mode_by_name(argv[3], &x.mode) == -1) {
		evbuffer_add_printf(answer,
		    "modes: rollback pull-hang error "
		    "completed crashloop ok");
		return -1;
	}
	return each(argv[1], answer, fail_one, &x);
}

struct tally {
	const char *word[8];
	size_t count[8], n;
};

static void
count_one(const char *word, void *arg)
{
	struct tally *t = arg;
	size_t i;

	for (i = 0; i < t->n && strcmp(t->word[i], word) != 0; i++)
		continue;
	if (i == t->n)
		t->word[t->n++] = word;
	t->count[i]++;
}

static int
cmd_remade(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	(void)argc, (void)argv, (void)arg;
	evbuffer_add_printf(answer, "%llu", (unsigned long long)edge_remade());
	return 0;
}

static int
cmd_summary(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	struct tally t = { 0 };
	struct out o = { 0 };
	int64_t settled = 0;
	struct edge *e;
	size_t i;

	(void)argc, (void)argv, (void)arg;
	for (i = 0; i < sim.n; i++) {
		e = edge_client_edge(sim.clients[i]);
		edge_count(e, now_read(), count_one, &t);
		settled += edge_is_settled(e);
	}
	out_open(&o, '{');
	out_key(&o, "devices");
	out_int(&o, (int64_t)sim.n);
	out_key(&o, "online");
	out_int(&o, (int64_t)sim.online);
	out_key(&o, "pods");
	out_open(&o, '{');
	for (i = 0; i < t.n; i++) {
		out_key(&o, t.word[i]);
		out_int(&o, (int64_t)t.count[i]);
	}
	out_close(&o, '}');
	out_key(&o, "settled");
	out_int(&o, settled);
	out_close(&o, '}');
	evbuffer_add(answer, o.p, o.len);
	out_free(&o);
	return 0;
}

static int
cmd_stop(int argc, char **argv, struct evbuffer *answer, void *arg)
{
	const struct timeval soon = { 0, 50000 }; /* the answer goes first */

	(void)argc, (void)argv, (void)answer, (void)arg;
	event_base_loopexit(sim.site.base, &soon);
	return 0;
}

static const struct control_cmd commands[] = {
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
	    "flap GLOB: connections cut, and at once opened again" },
	{ "remade", 0, 0, cmd_remade,
	    "remade: how many running applications got other bytes" },
	{ "summary", 0, 0, cmd_summary,
	    "summary: applications by state, devices that are settled" },
	{ "stop", 0, 0, cmd_stop, "stop: the simulator ends" },
	{ NULL, 0, 0, NULL, NULL },
};

static void
on_signal(evutil_socket_t fd, short what, void *base)
{
	(void)fd, (void)what;
	event_base_loopbreak(base);
}

static void
serve(void)
{
	struct event *term, *intr;
	struct control *control;
	struct why why;
	char *path;

	path = sim.control != NULL ? xstrdup(sim.control) :
				     xasprintf("%s/control", sim.site.dir);
	control = control_new(sim.site.base, path, commands, NULL, &why);
	if (control == NULL)
		errx(1, "%s", why.text);
	term = evsignal_new(sim.site.base, SIGTERM, on_signal, sim.site.base);
	intr = evsignal_new(sim.site.base, SIGINT, on_signal, sim.site.base);
	event_add(term, NULL);
	event_add(intr, NULL);
	event_base_dispatch(sim.site.base);
	event_free(term);
	event_free(intr);
	control_free(control);
	free(path);
}

int
main(int argc, char **argv)
{
	char *labels;
	size_t i;

	sim.prefix = "edge-";
	sim.labels = "fleet=edge-fleet-1";
	sim.count = 1;
	sim.cores = 4;
	sim.memory_mb = 8192;
	sim.site.conf = (struct edge_conf){ .apply_ms = 1000,
		.status_ms = 2000,
		.restart_ms = 5000,
		.arch = "amd64" };
	sim.site.online = on_online;
	read_options(argc, argv);
	log_init("edgesim");
	if (mkdir(sim.site.dir, 0700) == -1 && errno != EEXIST)
		err(1, "%s", sim.site.dir);
	sim.site.base = event_base_new();
	start();
	serve();
	for (i = 0; i < sim.n; i++)
		edge_client_free(sim.clients[i]);
	free(sim.clients);
	https_free(sim.site.enrol);
	https_free(sim.site.admin);
	labels = (char *)(uintptr_t)sim.site.labels;
	free(labels);
	event_base_free(sim.site.base);
	return 0;
}
