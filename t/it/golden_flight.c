/* SPDX-License-Identifier: ISC */
/*
 * golden_flight: requests that were recorded on the real Flightctl service
 * v1.2.0, sent again to flightsim, and the answers compared.
 *
 * t/golden/flightctl/replay.tsv says what is played in which order and what
 * is to be there before; allowed.tsv says which differences are no faults.
 * One check for each recording.  A row of replay.tsv, separated by tabs:
 *	play RECORDING [rv|shape]	and compare; rv: with the
 *					resourceVersion of now; shape: names
 *					and types of the body alone
 *	play RECORDING as DEVICE	with the certificate of that one
 *	enrol DEVICE RECORDING		a device with the labels of that one,
 *					or with {"label":"value"}
 *	report DEVICE RECORDING		it polls, and pushes that status
 *	begin DEVICE RECORDING		it pushes its first steps, to version 1
 *	step DEVICE RECORDING		it pushes the steps to that status
 *	spec DEVICE RECORDING		its spec becomes that one
 *	send ACTOR METHOD PATH BODY	must succeed
 *	control COMMAND			of flightsim
 *	expire				all tokens, but provider gets another
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/golden_flight.h"
#include "t/it/it.h"

enum {
	COLUMNS = 5,
};

/* Value of "export NAME=..." in flightsim's env. */
static char *
from_env(const char *text, const char *name)
{
	AUTO_FREE char *key = xasprintf("export %s=", name);
	const char *at = strstr(text, key);

	if (at == NULL)
		it_die("env: no %s", name);
	at += strlen(key);
	return xstrndup(at, strcspn(at, "\n"));
}

static void
start(struct flight_replay *r)
{
	AUTO_FREE char *program = child_program("flightsim");
	AUTO_FREE char *log = xasprintf("%s/flightsim.log", it_folder());
	AUTO_FREE char *env = NULL, *text = NULL;
	/* What happens by itself happens on demand only. */
	const char *argv[] = { program, "--dir", NULL, "--heartbeat-ms",
		"86400000", "--render-ms", "0", "--patch-ms", "0", "--wait-ms",
		"100", "--refuse-ms", "50", NULL };

	r->dir = xasprintf("%s/flight", it_folder());
	r->keys = xasprintf("%s/keys", it_folder());
	r->socket = xasprintf("%s/control", r->dir);
	argv[2] = r->dir;
	if (mkdir(r->dir, 0700) == -1 || mkdir(r->keys, 0700) == -1)
		it_die("%s: cannot be made", r->dir);
	child_start(argv, NULL, log);
	free(flight_command(r, "help"));
	env = xasprintf("%s/env", r->dir);
	if ((text = it_file(env, NULL)) == NULL)
		it_die("%s: cannot be read", env);
	r->api = from_env(text, "FLIGHTCTL_API_URL");
	r->agent = from_env(text, "FC_AGENT_URL");
}

static void
expire(struct flight_replay *r)
{
	AUTO_FREE char *path = xasprintf("%s/provider.token", r->dir);

	r->expired = it_file(path, NULL);
	r->expired[strcspn(r->expired, "\n")] = '\0';
	free(flight_command(r, "expire-tokens"));
	free(flight_command(r, "token"));
}

static void
control(struct flight_replay *r, const char *command)
{
	free(flight_command(r, command));
	if (strncmp(command, "render-delay", strlen("render-delay")) != 0)
		return;
	r->standing = strstr(command, "off") != NULL;
	flight_wait_idle(r); /* with what was queued while it stood */
}

static void
row(struct flight_replay *r, char *line)
{
	char *f[COLUMNS] = { NULL };
	size_t i;

	for (i = 0; i < COLUMNS && line != NULL; i++)
		f[i] = strsep(&line, "\t");
	if (strcmp(f[0], "expire") == 0)
		expire(r);
	else if (f[1] == NULL)
		it_die("replay.tsv: %s?", f[0]);
	else if (strcmp(f[0], "play") == 0)
		flight_play(r, f[1], f[2] != NULL ? f[2] : "", f[3]);
	else if (strcmp(f[0], "control") == 0)
		control(r, f[1]);
	else if (f[2] == NULL)
		it_die("replay.tsv: %s %s?", f[0], f[1]);
	else if (strcmp(f[0], "enrol") == 0)
		flight_set_enrolled(r, f[1], f[2]);
	else if (strcmp(f[0], "report") == 0)
		flight_set_reported(r, f[1], f[2]);
	else if (strcmp(f[0], "begin") == 0)
		flight_set_stepped(r, f[1], f[2], 1);
	else if (strcmp(f[0], "step") == 0)
		flight_set_stepped(r, f[1], f[2], 0);
	else if (strcmp(f[0], "spec") == 0)
		flight_set_spec(r, f[1], f[2]);
	else if (strcmp(f[0], "send") == 0 && f[4] != NULL) {
		json_object_put(
		    flight_must(r, f[1], f[2], f[3], json_tokener_parse(f[4])));
		flight_wait_idle(r);
	} else
		it_die("replay.tsv: %s %s?", f[0], f[1]);
}

static void
scenario(void)
{
	AUTO_FREE char *order = child_source(GOLDEN_FLIGHT "/replay.tsv");
	AUTO_FREE char *table = child_source(GOLDEN_FLIGHT "/allowed.tsv");
	AUTO_FREE char *text = it_file(order, NULL);
	struct flight_replay r = { .allow = golden_allow_read(table) };
	char *rest = text, *line;

	if (text == NULL)
		it_die("%s: cannot be read", order);
	start(&r);
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0' && line[0] != '#')
			row(&r, line);
	golden_allow_check(r.allow);
	golden_allow_free(r.allow);
	free(r.dir);
	free(r.keys);
	free(r.socket);
	free(r.api);
	free(r.agent);
	free(r.expired);
}

int
main(void)
{
	return it_run("golden_flight", scenario);
}
