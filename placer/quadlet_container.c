/* SPDX-License-Identifier: ISC */
/*
 * quadlet_container.c: one container of a Pod as a .container file.
 *
 * Owns what each field of a container becomes.  An [Install] section is in
 * every file: without it the agent rolls the whole device back.
 *
 * A container that ends for good (restartPolicy Never, or OnFailure and exit
 * 0) would be started again at every boot and by every start of the agent.  So
 * it leaves a mark and is not started where that is.  The line in [Service] is
 * one of these two, D standing for /var/lib/vk-flightctl/APP and F for
 * D/C.N.done (N changes with the images and the try):
 *	ExecStopPost=/bin/sh -c 'mkdir -p D && echo "$$SERVICE_RESULT
 *	    $$EXIT_CODE $$EXIT_STATUS" >F'
 *	ExecStopPost=/bin/sh -c 'test "$$SERVICE_RESULT" != success || { mkdir
 *	    -p D && echo "$$SERVICE_RESULT $$EXIT_CODE $$EXIT_STATUS" >F; }'
 * (each on one line, with single blanks).
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/expand.h"
#include "placer/fields.h"
#include "placer/identity.h"
#include "placer/quadlet_own.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum {
	RESTART_S = 10,
	STOP_MARGIN_S = 10,
};

struct raw {
	const char *name, *image, *pull, *dir;
	struct json_object *command, *args, *env, *mounts, *resources;
};

static const struct jread_field container_fields[] = {
	JSTR(struct raw, name, "name", MAX_LABEL_VALUE, REQUIRED),
	JSTR(struct raw, image, "image", 1024, REQUIRED),
	JSTR(struct raw, pull, "imagePullPolicy", 16, OPTIONAL),
	JSTR(struct raw, dir, "workingDir", 1024, OPTIONAL),
	JARR(struct raw, command, "command", MAX_LIST, OPTIONAL),
	JARR(struct raw, args, "args", MAX_LIST, OPTIONAL),
	JARR(struct raw, env, "env", MAX_LIST, OPTIONAL),
	JARR(struct raw, mounts, "volumeMounts", MAX_LIST, OPTIONAL),
	JOBJ(struct raw, resources, "resources", OPTIONAL),
};

struct port {
	const char *ip, *protocol;
	int64_t host, container;
};

static const struct jread_field port_fields[] = {
	JSTR(struct port, ip, "hostIP", 64, OPTIONAL),
	JSTR(struct port, protocol, "protocol", 8, OPTIONAL),
	JINT(struct port, host, "hostPort", UINT16_MAX, OPTIONAL),
	JINT(struct port, container, "containerPort", UINT16_MAX, REQUIRED),
};

/* One container under translation. */
struct work {
	struct app *app;
	struct unitfile f;
	struct raw raw;
	struct expand_var *vars;
	size_t nvars;
	char at[48]; /* "spec.containers[0]" */
};

/* Puts the path before a complaint that knows none. */
static int
at_path(const struct work *w, const char *member, const struct why *inner)
{
	return fail(w->app->why, inner->kind, "%s.%s: %s", w->at, member,
	    inner->text);
}

static int
publish(struct unitfile *f, const struct port *p, const char *at,
    struct why *why)
{
	char protocol[8] = { 0 };
	size_t i;
	int v6 = strchr(p->ip, ':') != NULL;

	if (p->ip[strspn(p->ip, "0123456789abcdefABCDEF.:")] != '\0')
		return fail(why, ERR_DENIED, "%s.hostIP: \"%s\"", at, p->ip);
	for (i = 0; i < sizeof(protocol) - 1 && p->protocol[i] != '\0'; i++)
		protocol[i] = (char)tolower((unsigned char)p->protocol[i]);
	if (*p->ip == '\0')
		unitfile_line(f, "PublishPort", "%" PRId64 ":%" PRId64 "/%s",
		    p->host, p->container, protocol);
	else
		unitfile_line(f, "PublishPort",
		    "%s%s%s:%" PRId64 ":%" PRId64 "/%s", v6 ? "[" : "", p->ip,
		    v6 ? "]" : "", p->host, p->container, protocol);
	return 0;
}

