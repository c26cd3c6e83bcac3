/* SPDX-License-Identifier: ISC */
/*
 * credentials: tokens that are replaced and that expire, a service that
 * refuses them all, rights that are missing, organisations, a new CA, client
 * certificates and plain http; and what the node says of each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/http.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/tap.h"
#include "t/it/world.h"
#include "t/sim/cert.h"

enum {
	READY_MS = 20000,
	TELL_MS = 40000, /* two refusals that take ten seconds, and more */
	RUN_MS = 30000,
	BACK_MS = 15000,
	SHORT_S = 5, /* a token lives so long */
	FAULT_MS = 4000,
	LOOK_MS = 100,
};

#define NOBODYS_ORG "11111111-1111-4111-8111-111111111111"
#define DEFAULT_ORG "00000000-0000-0000-0000-000000000000"

struct condition {
	const char *status, *reason, *message; /* a part of it, NULL: any */
};

/* All reads come often, so that little is waited for. */
static const char *const often[] = { "RESYNC_INTERVAL=5s",
	"STATUS_POLL_INTERVAL=1s" };

static struct provider *
start(const char *name, const char *a, const char *b, const char *c)
{
	return provider_start(name,
	    (const char *[]){ often[0], often[1], a, b, c, NULL });
}

static void
stop(struct provider *p)
{
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

static int
tells(struct json_object *node, void *arg)
{
	const struct condition *want = arg;
	struct json_object *c =
	    js_find(node, "/status/conditions", "type", "FlightctlReachable");

	return strcmp(js_str(c, "/status"), want->status) == 0 &&
	    strcmp(js_str(c, "/reason"), want->reason) == 0 &&
	    (want->message == NULL ||
		strstr(js_str(c, "/message"), want->message) != NULL);
}

static void
node_tells(const char *status, const char *reason, const char *message, int ms)
{
	AUTO_JSON struct json_object *node = NULL;
	struct condition want = { status, reason, message };
	int64_t since = it_ms();

	node = kube_await_one(KUBE_NODES, world_node(), tells, &want, ms);
	it_took(since, node != NULL && tells(node, &want),
	    "FlightctlReachable is %s, %s%s%s", status, reason,
	    message == NULL ? "" : ": ", message == NULL ? "" : message);
	it_ok(strcmp(js_condition(node, "Ready"), "True") == 0, "and Ready");
}

/* --- tokens -------------------------------------------------------------- */

/* The file of a new token of the provider; the caller's. */
static char *
new_token(int seconds)
{
	AUTO_FREE char *script = NULL, *life = NULL, *text = NULL;
	char *path;

	if (world_kind() == WORLD_SIM) {
		free(world_tell(SIM_FLIGHT, "short-token %d", seconds));
		return xasprintf("%s/provider.token", getenv("FC_DIR"));
	}
	script = child_source("t/real/flight");
	life = xasprintf("%d", seconds);
	if (child_run((const char *[]){ script, "token", getenv("FC_DIR"),
			  "provider", "flightctl-operator", life, NULL },
		&text) != 0)
		it_die("no token: %s", text);
	path = xasprintf("%s/short.token", it_folder());
	it_write(path, text);
	return path;
}

static void
replace_token(struct provider *p, int seconds)
{
	AUTO_FREE char *path = new_token(seconds);

	provider_replace(p, "FLIGHTCTL_AUTH_TOKEN_FILE", path);
}

#define RUNNING "vk_flightctl_pods_total{status=\"RUNNING\"} 1\n"
#define ANSWERED "GET /api/v1/(devices|events).* status=200"

/* Its own time: there is no other sign that a token has expired. */
static void
until_over(int64_t made_ms)
{
	while (it_ms() < made_ms + SHORT_S * 1000 + 1000)
		it_pause(LOOK_MS);
}

static void
a_token_is_replaced_in_time(struct provider *p, int64_t made_ms)
{
	size_t n;

	replace_token(p, 2 * SHORT_S);
	until_over(made_ms);
	n = provider_lines(p, ANSWERED);
	it_ok(provider_await_lines(p, ANSWERED, n + 1, BACK_MS) > n,
	    "requests go on when the first token has expired");
	it_ok(provider_lines(p, " status=401 ") == 0,
	    "and no request was refused");
}

static void
a_token_expires(struct provider *p)
{
	AUTO_JSON struct json_object *pod = NULL;
	int64_t since;

	node_tells("False", "Unauthorized",
	    "401 failed to validate token (token of "
	    "FLIGHTCTL_AUTH_TOKEN_FILE ",
	    TELL_MS);
	it_ok(provider_lines(p, " status=401 ms=(9[89]|1[0-9][0-9])[0-9]{2} ") >
		0,
	    "the refusal took ten seconds");
	it_ok(provider_lines(p, "the Flightctl token expired") == 1,
	    "one line says that the token expired");
	free(pod_create("later", NULL));
	since = it_ms();
	replace_token(p, 3600);
	node_tells("True", "Answering", NULL, BACK_MS);
	pod = pod_runs("later", since, RUN_MS);
}

/* --- the service's own fault --------------------------------------------- */

/* The real one does so when it starts without its issuer. */
static void
distrust(int on)
{
	if (world_kind() == WORLD_SIM) {
		free(world_tell(SIM_FLIGHT, "refuse-ms 0"));
		free(world_tell(SIM_FLIGHT, on ? "distrust" : "distrust off"));
		return;
	}
	world_flight(0);
	world_server(PAIR_FLIGHT, on ? "stop" : "start", "issuer", NULL);
	world_flight(1);
}

#define TROUBLE "\"level\":\"(warn|error)\""

static void
all_tokens_are_refused(struct provider *p)
{
	struct http *h = provider_listener(p, READY_MS);
	size_t said = provider_lines(p, TROUBLE), orgs, all;

	distrust(1);
	node_tells("False", "Unauthorized", NULL, TELL_MS);
	it_ok(http_metric(h,
		  "vk_flightctl_flightctl_state{reason=\"Unauthorized\"} 1\n"),
	    "the metric says Unauthorized");
	orgs = provider_lines(p, "GET /api/v1/organizations");
	all = provider_lines(p, "(GET|PUT) /api/v1/[a-z]+[ ?/].* status=401");
	it_pause(FAULT_MS);
	orgs = provider_lines(p, "GET /api/v1/organizations") - orgs;
	all = provider_lines(p, "(GET|PUT) /api/v1/[a-z]+[ ?/].* status=401") -
	    all;
	it_ok(all <= orgs && orgs <= 8,
	    "only a few tries while it lasts: %zu in %d s", all,
	    FAULT_MS / 1000);
	it_ok(provider_lines(p, TROUBLE) <= said + 2,
	    "and hardly a log line (%zu)", provider_lines(p, TROUBLE) - said);
	distrust(0);
	node_tells("True", "Answering", NULL, TELL_MS);
	it_ok(http_metric(h,
		  "vk_flightctl_flightctl_state{reason=\"Answering\"} 1\n"),
	    "the metric says Answering");
	http_free(h);
}

static void
test_tokens(void)
{
	AUTO_FREE char *path = new_token(SHORT_S), *setting = NULL;
	AUTO_JSON struct json_object *node = NULL;
	int64_t made_ms = it_ms();
	struct provider *p;

	setting = xasprintf("FLIGHTCTL_AUTH_TOKEN_FILE=%s", path);
	p = start("tokens", setting, NULL, NULL);
	provider_expect(p,
	    "token expired|refuses our credentials|does not answer|"
	    "onnect|transfer closed|[Ee]mpty reply|SSL");
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	a_token_is_replaced_in_time(p, made_ms);
	a_token_expires(p);
	all_tokens_are_refused(p);
	stop(p);
}

/* Whoever writes it starts later than we do. */
static void
test_late_token(void)
{
	AUTO_FREE char *empty = xasprintf("%s/empty.token", it_folder());
	AUTO_FREE char *setting =
	    xasprintf("FLIGHTCTL_AUTH_TOKEN_FILE=%s", empty);
	struct provider *p;

	it_write(empty, "\n");
	p = start("late", setting, NULL, NULL);
	provider_expect(p,
	    "FLIGHTCTL_AUTH_TOKEN_FILE [^ ]*: empty|refuses our credentials");
	node_tells("False", "Unauthorized",
	    "(no token could be read from FLIGHTCTL_AUTH_TOKEN_FILE ", BACK_MS);
	it_ok(provider_await_lines(p, TROUBLE ".*: empty", 1, BACK_MS) == 1 &&
		provider_await_lines(p, TROUBLE ".*refuses our credentials", 1,
		    BACK_MS) == 1,
	    "one line says that the file is empty, one what that means");
	replace_token(p, 3600);
	node_tells("True", "Answering", NULL, BACK_MS);
	stop(p);
}

/* --- rights and organisations -------------------------------------------- */

static int
names_the_right(struct json_object *pod, void *arg)
{
	AUTO_FREE char *status = js_text(pod, "/status");

	(void)arg;
	return strstr(status, "may not update devices") != NULL;
}

static void
test_missing_right(void)
{
	AUTO_JSON struct json_object *pod = NULL;
	AUTO_FREE char *setting = xasprintf("FLIGHTCTL_AUTH_TOKEN_FILE=%s",
	    getenv("FC_VIEWER_TOKEN_FILE"));
	struct provider *p = start("viewer", setting, NULL, NULL);

	provider_expect(p, "may not update devices");
	provider_leaves(p, "it may not write the pod to a device");
	free(pod_create("refused", NULL));
	it_ok(provider_await_lines(p,
		  "not allowed.*403 Forbidden: the token may not update "
		  "devices in organization " DEFAULT_ORG
		  ": a role that may is flightctl-operator",
		  1, RUN_MS) == 1,
	    "the log names the right and a role that has it");
	pod =
	    kube_await_one(KUBE_PODS, "refused", names_the_right, NULL, RUN_MS);
	it_ok(pod != NULL && names_the_right(pod, NULL), "and so does the pod");
	it_ok(provider_lines(p, TROUBLE ".*may not update") == 1,
	    "in one line");
	node_tells("True", "Answering", NULL, BACK_MS);
	stop(p);
	pod_delete("refused");
}

static void
test_wrong_organization(void)
{
	struct provider *p =
	    start("nobodys", "FLIGHTCTL_ORG=" NOBODYS_ORG, NULL, NULL);

	provider_expect(p, "FLIGHTCTL_ORG=" NOBODYS_ORG);
	provider_leaves(p, "it sees no device");
	node_tells("True", "Forbidden",
	    "FLIGHTCTL_ORG=" NOBODYS_ORG
	    ": the Flightctl token does not belong to this organization, but "
	    "to " DEFAULT_ORG " (Default)",
	    BACK_MS);
	stop(p);
}

static void
test_two_organizations(void)
{
	AUTO_FREE char *setting =
	    xasprintf("FLIGHTCTL_AUTH_TOKEN_FILE=%s/multi.token",
		getenv("FC_DIR"));
	struct provider *p = start("neither", setting, NULL, NULL);

	provider_expect(p, "set FLIGHTCTL_ORG to one of");
	provider_leaves(p, "it sees no device");
	node_tells("True", "Forbidden",
	    "2 organizations; set FLIGHTCTL_ORG to one of: " DEFAULT_ORG
	    " (Default), ",
	    BACK_MS);
	stop(p);
	p = start("one", setting, "FLIGHTCTL_ORG=" DEFAULT_ORG, NULL);
	node_tells("True", "Answering", NULL, BACK_MS);
	stop(p);
}

/* --- connections, to a proxy of ours before the service ------------------- */

static char *
in_folder(const char *name)
{
	return xasprintf("%s/%s", it_folder(), name);
}

/* A CA of that name with a server and a client of it, in our folder. */
static void
make_ca(const char *name)
{
	AUTO_FREE char *server = xasprintf("%s-server", name);
	AUTO_FREE char *client = xasprintf("%s-client", name);
	struct cert_ca *ca;
	struct why why;

	ca = cert_ca_open(it_folder(), name, &why);
	if (ca == NULL || cert_server(ca, it_folder(), server, &why) == -1 ||
	    cert_client(ca, it_folder(), client, "provider", NULL, &why) == -1)
		it_die("%s: %s", name, why.text);
	cert_ca_free(ca);
}

/* Certificate and key of the CA's server in one file, all at once. */
static void
certify(const char *pem, const char *name)
{
	AUTO_FREE char *path = xasprintf("%s/%s-server", it_folder(), name);
	AUTO_FREE char *crt_file = xasprintf("%s.crt", path);
	AUTO_FREE char *key_file = xasprintf("%s.key", path);
	AUTO_FREE char *crt = it_file(crt_file, NULL);
	AUTO_FREE char *key = it_file(key_file, NULL);
	AUTO_FREE char *both = xasprintf("%s%s", crt, key);
	AUTO_FREE char *fresh = xasprintf("%s.new", pem);

	it_write(fresh, both);
	if (rename(fresh, pem) == -1)
		it_die("%s: cannot be replaced", pem);
}

/* FLIGHTCTL_API_URL=..., of a new proxy; pem NULL: plain. */
static char *
through_proxy(const char *pem, const char *client_ca)
{
	AUTO_FREE char *url =
	    tap_start(&(struct tap_conf){ .base = getenv("FLIGHTCTL_API_URL"),
		.ca_file = getenv("FLIGHTCTL_CA_FILE"),
		.pem = pem,
		.client_ca = client_ca });

	return xasprintf("FLIGHTCTL_API_URL=%s", url);
}

/* And knows the pod that is on one: its database is as new as it is. */
static void
reads(struct provider *p, const char *what)
{
	struct http *h = provider_listener(p, READY_MS);
	int64_t since = it_ms();
	int knows = 0;

	it_ok(provider_await_lines(p, ANSWERED, 1, READY_MS) > 0, "%s", what);
	while (!(knows = http_metric(h, RUNNING)) && it_ms() < since + READY_MS)
		it_pause(LOOK_MS);
	it_took(since, knows, "and the pod is known");
	http_free(h);
}

static void
test_plain_http(void)
{
	AUTO_FREE char *url = through_proxy(NULL, NULL);
	struct provider *p = start("plain", url, NULL, NULL);

	provider_expect(p, "is plain http");
	it_ok(provider_await_lines(p,
		  "is plain http, taken because it is a loopback address", 1,
		  READY_MS) == 1,
	    "one line says that nothing is encrypted");
	reads(p, "devices are read");
	stop(p);
}

/* name: a CA whose client we are, NULL: none. */
static struct provider *
start_as(const char *log, const char *url, const char *name)
{
	AUTO_FREE char *ca =
	    xasprintf("FLIGHTCTL_CA_FILE=%s/old.crt", it_folder());
	AUTO_FREE char *cert = NULL, *key = NULL;

	if (name != NULL) {
		cert = xasprintf("FLIGHTCTL_CLIENT_CERT=%s/%s-client.crt",
		    it_folder(), name);
		key = xasprintf("FLIGHTCTL_CLIENT_KEY=%s/%s-client.key",
		    it_folder(), name);
	}
	return provider_start(log,
	    (const char *[]){ often[0], often[1], url, ca, cert, key, NULL });
}

/* Its own words: the node may still have those of the one before. */
static void
is_refused(struct provider *p, const char *how)
{
	provider_expect(p, "does not answer");
	provider_leaves(p, "it sees no device");
	it_ok(provider_await_lines(p, "Flightctl does not answer", 1,
		  TELL_MS) == 1 &&
		provider_lines(p, ANSWERED) == 0,
	    "%s nothing is read", how);
	node_tells("False", "NotAnswering", NULL, TELL_MS);
	stop(p);
}

static void
test_client_certificate(void)
{
	AUTO_FREE char *pem = in_folder("mutual.pem");
	AUTO_FREE char *client_ca = in_folder("old.crt"), *url = NULL;
	struct provider *p;

	certify(pem, "old");
	url = through_proxy(pem, client_ca);
	p = start_as("mutual", url, "old");
	reads(p, "devices are read with a client certificate");
	stop(p);
	is_refused(start_as("anonymous", url, NULL), "without one");
	is_refused(start_as("stranger", url, "new"), "with one of another CA");
}

static void
test_replaced_ca(void)
{
	AUTO_FREE char *pem = in_folder("replaced.pem");
	AUTO_FREE char *ca = in_folder("new.crt"), *url = NULL;
	AUTO_FREE char *setting = xasprintf("FLIGHTCTL_CA_FILE=%s", ca);
	struct provider *p;

	certify(pem, "old");
	url = through_proxy(pem, NULL);
	p = start_as("ca", url, NULL);
	provider_expect(p, "does not answer|certificate");
	node_tells("True", "Answering", NULL, BACK_MS);
	certify(pem, "new");
	node_tells("False", "NotAnswering", "certificate", TELL_MS);
	provider_replace(p, "FLIGHTCTL_CA_FILE", ca);
	node_tells("True", "Answering", NULL, BACK_MS);
	stop(p);
	/* Started anew: what is in the file counts, and nothing else. */
	p = start("new-ca", url, setting, NULL);
	node_tells("True", "Answering", NULL, BACK_MS);
	reads(p, "devices are read");
	stop(p);
	p = start_as("old-ca", url, NULL);
	provider_expect(p, "does not answer|certificate");
	provider_leaves(p, "it sees no device");
	node_tells("False", "NotAnswering", "certificate", TELL_MS);
	stop(p);
}

static void
scenario(void)
{
	world_open(&(struct world_conf){ .devices = 2 });
	test_tokens();
	test_late_token();
	test_missing_right();
	test_wrong_organization();
	test_two_organizations();
	make_ca("old");
	make_ca("new");
	test_plain_http();
	test_client_certificate();
	test_replaced_ca();
}

int
main(void)
{
	return it_run("credentials", scenario);
}
