/* SPDX-License-Identifier: ISC */
/*
 * captured: each worker in turn is another program (captive.c) that does with
 * its links whatever they take.  The other processes are the real ones: none
 * of them ends or hangs, what reaches the two servers is what a table allows,
 * others' devices, pods and Secrets are as they were, and when the real worker
 * is back, so is all the rest.
 *	NIGHTLY=1	every frame that must be refused, not one of each
 */
#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/mark.h"
#include "common/xmem.h"
#include "t/it/bend.h"
#include "t/it/captive.h"
#include "t/it/captured_never.h"
#include "t/it/captured_others.h"
#include "t/it/child.h"
#include "t/it/flight.h"
#include "t/it/http.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/reqlog.h"
#include "t/it/world.h"

enum {
	DEVICES = 4, /* captured-2 is of another fleet */
	READY_MS = 20000,
	RUN_MS = 20000,
	ORDER_MS = 60000,
	LINK_MS = 5000,
	REFUSED = 90, /* frames of bend_refused() */
	STEP = 40,    /* by day one, by each of the workers another */
};

#define IMAGE "docker.io/library/busybox:latest"
#define WORKERS 3

static const char *const workers[WORKERS] = { "placer", "kubeside",
	"flightside" };

static struct {
	char *dir; /* the programs; orders, lore */
	struct provider *provider;
	unsigned int orders;
	size_t played; /* captives until now */
} t;

/* -- what may reach the servers ------------------------------------------- */

#define NS "/api/v1/namespaces/"
#define LEASES "/apis/coordination.k8s.io/v1/namespaces/vk-flightctl/leases"
#define NODE_LEASES \
	"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
#define OURS "(bait|second|after-[a-z]+)"

/* METHOD TARGET, whoever of the three is captured. */
static const char *const kube_may[] = {
#define KUBE_MAY
#include "t/it/captured_may.def"
#undef KUBE_MAY
	NULL,
};

#define API "/api/v1/"

static const char *const flight_may[] = {
#include "t/it/captured_may.def"
	NULL,
};

/* -- orders ---------------------------------------------------------------- */

static char *
beside(const char *name)
{
	return xasprintf("%s/%s", t.dir, name);
}

static void
give(const char *how, size_t arg)
{
	AUTO_FREE char *path = beside("orders"), *new = beside("orders.new");
	AUTO_FREE char *text = xasprintf("%u %s %zu\n", ++t.orders, how, arg);

	it_write(new, text);
	if (chmod(new, 0644) == -1 || rename(new, path) == -1)
		it_die("%s: cannot be renamed", new);
}

static int
order(const char *how, size_t arg)
{
	AUTO_FREE char *regex = NULL;

	give(how, arg);
	regex = xasprintf("captive %u %s", t.orders, how);
	return provider_await_lines(t.provider, regex, 1, ORDER_MS) > 0;
}

static void
copy(const char *from, const char *name)
{
	AUTO_FREE char *to = beside(name), *new = xasprintf("%s.new", to);

	if (child_run((const char *[]){ "cp", from, new, NULL }, NULL) != 0 ||
	    chmod(new, 0755) == -1 || rename(new, to) == -1)
		it_die("%s: cannot be copied to %s", from, to);
}

/* Times that the worker was ready until now. */
static size_t
count_ready(const char *worker)
{
	AUTO_FREE char *ready = xasprintf("\"msg\":\"%s is ready", worker);

	return provider_lines(t.provider, ready);
}

static int
await_ready(const char *worker, size_t n)
{
	AUTO_FREE char *ready = xasprintf("\"msg\":\"%s is ready", worker);

	return provider_await_lines(t.provider, ready, n, READY_MS) >= n;
}

/* The program of that worker, which is ready, is another one from now on. */
static void
replace(const char *worker, const char *program)
{
	size_t n = count_ready(worker);
	pid_t pid = provider_worker(t.provider, worker);

	copy(program, worker);
	if (pid > 0)
		kill(pid, SIGKILL);
	it_ok(pid > 0 && await_ready(worker, n + 1), "%s is ready again",
	    worker);
}

