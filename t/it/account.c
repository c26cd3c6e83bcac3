/* SPDX-License-Identifier: ISC */
/*
 * account: in a Pod: the credentials are a folder as the kubelet makes it and
 * swaps it, at the place that it has in every Pod, and the apiserver is where
 * the environment says, by IPv6.  Tokens that are replaced, in time and too
 * late, cost no pod and few words.  Then a kubeconfig whose client certificate
 * is inside, as kubeadm writes it.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

#define ROOM "/var/run"
#define ACCOUNT ROOM "/secrets/kubernetes.io/serviceaccount"

enum {
	READY_MS = 20000,
	RUN_MS = 20000,
	RENEWED_MS = 15000,
	REFUSED_MS = 20000,
	BACK_MS = 15000,
	FEW_LINES = 2,	/* of warning, about one refusal */
	LATE_LINES = 6, /* about a token that is too late */
};

/* --- the folder ----------------------------------------------------------- */

static int folders;

static void
put(const char *name, const char *text)
{
	AUTO_FREE char *path = xasprintf(ACCOUNT "/..%d/%s", folders, name);

	it_write(path, text);
	if (chmod(path, 0444) == -1)
		it_die("%s cannot be made readable", path);
}

/* A new folder beside the old one, which ..data then names instead. */
static void
swap_in(const char *token)
{
	AUTO_FREE char *ca = it_file(getenv("KUBE_CA_FILE"), NULL);
	AUTO_FREE char *old = xasprintf(ACCOUNT "/..%d", folders);
	AUTO_FREE char *fresh = xasprintf(ACCOUNT "/..%d", ++folders);
	AUTO_FREE char *away = xasprintf("%s.gone", old);

	if (mkdir(fresh, 0755) == -1)
		it_die("%s cannot be made", fresh);
	put("token", token);
	put("ca.crt", ca);
	put("namespace", "vk-flightctl");
	if (symlink(strrchr(fresh, '/') + 1, ACCOUNT "/..new") == -1 ||
	    rename(ACCOUNT "/..new", ACCOUNT "/..data") == -1)
		it_die("%s cannot take its place", fresh);
	/* Whoever still reads the old one by its name finds nothing. */
	if (folders > 1 && rename(old, away) == -1)
		it_die("%s does not go", old);
}

static void
make_account(const char *token)
{
	static const char *const dirs[] = { ROOM "/secrets",
		ROOM "/secrets/kubernetes.io", ACCOUNT };
	static const char *const names[] = { "token", "ca.crt", "namespace" };
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (mkdir(dirs[i], 0755) == -1)
			it_die("%s cannot be made", dirs[i]);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		AUTO_FREE char *to = xasprintf("..data/%s", names[i]);
		AUTO_FREE char *path = xasprintf(ACCOUNT "/%s", names[i]);

		if (symlink(to, path) == -1)
			it_die("%s cannot be made", path);
	}
	swap_in(token);
}

/* A view of the file system that nobody else has. */
static void
take_room(void)
{
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("tmpfs", ROOM, "tmpfs", 0, "mode=755") == -1)
		it_die("no file system of our own at " ROOM);
}

/* --- what is seen --------------------------------------------------------- */

#define RENEWED "PATCH .*/leases/.* status=200"
#define REFUSED " status=401 "
#define WARNED "\"level\":\"(warn|error)\""
#define ANOTHER "may be another now"

/* Its leases are renewed, by requests of now. */
static void
goes_on(const struct provider *p, int ms, const char *what)
{
	size_t n = provider_lines(p, RENEWED);
	int64_t since = it_ms();
	int ok = provider_await_lines(p, RENEWED, n + 2, ms) >= n + 2;

	it_took(since, ok, "%s it goes on", what);
}

static void
runs(const char *name)
{
	AUTO_JSON struct json_object *pod = NULL;

	free(pod_create(name, NULL));
	pod = pod_runs(name, it_ms(), RUN_MS);
}

