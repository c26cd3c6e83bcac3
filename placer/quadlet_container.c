/* SPDX-License-Identifier: ISC */
/*
 * quadlet_container.c: one container of a Pod as a .container file.
 *
 * Owns its sections and its place in the order of starts.  An [Install]
 * section is in every file: without it the agent rolls the whole device back.
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
 * A pod of several goes on for as long as its infra container, and then no
 * report says how they ended.  So the last of them, and an init container that
 * failed for good, stops the .pod, and the device reports Completed or Error.
 * Sidecars, which go on, are stopped by that.  So that nothing starts them
 * again the mark D/pod_.N.done is left first, with which the .pod, and what is
 * bound to it, does not start; what the .pod does for them when it stops is
 * quadlet.c's.
 *
 * Init containers: the agent starts all units of an application at once, and
 * waits for each; a unit that took its time (Type=oneshot) would hold up the
 * whole device.  So the order is kept by marks below R =
 * /run/vk-flightctl/APP: who comes after an init container I is not started
 * (it counts as a start) where R/I.done is not, and I starts it when it has
 * made that mark: an init container once it has ended by itself and well,
 * which is when systemd runs ExecStop= without a $MAINPID; a sidecar once it
 * has started.  The .pod's unit takes the marks away, so that an application
 * that starts anew, or a boot, runs its init containers again.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/fields.h"
#include "placer/identity.h"
#include "placer/quadlet_own.h"

#define STOP "/usr/bin/systemctl stop --no-block "
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum {
	RESTART_S = 10,
	STOP_MARGIN_S = 10,
};

static const char *const list_names[] = {
	[LIST_INIT] = "initContainers",
	[LIST_MAIN] = "containers",
};

static const struct jread_field container_fields[] = {
	JSTR(struct work, name, "name", MAX_LABEL_VALUE, REQUIRED),
	JSTR(struct work, image, "image", 1024, REQUIRED),
	JSTR(struct work, pull, "imagePullPolicy", 16, OPTIONAL),
	JSTR(struct work, dir, "workingDir", 1024, OPTIONAL),
	JSTR(struct work, restart, "restartPolicy", 16, OPTIONAL),
	JARR(struct work, command, "command", MAX_LIST, OPTIONAL),
	JARR(struct work, args, "args", MAX_LIST, OPTIONAL),
	JARR(struct work, mounts, "volumeMounts", MAX_LIST, OPTIONAL),
	JOBJ(struct work, resources, "resources", OPTIONAL),
	JOBJ(struct work, security, "securityContext", OPTIONAL),
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

int
quadlet_at(const struct work *w, const char *member, const struct why *inner)
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
		return fail(why, ERR_DENIED, "%s.hostIP: \"%s\" is no address",
		    at, p->ip);
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
quadlet_ports(struct app *app, enum quadlet_list which, size_t i,
    struct unitfile *f)
{
	struct json_object *list;
	struct port p;
	char at[80];
	size_t k;

	list = jread_member(jread_item(app->lists[which], i), "ports");
	for (k = 0; k < jread_count(list); k++) {
		p = (struct port){ .ip = "", .protocol = "TCP" };
		(void)snprintf(at, sizeof(at), "spec.%s[%zu].ports[%zu]",
		    list_names[which], i, k);
		if (jread_fields(jread_item(list, k), at, port_fields,
			COUNT(port_fields), &p, app->why) == -1)
			return -1;
		if (p.host != 0 && publish(f, &p, at, app->why) == -1)
			return -1;
	}
	return 0;
}

/* -- whose it is -- */

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
			    "label %s: \"%.64s\": not of letters, digits and "
			    ". _ : -",
			    identity_key((enum identity)i), values[i]);
		unitfile_line(&w->f, "Label", "%s=%s",
		    identity_key((enum identity)i), values[i]);
	}
	return 0;
}

/* -- its place in the order of starts -- */

/* An init container that goes on. */
static bool
is_sidecar(const struct work *w)
{
	return w->list == LIST_INIT && strcmp(w->restart, "Always") == 0;
}

