/* SPDX-License-Identifier: ISC */
/*
 * kill_round.c: Owns the pods of a round, and what they must be like.
 */
#include "t/it/kill_round.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/diary.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kill_aim.h"
#include "t/it/kube.h"
#include "t/it/pod.h"

#define NEW "busybox:1.37"

enum {
	PODS = 20,
	CHANGED = 7, /* the first ones get another image */
	REMOVED = 7, /* and each second one goes */
	STEP_MS = 60000,
};

static volatile uint32_t *phase;

static char *
pod_name(unsigned int number, int i)
{
	return xasprintf("r%u-%d", number, i);
}

static int
stays(int i)
{
	return i % 2 != 0 || i >= REMOVED * 2;
}

static int
has_image(struct json_object *pod, int is_new)
{
	const char *image = js_str(pod, "/status/containerStatuses/0/image");

	return *image != '\0' && (strstr(image, NEW) != NULL) == is_new;
}

/* All of the round that are there run what they should, and n are. */
static int
are_right(struct json_object *set, void *n)
{
	struct json_object *pod;
	struct lh_entry *at = NULL;
	const char *name;
	int count = 0, i;

	while (js_next(set, &at, &name, &pod)) {
		i = (int)strtol(strchr(name, '-') + 1, NULL, 10);
		count++;
		if (strcmp(js_str(pod, "/status/phase"), "Running") != 0 ||
		    strcmp(js_condition(pod, "Ready"), "True") != 0 ||
		    !has_image(pod, *phase >= PHASE_UPDATE && i < CHANGED))
			return 0;
	}
	return count == *(int *)n;
}

/* Those that are not, for the reader. */
static void
say_pods(const char *collection, int n)
{
	AUTO_JSON struct json_object *list = kube_get(collection);
	struct json_object *pod;
	size_t i;

	it_say("%zu pods of %d", js_len(list, "/items"), n);
	for (i = 0; (pod = js_item(list, "/items", i)) != NULL; i++)
		it_say("%s %s%s ready %s, %s, %s",
		    js_str(pod, "/metadata/name"), js_str(pod, "/status/phase"),
		    pod_leaves(pod, NULL) ? ", leaving" : "",
		    js_condition(pod, "Ready"),
		    js_str(pod, "/status/containerStatuses/0/image"),
		    js_str(pod, "/status/reason"));
}

static int
await_right(const char *app, int n, const char *what)
{
	AUTO_FREE char *collection =
	    xasprintf("%s?labelSelector=app%%3D%s", KUBE_PODS, app);

	if (kube_await(collection, are_right, &n, STEP_MS))
		return 1;
	say_pods(collection, n);
	return it_ok(0, "%s: not %d pods that run and are as they should be",
	    what, n);
}

static void
create(unsigned int number, const char *app)
{
	int i;

	*phase = PHASE_CREATE;
	for (i = 0; i < PODS; i++) {
		AUTO_FREE char *name = pod_name(number, i);
		AUTO_FREE char *uid =
		    pod_create(name, &(struct pod_conf){ .app = app });

		diary_expect(uid, i < CHANGED ? 2 : 1);
	}
}

static void
update(unsigned int number)
{
	int i;

	*phase = PHASE_UPDATE;
	for (i = 0; i < CHANGED; i++) {
		AUTO_FREE char *name = pod_name(number, i);
		AUTO_FREE char *path = xasprintf("%s/%s", KUBE_PODS, name);

		if (kube_patch(path, "application/strategic-merge-patch+json",
			js_make("{\"spec\":{\"containers\":[{\"name\":\"main\","
				"\"image\":\"" NEW "\"}]}}")) != 200)
			it_die("the image of %s cannot be changed", name);
	}
}

static void delete (unsigned int number, int staying)
{
	int i;

	*phase = PHASE_REMOVE;
	for (i = 0; i < PODS; i++) {
		AUTO_FREE char *name = pod_name(number, i);

		if (stays(i) == staying)
			pod_delete(name);
	}
}

static int
are_bare(struct json_object *set, void *arg)
{
	(void)arg;
	return flight_count(set) == 0 && flight_reported(set) == 0;
}

static int
judge(void)
{
	struct diary_faults f = diary_judge();

	if (f.doubled + f.restarts + f.lost + f.strange == 0)
		return 1;
	return it_ok(0,
	    "pods on two devices: %u, started once too often: %u, never "
	    "started as asked: %u, applications that nobody asked for: %u",
	    f.doubled, f.restarts, f.lost, f.strange);
}

int
kill_round_clear(void)
{
	int clear;

	(void)kube_send("DELETE", KUBE_PODS "?gracePeriodSeconds=0", NULL,
	    NULL);
	clear = flight_await(are_bare, NULL, STEP_MS);
	(void)diary_judge();
	return clear;
}

int
kill_round(unsigned int number, volatile uint32_t *word)
{
	AUTO_FREE char *app = xasprintf("r%u", number);

	phase = word;
	create(number, app);
	if (!await_right(app, PODS, "after creation"))
		return 0;
	update(number);
	if (!await_right(app, PODS, "after the update"))
		return 0;
	delete (number, 0);
	if (!await_right(app, PODS - REMOVED, "after removal"))
		return 0;
	delete (number, 1);
	if (!pods_gone(app, STEP_MS))
		return it_ok(0, "all pods are gone");
	if (!flight_await(are_bare, NULL, STEP_MS))
		return it_ok(0, "no application is left on a device");
	return judge();
}
