/* SPDX-License-Identifier: ISC */
/*
 * controllers: Deployments and a StatefulSet under the real controllers and
 * the real scheduler.  A rolling update that may lose nobody, the way back
 * from an image that no device can have, one by one up and down, and sizes
 * that change faster than they are reached.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/kubectl.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

#define WEB KUBE_PODS "?labelSelector=app%3Dweb"
#define SHOP KUBE_PODS "?labelSelector=app%3Dshop"
#define OLD "busybox:1.36"
#define NEW "busybox:1.37"
#define NONE "registry.test/none:1"

enum {
	DEVICES = 4,
	REPLICAS = 3,
	MANY = 30,
	APPLY_MS = 800, /* so that the old and the new could meet */
	READY_MS = 20000,
	RUN_MS = 30000,
	MANY_MS = 60000,
};

static int
is_leaving(struct json_object *pod)
{
	return *js_str(pod, "/metadata/deletionTimestamp") != '\0';
}

static int
is_ready(struct json_object *pod)
{
	return !is_leaving(pod) &&
	    strcmp(js_condition(pod, "Ready"), "True") == 0;
}

/* --- what all of them are asked ------------------------------------------- */

struct size {
	const char *image;   /* NULL: any */
	unsigned int n;	     /* so many, all of them Ready, and no other */
	unsigned int fewest; /* Ready at one time; first what there are */
};

static int
has_size(struct json_object *set, void *arg)
{
	struct size *s = arg;
	struct lh_entry *at = NULL;
	struct json_object *pod;
	unsigned int all = 0, ready = 0, meant = 0;

	while (js_next(set, &at, NULL, &pod)) {
		all++;
		if (!is_ready(pod))
			continue;
		ready++;
		meant += s->image == NULL ||
		    strcmp(js_str(pod, "/spec/containers/0/image"), s->image) ==
			0;
	}
	if (ready < s->fewest)
		s->fewest = ready;
	return all == s->n && meant == s->n;
}

/*
 * Each of the pods is on one device, which runs it, and nothing else is: who
 * is gone from the API is gone from its device.
 */
static void
on_devices(const char *path, unsigned int n)
{
	AUTO_JSON struct json_object *set = flight_devices(), *pods = NULL;
	struct json_object *pod, *device;
	unsigned int ran = 0;
	size_t i, held;

	pods = kube_get(path);
	for (i = 0; (pod = js_item(pods, "/items", i)) != NULL; i++) {
		device =
		    flight_holder(set, js_str(pod, "/metadata/uid"), &held);
		ran += held == 1 &&
		    flight_reports(device, js_str(pod, "/metadata/uid"));
	}
	it_ok(ran == n && flight_count(set) == n && flight_reported(set) == n,
	    "%u of %u run, each on one device, which have %zu and report %zu",
	    ran, n, flight_count(set), flight_reported(set));
}

static void
patch(const char *path, const char *body)
{
	if (kube_patch(path, "application/strategic-merge-patch+json",
		js_make("%s", body)) != 200)
		it_die("%s cannot be changed", path);
}

/* --- K2: a rolling update ------------------------------------------------- */

static void
roll_out(void)
{
	struct size s = { .image = OLD, .n = REPLICAS };
	int64_t since = it_ms();

	pod_deployment("web", REPLICAS, &(struct pod_conf){ .image = OLD });
	patch(KUBE_DEPLOYMENTS "/web",
	    "{\"spec\":{\"progressDeadlineSeconds\":8,\"strategy\":"
	    "{\"rollingUpdate\":{\"maxUnavailable\":0,\"maxSurge\":1}}}}");
	if (!it_took(since, kube_await(WEB, has_size, &s, RUN_MS),
		"%d replicas are Ready", REPLICAS))
		it_die("without them nothing can be updated");
	since = it_ms();
	s = (struct size){ NEW, REPLICAS, REPLICAS };
	kubectl("set image deployment/web main=" NEW);
	it_took(since, kube_await(WEB, has_size, &s, RUN_MS),
	    "all run the new image, the old ones are gone");
	it_ok(s.fewest == REPLICAS, "never were fewer than %d Ready (%u)",
	    REPLICAS, s.fewest);
	on_devices(WEB, REPLICAS);
}

/* --- K3: and back --------------------------------------------------------- */

struct seen {
	struct json_object *before; /* the pods of a list, by name */
	unsigned int fewest;
	char *uid; /* of the one that waits for its image */
};

