/* SPDX-License-Identifier: ISC */
/*
 * check.c: what Flightctl says of us and of our fleets.
 *
 * Owns the order of the questions, one after the other; each ends in one
 * finding or more.  Sends nothing but GETs, past the request budget: they are
 * a few.
 */
#include "flightside/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/boot.h"
#include "common/bytes.h"
#include "common/finding.h"
#include "common/finding_https.h"
#include "common/mono.h"
#include "common/sandbox.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "flightside/census.h"
#include "flightside/client.h"
#include "flightside/creds.h"
#include "flightside/org.h"
#include "flightside/path.h"
#include "flightside/permit.h"
#include "flightside/right.h"

enum {
	CONNECTIONS = 1,
	DEADLINE_MS = 5000,
	TOKEN_MS = 13000, /* one is refused only after ten seconds */
	LIST_MAX = 64 * 1024 * 1024,
};

#define LIMIT "50"

static struct {
	const struct settings *settings;
	struct client client;
	struct https *https;
	struct creds *creds;
	char org[ORG_SIZE];
	struct fleet_node nodes[MAX_NODES];
	size_t n, at; /* fleets; the one that is looked at */
	size_t step;
} check;

static void next(void);

static void
ask(char *path, unsigned int deadline_ms,
    void (*done)(const struct https_answer *, void *))
{
	AUTO_FREE char *mine = path;

	(void)https_send(check.https,
	    &(struct https_req){ .method = HTTPS_GET,
		.path = mine,
		.deadline_ms = deadline_ms,
		.body_max = LIST_MAX,
		.done = done });
}

/* What it answers, with its own words. */
static struct why
words(const struct https_answer *a)
{
	char message[MAX_TEXT];
	struct why why = a->why;

	if (a->status != 0 && why.kind != ERR_NONE &&
	    scan_get_string(a->body, message, sizeof(message), "message",
		NULL) == 1 &&
	    message[0] != '\0')
		fail_code(&why, why.kind, a->status, "%s: %.300s", a->why.text,
		    message);
	return why;
}

/* -- the server -- */

static void
unreachable(const struct https_answer *a)
{
	const char *ca = check.settings->text[SET_FLIGHTCTL_CA_FILE];
	const struct finding_server server = { .subject = "Flightctl",
		.base = check.client.url,
		.ca_file = ca[0] == '\0' ? NULL : ca,
		.ca = ca[0] == '\0' ? "FLIGHTCTL_CA_FILE (now the system's)" :
				      "FLIGHTCTL_CA_FILE",
		.set = "FLIGHTCTL_API_URL" };

	finding_unreachable(&server, a);
	boot_checked();
}

static void
on_version(const struct https_answer *a, void *arg)
{
	char version[64] = "not told";

	(void)arg;
	if (a->status == 0) {
		unreachable(a);
		return;
	}
	if (a->why.kind == ERR_NONE)
		(void)scan_get_string(a->body, version, sizeof(version),
		    "version", NULL);
	finding(FINDING_OK, "Flightctl", NULL, "%s answers, %s, version %s",
	    check.client.url,
	    check.client.plain ? "not encrypted" : "certificate verified",
	    version);
	finding_clock("Flightctl", a->date_ms, now_read().wall_ms);
	next();
}

static void
ask_version(void)
{
	ask(xstrdup("/api/version"), DEADLINE_MS, on_version);
}

/* -- the token and its organisation -- */

static char *
new_token(void)
{
	const char *path = check.settings->text[SET_FLIGHTCTL_AUTH_TOKEN_FILE];
	AUTO_FREE char *word = finding_word(path);

	return path[0] == '\0' ?
	    xstrdup("export FLIGHTCTL_AUTH_TOKEN_FILE=FILE") :
	    xasprintf("install -o %u -m 0400 NEW_TOKEN %s", getuid(), word);
}

static void
refused(const struct why *why)
{
	AUTO_FREE char *mend = new_token();
	AUTO_FREE char *token = creds_describe(check.creds);

	finding(FINDING_FAIL, "token", mend, "Flightctl refuses it: %s (%s)",
	    why->text, token);
}

static void
no_organization(const struct why *why)
{
	AUTO_FREE char *url = finding_word(check.client.url);
	AUTO_FREE char *mend = xasprintf(
	    "flightctl login %s && flightctl get organizations  # then set "
	    "FLIGHTCTL_ORG",
	    url);

	finding(FINDING_FAIL, "organization", mend, "%s", why->text);
}

/* Who may not ask which there are must know which is meant. */
static int
org_of(const struct https_answer *a, struct why *why)
{
	const char *wanted = check.settings->text[SET_FLIGHTCTL_ORG];

	if (why->kind == ERR_NONE)
		return org_pick(a->body, wanted, check.org, why);
	if (a->status != 403 || wanted[0] == '\0' ||
	    org_is_refused(a->status, why->text))
		return -1;
	(void)snprintf(check.org, sizeof(check.org), "%s", wanted);
	return 0;
}