/* -- what the captive knows ------------------------------------------------ */

static char *lore;

static void
lore_add(const char *name, const char *value)
{
	AUTO_FREE char *old = lore;

	lore = xasprintf("%s%s=%s\n", old != NULL ? old : "", name, value);
}

static void
lore_object(const char *name, struct json_object *j)
{
	lore_add(name,
	    json_object_to_json_string_ext(j, JSON_C_TO_STRING_PLAIN));
}

static void
lore_pod(const char *prefix, struct json_object *pod)
{
	static const char *const parts[][2] = { { "NODE", "/spec/nodeName" },
		{ "NS", "/metadata/namespace" }, { "POD", "/metadata/name" },
		{ "UID", "/metadata/uid" } };
	AUTO_FREE char *object = xasprintf("%sPOD_OBJECT", prefix);
	size_t i;

	for (i = 0; i < 4; i++) {
		AUTO_FREE char *name = xasprintf("%s%s", prefix, parts[i][0]);

		lore_add(name, js_str(pod, parts[i][1]));
	}
	lore_object(object, pod);
}

static struct json_object *
object_at(const char *path)
{
	struct json_object *j = kube_get(path);

	if (j == NULL)
		it_die("%s: is not there", path);
	return j;
}

/* Before all else: the first of a name counts. */
static void
write_lore(const char *first)
{
	AUTO_FREE char *path = beside("lore");
	AUTO_FREE char *text = xasprintf("%s%s", first, lore);

	it_write(path, text);
	if (chmod(path, 0644) == -1)
		it_die("%s: cannot be opened to all", path);
}

static void
learn(void)
{
	AUTO_JSON struct json_object *bait = object_at(KUBE_PODS "/bait");
	AUTO_JSON struct json_object *other =
	    object_at("/api/v1/namespaces/default/pods/bystander");
	AUTO_JSON struct json_object *system =
	    object_at("/api/v1/namespaces/kube-system");
	AUTO_JSON struct json_object *device = flight_device("captured-0");
	AUTO_JSON struct json_object *foreign = flight_device("captured-2");
	char app[MAX_APP + 1];

	if (mark_name(js_str(system, "/metadata/uid"), "default", "new",
		js_str(bait, "/metadata/uid"), app) == -1)
		it_die("no name");
	lore_pod("", bait);
	lore_pod("OTHER_", other);
	lore_add("SECRET", "asked");
	lore_add("OTHER_SECRET", "secret");
	lore_add("CLUSTER", js_str(system, "/metadata/uid"));
	lore_add("DEVICE", "captured-0");
	lore_add("CREATED", js_str(device, "/metadata/creationTimestamp"));
	lore_add("FOREIGN", "captured-2");
	lore_object("DEVICE_OBJECT", device);
	lore_object("FOREIGN_OBJECT", foreign);
	lore_add("NEW_APP", app);
	lore_add("IMAGE", IMAGE);
	lore_add("EDIT",
	    "{\"applications\":{\"set\":[{\"name\":\"$NEW_APP\",\"appType\":"
	    "\"quadlet\",\"inline\":[{\"path\":\"main.container\",\"content\":"
	    "\"[Container]\\nContainerName=main\\nImage=$IMAGE\\n\"}]}]}}");
	write_lore("");
}

/* -- what SECURITY says of it ---------------------------------------------- */

enum verdict {
	CAN,
	CANNOT,
};

enum where {
	KUBE,
	FLIGHT,
	SPECS,
};