/* "UID": of all pods that were Ready at a time. */
static struct json_object *
list_of(const char *path)
{
	AUTO_JSON struct json_object *list = kube_get(path);
	struct json_object *uids = json_object_new_object(), *pod;
	size_t i;

	for (i = 0; (pod = js_item(list, "/items", i)) != NULL; i++)
		json_object_object_add(uids, js_str(pod, "/metadata/uid"),
		    NULL);
	return uids;
}

/* Those from before that are Ready; the other one's UID is taken. */
static int
is_refused(struct json_object *set, void *arg)
{
	struct seen *s = arg;
	struct lh_entry *at = NULL;
	struct json_object *pod;
	unsigned int ready = 0;
	int refused = 0;

	while (js_next(set, &at, NULL, &pod)) {
		const char *uid = js_str(pod, "/metadata/uid");

		if (json_object_object_get_ex(s->before, uid, NULL)) {
			ready += is_ready(pod);
			continue;
		}
		free(s->uid);
		s->uid = xstrdup(uid);
		refused = strcmp(js_str(pod,
				     "/status/containerStatuses/0/state/"
				     "waiting/reason"),
			      "ImagePullBackOff") == 0;
	}
	if (ready < s->fewest)
		s->fewest = ready;
	return refused;
}

static int
is_stuck(struct json_object *deployment, void *arg)
{
	(void)arg;
	return strcmp(js_reason(deployment, "Progressing"),
		   "ProgressDeadlineExceeded") == 0;
}

static void
roll_back(void)
{
	AUTO_JSON struct json_object *d = NULL, *after = NULL;
	struct seen s = { list_of(WEB), REPLICAS, NULL };
	struct size z = { NEW, REPLICAS, REPLICAS };
	int64_t since = it_ms();

	free(world_tell(SIM_EDGE, "fail-app * *none:1* rollback"));
	kubectl("set image deployment/web main=" NONE);
	it_took(since, kube_await(WEB, is_refused, &s, RUN_MS),
	    "an image that no device can have: its pod waits for it");
	d = kube_await_one(KUBE_DEPLOYMENTS, "web", is_stuck, NULL, RUN_MS);
	it_took(since, d != NULL && is_stuck(d, NULL),
	    "the Deployment makes no progress, and says so");
	since = it_ms();
	kubectl("rollout undo deployment/web");
	it_took(since, kube_await(WEB, has_size, &z, RUN_MS),
	    "undone: the pod without an image is gone");
	it_ok(s.fewest == REPLICAS && z.fewest == REPLICAS,
	    "never were fewer than %d Ready (%u, %u)", REPLICAS, s.fewest,
	    z.fewest);
	after = list_of(WEB);
	it_ok(json_object_equal(s.before, after), "it is the same pods: %s",
	    json_object_to_json_string(after));
	it_ok(s.uid != NULL && flight_await_removed(s.uid, RUN_MS),
	    "the refused one is on no device");
	on_devices(WEB, REPLICAS);
	json_object_put(s.before);
	free(s.uid);
}

/* --- K11: sizes that change before they are reached ----------------------- */

static void
scale(int replicas)
{
	AUTO_FREE char *body =
	    xasprintf("{\"spec\":{\"replicas\":%d}}", replicas);

	patch(KUBE_DEPLOYMENTS "/web", body);
}

static void
become(unsigned int n)
{
	struct size s = { NULL, n, n };
	int64_t since = it_ms();

	scale((int)n);
	it_took(since, kube_await(WEB, has_size, &s, MANY_MS),
	    "%u replicas, all Ready, and no other pod", n);
	on_devices(WEB, n);
}

static void
scale_up_and_down(void)
{
	AUTO_JSON struct json_object *set = NULL;

	become(MANY);
	scale(REPLICAS); /* 27 are to go ... */
	become(MANY);	 /* ... and as many to come, at one time */
	scale(MANY / 2);
	become(REPLICAS);
	set = flight_devices();
	it_ok(flight_restarts(set) == 0, "no container was ever restarted");
}

/* --- K4: a StatefulSet ---------------------------------------------------- */

enum way {
	UP,
	DOWN,
};

struct order {
	enum way way;
	unsigned int broken; /* times that somebody came or went too early */
};

static struct json_object *
shop(struct json_object *set, unsigned int i)
{
	AUTO_FREE char *name = xasprintf("shop-%u", i);

	return json_object_object_get(set, name);
}

