/* SPDX-License-Identifier: ISC */
/*
 * faulty.c: a world whose servers are reached by proxies that do harm.
 *
 * Owns the certificates, the pods and what is wanted of them: those that stay
 * are Running where they were, never started anew; those that were deleted
 * are in no API and on no device; nothing is anywhere twice.
 */
#include "t/it/faulty.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/why.h"
#include "common/xmem.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"
#include "t/sim/cert.h"

#define MAPS "/api/v1/namespaces/default/configmaps"
#define STRATEGIC "application/strategic-merge-patch+json"
#define MERGE "application/merge-patch+json"
#define STARTED "/status/containerStatuses/0/state/running/startedAt"

enum {
	DEVICES = 4,
	STAY = 6,
	PODS_MAX = 4096,
	LIVES = FAULTY_PODS - STAY, /* of those that go, at a time */
	STEP_MS = 330,
	DAYS = 3650,
	READY_MS = 30000,
	RUN_MS = 30000,
};

static struct {
	struct fault_proxy *proxy[2];
	char *url[2], *pem[2], *ca;
	char *uid[PODS_MAX], *started[STAY];
	unsigned int made, gone, stay;
} faulty;

struct fault_proxy *
faulty_proxy(enum fault_server s)
{
	return faulty.proxy[s];
}

/* --- certificates -------------------------------------------------------- */

#define HERE "IP:127.0.0.1"

static const struct {
	const char *ca, *names;
	int days;
} certs[] = {
	[CERT_RIGHT] = { "ca", HERE, DAYS },
	[CERT_EXPIRED] = { "ca", HERE, -1 },
	[CERT_OTHER_NAME] = { "ca", "DNS:elsewhere.example,IP:192.0.2.1",
	    DAYS },
	[CERT_OTHER_CA] = { "other", HERE, DAYS },
	[CERT_RENEWED] = { "ca", HERE, DAYS },
};

void
faulty_pem(const char *file, const char *authority, const char *names, int days)
{
	AUTO_FREE char *crt = xasprintf("%s/made.crt", it_folder());
	AUTO_FREE char *key = xasprintf("%s/made.key", it_folder());
	AUTO_FREE char *beside = xasprintf("%s.new", file), *both = NULL;
	AUTO_FREE char *c = NULL, *k = NULL;
	struct why why = { 0 };
	struct cert_ca *ca = cert_ca_open(it_folder(), authority, &why);

	if (ca == NULL ||
	    cert_server_as(ca, it_folder(), "made", names, days, &why) == -1 ||
	    (c = it_file(crt, NULL)) == NULL ||
	    (k = it_file(key, NULL)) == NULL)
		it_die("no certificate: %s", why.text);
	both = xasprintf("%s%s", c, k);
	it_write(beside, both);
	if (rename(beside, file) == -1)
		it_die("%s: cannot be replaced", file);
	cert_ca_free(ca);
}

static void
make_pem(const char *file, enum faulty_cert which)
{
	faulty_pem(file, certs[which].ca, certs[which].names,
	    certs[which].days);
}

void
faulty_certify(enum fault_server s, enum faulty_cert which)
{
	make_pem(faulty.pem[s], which);
	fault_cut(faulty.proxy[s]);
}

/* --- the world ----------------------------------------------------------- */

char *
faulty_kubeconfig(const char *server, const char *ca, const char *user)
{
	AUTO_FREE char *text = it_file(getenv("KUBECONFIG"), NULL), *all = NULL;
	char *path = xasprintf("%s/faulty.kubeconfig", it_folder());
	char *token;

	if (text == NULL || (token = strstr(text, "token: ")) == NULL)
		it_die("KUBECONFIG has no token");
	token[strcspn(token, "\n")] = '\0';
	all = xasprintf("apiVersion: v1\nkind: Config\nclusters:\n- name: c\n"
			"  cluster:\n    server: %s\n"
			"    certificate-authority: %s\n"
			"users:\n- name: u\n  user:\n    %s\n%s"
			"contexts:\n- name: x\n  context:\n    cluster: c\n"
			"    user: u\ncurrent-context: x\n",
	    server, ca, token, user);
	it_write(path, all);
	return path;
}

