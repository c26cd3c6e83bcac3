/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as a Pod: what is rendered can be checked and passes the check,
 * and is valid itself; files that are made anew from its recipe are the same;
 * of two opposite wishes one holds.
 *
 * Records after the Pod, a line's end in each: "cNAME" or "sNAME" and the
 * ConfigMap or Secret of that name.  None: those of the golden pods.
 */
#include <string.h>

#include "common/auto.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "placer/pod.h"
#include "placer/quadlet.h"
#include "t/fuzz/target.h"
#include "t/unit/golden.h"

enum {
	OBJECTS = 4,
};

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

static struct span
text(const char *s)
{
	return (struct span){ s, strlen(s) };
}

static size_t
read_objects(struct span rest, struct quadlet_object *list)
{
	struct span record;
	const char *end;
	size_t n = 0;

	while (n < OBJECTS && target_record(&rest, &record)) {
		if (record.len == 0 ||
		    (end = memchr(record.p, '\n', record.len)) == NULL)
			continue;
		list[n].secret = record.p[0] == 's';
		list[n].name =
		    xstrndup(record.p + 1, (size_t)(end - record.p - 1));
		list[n].object.p = end + 1;
		list[n++].object.len =
		    record.len - (size_t)(end + 1 - record.p);
	}
	if (n > 0)
		return n;
	list[0] =
	    (struct quadlet_object){ xstrdup("shop"), 0, text(GOLDEN_SHOP) };
	list[1] =
	    (struct quadlet_object){ xstrdup("key"), 1, text(GOLDEN_KEY) };
	return 2;
}

/* -- what it wishes -- */

static void
weigh(const struct term *t)
{
	static const enum selector_op opposite[] = {
		[SEL_IN] = SEL_NOT_IN,
		[SEL_NOT_IN] = SEL_IN,
		[SEL_EXISTS] = SEL_NOT_EXISTS,
		[SEL_NOT_EXISTS] = SEL_EXISTS,
		[SEL_GT] = SEL_LT,
		[SEL_LT] = SEL_GT,
	};
	static char keys[][20] = { "zone", "cores", "kubernetes.io/arch" };
	static char values[][8] = { "a", "8", "amd64" };
	static const struct label labels[] = { { keys[0], values[0] },
		{ keys[1], values[1] }, { keys[2], values[2] } };
	const struct bearer bearer = { { { labels, 2 }, { labels + 2, 1 } },
		"d" };
	int all = 1, one, other;
	struct requirement not ;
	size_t i;

	for (i = 0; i < t->nreqs; i++) {
		not = t->reqs[i];
		not .op = opposite[not .op];
		one = term_holds(&(struct term){ &t->reqs[i], 1, 0 }, &bearer);
		other = term_holds(&(struct term){ &not, 1, 0 }, &bearer);
		must(one + other <= 1);
		must(
		    one + other == 1 || not .op == SEL_GT || not .op == SEL_LT);
		all &= one;
	}
	must(term_holds(t, &bearer) == all);
}

static void
look_at(const struct pod *pod)
{
	const struct wish *w = pod->wish;
	size_t i;

	must(pod_phase_name(pod->seen.phase) != NULL);
	for (i = 0; i < COND_COUNT; i++)
		must(pod_truth_name(pod->seen.cond[i].status) != NULL);
	if (w == NULL)
		return;
	weigh(&w->selector);
	weigh(&w->device);
	for (i = 0; i < w->nrequired; i++)
		weigh(&w->required[i]);
	for (i = 0; i < w->npreferred; i++)
		weigh(&w->preferred[i]);
}

/* -- what becomes of it -- */

static void
render(const struct quadlet_in *in, const struct pod *pod)
{
	struct quadlet q;
	struct quadlet_needs needs;

	if (quadlet_render(in, &q, NULL) == 0 &&
	    (quadlet_check(in, NULL) == -1 ||
		!scan_is_valid(span_of(q.application))))
		abort();
	if (q.application != NULL && pod != NULL && pod->recipe != NULL)
		make_anew(*in, pod->recipe, &q);
	quadlet_clear(&q);
	if (quadlet_needs(in->pod, &needs, NULL) == 0)
		quadlet_needs_clear(&needs);
}

static void
fuzz_pod(struct span input)
{
	size_t size = input.len, i;
	struct quadlet_object objects[OBJECTS] = { 0 };
	struct quadlet_in in = { .app = "k8s-0123456789-x",
		.cluster = "c",
		.node = "n",
		.host = size % 3 == 0,
		.registries = size % 7 == 0 ? "quay.io" : NULL,
		.secrets = size % 5 != 0,
		.objects = objects };
	struct pod *pod;

	if (!target_record(&input, &in.pod))
		return;
	in.nobjects = read_objects(input, objects);
	if ((pod = pod_parse(in.pod, NULL)) != NULL)
		look_at(pod);
	render(&in, pod);
	pod_free(pod);
	for (i = 0; i < in.nobjects; i++)
		free(objects[i].name);
}

TARGET(pod, fuzz_pod);
