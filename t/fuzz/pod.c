/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as a Pod: what is rendered can be checked and passes the check,
 * and is valid itself; files that are made anew from its recipe are the same.
 */
#include <string.h>

#include "common/auto.h"
#include "common/scan.h"
#include "placer/pod.h"
#include "placer/quadlet.h"
#include "t/fuzz/target.h"

static void
make_anew(struct quadlet_in in, const char *recipe, const struct quadlet *whole)
{
	struct quadlet files;
	size_t i, k;

	in.pod = span_of(recipe);
	if (quadlet_live(&in, &files, NULL) == -1)
		abort();
	for (i = 0; i < files.nconfigs; i++) {
		for (k = 0; k < whole->nconfigs; k++)
			if (strcmp(files.configs[i], whole->configs[k]) == 0)
				break;
		if (k == whole->nconfigs)
			abort();
	}
	quadlet_clear(&files);
}

static void
fuzz_pod(struct span input)
{
	size_t size = input.len;
	const struct quadlet_object object = { (char[]){ "shop" }, size % 2,
		{ "{\"data\":{\"a\":\"Yg==\"}}", 21 } };
	struct quadlet_in in = { .pod = input,
		.app = "k8s-0123456789-x",
		.cluster = "c",
		.node = "n",
		.host = size % 3 == 0,
		.secrets = size % 5 != 0,
		.objects = &object,
		.nobjects = 1 };
	struct quadlet q;
	struct quadlet_needs needs;
	struct pod *pod;

	pod = pod_parse(in.pod, NULL);
	if (quadlet_render(&in, &q, NULL) == 0 &&
	    (quadlet_check(&in, NULL) == -1 ||
		!scan_is_valid(span_of(q.application))))
		abort();
	if (q.application != NULL && pod != NULL && pod->recipe != NULL)
		make_anew(in, pod->recipe, &q);
	pod_free(pod);
	quadlet_clear(&q);
	if (quadlet_needs(in.pod, &needs, NULL) == 0)
		quadlet_needs_clear(&needs);
}

TARGET(pod, fuzz_pod);
