/* SPDX-License-Identifier: ISC */
/*
 * world.c: two servers and some devices, simulated or real.
 *
 * Owns the simulators' processes, and the environment in which both kinds of
 * servers are described alike: simulators write it to DIR/env as t/real does.
 */
#include "t/it/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/flight.h"
#include "t/it/http.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"

#define KCM "kube-controller-manager"

enum {
	WORDS_MAX = 10, /* of a command */
	START_MS = 20000,
	ONLINE_MS = 60000,
	SETTINGS = 8,
	OPTIONS_MAX = 32,
};

static struct {
	struct world_conf conf;
	char *node;
	char *socket[3]; /* by enum world_sim */
	struct http *kube, *flight;
	char *settings[SETTINGS];
} world;

/* Settings of the provider that describe the servers. */
static const char *const described[] = { "KUBECONFIG", "NAMESPACE",
	"FLIGHTCTL_API_URL", "FLIGHTCTL_CA_FILE", "FLIGHTCTL_AUTH_TOKEN_FILE" };

static const char *
from_environment(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL)
		it_die("%s is not in the environment", name);
	return value;
}

enum world_kind
world_kind(void)
{
	const char *kind = getenv("IT_WORLD");

	if (kind == NULL || *kind == '\0')
		return WORLD_SIM;
	if (strcmp(kind, "real") == 0)
		return WORLD_REAL;
	if (strcmp(kind, "edge") == 0)
		return WORLD_EDGE;
	it_die("IT_WORLD=%s: real and edge are known", kind);
}

const char *
world_fleet(void)
{
	return world.conf.fleet;
}

const char *
world_node(void)
{
	return world.node;
}

unsigned int
world_devices(void)
{
	return world.conf.devices;
}

char *const *
world_settings(void)
{
	return world.settings;
}

/* --- simulators ---------------------------------------------------------- */

/* Lines "export NAME=VALUE" into our environment. */
static void
take_env(const char *path)
{
	AUTO_FREE char *text = it_file(path, NULL);
	char *line, *rest = text, *value;

	if (text == NULL)
		it_die("%s: cannot be read", path);
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strncmp(line, "export ", 7) != 0 ||
		    (value = strchr(line, '=')) == NULL)
			continue;
		*value++ = '\0';
		setenv(line + 7, value, 1);
	}
}

static void
set_path(const char *name, const char *dir, const char *file)
{
	AUTO_FREE char *path = xasprintf("%s/%s", dir, file);

	setenv(name, path, 1);
}

/* kubesim describes itself in files only. */
static void
take_kubesim(void)
{
	AUTO_FREE char *dir = xasprintf("%s/kubesim", it_folder());
	AUTO_FREE char *file = xasprintf("%s/port", dir), *url = NULL;
	AUTO_FREE char *port = it_file(file, NULL);

	if (port == NULL)
		it_die("%s: cannot be read", file);
	port[strcspn(port, "\n")] = '\0';
	url = xasprintf("https://%s:%s",
	    world.conf.kube_ipv6 ? "[::1]" : "127.0.0.1", port);
	setenv("KUBE_API_URL", url, 1);
	setenv("NAMESPACE", "vk-flightctl", 1);
	set_path("KUBE_CA_FILE", dir, "ca.crt");
	set_path("KUBE_ADMIN_CERT", dir, "admin.crt");
	set_path("KUBE_ADMIN_KEY", dir, "admin.key");
	set_path("KUBECONFIG", dir, "provider.kubeconfig");
}

/* Starts one in a folder of its name; it answers when this returns. */
static void
start_sim(const char *name, enum world_sim which, const char *const options[])
{
	AUTO_FREE char *program = child_program(name);
	AUTO_FREE char *simctl = child_program("simctl");
	AUTO_FREE char *dir = xasprintf("%s/%s", it_folder(), name);
	AUTO_FREE char *log = xasprintf("%s/%s.log", it_folder(), name);
	AUTO_FREE char *control = xasprintf("%s/control", dir);
	const char *argv[OPTIONS_MAX + 6] = { program, "--dir", dir,
		"--control", control };
	const char *hello[] = { simctl, "--wait", "20", control, "help", NULL };
	size_t n = 5;

	if (mkdir(dir, 0700) == -1)
		it_die("%s: cannot be made", dir);
	while (*options != NULL)
		argv[n++] = *options++;
	world.socket[which] = xstrdup(control);
	child_start(argv, NULL, log);
	if (child_run(hello, NULL) != 0)
		it_die("%s does not start", name);
}

char *
world_tell(enum world_sim which, const char *fmt, ...)
{
	AUTO_FREE char *simctl = child_program("simctl"), *line = NULL;
	AUTO_FREE char *answer = NULL;
	const char *argv[33] = { simctl, world.socket[which] };
	char *word, *rest;
	size_t n = 2;
	va_list ap;

	if (world.socket[which] == NULL)
		it_die("there is no such simulator in this world");
	va_start(ap, fmt);
	line = xvasprintf(fmt, ap);
	va_end(ap);
	rest = line;
	while ((word = strsep(&rest, " ")) != NULL && n < 31)
		argv[n++] = word;
	if (child_run(argv, &answer) != 0)
		it_die("%s: %s", fmt, answer);
	answer[strcspn(answer, "\n")] = '\0';
	return xstrdup(strncmp(answer, "ok ", 3) == 0 ? answer + 3 : "");
}

