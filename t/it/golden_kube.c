/* SPDX-License-Identifier: ISC */
/*
 * golden_kube: requests that were recorded on a real API server, sent again
 * to kubesim, and the answers compared.
 *
 * t/golden/kubernetes/replay.tsv says what is played in which order and what
 * is to be there before; allowed.tsv says which differences are no faults.
 * One check for each recording.  A row of replay.tsv, separated by tabs:
 *	play RECORDING [N]		and compare (a watch's first N events)
 *	make RECORDING			its pods, unseen, with their versions
 *	grow RECORDING			the same, but their uids alone
 *	bear RECORDING			the same, but as they were born
 *	version N PATH			the object's version is known as N
 *	send ACTOR METHOD PATH TYPE BODY	must succeed
 *	with PATH TEXT, without PATH TEXT	until the object is so
 *	control COMMAND			of kubesim
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/golden_replay.h"
#include "t/it/it.h"

enum {
	COLUMNS = 6,
};

/* --- the server --- */

static char *
simctl(struct replay *r, const char *wait, const char *command)
{
	AUTO_FREE char *program = child_program("simctl");
	AUTO_FREE char *words = xstrdup(command);
	const char *argv[16] = { program, "--wait", wait, r->socket };
	char *rest = words, *word, *out = NULL;
	size_t n = 4;

	while (n < 15 && (word = strsep(&rest, " ")) != NULL)
		argv[n++] = word;
	if (child_run(argv, &out) != 0)
		it_die("kubesim does not take: %s: %s", command,
		    out != NULL ? out : "");
	return out;
}

/* The bearer token of a kubeconfig that kubesim wrote. */
static char *
token_of(const char *dir, const char *name)
{
	AUTO_FREE char *path = xasprintf("%s/%s.kubeconfig", dir, name);
	AUTO_FREE char *text = it_file(path, NULL);
	char *at = text != NULL ? strstr(text, "token: ") : NULL;

	if (at == NULL)
		it_die("%s: no token", path);
	at += strlen("token: ");
	at[strcspn(at, "\n")] = '\0';
	return xasprintf("Authorization: Bearer %s", at);
}

static void
start(struct replay *r)
{
	AUTO_FREE char *program = child_program("kubesim");
	AUTO_FREE char *log = xasprintf("%s/kubesim.log", it_folder());
	AUTO_FREE char *port = xasprintf("%s/port", it_folder());
	AUTO_FREE char *ca = NULL, *text = NULL;
	const char *argv[] = { program, "--port", "0", "--dir", NULL,
		"--control", NULL, "--port-file", port, NULL };

	r->dir = xasprintf("%s/kube", it_folder());
	r->socket = xasprintf("%s/control", it_folder());
	argv[4] = r->dir;
	argv[6] = r->socket;
	child_start(argv, NULL, log);
	free(simctl(r, "10", "status"));
	/* The files are written when the socket is there, before "ready". */
	if ((text = it_file(port, NULL)) == NULL)
		it_die("%s: cannot be read", port);
	text[strcspn(text, "\n")] = '\0';
	ca = xasprintf("%s/ca.crt", r->dir);
	r->base = xasprintf("https://127.0.0.1:%s", text);
	r->conn = golden_conn_new(ca);
	r->agent = token_of(r->dir, "agent");
}

/* --- the order --- */

static void
row(struct replay *r, char *line)
{
	char *f[COLUMNS] = { NULL };
	size_t i;

	for (i = 0; i < COLUMNS && line != NULL; i++)
		f[i] = strsep(&line, "\t");
	if (f[1] == NULL)
		it_die("replay.tsv: %s?", f[0]);
	if (strcmp(f[0], "play") == 0)
		replay_play(r, f[1],
		    f[2] != NULL ? strtoul(f[2], NULL, 10) : 0);
	else if (strcmp(f[0], "make") == 0)
		replay_make(r, f[1], REPLAY_EXACT);
	else if (strcmp(f[0], "grow") == 0)
		replay_make(r, f[1], REPLAY_GROWN);
	else if (strcmp(f[0], "bear") == 0)
		replay_make(r, f[1], REPLAY_BORN);
	else if (strcmp(f[0], "version") == 0 && f[2] != NULL)
		replay_version(r, f[1], f[2]);
	else if (strcmp(f[0], "send") == 0 && f[5] != NULL)
		replay_send(r, f[1], f[2], f[3], f[4], f[5]);
	else if (strcmp(f[0], "with") == 0 && f[2] != NULL)
		replay_await(r, f[1], f[2], 1);
	else if (strcmp(f[0], "without") == 0 && f[2] != NULL)
		replay_await(r, f[1], f[2], 0);
	else if (strcmp(f[0], "control") == 0)
		free(simctl(r, "0", f[1]));
	else
		it_die("replay.tsv: %s %s?", f[0], f[1]);
}

static void
scenario(void)
{
	AUTO_FREE char *order = child_source(GOLDEN "/replay.tsv");
	AUTO_FREE char *table = child_source(GOLDEN "/allowed.tsv");
	AUTO_FREE char *text = it_file(order, NULL);
	struct replay r = { .names = golden_names_new(),
		.allow = golden_allow_read(table) };
	char *rest = text, *line;

	if (text == NULL)
		it_die("%s: cannot be read", order);
	start(&r);
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0' && line[0] != '#')
			row(&r, line);
	golden_allow_check(r.allow);
	golden_allow_free(r.allow);
	golden_names_free(r.names);
	golden_conn_free(r.conn);
	free(r.dir);
	free(r.base);
	free(r.socket);
	free(r.agent);
}

int
main(void)
{
	return it_run("golden_kube", scenario);
}