int
quadlet_ports(struct app *app, size_t i, struct unitfile *f)
{
	struct json_object *list;
	struct port p;
	char at[64];
	size_t k;

	list = jread_member(jread_item(app->containers, i), "ports");
	for (k = 0; k < jread_count(list); k++) {
		p = (struct port){ .ip = "", .protocol = "TCP" };
		(void)snprintf(at, sizeof(at),
		    "spec.containers[%zu].ports[%zu]", i, k);
		if (jread_fields(jread_item(list, k), at, port_fields,
			COUNT(port_fields), &p, app->why) == -1)
			return -1;
		if (p.host != 0 && publish(f, &p, at, app->why) == -1)
			return -1;
	}
	return 0;
}

static bool
is_env_name(const char *s)
{
	return *s != '\0' &&
	    s[strspn(s,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789_.-")] == '\0';
}

static int
read_var(struct work *w, struct json_object *item, size_t i)
{
	struct json_object *value = jread_member(item, "value");
	const char *name = jread_string(jread_member(item, "name"));
	const char *text = value == NULL ? "" : jread_string(value);
	struct why inner;

	if (name == NULL || text == NULL)
		return fail(w->app->why, ERR_FORMAT,
		    "%s.env[%zu]: not a name and a text", w->at, i);
	if (!is_env_name(name))
		return fail(w->app->why, ERR_DENIED,
		    "%s.env[%zu].name: \"%.64s\": not of letters, digits, "
		    "_ . -",
		    w->at, i, name);
	w->vars[i].name = name;
	w->vars[i].value =
	    expand(text, w->vars, w->nvars, MAX_APPLICATION, &inner);
	if (w->vars[i].value == NULL)
		return at_path(w, "env", &inner);
	w->nvars++;
	return 0;
}

/* Reads env; each value may use those before it. */
static int
read_env(struct work *w)
{
	size_t i, n = jread_count(w->raw.env);

	w->vars = xcalloc(n + 1, sizeof(*w->vars));
	for (i = 0; i < n; i++)
		if (read_var(w, jread_item(w->raw.env, i), i) == -1)
			return -1;
	return 0;
}

static int
put_env(struct work *w)
{
	AUTO_FREE char *word = NULL;
	struct why inner;
	size_t i;

	for (i = 0; i < w->nvars; i++) {
		free(word);
		word = xasprintf("%s=%s", w->vars[i].name, w->vars[i].value);
		if (unitfile_words(&w->f, "Environment",
			(const char *const *)&word, 1, &inner) == -1)
			return at_path(w, "env", &inner);
	}
	return 0;
}

/* Appends the expanded words of command or args. */
static int
add_words(struct work *w, struct json_object *list, const char *member,
    char **words, size_t *n)
{
	struct why inner = { .kind = ERR_FORMAT, .text = "not a text" };
	const char *s;
	size_t i;

	for (i = 0; i < jread_count(list); i++) {
		if ((s = jread_string(jread_item(list, i))) == NULL ||
		    (words[*n] = expand(s, w->vars, w->nvars, MAX_APPLICATION,
			 &inner)) == NULL)
			return at_path(w, member, &inner);
		(*n)++;
	}
	return 0;
}

static bool
is_simple(const char *s)
{
	return *s != '\0' &&
	    s[strspn(s,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789_./:@+-")] == '\0';
}

/* An Entrypoint= drops the image's own command, as command does. */
static int
put_words(struct work *w, char **words, size_t n)
{
	struct why inner;
	size_t from = 0;

	if (jread_count(w->raw.command) > 0) {
		if (!is_simple(words[0]) || strlen(words[0]) > 1024)
			return fail(w->app->why, ERR_DENIED,
			    "%s.command[0]: "
			    "\"%.64s\": not a plain path or name",
			    w->at, words[0]);
		unitfile_line(&w->f, "Entrypoint", "%s", words[0]);
		from = 1;
	}
	if (n > from &&
	    unitfile_words(&w->f, "Exec", (const char *const *)words + from,
		n - from, &inner) == -1)
		return at_path(w,
		    jread_count(w->raw.args) > 0 ? "args" : "command", &inner);
	return 0;
}

static int
put_command(struct work *w)
{
	char **words;
	size_t i, n = 0;
	int r;

	words =
	    xcalloc(jread_count(w->raw.command) + jread_count(w->raw.args) + 1,
		sizeof(*words));
	r = add_words(w, w->raw.command, "command", words, &n);
	if (r == 0)
		r = add_words(w, w->raw.args, "args", words, &n);
	if (r == 0)
		r = put_words(w, words, n);
	for (i = 0; i < n; i++)
		free(words[i]);
	free(words);
	return r;
}

static int
put_mount(struct work *w, struct json_object *mount)
{
	AUTO_FREE char *source = NULL, *value = NULL;
	const char *name = jread_string(jread_member(mount, "name"));
	const char *path = jread_string(jread_member(mount, "mountPath"));
	struct why inner;
	int read_only;

	if (name == NULL || path == NULL)
		return fail(w->app->why, ERR_FORMAT,
		    "%s.volumeMounts: no name or no mountPath", w->at);
	if (*path != '/' || strchr(path, ':') != NULL)
		return fail(w->app->why, ERR_DENIED,
		    "%s.volumeMounts: mountPath \"%.100s\"", w->at, path);
	source = quadlet_volume_source(w->app, name, &read_only);
	if (source == NULL)
		return -1;
	value = xasprintf("%s:%s%s", source, path,
	    read_only ? ":ro,z" :
		json_object_get_boolean(jread_member(mount, "readOnly")) ?
			":ro" :
			"");
	if (unitfile_value(&w->f, "Volume", value, &inner) == -1)
		return at_path(w, "volumeMounts.mountPath", &inner);
	return 0;
}

static int
put_mounts(struct work *w)
{
	struct json_object *mount;
	size_t i;

	for (i = 0; i < jread_count(w->raw.mounts); i++) {
		mount = jread_item(w->raw.mounts, i);
		if (!fields_is_token_volume(mount) && put_mount(w, mount) == -1)
			return -1;
	}
	return 0;
}

static int
put_identity(struct work *w)
{
	const struct quadlet_in *in = w->app->in;
	char images[24], cpu[24], memory[24], try[24];
	const char *values[ID_COUNT] = {
		[ID_CLUSTER] = in->cluster,
		[ID_NODE] = in->node,
		[ID_NAMESPACE] = w->app->ns,
		[ID_POD] = w->app->name,
		[ID_UID] = w->app->uid,
		[ID_IMAGES] = images,
		[ID_CPU] = cpu,
		[ID_MEMORY] = memory,
		[ID_TRY] = in->try > 0 ? try : NULL,
	};
	size_t i;

	(void)snprintf(images, sizeof(images), "%016" PRIx64, in->images);
	(void)snprintf(cpu, sizeof(cpu), "%" PRId64, in->cpu_m);
	(void)snprintf(memory, sizeof(memory), "%" PRId64, in->memory);
	(void)snprintf(try, sizeof(try), "%u", in->try);
	for (i = 0; i < ID_COUNT; i++) {
		if (values[i] == NULL)
			continue;
		if (!identity_is_plain(values[i]))
			return fail(w->app->why, ERR_DENIED,
			    "%s: \"%.64s\" cannot be a label's value",
			    identity_key((enum identity)i), values[i]);
		unitfile_line(&w->f, "Label", "%s=%s",
		    identity_key((enum identity)i), values[i]);
	}
	return 0;
}

/*
 * The mark of a container that has ended for good.  Other images or another
 * try are another container, so they have another number.
 */
static char *
done_file(const struct work *w)
{
	const struct quadlet_in *in = w->app->in;
	uint64_t number = in->images + in->try * UINT64_C(0x9e3779b97f4a7c15);

	return xasprintf(QUADLET_STATE_DIR "/%s/%s.%" PRIu64 ".done", in->app,
	    w->raw.name, number % UINT64_C(1000000000000000000));
}

static void
put_unit(struct work *w, const char *done)
{
	unitfile_section(&w->f, "Unit");
	unitfile_line(&w->f, "Description", "container %s of pod %s/%s",
	    w->raw.name, w->app->ns, w->app->name);
	unitfile_line(&w->f, "StartLimitIntervalSec", "0");
	if (strcmp(w->app->restart, "Always") != 0)
		unitfile_line(&w->f, "ConditionPathExists", "!%s", done);
}

/* The command that leaves the mark in its file. */
static char *
mark_command(const struct work *w, const char *done)
{
	return xasprintf("mkdir -p %s/%s && echo \"$$SERVICE_RESULT "
			 "$$EXIT_CODE $$EXIT_STATUS\" >%s",
	    QUADLET_STATE_DIR, w->app->in->app, done);
}

static void
put_service(struct work *w, const char *done)
{
	AUTO_FREE char *mark = mark_command(w, done);

	unitfile_section(&w->f, "Service");
	if (strcmp(w->app->restart, "Always") == 0) {
		unitfile_line(&w->f, "Restart", "always");
	} else if (strcmp(w->app->restart, "OnFailure") == 0) {
		unitfile_line(&w->f, "Restart", "on-failure");
		unitfile_line(&w->f, "ExecStopPost",
		    "/bin/sh -c 'test \"$$SERVICE_RESULT\" != success || "
		    "{ %s; }'",
		    mark);
	} else {
		unitfile_line(&w->f, "Restart", "no");
		unitfile_line(&w->f, "ExecStopPost", "/bin/sh -c '%s'", mark);
	}
	unitfile_line(&w->f, "RestartSec", "%d", RESTART_S);
	unitfile_line(&w->f, "TimeoutStopSec", "%" PRId64,
	    w->app->grace + STOP_MARGIN_S);
	unitfile_section(&w->f, "Install");
	unitfile_line(&w->f, "WantedBy", "multi-user.target");
}

static int
put_image(struct work *w)
{
	AUTO_FREE char *image = quadlet_image(w->raw.image);

	if (image == NULL)
		return fail(w->app->why, ERR_DENIED,
		    "%s.image: \"%.200s\" is no image's name", w->at,
		    w->raw.image);
	unitfile_line(&w->f, "Image", "%s", image);
	unitfile_line(&w->f, "Pull", "%s",
	    strcmp(w->raw.pull, "Never") == 0 ? "never" : "missing");
	return 0;
}

static int
put_container(struct work *w, size_t i)
{
	struct why inner;

	unitfile_section(&w->f, "Container");
	unitfile_line(&w->f, "ContainerName", "%s", w->raw.name);
	if (put_image(w) == -1)
		return -1;
	if (jread_count(w->app->containers) > 1) {
		unitfile_line(&w->f, "Pod", "pod_.pod");
	} else {
		unitfile_line(&w->f, "HostName", "%s", w->app->hostname);
		if (quadlet_ports(w->app, i, &w->f) == -1)
			return -1;
	}
	if (read_env(w) == -1 || put_command(w) == -1 || put_env(w) == -1)
		return -1;
	if (*w->raw.dir != '\0' &&
	    unitfile_value(&w->f, "WorkingDir", w->raw.dir, &inner) == -1)
		return at_path(w, "workingDir", &inner);
	if (put_mounts(w) == -1 ||
	    quadlet_limits(w->app, w->raw.resources, w->at, &w->f) == -1)
		return -1;
	unitfile_line(&w->f, "StopTimeout", "%" PRId64, w->app->grace);
	return put_identity(w);
}

static int
put_all(struct work *w, size_t i)
{
	AUTO_FREE char *done = NULL, *path = NULL;

	(void)snprintf(w->at, sizeof(w->at), "spec.containers[%zu]", i);
	if (jread_fields(jread_item(w->app->containers, i), w->at,
		container_fields, COUNT(container_fields), &w->raw,
		w->app->why) == -1)
		return -1;
	if (!identity_is_plain(w->raw.name))
		return fail(w->app->why, ERR_FORMAT, "%s.name: \"%s\"", w->at,
		    w->raw.name);
	done = done_file(w);
	put_unit(w, done);
	if (put_container(w, i) == -1)
		return -1;
	put_service(w, done);
	path = xasprintf("%s.container", w->raw.name);
	return quadlet_file(w->app, path, &w->f);
}

int
quadlet_container(struct app *app, size_t i)
{
	struct work w = { .app = app, .raw = { .pull = "", .dir = "" } };
	int r;

	r = put_all(&w, i);
	while (w.nvars > 0)
		free(w.vars[--w.nvars].value);
	free(w.vars);
	unitfile_clear(&w.f);
	return r;
}
