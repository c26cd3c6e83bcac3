/* SPDX-License-Identifier: ISC */
/*
 * rights: what the provider asked of the real apiserver in all scenarios, held
 * against deploy/kubernetes, both ways: a call that no rule there grants, and a
 * rule that no call needed.  Before that a scenario of its own: ConfigMaps and
 * Secrets in a namespace where they may be read, and where not yet.
 *	IT_WHOLE=1	all others have run: all rights have been needed by now
 */
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/why.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/kubectl.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/rbac.h"
#include "t/it/world.h"

#define RBAC "deploy/kubernetes/rbac.yaml"
#define CONFIGMAPS "deploy/kubernetes/configmaps.yaml"
#define SECRETS "deploy/kubernetes/secrets.yaml"
#define ACCOUNT "system:serviceaccount:vk-flightctl:vk-flightctl-provider"
#define OPEN "default"
#define SECLUDED "secluded"

enum {
	READY_MS = 20000,
	RUN_MS = 60000, /* it asks again at a growing distance */
};

/* Of one right, in this order. */
struct use {
	size_t allowed;
	int known; /* allowed since the apiserver was started last */
};

static struct {
	struct rights granted;
	struct use *uses;
	size_t calls, starts, cut, early;
	/* text to how often: sets of what ought not to be */
	struct json_object *foreign, *refused;
} tally;

/* --- the log ---------------------------------------------------------------
 */

static void
note(struct json_object *set, const char *text)
{
	struct json_object *n = json_object_object_get(set, text);

	json_object_object_add(set, text,
	    json_object_new_int64(json_object_get_int64(n) + 1));
}

/*
 * A server that has just started knows no rights for a moment, and in our own
 * namespace there are none at first: a 403 counts once the right was granted.
 */
static void
take_answer(struct json_object *event, struct use *use, const char *call)
{
	int is_leaving = js_find(event, "/responseStatus/details/causes",
			     "reason", "NamespaceTerminating") != NULL;

	if (strcmp(js_str(event, "/annotations/authorization.k8s.io~1decision"),
		"allow") == 0) {
		use->allowed++;
		use->known = 1;
		if (js_int(event, "/responseStatus/code") == 403 && !is_leaving)
			note(tally.refused, call);
	} else if (use->known) {
		note(tally.refused, call);
	} else {
		tally.early++;
	}
}

/* An answer that lasts is told when it begins, and when it ends. */
static int
is_told_before(struct json_object *event)
{
	return strcmp(js_str(event, "/verb"), "watch") == 0 &&
	    strcmp(js_str(event, "/stage"), "ResponseComplete") == 0;
}

static void
take_call(struct json_object *event)
{
	const char *sub = js_str(event, "/objectRef/subresource");
	AUTO_FREE char *resource = xasprintf("%s%s%s",
	    js_str(event, "/objectRef/resource"), *sub != '\0' ? "/" : "", sub);
	const struct right call = {
		.group = js_str(event, "/objectRef/apiGroup"),
		.resource = resource,
		.ns = js_str(event, "/objectRef/namespace"),
		.name = js_str(event, "/objectRef/name"),
		.verb = js_str(event, "/verb"),
	};
	const struct right *by = rbac_covers(&tally.granted, &call);
	AUTO_FREE char *text = rbac_text(&call);

	tally.calls++;
	if (js_get(event, "/objectRef") == NULL)
		note(tally.foreign, js_str(event, "/requestURI"));
	else if (by == NULL)
		note(tally.foreign, text);
	else
		take_answer(event, &tally.uses[by - tally.granted.v], text);
}

static void
take_start(void)
{
	size_t i;

	tally.starts++;
	for (i = 0; i < tally.granted.n; i++)
		tally.uses[i].known = 0;
}

/* A server that was killed may leave half a line. */
static void
take_line(const char *line)
{
	AUTO_JSON struct json_object *event = json_tokener_parse(line);

	if (event == NULL) {
		tally.cut += strspn(line, "\n") != strlen(line);
		return;
	}
	if (strcmp(js_str(event, "/stage"), "Start") == 0)
		take_start();
	else if (strcmp(js_str(event, "/user/username"), ACCOUNT) == 0 &&
	    !is_told_before(event))
		take_call(event);
}

static void
read_log(void)
{
	const char *path = getenv("KUBE_AUDIT");
	FILE *f = path != NULL ? fopen(path, "re") : NULL;
	AUTO_FREE char *line = NULL;
	size_t size = 0;

	if (f == NULL)
		it_die("no KUBE_AUDIT that can be read");
	while (getline(&line, &size, f) != -1)
		take_line(line);
	(void)fclose(f);
}

/* --- the judgement ---------------------------------------------------------
 */

static void
none_of(struct json_object *set, const char *what)
{
	struct lh_entry *at = NULL;
	struct json_object *times;
	const char *text;

	it_ok(json_object_object_length(set) == 0, "%s", what);
	while (js_next(set, &at, &text, &times))
		it_say("%s: %s times", text, json_object_get_string(times));
}

