/* SPDX-License-Identifier: ISC */
/*
 * quadlet_probe.c: liveness and startup probes of a container.
 *
 * Owns what they become: podman's health checks.  podman runs them inside the
 * container, so a probe over the network wants a tool of the image.  A
 * readiness probe becomes nothing: no report of a device says what it found.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/bytes.h"
#include "common/jmake.h"
#include "common/xmem.h"
#include "placer/quadlet_own.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct probe {
	int64_t delay, period, timeout, failures;
	struct json_object *exec, *http, *tcp;
};

static const struct jread_field probe_fields[] = {
	JINT(struct probe, delay, "initialDelaySeconds", INT32_MAX, OPTIONAL),
	JINT(struct probe, period, "periodSeconds", INT32_MAX, OPTIONAL),
	JINT(struct probe, timeout, "timeoutSeconds", INT32_MAX, OPTIONAL),
	JINT(struct probe, failures, "failureThreshold", INT32_MAX, OPTIONAL),
	JARR(struct probe, exec, "exec.command", MAX_LIST, OPTIONAL),
	JOBJ(struct probe, http, "httpGet", OPTIONAL),
	JOBJ(struct probe, tcp, "tcpSocket", OPTIONAL),
};

struct target {
	const char *host, *path, *scheme;
	struct json_object *headers;
	int64_t port;
};

static const struct jread_field target_fields[] = {
	JSTR(struct target, host, "host", MAX_NAME, OPTIONAL),
	JSTR(struct target, path, "path", 1024, OPTIONAL),
	JSTR(struct target, scheme, "scheme", 8, OPTIONAL),
	JARR(struct target, headers, "httpHeaders", MAX_LIST, OPTIONAL),
};

/* A port by its number or by its name. */
static int64_t
port_of(const struct work *w, struct json_object *j)
{
	struct json_object *port;

	if (json_object_is_type(j, json_type_int))
		return json_object_get_int64(j);
	port =
	    jread_find(jread_member(w->json, "ports"), "name", jread_string(j));
	return json_object_get_int64(jread_member(port, "containerPort"));
}

static int
read_target(struct work *w, struct json_object *j, const char *at,
    struct target *t)
{
	*t = (struct target){ .host = "", .path = "/", .scheme = "HTTP" };
	if (jread_fields(j, at, target_fields, COUNT(target_fields), t,
		w->app->why) == -1)
		return -1;
	t->port = port_of(w, jread_member(j, "port"));
	if (t->port < 1 || t->port > UINT16_MAX)
		return fail(w->app->why, ERR_FORMAT,
		    "%s.port: none of 1 to "
		    "%d, and no name of a port",
		    at, UINT16_MAX);
	if (*t->host == '\0')
		t->host = "127.0.0.1";
	return 0;
}

/* One word of a shell. */
static void
put_shell_word(struct bytes *b, const char *s)
{
	size_t n;

	bytes_add_text(b, " '");
	for (; *s != '\0'; s += n) {
		if (*s == '\'') {
			bytes_add_text(b, "'\\''");
			n = 1;
			continue;
		}
		n = strcspn(s, "'");
		bytes_add(b, (struct span){ s, n });
	}
	bytes_add_text(b, "'");
}

static void
put_headers(struct bytes *b, const struct target *t, const char *option)
{
	AUTO_FREE char *line = NULL;
	const char *name, *value;
	struct json_object *h;
	size_t i;

	for (i = 0; i < jread_count(t->headers); i++) {
		h = jread_item(t->headers, i);
		name = jread_string(jread_member(h, "name"));
		value = jread_string(jread_member(h, "value"));
		free(line);
		line = xasprintf("%s: %s", name == NULL ? "" : name,
		    value == NULL ? "" : value);
		bytes_add_text(b, option);
		put_shell_word(b, line);
	}
}

/* wget is what small images have, curl what large ones have. */
static char *
http_script(const struct target *t, int64_t timeout)
{
	AUTO_FREE char *url = NULL, *number = NULL;
	struct bytes b = { NULL, 0, 0 };
	int v6 = strchr(t->host, ':') != NULL;
	int tls = strcmp(t->scheme, "HTTPS") == 0;

	url = xasprintf("%s://%s%s%s:%" PRId64 "%s%s", tls ? "https" : "http",
	    v6 ? "[" : "", t->host, v6 ? "]" : "", t->port,
	    *t->path == '/' ? "" : "/", t->path);
	number = xasprintf("%" PRId64, timeout);
	bytes_add_text(&b,
	    "if command -v wget >/dev/null; then exec wget -q "
	    "-O /dev/null -T ");
	bytes_add_text(&b, number);
	/* The kubelet verifies no certificate either. */
	bytes_add_text(&b, tls ? " --no-check-certificate" : "");
	put_headers(&b, t, " --header");
	put_shell_word(&b, url);
	bytes_add_text(&b, "; fi; exec curl -fsS -o /dev/null -m ");
	bytes_add_text(&b, number);
	bytes_add_text(&b, tls ? " -k" : "");
	put_headers(&b, t, " -H");
	put_shell_word(&b, url);
	bytes_add(&b, (struct span){ "", 1 });
	return b.p;
}

/* A busybox without nc -z has nc -e instead, and the other way round. */
static char *
tcp_script(const struct target *t, int64_t timeout)
{
	struct bytes b = { NULL, 0, 0 };
	AUTO_FREE char *port = xasprintf(" %" PRId64, t->port);
	AUTO_FREE char *bound = xasprintf(" -w %" PRId64, timeout);

	bytes_add_text(&b, "nc -z");
	bytes_add_text(&b, bound);
	put_shell_word(&b, t->host);
	bytes_add_text(&b, port);
	bytes_add_text(&b, " 2>/dev/null || exec nc");
	bytes_add_text(&b, bound);
	put_shell_word(&b, t->host);
	bytes_add_text(&b, port);
	bytes_add_text(&b, " -e true");
	bytes_add(&b, (struct span){ "", 1 });
	return b.p;
}