static const struct row {
	const char *who;
	enum verdict verdict;
	enum where where;
	const char *request, *what;
} rows[] = {
#define ROW(who, verdict, where, request, what) \
	{ #who, verdict, where, request, what },
#include "t/it/captured.def"
#undef ROW
};

static void
judge_rows(const char *who)
{
	AUTO_FREE char *kube = beside("kube.log"),
		       *flight = beside("flight.log");
	const struct row *r;
	unsigned int n;

	for (r = rows; r < rows + sizeof(rows) / sizeof(rows[0]); r++) {
		if (strcmp(r->who, who) != 0)
			continue;
		n = r->where == SPECS ?
		    captured_never() :
		    reqlog_count(r->where == KUBE ? kube : flight, r->request);
		it_ok((n > 0) == (r->verdict == CAN), "%s %s %s", who,
		    r->verdict == CAN ? "can" : "cannot", r->what);
	}
}

/* -- one captured worker --------------------------------------------------- */

static pid_t pids[WORKERS];

static void
remember_pids(void)
{
	size_t i;

	for (i = 0; i < WORKERS; i++)
		pids[i] = provider_worker(t.provider, workers[i]);
}

/* The two others are the processes that they were, and one answers. */
static void
look_at_workers(const char *who, const char *after)
{
	struct http *http = provider_listener(t.provider, READY_MS);
	unsigned int same = 0;
	long status = 0;
	size_t i;

	for (i = 0; i < WORKERS; i++)
		same += strcmp(workers[i], who) != 0 &&
		    provider_worker(t.provider, workers[i]) == pids[i];
	if (strcmp(who, "placer") != 0)
		status = http_await(http, "/healthz", 200, LINK_MS) ? 200 : 0;
	http_free(http);
	it_ok(same == WORKERS - 1 &&
		(strcmp(who, "placer") == 0 || status == 200),
	    "%s, %s: the two others go on", who, after);
}

static void
history(int on)
{
	AUTO_FREE char *kube = beside("kube.log"),
		       *flight = beside("flight.log");

	free(world_tell(SIM_KUBE, "history %s", on ? kube : "off"));
	free(world_tell(SIM_FLIGHT, "history %s", on ? flight : "off"));
}

/* The credentials of a server are with a worker that has none now. */
static void
judge_requests(const char *who, const char *keeper, const char *file,
    const char *const *may, const char *server)
{
	AUTO_FREE char *what = xasprintf("%s, %s", who, server);

	if (strcmp(who, keeper) == 0)
		reqlog_is_empty(file, what);
	else
		reqlog_judge(file, may, what);
	(void)unlink(file);
}

static void
judge_history(const char *who)
{
	AUTO_FREE char *kube = beside("kube.log"),
		       *flight = beside("flight.log");

	judge_requests(who, "kubeside", kube, kube_may, "apiserver");
	judge_requests(who, "flightside", flight, flight_may, "Flightctl");
}

static void
play(const char *who, const char *how, size_t arg)
{
	history(1);
	it_ok(order(how, arg), "%s: %s", who, how);
	history(0);
	look_at_workers(who, how);
}

/*
 * Frames that must be refused, of all messages: each ends a link or is left
 * alone, and is told.  Two links end more often than one is told: they are
 * made again at a growing distance.
 */
static void
refusals(size_t w)
{
	const char *who = workers[w];
	AUTO_FREE char *regex = xasprintf("refused frame of %s|malformed", who);
	int night = getenv("NIGHTLY") != NULL;
	size_t i, n;

	for (i = night ? 1 : 1 + w * STEP; i < REFUSED;
	     i += night ? 1 : REFUSED) {
		n = provider_lines(t.provider, regex);
		history(1);
		it_ok(order("refuse", i), "%s: frame %zu of those to refuse",
		    who, i);
		history(0);
		it_ok(provider_await_lines(t.provider, regex, n + 1, LINK_MS) >
			n,
		    "%s: it is refused, and told", who);
	}
	look_at_workers(who, "refused frames");
}

/* One that lies to the supervisor is ended, and comes back. */
static void
lie(const char *who)
{
	AUTO_FREE char *killed =
	    xasprintf("%s is killed: refused frame of %s", who, who);
	size_t n = count_ready(who);

	give("lie", 1);
	it_ok(provider_await_lines(t.provider, killed, 1, READY_MS) == 1,
	    "%s: the supervisor ends it for one frame", who);
	it_ok(await_ready(who, n + 1), "%s: it is started again", who);
	look_at_workers(who, "killed");
}

/*
 * All that it may ask of a device, of a third one: CHANGE_DEVICES is 2, and so
 * many were changed.
 */
static void
widen(const char *who)
{
	AUTO_JSON struct json_object *d = flight_device("captured-3");
	AUTO_FREE char *second = xasprintf("DEVICE=captured-3\nCREATED=%s\n",
	    js_str(d, "/metadata/creationTimestamp"));

	write_lore(second);
	play(who, "taken", MSG_CHANGE);
	it_ok(provider_lines(t.provider,
		  "a change is refused: devices.*captured-3") > 0,
	    "%s: a third device of the fleet is refused by CHANGE_DEVICES",
	    who);
	write_lore("");
}

static void
capture(size_t w)
{
	AUTO_FREE char *self = realpath("/proc/self/exe", NULL);
	AUTO_FREE char *real = child_program(workers[w]);
	AUTO_FREE char *after = xasprintf("after-%s", workers[w]);
	const char *who = workers[w];

	remember_pids();
	replace(who, self);
	play(who, "taken", 0);
	if (w == 0)
		widen(who);
	play(who, "talk", 0);
	play(who, "flood", 0);
	play(who, "descriptor", 0);
	refusals(w);
	if (strcmp(who, "kubeside") == 0)
		play(who, "taken", MSG_KUBE_STATE);
	play(who, "half", 0);
	lie(who);
	judge_rows(who);
	judge_history(who);
	others_judge(who);
	replace(who, real);
	if (w == 0)
		it_ok(provider_lines(t.provider,
			  "a change is refused: policy") > 0,
		    "what the policy refused is told by flightside");
	free(pod_create(after, &(struct pod_conf){ .device = "captured-1" }));
	json_object_put(pod_runs(after, it_ms(), RUN_MS));
}

/* -- the scenario ---------------------------------------------------------- */

static void
open_stage(void)
{
	AUTO_FREE char *program = NULL;
	size_t i;

	t.dir = xasprintf("%s/stage", it_folder());
	if (mkdir(t.dir, 0755) == -1)
		it_die("%s: cannot be made", t.dir);
	for (i = 0; i < WORKERS; i++) {
		AUTO_FREE char *real = child_program(workers[i]);

		copy(real, workers[i]);
	}
	program = child_program("vk-flightctl-provider");
	copy(program, "vk-flightctl-provider");
	free(program);
	program = beside("vk-flightctl-provider");
	provider_program(program);
	steal(&program);
}

static void
scenario(void)
{
	static const char *const settings[] = {
		"IMAGE_REGISTRIES=docker.io/library", "CHANGE_RATE=1000000",
		"FLIGHTCTL_RATE=1000000", "RESYNC_INTERVAL=5s",
		"CHANGE_DEVICES=2", NULL
	};
	AUTO_JSON struct json_object *node = NULL;
	size_t i;

	world_open(&(struct world_conf){ .devices = DEVICES });
	others_make();
	open_stage();
	t.provider = provider_start("provider", settings);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	free(pod_create("bait",
	    &(struct pod_conf){ .device = "captured-0",
		.container = ",\"envFrom\":[{\"configMapRef\":{\"name\":"
			     "\"asked\"}}]" }));
	free(
	    pod_create("second", &(struct pod_conf){ .device = "captured-1" }));
	json_object_put(pod_runs("bait", it_ms(), RUN_MS));
	json_object_put(pod_runs("second", it_ms(), RUN_MS));
	others_remember();
	learn();
	for (i = 0; i < WORKERS; i++)
		capture(i);
	provider_leaves(t.provider, "what a captured placer had written");
	it_ok(provider_stop(t.provider) == 0, "the provider ends by SIGTERM");
}

int
main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	size_t i;

	(void)argc;
	name = name == NULL ? argv[0] : name + 1;
	for (i = 0; i < WORKERS; i++)
		if (strcmp(name, workers[i]) == 0)
			return captive_main(name);
	return it_run("captured", scenario);
}
