/* SPDX-License-Identifier: ISC */
/*
 * kube_text.c: a pod as the apiserver sends it, and what its status says.
 */
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/jread.h"
#include "common/stamp.h"
#include "common/xmem.h"
#include "t/scene/scene.h"

static void
put_time(struct json_object *o, const char *key, int64_t ms)
{
	char text[STAMP_SIZE];

	if (ms == 0)
		return;
	stamp_format(ms, text);
	jmake_str(o, key, text);
}

static char *
metadata_text(const struct kpod *p)
{
	AUTO_FREE char *rv = xasprintf("%llu", (unsigned long long)p->rv);
	struct json_object *m = jmake_object(), *o;

	jmake_str(m, "name", p->name);
	jmake_str(m, "namespace", "default");
	jmake_str(m, "uid", p->uid);
	jmake_str(m, "resourceVersion", rv);
	jmake_int(m, "generation", (int64_t)p->generation);
	put_time(m, "creationTimestamp", p->created_ms);
	put_time(m, "deletionTimestamp", p->deleted_ms);
	if (p->deleted_ms != 0)
		jmake_int(m, "deletionGracePeriodSeconds", 30);
	jmake_str(jmake_in(m, "labels"), "colour", p->colour);
	o = jmake_in(m, "annotations");
	jmake_str(o, "vk.flightctl.io/device", p->device);
	jmake_str(o, "vk.flightctl.io/device-selector", p->selector);
	jmake_str(o, "vk.flightctl.io/reconnect-timeout", p->reconnect);
	if (p->controller != NULL) {
		const char *name = strchr(p->controller, '/');
		AUTO_FREE char *kind = name == NULL ?
		    xstrdup("ReplicaSet") :
		    xstrndup(p->controller, (size_t)(name - p->controller));

		name = name == NULL ? p->controller : name + 1;
		o = jmake_item(jmake_list(m, "ownerReferences"));
		jmake_str(o, "apiVersion",
		    strcmp(kind, "Job") == 0 ? "batch/v1" : "apps/v1");
		jmake_str(o, "kind", kind);
		jmake_str(o, "name", name);
		jmake_str(o, "uid", name);
		jmake_bool(o, "controller", 1);
	}
	return jmake_text(&m);
}

static char *
container_text(const struct kpod *p)
{
	struct json_object *c = jmake_object(), *o;

	jmake_str(c, "name", "c");
	jmake_str(c, "image", p->image);
	o = jmake_in(jmake_in(c, "resources"), "requests");
	jmake_str(o, "cpu", p->asked_cpu != NULL ? p->asked_cpu : p->cpu);
	jmake_str(o, "memory", p->memory);
	if (p->port != NULL) {
		o = jmake_item(jmake_list(c, "ports"));
		jmake_int(o, "containerPort", 80);
		jmake_int(o, "hostPort", atoi(p->port));
		jmake_str(o, "protocol", "TCP");
	}
	if (p->secret != NULL)
		jmake_str(jmake_in(jmake_item(jmake_list(c, "envFrom")),
			      "secretRef"),
		    "name", p->secret);
	if (p->configmap != NULL ||
	    (p->spec != NULL && strstr(p->spec, "\"volumes\"") != NULL)) {
		o = jmake_item(jmake_list(c, "volumeMounts"));
		jmake_str(o, "name", "v");
		jmake_str(o, "mountPath", "/etc/v");
	}
	return jmake_text(&c);
}

/* A member of the spec, with a comma. */
static char *
tolerations_text(const struct kpod *p)
{
	int any;

	if (p->tolerates == NULL)
		return xstrdup("");
	any = strcmp(p->tolerates, "*") == 0;
	return xasprintf("\"tolerations\":[{%s%s%s\"operator\":\"Exists\"}],",
	    any ? "" : "\"key\":\"", any ? "" : p->tolerates, any ? "" : "\",");
}

char *
kube_text(const struct kpod *p)
{
	AUTO_FREE char *tolerations = tolerations_text(p);
	AUTO_FREE char *metadata = metadata_text(p);
	AUTO_FREE char *container = container_text(p);
	AUTO_FREE char *status = jmake_copy(p->status);
	AUTO_FREE char *volumes = NULL, *debugger = NULL;

	volumes = p->configmap == NULL ?
	    xstrdup("") :
	    xasprintf("\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":"
		      "\"%s\",\"optional\":%s}}],",
		p->configmap + (*p->configmap == '?'),
		*p->configmap == '?' ? "true" : "false");
	debugger = p->debugger == NULL ?
	    xstrdup("") :
	    xasprintf("\"ephemeralContainers\":[{\"name\":\"%s\",\"image\":"
		      "\"x\"}],",
		p->debugger);
	return xasprintf(
	    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":"
	    "%s,\"spec\":{\"nodeName\":\"%s\",\"restartPolicy\":\"%s\",%s%s%s%s"
	    "%s\"containers\":[%s]},\"status\":%s}",
	    metadata, p->node, p->restart, volumes, debugger,
	    p->spec != NULL ? p->spec : "", p->spec != NULL ? "," : "",
	    tolerations, container, status);
}

/* -- what people see
 * ------------------------------------------------------------------ */

const char *
kube_phase(const struct kpod *p)
{
	const char *phase = jread_string(jread_member(p->status, "phase"));

	return phase != NULL ? phase : "none";
}

struct json_object *
kube_condition(const struct kpod *p, const char *type)
{
	return jread_find(jread_member(p->status, "conditions"), "type", type);
}

int
kube_is_ready(const struct kpod *p)
{
	const char *status =
	    jread_string(jread_member(kube_condition(p, "Ready"), "status"));

	return status != NULL && strcmp(status, "True") == 0;
}

char *
kube_reason(const struct kpod *p)
{
	struct json_object *at;
	const char *reason, *message;

	at = jread_member(jread_member(jread_item(jread_member(p->status,
						      "containerStatuses"),
					   0),
			      "state"),
	    "waiting");
	if (jread_string(jread_member(p->status, "reason")) != NULL)
		at = p->status;
	reason = jread_string(jread_member(at, "reason"));
	message = jread_string(jread_member(at, "message"));
	return xasprintf("%s%s%s", reason != NULL ? reason : "",
	    message != NULL ? ": " : "", message != NULL ? message : "");
}
