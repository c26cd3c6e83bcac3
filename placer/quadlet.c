/* SPDX-License-Identifier: ISC */
/*
 * quadlet.c: one Pod as one Flightctl application.
 *
 * Owns which files there are and their names; quadlet_*.c own what is in them,
 * unitfile.c how it is escaped, fields.c what is refused.  Never changes
 * anything for a pod that is unchanged: what a running application consists of
 * is restarted by one other byte.
 *
 * With C a container's name, V a volume's and APP the application's the files
 * are C.container (sidecars and init containers too), pod_.pod where there are
 * several, and vol_V.volume; `_' is in no Kubernetes name, so that ours never
 * meet them.  Of spec.config: name APP.V, inline files below
 * /var/lib/vk-flightctl/APP/V/.  flightside's device policy (admit.def,
 * exec.def) lists every line that may be in them and admits no others.  Values
 * of Exec= and Environment= may go on over lines that end in a backslash, also
 * within a word; the parts belong together with nothing between.
 */
#include "placer/quadlet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/mark.h"
#include "common/origin.h"
#include "common/xmem.h"
#include "placer/fields.h"
#include "placer/identity.h"
#include "placer/in_place.h"
#include "placer/quadlet_own.h"

#define ANNOTATION_TIMEZONE "vk.flightctl.io/timezone"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct jread_field pod_fields[] = {
	JSTR(struct app, ns, "metadata.namespace", MAX_NAMESPACE, REQUIRED),
	JSTR(struct app, name, "metadata.name", MAX_NAME, REQUIRED),
	JSTR(struct app, uid, "metadata.uid", MAX_UID, REQUIRED),
	JOBJ(struct app, spec, "spec", REQUIRED),
	JSTR(struct app, hostname, "spec.hostname", MAX_NAME, OPTIONAL),
	JSTR(struct app, restart, "spec.restartPolicy", 16, OPTIONAL),
	JSTR(struct app, dns_policy, "spec.dnsPolicy", 32, OPTIONAL),
	JINT(struct app, grace, "spec.terminationGracePeriodSeconds", INT32_MAX,
	    OPTIONAL),
	JINT(struct app, fs_group, "spec.securityContext.fsGroup", INT32_MAX,
	    OPTIONAL),
	JBOOL(struct app, host_net, "spec.hostNetwork", OPTIONAL),
	JBOOL(struct app, host_pid, "spec.hostPID", OPTIONAL),
	JBOOL(struct app, host_ipc, "spec.hostIPC", OPTIONAL),
	JBOOL(struct app, share_pid, "spec.shareProcessNamespace", OPTIONAL),
	JOBJ(struct app, security, "spec.securityContext", OPTIONAL),
	JARR(struct app, lists[LIST_INIT], "spec.initContainers",
	    MAX_CONTAINERS, OPTIONAL),
	JARR(struct app, lists[LIST_MAIN], "spec.containers", MAX_CONTAINERS,
	    REQUIRED),
	JARR(struct app, volumes, "spec.volumes", MAX_LIST, OPTIONAL),
};

int
quadlet_is_pod(const struct app *app)
{
	return jread_count(app->lists[LIST_INIT]) +
	    jread_count(app->lists[LIST_MAIN]) >
	    1;
}

enum {
	LINE_MAX_BYTES = 2047 /* Flightctl refuses longer ones */
};

static int
has_long_line(const char *text)
{
	size_t n;

	for (; *text != '\0'; text += n + (text[n] == '\n'))
		if ((n = strcspn(text, "\n")) > LINE_MAX_BYTES)
			return 1;
	return 0;
}

int
quadlet_file(struct app *app, const char *path, struct unitfile *f)
{
	AUTO_FREE char *text = unitfile_take(f);
	struct json_object *file;

	if (has_long_line(text))
		return fail(app->why, ERR_LIMIT,
		    "spec: a line of over %d bytes in %s", LINE_MAX_BYTES,
		    path);

	app->bytes += strlen(text) + strlen(path);
	if (app->bytes > MAX_APPLICATION)
		return fail(app->why, ERR_LIMIT,
		    "spec: over %d bytes as an application", MAX_APPLICATION);
	file = jmake_item(app->files);
	jmake_str(file, "path", path);
	jmake_str(file, "content", text);
	return 0;
}

