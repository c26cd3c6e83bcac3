/* SPDX-License-Identifier: ISC */
/*
 * writers: ten other writers change the same devices by PUT with
 * resourceVersion while pods come and go.  None of their changes is lost, none
 * of our writes changes a byte of theirs, and all of ours is there soon after.
 * WRITERS_S: how long they write (10 against simulators, else 60).
 * WRITERS_RATE: requests a minute that we may send, few: our burst is spent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/byte_true.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/tap.h"
#include "t/it/world.h"

enum {
	DEVICES = 3,
	WRITERS = 10,
	PODS = 12, /* there at a time */
	POD_MS = 300,
	PAUSE_MS = 100, /* of a writer, and up to so much more: */
	PAUSE_MORE_MS = 400,
	READY_MS = 20000,
	CALM_MS = 60000,
};

#define CONFIG_MAPS "/api/v1/namespaces/default/configmaps"
#define VOLUME                                                       \
	",\"volumes\":[{\"name\":\"files\",\"configMap\":{\"name\":" \
	"\"writers\"}}]"
#define MOUNT \
	",\"volumeMounts\":[{\"name\":\"files\",\"mountPath\":\"/files\"}]"

/* What one writer did: what it wrote last to each device; 0: nothing. */
struct tale {
	unsigned int who;
	unsigned int last[DEVICES];
	unsigned int writes, overtaken, lost;
};

static char *names[DEVICES]; /* the real service gives names of its own */

static void
learn_names(void)
{
	AUTO_JSON struct json_object *set = flight_devices();
	struct json_object *device;
	struct lh_entry *at = NULL;
	const char *name;
	unsigned int n = 0;

	while (n < DEVICES && js_next(set, &at, &name, &device))
		names[n++] = xstrdup(name);
}

/* --- a writer ------------------------------------------------------------ */

/* Its label, application and config of a device as they should be. */
static char *
content(unsigned int n)
{
	/* Characters that programs like to write in another way. */
	return xasprintf("# %u <&> \xc3\xbc \xe2\x80\xa8 \\/ 1e400\n", n);
}

static struct json_object *
application(const char *who, unsigned int n)
{
	AUTO_FREE char *text = content(n);
	AUTO_FREE char *unit =
	    xasprintf("%s[Container]\nImage=quay.io/other/app:1\n[Install]\n"
		      "WantedBy=default.target\n",
		text);
	struct json_object *file = js_make("{\"path\":\"%s.container\"}", who);
	struct json_object *app =
	    js_make("{\"name\":\"%s\",\"appType\":\"quadlet\",\"inline\":[]}",
		who);

	json_object_object_add(file, "content", json_object_new_string(unit));
	json_object_array_add(js_get(app, "/inline"), file);
	return app;
}

static struct json_object *
config(const char *who, unsigned int n)
{
	AUTO_FREE char *text = content(n);
	struct json_object *file = js_make("{\"path\":\"/etc/%s\"}", who);
	struct json_object *c = js_make("{\"name\":\"%s\",\"inline\":[]}", who);

	json_object_object_add(file, "content", json_object_new_string(text));
	json_object_array_add(js_get(c, "/inline"), file);
	return c;
}

/* 1: the device has what this writer wrote last, in all three places. */
static int
is_kept(struct json_object *device, const char *who, unsigned int n)
{
	AUTO_FREE char *label = xasprintf("/metadata/labels/%s", who);
	AUTO_FREE char *value = xasprintf("%u", n);
	AUTO_FREE char *text = content(n);
	struct json_object *app, *conf;

	app = js_find(device, "/spec/applications", "name", who);
	conf = js_find(device, "/spec/config", "name", who);
	if (n == 0)
		return app == NULL && conf == NULL &&
		    js_get(device, label) == NULL;
	return strcmp(js_str(device, label), value) == 0 &&
	    strncmp(js_str(app, "/inline/0/content"), text, strlen(text)) ==
	    0 &&
	    strcmp(js_str(conf, "/inline/0/content"), text) == 0;
}

