/* SPDX-License-Identifier: ISC */
/*
 * captured_others.c: a node, its pod and Lease, a Secret, a device and an
 * application that are not ours.
 */
#include "t/it/captured_others.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/world.h"

#define OTHERS_LEASES \
	"/apis/coordination.k8s.io/v1/namespaces/vk-flightctl/leases"

/* Objects whose every byte stays. */
static struct {
	const char *path;
	char *before;
} others[] = {
	{ "/api/v1/namespaces/default/pods/bystander", NULL },
	{ "/api/v1/nodes/elsewhere", NULL },
	{ OTHERS_LEASES "/elsewhere", NULL },
	{ "/api/v1/namespaces/default/secrets/secret", NULL },
};

#define OTHERS (sizeof(others) / sizeof(others[0]))

static char *foreign_spec, *foreign_app;

static char *
text_at(const char *path)
{
	AUTO_JSON struct json_object *j = kube_get(path);

	return j == NULL ? xstrdup("") : js_text(j, "");
}

/* On a device of ours, too, is an application of others. */
static char *
others_application(void)
{
	AUTO_JSON struct json_object *d = flight_device("captured-0");
	struct json_object *app =
	    js_find(d, "/spec/applications", "name", "foreign");

	return xstrdup(app == NULL ? "" : json_object_to_json_string(app));
}

static char *
others_spec(void)
{
	AUTO_JSON struct json_object *d = flight_device("captured-2");

	return js_text(d, "/spec");
}

void
others_judge(const char *who)
{
	AUTO_FREE char *spec = others_spec(), *app = others_application();
	unsigned int same = 0;
	size_t i;

	for (i = 0; i < OTHERS; i++) {
		AUTO_FREE char *now = text_at(others[i].path);

		same += strcmp(now, others[i].before) == 0;
	}
	it_ok(same == OTHERS,
	    "%s: another node, its Lease, its pod and a Secret are as they "
	    "were",
	    who);
	it_ok(strcmp(spec, foreign_spec) == 0,
	    "%s: so is the device of another fleet", who);
	it_ok(*foreign_app != '\0' && strcmp(app, foreign_app) == 0,
	    "%s: and the application of others on a device of ours", who);
}

void
others_remember(void)
{
	size_t i;

	for (i = 0; i < OTHERS; i++)
		others[i].before = text_at(others[i].path);
	foreign_spec = others_spec();
	foreign_app = others_application();
}

static void
make(const char *path, const char *text)
{
	long status = kube_send("POST", path, js_make("%s", text), NULL);

	if (status / 100 != 2)
		it_die("POST %s: %ld", path, status);
}

void
others_make(void)
{
	make(KUBE_NODES, "{\"metadata\":{\"name\":\"elsewhere\"}}");
	make(OTHERS_LEASES,
	    "{\"metadata\":{\"name\":\"elsewhere\"},\"spec\":{"
	    "\"holderIdentity\":\"somebody\",\"leaseDurationSeconds\":15}}");
	make("/api/v1/namespaces/default/secrets",
	    "{\"metadata\":{\"name\":\"secret\"},\"data\":{\"k\":\"dg==\"}}");
	make("/api/v1/namespaces/default/configmaps",
	    "{\"metadata\":{\"name\":\"asked\"},\"data\":{\"k\":\"v\"}}");
	make(KUBE_PODS,
	    "{\"metadata\":{\"name\":\"bystander\"},\"spec\":{\"nodeName\":"
	    "\"elsewhere\",\"containers\":[{\"name\":\"main\",\"image\":"
	    "\"busybox\",\"envFrom\":[{\"secretRef\":{\"name\":\"secret\"}}]"
	    "}]}}");
	flight_relabel("captured-2", "\"fleet\":\"foreign\"");
	free(world_tell(SIM_FLIGHT, "foreign-app captured-2 foreign"));
	free(world_tell(SIM_FLIGHT, "foreign-app captured-0 foreign"));
}
