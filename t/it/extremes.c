/* SPDX-License-Identifier: ISC */
/*
 * extremes: pods as large and as odd as an apiserver admits them: the longest
 * names, 250 KiB of annotations, owners in a circle.  Each runs, is told of in
 * Events, and goes again when it is deleted.
 */
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	READY_MS = 20000,
	RUN_MS = 30000,
	END_MS = 30000,
	ACCOUNT_MS = 30000,
	NAME_BYTES = 253,
	LABEL_BYTES = 63,
	NOTES = 250, /* of 1 KiB each; 256 KiB are the most */
	NOTE_BYTES = 1000,
	EVENTS_MIN = 2, /* Placed, Started */
};

#define MERGE "application/merge-patch+json"

static char *
repeated(char c, size_t n)
{
	char *text = xcalloc(1, n + 1);

	memset(text, c, n);
	return text;
}

/* Takes annotations (NULL: none); its UID, the caller's. */
static char *
create(const char *ns, const char *name, struct json_object *annotations)
{
	AUTO_FREE char *path = xasprintf("/api/v1/namespaces/%s/pods", ns);
	AUTO_FREE char *members =
	    pod_template(name, &(struct pod_conf){ .app = "odd" });
	AUTO_JSON struct json_object *answer = NULL;
	struct json_object *pod = js_make("{%s}", members);
	long status;

	if (annotations != NULL)
		json_object_object_add(js_get(pod, "/metadata"), "annotations",
		    annotations);
	status = kube_send("POST", path, pod, &answer);
	if (status != 201)
		it_die("%s is refused: %ld %s", name, status,
		    js_str(answer, "/message"));
	return xstrdup(js_str(answer, "/metadata/uid"));
}

/* Events of ours about it, in its namespace. */
static size_t
events(const char *ns, const char *uid)
{
	AUTO_FREE char *path = xasprintf("/api/v1/namespaces/%s/events", ns);
	AUTO_JSON struct json_object *list = kube_get(path);
	struct json_object *e;
	size_t i, n = 0;

	for (i = 0; (e = js_item(list, "/items", i)) != NULL; i++)
		n += strcmp(js_str(e, "/involvedObject/uid"), uid) == 0 &&
		    strcmp(js_str(e, "/source/component"),
			"vk-flightctl-provider") == 0;
	return n;
}

/* Runs, on one device, and somebody is told. */
static void
lives(const char *what, const char *ns, const char *name, const char *uid)
{
	AUTO_FREE char *pods = xasprintf("/api/v1/namespaces/%s/pods", ns);
	AUTO_JSON struct json_object *pod = NULL, *set = NULL;
	int64_t since = it_ms();
	size_t n = 0;

	pod = kube_await_one(pods, name, pod_is_ready, NULL, RUN_MS);
	it_took(since, pod != NULL && pod_is_ready(pod, NULL), "%s: Ready",
	    what);
	set = flight_devices();
	it_ok(flight_holder(set, uid, &n) != NULL && n == 1,
	    "%s: on one device", what);
	n = events(ns, uid);
	it_ok(n >= EVENTS_MIN, "%s: %zu Events", what, n);
}

static void
ends(const char *what, const char *ns, const char *name, const char *uid)
{
	AUTO_FREE char *pods = xasprintf("/api/v1/namespaces/%s/pods", ns);
	AUTO_FREE char *path = xasprintf("%s/%s", pods, name);
	long status = kube_send("DELETE", path, NULL, NULL);

	it_ok((status == 200 || status == 202) &&
		kube_await_gone(pods, name, END_MS) &&
		flight_await_removed(uid, END_MS),
	    "%s: gone when it is deleted", what);
}

static void
long_names(void)
{
	static const char what[] = "longest names";
	AUTO_FREE char *ns = repeated('n', LABEL_BYTES);
	AUTO_FREE char *name = repeated('p', NAME_BYTES);
	AUTO_FREE char *accounts =
	    xasprintf("/api/v1/namespaces/%s/serviceaccounts", ns);
	AUTO_FREE char *space = xasprintf("/api/v1/namespaces/%s", ns);
	AUTO_JSON struct json_object *account = NULL;
	AUTO_FREE char *uid = NULL;

	if (kube_send("POST", "/api/v1/namespaces",
		js_make("{\"metadata\":{\"name\":\"%s\"}}", ns), NULL) != 201)
		it_die("no namespace can be made");
	/* Without it pods are refused there, where there are controllers. */
	if (world_kind() != WORLD_SIM)
		account =
		    kube_await_one(accounts, "default", NULL, NULL, ACCOUNT_MS);
	uid = create(ns, name, NULL);
	lives(what, ns, name, uid);
	ends(what, ns, name, uid);
	kube_send("DELETE", space, NULL, NULL);
}

static void
many_annotations(void)
{
	static const char what[] = "250 KiB of annotations";
	struct json_object *notes = json_object_new_object();
	AUTO_FREE char *text = repeated('"', NOTE_BYTES);
	AUTO_FREE char *uid = NULL;
	int i;

	for (i = 0; i < NOTES; i++) {
		AUTO_FREE char *key = xasprintf("example.com/note-%03d", i);

		json_object_object_add(notes, key,
		    json_object_new_string(text));
	}
	uid = create("default", "annotated", notes);
	lives(what, "default", "annotated", uid);
	ends(what, "default", "annotated", uid);
}

static void
own(const char *pod, const char *owner, const char *uid)
{
	AUTO_FREE char *path = xasprintf("%s/%s", KUBE_PODS, pod);

	if (kube_patch(path, MERGE,
		js_make("{\"metadata\":{\"ownerReferences\":[{\"apiVersion\":"
			"\"v1\",\"kind\":\"Pod\",\"name\":\"%s\",\"uid\":"
			"\"%s\",\"controller\":true,"
			"\"blockOwnerDeletion\":true}]}}",
		    owner, uid)) != 200)
		it_die("%s cannot be owned by %s", pod, owner);
}

/* Each controls the other, and a third one itself. */
static void
circles(void)
{
	AUTO_FREE char *hen = create("default", "hen", NULL);
	AUTO_FREE char *egg = create("default", "egg", NULL);
	AUTO_FREE char *self = create("default", "self", NULL);

	own("hen", "egg", egg);
	own("egg", "hen", hen);
	own("self", "self", self);
	lives("a circle of owners", "default", "hen", hen);
	lives("a circle of owners", "default", "egg", egg);
	lives("its own owner", "default", "self", self);
	ends("its own owner", "default", "self", self);
	/* Where there is a garbage collector, the other one goes along. */
	ends("a circle of owners", "default", "hen", hen);
	if (world_kind() == WORLD_SIM)
		pod_delete("egg");
	it_ok(kube_await_gone(KUBE_PODS, "egg", END_MS) &&
		flight_await_removed(egg, END_MS),
	    "and the other one is gone");
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL;
	struct provider *p;

	world_open(&(struct world_conf){ .devices = 2 });
	p = provider_start("provider", NULL);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	long_names();
	many_annotations();
	circles();
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("extremes", scenario);
}
