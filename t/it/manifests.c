/* SPDX-License-Identifier: ISC */
/*
 * manifests: deploy/kubernetes on the real control plane.  All of it is taken,
 * with and without each component, and nothing is warned of; the Pod is one
 * that the restricted level admits, and comes to a host, never to a virtual
 * node; the provider's account changes what is its own and nothing else; pods
 * for virtual nodes are given all the time there is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/http.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/kubectl.h"

#define ACCOUNT "system:serviceaccount:vk-flightctl:vk-flightctl-provider"
#define OURS "vk-flightctl-manifests" /* a node, its pod and its leases */
#define THEIRS "host"
#define UNBOUND "unbound" /* a pod */
#define NS "/api/v1/namespaces/vk-flightctl"
#define PODS                                                 \
	NS "/pods?labelSelector=app.kubernetes.io%2Fname%3D" \
	   "vk-flightctl-provider"
#define POLICIES                                 \
	"/apis/admissionregistration.k8s.io/v1/" \
	"validatingadmissionpolicies"
#define LEASES "/apis/coordination.k8s.io/v1/namespaces/"
#define NODE_LEASES LEASES "kube-node-lease/leases"
#define OUR_LEASES LEASES "vk-flightctl/leases"
#define EVENTS "/api/v1/namespaces/default/events"
#define MERGE "application/merge-patch+json"

enum {
	STEP_MS = 100,
	POLICY_MS = 20000, /* until the apiserver heeds a new one */
	READY_MS = 20000,
};

static struct http *account; /* the provider's, as an administrator lends it */

static void
create(const char *name, const char *text)
{
	AUTO_FREE char *path = xasprintf("%s/%s.yaml", it_folder(), name);

	it_write(path, text);
	kubectl("create -f %s", path);
}

/* --- what is taken -------------------------------------------------------- */

static const struct variant {
	const char *name;
	const char *components; /* NULL: as it is there */
} variants[] = {
	{ "base", "" },
	{ "one", "../../components/persistent, ../../components/monitoring" },
	{ "two", "../../components/replicas, ../../components/tolerations" },
	{ "example", NULL },
};

/* As the Prometheus operator has it, so far as we use it. */
static const char monitors[] =
    "apiVersion: apiextensions.k8s.io/v1\n"
    "kind: CustomResourceDefinition\n"
    "metadata: {name: servicemonitors.monitoring.coreos.com}\n"
    "spec:\n"
    "  group: monitoring.coreos.com\n"
    "  scope: Namespaced\n"
    "  names: {kind: ServiceMonitor, plural: servicemonitors}\n"
    "  versions:\n"
    "  - name: v1\n"
    "    served: true\n"
    "    storage: true\n"
    "    schema:\n"
    "      openAPIV3Schema:\n"
    "        type: object\n"
    "        properties:\n"
    "          spec:\n"
    "            type: object\n"
    "            required: [endpoints, selector]\n"
    "            x-kubernetes-preserve-unknown-fields: true\n";

/* As the manual says. */
static void
apply(const char *variant, const char *flag)
{
	AUTO_FREE char *line = xasprintf("apply -k %s/kubernetes/overlays/%s%s",
	    it_folder(), variant, flag);
	AUTO_FREE char *out = NULL;
	int status = kubectl_says(line, &out);

	if (!it_ok(status == 0 && strstr(out, "arning") == NULL,
		"%s is taken without a warning%s", variant, flag))
		it_say("%s", out);
}

/* The tree's own files, with folders of ours beside those of operators. */
static void
lay_out(void)
{
	AUTO_FREE char *from = child_source("deploy/kubernetes");
	AUTO_FREE char *to = xasprintf("%s/kubernetes", it_folder());
	const char *const copy[] = { "/bin/cp", "-r", from, to, NULL };
	size_t i;

	if (child_run(copy, NULL) != 0)
		it_die("%s cannot be copied", from);
	for (i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		AUTO_FREE char *dir =
		    xasprintf("%s/overlays/%s", to, variants[i].name);
		AUTO_FREE char *path = xasprintf("%s/kustomization.yaml", dir);
		AUTO_FREE char *text =
		    xasprintf("apiVersion: kustomize.config.k8s.io/v1beta1\n"
			      "kind: Kustomization\n"
			      "resources: [../../base]\n"
			      "components: [%s]\n",
			variants[i].components);
		const char *const make[] = { "/bin/mkdir", dir, NULL };

		if (variants[i].components == NULL)
			continue;
		if (child_run(make, NULL) != 0)
			it_die("%s cannot be made", dir);
		it_write(path, text);
	}
}

