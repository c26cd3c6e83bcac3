/* SPDX-License-Identifier: ISC */
/*
 * pod.c: what scenarios ask of pods and of the node.
 *
 * Owns the manifest of an ordinary pod, as a user of the quickstart writes it:
 * chosen by the fleet's label, tolerating the node's taint.
 */
#include "t/it/pod.h"

#include <stdio.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/world.h"

#define EVENTS "/api/v1/namespaces/default/events"

static const char * or (const char *value, const char *otherwise)
{
	return value != NULL ? value : otherwise;
}

static char *
target(const struct pod_conf *conf)
{
	return conf->bound ? xasprintf("\"nodeName\":\"%s\"", world_node()) :
			     xasprintf("\"nodeSelector\":{\"fleet\":\"%s\"}",
				 or (conf->fleet, world_fleet()));
}

static char *
tolerations(int s)
{
	return s == 0 ?
	    xstrdup("") :
	    xasprintf(",{\"key\":\"node.kubernetes.io/not-ready\","
		      "\"operator\":\"Exists\",\"effect\":\"NoExecute\","
		      "\"tolerationSeconds\":%d},"
		      "{\"key\":\"node.kubernetes.io/unreachable\","
		      "\"operator\":\"Exists\",\"effect\":\"NoExecute\","
		      "\"tolerationSeconds\":%d}",
		s, s);
}

char *
pod_template(const char *name, const struct pod_conf *conf)
{
	static const struct pod_conf none;
	AUTO_FREE char *where = NULL, *sizes = NULL, *notes = NULL;
	AUTO_FREE char *more = NULL;

	if (conf == NULL)
		conf = &none;
	where = target(conf);
	more = tolerations(conf->tolerates_s);
	notes = conf->device == NULL ?
	    xstrdup("") :
	    xasprintf(",\"annotations\":{\"vk.flightctl.io/device\":\"%s\"}",
		conf->device);
	sizes = xasprintf("{\"cpu\":\"%s\",\"memory\":\"%s\"}",
	    or (conf->cpu, "100m"), or (conf->memory, "32Mi"));
	return xasprintf("\"metadata\":{\"name\":\"%s\",\"labels\":"
			 "{\"app\":\"%s\"}%s},\"spec\":{%s,"
			 "\"terminationGracePeriodSeconds\":2,"
			 "\"tolerations\":[{\"key\":"
			 "\"virtual-kubelet.io/provider\","
			 "\"operator\":\"Exists\"}%s],"
			 "\"containers\":[{\"name\":\"main\","
			 "\"image\":\"%s\","
			 "\"imagePullPolicy\":\"IfNotPresent\","
			 "\"command\":[\"sleep\",\"100000\"],\"resources\":"
			 "{\"requests\":%s,\"limits\":%s}%s}]%s}",
	    name, or (conf->app, name), notes, where, more,
	    or (conf->image, "busybox:latest"), sizes, sizes,
	    or (conf->container, ""), or (conf->spec, ""));
}

char *
pod_create(const char *name, const struct pod_conf *conf)
{
	AUTO_FREE char *members = pod_template(name, conf);
	AUTO_JSON struct json_object *answer = NULL;
	long status;

	status = kube_send("POST", KUBE_PODS,
	    js_make("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",%s}", members),
	    &answer);
	if (status != 201)
		it_die("pod %s is refused: %ld %s", name, status,
		    js_str(answer, "/message"));
	return xstrdup(js_str(answer, "/metadata/uid"));
}

void
pod_deployment(const char *name, int replicas, const struct pod_conf *conf)
{
	AUTO_FREE char *template = pod_template(name, conf);

	if (kube_send("POST", KUBE_DEPLOYMENTS,
		js_make("{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\","
			"\"metadata\":{\"name\":\"%s\"},\"spec\":{"
			"\"replicas\":%d,\"selector\":{\"matchLabels\":"
			"{\"app\":\"%s\"}},\"template\":{%s}}}",
		    name, replicas, name, template),
		NULL) != 201)
		it_die("Deployment %s is refused", name);
}

void
pod_statefulset(const char *name, int replicas, const struct pod_conf *conf)
{
	AUTO_FREE char *template = pod_template(name, conf);

	if (kube_send("POST", KUBE_STATEFULSETS,
		js_make("{\"apiVersion\":\"apps/v1\",\"kind\":\"StatefulSet\","
			"\"metadata\":{\"name\":\"%s\"},\"spec\":{"
			"\"serviceName\":\"%s\",\"replicas\":%d,\"selector\":"
			"{\"matchLabels\":{\"app\":\"%s\"}},"
			"\"template\":{%s}}}",
		    name, name, replicas, name, template),
		NULL) != 201)
		it_die("StatefulSet %s is refused", name);
}

void
pod_delete(const char *name)
{
	AUTO_FREE char *path = xasprintf("%s/%s", KUBE_PODS, name);
	long status = kube_send("DELETE", path, NULL, NULL);

	if (status != 200 && status != 202)
		it_die("pod %s cannot be deleted: %ld", name, status);
}

static int
has_started(struct json_object *pod, void *arg)
{
	(void)arg;
	return strcmp(js_str(pod, "/status/phase"), "Running") == 0 &&
	    js_get(pod, "/status/containerStatuses/0/state/running") != NULL;
}

struct json_object *
pod_runs(const char *name, int64_t since_ms, int ms)
{
	struct json_object *pod;
	int ok;

	pod = kube_await_one(KUBE_PODS, name, has_started, NULL, ms);
	ok = pod != NULL && has_started(pod, NULL);
	if (it_took(since_ms, ok, "pod %s is Running", name))
		return pod;
	it_say("%s",
	    pod == NULL ? "there is no such pod" :
			  json_object_to_json_string(js_get(pod, "/status")));
	json_object_put(pod);
	return NULL;
}