static void
is_kept(const char *uid)
{
	AUTO_JSON struct json_object *pod = kube_get(KUBE_PODS "/kept");
	AUTO_JSON struct json_object *set = flight_devices();
	size_t n = 0;

	(void)flight_holder(set, uid, &n);
	it_ok(strcmp(js_str(pod, "/metadata/uid"), uid) == 0 &&
		strcmp(js_condition(pod, "Ready"), "True") == 0 &&
		js_get(pod, "/metadata/deletionTimestamp") == NULL,
	    "the pod of before is Ready");
	it_ok(n == 1 && flight_restarts(set) == 0,
	    "and was neither moved nor restarted");
}

static void
warned_little(const struct provider *p, size_t before, size_t most)
{
	size_t n = provider_lines(p, WARNED) - before;

	it_ok(n <= most, "that took %zu lines of warning", n);
}

/* A file that was replaced is read again each minute, and for a refusal. */
static void
at_once(struct provider *p)
{
	size_t before = provider_lines(p, WARNED);

	provider_expect(p, "401: Unauthorized");
	swap_in("the-second-token\n");
	free(world_tell(SIM_KUBE, "token the-second-token"));
	it_ok(provider_await_lines(p, REFUSED, 1, REFUSED_MS) >= 1,
	    "the old token is refused");
	goes_on(p, RENEWED_MS, "with the new one in its place");
	runs("second");
	warned_little(p, before, FEW_LINES);
	it_ok(provider_lines(p, ANOTHER) <= 1,
	    "and the server is not held for another one");
}

static void
too_late(struct provider *p)
{
	size_t refused = provider_lines(p, REFUSED);
	size_t before = provider_lines(p, WARNED);

	free(world_tell(SIM_KUBE, "token the-third-token"));
	it_ok(provider_await_lines(p, "apiserver does not answer.*401", 1,
		  REFUSED_MS) == 1,
	    "a token that is refused for long is told");
	it_ok(provider_lines(p, REFUSED) > refused, "(it was refused)");
	swap_in("the-third-token");
	goes_on(p, BACK_MS, "with the new one at last");
	runs("third");
	warned_little(p, before, LATE_LINES);
}

static void
in_a_pod(void)
{
	AUTO_JSON struct json_object *node = NULL, *pod = NULL;
	AUTO_FREE char *token = it_file_after(getenv("KUBECONFIG"), "token: ");
	AUTO_FREE char *port = xasprintf("KUBERNETES_SERVICE_PORT=%s",
	    strrchr(getenv("KUBE_API_URL"), ':') + 1);
	AUTO_FREE char *uid = NULL;
	struct provider *p;

	make_account(token);
	p = provider_start("pod",
	    (const char *[]){ "KUBECONFIG=", "KUBERNETES_SERVICE_HOST=::1",
		port, NULL });
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	uid = pod_create("kept", NULL);
	if ((pod = pod_runs("kept", it_ms(), RUN_MS)) == NULL)
		return;
	at_once(p);
	is_kept(uid);
	too_late(p);
	is_kept(uid);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

static void
by_certificate(void)
{
	AUTO_FREE char *path =
	    xasprintf("%s/kubesim/admin.kubeconfig", it_folder());
	AUTO_FREE char *setting = xasprintf("KUBECONFIG=%s", path);
	AUTO_FREE char *token = it_file_after(path, "token");
	AUTO_FREE char *cert = it_file_after(path, "client-certificate-data: ");
	AUTO_FREE char *key = it_file_after(path, "client-key-data: ");
	struct provider *p =
	    provider_start("certificate", (const char *[]){ setting, NULL });

	it_ok(token == NULL && cert != NULL && key != NULL,
	    "the kubeconfig has a certificate and a key inside, and no token");
	goes_on(p, READY_MS, "with them");
	runs("fourth");
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

static void
scenario(void)
{
	if (world_kind() != WORLD_SIM || geteuid() != 0) {
		it_skip("only on simulators, and root makes the folder");
		return;
	}
	take_room();
	world_open(&(struct world_conf){ .devices = 1, .kube_ipv6 = 1 });
	in_a_pod();
	by_certificate();
}

int
main(void)
{
	return it_run("account", scenario);
}
