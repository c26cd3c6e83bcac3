/* SPDX-License-Identifier: ISC */
/*
 * secrets: what Secrets hold reaches the device and is nowhere else: not in
 * the provider's log (of level debug), in no file of its state, in no answer
 * to an operator, and in nothing that it writes to the apiserver; plain or in
 * base64, also when it was killed, or refused a pod for what is in one.  When
 * the device has it all, no process of ours has any of it in its memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/sanitized.h"
#include "t/it/world.h"
#include "t/sim/base64.h"

#define SECRETS "/api/v1/namespaces/default/secrets"
#define MERGE "application/merge-patch+json"

enum {
	READY_MS = 20000,
	RUN_MS = 15000,
	CHANGE_MS = 15000,
	AGAIN_MS = 500,
	SHIFTS = 3, /* of bytes against the groups of base64 */
	FDS = 8,
};

/* What the Secrets hold; the last one cannot be in an environment. */
static const char variable[] = "hush-in-a-variable-7f3a";
static const char file[] = "hush-in-a-mounted-file-51";
static const char later[] = "hush-in-the-file-later-9c";
static const char refused[] = "hush-in-what-is-refused-e";
static const char *const values[] = { variable, file, later, refused };

/* What base64 makes of a value that begins `shift` bytes after a group. */
static char *
encoded(const char *value, size_t shift)
{
	AUTO_FREE char *shifted = xasprintf("%.*s%s", (int)shift, "..", value);
	size_t n = strlen(shifted) / 3 * 3;
	char *text = base64(shifted, n);

	if (shift > 0)
		memmove(text, text + 4, strlen(text + 4) + 1);
	return text;
}

static int
holds(const char *bytes, size_t len, const char *value)
{
	size_t shift;

	if (memmem(bytes, len, value, strlen(value)) != NULL)
		return 1;
	for (shift = 0; shift < SHIFTS; shift++) {
		AUTO_FREE char *text = encoded(value, shift);

		if (memmem(bytes, len, text, strlen(text)) != NULL)
			return 1;
	}
	return 0;
}

/* One line for each value that is where none may be. */
static unsigned int leaks, files;

static void
look_at(const char *where, const char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (holds(bytes, len, values[i])) {
			it_say("%s has %s", where, values[i]);
			leaks++;
		}
}

static int
look_at_file(const char *path, const struct stat *st, int kind,
    struct FTW *where)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	(void)st;
	(void)where;
	if (kind != FTW_F || (text = it_file(path, &len)) == NULL)
		return 0;
	look_at(path, text, len);
	files++;
	return 0;
}

static void
look_at_disk(const char *run)
{
	AUTO_FREE char *folder = xasprintf("%s/%s", it_folder(), run);

	leaks = files = 0;
	if (nftw(folder, look_at_file, FDS, FTW_PHYS) == -1)
		it_die("%s cannot be looked at", folder);
	it_ok(leaks == 0 && files > 0, "%u files of %s have none (%u)", files,
	    run, leaks);
}

static void
look_at_log(const struct provider *p)
{
	AUTO_FREE char *text = provider_log(p);

	leaks = 0;
	look_at("the log", text, strlen(text));
	it_ok(leaks == 0, "its log has none (%u)", leaks);
}

/* The pages that it may write: the rest is of programs and libraries. */
static void
look_at_pages(const char *who, pid_t pid)
{
	AUTO_FREE char *maps = xasprintf("/proc/%d/maps", (int)pid);
	AUTO_FREE char *mem = xasprintf("/proc/%d/mem", (int)pid);
	AUTO_FREE char *line = NULL;
	unsigned long from, to;
	FILE *f = fopen(maps, "re");
	int fd = open(mem, O_RDONLY | O_CLOEXEC);
	size_t room = 0;

	if (f == NULL || fd == -1)
		it_die("%s cannot be read: %s", mem, strerror(errno));
	while (getline(&line, &room, f) != -1) {
		AUTO_FREE char *bytes = NULL;
		ssize_t n;

		if (sscanf(line, "%lx-%lx rw", &from, &to) != 2 ||
		    strstr(line, " rw") == NULL)
			continue;
		bytes = xmalloc(to - from);
		if ((n = pread(fd, bytes, to - from, (off_t)from)) > 0)
			look_at(who, bytes, (size_t)n);
	}
	close(fd);
	fclose(f);
}