struct phase_wait {
	const char *phase;
	unsigned int n, seen;
};

static int
in_phase(struct json_object *set, void *arg)
{
	struct phase_wait *w = arg;
	struct lh_entry *at = NULL;
	struct json_object *pod, *status, *phase;

	w->seen = 0;
	while (js_next(set, &at, NULL, &pod)) /* by far the most frequent */
		w->seen += json_object_object_get_ex(pod, "status", &status) &&
		    json_object_object_get_ex(status, "phase", &phase) &&
		    strcmp(json_object_get_string(phase), w->phase) == 0;
	return w->seen >= w->n;
}

static char *
labelled(const char *app)
{
	return xasprintf("%s?labelSelector=app%%3D%s", KUBE_PODS, app);
}

unsigned int
pods_in_phase(const char *app, const char *phase, unsigned int n, int ms)
{
	struct phase_wait w = { .phase = phase, .n = n };
	AUTO_FREE char *path = labelled(app);

	kube_await(path, in_phase, &w, ms);
	return w.seen;
}

struct reason_wait {
	const char *phase, *reason;
};

static int
has_reason(struct json_object *set, void *arg)
{
	const struct reason_wait *w = arg;
	struct lh_entry *at = NULL;
	struct json_object *pod;

	while (js_next(set, &at, NULL, &pod))
		if (strcmp(js_str(pod, "/status/phase"), w->phase) == 0 &&
		    strcmp(js_str(pod, "/status/reason"), w->reason) == 0)
			return 1;
	return 0;
}

int
pods_have(const char *phase, const char *reason, int ms)
{
	struct reason_wait w = { phase, reason };

	return kube_await(KUBE_PODS, has_reason, &w, ms);
}

struct ready_wait {
	const char *status, *except;
	struct json_object *pod;
};

static int
is_ready_so(struct json_object *set, void *arg)
{
	struct ready_wait *w = arg;
	struct lh_entry *at = NULL;
	struct json_object *pod;

	while (js_next(set, &at, NULL, &pod)) {
		if (strcmp(js_condition(pod, "Ready"), w->status) != 0 ||
		    (w->except != NULL &&
			strcmp(js_str(pod, "/metadata/uid"), w->except) == 0))
			continue;
		w->pod = json_object_get(pod);
		return 1;
	}
	return 0;
}

struct json_object *
pod_whose_ready_is(const char *status, const char *except, int ms,
    const char *what)
{
	struct ready_wait w = { .status = status, .except = except };
	int64_t since = it_ms();

	it_took(since, kube_await(KUBE_PODS, is_ready_so, &w, ms), "%s", what);
	return w.pod;
}

struct json_object *
pod_uids(const char *path)
{
	AUTO_JSON struct json_object *list = kube_get(path);
	struct json_object *set = json_object_new_object(), *pod;
	size_t i;

	for (i = 0; (pod = js_item(list, "/items", i)) != NULL; i++)
		json_object_object_add(set, js_str(pod, "/metadata/name"),
		    json_object_new_string(js_str(pod, "/metadata/uid")));
	return set;
}

int
pod_is_ready(struct json_object *o, void *arg)
{
	(void)arg;
	return strcmp(js_condition(o, "Ready"), "True") == 0;
}

int
pod_leaves(struct json_object *pod, void *arg)
{
	(void)arg;
	return *js_str(pod, "/metadata/deletionTimestamp") != '\0';
}

static int
is_empty(struct json_object *set, void *arg)
{
	(void)arg;
	return json_object_object_length(set) == 0;
}

int
pods_gone(const char *app, int ms)
{
	AUTO_FREE char *path = labelled(app);

	return kube_await(path, is_empty, NULL, ms);
}

struct json_object *
node_named_is_ready(const char *name, int ms)
{
	int64_t since = it_ms();
	struct json_object *node;

	node = kube_await_one(KUBE_NODES, name, pod_is_ready, NULL, ms);
	if (it_took(since, node != NULL && pod_is_ready(node, NULL),
		"node %s is Ready", name))
		return node;
	json_object_put(node);
	return NULL;
}

struct json_object *
node_is_ready(int ms)
{
	return node_named_is_ready(world_node(), ms);
}

struct said {
	const char *uid, *reason, *words;
};

static int
is_said(struct json_object *set, void *arg)
{
	const struct said *s = arg;
	struct json_object *e;
	struct lh_entry *at = NULL;

	while (js_next(set, &at, NULL, &e))
		if (strcmp(js_str(e, "/involvedObject/uid"), s->uid) == 0 &&
		    strcmp(js_str(e, "/reason"), s->reason) == 0 &&
		    strstr(js_str(e, "/message"), s->words) != NULL)
			return 1;
	return 0;
}

int
pod_has_event(const char *uid, const char *reason, const char *words, int ms)
{
	struct said s = { uid, reason, words };

	return kube_await(EVENTS, is_said, &s, ms);
}

unsigned int
pod_events(const char *uid)
{
	AUTO_JSON struct json_object *list = kube_get(EVENTS);
	struct json_object *e;
	unsigned int n = 0;
	size_t i;

	for (i = 0; (e = js_item(list, "/items", i)) != NULL; i++)
		n += strcmp(js_str(e, "/involvedObject/uid"), uid) == 0 &&
		    strcmp(js_str(e, "/source/component"),
			"vk-flightctl-provider") == 0;
	return n;
}

void
pod_is_told(const char *uid, const char *reason, const char *words, int ms)
{
	it_ok(pod_has_event(uid, reason, words, ms), "an Event says %s",
	    reason);
}