/* Up: none is there before the one below is Ready; down: none goes before. */
static int
is_in_order(struct json_object *set, void *arg)
{
	struct order *o = arg;
	struct json_object *pod, *below;
	unsigned int i, ready = 0;

	for (i = 0; i < REPLICAS; i++) {
		pod = shop(set, i);
		below = i == 0 ? NULL : shop(set, i - 1);
		ready += pod != NULL && is_ready(pod);
		if (i == 0 || pod == NULL)
			continue;
		o->broken +=
		    o->way == UP ? !is_ready(below) : is_leaving(below);
	}
	return o->way == UP ? ready == REPLICAS :
			      json_object_object_length(set) == 0;
}

/* Who bears the name shop-1 on the devices, in specs and in reports. */
struct bearers {
	const char *old; /* UID */
	struct json_object *names;
	unsigned int next; /* the old one's follower runs */
	unsigned int most;
};

static void
add_bearers(struct bearers *b, struct json_object *apps)
{
	struct json_object *app;
	const char *name, *uid;
	size_t i;

	for (i = 0; (app = js_item(apps, "", i)) != NULL; i++) {
		name = js_str(app, "/name");
		if (strstr(name, "-default-shop-1-") == NULL)
			continue;
		json_object_object_add(b->names, name, NULL);
		uid = strrchr(name, '-') + 1;
		b->next += strncmp(b->old, uid, strlen(uid)) != 0 &&
		    strcmp(js_str(app, "/status"), "Running") == 0;
	}
}

static int
is_followed(struct json_object *set, void *arg)
{
	struct bearers *b = arg;
	struct json_object *device;
	struct lh_entry *at = NULL;
	unsigned int n;

	b->names = json_object_new_object();
	b->next = 0;
	while (js_next(set, &at, NULL, &device)) {
		add_bearers(b, js_get(device, "/spec/applications"));
		add_bearers(b, js_get(device, "/status/applications"));
	}
	n = (unsigned int)json_object_object_length(b->names);
	if (n > b->most)
		b->most = n;
	json_object_put(b->names);
	return b->next == 1;
}

static void
replace_one(void)
{
	AUTO_JSON struct json_object *pod = kube_get(KUBE_PODS "/shop-1");
	struct bearers b = { .old = js_str(pod, "/metadata/uid") };
	struct order o = { UP, 0 };
	int64_t since = it_ms();

	pod_delete("shop-1");
	it_took(since, flight_await(is_followed, &b, RUN_MS),
	    "shop-1 is deleted: another one has its name");
	it_ok(b.most == 1, "never did two of them have a device (%u)", b.most);
	it_ok(kube_await(SHOP, is_in_order, &o, RUN_MS), "all are Ready again");
	on_devices(SHOP, REPLICAS);
}

static void
go_in_order(void)
{
	struct order up = { UP, 0 }, down = { DOWN, 0 };
	int64_t since = it_ms();

	pod_statefulset("shop", REPLICAS, NULL);
	it_took(since, kube_await(SHOP, is_in_order, &up, RUN_MS),
	    "a StatefulSet of %d is Ready", REPLICAS);
	it_ok(up.broken == 0, "each waited for the one before (%u)", up.broken);
	on_devices(SHOP, REPLICAS);
	replace_one();
	since = it_ms();
	patch(KUBE_STATEFULSETS "/shop", "{\"spec\":{\"replicas\":0}}");
	it_took(since, kube_await(SHOP, is_in_order, &down, RUN_MS),
	    "and it is gone");
	it_ok(down.broken == 0, "each waited for the one behind (%u)",
	    down.broken);
	kubectl("delete statefulset/shop");
}

/* -------------------------------------------------------------------------- */

static void
scenario(void)
{
	static const char *const settings[] = { "STATUS_POLL_INTERVAL=1s",
		NULL };
	AUTO_JSON struct json_object *node = NULL;
	struct provider *p;

	world_open(
	    &(struct world_conf){ .devices = DEVICES, .apply_ms = APPLY_MS });
	p = provider_start("provider", settings);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	roll_out();
	roll_back();
	scale_up_and_down();
	kubectl("delete deployment/web");
	it_ok(pods_gone("web", RUN_MS), "all are gone");
	go_in_order();
	on_devices(KUBE_PODS, 0);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("controllers", scenario);
}