static void
all_are_taken(void)
{
	size_t i;

	lay_out();
	create("monitors", monitors);
	kubectl("wait --for=condition=Established --timeout=20s "
		"crd/servicemonitors.monitoring.coreos.com");
	for (i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
		apply(variants[i].name, " --dry-run=server");
}

/* --- the Pod -------------------------------------------------------------- */

/* The virtual node has no taint: somebody took it away. */
static const char nodes[] = "apiVersion: v1\n"
			    "kind: Node\n"
			    "metadata:\n"
			    "  name: " OURS "\n"
			    "  labels: {kubernetes.io/os: linux, "
			    "type: virtual-kubelet}\n"
			    "---\n"
			    "apiVersion: v1\n"
			    "kind: Node\n"
			    "metadata:\n"
			    "  name: " THEIRS "\n"
			    "  labels: {kubernetes.io/os: linux}\n";

static int
takes_pods(struct json_object *node, void *arg)
{
	(void)arg;
	return js_len(node, "/spec/taints") == 0;
}

/* As its kubelet would. */
static void
make_ready(const char *node)
{
	AUTO_FREE char *path = xasprintf(KUBE_NODES "/%s/status", node);
	AUTO_JSON struct json_object *o = NULL;

	if (kube_patch(path, MERGE,
		js_make("{\"status\":{\"capacity\":{\"cpu\":\"4\",\"memory\":"
			"\"8Gi\",\"ephemeral-storage\":\"8Gi\",\"pods\":\"9\"},"
			"\"conditions\":[{\"type\":\"Ready\",\"status\":"
			"\"True\",\"reason\":\"Test\"}]}}")) != 200)
		it_die("node %s cannot be made ready", node);
	o = kube_await_one(KUBE_NODES, node, takes_pods, NULL, READY_MS);
	if (o == NULL || !takes_pods(o, NULL))
		it_die("node %s keeps its taint", node);
}

static int
has_no_node(struct json_object *set, void *arg)
{
	struct lh_entry *at = NULL;
	struct json_object *pod;

	(void)arg;
	if (!js_next(set, &at, NULL, &pod))
		return 0;
	return strcmp(js_reason(pod, "PodScheduled"), "Unschedulable") == 0;
}

static int
is_at_host(struct json_object *set, void *arg)
{
	struct lh_entry *at = NULL;
	struct json_object *pod;

	(void)arg;
	return js_next(set, &at, NULL, &pod) &&
	    strcmp(js_str(pod, "/spec/nodeName"), THEIRS) == 0;
}

static void
comes_to(kube_fn *fn, const char *what)
{
	int64_t since = it_ms();

	if (!it_took(since, kube_await(PODS, fn, NULL, READY_MS), "%s", what)) {
		kubectl("-n vk-flightctl describe replicasets");
		kubectl("-n vk-flightctl describe pods");
	}
}

static void
pod_is_admitted(void)
{
	create("nodes", nodes);
	make_ready(OURS);
	apply("base", "");
	comes_to(has_no_node, "the Pod is made, and for no virtual node");
	make_ready(THEIRS);
	comes_to(is_at_host, "it goes to a host");
}

/* --- what the account may not --------------------------------------------- */

static const char guests[] =
    "apiVersion: v1\n"
    "kind: Pod\n"
    "metadata: {name: " OURS "}\n"
    "spec: {nodeName: " OURS ", containers: [{name: c, image: i}]}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Pod\n"
    "metadata: {name: " THEIRS "}\n"
    "spec: {nodeName: " THEIRS ", containers: [{name: c, image: i}]}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Pod\n"
    "metadata: {name: " UNBOUND "}\n"
    "spec: {schedulerName: none, containers: [{name: c, image: i}]}\n"
    "---\n"
    "apiVersion: coordination.k8s.io/v1\n"
    "kind: Lease\n"
    "metadata: {name: " OURS ", namespace: vk-flightctl}\n"
    "---\n"
    "apiVersion: coordination.k8s.io/v1\n"
    "kind: Lease\n"
    "metadata: {name: " THEIRS ", namespace: vk-flightctl}\n"
    "---\n"
    "apiVersion: coordination.k8s.io/v1\n"
    "kind: Lease\n"
    "metadata: {name: " OURS ", namespace: kube-node-lease}\n"
    "---\n"
    "apiVersion: coordination.k8s.io/v1\n"
    "kind: Lease\n"
    "metadata: {name: " THEIRS ", namespace: kube-node-lease}\n";

#define HOLDER "{\"spec\":{\"holderIdentity\":\"x\"}}"
#define ANOTHER "{\"metadata\":{\"name\":\"%s-2\"}}"

/* In the default namespace it need not say where the pod is. */
#define EVENT                                                                 \
	"{\"metadata\":{\"name\":\"x\"},\"involvedObject\":{\"name\":\"x\"}," \
	"\"reportingComponent\":\"%s\"}"

/* %s: a name of the provider's, and one that is not. */
static const struct call {
	const char *what;
	const char *method;
	const char *path;
	const char *body; /* a PATCH is a merge */
} calls[] = {
	{ "the status of a pod", "PATCH", KUBE_PODS "/%s/status",
	    "{\"status\":{\"message\":\"x\"}}" },
	{ "a node", "PATCH", KUBE_NODES "/%s",
	    "{\"metadata\":{\"annotations\":{\"a\":\"x\"}}}" },
	{ "the status of a node", "PATCH", KUBE_NODES "/%s/status",
	    "{\"status\":{\"capacity\":{\"x.y/z\":\"1\"}}}" },
	{ "a new node", "POST", KUBE_NODES "?dryRun=All", ANOTHER },
	{ "a heartbeat", "PATCH", NODE_LEASES "/%s", HOLDER },
	{ "a new heartbeat", "POST", NODE_LEASES "?dryRun=All", ANOTHER },
	{ "a writer's Lease", "PATCH", OUR_LEASES "/%s", HOLDER },
	{ "a new writer's Lease", "POST", OUR_LEASES "?dryRun=All", ANOTHER },
	{ "an Event", "POST", EVENTS "?dryRun=All", EVENT },
	{ "a pod's end", "DELETE",
	    KUBE_PODS "/%s?gracePeriodSeconds=0&dryRun=All", NULL },
};

/* Where %s is a name, if anywhere; caller frees. */
static char *
with_name(const char *text, const char *name)
{
	const char *at = text == NULL ? NULL : strstr(text, "%s");

	if (at == NULL)
		return text == NULL ? NULL : xstrdup(text);
	return xasprintf("%.*s%s%s", (int)(at - text), text, name, at + 2);
}

static long
call(const struct call *c, const char *name, struct http_answer *a)
{
	AUTO_FREE char *path = with_name(c->path, name);
	AUTO_FREE char *body = with_name(c->body, name);

	return http_send(account, c->method, path,
	    strcmp(c->method, "PATCH") == 0 ? MERGE : NULL, body, a);
}

/* By a policy; a right that is missing refuses in other words. */
static int
is_refused(const struct call *c, const char *name)
{
	struct http_answer a;
	int refused = call(c, name, &a) == 403 &&
	    strstr(a.body, "ValidatingAdmissionPolicy") != NULL;

	if (!refused)
		it_say("%ld %.300s", a.status, a.body == NULL ? "" : a.body);
	http_answer_clear(&a);
	return refused;
}

static int
is_done(const struct call *c, const char *name)
{
	struct http_answer a;
	long status = call(c, name, &a);
	int done = status == 200 || status == 201;

	if (!done)
		it_say("%ld %.300s", status, a.body == NULL ? "" : a.body);
	http_answer_clear(&a);
	return done;
}

/* The status of what its controller finds; of a name, an API, a type. */
static int
is_checked(struct json_object *policy, void *arg)
{
	(void)arg;
	return js_int(policy, "/status/observedGeneration") > 0;
}

static void
is_sound(const char *policy)
{
	AUTO_JSON struct json_object *o =
	    kube_await_one(POLICIES, policy, is_checked, NULL, POLICY_MS);
	struct json_object *warnings =
	    js_get(o, "/status/typeChecking/expressionWarnings");

	if (!it_ok(o != NULL && is_checked(o, NULL) && warnings == NULL,
		"policy %s names what there is", policy))
		it_say("%s", json_object_to_json_string(warnings));
}

/* The apiserver heeds a policy some time after it was made. */
static void
await_policies(void)
{
	int64_t deadline = it_ms() + POLICY_MS;
	struct http_answer a;
	long status = 0;

	while (status != 403 && it_ms() < deadline) {
		status = call(&calls[0], UNBOUND, &a);
		http_answer_clear(&a);
		if (status != 403)
			it_pause(STEP_MS);
	}
}

static void
account_is_held(void)
{
	const struct call *status = &calls[0];
	size_t i;

	create("guests", guests);
	is_sound("vk-flightctl-provider-pods");
	is_sound("vk-flightctl-provider-nodes");
	is_sound("vk-flightctl-provider-events");
	await_policies();
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const struct call *c = &calls[i];
		int event = strstr(c->path, EVENTS) != NULL;

		it_ok(is_done(c, event ? "vk-flightctl-provider" : OURS),
		    "%s: the provider's own", c->what);
		it_ok(is_refused(c, event ? "kubelet" : THEIRS), "%s: no other",
		    c->what);
	}
	it_ok(is_refused(status, UNBOUND), "nor a pod's that has no node yet");
}

