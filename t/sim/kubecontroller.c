/* SPDX-License-Identifier: ISC */
/*
 * kubecontroller.c: the little that controllers do to objects we write: a
 * node's taints follow its Ready condition, its leases go with it, a
 * namespace that was deleted is emptied.
 *
 * Owns timers only; every change is an ordinary write, some time after the
 * one it answers, as on the real server.
 */

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <json-c/json.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/sim/kube.h"
#include "t/sim/kuberule.h"

#define NOT_READY "node.kubernetes.io/not-ready"
#define UNREACHABLE "node.kubernetes.io/unreachable"

enum what {
	DO_NODE,	/* taints, of a node that changed */
	DO_NODE_NEW,	/* labels and taints, of a new one */
	DO_NODE_SILENT, /* taints of a node that never posted */
	DO_LEASES,	/* of a node (its uid) that is gone */
	DO_NAMESPACE,	/* content, then itself */
};

static const struct timeval delays[] = {
	[DO_NODE] = { 0, 10000 },
	[DO_NODE_NEW] = { 0, 200000 },
	[DO_NODE_SILENT] = { 0, 500000 },
	[DO_LEASES] = { 0, 100000 },
	[DO_NAMESPACE] = { 0, 50000 },
};

struct job {
	struct kcontrollers *all;
	enum what what;
	char *name;
	struct event *timer;
	TAILQ_ENTRY(job) entry;
};

struct kcontrollers {
	struct kube *kube;
	struct ksub nodes, pods;
	TAILQ_HEAD(, job) jobs;
};

static void
put(struct kube *kube, enum kid kid, struct json_object *tree)
{
	struct kfail f = { .code = 0 };

	kwrite_put(kube, kid, tree, &f);
	kfail_clear(&f);
}

/* --- nodes --- */

/* Makes a NoSchedule taint be there, or not. */
static void
taint(struct json_object *spec, const char *key, int wanted)
{
	struct json_object *list = kget_obj(spec, "taints", NULL), *o;
	char now[32];
	size_t i;

	if (!json_object_is_type(list, json_type_array)) {
		list = json_object_new_array();
		json_object_object_add(spec, "taints", list);
	}
	for (i = 0; i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		if (strcmp(kget(o, "key", NULL), key) != 0 ||
		    strcmp(kget(o, "effect", NULL), "NoSchedule") != 0)
			continue;
		if (!wanted)
			json_object_array_del_idx(list, i, 1);
		return;
	}
	if (!wanted)
		return;
	o = json_object_new_object();
	kset(o, "key", key);
	kset(o, "effect", "NoSchedule");
	ktime_now(now, sizeof(now), 0);
	kset(o, "timeAdded", now);
	json_object_array_add(list, o);
}

static void
copy_label(struct json_object *labels, const char *to, const char *from)
{
	const char *value = kget(labels, from, NULL);

	if (value[0] != '\0')
		kset(labels, to, value);
}

static void
settle_node(struct kube *kube, const char *name, enum what what)
{
	struct kobj *o = kstore_get(kube->store, KUBE_NODES, "", name);
	struct json_object *tree, *meta, *labels, *ready;
	const char *is;

	if (o == NULL)
		return;
	tree = kobj_tree(o);
	meta = kget_obj(tree, "metadata", NULL);
	labels = kmake_obj(meta, "labels");
	copy_label(labels, "beta.kubernetes.io/arch", "kubernetes.io/arch");
	copy_label(labels, "beta.kubernetes.io/os", "kubernetes.io/os");
	kdefault(kmake_obj(meta, "annotations"), "node.alpha.kubernetes.io/ttl",
	    "0");
	ready = kcondition_find(kget_obj(tree, "status", NULL), "Ready");
	is = kget(ready, "status", NULL);
	if (ready != NULL || what == DO_NODE_SILENT) {
		taint(kmake_obj(tree, "spec"), NOT_READY,
		    strcmp(is, "False") == 0);
		taint(kmake_obj(tree, "spec"), UNREACHABLE,
		    strcmp(is, "Unknown") == 0);
	}
	put(kube, KUBE_NODES, tree);
	json_object_put(tree);
}

static void
unready_pod(struct kube *kube, struct kobj *o)
{
	struct json_object *tree = kobj_tree(o), *ready;
	char now[32];

	ready = kcondition_find(kget_obj(tree, "status", NULL), "Ready");
	if (strcmp(kget(ready, "status", NULL), "True") == 0) {
		ktime_now(now, sizeof(now), 0);
		kset(ready, "status", "False");
		kset(ready, "lastTransitionTime", now);
		put(kube, KUBE_PODS, tree);
	}
	json_object_put(tree);
}

int
kcontrollers_node_unknown(struct kube *kube, const char *name)
{
	static const char *const types[] = { "Ready", "MemoryPressure",
		"DiskPressure", "PIDPressure" };
	struct kobj *o = kstore_get(kube->store, KUBE_NODES, "", name);
	struct json_object *tree, *status;
	size_t i;

	if (o == NULL)
		return -1;
	tree = kobj_tree(o);
	status = kmake_obj(tree, "status");
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		kcondition_set(status,
		    kcondition_new(types[i], "Unknown", "NodeStatusUnknown",
			"Kubelet stopped posting node status."));
	taint(kmake_obj(tree, "spec"), UNREACHABLE, 1);
	put(kube, KUBE_NODES, tree);
	json_object_put(tree);
	for (i = 0; i < kstore_count(kube->store, KUBE_PODS); i++) {
		o = kstore_at(kube->store, KUBE_PODS, i);
		if (strcmp(kobj_field(o, "spec.nodeName"), name) == 0)
			unready_pod(kube, o);
	}
	return 0;
}

