/* SPDX-License-Identifier: ISC */
/*
 * kubebind.c: pods become bound to nodes.
 *
 * Owns the binding subresource and what binding changes in a pod.  Whether
 * the node exists or fits is not looked at, as on the real server.
 */

#include <string.h>

#include <json-c/json.h>

#include "t/sim/kube.h"
#include "t/sim/kubebody.h"
#include "t/sim/kuberule.h"
#include "t/sim/web.h"

void
kbind_topology(struct kube *kube, struct json_object *pod, const char *node)
{
	static const char *const labels[] = { "topology.kubernetes.io/zone",
		"topology.kubernetes.io/region" };
	struct kobj *o;
	size_t i, k;

	if (node[0] == '\0' ||
	    (o = kstore_get(kube->store, KUBE_NODES, "", node)) == NULL)
		return;
	for (i = 0; i < o->nlabels; i++)
		for (k = 0; k < 2; k++)
			if (strcmp(o->labels[i].key, labels[k]) == 0)
				kset(kmake_obj(kmake_obj(pod, "metadata"),
					 "labels"),
				    labels[k], o->labels[i].value);
}

static int
may_bind(const struct kobj *o, const char *uid, struct kfail *f)
{
	const char *on = kobj_field(o, "spec.nodeName");

	if (uid != NULL && uid[0] != '\0' && strcmp(uid, o->uid) != 0)
		return kfail(f, 409, "Conflict", kdetails(o->name, "", "pods"),
		    "Operation cannot be fulfilled on pods \"%s\": "
		    "StorageError: invalid object, Code: 4, Key: "
		    "/registry/pods/%s, ResourceVersion: 0, "
		    "AdditionalErrorMsg: Precondition failed: UID in "
		    "precondition: %s, UID in object meta: %s",
		    o->name, o->key, uid, o->uid);
	if (o->terminating)
		return kfail(f, 409, "Conflict",
		    kdetails(o->name, "", "pods/binding"),
		    "Operation cannot be fulfilled on pods/binding \"%s\": "
		    "pod %s is being deleted, cannot be assigned to a host",
		    o->name, o->name);
	if (on[0] != '\0')
		return kfail(f, 409, "Conflict",
		    kdetails(o->name, "", "pods/binding"),
		    "Operation cannot be fulfilled on pods/binding \"%s\": "
		    "pod %s is already assigned to node \"%s\"",
		    o->name, o->name, on);
	return 0;
}

int
kbind_pod(struct kube *kube, struct kobj *o, const char *node, const char *uid,
    struct kfail *f)
{
	struct json_object *tree;
	struct kobj *put;

	if (may_bind(o, uid, f) == -1)
		return -1;
	tree = kobj_tree(o);
	kset(kmake_obj(tree, "spec"), "nodeName", node);
	kbind_topology(kube, tree, node);
	kcondition_set(kmake_obj(tree, "status"),
	    kcondition_new("PodScheduled", "True", NULL, NULL));
	put = kwrite_put(kube, KUBE_PODS, tree, f);
	json_object_put(tree);
	return put != NULL ? 0 : -1;
}

static struct json_object *
created(void)
{
	struct json_object *s = json_object_new_object();

	kset(s, "kind", "Status");
	kset(s, "apiVersion", "v1");
	json_object_object_add(s, "metadata", json_object_new_object());
	kset(s, "status", "Success");
	json_object_object_add(s, "code", json_object_new_int(201));
	return s;
}

void
kbind_create(struct kreq *r)
{
	struct kfail f = { .code = 0 };
	struct json_object *b = kbody_other(r, "Binding", &f);
	const char *node = b != NULL ? kget(b, "target", "name") : "";
	struct kobj *o = kstore_get(r->kube->store, KUBE_PODS, r->ns, r->name);
	struct kproblems ps = { NULL, 0 };

	if (b == NULL) {
		kreq_fail(r, &f);
		return;
	}
	if (o == NULL) {
		kfail_not_found(&f, KUBE_PODS, r->name);
	} else if (node[0] == '\0') {
		kproblem(&ps, PROBLEM_REQUIRED, "target.name", NULL, NULL);
		kproblems_fail(&ps, KUBE_PODS, r->name, &f);
	} else {
		kbind_pod(r->kube, o, node, kget(b, "metadata", "uid"), &f);
	}
	if (f.code != 0)
		kreq_fail(r, &f);
	else
		kreq_json(r, 201, created());
	json_object_put(b);
}
