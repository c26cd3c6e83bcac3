/* SPDX-License-Identifier: ISC */
/*
 * edge_matrix: the fields of a Pod that are honoured, on one real device.
 * The pods of t/edge/pods/matrix.yaml are applied with kubectl; then each row
 * of matrix.tsv is a command in one of their containers and what it must
 * print, and what kubectl says is compared with what podman says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/edge.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/kubectl.h"
#include "t/it/provider.h"

#define PODS "t/edge/pods/matrix.yaml"
#define MAPS "/api/v1/namespaces/default/configmaps"
#define SECRETS "/api/v1/namespaces/default/secrets"
#define MERGE "application/merge-patch+json"
#define ROWS "t/edge/pods/matrix.tsv"

enum {
	RUN_MS = 120000, /* twenty pods at once, one after the other */
	ROW_MS = 30000,	 /* until a probe has been, or a second start */
	CHANGE_MS = 90000,
	COLUMNS = 5,
};

/* What there is to see of a pod; NULL: nothing. */
struct wish {
	const char *name, *phase;
	int ready;
	int64_t restarts;
};

static const struct wish wishes[] = {
	{ "env", "Running", 1, 0 },
	{ "files", "Running", 1, 0 },
	{ "secure", "Running", 1, 0 },
	{ "network", "Running", 1, 0 },
	{ "host", "Running", 1, 0 },
	/* its first container was not alive */
	{ "single", "Running", 1, 1 },
	{ "init", "Running", 1, 0 },
	{ "done", "Succeeded", 0, 0 },
	{ "failed", "Failed", 0, 0 },
	{ "retried", "Succeeded", 0, 0 },
	{ "init-failed", "Failed", 0, 0 },
	{ "init-done", "Succeeded", 0, 0 },
	{ "empty", "Running", 1, 0 },
	{ "stop", "Running", 1, 0 },
	{ "stubborn", "Running", 1, 0 },
	{ "probes", "Running", 1, 0 },
	{ "mixed", "Running", 1, 0 },
	{ "paths", "Running", 1, 0 },
	{ "deadline", "Failed", 0, 0 },
};

static int
is_as_wished(struct json_object *pod, void *arg)
{
	const struct wish *w = arg;

	return strcmp(js_str(pod, "/status/phase"), w->phase) == 0 &&
	    (strcmp(js_condition(pod, "Ready"), "True") == 0) == w->ready &&
	    js_int(pod, "/status/containerStatuses/0/restartCount") >=
	    w->restarts;
}

/* For the reader: what kubectl and the device say of it. */
static void
look_closer(const char *name, struct json_object *pod)
{
	AUTO_FREE char *log = edge_sh("journalctl -b -o cat -u 'k8s-*-%s-*' | "
				      "grep -v conmon | tail -15",
	    name);

	it_say("%s", json_object_to_json_string(js_get(pod, "/status")));
	it_say("%s", log);
}

static void
await_pods(int64_t since)
{
	struct json_object *pod;
	size_t i;

	for (i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		pod = kube_await_one(KUBE_PODS, wishes[i].name, is_as_wished,
		    (void *)(uintptr_t)&wishes[i], RUN_MS);
		if (!it_took(since,
			pod != NULL &&
			    is_as_wished(pod, (void *)(uintptr_t)&wishes[i]),
			"pod %s is %s%s", wishes[i].name, wishes[i].phase,
			wishes[i].ready ? " and Ready" : ""))
			look_closer(wishes[i].name, pod);
		json_object_put(pod);
	}
}

/* Newlines become |. */
static void
join_lines(char *text)
{
	for (; *text != '\0'; text++)
		if (*text == '\n')
			*text = '|';
}

static void
unescape_tabs(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++)
		if (s[0] == '\\' && s[1] == 't') {
			*to++ = '\t';
			s++;
		} else
			*to++ = *s;
	*to = '\0';
}

#define FILTERS "--filter label=vk.flightctl.io/pod=%s --filter name=-%s$"

/*
 * In the container of that name of that pod; with @ before the name: on the
 * device, where $c is that container.
 */