static void
on_orgs(const struct https_answer *a, void *arg)
{
	struct why why = words(a);

	(void)arg;
	if (a->status == 0) {
		unreachable(a);
		return;
	}
	if (why.kind == ERR_AUTH || a->status == 400)
		refused(&why);
	else if (org_of(a, &why) == -1)
		no_organization(&why);
	else {
		AUTO_FREE char *token = creds_describe(check.creds);

		finding(FINDING_OK, "token", NULL, "accepted (%s)", token);
		finding(FINDING_OK, "organization", NULL, "%s", check.org);
		next();
		return;
	}
	boot_checked();
}

static void
ask_orgs(void)
{
	ask(path_make("organizations", NULL, NULL, NULL), TOKEN_MS, on_orgs);
}

/* -- rights -- */

static void
tell_right(enum right r, struct span permissions)
{
	static const enum finding_level levels[] = {
		[WITHOUT_BLIND] = FINDING_FAIL,
		[WITHOUT_PART] = FINDING_FAIL,
		[WITHOUT_SELF] = FINDING_WARN,
	};
	int has = permit_has(permissions, right_verb(r), right_resource(r));
	AUTO_FREE char *lacks = NULL;

	if (has == 1) {
		finding(FINDING_OK, "right", NULL, "%s %s", right_verb(r),
		    right_resource(r));
		return;
	}
	lacks = right_refusal(r, check.org);
	finding(levels[right_without(r)], "right",
	    "kubectl -n FLIGHTCTL_NAMESPACE create rolebinding "
	    "vk-flightctl-provider "
	    "--clusterrole=flightctl-operator-FLIGHTCTL_NAMESPACE "
	    "--serviceaccount=NAMESPACE:ACCOUNT  # Flightctl on Kubernetes; "
	    "else its role flightctl-operator at the identity provider",
	    "%s %s: %s", right_verb(r), right_resource(r), lacks);
}

static void
on_permissions(const struct https_answer *a, void *arg)
{
	struct why why = words(a);
	enum right r;

	(void)arg;
	if (why.kind == ERR_NONE && permit_has(a->body, "get", "*") != -1)
		for (r = 0; r < RIGHT_COUNT; r++)
			tell_right(r, a->body);
	else
		finding(FINDING_WARN, "right",
		    "flightctl get devices && flightctl get events",
		    "not told which there are, and updating devices is not "
		    "tried, for that would write: %s",
		    why.text);
	next();
}

static void
ask_permissions(void)
{
	ask(path_make("auth/permissions", NULL, check.org, NULL), DEADLINE_MS,
	    on_permissions);
}

/* -- each fleet -- */

static void
tell_owned(const char *fleet, const struct census *c)
{
	AUTO_FREE char *name = finding_word(c->owned_name);
	AUTO_FREE char *mend = xasprintf(
	    "flightctl edit device/%s  # take the label away that its owner "
	    "selects",
	    name);

	if (c->owned > 0)
		finding(FINDING_WARN, fleet, mend,
		    "%u of %u devices belong to a Fleet of Flightctl and take "
		    "no pods: %s belongs to %s",
		    c->owned, c->looked_at, c->owned_name, c->owner);
	if (c->leaving > 0)
		finding(FINDING_WARN, fleet, "flightctl get devices",
		    "%u of %u devices are being decommissioned", c->leaving,
		    c->looked_at);
}

static void
tell_silent(const char *fleet, const struct census *c)
{
	if (c->silent > 0)
		finding(FINDING_WARN, fleet,
		    "printf 'system-info: [hostname, kernel, distroName, "
		    "distroVersion, bootID, cpuCores, memoryTotalKb]\\n' "
		    ">/etc/flightctl/conf.d/50-size.yaml  # on the device",
		    "%u of %u devices do not say how large they are and count "
		    "as DEVICE_DEFAULT_CPU and DEVICE_DEFAULT_MEMORY: %s",
		    c->silent, c->looked_at, c->silent_name);
}

static void
tell_none(const char *fleet, const char *value)
{
	AUTO_FREE char *mend = value[0] == '\0' ?
	    xstrdup("flightctl get enrollmentrequests") :
	    xasprintf("flightctl get devices; flightctl edit device/NAME  # "
		      "metadata.labels: {%s: %s}",
		check.settings->text[SET_FLEET_LABEL], value);

	if (value[0] == '\0')
		finding(FINDING_WARN, fleet, mend, "there are no devices");
	else
		finding(FINDING_WARN, fleet, mend,
		    "no device has the label %s=%s",
		    check.settings->text[SET_FLEET_LABEL], value);
}

