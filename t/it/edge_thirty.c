/* SPDX-License-Identifier: ISC */
/*
 * edge_thirty: thirty pods on one real device, four of them trouble: a bad
 * image, one that crashes, one that ignores TERM, one whose init container
 * fails.  The other 26 run and are not touched, the four tell the truth.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/edge.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/kubectl.h"

#define GOOD "t/edge/pods/good.yaml"
#define FOUR "t/edge/pods/four.yaml"
#define WAITING "/status/containerStatuses/0/state/waiting/reason"
#define MESSAGE "/status/containerStatuses/0/state/waiting/message"

enum {
	FIRST = 13,
	ALL = 26,
	RUN_MS = 120000,
	TRUTH_MS = 240000, /* halves of thirteen, with a pull that fails */
	GONE_MS = 60000,
};

/* --- the good ones ------------------------------------------------------- */

static int
are_ready(struct json_object *set, void *arg)
{
	unsigned int *n = arg, seen = 0;
	struct lh_entry *at = NULL;
	struct json_object *pod;

	while (js_next(set, &at, NULL, &pod))
		seen += strcmp(js_condition(pod, "Ready"), "True") == 0;
	return seen >= *n;
}

static void
await_good(unsigned int n, int64_t since)
{
	int ok = kube_await(KUBE_PODS "?labelSelector=app%3Dgood", are_ready,
	    &n, RUN_MS);

	it_took(since, ok, "%u good pods are Ready", n);
}

/* Name and start of each container that runs, sorted. */
static char *
starts(const char *pods)
{
	return edge_sh(
	    "podman ps -q --filter name=%s | xargs -r podman inspect --format "
	    "'{{.Name}} {{.State.StartedAt}} {{.RestartCount}}' | "
	    "sort",
	    pods);
}

/* Every line of before is in after. */
static unsigned int
touched(const char *before, const char *after)
{
	AUTO_FREE char *copy = xstrdup(before);
	char *rest = copy, *line;
	unsigned int n = 0;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (strstr(after, line) == NULL) {
			it_say("changed: %s", line);
			n++;
		}
	return n;
}

/* --- the four ------------------------------------------------------------ */

static int
is_one_of(const char *word, const char *const list[])
{
	for (; *list != NULL; list++)
		if (strcmp(word, *list) == 0)
			return 1;
	return 0;
}

static int
lacks_image(struct json_object *pod)
{
	static const char *const reasons[] = { "ErrImagePull",
		"ImagePullBackOff", NULL };

	return strcmp(js_str(pod, "/status/phase"), "Pending") == 0 &&
	    is_one_of(js_str(pod, WAITING), reasons);
}

static int
crashes(struct json_object *pod)
{
	return strcmp(js_str(pod, WAITING), "CrashLoopBackOff") == 0 &&
	    strcmp(js_condition(pod, "Ready"), "True") != 0;
}

static int
runs(struct json_object *pod)
{
	return strcmp(js_str(pod, "/status/phase"), "Running") == 0 &&
	    strcmp(js_condition(pod, "Ready"), "True") == 0;
}

static int
fails_to_begin(struct json_object *pod)
{
	return strcmp(js_str(pod, "/status/phase"), "Pending") == 0 &&
	    strcmp(js_condition(pod, "Initialized"), "False") == 0 &&
	    strcmp(js_str(pod,
		       "/status/initContainerStatuses/0/state/waiting/reason"),
		"CrashLoopBackOff") == 0;
}

struct trouble {
	const char *name, *truth;
	int (*is_told)(struct json_object *);
};

static const struct trouble troubles[] = {
	{ "stubborn", "runs", runs },
	{ "crashing", "is in CrashLoopBackOff", crashes },
	{ "bad-init", "waits for its init container, which crashes",
	    fails_to_begin },
	{ "bad-image", "waits for its image, which cannot be had",
	    lacks_image },
};

static int
tells(struct json_object *pod, void *arg)
{
	const struct trouble *t = arg;

	return t->is_told(pod);
}

static void
await_truth(int64_t since)
{
	size_t i;

	for (i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
		struct trouble t = troubles[i];
		AUTO_JSON struct json_object *pod =
		    kube_await_one(KUBE_PODS, t.name, tells, &t, TRUTH_MS);

		if (!it_took(since, pod != NULL && tells(pod, &t), "%s %s",
			t.name, t.truth))
			it_say("%s",
			    json_object_to_json_string(js_get(pod, "/status")));
		else
			it_say("%s", js_str(pod, MESSAGE));
	}
}

/* And while it is tried again. */
static void
mend(void)
{
	int64_t since = it_ms();
	struct trouble t = { "bad-image", "runs", runs };
	struct json_object *pod;

	kubectl("set image pod/bad-image main=busybox:latest");
	pod = kube_await_one(KUBE_PODS, t.name, tells, &t, RUN_MS);
	it_took(since, pod != NULL && runs(pod),
	    "with another image it runs after all");
	json_object_put(pod);
}

static void
end(const char *good, const char *four)
{
	int64_t since = it_ms();

	kubectl("delete --wait=false pod/stubborn");
	it_took(since, kube_await_gone(KUBE_PODS, "stubborn", GONE_MS),
	    "the one that ignores TERM is gone");
	kubectl("delete --wait=false --ignore-not-found -f %s -f %s", good,
	    four);
}

static void
scenario(void)
{
	AUTO_FREE char *good = child_source(GOOD), *four = child_source(FOUR);
	AUTO_FREE char *first = NULL, *all = NULL, *now = NULL;
	struct provider *p = edge_open(NULL);
	int64_t since = it_ms();

	if (p == NULL)
		return;
	kubectl("apply -f %s", good);
	await_good(FIRST, since);
	first = starts("good");
	since = it_ms();
	kubectl("scale deployment/good --replicas=%d", ALL);
	kubectl("apply -f %s", four);
	await_good(ALL, since);
	all = starts("good");
	it_ok(touched(first, all) == 0, "the first %d are not touched", FIRST);
	await_truth(since);
	mend();
	now = starts("good");
	it_ok(touched(all, now) == 0, "all %d are not touched", ALL);
	end(good, four);
	edge_close(p);
}

int
main(void)
{
	return it_run("edge-thirty", scenario);
}