/* An init container that ends, and for which the others wait. */
static bool
is_init(const struct work *w)
{
	return w->list == LIST_INIT && !is_sidecar(w);
}

static const char *
name_in(const struct app *app, enum quadlet_list list, size_t i)
{
	const char *name =
	    jread_string(jread_member(jread_item(app->lists[list], i), "name"));

	return name == NULL ? "" : name;
}

/* The init container before it, or NULL. */
static const char *
before(const struct work *w)
{
	size_t n =
	    w->list == LIST_INIT ? w->i : jread_count(w->app->lists[LIST_INIT]);

	return n == 0 ? NULL : name_in(w->app, LIST_INIT, n - 1);
}

/*
 * " UNIT..." of those that come after an init container; caller frees.  The
 * agent puts its prefix before no name in [Service].
 */
static char *
units_after(const struct work *w)
{
	const struct app *app = w->app;
	bool last = w->i + 1 == jread_count(app->lists[LIST_INIT]);
	enum quadlet_list list = last ? LIST_MAIN : LIST_INIT;
	size_t i = last ? 0 : w->i + 1;
	size_t end = last ? jread_count(app->lists[LIST_MAIN]) : i + 1;
	char *units = xstrdup(""), *more;

	for (; i < end; i++) {
		more = xasprintf("%s %s-%s.service", units, app->id,
		    name_in(app, list, i));
		free(units);
		units = more;
	}
	return units;
}

static void
put_next(struct work *w)
{
	AUTO_FREE char *units = units_after(w), *mark = NULL;

	mark = xasprintf("mkdir -p " QUADLET_RUN_DIR
			 "/%s && echo >" QUADLET_RUN_DIR
			 "/%s/%s.done && /usr/bin/systemctl "
			 "start --no-block%s",
	    w->app->in->app, w->app->in->app, w->name, units);
	if (is_init(w))
		unitfile_line(&w->f, "ExecStop",
		    "/bin/sh -c 'test -n \"$$MAINPID\" || { %s; }'", mark);
	else
		unitfile_line(&w->f, "ExecStartPost", "/bin/sh -c '%s'", mark);
}

char *
quadlet_done(const struct app *app, const char *name)
{
	const struct quadlet_in *in = app->in;
	uint64_t number = in->images + in->try * UINT64_C(0x9e3779b97f4a7c15);

	return xasprintf(QUADLET_STATE_DIR "/%s/%s.%" PRIu64 ".done", in->app,
	    name, number % UINT64_C(1000000000000000000));
}

bool
quadlet_is_sidecar(const struct app *app, size_t i)
{
	return jread_member(jread_item(app->lists[LIST_INIT], i),
		   "restartPolicy") != NULL;
}

bool
quadlet_ends_sidecars(const struct app *app)
{
	size_t i;

	if (strcmp(app->restart, "Always") == 0)
		return false;
	for (i = 0; i < jread_count(app->lists[LIST_INIT]); i++)
		if (quadlet_is_sidecar(app, i))
			return true;
	return false;
}

/* " C..." of the containers proper; caller frees. */
static char *
main_names(const struct app *app)
{
	char *names = xstrdup(""), *more;
	size_t i;

	for (i = 0; i < jread_count(app->lists[LIST_MAIN]); i++) {
		more = xasprintf("%s %s", names, name_in(app, LIST_MAIN, i));
		free(names);
		names = more;
	}
	return names;
}

/* What a container of several does when it has left its mark, or "". */
static char *
stop_pod(const struct work *w)
{
	AUTO_FREE char *names = NULL, *each = NULL, *over = NULL, *stop = NULL;
	const struct app *app = w->app;
	bool leaves_mark = quadlet_ends_sidecars(app);

	if (!quadlet_is_pod(app))
		return xstrdup("");
	over = quadlet_done(app, QUADLET_POD);
	stop = xasprintf("%s%s%s" STOP "%s-pod_-pod.service",
	    leaves_mark ? "echo >" : "", leaves_mark ? over : "",
	    leaves_mark ? "; " : "", app->id);
	if (is_init(w))
		return xasprintf(leaves_mark ?
			"; test \"$$SERVICE_RESULT\" = success || { %s; }" :
			"; test \"$$SERVICE_RESULT\" = success || %s",
		    stop);
	names = main_names(app);
	each = quadlet_done(app, "$$c");
	return xasprintf("; for c in%s; do test -e %s || exit 0; done; %s",
	    names, each, stop);
}

