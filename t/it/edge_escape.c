/* SPDX-License-Identifier: ISC */
/*
 * edge_escape: 2,000 generated values, as arguments, variables and files of
 * containers on one real device: each arrives byte by byte.  They are of what
 * Flightctl, podman's generator, systemd and shells read as their own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/jread.h"
#include "common/xmem.h"
#include "t/it/edge.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"

enum {
	RUN_MS = 120000,
	PODS = 8,
	ARGS = 100,
	VARIABLES = 100,
	FILES = 50,
	VALUES = ARGS + VARIABLES + FILES,
	PIECES_MAX = 12,
	SEED = 20261126,
};

/* Each value in hexadecimal digits, a line. */
#define DUMP "od -An -v -tx1 | tr -d \" \\n\"; echo"
#define SCRIPT                                                                 \
	"for a; do printf %s \"$a\" | " DUMP "; done >/tmp/out; i=0; "         \
	"while [ $i -lt 100 ]; do eval \"v=\\$V$i\"; printf %s \"$v\" | " DUMP \
	"; i=$((i+1)); done >>/tmp/out; i=0; "                                 \
	"while [ $i -lt 50 ]; do cat /files/f$i | " DUMP "; i=$((i+1)); "      \
	"done >>/tmp/out; echo end >>/tmp/out; "                               \
	"trap 'exit 0' TERM; sleep 100000 & wait"

static const char *const pieces[] = { "a", "Zz9", " ", "  ", "\n", "\t", "\"",
	"'", "\\", "%", "%h", "%%", "$", "${HOME}", "$HOME", "`id`", "#", ";",
	"&&", "|", "[", "]", "=", ":", ",", "\x01", "\x1b", "\x7f", "ü", "日本",
	"\xe2\x80\xa8", "{{.ID}}", "<", ">", "*", "?", "~", "!", "/", "../",
	"-", "--x=y", "\\n", "\\x41", "\r" };

static char *values[PODS][VALUES];

static uint32_t
dice(uint32_t sides)
{
	static uint32_t seed = SEED;

	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % sides;
}

/*
 * Without "$$" and "$(", which Kubernetes itself reads, and without a newline
 * behind a carriage return, which a variable is refused for.
 */
static char *
random_value(void)
{
	uint32_t n = 1 + dice(PIECES_MAX), i;
	char *text = xcalloc(1, PIECES_MAX * 8 + 1);
	const char *p;
	char last;

	if (dice(50) == 0) { /* over the length of a line */
		free(text);
		text = xcalloc(1, 3001);
		for (i = 0; i < 3000; i++)
			text[i] = "ab \"\\%#"[dice(7)];
		return text;
	}
	for (i = 0; i < n; i++) {
		p = pieces[dice(sizeof(pieces) / sizeof(pieces[0]))];
		last = i > 0 ? text[strlen(text) - 1] : '\0';
		if ((*p == '$' && last == '$') || (*p == '\n' && last == '\r'))
			continue;
		strcat(text, p);
	}
	/* the two arguments that are refused by name */
	if (strcmp(text, ";") == 0)
		*text = 'x';
	return text;
}

static void
create(const char *path, struct json_object *body)
{
	AUTO_JSON struct json_object *answer = NULL;
	long status = kube_send("POST", path, body, &answer);

	if (status != 201)
		it_die("%s: %ld %s", path, status, js_str(answer, "/message"));
}

static void
create_files(const char *name, char *const *v)
{
	struct json_object *map = js_make(
	    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":"
	    "{\"name\":\"%s\"}}",
	    name);
	struct json_object *data = jmake_in(map, "data");
	char key[16];
	int i;

	for (i = 0; i < FILES; i++) {
		(void)snprintf(key, sizeof(key), "f%d", i);
		jmake_str(data, key, v[ARGS + VARIABLES + i]);
	}
	create("/api/v1/namespaces/default/configmaps", map);
}

static void
create_pod(const char *name, char *const *v)
{
	AUTO_FREE char *members = pod_template(name,
	    &(struct pod_conf){ .cpu = "10m",
		.container = ",\"volumeMounts\":[{\"name\":\"v\","
			     "\"mountPath\":\"/files\"}]" });
	struct json_object *pod =
	    js_make("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",%s}", members);
	struct json_object *c = js_get(pod, "/spec/containers/0"), *list, *j;
	char key[16];
	int i;

	json_object_object_del(c, "command");
	list = jmake_list(c, "command");
	jmake_add(list, "/bin/sh");
	jmake_add(list, "-c");
	jmake_add(list, SCRIPT);
	jmake_add(list, "x");
	list = jmake_list(c, "args");
	for (i = 0; i < ARGS; i++)
		jmake_add(list, v[i]);
	list = jmake_list(c, "env");
	for (i = 0; i < VARIABLES; i++) {
		(void)snprintf(key, sizeof(key), "V%d", i);
		j = jmake_item(list);
		jmake_str(j, "name", key);
		jmake_str(j, "value", v[ARGS + i]);
	}
	j = jmake_item(jmake_list(js_get(pod, "/spec"), "volumes"));
	jmake_str(j, "name", "v");
	jmake_str(jmake_in(j, "configMap"), "name", name);
	create(KUBE_PODS, pod);
}

static int
is_hex_of(const char *line, size_t len, const char *value)
{
	size_t i;
	char two[3];

	if (len != 2 * strlen(value))
		return 0;
	for (i = 0; value[i] != '\0'; i++) {
		(void)snprintf(two, sizeof(two), "%02x",
		    (unsigned char)value[i]);
		if (memcmp(line + 2 * i, two, 2) != 0)
			return 0;
	}
	return 1;
}

static void
compare(const char *name, char *const *v)
{
	/* the container writes its end last */
	AUTO_FREE char *out = edge_sh(
	    "c=$(podman ps -q --filter label=vk.flightctl.io/pod=%s); "
	    "for i in $(seq 100); do "
	    "podman exec $c grep -qx end /tmp/out && break; sleep 0.2; done; "
	    "podman exec $c cat /tmp/out",
	    name);
	const char *line, *newline;
	int i, same = 0, first = -1;

	line = out;
	for (i = 0; i < VALUES && (newline = strchr(line, '\n')) != NULL; i++) {
		if (is_hex_of(line, (size_t)(newline - line), v[i]))
			same++;
		else if (first++ == -1)
			it_say("the first that did not, number %d: %s\n%.*s", i,
			    v[i], (int)(newline - line), line);
		line = newline + 1;
	}
	it_ok(same == VALUES, "%s: %d of %d values arrived as they are", name,
	    same, VALUES);
}

static void
run(void)
{
	struct json_object *pod;
	char name[PODS][16];
	int64_t since = it_ms();
	int i, k;

	for (i = 0; i < PODS; i++) {
		(void)snprintf(name[i], sizeof(name[i]), "values-%d", i);
		for (k = 0; k < VALUES; k++)
			values[i][k] = random_value();
		create_files(name[i], values[i]);
		create_pod(name[i], values[i]);
	}
	for (i = 0; i < PODS; i++) {
		pod = pod_runs(name[i], since, RUN_MS);
		json_object_put(pod);
		if (pod != NULL)
			compare(name[i], values[i]);
		pod_delete(name[i]);
	}
	for (i = 0; i < PODS; i++)
		for (k = 0; k < VALUES; k++)
			free(values[i][k]);
}

static void
scenario(void)
{
	struct provider *p = edge_open(NULL);

	if (p == NULL)
		return;
	it_say("seed %d", SEED);
	run();
	edge_close(p);
}

int
main(void)
{
	return it_run("edge-escape", scenario);
}