static void
start_proxy(enum fault_server s, const char *base, const char *name)
{
	faulty.pem[s] = xasprintf("%s/%s.pem", it_folder(), name);
	make_pem(faulty.pem[s], CERT_RIGHT);
	faulty.proxy[s] = fault_start(s, base, faulty.pem[s], NULL);
	faulty.url[s] =
	    xasprintf("https://127.0.0.1:%u", fault_port(faulty.proxy[s]));
}

void
faulty_open(void)
{
	AUTO_FREE char *ca = xasprintf("%s/ca.crt", it_folder());

	world_open(&(struct world_conf){ .devices = DEVICES });
	faulty.ca = xstrdup(ca);
	start_proxy(FAULT_KUBE, getenv("KUBE_API_URL"), "kube");
	start_proxy(FAULT_FLIGHT, getenv("FLIGHTCTL_API_URL"), "flight");
	if (chmod(ca, 0444) == -1)
		it_die("%s: nobody may read it", ca);
	if (kube_send("POST", MAPS,
		js_make("{\"metadata\":{\"name\":\"settings\"},\"data\":{"
			"\"k\":\"one\"}}"),
		NULL) != 201)
		it_die("no ConfigMap can be made");
}

/* --- pods ---------------------------------------------------------------- */

static char *
pod_name(unsigned int n)
{
	return xasprintf("pod-%u", n);
}

static void
create(const char *app)
{
	AUTO_FREE char *name = pod_name(faulty.made);

	if (faulty.made == PODS_MAX)
		it_die("too many pods");
	faulty.uid[faulty.made++] = pod_create(name,
	    &(struct pod_conf){ .app = app,
		.cpu = "10m",
		.memory = "8Mi",
		.spec = ",\"volumes\":[{\"name\":\"v\",\"configMap\":{"
			"\"name\":\"settings\"}}]",
		.container = ",\"volumeMounts\":[{\"name\":\"v\","
			     "\"mountPath\":\"/v\"}]" });
}

/* A label, and every third time an image. */
static void
change(unsigned int n)
{
	AUTO_FREE char *name = pod_name(n);
	AUTO_FREE char *path = xasprintf(KUBE_PODS "/%s", name);

	kube_patch(path, MERGE,
	    js_make("{\"metadata\":{\"annotations\":{\"n\":\"%u\"}}}",
		faulty.made));
	if (n % 3 == 0)
		kube_patch(path, STRATEGIC,
		    js_make("{\"spec\":{\"containers\":[{\"name\":\"main\","
			    "\"image\":\"busybox:%u\"}]}}",
			faulty.made));
}

void
faulty_churn(int ms)
{
	int64_t until = it_ms() + ms;

	while (it_ms() < until) {
		AUTO_FREE char *name = pod_name(faulty.gone);

		create("goes");
		change(faulty.made - 2 < STAY ? STAY : faulty.made - 2);
		if (faulty.made - faulty.gone > LIVES) {
			pod_delete(name);
			faulty.gone++;
		}
		it_pause(STEP_MS);
	}
}

void
faulty_runs(int64_t since_ms)
{
	AUTO_FREE char *name = pod_name(faulty.made);

	create("goes");
	json_object_put(pod_runs(name, since_ms, RUN_MS));
}

static int
are_as_wanted(struct json_object *set, void *arg)
{
	unsigned int n = 0, running = 0;
	struct lh_entry *at = NULL;
	struct json_object *pod;

	(void)arg;
	while (js_next(set, &at, NULL, &pod)) {
		n++;
		running +=
		    strcmp(js_str(pod, "/status/phase"), "Running") == 0 &&
		    js_get(pod, "/metadata/deletionTimestamp") == NULL;
	}
	return n == STAY + faulty.made - faulty.gone && running == n;
}

static int
are_on_devices(struct json_object *set, void *arg)
{
	size_t wanted = STAY + faulty.made - faulty.gone;
	unsigned int i;
	size_t n;

	(void)arg;
	if (flight_count(set) != wanted || flight_reported(set) != wanted)
		return 0;
	for (i = 0; i < faulty.made; i++) {
		(void)flight_holder(set, faulty.uid[i], &n);
		if (n != (i < STAY || i >= faulty.gone))
			return 0;
	}
	return 1;
}

