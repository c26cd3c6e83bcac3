/* SPDX-License-Identifier: ISC */
/*
 * jobs: Jobs under the real controller: one that ends, one that fails until
 * its backoffLimit, one that takes too long, and those that a CronJob makes,
 * by hand and by the clock.
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

#define BATCH "/apis/batch/v1/namespaces/default"
#define JOBS BATCH "/jobs"
#define TRACKING "batch.kubernetes.io/job-tracking"

enum {
	DEVICES = 2,
	READY_MS = 20000,
	RUN_MS = 30000,
	JUDGED_MS = 60000, /* an end is believed after 10 s, a retry 10 s off */
	MINUTE_MS = 75000,
};

/* --- Jobs and their pods -------------------------------------------------- */

static char *
pods_of(const char *app)
{
	return xasprintf("%s?labelSelector=app%%3D%s", KUBE_PODS, app);
}

/* The members of a Job's spec; caller frees. */
static char *
job_spec(const char *app, const char *more)
{
	const struct pod_conf conf = { .spec = ",\"restartPolicy\":\"Never\"" };
	AUTO_FREE char *template = pod_template(app, &conf);

	return xasprintf("{%s\"template\":{%s}}", more, template);
}

static void
job_create(const char *name, const char *more)
{
	AUTO_FREE char *spec = job_spec(name, more);

	if (kube_send("POST", JOBS,
		js_make("{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\","
			"\"metadata\":{\"name\":\"%s\"},\"spec\":%s}",
		    name, spec),
		NULL) != 201)
		it_die("Job %s is refused", name);
}

/* Applications of pods whose name begins so end this way. */
static void
end_by(const char *app, const char *mode)
{
	free(world_tell(SIM_EDGE, "fail-app * *-default-%s-* %s", app, mode));
}

static int
is_tracked(struct json_object *pod)
{
	struct json_object *o;
	size_t i;

	for (i = 0; (o = js_item(pod, "/metadata/finalizers", i)) != NULL; i++)
		if (strcmp(json_object_get_string(o), TRACKING) == 0)
			return 1;
	return 0;
}

/* Pods in a phase, how many of them the Job controller has not counted yet. */
struct found {
	const char *phase;
	unsigned int n, tracked;
	char *uid; /* of one of them */
};

static struct found
look(const char *app, const char *phase)
{
	AUTO_FREE char *path = pods_of(app);
	AUTO_JSON struct json_object *list = kube_get(path);
	struct found f = { .phase = phase };
	struct json_object *pod;
	size_t i;

	for (i = 0; (pod = js_item(list, "/items", i)) != NULL; i++) {
		if (strcmp(js_str(pod, "/status/phase"), phase) != 0)
			continue;
		f.n++;
		f.tracked += is_tracked(pod);
		free(f.uid);
		f.uid = xstrdup(js_str(pod, "/metadata/uid"));
	}
	return f;
}

struct verdict {
	const char *condition, *reason;
};

static int
is_judged(struct json_object *job, void *arg)
{
	const struct verdict *v = arg;

	return strcmp(js_condition(job, v->condition), "True") == 0 &&
	    (v->reason == NULL ||
		strcmp(js_reason(job, v->condition), v->reason) == 0);
}

/* The Job, the caller's. */
static struct json_object *
judged(const char *name, const struct verdict *v, int64_t since)
{
	struct verdict copy = *v;
	struct json_object *job;

	job = kube_await_one(JOBS, name, is_judged, &copy, JUDGED_MS);
	it_took(since, job != NULL && is_judged(job, &copy), "Job %s is %s: %s",
	    name, v->condition, js_reason(job, v->condition));
	return job;
}

static void
runs(const char *app, int64_t since)
{
	struct found f;

	it_took(since, pods_in_phase(app, "Running", 1, RUN_MS) == 1,
	    "Job %s: its pod is Running", app);
	f = look(app, "Running");
	it_ok(f.tracked == 1, "and has the finalizer " TRACKING);
	free(f.uid);
}

/* --- the scenario --------------------------------------------------------- */

