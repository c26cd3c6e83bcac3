/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as a Pod: what is rendered can be checked and passes the check,
 * and is valid itself.
 */
#include <stdlib.h>

#include "common/auto.h"
#include "common/scan.h"
#include "placer/pod.h"
#include "placer/quadlet.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct quadlet_object object = { (char[]){ "shop" }, size % 2,
		{ "{\"data\":{\"a\":\"Yg==\"}}", 21 } };
	struct quadlet_in in = { .pod = { (const char *)data, size },
		.app = "k8s-0123456789-x",
		.cluster = "c",
		.node = "n",
		.host = size % 3 == 0,
		.secrets = size % 5 != 0,
		.objects = &object,
		.nobjects = 1 };
	struct quadlet q;
	struct quadlet_needs needs;

	pod_free(pod_parse(in.pod, NULL));
	if (quadlet_render(&in, &q, NULL) == 0 &&
	    (quadlet_check(&in, NULL) == -1 ||
		!scan_is_valid(span_of(q.application))))
		abort();
	quadlet_clear(&q);
	if (quadlet_needs(in.pod, &needs, NULL) == 0)
		quadlet_needs_clear(&needs);
	return 0;
}
