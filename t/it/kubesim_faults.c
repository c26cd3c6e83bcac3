/* SPDX-License-Identifier: ISC */
/*
 * kubesim_faults: what kubesim is told on its control socket is what a client
 * sees, and it ends when told to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/http.h"
#include "t/it/it.h"

#define PODS "/api/v1/namespaces/default/pods"
#define NODE "/api/v1/nodes/n1"

enum {
	PATIENCE_MS = 8000,
	SLOW_MS = 300,
};

static char *socket_path, *base, *dir;
static struct http *admin;

static char *
tell(const char *command, const char *a, const char *b, const char *c)
{
	AUTO_FREE char *program = child_program("simctl");
	const char *argv[] = { program, "--wait", "10", socket_path, command, a,
		b, c, NULL };
	char *out = NULL;

	if (child_run(argv, &out) != 0)
		it_die("%s: %s", command, out != NULL ? out : "no answer");
	return out;
}

static void
told(const char *command, const char *a, const char *b, const char *c)
{
	free(tell(command, a, b, c));
}

static pid_t
start(void)
{
	AUTO_FREE char *program = child_program("kubesim");
	AUTO_FREE char *log = xasprintf("%s/kubesim.log", it_folder());
	AUTO_FREE char *file = xasprintf("%s/port", it_folder());
	AUTO_FREE char *port = NULL, *ca = NULL, *cert = NULL, *key = NULL;
	const char *argv[] = { program, "--port", "0", "--dir", NULL,
		"--control", NULL, "--port-file", file, "--schedule", NULL };
	pid_t pid;

	argv[4] = dir = xasprintf("%s/kube", it_folder());
	argv[6] = socket_path = xasprintf("%s/control", it_folder());
	pid = child_start(argv, NULL, log);
	told("status", NULL, NULL, NULL);
	if ((port = it_file(file, NULL)) == NULL)
		it_die("%s: cannot be read", file);
	port[strcspn(port, "\n")] = '\0';
	base = xasprintf("https://127.0.0.1:%s", port);
	ca = xasprintf("%s/ca.crt", dir);
	cert = xasprintf("%s/admin.crt", dir);
	key = xasprintf("%s/admin.key", dir);
	admin = http_new(base, ca, NULL);
	http_certificate(admin, cert, key);
	return pid;
}

static long
get(const char *path, struct http_answer *a)
{
	return http_send(admin, "GET", path, NULL, NULL, a);
}

/* Status and body words of a GET. */
static int
answers(const char *path, long status, const char *words)
{
	struct http_answer a = { .status = 0 };
	int ok;

	get(path, &a);
	ok = a.status == status &&
	    (words == NULL ||
		(a.body != NULL && strstr(a.body, words) != NULL));
	http_answer_clear(&a);
	return ok;
}

static void
post(const char *method, const char *path, const char *type, const char *body)
{
	struct http_answer a = { .status = 0 };

	http_send(admin, method, path, type, body, &a);
	if (a.status != 200 && a.status != 201)
		it_die("%s %s: %ld %s", method, path, a.status,
		    a.body != NULL ? a.body : "");
	http_answer_clear(&a);
}

static void
check_failures(void)
{
	struct http_answer a = { .status = 0 };
	AUTO_FREE char *counts = NULL;
	int64_t since;

	told("reset-counts", NULL, NULL, NULL);
	told("fail-next", "GET", PODS, "503");
	it_ok(answers(PODS, 503, "apiserver is shutting down"),
	    "a request fails as told");
	it_ok(answers(PODS, 200, "PodList"), "and the next does not");
	told("cut-next", "GET", PODS, "20");
	get(PODS, &a);
	it_ok(a.len <= 20, "an answer is cut after 20 bytes: %zu", a.len);
	http_answer_clear(&a);
	told("latency", "300", NULL, NULL);
	since = it_ms();
	it_ok(answers("/readyz", 200, "ok") && it_ms() - since >= SLOW_MS,
	    "an answer comes late");
	told("clear", NULL, NULL, NULL);
	counts = tell("counts", NULL, NULL, NULL);
	counts[strcspn(counts, "\n")] = '\0';
	it_ok(strstr(counts, "\"list pods\":3") != NULL,
	    "requests are counted: %s", counts);
}

static void
check_outage(void)
{
	told("down", NULL, NULL, NULL);
	it_ok(answers("/readyz", 0, NULL), "down: nobody answers");
	told("up", NULL, NULL, NULL);
	it_ok(answers("/readyz", 200, "ok"), "up: the same port answers");
}

static long
status_as(struct http *who)
{
	struct http_answer a = { .status = 0 };
	long status = http_send(who, "GET", PODS "/x", NULL, NULL, &a);

	http_answer_clear(&a);
	return status;
}

