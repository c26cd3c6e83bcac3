/* SPDX-License-Identifier: ISC */
/*
 * render.c: what translating one small pod costs, what it becomes, and what
 * the device policy takes to look at it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/bytes.h"
#include "common/mark.h"
#include "common/mono.h"
#include "common/xmem.h"
#include "flightside/admit.h"
#include "placer/quadlet.h"

#define UID "%08x-77f1-4b64-9c3e-7a1f2f5f2f12"
#define POD                                                               \
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":" \
	"\"web\",\"namespace\":\"default\",\"uid\":\"%s\"},"              \
	"\"spec\":{\"containers\":[{\"name\":\"c\","                      \
	"\"image\":\"quay.io/a/b:1\"}]}}"

#define CLUSTER "0c9f5a1e-77f1-4b64-9c3e-7a1f2f5f2f11"

enum {
	ROUNDS = 5000,
	PODS = 20, /* of a device, all of them new to the policy */
	LOOKS = 250,
};

/* One pod translated n times; the element is the caller's. */
static char *
render(unsigned int pod, int n, double *rate)
{
	AUTO_FREE char *uid = xasprintf(UID, pod);
	AUTO_FREE char *text = xasprintf(POD, uid);
	char app[MAX_APP + 1], *element = NULL;
	struct quadlet_in in = { .pod = span_of(text),
		.app = app,
		.cluster = CLUSTER,
		.node = "edge",
		.cpu_m = 100,
		.memory = 64 << 20 };
	struct quadlet q;
	struct why why;
	int64_t began = now_us();
	int i;

	if (mark_name(CLUSTER, "default", "web", uid, app) == -1)
		return NULL;
	for (i = 0; i < n; i++) {
		if (quadlet_render(&in, &q, &why) == -1) {
			fprintf(stderr, "render: %s\n", why.text);
			return NULL;
		}
		free(element);
		element = xstrdup(q.application);
		quadlet_clear(&q);
	}
	*rate = n * 1e6 / (double)(now_us() - began);
	return element;
}

static int
look(void)
{
	static const struct admit_rules rules = { .cluster = CLUSTER,
		.registries = "" };
	AUTO_BYTES struct bytes spec = { 0 };
	struct why why;
	double rate;
	int64_t began;
	int i;

	bytes_add_text(&spec, "{\"applications\":[");
	for (i = 0; i < PODS; i++) {
		AUTO_FREE char *element = render((unsigned int)i, 1, &rate);

		bytes_add_text(&spec, i == 0 ? "" : ",");
		bytes_add_text(&spec, element);
	}
	bytes_add_text(&spec, "]}");
	began = now_us();
	for (i = 0; i < LOOKS; i++)
		if (admit(&rules, span_of("{}"), bytes_span(&spec), &why) ==
		    -1) {
			fprintf(stderr, "admit: %s\n", why.text);
			return -1;
		}
	printf("figure admit %.1f us\n",
	    (double)(now_us() - began) / LOOKS / PODS);
	return 0;
}

int
main(void)
{
	AUTO_FREE char *element = NULL;
	double rate;

	if ((element = render(0, ROUNDS, &rate)) == NULL)
		return 1;
	printf("figure rendered %.0f 1/s\n", rate);
	printf("figure application %zu B\n", strlen(element));
	return look() == -1;
}