static char *
milliseconds(int given, int otherwise)
{
	return xasprintf("%d", given == 0 ? otherwise : given < 0 ? 0 : given);
}

static void
add_options(const char *options[], const char *const more[])
{
	while (*options != NULL)
		options++;
	while ((*options++ = *more++) != NULL)
		continue;
}

/*
 * How simulated devices are and behave, in whichever program they run: named
 * FLEET-0, FLEET-1 and so on.
 */
static void
start_devices(const char *program, enum world_sim which,
    const char *const more[])
{
	const struct world_conf *c = &world.conf;
	AUTO_FREE char *devices = xasprintf("%u", c->devices);
	AUTO_FREE char *labels = xasprintf("fleet=%s", c->fleet);
	AUTO_FREE char *prefix = xasprintf("%s-", c->fleet);
	AUTO_FREE char *apply = milliseconds(c->apply_ms, 300);
	AUTO_FREE char *status = milliseconds(c->status_ms, 200);
	const char *options[OPTIONS_MAX] = { "--labels", labels, "--apply-ms",
		apply, "--status-interval-ms", status,
		which == SIM_EDGE ? "--count" : "--devices", devices,
		which == SIM_EDGE ? "--prefix" : "--device-prefix", prefix,
		NULL };

	add_options(options, more);
	start_sim(program, which, options);
}

static void
start_flightsim(void)
{
	AUTO_FREE char *silence = xasprintf("%d", world.conf.disconnect_ms);
	AUTO_FREE char *beat = xasprintf("%d", world.conf.disconnect_ms / 4);
	const char *options[] = { "--disconnect-ms", silence, "--heartbeat-ms",
		beat, "--wait-ms", beat, NULL };

	if (world.conf.disconnect_ms == 0)
		options[0] = NULL;
	start_devices("flightsim", SIM_FLIGHT, options);
	world.socket[SIM_EDGE] = xstrdup(world.socket[SIM_FLIGHT]);
}

/* Simulated devices of the real service. */
static void
start_edgesim(void)
{
	const char *const options[] = { "--api",
		from_environment("FLIGHTCTL_API_URL"), "--agent",
		from_environment("FC_AGENT_URL"), "--ca",
		from_environment("FLIGHTCTL_CA_FILE"), "--admin-token",
		from_environment("FC_ADMIN_TOKEN_FILE"), "--enrol-cert",
		from_environment("FC_ENROL_CERT"), "--enrol-key",
		from_environment("FC_ENROL_KEY"), NULL };

	start_devices("edgesim", SIM_EDGE, options);
}

static void
start_sims(void)
{
	AUTO_FREE char *port = xasprintf("%s/kubesim/port", it_folder());
	AUTO_FREE char *env = xasprintf("%s/flightsim/env", it_folder());

	start_sim("kubesim", SIM_KUBE,
	    (const char *[]){ "--port", "0", "--port-file", port, "--schedule",
		world.conf.kube_ipv6 ? "--address" : NULL, "::1", NULL });
	start_flightsim();
	take_kubesim();
	take_env(env);
}

/* --- both ---------------------------------------------------------------- */

/* A new one says so before it says what it has. */
static int
are_online(struct json_object *set, void *arg)
{
	struct json_object *device;
	struct lh_entry *at = NULL;
	unsigned int n = 0;

	(void)arg;
	while (js_next(set, &at, NULL, &device))
		n += strcmp(js_str(device, "/status/summary/status"),
			 "Online") == 0 &&
		    *js_str(device, "/status/systemInfo/architecture") != '\0';
	return n >= world.conf.devices;
}

/*
 * A device that the real service has never stored as seen is Unknown now and
 * then (the first 15 s); scenarios want one that has been there for longer.
 */
static int
are_seen(struct json_object *set, void *arg)
{
	struct json_object *device;
	struct lh_entry *at = NULL;
	const char *name;

	while (js_next(set, &at, &name, &device))
		if (!flight_has_seen(name))
			return 0;
	return are_online(set, arg);
}

static void
describe(void)
{
	size_t i, n = sizeof(described) / sizeof(described[0]);

	for (i = 0; i < n; i++)
		world.settings[i] = xasprintf("%s=%s", described[i],
		    from_environment(described[i]));
	world_reopen();
}