static int
add_exec(struct work *w, const struct probe *p, const char *at,
    struct json_object *argv)
{
	AUTO_FREE char *word = NULL;
	struct why inner = { .kind = ERR_FORMAT, .text = "not a text" };
	const char *s;
	size_t i;

	for (i = 0; i < jread_count(p->exec); i++) {
		free(word);
		word = NULL;
		if ((s = jread_string(jread_item(p->exec, i))) == NULL ||
		    (word = quadlet_expand(w, s, &inner)) == NULL)
			return fail(w->app->why, inner.kind,
			    "%s.exec.command: %s", at, inner.text);
		jmake_add(argv, word);
	}
	return 0;
}

/* The argument vector of a probe, as podman takes it: a JSON array. */
static int
add_argv(struct work *w, const struct probe *p, const char *at,
    struct json_object *argv)
{
	AUTO_FREE char *inside = NULL, *script = NULL;
	struct target t;
	bool http = p->http != NULL;

	if (jread_count(p->exec) > 0)
		return add_exec(w, p, at, argv);
	if (!http && p->tcp == NULL)
		return fail(w->app->why, ERR_FORMAT,
		    "%s: neither exec nor httpGet nor tcpSocket", at);
	inside = xasprintf("%s.%s", at, http ? "httpGet" : "tcpSocket");
	if (read_target(w, http ? p->http : p->tcp, inside, &t) == -1)
		return -1;
	script =
	    http ? http_script(&t, p->timeout) : tcp_script(&t, p->timeout);
	jmake_add(argv, "/bin/sh");
	jmake_add(argv, "-c");
	jmake_add(argv, script);
	return 0;
}

static int
put_argv(struct work *w, const struct probe *p, const char *at, const char *key)
{
	AUTO_JSON struct json_object *argv = jmake_array();
	AUTO_FREE char *text = NULL;
	struct why inner;

	if (add_argv(w, p, at, argv) == -1)
		return -1;
	text = jmake_text(&argv);
	if (unitfile_json(&w->f, key, text, &inner) == -1)
		return fail(w->app->why, inner.kind, "%s: %s", at, inner.text);
	return 0;
}

/* 1: there is one, 0: there is none, -1. */
static int
read_probe(struct work *w, const char *name, char *at, size_t size,
    struct probe *p)
{
	struct json_object *j = jread_member(w->json, name);

	*p = (struct probe){ .period = 10, .timeout = 1, .failures = 3 };
	(void)snprintf(at, size, "%s.%s", w->at, name);
	if (j == NULL)
		return 0;
	if (jread_fields(j, at, probe_fields, COUNT(probe_fields), p,
		w->app->why) == -1)
		return -1;
	if (p->period < 1 || p->timeout < 1 || p->failures < 1)
		return fail(w->app->why, ERR_FORMAT,
		    "%s: periodSeconds, timeoutSeconds or failureThreshold is "
		    "not above 0",
		    at);
	return 1;
}

static int
put_liveness(struct work *w, const struct probe *p, const char *at)
{
	if (put_argv(w, p, at, "HealthCmd") == -1)
		return -1;
	unitfile_line(&w->f, "HealthInterval", "%" PRId64 "s", p->period);
	unitfile_line(&w->f, "HealthTimeout", "%" PRId64 "s", p->timeout);
	unitfile_line(&w->f, "HealthRetries", "%" PRId64, p->failures);
	if (p->delay > 0)
		unitfile_line(&w->f, "HealthStartPeriod", "%" PRId64 "s",
		    p->delay);
	unitfile_line(&w->f, "HealthOnFailure", "kill");
	return 0;
}

/* What may fail before the delay is over may fail so much more often. */
static int
put_startup(struct work *w, const struct probe *p, const char *at)
{
	if (put_argv(w, p, at, "HealthStartupCmd") == -1)
		return -1;
	unitfile_line(&w->f, "HealthStartupInterval", "%" PRId64 "s",
	    p->period);
	unitfile_line(&w->f, "HealthStartupTimeout", "%" PRId64 "s",
	    p->timeout);
	unitfile_line(&w->f, "HealthStartupRetries", "%" PRId64,
	    p->failures + (p->delay + p->period - 1) / p->period);
	return 0;
}

/* podman knows no startup check without another; this one hurts nobody. */
static int
put_harmless(struct work *w, const struct probe *p, const char *at)
{
	if (put_argv(w, p, at, "HealthCmd") == -1)
		return -1;
	unitfile_line(&w->f, "HealthInterval", "%" PRId64 "s", p->period);
	unitfile_line(&w->f, "HealthTimeout", "%" PRId64 "s", p->timeout);
	unitfile_line(&w->f, "HealthOnFailure", "none");
	return 0;
}

int
quadlet_probes(struct work *w)
{
	struct probe live, startup;
	char live_at[96], startup_at[96];
	int has_live, has_startup, r = 0;

	has_live =
	    read_probe(w, "livenessProbe", live_at, sizeof(live_at), &live);
	has_startup = read_probe(w, "startupProbe", startup_at,
	    sizeof(startup_at), &startup);
	if (has_live == -1 || has_startup == -1)
		return -1;
	if (has_live)
		r = put_liveness(w, &live, live_at);
	else if (has_startup)
		r = put_harmless(w, &startup, startup_at);
	if (r == 0 && has_startup)
		r = put_startup(w, &startup, startup_at);
	return r;
}
