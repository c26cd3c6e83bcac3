/* SPDX-License-Identifier: ISC */
/*
 * kubepod.c: what the server fills into a new pod (pure).
 *
 * Owns defaults and admission (tolerations of 300 s, quality of service).
 * What it refuses is in kubepodcheck.c.
 */

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "t/sim/kubequant.h"
#include "t/sim/kuberule.h"

enum {
	GRACE_SECONDS = 30,
	NOT_READY_SECONDS = 300,
	FILE_MODE = 0644,
};

static size_t
length(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ?
	    json_object_array_length(list) :
	    0;
}

/* Each element of a list that is an object. */
static void
each(struct json_object *list, void (*fn)(struct json_object *))
{
	struct json_object *o;
	size_t i;

	for (i = 0; i < length(list); i++) {
		o = json_object_array_get_idx(list, i);
		if (json_object_is_type(o, json_type_object))
			fn(o);
	}
}

static int
is_obj(struct json_object *o)
{
	return json_object_is_type(o, json_type_object);
}

/* --- containers --- */

static void
default_port(struct json_object *o)
{
	kdefault(o, "protocol", "TCP");
}

static void
default_env(struct json_object *o)
{
	struct json_object *ref = kget_obj(o, "valueFrom", "fieldRef");

	if (is_obj(ref))
		kdefault(ref, "apiVersion", "v1");
}

static void
default_get(struct json_object *o)
{
	struct json_object *get = kget_obj(o, "httpGet", NULL);

	if (!is_obj(get))
		return;
	kdefault(get, "path", "/");
	kdefault(get, "scheme", "HTTP");
}

static void
default_probe(struct json_object *container, const char *name)
{
	struct json_object *o = kget_obj(container, name, NULL);

	if (!is_obj(o))
		return;
	default_get(o);
	kdefault_int(o, "timeoutSeconds", 1);
	kdefault_int(o, "periodSeconds", 10);
	kdefault_int(o, "successThreshold", 1);
	kdefault_int(o, "failureThreshold", 3);
}

/* No tag, or "latest": Always. */
static const char *
pull_policy(const char *image)
{
	const char *slash = strrchr(image, '/');
	const char *tag = strchr(slash != NULL ? slash : image, ':');

	if (strchr(image, '@') != NULL)
		return "IfNotPresent";
	return tag == NULL || strcmp(tag, ":latest") == 0 ? "Always" :
							    "IfNotPresent";
}

/* A limit without a request is the request. */
static void
default_requests(struct json_object *o)
{
	struct json_object *limits = kget_obj(o, "resources", "limits");
	struct json_object *requests;
	struct json_object_iter it;

	if (!is_obj(limits) || json_object_object_length(limits) == 0)
		return;
	requests = kmake_obj(kget_obj(o, "resources", NULL), "requests");
	json_object_object_foreachC(limits, it)
	{
		if (kget_obj(requests, it.key, NULL) == NULL)
			json_object_object_add(requests, it.key,
			    json_object_get(it.val));
	}
}

static void
default_container(struct json_object *o)
{
	struct json_object *life = kget_obj(o, "lifecycle", NULL);

	kdefault(o, "terminationMessagePath", "/dev/termination-log");
	kdefault(o, "terminationMessagePolicy", "File");
	kdefault(o, "imagePullPolicy", pull_policy(kget(o, "image", NULL)));
	default_requests(o);
	each(kget_obj(o, "ports", NULL), default_port);
	each(kget_obj(o, "env", NULL), default_env);
	default_probe(o, "livenessProbe");
	default_probe(o, "readinessProbe");
	default_probe(o, "startupProbe");
	if (is_obj(life)) {
		if (is_obj(kget_obj(life, "postStart", NULL)))
			default_get(kget_obj(life, "postStart", NULL));
		if (is_obj(kget_obj(life, "preStop", NULL)))
			default_get(kget_obj(life, "preStop", NULL));
	}
}

/* --- volumes --- */

static void
default_file(struct json_object *o)
{
	struct json_object *ref = kget_obj(o, "fieldRef", NULL);

	if (is_obj(ref))
		kdefault(ref, "apiVersion", "v1");
}

static void
default_source(struct json_object *o)
{
	struct json_object *token = kget_obj(o, "serviceAccountToken", NULL);

	each(kget_obj(o, "downwardAPI", "items"), default_file);
	if (is_obj(token))
		kdefault_int(token, "expirationSeconds", 3600);
}

static void
default_volume(struct json_object *o)
{
	static const char *const with_mode[] = { "secret", "configMap",
		"downwardAPI", "projected" };
	struct json_object *v;
	size_t i;

	if (json_object_object_length(o) == 1)
		kmake_obj(o, "emptyDir");
	for (i = 0; i < sizeof(with_mode) / sizeof(with_mode[0]); i++) {
		v = kget_obj(o, with_mode[i], NULL);
		if (is_obj(v))
			kdefault_int(v, "defaultMode", FILE_MODE);
	}
	each(kget_obj(o, "downwardAPI", "items"), default_file);
	each(kget_obj(o, "projected", "sources"), default_source);
	v = kget_obj(o, "hostPath", NULL);
	if (is_obj(v) && kget_obj(v, "type", NULL) == NULL)
		kset(v, "type", "");
}

