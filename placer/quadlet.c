/* SPDX-License-Identifier: ISC */
/*
 * quadlet.c: one Pod as one Flightctl application.
 *
 * Owns which files there are and their names; quadlet_container.c and
 * quadlet_volume.c own what is in them, unitfile.c how it is escaped, fields.c
 * what is refused.  Never changes anything for a pod that is unchanged: what a
 * running application consists of is restarted by one other byte.
 *
 * With C a container's name, V a volume's, APP the application's and ID = APP-
 * and the six digits that the agent adds, the forms are exactly these (the
 * device policy of flightside admits no others); `_' is in no Kubernetes name,
 * so that ours never meet them:
 *
 *	C.container	[Unit] Description= StartLimitIntervalSec=0
 *			ConditionPathExists=!F (F: see quadlet_container.c)
 *			[Container] ContainerName=C Image= Pull=missing|never
 *			Pod=pod_.pod HostName= Entrypoint= Exec= Environment=
 *			WorkingDir= PublishPort=[IP:]H:C/tcp|udp|sctp
 *			Volume=vol_V.volume:PATH[:ro]
 *			Volume=/var/lib/vk-flightctl/APP/V:PATH:ro,z
 *			PodmanArgs=--memory=N --memory-swap=N --cpus=N
 *			--cpu-shares=N (any of them, one line)
 *			StopTimeout= Label=vk.flightctl.io/...=...
 *			[Service] Restart=always|on-failure|no RestartSec=10
 *			TimeoutStopSec= ExecStopPost= (likewise)
 *			[Install] WantedBy=multi-user.target
 *	pod_.pod	[Pod] PodName=pod_ PublishPort=
 *			PodmanArgs=--exit-policy=continue --hostname=NAME
 *	vol_V.volume	[Volume] VolumeName=V and either Copy=false or
 *			Device=tmpfs Type=tmpfs Options=[size=N,]mode=1777
 *			[Service] ExecStop=/usr/bin/podman volume rm -f ID-V
 *
 * and of spec.config: name APP.V, inline files below
 * /var/lib/vk-flightctl/APP/V/.  Values of Exec= and Environment= may go on
 * over lines that end in a backslash, also within a word; the parts belong
 * together with nothing between.
 */
#include "placer/quadlet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/mark.h"
#include "common/xmem.h"
#include "placer/fields.h"
#include "placer/identity.h"
#include "placer/quadlet_own.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct jread_field pod_fields[] = {
	JSTR(struct app, ns, "metadata.namespace", MAX_NAMESPACE, REQUIRED),
	JSTR(struct app, name, "metadata.name", MAX_NAME, REQUIRED),
	JSTR(struct app, uid, "metadata.uid", MAX_UID, REQUIRED),
	JOBJ(struct app, spec, "spec", REQUIRED),
	JSTR(struct app, hostname, "spec.hostname", MAX_NAME, OPTIONAL),
	JSTR(struct app, restart, "spec.restartPolicy", 16, OPTIONAL),
	JINT(struct app, grace, "spec.terminationGracePeriodSeconds", INT32_MAX,
	    OPTIONAL),
	JARR(struct app, containers, "spec.containers", MAX_CONTAINERS,
	    REQUIRED),
	JARR(struct app, volumes, "spec.volumes", MAX_LIST, OPTIONAL),
};

int
quadlet_file(struct app *app, const char *path, struct unitfile *f)
{
	AUTO_FREE char *text = unitfile_take(f);
	struct json_object *file;

	app->bytes += strlen(text) + strlen(path);
	if (app->bytes > MAX_APPLICATION)
		return fail(app->why, ERR_LIMIT,
		    "spec: over %d bytes as an application", MAX_APPLICATION);
	file = jmake_item(app->files);
	jmake_str(file, "path", path);
	jmake_str(file, "content", text);
	return 0;
}

static int
pod_file(struct app *app)
{
	struct unitfile f = { 0 };
	size_t i;

	unitfile_section(&f, "Pod");
	unitfile_line(&f, "PodName", "pod_");
	unitfile_line(&f, "PodmanArgs", "--exit-policy=continue --hostname=%s",
	    app->hostname);
	for (i = 0; i < jread_count(app->containers); i++)
		if (quadlet_ports(app, i, &f) == -1) {
			unitfile_clear(&f);
			return -1;
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
		return fail(app->why, ERR_DENIED, "spec.hostname: \"%s\"",
		    host);
	return 0;
}

static int
files(struct app *app)
{
	size_t i;

	if (jread_count(app->containers) == 0)
		return fail(app->why, ERR_FORMAT, "spec.containers: none");
	for (i = 0; i < jread_count(app->containers); i++)
		if (quadlet_container(app, i) == -1)
			return -1;
	if (i > 1 && pod_file(app) == -1)
		return -1;
	return quadlet_volumes(app);
}

static int
render(const struct quadlet_in *in, int dry, struct quadlet *out,
    struct why *why)
{
	AUTO_JSON struct json_object *pod = NULL, *json = NULL;
	struct app app = { .in = in,
		.out = out,
		.dry = dry,
		.why = why,
		.restart = "Always",
		.grace = 30 };
	char host[64];

	if ((pod = jread_parse(in->pod, why)) == NULL ||
	    jread_fields(pod, "", pod_fields, COUNT(pod_fields), &app, why) ==
		-1 ||
	    fields_check(app.spec, why) == -1 || set_hostname(&app, host) == -1)
		return -1;
	mark_id(in->app, app.id);
	json = jmake_object();
	jmake_str(json, "name", in->app);
	jmake_str(json, "appType", "quadlet");
	app.files = jmake_list(json, "inline");
	if (files(&app) == -1)
		return -1;
	out->application = jmake_text(&json);
	return 0;
}

int
quadlet_render(const struct quadlet_in *in, struct quadlet *out,
    struct why *why)
{
	*out = (struct quadlet){ 0 };
	if (render(in, 0, out, why) == 0)
		return 0;
	quadlet_clear(out);
	return -1;
}

int
quadlet_check(struct span pod, struct why *why)
{
	const struct quadlet_in in = { .pod = pod,
		.app = "k8s-0123456789-x",
		.cluster = "x",
		.node = "x" };
	struct quadlet out = { 0 };
	int r = render(&in, 1, &out, why);

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