/* --- pods that stay ------------------------------------------------------- */

#define FOR_US \
	"{\"key\":\"virtual-kubelet.io/provider\",\"operator\":\"Exists\"}"
#define CHOSEN                                                                 \
	"{\"key\":\"node.kubernetes.io/unreachable\",\"operator\":\"Exists\"," \
	"\"effect\":\"NoExecute\",\"tolerationSeconds\":60}"

/* As it would be made: how long it tolerates that; -1: for ever, -2: not. */
static int64_t
stays_s(const char *tolerations, const char *what)
{
	AUTO_FREE char *key = xasprintf("node.kubernetes.io/%s", what);
	AUTO_JSON struct json_object *pod = NULL;
	struct json_object *t;

	(void)kube_send("POST", KUBE_PODS "?dryRun=All",
	    js_make("{\"metadata\":{\"name\":\"dry\"},\"spec\":{\"containers\":"
		    "[{\"name\":\"c\",\"image\":\"i\"}],\"tolerations\":[%s]}}",
		tolerations),
	    &pod);
	t = js_find(pod, "/spec/tolerations", "key", key);
	if (t == NULL)
		return -2;
	return js_get(t, "/tolerationSeconds") == NULL ?
	    -1 :
	    js_int(t, "/tolerationSeconds");
}