/* Which of its ends are for good. */
static const char *
policy(const struct work *w)
{
	if (is_sidecar(w))
		return "Always";
	if (is_init(w) && strcmp(w->app->restart, "Never") != 0)
		return "Init";
	return w->app->restart;
}

/* The mark for good is left by a command with these around it; NULL: none. */
static const struct {
	const char *policy, *restart;
	const char *before, *after;
} policies[] = {
	{ "Always", "always", NULL, NULL },
	/* tried again until it succeeds; its mark is not for good */
	{ "Init", "on-failure", NULL, NULL },
	{ "OnFailure", "on-failure",
	    "test \"$$SERVICE_RESULT\" != success || { ", "; }" },
	{ "Never", "no", "", "" },
};

static size_t
policy_row(const struct work *w)
{
	const char *name = policy(w);
	size_t i;

	for (i = 0; i < COUNT(policies) - 1; i++)
		if (strcmp(policies[i].policy, name) == 0)
			break;
	return i;
}

/*
 * Sidecars end as under a kubelet: after those that started later, which is
 * what After= means to what stops.
 */
static void
put_order(struct work *w)
{
	size_t i = w->i;

	while (i-- > 0)
		if (quadlet_is_sidecar(w->app, i)) {
			unitfile_line(&w->f, "After", "%s.service",
			    name_in(w->app, LIST_INIT, i));
			return;
		}
}

static void
put_unit(struct work *w, const char *done)
{
	const char *first = before(w);

	unitfile_section(&w->f, "Unit");
	unitfile_line(&w->f, "Description", "container %s of pod %s/%s",
	    w->name, w->app->ns, w->app->name);
	unitfile_line(&w->f, "StartLimitIntervalSec", "0");
	if (policies[policy_row(w)].before != NULL)
		unitfile_line(&w->f, "ConditionPathExists", "!%s", done);
	if (is_init(w))
		unitfile_line(&w->f, "ConditionPathExists",
		    "!" QUADLET_RUN_DIR "/%s/%s.done", w->app->in->app,
		    w->name);
	if (first != NULL)
		unitfile_line(&w->f, "ConditionPathExists",
		    QUADLET_RUN_DIR "/%s/%s.done", w->app->in->app, first);
	if (is_sidecar(w) && quadlet_ends_sidecars(w->app))
		put_order(w);
}

static int
put_service(struct work *w, const char *done, const char *image)
{
	AUTO_FREE char *stop = stop_pod(w);
	size_t row = policy_row(w);

	unitfile_section(&w->f, "Service");
	unitfile_line(&w->f, "Restart", "%s", policies[row].restart);
	if (policies[row].before != NULL)
		unitfile_line(&w->f, "ExecStopPost",
		    "/bin/sh -c '%smkdir -p " QUADLET_STATE_DIR
		    "/%s && echo \"$$SERVICE_RESULT $$EXIT_CODE $$EXIT_STATUS\""
		    " >%s%s%s'",
		    policies[row].before, w->app->in->app, done, stop,
		    policies[row].after);
	unitfile_line(&w->f, "RestartSec", "%d", RESTART_S);
	unitfile_line(&w->f, "TimeoutStopSec", "%" PRId64,
	    w->app->grace + STOP_MARGIN_S);
	if (quadlet_paths(w) == -1 || quadlet_non_root(w, image) == -1 ||
	    quadlet_hooks(w) == -1)
		return -1;
	if (w->list == LIST_INIT)
		put_next(w);
	unitfile_section(&w->f, "Install");
	unitfile_line(&w->f, "WantedBy", "multi-user.target");
	return 0;
}