static char *
run_inside(const char *pod, const char *container, const char *command)
{
	char *out = *container == '@' ?
	    edge_sh("c=$(podman ps -q " FILTERS "); %s", pod, container + 1,
		command) :
	    edge_sh("podman exec $(podman ps -q " FILTERS ") sh -c '%s' 2>&1",
		pod, container, command);

	join_lines(out);
	return out;
}

static void
look_at_row(char *row)
{
	AUTO_FREE char *line = NULL;
	char *column[COLUMNS], *next = row;
	int64_t since = it_ms();
	size_t n = 0;

	while (n < COLUMNS && (column[n] = strsep(&next, "\t")) != NULL)
		unescape_tabs(column[n++]);
	if (n != COLUMNS)
		it_die("%s: a row of %zu columns", ROWS, n);
	line = run_inside(column[0], column[1], column[3]);
	while (strcmp(line, column[4]) != 0 && it_ms() - since < ROW_MS) {
		it_pause(500);
		free(line);
		line = run_inside(column[0], column[1], column[3]);
	}
	it_ok(strcmp(line, column[4]) == 0, "%s: %s: %s%s%s", column[0],
	    column[2], column[4], strcmp(line, column[4]) == 0 ? "" : ", not ",
	    strcmp(line, column[4]) == 0 ? "" : line);
}

static void
look_at_rows(void)
{
	AUTO_FREE char *path = child_source(ROWS), *text = it_file(path, NULL);
	char *next = text, *row;

	if (text == NULL)
		it_die("%s cannot be read", ROWS);
	while ((row = strsep(&next, "\n")) != NULL)
		if (*row != '#' && *row != '\0')
			look_at_row(row);
}

/* -- what changes under a running pod -- */

static char *
started(void)
{
	return edge_sh(
	    "podman inspect --format {{.State.StartedAt}} $(podman ps -q "
	    "--filter label=vk.flightctl.io/pod=files --filter name=-main$)");
}

static int
shows(const char *command, const char *wanted)
{
	AUTO_FREE char *out = run_inside("files", "main", command);

	return strstr(out, wanted) != NULL;
}

static void
await_inside(int64_t since, const char *what, const char *command,
    const char *wanted)
{
	while (!shows(command, wanted) && it_ms() - since < CHANGE_MS)
		it_pause(500);
	it_took(since, shows(command, wanted),
	    "%s reaches the running container", what);
}

/* Labels at once, ConfigMaps and Secrets within a minute; nothing restarts. */
static void
change_files(void)
{
	AUTO_FREE char *before = started(), *after = NULL;
	int64_t since = it_ms();

	if (kube_patch(KUBE_PODS "/files", MERGE,
		js_make(
		    "{\"metadata\":{\"labels\":{\"colour\":\"green\"}}}")) !=
		200 ||
	    kube_patch(MAPS "/settings", MERGE,
		js_make("{\"data\":{\"app.conf\":\"a = 2\\n\"}}")) != 200 ||
	    kube_patch(SECRETS "/keys", MERGE,
		js_make("{\"stringData\":{\"token\":\"other\"}}")) != 200)
		it_die("what is mounted cannot be changed");
	await_inside(since, "a label", "cat /down/labels", "green");
	await_inside(since, "a ConfigMap", "cat /settings/app.conf", "a = 2");
	await_inside(since, "a Secret", "cat /keys/token /all/token",
	    "otherother");
	it_ok(shows("cat /one.conf", "a = 1"), "a subPath stays as it was");
	it_ok(shows("stat -c \"%a %u %g\" /keys/token", "440 0 3000"),
	    "modes and owners stay");
	after = started();
	it_ok(strcmp(before, after) == 0, "it was not restarted (%.40s)",
	    after);
}

static size_t
count_running(struct json_object *pod, const char *list)
{
	struct json_object *o;
	size_t i, n = 0;

	for (i = 0; (o = js_item(pod, list, i)) != NULL; i++)
		n += js_get(o, "/state/running") != NULL;
	return n;
}

