/* SPDX-License-Identifier: ISC */
/* render.c: what translating one small pod costs, and what it becomes. */
#include <stdio.h>
#include <string.h>

#include "common/mono.h"
#include "placer/quadlet.h"

#define POD                                                               \
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":" \
	"\"web\",\"namespace\":\"default\",\"uid\":\"0c9f5a1e-77f1-4b64-" \
	"9c3e-7a1f2f5f2f12\"},\"spec\":{\"containers\":[{\"name\":\"c\"," \
	"\"image\":\"quay.io/a/b:1\"}]}}"

enum {
	ROUNDS = 5000
};

int
main(void)
{
	struct quadlet_in in = { .pod = { POD, sizeof(POD) - 1 },
		.app = "vk-0c9f5a1e-web",
		.cluster = "0c9f5a1e-77f1-4b64-9c3e-7a1f2f5f2f11",
		.node = "edge",
		.cpu_m = 100,
		.memory = 64 << 20 };
	struct quadlet q;
	struct why why;
	int64_t began = now_us();
	size_t bytes = 0;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if (quadlet_render(&in, &q, &why) == -1) {
			fprintf(stderr, "render: %s\n", why.text);
			return 1;
		}
		bytes = strlen(q.application);
		quadlet_clear(&q);
	}
	printf("figure rendered %.0f 1/s\n",
	    ROUNDS * 1e6 / (double)(now_us() - began));
	printf("figure application %zu B\n", bytes);
	return 0;
}