static void
check_token(void)
{
	AUTO_FREE char *file = xasprintf("%s/token", it_folder());
	AUTO_FREE char *ca = xasprintf("%s/ca.crt", dir);
	struct http *old, *now;
	FILE *fp = fopen(file, "we");

	if (fp == NULL || fputs("first", fp) == EOF || fclose(fp) == EOF)
		it_die("%s: cannot be written", file);
	told("token", "first", NULL, NULL);
	old = http_new(base, ca, file);
	it_ok(status_as(old) == 404, "the provider's token is known");
	told("token", "second", NULL, NULL);
	it_ok(status_as(old) == 401, "and expired when there is a new one");
	now = http_new(base, ca, NULL);
	it_ok(status_as(now) == 403, "without a token it is forbidden");
	http_free(old);
	http_free(now);
}

/* A watch that is told something as soon as it is open. */
struct watch {
	const char *command;
	int told, errors;
};

static int
on_line(const char *line, void *arg)
{
	struct watch *w = arg;

	w->errors += strstr(line, "\"type\":\"ERROR\"") != NULL &&
	    strstr(line, "\"code\":410") != NULL;
	if (!w->told)
		told(w->command, NULL, NULL, NULL);
	w->told = 1;
	return 0;
}

static void
check_watches(void)
{
	static const char path[] = "/api/v1/nodes?watch=true";
	struct watch w = { .command = "expire-watches" };

	it_ok(http_lines(admin, path, on_line, &w, it_ms() + PATIENCE_MS) ==
		    -1 &&
		w.errors == 1,
	    "expire-watches: the 410 event, then the end");
	it_ok(answers("/api/v1/nodes?watch=true&resourceVersion=2", 200,
		  "too old resource version"),
	    "older versions are expired");
	w = (struct watch){ .command = "drop-watches" };
	it_ok(http_lines(admin, path, on_line, &w, it_ms() + PATIENCE_MS) ==
		    -1 &&
		w.errors == 0,
	    "drop-watches: the end alone");
}

static int
await(const char *path, const char *words, int there)
{
	int64_t until = it_ms() + PATIENCE_MS;
	struct http_answer a = { .status = 0 };
	int ok = 0;

	while (!ok && it_ms() < until) {
		get(path, &a);
		ok =
		    a.status == 200 && (strstr(a.body, words) != NULL) == there;
		http_answer_clear(&a);
		if (!ok)
			it_pause(50);
	}
	return ok;
}

static void
check_node(void)
{
	post("POST", "/api/v1/nodes", NULL,
	    "{\"metadata\":{\"name\":\"n1\",\"labels\":{\"fleet\":\"a\"}}}");
	post("PATCH", NODE "/status", "application/merge-patch+json",
	    "{\"status\":{\"allocatable\":{\"cpu\":\"1\",\"memory\":\"1Gi\","
	    "\"pods\":\"1\"},\"conditions\":[{\"type\":\"Ready\","
	    "\"status\":\"True\"}]}}");
	it_ok(await(NODE, "not-ready", 0), "a ready node loses its taint");
	post("POST", PODS, NULL,
	    "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"nodeSelector\":"
	    "{\"fleet\":\"a\"},\"containers\":[{\"name\":\"c\",\"image\":"
	    "\"i\"}]}}");
	it_ok(await(PODS "/p", "\"nodeName\":\"n1\"", 1),
	    "a pod that fits is bound");
	post("POST", PODS, NULL,
	    "{\"metadata\":{\"name\":\"q\"},\"spec\":{\"containers\":"
	    "[{\"name\":\"c\",\"image\":\"i\"}]}}");
	it_ok(await(PODS "/q", "Unschedulable", 1),
	    "one for which there is no room is told so");
	post("DELETE", PODS "/p?gracePeriodSeconds=0", NULL, NULL);
	it_ok(await(PODS "/q", "\"nodeName\":\"n1\"", 1),
	    "and bound when there is room again");
	told("force-node-unknown", "n1", NULL, NULL);
	it_ok(answers(NODE, 200, "NodeStatusUnknown") &&
		answers(NODE, 200, "node.kubernetes.io/unreachable"),
	    "a node becomes unknown");
}

static void
scenario(void)
{
	pid_t pid = start();

	check_failures();
	check_outage();
	check_token();
	check_node();
	check_watches();
	told("quit", NULL, NULL, NULL);
	it_ok(child_wait(pid, PATIENCE_MS) == 0, "kubesim ends with 0");
	http_free(admin);
	free(socket_path);
	free(base);
	free(dir);
}

int
main(void)
{
	return it_run("kubesim_faults", scenario);
}