static void
put_element(struct json_object *spec, const char *array,
    struct json_object *element)
{
	struct json_object *list, *o;
	size_t i;

	if (!json_object_object_get_ex(spec, array, &list) || list == NULL) {
		list = json_object_new_array();
		json_object_object_add(spec, array, list);
	}
	for (i = 0; i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		if (strcmp(js_str(o, "/name"), js_str(element, "/name")) == 0)
			break;
	}
	json_object_array_put_idx(list, i, element);
}

/* Read, change, PUT: the status. */
static long
write_once(struct json_object *device, const char *who, unsigned int n)
{
	AUTO_FREE char *path =
	    xasprintf("/api/v1/devices/%s", js_str(device, "/metadata/name"));
	AUTO_FREE char *value = xasprintf("%u", n);
	struct json_object *body = js_make(
	    "{\"apiVersion\":\"flightctl.io/v1beta1\",\"kind\":\"Device\","
	    "\"metadata\":{\"name\":\"%s\",\"resourceVersion\":\"%s\"}}",
	    js_str(device, "/metadata/name"),
	    js_str(device, "/metadata/resourceVersion"));
	struct json_object *labels = js_get(device, "/metadata/labels");
	struct json_object *spec = js_get(device, "/spec");

	json_object_object_add(labels, who, json_object_new_string(value));
	put_element(spec, "applications", application(who, n));
	put_element(spec, "config", config(who, n));
	json_object_object_add(js_get(body, "/metadata"), "labels",
	    json_object_get(labels));
	json_object_object_add(body, "spec", json_object_get(spec));
	return flight_put(path, body);
}

static void
change(struct tale *t, const char *who, unsigned int d)
{
	AUTO_JSON struct json_object *device = flight_device(names[d]);
	long status;

	if (!is_kept(device, who, t->last[d]))
		t->lost++;
	status = write_once(device, who, t->last[d] + 1);
	if (status == 200) {
		t->last[d]++;
		t->writes++;
	} else if (status == 409) {
		t->overtaken++;
	} else {
		it_die("writer %s: PUT %s: %ld", who, names[d], status);
	}
}

__attribute__((noreturn)) static void
write_on(unsigned int i, int64_t until, int out)
{
	AUTO_FREE char *who = xasprintf("writer-%u", i);
	struct tale t = { .who = i };

	world_reopen();
	srandom(i + 1);
	while (it_ms() < until) {
		change(&t, who, (unsigned int)random() % DEVICES);
		it_pause(PAUSE_MS + (int)(random() % PAUSE_MORE_MS));
	}
	fflush(stdout);
	_exit(write(out, &t, sizeof(t)) == sizeof(t) ? 0 : 1);
}

/* --- ours ---------------------------------------------------------------- */

/* Of every pod: what is in spec.config changes too. */
static void
make_files(void)
{
	AUTO_JSON struct json_object *there = kube_get(CONFIG_MAPS "/writers");

	if (there == NULL)
		kube_send("POST", CONFIG_MAPS,
		    js_make("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\","
			    "\"metadata\":{\"name\":\"writers\"},"
			    "\"data\":{\"a\":\"1\"}}"),
		    NULL);
}

/* One more pod, and the oldest goes when there are enough. */
static void
churn(unsigned int n)
{
	AUTO_FREE char *name = xasprintf("writers-%u", n), *old = NULL;

	free(pod_create(name,
	    &(struct pod_conf){ .app = "writers",
		.spec = VOLUME,
		.container = MOUNT,
		.cpu = "10m" }));
	if (n < PODS)
		return;
	old = xasprintf("writers-%u", n - PODS);
	pod_delete(old);
}

static int
is_ours_alone(struct json_object *set, void *arg)
{
	size_t *n = arg;

	*n = flight_count(set);
	return *n == PODS;
}

/* Those that were to go are gone, the others run. */
static int
are_running(struct json_object *set, void *arg)
{
	struct lh_entry *at = NULL;
	struct json_object *pod;
	unsigned int *n = arg;

	*n = 0;
	while (js_next(set, &at, NULL, &pod))
		*n += strcmp(js_str(pod, "/status/phase"), "Running") == 0;
	return *n == PODS && json_object_object_length(set) == PODS;
}