static void
pods_stay(void)
{
	int64_t deadline, since = it_ms();

	it_ok(stays_s(FOR_US, "not-ready") == 300,
	    "a pod is given 300 s on a node that is not ready");
	apply("two", "");
	deadline = it_ms() + POLICY_MS;
	while (stays_s(FOR_US, "not-ready") != -1 && it_ms() < deadline)
		it_pause(STEP_MS);
	it_took(since, stays_s(FOR_US, "not-ready") == -1,
	    "with the component, one for virtual nodes all the time");
	it_ok(stays_s(FOR_US, "unreachable") == -1,
	    "and on one that is not reached");
	it_ok(stays_s(FOR_US "," CHOSEN, "unreachable") == 60 &&
		stays_s(FOR_US "," CHOSEN, "not-ready") == -1,
	    "a time that somebody chose stays");
	it_ok(stays_s("", "not-ready") == 300 &&
		stays_s(CHOSEN, "unreachable") == 60,
	    "and so do those of pods for other nodes");
}

/* --- the whole ------------------------------------------------------------ */

#define LABEL "-l app.kubernetes.io/name=vk-flightctl-provider"
#define NOW "--force --grace-period=0"

/* No controller makes a pod again whose maker is gone; the rights stay. */
static void
clean(void)
{
	const char *dir = it_folder();

	kubectl("-n vk-flightctl delete --cascade=orphan "
		"deployment,replicaset " LABEL);
	kubectl(
	    "-n vk-flightctl delete " NOW " pod,service,configmap,"
	    "poddisruptionbudget,networkpolicy,priorityclass,"
	    "mutatingadmissionpolicy,mutatingadmissionpolicybinding " LABEL);
	kubectl("delete " NOW
		" -f %s/monitors.yaml -f %s/guests.yaml -f %s/nodes.yaml",
	    dir, dir, dir);
}

static void
scenario(void)
{
	const char *url = getenv("KUBE_API_URL");
	const char *ca = getenv("KUBE_CA_FILE");
	const char *token = getenv("KUBE_ADMIN_TOKEN_FILE");

	if (url == NULL || ca == NULL || token == NULL)
		it_die("no KUBE_API_URL, KUBE_CA_FILE, KUBE_ADMIN_TOKEN_FILE");
	kube_open(http_new(url, ca, token));
	account = http_new(url, ca, token);
	http_impersonate(account, ACCOUNT);
	all_are_taken();
	pod_is_admitted();
	account_is_held();
	pods_stay();
	clean();
}

int
main(void)
{
	return it_run("manifests", scenario);
}
