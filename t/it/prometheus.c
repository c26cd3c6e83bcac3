/* SPDX-License-Identifier: ISC */
/*
 * prometheus: what a real Prometheus makes of our metrics, alerts and
 * dashboard.  promtool lints what is served and tries the alerts; a server
 * scrapes a provider that runs a pod, and answers every query of the
 * dashboard.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/http.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	READY_MS = 30000,
	RUN_MS = 30000,
	UP_MS = 30000,
	LOOK_MS = 100,
};

/* What promtool would have otherwise, and why it is as it is. */
static const struct {
	const char *line, *reason;
} exceptions[] = {
#define TOTAL " non-counter metrics should not have \"_total\" suffix"
	{ "vk_flightctl_pods_total" TOTAL, "T037 names it" },
	{ "vk_flightctl_devices_total" TOTAL, "T037 names it" },
	{ "vk_flightctl_device_specs_total" TOTAL,
	    "as vk_flightctl_devices_total, of which it is a view" },
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Panels that have something to show when a pod runs. */
static const char *const shown[] = { "Ready", "Apiserver", "Flightctl",
	"Workers", "Oldest waiting pod", "Version", "Pods by status",
	"Pods without a device", "Devices by status", "Specs by state",
	"Disconnections", "CPU", "Memory", "Entries queued", "Oldest",
	"Evictions", "Budget left", "Budget", "429", "Requests",
	"Time of requests", "Creation to running", "Write to rendering",
	"Writer", "Age of the device list", "Turns",
	"Restarts and refused frames", "Database", "Running for" };

static int
has_program(const char *name)
{
	AUTO_FREE char *out = NULL;
	AUTO_FREE char *line = xasprintf("command -v %s", name);
	const char *const argv[] = { "/bin/sh", "-c", line, NULL };

	return child_run(argv, &out) == 0;
}

static void
run_promtool(const char *verb, const char *source)
{
	AUTO_FREE char *path = child_source(source), *out = NULL;
	const char *const argv[] = { "/usr/bin/env", "promtool", verb, "rules",
		path, NULL };

	if (!it_ok(child_run(argv, &out) == 0, "promtool %s rules %s", verb,
		source))
		it_say("%s", out);
}

/* -- promtool check metrics -- */

static int
is_known(const char *line)
{
	size_t i;

	for (i = 0; i < COUNT(exceptions); i++)
		if (strcmp(exceptions[i].line, line) == 0)
			return 1;
	return 0;
}

static void
check_metrics(struct http *h)
{
	AUTO_FREE char *path = xasprintf("%s/metrics", it_folder());
	AUTO_FREE char *line =
	    xasprintf("promtool check metrics < %s 2>&1", path);
	const char *const argv[] = { "/bin/sh", "-c", line, NULL };
	AUTO_FREE char *out = NULL;
	char *rest, *says;
	struct http_answer a;
	size_t n = 0;

	if (http_send(h, "GET", "/metrics", NULL, NULL, &a) != 200)
		it_die("/metrics does not answer");
	it_say("/metrics has %zu bytes", a.len);
	it_write(path, a.body);
	http_answer_clear(&a);
	(void)child_run(argv, &out);
	rest = out;
	while ((says = strsep(&rest, "\n")) != NULL)
		if (*says != '\0' &&
		    !it_ok(is_known(says), "promtool: %s", says))
			it_say("that is no exception of ours");
		else
			n += *says != '\0';
	it_ok(n == COUNT(exceptions), "and nothing else: %zu exceptions", n);
}

/* -- a server -- */

static int
free_port(void)
{
	uint16_t port;

	close(it_listen(&port));
	return port;
}

static struct http *
start_server(const char *target, pid_t *pid)
{
	AUTO_FREE char *rules = child_source("deploy/prometheus/alerts.yaml");
	AUTO_FREE char *text = xasprintf("global:\n"
					 "  scrape_interval: 1s\n"
					 "  evaluation_interval: 1s\n"
					 "rule_files: ['%s']\n"
					 "scrape_configs:\n"
					 "  - job_name: provider\n"
					 "    static_configs:\n"
					 "      - targets: ['%s']\n",
	    rules, target);
	AUTO_FREE char *path = xasprintf("%s/prometheus.yml", it_folder());
	AUTO_FREE char *log = xasprintf("%s/prometheus.log", it_folder());
	AUTO_FREE char *config = xasprintf("--config.file=%s", path);
	AUTO_FREE char *data =
	    xasprintf("--storage.tsdb.path=%s/data", it_folder());
	AUTO_FREE char *at = xasprintf("127.0.0.1:%d", free_port());
	AUTO_FREE char *listen = xasprintf("--web.listen-address=%s", at);
	AUTO_FREE char *url = xasprintf("http://%s", at);
	const char *const argv[] = { "/usr/bin/prometheus", config, data,
		listen, "--log.level=warn", NULL };

	it_write(path, text);
	*pid = child_start(argv, NULL, log);
	return http_new(url, NULL, NULL);
}

/* Its answer to a query, or NULL; never an empty expression. */
static struct json_object *
ask(struct http *h, const char *expr)
{
	AUTO_FREE char *value = http_escape(expr);
	AUTO_FREE char *path = xasprintf("/api/v1/query?query=%s", value);
	struct json_object *tree;
	long status;

	tree = http_json(h, "GET", path, NULL, &status);
	if (status == 200)
		return tree;
	if (tree != NULL && status != 0)
		it_say("%s: %s", expr, js_str(tree, "/error"));
	json_object_put(tree);
	return NULL;
}

/* There is nothing to watch: a scrape is a scrape. */
static int
comes_to_have(struct http *h, const char *expr)
{
	int64_t until = it_ms() + UP_MS;

	while (it_ms() < until) {
		AUTO_JSON struct json_object *tree = ask(h, expr);

		if (js_len(tree, "/data/result") > 0)
			return 1;
		it_pause(LOOK_MS);
	}
	return 0;
}

/* Grafana's words replaced by what it would. */
static char *
plain(const char *expr)
{
	static const struct {
		const char *word, *is;
	} words[] = { { "$fleet", ".*" }, { "$instance", ".*" },
		{ "$__rate_interval", "1m" } };
	char *text = xstrdup(expr), *at, *next;
	size_t i;

	for (i = 0; i < COUNT(words); i++)
		while ((at = strstr(text, words[i].word)) != NULL) {
			next = xasprintf("%.*s%s%s", (int)(at - text), text,
			    words[i].is, at + strlen(words[i].word));
			free(text);
			text = next;
		}
	return text;
}

static int
is_shown(const char *title)
{
	size_t i;

	for (i = 0; i < COUNT(shown); i++)
		if (strcmp(shown[i], title) == 0)
			return 1;
	return 0;
}

static void
check_panel(struct http *h, struct json_object *panel, size_t *queries)
{
	const char *title = js_str(panel, "/title");
	struct json_object *target;
	size_t i, has = 0;

	for (i = 0; (target = js_item(panel, "/targets", i)) != NULL; i++) {
		AUTO_FREE char *expr = plain(js_str(target, "/expr"));
		AUTO_JSON struct json_object *tree = ask(h, expr);

		if (tree == NULL)
			it_ok(0, "%s: %s", title, expr);
		has += js_len(tree, "/data/result");
		++*queries;
	}
	if (i > 0 && is_shown(title))
		it_ok(has > 0, "%s: %zu series", title, has);
}

static void
check_dashboard(struct http *h)
{
	AUTO_FREE char *path = child_source("deploy/grafana/dashboard.json");
	AUTO_FREE char *text = it_file(path, NULL);
	AUTO_JSON struct json_object *tree = js_make("%s", text);
	struct json_object *panel;
	size_t i, queries = 0;

	for (i = 0; (panel = js_item(tree, "/panels", i)) != NULL; i++)
		check_panel(h, panel, &queries);
	it_ok(queries > 30, "%zu queries of the dashboard are answered",
	    queries);
}

static void
check_alerts(struct http *h)
{
	AUTO_JSON struct json_object *tree = NULL;
	struct json_object *rule;
	size_t i;

	tree = http_json(h, "GET", "/api/v1/rules", NULL, NULL);
	for (i = 0; (rule = js_item(tree, "/data/groups/0/rules", i)) != NULL;
	     i++)
		if (strcmp(js_str(rule, "/health"), "err") == 0 ||
		    strcmp(js_str(rule, "/state"), "firing") == 0)
			it_ok(0, "%s: %s, %s", js_str(rule, "/name"),
			    js_str(rule, "/state"), js_str(rule, "/lastError"));
	it_ok(i > 20, "%zu rules are loaded, none fires", i);
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *pod = NULL;
	AUTO_FREE char *address = NULL;
	struct http *h, *server;
	struct provider *p;
	pid_t pid;

	if (!has_program("promtool") || !has_program("prometheus")) {
		it_skip("wants the Debian package prometheus");
		return;
	}
	run_promtool("check", "deploy/prometheus/alerts.yaml");
	run_promtool("test", "t/golden/prometheus/alerts_test.yaml");
	world_open(&(struct world_conf){ .devices = 3 });
	p = provider_start("provider", NULL);
	address = provider_address(p, READY_MS);
	server = start_server(address, &pid);
	h = provider_listener(p, READY_MS);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	it_ok(comes_to_have(server, "vk_flightctl_ready == 1"),
	    "Prometheus reads that the provider is ready");
	free(pod_create("seen", NULL));
	pod = pod_runs("seen", it_ms(), RUN_MS);
	it_ok(comes_to_have(server,
		  "rate(vk_flightctl_pod_start_duration_seconds_count[1m]) > 0 "
		  "and on (fleet) "
		  "rate(vk_flightctl_render_duration_seconds_count[1m]) > 0 "
		  "and on (instance) "
		  "rate(vk_flightctl_api_requests_total{"
		  "request=\"put_device\",result=\"ok\"}[1m]) > 0"),
	    "and that it was written, rendered and runs");
	check_metrics(h);
	check_dashboard(server);
	check_alerts(server);
	child_end(pid);
	http_free(server);
	http_free(h);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("prometheus", scenario);
}