/* --- tolerations --- */

static int
tolerates(struct json_object *list, const char *key, const char *effect)
{
	struct json_object *o;
	const char *k, *e;
	size_t i;

	for (i = 0; i < length(list); i++) {
		o = json_object_array_get_idx(list, i);
		k = kget(o, "key", NULL);
		e = kget(o, "effect", NULL);
		if ((k[0] == '\0' || strcmp(k, key) == 0) &&
		    (e[0] == '\0' || strcmp(e, effect) == 0))
			return 1;
	}
	return 0;
}

static void
tolerate(struct json_object *spec, const char *key)
{
	struct json_object *list = kget_obj(spec, "tolerations", NULL), *o;

	if (tolerates(list, key, "NoExecute"))
		return;
	if (!json_object_is_type(list, json_type_array)) {
		list = json_object_new_array();
		json_object_object_add(spec, "tolerations", list);
	}
	o = json_object_new_object();
	kset(o, "key", key);
	kset(o, "operator", "Exists");
	kset(o, "effect", "NoExecute");
	kdefault_int(o, "tolerationSeconds", NOT_READY_SECONDS);
	json_object_array_add(list, o);
}

/* --- quality of service --- */

struct quality {
	int any;	/* some request or limit */
	int guaranteed; /* each container: limits, equal to its requests */
};

static kquant_nanos
amount(struct json_object *resources, const char *which, const char *name)
{
	struct kquant q = { 0, KQUANT_DECIMAL };
	struct json_object *list = kget_obj(resources, which, NULL);
	struct json_object *v = kget_obj(list, name, NULL);

	if (v == NULL || kquant_parse(json_object_get_string(v), &q) == -1)
		return 0;
	return q.nanos;
}

static void
judge(struct json_object *list, struct quality *q)
{
	static const char *const names[] = { "cpu", "memory" };
	struct json_object *resources;
	kquant_nanos limit, request;
	size_t i, k;

	for (i = 0; i < length(list); i++) {
		resources = kget_obj(json_object_array_get_idx(list, i),
		    "resources", NULL);
		for (k = 0; k < 2; k++) {
			limit = amount(resources, "limits", names[k]);
			request = amount(resources, "requests", names[k]);
			q->any |= limit != 0 || request != 0;
			q->guaranteed &= limit != 0 && limit == request;
		}
	}
}

static const char *
quality(struct json_object *spec)
{
	struct quality q = { 0, 1 };

	judge(kget_obj(spec, "initContainers", NULL), &q);
	judge(kget_obj(spec, "containers", NULL), &q);
	return !q.any	 ? "BestEffort" :
	    q.guaranteed ? "Guaranteed" :
			   "Burstable";
}

/* --- the pod --- */

static void
default_spec(struct json_object *spec)
{
	each(kget_obj(spec, "containers", NULL), default_container);
	each(kget_obj(spec, "initContainers", NULL), default_container);
	each(kget_obj(spec, "volumes", NULL), default_volume);
	kdefault(spec, "restartPolicy", "Always");
	kdefault(spec, "dnsPolicy", "ClusterFirst");
	kdefault(spec, "schedulerName", "default-scheduler");
	kdefault_int(spec, "terminationGracePeriodSeconds", GRACE_SECONDS);
	kdefault(spec, "serviceAccountName", "default");
	kset(spec, "serviceAccount", kget(spec, "serviceAccountName", NULL));
	kmake_obj(spec, "securityContext");
	kdefault_int(spec, "priority", 0);
	kdefault(spec, "preemptionPolicy", "PreemptLowerPriority");
	kdefault_bool(spec, "enableServiceLinks", 1);
	tolerate(spec, "node.kubernetes.io/not-ready");
	tolerate(spec, "node.kubernetes.io/unreachable");
}

void
kpod_default(struct json_object *o)
{
	struct json_object *spec = kmake_obj(o, "spec"), *status;

	default_spec(spec);
	status = json_object_new_object();
	kset(status, "phase", "Pending");
	kset(status, "qosClass", quality(spec));
	json_object_object_add(o, "status", status);
}

static struct json_object *
one_address(const char *ip)
{
	struct json_object *list = json_object_new_array();
	struct json_object *o = json_object_new_object();

	kset(o, "ip", ip);
	json_object_array_add(list, o);
	return list;
}

/* podIP is podIPs[0]; whichever a writer left out follows the other. */
void
kpod_normalise(struct json_object *now, struct json_object *old)
{
	struct json_object *status = kget_obj(now, "status", NULL);
	struct json_object *list = kget_obj(status, "podIPs", NULL);
	const char *ip = kget(status, "podIP", NULL);
	const char *first = "";

	(void)old;
	if (length(list) != 0)
		first = kget(json_object_array_get_idx(list, 0), "ip", NULL);
	if (ip[0] != '\0' && strcmp(ip, first) != 0)
		json_object_object_add(status, "podIPs", one_address(ip));
	else if (ip[0] == '\0' && first[0] != '\0')
		kset(status, "podIP", first);
}