/*
 * Flightctl takes an application for Completed when the last that was heard of
 * each container's name is exit code 0, and few sidecars end so.  When all is
 * over, and they have stopped, each one's name is given to a container that
 * does: podman's own init, which is in each that is asked to have it, says its
 * version.  Nobody sees Error before: the infra container still runs.
 */
static void
put_sidecar_ends(struct app *app, const char *over, struct unitfile *f)
{
	struct json_object *c;
	const char *name;
	char *image;
	size_t i;

	for (i = 0; i < jread_count(app->lists[LIST_INIT]); i++) {
		if (!quadlet_is_sidecar(app, i))
			continue;
		c = jread_item(app->lists[LIST_INIT], i);
		name = jread_string(jread_member(c, "name"));
		image = quadlet_image(jread_string(jread_member(c, "image")));
		unitfile_line(f, "ExecStop",
		    "-/bin/sh -c 'test ! -e %s || exec /usr/bin/podman run "
		    "--replace --rm --pull=never --network=none "
		    "--image-volume=ignore --log-driver=none --init "
		    "--entrypoint=/run/podman-init --name=%s-%s "
		    "--label=io.flightctl.quadlet.project=%s %s -V "
		    ">/dev/null'",
		    over, app->id, name, app->id, image);
		free(image);
	}
}

static int
pod_file(struct app *app)
{
	AUTO_FREE char *over = NULL;
	struct unitfile f = { 0 };

	if (quadlet_ends_sidecars(app)) {
		over = quadlet_done(app, QUADLET_POD);
		unitfile_section(&f, "Unit");
		unitfile_line(&f, "ConditionPathExists", "!%s", over);
	}
	unitfile_section(&f, "Pod");
	unitfile_line(&f, "PodName", QUADLET_POD);
	unitfile_line(&f, "PodmanArgs", "--exit-policy=continue%s%s%s",
	    app->host_net ? "" : " --hostname=",
	    app->host_net ? "" : app->hostname,
	    app->share_pid ? " --share=+pid" : "");
	if (quadlet_network(app, &f) == -1) {
		unitfile_clear(&f);
		return -1;
	}
	if (jread_count(app->lists[LIST_INIT]) > 0) {
		unitfile_section(&f, "Service");
		if (over != NULL) /* its containers were translated */
			put_sidecar_ends(app, over, &f);
		unitfile_line(&f, "ExecStopPost",
		    "/bin/rm -rf " QUADLET_RUN_DIR "/%s", app->in->app);
	}
	return quadlet_file(app, "pod_.pod", &f);
}

/* As the kubelet: the pod's name, 63 bytes of it, not ending in a sign. */
static int
set_hostname(struct app *app, char host[64])
{
	const char *from = app->hostname != NULL && *app->hostname != '\0' ?
	    app->hostname :
	    app->name;
	size_t n = strnlen(from, 63);

	while (n > 0 && (from[n - 1] == '-' || from[n - 1] == '.'))
		n--;
	memcpy(host, from, n);
	host[n] = '\0';
	app->hostname = host;
	if (!identity_is_plain(host))
		return fail(app->why, ERR_DENIED,
		    "spec.hostname: \"%s\": not of letters, digits and . _ : -",
		    host);
	return 0;
}

static const char *
annotation(const struct app *app, const char *key)
{
	return jread_string(
	    jread_member(jread_member(jread_member(app->pod, "metadata"),
			     "annotations"),
		key));
}

/* A name below /usr/share/zoneinfo, or podman's "local": the device's own. */
static int
is_timezone(const char *s)
{
	size_t n;

	for (;; s += n + 1) {
		n = strspn(s,
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		    "0123456789_+-");
		if (n == 0 || (s[n] != '/' && s[n] != '\0'))
			return 0;
		if (s[n] == '\0')
			return 1;
	}
}

static int
set_timezone(struct app *app)
{
	app->timezone = annotation(app, ANNOTATION_TIMEZONE);
	if (app->timezone == NULL || is_timezone(app->timezone))
		return 0;
	return fail(app->why, ERR_DENIED,
	    "metadata.annotations[" ANNOTATION_TIMEZONE
	    "]: \"%.100s\" is no time zone's name",
	    app->timezone);
}