static void
look_at_memory(const struct provider *p)
{
	static const char *const workers[] = { "kubeside", "placer",
		"flightside" };
	int64_t since = it_ms();
	size_t i;

	if (SANITIZED || geteuid() != 0) {
		it_skip("their memory: %s",
		    SANITIZED ? "AddressSanitizer keeps what is freed" :
				"it is root's to read");
		return;
	}
	/* Files of before are at hand until those that replace them work. */
	for (i = 0; i < sizeof(workers) / sizeof(workers[0]); i++) {
		for (leaks = 1; leaks > 0 && it_ms() < since + CHANGE_MS;) {
			leaks = 0;
			look_at_pages(workers[i],
			    provider_worker(p, workers[i]));
			if (leaks > 0)
				it_pause(AGAIN_MS);
		}
		it_took(since, leaks == 0, "the memory of %s has none",
		    workers[i]);
	}
}

/* Everything there that we write or cause to be written. */
static void
look_at_apiserver(void)
{
	static const char *const paths[] = { KUBE_PODS, KUBE_NODES,
		"/api/v1/events", "/apis/coordination.k8s.io/v1/leases" };
	size_t i;

	leaks = 0;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		AUTO_JSON struct json_object *list = kube_get(paths[i]);
		const char *text = json_object_to_json_string(list);

		if (js_len(list, "/items") == 0)
			it_die("%s has none", paths[i]);
		look_at(paths[i], text, strlen(text));
	}
	it_ok(leaks == 0, "nothing in the apiserver has one (%u)", leaks);
}

static void
look_at_answers(const char *run)
{
	static const char *const questions[][3] = { { "pods" }, { "records" },
		{ "devices" }, { "events" }, { "status" },
		{ "explain", "pod", "default/web" },
		{ "explain", "pod", "default/bad" } };
	AUTO_FREE char *program = child_program("vkfctl");
	AUTO_FREE char *at = xasprintf("%s/%s/control.sock", it_folder(), run);
	size_t i;

	leaks = 0;
	for (i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		const char *const *q = questions[i];
		AUTO_FREE char *out = NULL;

		if (child_run((const char *[]){ program, "-s", at, q[0], q[1],
				  q[2], NULL },
			&out) != 0)
			it_die("vkfctl %s: %s", q[0], out);
		look_at(q[0], out, strlen(out));
	}
	it_ok(leaks == 0, "no answer to an operator has one (%u)", leaks);
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

	return spec != NULL && holds(spec, strlen(spec), t->value);
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
	look_at_answers("first");
	provider_judge(p);
	/* Nothing is tidied up: the database is as it is at any instant. */
	if ((placer = provider_worker(p, "placer")) == -1)
		it_die("there is no placer");
	kill(placer, SIGKILL);
	look_at_disk("first");
	look_at_log(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	if (kube_patch(SECRETS "/keys", MERGE,
		js_make("{\"data\":{\"file\":\"%s\"}}", other)) != 200)
		it_die("the Secret cannot be changed");
	state = xasprintf("STATE_DIR=%s/first/state", it_folder());
	p = provider_start("second",
	    (const char *[]){ "SECRETS=inline", state, NULL });
	device_has(uid, later);
	look_at_answers("second");
	pod_delete("bad"); /* it waits for a Secret, which is at hand for it */
	it_ok(pods_gone("bad", CHANGE_MS), "nobody waits for a Secret");
	look_at_memory(p);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the second ends by SIGTERM");
	look_at_disk("first");
	look_at_disk("second");
	look_at_log(p);
	look_at_apiserver();
}

int
main(void)
{
	return it_run("secrets", scenario);
}