static void
calm_down(void)
{
	int64_t since = it_ms();
	unsigned int n = 0;
	size_t apps = 0;
	int ok;

	ok = kube_await(KUBE_PODS "?labelSelector=app%3Dwriters", are_running,
	    &n, CALM_MS);
	it_took(since, ok, "%u of %d pods are Running, no other is left", n,
	    PODS);
	ok = flight_await(is_ours_alone, &apps,
	    CALM_MS - (int)(it_ms() - since));
	it_took(since, ok, "%zu applications are in the specs", apps);
}

/* --- and both ------------------------------------------------------------ */

static unsigned int
kept_at_the_end(const struct tale *t, unsigned int i, struct json_object *set)
{
	AUTO_FREE char *who = xasprintf("writer-%u", i);
	unsigned int d, kept = 0;

	for (d = 0; d < DEVICES; d++) {
		AUTO_FREE char *path = xasprintf("/%s", names[d]);

		kept += is_kept(js_get(set, path), who, t->last[d]);
	}
	return kept;
}

static void
hear(int in)
{
	AUTO_JSON struct json_object *set = flight_devices();
	unsigned int i, writes = 0, overtaken = 0, lost = 0, kept = 0;
	struct tale tales[WRITERS];

	/* Their order is that of their ends. */
	for (i = 0; i < WRITERS; i++)
		if (read(in, &tales[i], sizeof(tales[i])) != sizeof(tales[i]))
			it_die("a writer failed");
	for (i = 0; i < WRITERS; i++) {
		writes += tales[i].writes;
		overtaken += tales[i].overtaken;
		lost += tales[i].lost;
		kept += kept_at_the_end(&tales[i], tales[i].who, set);
	}
	it_ok(writes > 0 && lost == 0,
	    "%u of their %u changes are lost (%u more were overtaken)", lost,
	    writes, overtaken);
	it_ok(kept == WRITERS * DEVICES,
	    "%u of %d last words of theirs are there at the end", kept,
	    WRITERS * DEVICES);
}

static void
judge_ours(void)
{
	struct byte_true b = byte_true_look();

	it_ok(b.accepted > 0 && b.wrong == 0,
	    "%zu of our %zu writes changed a byte that is not ours "
	    "(%zu accepted, %zu overtaken)",
	    b.wrong, b.writes, b.accepted, b.overtaken);
}

static int
seconds(void)
{
	const char *s = getenv("WRITERS_S");

	if (s != NULL)
		return atoi(s);
	return world_kind() == WORLD_SIM ? 10 : 60;
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL;
	AUTO_FREE char *url = NULL, *setting = NULL, *rate = NULL;
	struct provider *p;
	unsigned int i, n = 0;
	int64_t until;
	int fds[2];

	world_open(&(struct world_conf){ .devices = DEVICES });
	learn_names();
	url = tap_start(&(struct tap_conf){ .base = getenv("FLIGHTCTL_API_URL"),
	    .ca_file = getenv("FLIGHTCTL_CA_FILE") });
	setting = xasprintf("FLIGHTCTL_API_URL=%s", url);
	if (getenv("WRITERS_RATE") != NULL)
		rate = xasprintf("FLIGHTCTL_RATE=%s", getenv("WRITERS_RATE"));
	p = provider_start("provider", (const char *[]){ setting, rate, NULL });
	provider_expect(p, "is plain http"); /* the way to the proxy */
	if ((node = node_is_ready(READY_MS)) == NULL || pipe(fds) == -1)
		return;
	make_files();
	until = it_ms() + seconds() * 1000;
	fflush(stdout);
	for (i = 0; i < WRITERS; i++)
		if (fork() == 0)
			write_on(i, until, fds[1]);
	while (it_ms() < until || n < PODS) {
		churn(n++);
		it_pause(POD_MS);
	}
	close(fds[1]);
	calm_down();
	hear(fds[0]);
	judge_ours();
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("writers", scenario);
}