/* "N NAME" for each pod of which kubectl shows running containers. */
static char *
running(void)
{
	AUTO_JSON struct json_object *pods = kube_get(KUBE_PODS);
	char *text = xstrdup(""), *more;
	struct json_object *pod;
	size_t i, n;

	for (i = 0; (pod = js_item(pods, "/items", i)) != NULL; i++) {
		n = count_running(pod, "/status/initContainerStatuses") +
		    count_running(pod, "/status/containerStatuses");
		if (n == 0)
			continue;
		more = xasprintf("%s%s%zu %s", text, *text == '\0' ? "" : "|",
		    n, js_str(pod, "/metadata/name"));
		free(text);
		text = more;
	}
	return text;
}

/* What kubectl shows as running, podman runs, and nothing else. */
static void
compare_with_podman(void)
{
	AUTO_FREE char *said = running(), *has = NULL;

	has = edge_sh("podman ps --filter label=vk.flightctl.io/uid --format "
		      "'{{index .Labels \"vk.flightctl.io/pod\"}}' | "
		      "LC_ALL=C sort | uniq -c | sed 's/^ *//'");
	join_lines(has);
	it_ok(strcmp(said, has) == 0, "podman runs %s, kubectl says %s", has,
	    said);
}

static void
look_at_host(void)
{
	AUTO_FREE char *host = edge_sh("cat /srv/host/sub/hook "
				       "/srv/host/sub/signal");

	it_ok(strcmp(host, "hook\nterm") == 0,
	    "the hook before the stop ran, and then the signal came (%.40s)",
	    host);
}

/* Seconds between two marks that containers left. */
static double
between(const char *from, const char *to)
{
	AUTO_FREE char *out = edge_sh("cat /srv/stop/%s /srv/stop/%s | "
				      "grep -oE '[0-9.]+$'",
	    from, to);
	char *rest;
	double first = strtod(out, &rest);

	return strtod(rest, NULL) - first;
}

/* How containers were asked to stop, and how long they were given. */
static void
look_at_stops(void)
{
	AUTO_FREE char *signal = edge_sh("cut -d ' ' -f 1 /srv/stop/signal");
	double slept = between("signal", "sleeper"),
	       other = between("deaf-1", "deaf-2"),
	       grace = between("asked", "lived"),
	       last = between("deaf-2", "lived-2");

	it_ok(strcmp(signal, "USR1") == 0, "stopSignal came (%.40s)", signal);
	it_ok(slept > 1.5 && slept < 5,
	    "sleep before the stop: TERM %.1f s after another's", slept);
	it_ok(other > -3 && other < 3,
	    "containers of a pod are asked at once (%.1f s apart)", other);
	it_ok(grace > 5 && grace < 8,
	    "one that ignores TERM lived its grace period of 6 s (%.1f s)",
	    grace);
	it_ok(last > 5 && last < 8, "in a pod of several as well (%.1f s)",
	    last);
}

/* Of a Secret in use the provider has no copy: not in its log, on no disk. */
static void
look_for_secrets(void)
{
	AUTO_FREE char *out = NULL;

	(void)child_run((const char *[]){ "grep", "-rlF", "s3cr$t", it_folder(),
			    NULL },
	    &out);
	it_ok(*out == '\0', "no file of the provider holds a Secret (%.200s)",
	    out);
}

static void
scenario(void)
{
	static const char *const settings[] = { "ALLOW_PRIVILEGED=yes",
		"SECRETS=inline", NULL };
	AUTO_FREE char *pods = child_source(PODS), *said = NULL;
	struct provider *p = edge_open(settings);
	int64_t since = it_ms();

	if (p == NULL)
		return;
	free(edge_sh("mknod /srv/block b 7 0; "
		     "echo nameserver 198.18.255.54 >/etc/resolv.conf"));
	kubectl("apply -f %s", pods);
	await_pods(since);
	look_at_rows();
	change_files();
	compare_with_podman();
	look_for_secrets();
	said =
	    edge_sh("journalctl -b -o cat | grep -c 'runAsNonRoot: the user'");
	it_ok(atoi(said) > 0, "an image of root does not start as non-root");
	kubectl("delete --wait=false -f %s", pods);
	edge_close(p);
	look_at_host();
	look_at_stops();
}

int
main(void)
{
	return it_run("edge-matrix", scenario);
}
