/* SPDX-License-Identifier: ISC */
/*
 * rights: what the provider asked of the real apiserver in all scenarios, held
 * against deploy/kubernetes, both ways: a call that no rule there grants, and a
 * rule that no call needed.  Before that a scenario of its own: ConfigMaps and
 * Secrets in a namespace where they may be read, and where not yet.
 *	IT_WHOLE=1	all others have run: all rights have been needed by now
 */
#include <errno.h>
#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/why.h"
#include "common/xmem.h"
#include "t/it/asked.h"
#include "t/it/child.h"
#include "t/it/flight.h"
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
#define OPEN "default"
#define SECLUDED "secluded"

enum {
	READY_MS = 20000,
	TRIES_MAX = 20,
	RUN_MS = 60000, /* it asks again at a growing distance */
};

static struct rights granted;
static struct asked asked;

/* --- the judgement -------------------------------------------------------- */

static void
read_log(const char *path)
{
	FILE *f = fopen(path, "re");
	AUTO_FREE char *line = NULL;
	size_t size = 0;

	if (f == NULL)
		it_die("%s: %s", path, strerror(errno));
	while (getline(&line, &size, f) != -1)
		asked_line(&asked, line);
	(void)fclose(f);
}

/* This apiserver's, and those of sessions that have ended (t/real/lanes). */
static void
read_logs(void)
{
	const char *own = getenv("KUBE_AUDIT"), *others = getenv("KUBE_AUDITS");
	AUTO_FREE char *paths = NULL;
	char *rest, *path;

	if (own == NULL)
		it_die("there is no KUBE_AUDIT");
	read_log(own);
	rest = paths = xstrdup(others != NULL ? others : "");
	while ((path = strsep(&rest, ":")) != NULL)
		if (*path != '\0')
			read_log(path);
}

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

	for (i = 0; i < granted.n; i++) {
		AUTO_FREE char *text = rbac_text(&granted.v[i]);

		if (asked.uses[i].allowed == 0) {
			it_say("not needed: %s", text);
			unused++;
		}
	}
	if (getenv("IT_WHOLE") == NULL)
		it_skip(
		    "%zu of %zu rights are not judged: they were not needed "
		    "yet, but not all scenarios ran (IT_WHOLE)",
		    unused, granted.n);
	else
		it_ok(unused == 0, "each of the %zu rights is needed",
		    granted.n);
}

static void
read_manifest(const char *path, const char *ns)
{
	AUTO_FREE char *file = child_source(path);
	struct why why;

	if (rbac_read(&granted, file, ns, &why) == -1)
		it_die("%s", why.text);
}

/* Every account may ask about itself (system:basic-user): --check does. */
static void
add_everybodys(void)
{
	rbac_add(&granted,
	    (struct right){ "authorization.k8s.io", "selfsubjectaccessreviews",
		"", "", "create" });
	rbac_add(&granted,
	    (struct right){ "authentication.k8s.io", "selfsubjectreviews", "",
		"", "create" });
}

static void
judge(void)
{
	read_manifest(RBAC, "");
	read_manifest(CONFIGMAPS, OPEN);
	read_manifest(SECRETS, OPEN);
	read_manifest(CONFIGMAPS, SECLUDED);
	read_manifest(SECRETS, SECLUDED);
	add_everybodys();
	asked_begin(&asked, &granted);
	read_logs();
	it_ok(asked.cut < asked.lives && asked.lives > 0,
	    "all can be read: %zu calls in %zu lives of the apiserver, "
	    "%zu lines cut",
	    asked.calls, asked.lives, asked.cut);
	none_of(asked.foreign, "no call but what the manifest grants");
	none_of(asked.refused, "and no such call was refused");
	it_say("%zu calls came before the apiserver had the right",
	    asked.early);
	all_are_used();
}

/* --- a namespace of its own ----------------------------------------------- */

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

/* Another writer takes all applications out of the one device's spec. */
static void
erase(void)
{
	AUTO_JSON struct json_object *set = flight_devices();
	struct json_object *device;
	struct lh_entry *at = NULL;
	AUTO_FREE char *path = NULL;
	const char *name;
	long status = 409;
	int tries;

	if (!js_next(set, &at, &name, &device))
		it_die("there is no device");
	path = xasprintf("/api/v1/devices/%s", name);
	for (tries = 0; tries < TRIES_MAX && status == 409; tries++) {
		device = flight_device(name);
		json_object_object_del(device, "status");
		json_object_object_add(js_get(device, "/spec"), "applications",
		    json_object_new_array());
		status = flight_send("PUT", path, device, NULL);
	}
	it_ok(status == 200, "another writer takes it away from the device");
}

static int
is_held(struct json_object *set, void *uid)
{
	return flight_holder(set, uid, NULL) != NULL;
}

/*
 * No copy is kept of what holds a Secret: to be written again it is made
 * again, of the pod and all that it names.
 */
static void
write_again(void)
{
	AUTO_JSON struct json_object *pod = kube_get(KUBE_PODS "/guest");
	AUTO_FREE char *uid = xstrdup(js_str(pod, "/metadata/uid"));
	int64_t since;

	erase();
	since = it_ms();
	it_took(since, flight_await(is_held, uid, RUN_MS),
	    "and it is put back");
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
	provider_expect(p, "not allowed.*\"(configmaps|secrets) ");
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	make_guest(OPEN);
	guest(OPEN, runs, NULL, "a pod where both may be read runs");
	write_again();
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