static void
tell_fleet(const char *fleet, const char *value, const struct census *c)
{
	AUTO_BYTES struct bytes agents = { NULL, 0, 0 };
	unsigned int i;

	if (c->devices == 0) {
		tell_none(fleet, value);
		return;
	}
	for (i = 0; i < c->nagents; i++) {
		bytes_add_text(&agents, i == 0 ? "" : ", ");
		bytes_add_text(&agents, c->agents[i]);
	}
	bytes_add(&agents, (struct span){ "", 1 });
	finding(FINDING_OK, fleet, NULL,
	    "%" PRIu64 " devices; %u of the %u looked at are heard of; agents: "
	    "%s",
	    c->devices, c->online, c->looked_at,
	    c->nagents == 0 ? "not told" : agents.p);
	tell_owned(fleet, c);
	tell_silent(fleet, c);
}

static void
on_devices(const struct https_answer *a, void *arg)
{
	const char *value = check.nodes[check.at].fleet;
	AUTO_FREE char *fleet = xasprintf("fleet %.50s",
	    value[0] == '\0' ? "of all devices" : value);
	struct why why = words(a);
	struct census c;

	(void)arg;
	if (why.kind == ERR_NONE && census_take(a->body, &c) == -1)
		fail(&why, ERR_FORMAT, "what came is no list of devices");
	if (why.kind == ERR_NONE)
		tell_fleet(fleet, value, &c);
	else
		finding(a->status == 403 ? FINDING_FAIL : FINDING_WARN, fleet,
		    "flightctl get devices", "its devices cannot be read: %s",
		    why.text);
	if (++check.at < check.n)
		check.step--; /* the next fleet */
	next();
}

static void
ask_devices(void)
{
	const char *value = check.nodes[check.at].fleet;
	AUTO_FREE char *selector = value[0] == '\0' ?
	    NULL :
	    xasprintf("%s in (%s)", check.settings->text[SET_FLEET_LABEL],
		value);

	ask(path_make("devices", NULL, check.org,
		(const struct path_param[]){ { "labelSelector", selector },
		    { "limit", LIMIT }, { NULL, NULL } }),
	    DEADLINE_MS, on_devices);
}

/* -- life -- */

static void
next(void)
{
	static void (*const steps[])(void) = { ask_version, ask_orgs,
		ask_permissions, ask_devices, boot_checked };

	steps[check.step++]();
}

static int
files_are_read(const struct settings *s)
{
	static const enum setting files[] = { SET_FLIGHTCTL_CA_FILE,
		SET_FLIGHTCTL_CLIENT_CERT, SET_FLIGHTCTL_CLIENT_KEY,
		SET_FLIGHTCTL_AUTH_TOKEN_FILE };
	size_t i;
	int all = 1;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (s->text[files[i]][0] != '\0')
			all &= finding_reads(settings_name(files[i]),
			    s->text[files[i]]);
	return all;
}

static int
token_is_there(void)
{
	AUTO_FREE char *mend = NULL, *token = NULL;
	struct now now = now_read();
	struct why why = { 0 };
	int64_t expiry;

	if (creds_refresh(check.creds, now, 1, &why) != -1 &&
	    creds_token(check.creds).len == 0)
		fail(&why, ERR_AUTH,
		    "none is given: FLIGHTCTL_AUTH_TOKEN_FILE is empty");
	mend = new_token();
	if (why.kind != ERR_NONE) {
		finding(FINDING_FAIL, "token", mend, "%s", why.text);
		return 0;
	}
	token = creds_describe(check.creds);
	expiry = creds_expiry(creds_token(check.creds));
	if (expiry != -1 && expiry <= now.wall_ms / 1000) {
		finding(FINDING_FAIL, "token", mend, "it has expired: %s",
		    token);
		return 0;
	}
	return 1;
}

static int
connect_to(struct event_base *base, struct why *why)
{
	struct https_conf conf;

	client_conf(&conf, &check.client, check.settings, CONNECTIONS);
	check.https = https_new(base, &conf, why);
	if (check.https == NULL)
		return -1;
	(void)sandbox_reaches(https_port(check.https));
	return 0;
}

void
check_begin(struct event_base *base, const struct settings *s,
    struct span token)
{
	struct why why = { 0 };
	int n = settings_nodes(s, check.nodes, MAX_NODES, &why);

	check.settings = s;
	check.creds = creds_new(s, token);
	if (n > 0 && files_are_read(s)) {
		if (connect_to(base, &why) == -1)
			finding(FINDING_FAIL, "Flightctl",
			    "vk-flightctl-provider -n", "%s", why.text);
		else if (token_is_there()) {
			check.n = (size_t)n;
			https_token(check.https, creds_token(check.creds));
			next();
			return;
		}
	}
	boot_checked();
}

void
check_end(void)
{
	https_free(check.https);
	creds_free(check.creds);
	client_free(&check.client);
}