static void
all_are_used(void)
{
	size_t i, unused = 0;

	for (i = 0; i < tally.granted.n; i++) {
		AUTO_FREE char *text = rbac_text(&tally.granted.v[i]);

		if (tally.uses[i].allowed == 0) {
			it_say("no call needed: %s", text);
			unused++;
		}
	}
	if (getenv("IT_WHOLE") == NULL)
		it_skip("%zu of %zu rights were not needed, which says nothing:"
			" not all scenarios ran (IT_WHOLE)",
		    unused, tally.granted.n);
	else
		it_ok(unused == 0, "each of the %zu rights is needed",
		    tally.granted.n);
}

static void
read_manifest(const char *path, const char *ns)
{
	AUTO_FREE char *file = child_source(path);
	struct why why;

	if (rbac_read(&tally.granted, file, ns, &why) == -1)
		it_die("%s", why.text);
}

static void
judge(void)
{
	read_manifest(RBAC, "");
	read_manifest(CONFIGMAPS, OPEN);
	read_manifest(SECRETS, OPEN);
	read_manifest(CONFIGMAPS, SECLUDED);
	read_manifest(SECRETS, SECLUDED);
	tally.uses = xcalloc(tally.granted.n, sizeof(*tally.uses));
	tally.foreign = json_object_new_object();
	tally.refused = json_object_new_object();
	read_log();
	it_ok(tally.cut < tally.starts && tally.starts > 0,
	    "all can be read: %zu calls in %zu lives of the apiserver, "
	    "%zu lines cut",
	    tally.calls, tally.starts, tally.cut);
	none_of(tally.foreign, "no call but what the manifest grants");
	none_of(tally.refused, "and no such call was refused");
	it_say("%zu calls came before the apiserver had the right",
	    tally.early);
	all_are_used();
}

/* --- a namespace of its own ------------------------------------------------
 */

/* A pod that wants one of each. */
static void
make_guest(const char *ns)
{
	AUTO_FREE char *path = xasprintf("/api/v1/namespaces/%s/pods", ns);
	AUTO_FREE char *template = pod_template("guest",
	    &(struct pod_conf){ .container =
				    ",\"envFrom\":[{\"configMapRef\":{\"name\":"
				    "\"plain\"}},{\"secretRef\":{\"name\":"
				    "\"hidden\"}}]" });

	kubectl("-n %s create configmap plain --from-literal=A=1", ns);
	kubectl("-n %s create secret generic hidden --from-literal=B=2", ns);
	if (kube_send("POST", path,
		js_make("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",%s}",
		    template),
		NULL) != 201)
		it_die("pod %s/guest is refused", ns);
}

/* What may not be read is said; arg: which of the two. */
static int
waits_for(struct json_object *pod, void *arg)
{
	const char *words =
	    js_str(pod, "/status/containerStatuses/0/state/waiting/message");

	return strstr(words, arg) != NULL &&
	    strstr(words, "cannot get resource") != NULL;
}

static int
runs(struct json_object *pod, void *arg)
{
	(void)arg;
	return strcmp(js_str(pod, "/status/phase"), "Running") == 0;
}

static void
guest(const char *ns, kube_one_fn *fn, void *arg, const char *what)
{
	AUTO_FREE char *path = xasprintf("/api/v1/namespaces/%s/pods", ns);
	int64_t since = it_ms();
	AUTO_JSON struct json_object *pod =
	    kube_await_one(path, "guest", fn, arg, RUN_MS);

	if (!it_took(since, pod != NULL && fn(pod, arg), "%s", what))
		it_say("%s",
		    json_object_to_json_string(js_get(pod, "/status")));
}

static void
apply(const char *manifest)
{
	AUTO_FREE char *file = child_source(manifest);

	kubectl("-n " SECLUDED " apply -f %s", file);
}

static void
seclude(void)
{
	char map[] = "configmap", secret[] = "secret";

	kubectl("create namespace " SECLUDED);
	json_object_put(
	    kube_await_one("/api/v1/namespaces/" SECLUDED "/serviceaccounts",
		"default", NULL, NULL, READY_MS));
	make_guest(SECLUDED);
	guest(SECLUDED, waits_for, map,
	    "a pod where ConfigMaps may not be read says so");
	apply(CONFIGMAPS);
	guest(SECLUDED, waits_for, secret,
	    "where they may, but no Secrets, it says that");
	apply(SECRETS);
	guest(SECLUDED, runs, NULL, "where both may be read it runs");
}

static void
open_and_close(void)
{
	AUTO_JSON struct json_object *node = NULL;
	struct provider *p;

	world_open(&(struct world_conf){ .devices = 1 });
	p = provider_start("provider",
	    (const char *const[]){ "SECRETS=inline", NULL });
	provider_expect(p, "not allowed: (configmaps|secrets) ");
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	make_guest(OPEN);
	guest(OPEN, runs, NULL, "a pod where both may be read runs");
	seclude();
	kubectl("delete --wait=false namespace/" SECLUDED);
	kubectl("-n " OPEN " delete pod/guest configmap/plain secret/hidden");
	it_ok(kube_await_gone("/api/v1/namespaces", SECLUDED, RUN_MS),
	    "both are gone");
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

static void
scenario(void)
{
	open_and_close();
	judge();
}

int
main(void)
{
	return it_run("rights", scenario);
}