/* -- [Container] -- */

static int
put_place(struct work *w)
{
	if (quadlet_is_pod(w->app)) {
		unitfile_line(&w->f, "Pod", "pod_.pod");
		return 0;
	}
	if (!w->app->host_net)
		unitfile_line(&w->f, "HostName", "%s", w->app->hostname);
	return quadlet_network(w->app, &w->f);
}

static int
put_stop_signal(struct work *w)
{
	struct json_object *j =
	    jread_member(jread_member(w->json, "lifecycle"), "stopSignal");
	const char *s = jread_string(j);

	if (j == NULL)
		return 0;
	if (s == NULL || strncmp(s, "SIG", 3) != 0 || strlen(s) > 16 ||
	    s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-")] != '\0')
		return fail(w->app->why, ERR_DENIED,
		    "%s.lifecycle.stopSignal: \"%.40s\" is no signal's name",
		    w->at, s == NULL ? "" : s);
	unitfile_line(&w->f, "StopSignal", "%s", s);
	return 0;
}

static int
put_container(struct work *w, const char *image)
{
	struct why inner;

	unitfile_section(&w->f, "Container");
	unitfile_line(&w->f, "ContainerName", "%s", w->name);
	unitfile_line(&w->f, "Image", "%s", image);
	unitfile_line(&w->f, "Pull", "%s",
	    strcmp(w->pull, "Never") == 0 ? "never" : "missing");
	if (put_place(w) == -1 || quadlet_env(w) == -1 ||
	    quadlet_command(w) == -1 || quadlet_put_env(w) == -1)
		return -1;
	if (*w->dir != '\0' &&
	    unitfile_value(&w->f, "WorkingDir", w->dir, &inner) == -1)
		return quadlet_at(w, "workingDir", &inner);
	if (w->app->timezone != NULL)
		unitfile_line(&w->f, "Timezone", "%s", w->app->timezone);
	if (quadlet_mounts(w) == -1 ||
	    quadlet_limits(w->app, w->resources, w->at, &w->f) == -1 ||
	    quadlet_security(w) == -1 || quadlet_probes(w) == -1 ||
	    put_stop_signal(w) == -1)
		return -1;
	unitfile_line(&w->f, "StopTimeout", "%" PRId64, w->app->grace);
	return put_identity(w);
}

static int
put_all(struct work *w)
{
	AUTO_FREE char *done = NULL, *path = NULL, *image = NULL;

	(void)snprintf(w->at, sizeof(w->at), "spec.%s[%zu]",
	    list_names[w->list], w->i);
	if (jread_fields(w->json, w->at, container_fields,
		COUNT(container_fields), w, w->app->why) == -1)
		return -1;
	if (!identity_is_plain(w->name))
		return fail(w->app->why, ERR_FORMAT,
		    "%s.name: \"%s\": not of letters, digits and . _ : -",
		    w->at, w->name);
	if ((image = quadlet_image(w->image)) == NULL)
		return fail(w->app->why, ERR_DENIED,
		    "%s.image: \"%.200s\" is no image's name", w->at, w->image);
	if (quadlet_origin(w->app, w->at, image) == -1)
		return -1;
	done = quadlet_done(w->app, w->name);
	put_unit(w, done);
	if (put_container(w, image) == -1 || put_service(w, done, image) == -1)
		return -1;
	path = xasprintf("%s.container", w->name);
	return quadlet_file(w->app, path, &w->f);
}

int
quadlet_container(struct app *app, enum quadlet_list list, size_t i)
{
	struct work w = { .app = app,
		.list = list,
		.i = i,
		.json = jread_item(app->lists[list], i),
		.pull = "",
		.dir = "",
		.restart = "" };
	int r;

	r = put_all(&w);
	while (w.nvars > 0) {
		free(w.vars[--w.nvars].value);
		free(w.var_names[w.nvars]);
	}
	free(w.vars);
	free(w.var_names);
	unitfile_clear(&w.f);
	return r;
}