static int
owned_by(const struct kobj *o, const char *uid)
{
	struct json_object *tree = kobj_tree(o);
	struct json_object *list =
	    kget_obj(tree, "metadata", "ownerReferences");
	size_t i,
	    n = json_object_is_type(list, json_type_array) ?
	    json_object_array_length(list) :
	    0;
	int found = 0;

	for (i = 0; i < n && !found; i++)
		found = strcmp(kget(json_object_array_get_idx(list, i), "uid",
				   NULL),
			    uid) == 0;
	json_object_put(tree);
	return found;
}

static void
drop_leases(struct kube *kube, const char *uid)
{
	size_t i = kstore_count(kube->store, KUBE_LEASES);
	struct kobj *o;

	while (i-- > 0) {
		o = kstore_at(kube->store, KUBE_LEASES, i);
		if (owned_by(o, uid))
			kstore_remove(kube->store, o, NULL, NULL);
	}
}

/* --- namespaces --- */

/* Empties it; what is left are pods that wait for their agents. */
static size_t
empty(struct kube *kube, const char *ns)
{
	struct kfail f = { .code = 0 };
	size_t i, left = 0;
	struct kobj *o;
	enum kid kid;

	for (kid = 0; kid < KUBE_KINDS; kid++) {
		i = kresource(kid)->namespaced ?
		    kstore_count(kube->store, kid) :
		    0;
		while (i-- > 0) {
			o = kstore_at(kube->store, kid, i);
			if (strcmp(o->ns, ns) != 0)
				continue;
			if (kid != KUBE_PODS) {
				kstore_remove(kube->store, o, NULL, NULL);
				continue;
			}
			left++;
			if (!o->terminating)
				kdelete_pod(kube, o, KGRACE_UNSET, &f);
		}
	}
	kfail_clear(&f);
	return left;
}

static void
settle_namespace(struct kube *kube, const char *name)
{
	struct kobj *o = kstore_get(kube->store, KUBE_NAMESPACES, "", name);

	if (o != NULL && o->terminating && empty(kube, name) == 0)
		kstore_remove(kube->store, o, NULL, NULL);
}

/* --- jobs --- */

static void
job_free(struct job *job)
{
	TAILQ_REMOVE(&job->all->jobs, job, entry);
	event_free(job->timer);
	free(job->name);
	free(job);
}

static void
on_job(evutil_socket_t fd, short flags, void *arg)
{
	struct job *job = arg;
	struct kube *kube = job->all->kube;
	AUTO_FREE char *name = steal(&job->name);
	enum what what = job->what;

	(void)fd, (void)flags;
	job_free(job);
	switch (what) {
	case DO_NODE:
	case DO_NODE_NEW:
	case DO_NODE_SILENT:
		settle_node(kube, name, what);
		break;
	case DO_LEASES:
		drop_leases(kube, name);
		break;
	case DO_NAMESPACE:
		settle_namespace(kube, name);
		break;
	}
}

static void
later(struct kcontrollers *all, enum what what, const char *name)
{
	struct job *job;

	TAILQ_FOREACH(job, &all->jobs, entry)
		if (job->what == what && strcmp(job->name, name) == 0)
			return;
	job = xcalloc(1, sizeof(*job));
	job->all = all;
	job->what = what;
	job->name = xstrdup(name);
	job->timer = evtimer_new(all->kube->base, on_job, job);
	evtimer_add(job->timer, &delays[what]);
	TAILQ_INSERT_TAIL(&all->jobs, job, entry);
}

static void
on_node(const struct kevent *ev, void *arg)
{
	if (ev->type == KEVENT_DELETED) {
		later(arg, DO_LEASES, ev->obj->uid);
		return;
	}
	if (ev->type == KEVENT_MODIFIED) {
		later(arg, DO_NODE, ev->obj->name);
		return;
	}
	later(arg, DO_NODE_NEW, ev->obj->name);
	later(arg, DO_NODE_SILENT, ev->obj->name);
}

static void
on_pod(const struct kevent *ev, void *arg)
{
	struct kcontrollers *all = arg;
	struct kobj *ns;

	if (ev->type != KEVENT_DELETED)
		return;
	ns = kstore_get(all->kube->store, KUBE_NAMESPACES, "", ev->obj->ns);
	if (ns != NULL && ns->terminating)
		later(all, DO_NAMESPACE, ev->obj->ns);
}

void
kcontrollers_namespace(struct kube *kube, const char *name)
{
	later(kube->controllers, DO_NAMESPACE, name);
}

struct kcontrollers *
kcontrollers_new(struct kube *kube)
{
	struct kcontrollers *all = xcalloc(1, sizeof(*all));

	all->kube = kube;
	TAILQ_INIT(&all->jobs);
	all->nodes = (struct ksub){ .fn = on_node, .arg = all };
	all->pods = (struct ksub){ .fn = on_pod, .arg = all };
	kstore_subscribe(kube->store, KUBE_NODES, &all->nodes);
	kstore_subscribe(kube->store, KUBE_PODS, &all->pods);
	return all;
}

void
kcontrollers_free(struct kcontrollers *all)
{
	if (all == NULL)
		return;
	while (!TAILQ_EMPTY(&all->jobs))
		job_free(TAILQ_FIRST(&all->jobs));
	kstore_unsubscribe(all->kube->store, KUBE_NODES, &all->nodes);
	kstore_unsubscribe(all->kube->store, KUBE_PODS, &all->pods);
	free(all);
}