void
world_reopen(void)
{
	world.kube = http_new(from_environment("KUBE_API_URL"),
	    from_environment("KUBE_CA_FILE"), getenv("KUBE_ADMIN_TOKEN_FILE"));
	if (world_kind() == WORLD_SIM)
		http_certificate(world.kube,
		    from_environment("KUBE_ADMIN_CERT"),
		    from_environment("KUBE_ADMIN_KEY"));
	world.flight = http_new(from_environment("FLIGHTCTL_API_URL"),
	    from_environment("FLIGHTCTL_CA_FILE"),
	    from_environment("FC_ADMIN_TOKEN_FILE"));
	kube_open(world.kube);
	flight_open(world.flight, world.conf.fleet);
}

static int
is_empty(struct json_object *set, void *arg)
{
	(void)arg;
	return json_object_object_length(set) == 0;
}

/* Of those that make others, each after what makes it; then pods. */
static const char *const makers[] = {
	"/apis/batch/v1/namespaces/default/cronjobs",
	"/apis/batch/v1/namespaces/default/jobs",
	"/apis/apps/v1/namespaces/default/statefulsets",
	"/apis/apps/v1/namespaces/default/daemonsets",
	KUBE_DEPLOYMENTS,
	"/apis/apps/v1/namespaces/default/replicasets",
};

/* What an earlier scenario left on servers that are not ours alone. */
static void
clean_up(void)
{
	size_t i;

	for (i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		AUTO_FREE char *path =
		    xasprintf("%s?propagationPolicy=Background", makers[i]);

		kube_send("DELETE", path, NULL, NULL);
		if (!kube_await(makers[i], is_empty, NULL, START_MS))
			it_die("%s of an earlier scenario do not go",
			    strrchr(makers[i], '/') + 1);
	}
	kube_send("DELETE", KUBE_PODS "?gracePeriodSeconds=0", NULL, NULL);
	if (!kube_await(KUBE_PODS, is_empty, NULL, START_MS))
		it_die("pods of an earlier scenario do not go");
}

void
world_open(const struct world_conf *conf)
{
	world.conf = *conf;
	if (conf->fleet == NULL)
		world.conf.fleet = it_name();
	world.node = xasprintf("vk-flightctl-%s", world.conf.fleet);
	if (world_kind() == WORLD_SIM) {
		unsetenv("KUBE_ADMIN_TOKEN_FILE");
		start_sims();
	}
	describe();
	if (world_kind() != WORLD_SIM)
		clean_up();
	if (world_kind() == WORLD_REAL)
		start_edgesim();
	if (!flight_await(world_kind() == WORLD_REAL ? are_seen : are_online,
		NULL, ONLINE_MS))
		it_die("the devices do not come online");
}

/* As t/real names them, and where each keeps its files. */
static const struct pair {
	const char *name, *dir;
} pairs[] = {
	[PAIR_KUBE] = { "kube", "KUBE_DIR" },
	[PAIR_FLIGHT] = { "flight", "FC_DIR" },
};

/* t/real/PAIR VERB DIR WORD...: what it says is the caller's. */
static char *
run_pair(const struct pair *p, const char *verb, const char *const *words)
{
	AUTO_FREE char *path = xasprintf("t/real/%s", p->name);
	AUTO_FREE char *script = child_source(path);
	const char *argv[WORDS_MAX + 4] = { script, verb, getenv(p->dir) };
	char *out = NULL;
	size_t n;

	for (n = 0; words[n] != NULL; n++)
		argv[3 + n] = words[n];
	if (child_run(argv, &out) != 0)
		it_die("%s %s %s: %s", p->name, verb, n > 0 ? words[0] : "",
		    out);
	return out;
}

void
world_server(enum world_pair pair, const char *verb, const char *program, ...)
{
	const char *words[WORDS_MAX + 1] = { program };
	size_t n = 1;
	va_list ap;

	va_start(ap, program);
	while (n < WORDS_MAX && (words[n] = va_arg(ap, const char *)) != NULL)
		n++;
	va_end(ap);
	words[n] = NULL;
	free(run_pair(&pairs[pair], verb, words));
}

void
world_tend(void)
{
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		AUTO_FREE char *out =
		    run_pair(&pairs[i], "tend", &(const char *){ NULL });

		if (*out != '\0')
			it_say("%s", out);
	}
}

/* A simulator, or the program of a real pair that listens. */
static void
outage(enum world_sim sim, enum world_pair pair, const char *program, int up)
{
	if (world_kind() == WORLD_SIM)
		free(world_tell(sim, up ? "up" : "down"));
	else
		world_server(pair, up ? "start" : "stop", program,
		    up ? NULL : "KILL", NULL);
}

void
world_kube(int up)
{
	outage(SIM_KUBE, PAIR_KUBE, "kube-apiserver", up);
}

void
world_flight(int up)
{
	outage(SIM_FLIGHT, PAIR_FLIGHT, "flightctl-api", up);
}

void
world_node_grace(int grace_s)
{
	AUTO_FREE char *grace =
	    xasprintf("--node-monitor-grace-period=%ds", grace_s);

	world_server(PAIR_KUBE, "stop", KCM, NULL);
	world_server(PAIR_KUBE, "start", KCM, "--node-monitor-period=1s",
	    grace_s != 0 ? grace : NULL, NULL);
}