static unsigned int
started_anew(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < faulty.stay; i++) {
		AUTO_FREE char *name = pod_name(i);
		AUTO_FREE char *path = xasprintf(KUBE_PODS "/%s", name);
		AUTO_JSON struct json_object *pod = kube_get(path);

		if (strcmp(js_str(pod, STARTED), faulty.started[i]) == 0 &&
		    strcmp(js_str(pod, "/metadata/uid"), faulty.uid[i]) == 0)
			continue;
		n++;
		it_say("%s: started %s, was %s", name, js_str(pod, STARTED),
		    faulty.started[i]);
	}
	return n;
}

static void
say_pods(void)
{
	AUTO_JSON struct json_object *set = flight_devices(), *list = NULL;
	size_t i, n;

	list = kube_get(KUBE_PODS);
	for (i = 0; i < js_len(list, "/items"); i++) {
		struct json_object *pod = js_item(list, "/items", i);

		(void)flight_holder(set, js_str(pod, "/metadata/uid"), &n);
		it_say("%s: %s %s (%s)%s on %zu devices",
		    js_str(pod, "/metadata/name"), js_str(pod, "/status/phase"),
		    js_str(pod, "/status/reason"),
		    js_str(pod, "/status/message"),
		    js_get(pod, "/metadata/deletionTimestamp") != NULL ?
			" leaves" :
			"",
		    n);
	}
	it_say("%zu entries, %zu reported", flight_count(set),
	    flight_reported(set));
}

int
faulty_ends(const char *after, int ms)
{
	AUTO_JSON struct json_object *set = NULL;
	int64_t since = it_ms();
	unsigned int anew;
	int ok;

	fault_end(faulty.proxy[FAULT_KUBE]);
	fault_end(faulty.proxy[FAULT_FLIGHT]);
	ok = kube_await(KUBE_PODS, are_as_wanted, NULL, ms) &&
	    flight_await(are_on_devices, NULL, (int)(ms + since - it_ms())) &&
	    kube_await(KUBE_PODS, are_as_wanted, NULL, ms);
	set = flight_devices();
	anew = started_anew();
	it_took(since, ok,
	    "after %s %u pods are Running on a device each, %u that were "
	    "deleted are gone",
	    after, STAY + faulty.made - faulty.gone, faulty.gone - STAY);
	if (!ok)
		say_pods();
	it_ok(anew == 0 && flight_restarts(set) == 0,
	    "no workload was restarted (%lld, %u started anew)",
	    (long long)flight_restarts(set), anew);
	return ok;
}

struct provider *
faulty_start(void)
{
	AUTO_FREE char *config = faulty_kubeconfig(faulty.url[FAULT_KUBE],
			   faulty.ca, ""),
		       *kube = NULL, *api = NULL;
	AUTO_FREE char *ca = NULL, *rate = NULL;
	AUTO_JSON struct json_object *node = NULL;
	struct provider *p;

	kube = xasprintf("KUBECONFIG=%s", config);
	api = xasprintf("FLIGHTCTL_API_URL=%s", faulty.url[FAULT_FLIGHT]);
	ca = xasprintf("FLIGHTCTL_CA_FILE=%s", faulty.ca);
	rate = xasprintf("FLIGHTCTL_RATE=%d", FAULTY_RATE);
	p = provider_start("provider",
	    (const char *[]){ kube, api, ca, rate, NULL });
	if ((node = node_is_ready(READY_MS)) == NULL)
		return NULL;
	while (faulty.made < STAY)
		create("stays");
	faulty.gone = STAY;
	if (pods_in_phase("stays", "Running", STAY, RUN_MS) != STAY)
		it_die("the pods that stay do not run");
	for (; faulty.stay < STAY; faulty.stay++) {
		AUTO_FREE char *name = pod_name(faulty.stay);
		AUTO_FREE char *path = xasprintf(KUBE_PODS "/%s", name);
		AUTO_JSON struct json_object *pod = kube_get(path);

		faulty.started[faulty.stay] = xstrdup(js_str(pod, STARTED));
	}
	return p;
}