static int
files(struct app *app)
{
	size_t list, i;

	if (jread_count(app->lists[LIST_MAIN]) == 0)
		return fail(app->why, ERR_FORMAT, "spec.containers: none");
	for (list = 0; list < QUADLET_LISTS; list++)
		for (i = 0; i < jread_count(app->lists[list]); i++)
			if (quadlet_container(app, (enum quadlet_list)list,
				i) == -1)
				return -1;
	if (quadlet_is_pod(app) && pod_file(app) == -1)
		return -1;
	return quadlet_volumes(app);
}

int
quadlet_origin(const struct app *app, const char *at, const char *image)
{
	const char *list = app->in->registries;

	if (list == NULL || origin_is_of(list, span_of(image)))
		return 0;
	return fail(app->why, ERR_DENIED,
	    "%s.image: \"%.200s\" is not from IMAGE_REGISTRIES", at, image);
}

/* What the operator and the pod itself have given leave for. */
static unsigned int
leave_of(const struct app *app)
{
	const char *readiness = annotation(app, FIELDS_READINESS);

	return (app->in->host ? LEAVE_HOST : 0u) |
	    (app->in->secrets ? LEAVE_SECRET : 0u) |
	    (readiness != NULL && strcmp(readiness, "started") == 0 ?
		    LEAVE_STARTED :
		    0u);
}

static int
translate(struct app *app)
{
	AUTO_JSON struct json_object *json = NULL;
	char host[64];

	if (jread_fields(app->pod, "", pod_fields, COUNT(pod_fields), app,
		app->why) == -1 ||
	    fields_check(app->spec, leave_of(app), app->why) == -1 ||
	    set_hostname(app, host) == -1 || set_timezone(app) == -1)
		return -1;
	mark_id(app->in->app, app->id);
	json = jmake_object();
	jmake_str(json, "name", app->in->app);
	jmake_str(json, "appType", "quadlet");
	app->files = jmake_list(json, "inline");
	if (files(app) == -1)
		return -1;
	app->out->application = jmake_text(&json);
	return 0;
}

static int
render(const struct quadlet_in *in, int dry, struct quadlet *out,
    struct why *why)
{
	AUTO_JSON struct json_object *pod = jread_parse(in->pod, why);
	struct app app = { .in = in,
		.out = out,
		.dry = dry,
		.why = why,
		.pod = pod,
		.restart = "Always",
		.dns_policy = "ClusterFirst",
		.fs_group = -1,
		.grace = 30 };
	int r;

	if (pod == NULL)
		return -1;
	(void)in_place_undo(pod);
	r = translate(&app);
	quadlet_maps_free(&app);
	return r;
}

int
quadlet_render(const struct quadlet_in *in, struct quadlet *out,
    struct why *why)
{
	char lacking[sizeof(out->lacking)];

	*out = (struct quadlet){ 0 };
	if (render(in, 0, out, why) == 0)
		return 0;
	memcpy(lacking, out->lacking, sizeof(lacking));
	quadlet_clear(out);
	memcpy(out->lacking, lacking, sizeof(lacking));
	return -1;
}

static int
live_files(struct app *app)
{
	if (jread_fields(app->pod, "", pod_fields, COUNT(pod_fields), app,
		app->why) == -1)
		return -1;
	return quadlet_volumes(app);
}

int
quadlet_live(const struct quadlet_in *in, struct quadlet *out, struct why *why)
{
	AUTO_JSON struct json_object *recipe = jread_parse(in->pod, why);
	struct app app = { .in = in,
		.out = out,
		.why = why,
		.pod = recipe,
		.fs_group = -1,
		.bytes = in->bytes };
	int r;

	*out = (struct quadlet){ 0 };
	if (recipe == NULL)
		return -1;
	r = live_files(&app);
	quadlet_maps_free(&app);
	if (r == -1)
		quadlet_clear(out);
	return r;
}

int
quadlet_check(const struct quadlet_in *given, struct why *why)
{
	struct quadlet_in in = *given;
	struct quadlet out = { 0 };
	int r;

	in.app = "k8s-0123456789-x";
	in.cluster = in.node = "x";
	r = render(&in, 1, &out, why);

	quadlet_clear(&out);
	return r;
}

void
quadlet_clear(struct quadlet *q)
{
	size_t i;

	for (i = 0; i < q->nconfigs; i++) {
		free(q->configs[i]);
		free(q->config_names[i]);
	}
	free(q->configs);
	free(q->config_names);
	free(q->application);
	*q = (struct quadlet){ 0 };
}
