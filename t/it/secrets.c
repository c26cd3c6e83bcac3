/* SPDX-License-Identifier: ISC */
/*
 * secrets: what Secrets hold reaches the device and is nowhere else: not in
 * the provider's log (of level debug), in no file of its state, in no answer
 * to an operator, and in nothing that it writes to the apiserver; plain or in
 * base64, also when it was killed, or refused a pod for what is in one.  When
 * the device has it all, no process of ours has any of it in its memory.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/leak.h"
#include "t/it/memory.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"
#include "t/sim/base64.h"

#define SECRETS "/api/v1/namespaces/default/secrets"
#define MERGE "application/merge-patch+json"

enum {
	READY_MS = 20000,
	RUN_MS = 15000,
	CHANGE_MS = 15000,
	AGAIN_MS = 500,
};

/* What the Secrets hold; the last one cannot be in an environment. */
static const char variable[] = "hush-in-a-variable-7f3a";
static const char file[] = "hush-in-a-mounted-file-51";
static const char later[] = "hush-in-the-file-later-9c";
static const char refused[] = "hush-in-what-is-refused-e";

static unsigned int leaks;

static void
look_at_area(const char *bytes, size_t len, int kept, void *who)
{
	(void)kept;
	leaks += (unsigned int)leak_is_in(who, bytes, len);
}

static void
look_at_memory(const struct provider *p)
{
	static char workers[][sizeof("flightside")] = { "kubeside", "placer",
		"flightside" };
	int64_t since = it_ms();
	size_t i;

	if (!memory_is_seen())
		return;
	/* Files of before are at hand until those that replace them work. */
	for (i = 0; i < sizeof(workers) / sizeof(workers[0]); i++) {
		for (leaks = 1; leaks > 0 && it_ms() < since + CHANGE_MS;) {
			leaks = 0;
			memory_walk(provider_worker(p, workers[i]),
			    look_at_area, workers[i]);
			if (leaks > 0)
				it_pause(AGAIN_MS);
		}
		it_took(since, leaks == 0, "the memory of %s has none",
		    workers[i]);
	}
}

/* --- what holds them ----------------------------------------------------- */

static void
make_secrets(void)
{
	AUTO_FREE char *one = base64(variable, strlen(variable));
	AUTO_FREE char *two = base64(file, strlen(file));
	AUTO_FREE char *three = base64(refused, sizeof(refused));

	if (kube_send("POST", SECRETS,
		js_make("{\"metadata\":{\"name\":\"keys\"},\"data\":{"
			"\"variable\":\"%s\",\"file\":\"%s\","
			"\"binary\":\"%s\"}}",
		    one, two, three),
		NULL) != 201)
		it_die("no Secret can be made");
}

#define FROM(key)                                            \
	"\"valueFrom\":{\"secretKeyRef\":{\"name\":\"keys\"" \
	",\"key\":\"" key "\"}}"

/* In a variable, in an argument and in a file. */
static char *
create(void)
{
	return pod_create("web",
	    &(struct pod_conf){
		.spec = ",\"volumes\":[{\"name\":\"v\",\"secret\":{"
			"\"secretName\":\"keys\",\"items\":[{\"key\":\"file\","
			"\"path\":\"file\"}]}}]",
		.container = ",\"env\":[{\"name\":\"V\"," FROM(
		    "variable") "}],"
				"\"args\":[\"$(V)\"],\"volumeMounts\":[{"
				"\"name\":\"v\",\"mountPath\":\"/v\"}]" });
}

static void
refuse(void)
{
	AUTO_FREE char *uid = pod_create("bad",
	    &(struct pod_conf){ .container = ",\"env\":[{\"name\":\"V\"," FROM(
				    "binary") "}]" });

	pod_is_told(uid, "UnsupportedPodSpec", "is no text", RUN_MS);
}

/* The device is told this value, in its application or its files. */
struct told {
	const char *uid, *value;
};

static int
is_told(struct json_object *set, void *arg)
{
	const struct told *t = arg;
	const char *spec = json_object_to_json_string_ext(
	    js_get(flight_holder(set, t->uid, NULL), "/spec"),
	    JSON_C_TO_STRING_NOSLASHESCAPE);

	return spec != NULL && leak_holds(spec, strlen(spec), t->value);
}

static void
device_has(const char *uid, const char *value)
{
	struct told t = { uid, value };

	it_ok(flight_await(is_told, &t, CHANGE_MS), "the device is told %s",
	    value);
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *pod = NULL;
	AUTO_FREE char *uid = NULL, *state = NULL;
	AUTO_FREE char *other = base64(later, strlen(later));
	struct provider *p;
	pid_t placer;

	leak_watch("a variable", variable);
	leak_watch("a file", file);
	leak_watch("the later file", later);
	leak_watch("what is refused", refused);
	world_open(&(struct world_conf){ .devices = 1 });
	make_secrets();
	p = provider_start("first", (const char *[]){ "SECRETS=inline", NULL });
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	uid = create();
	if ((pod = pod_runs("web", it_ms(), RUN_MS)) == NULL)
		return;
	device_has(uid, variable);
	device_has(uid, file);
	refuse();
	leak_look_at_answers("first");
	provider_judge(p);
	/* Nothing is tidied up: the database is as it is at any instant. */
	if ((placer = provider_worker(p, "placer")) == -1)
		it_die("there is no placer");
	kill(placer, SIGKILL);
	leak_look_at_disk("first");
	leak_look_at_log(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	if (kube_patch(SECRETS "/keys", MERGE,
		js_make("{\"data\":{\"file\":\"%s\"}}", other)) != 200)
		it_die("the Secret cannot be changed");
	state = xasprintf("STATE_DIR=%s/first/state", it_folder());
	p = provider_start("second",
	    (const char *[]){ "SECRETS=inline", state, NULL });
	device_has(uid, later);
	leak_look_at_answers("second");
	leak_look_at_listener(p);
	leak_look_at_processes(p);
	pod_delete("bad"); /* it waits for a Secret, which is at hand for it */
	it_ok(pods_gone("bad", CHANGE_MS), "nobody waits for a Secret");
	look_at_memory(p);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the second ends by SIGTERM");
	leak_look_at_disk("first");
	leak_look_at_disk("second");
	leak_look_at_log(p);
	leak_look_at_apiserver();
}

int
main(void)
{
	return it_run("secrets", scenario);
}