static void
one_ends(void)
{
	AUTO_JSON struct json_object *job = NULL;
	int64_t since = it_ms();
	struct found f;

	job_create("ends", "");
	runs("ends", since);
	since = it_ms();
	end_by("ends", "completed");
	job = judged("ends", &(struct verdict){ "Complete", NULL }, since);
	f = look("ends", "Succeeded");
	it_ok(f.n == 1 && f.tracked == 0 &&
		js_int(job, "/status/succeeded") == 1,
	    "its one pod has Succeeded and is let go");
	free(f.uid);
	kubectl("delete job/ends");
	it_ok(pods_gone("ends", RUN_MS), "deleted with its pod");
}

/* begun: when the Job was made, beside which the others come and go. */
static void
one_fails(int64_t begun)
{
	AUTO_JSON struct json_object *job = NULL;
	struct found f;

	job = judged("fails",
	    &(struct verdict){ "Failed", "BackoffLimitExceeded" }, begun);
	f = look("fails", "Failed");
	it_ok(f.n == 2 && f.tracked == 0 && js_int(job, "/status/failed") == 2,
	    "two pods were tried (%u), and no third one (%lld)", f.n,
	    (long long)js_int(job, "/status/failed"));
	free(f.uid);
	kubectl("delete job/fails");
	it_ok(pods_gone("fails", RUN_MS), "deleted with its pods");
}

/* Its pod is deleted by the controller while it runs, with the finalizer. */
static void
one_is_late(void)
{
	AUTO_JSON struct json_object *job = NULL;
	int64_t since = it_ms();
	struct found f;

	job_create("late", "\"activeDeadlineSeconds\":8,");
	runs("late", since);
	f = look("late", "Running");
	job = judged("late", &(struct verdict){ "Failed", "DeadlineExceeded" },
	    since);
	since = it_ms();
	it_took(since, pods_gone("late", RUN_MS), "its pod is gone");
	it_ok(f.uid != NULL && flight_await_removed(f.uid, RUN_MS),
	    "and is on no device");
	free(f.uid);
	kubectl("delete job/late");
}

static void
cron_create(void)
{
	AUTO_FREE char *spec = job_spec("each", "");

	end_by("each", "completed");
	end_by("hand", "completed");
	if (kube_send("POST", BATCH "/cronjobs",
		js_make("{\"apiVersion\":\"batch/v1\",\"kind\":\"CronJob\","
			"\"metadata\":{\"name\":\"each\"},\"spec\":{"
			"\"schedule\":\"* * * * *\",\"concurrencyPolicy\":"
			"\"Forbid\",\"jobTemplate\":{\"spec\":%s}}}",
		    spec),
		NULL) != 201)
		it_die("the CronJob is refused");
}

static void
one_by_hand(void)
{
	int64_t since = it_ms();

	kubectl("create job hand --from=cronjob/each");
	json_object_put(
	    judged("hand", &(struct verdict){ "Complete", NULL }, since));
}

static int
is_done(struct json_object *jobs, void *arg)
{
	struct verdict v = { "Complete", NULL };
	struct json_object *job;
	struct lh_entry *at = NULL;
	const char *name;

	(void)arg;
	while (js_next(jobs, &at, &name, &job))
		if (strncmp(name, "each-", 5) == 0 && is_judged(job, &v))
			return 1;
	return 0;
}

/* begun: when the CronJob was made. */
static void
one_by_clock(int64_t begun)
{
	it_took(begun, kube_await(JOBS, is_done, NULL, MINUTE_MS),
	    "the minute is full: the CronJob's own Job is Complete");
	kubectl("delete cronjob/each");
	it_ok(pods_gone("each", RUN_MS), "all its pods go with it");
}

static void
scenario(void)
{
	static const char *const settings[] = { "STATUS_POLL_INTERVAL=1s",
		NULL };
	AUTO_JSON struct json_object *node = NULL, *set = NULL;
	struct provider *p;
	int64_t begun;

	world_open(&(struct world_conf){ .devices = DEVICES });
	p = provider_start("provider", settings);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	begun = it_ms();
	cron_create();
	end_by("fails", "error");
	job_create("fails", "\"backoffLimit\":1,");
	one_is_late();
	one_by_hand();
	one_ends();
	one_fails(begun);
	one_by_clock(begun);
	set = flight_devices();
	it_ok(flight_count(set) == 0, "no device has any of them (%zu)",
	    flight_count(set));
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("jobs", scenario);
}
