/* SPDX-License-Identifier: ISC */
/*
 * kubenode.c: rules of nodes (pure).
 *
 * Owns admission's not-ready taint, the tie of podCIDR and podCIDRs and what
 * is refused.  What controllers do to nodes later is in kubectl.c.
 */

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/sim/kubequant.h"
#include "t/sim/kuberule.h"

#define NOT_READY "node.kubernetes.io/not-ready"

/* TaintNodesByCondition: nobody is scheduled before a controller looked. */
void
knode_default(struct json_object *o)
{
	struct json_object *spec = kmake_obj(o, "spec"), *taint;
	struct json_object *list = kget_obj(spec, "taints", NULL);
	size_t i;

	if (!json_object_is_type(list, json_type_array)) {
		list = json_object_new_array();
		json_object_object_add(spec, "taints", list);
	}
	for (i = 0; i < json_object_array_length(list); i++) {
		taint = json_object_array_get_idx(list, i);
		if (strcmp(kget(taint, "key", NULL), NOT_READY) == 0 &&
		    strcmp(kget(taint, "effect", NULL), "NoSchedule") == 0)
			return;
	}
	taint = json_object_new_object();
	kset(taint, "key", NOT_READY);
	kset(taint, "effect", "NoSchedule");
	json_object_array_add(list, taint);
}

/* podCIDR is podCIDRs[0]. */
void
knode_normalise(struct json_object *o)
{
	struct json_object *spec = kget_obj(o, "spec", NULL);
	struct json_object *list = kget_obj(spec, "podCIDRs", NULL);
	const char *one = kget(spec, "podCIDR", NULL), *first = "";

	if (json_object_is_type(list, json_type_array) &&
	    json_object_array_length(list) != 0)
		first =
		    json_object_get_string(json_object_array_get_idx(list, 0));
	if (one[0] != '\0' && strcmp(one, first) != 0) {
		list = json_object_new_array();
		json_object_array_add(list, json_object_new_string(one));
		json_object_object_add(spec, "podCIDRs", list);
	} else if (one[0] == '\0' && first[0] != '\0') {
		kset(spec, "podCIDR", first);
	}
}

static int
is_extended(const char *name)
{
	return strchr(name, '/') != NULL &&
	    strncmp(name, "kubernetes.io/", 14) != 0;
}

static void
check_figures(struct json_object *status, const char *which,
    struct kproblems *ps)
{
	struct json_object *list = kget_obj(status, which, NULL);
	struct json_object_iter it;
	struct kquant q;
	char text[64];

	if (!json_object_is_type(list, json_type_object))
		return;
	json_object_object_foreachC(list, it)
	{
		AUTO_FREE char *field =
		    xasprintf("status.%s.%s", which, it.key);

		if (kquant_parse(json_object_get_string(it.val), &q) == -1)
			continue;
		kquant_format(&q, text, sizeof(text));
		if (q.nanos < 0)
			kproblem_string(ps, field, text,
			    "must be greater than or equal to 0");
		else if (is_extended(it.key) && !kquant_whole(&q))
			kproblem_string(ps, field, text, "must be an integer");
	}
}

static void
check_taints(struct json_object *spec, struct kproblems *ps)
{
	struct json_object *list = kget_obj(spec, "taints", NULL), *o;
	const char *effect, *why;
	size_t i;

	if (!json_object_is_type(list, json_type_array))
		return;
	for (i = 0; i < json_object_array_length(list); i++) {
		AUTO_FREE char *key = xasprintf("spec.taints[%zu].key", i);
		AUTO_FREE char *eff = xasprintf("spec.taints[%zu].effect", i);

		o = json_object_array_get_idx(list, i);
		effect = kget(o, "effect", NULL);
		if ((why = kname_qualified(kget(o, "key", NULL))) != NULL)
			kproblem_string(ps, key, kget(o, "key", NULL), why);
		if (effect[0] == '\0')
			kproblem(ps, PROBLEM_REQUIRED, eff, NULL, NULL);
	}
}

void
knode_check(struct json_object *old, struct json_object *now,
    struct kproblems *ps)
{
	const char *was = old != NULL ? kget(old, "spec", "podCIDR") : "";
	struct json_object *status = kget_obj(now, "status", NULL);

	check_figures(status, "capacity", ps);
	check_figures(status, "allocatable", ps);
	check_taints(kget_obj(now, "spec", NULL), ps);
	if (was[0] != '\0' && strcmp(was, kget(now, "spec", "podCIDR")) != 0)
		kproblem(ps, PROBLEM_FORBIDDEN, "spec.podCIDRs",
		    "node updates may not change podCIDR except from \"\" to "
		    "valid",
		    NULL);
}
