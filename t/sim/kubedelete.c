/* SPDX-License-Identifier: ISC */
/*
 * kubedelete.c: graceful deletion, finalizers, preconditions.
 *
 * Owns the question whether a pod's agent is asked: an unbound pod, one in a
 * terminal phase and one without grace go at once, with a MODIFIED (grace 0)
 * before the DELETED; all others wait for somebody's DELETE with grace 0.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "common/auto.h"
#include "common/why.h"
#include "common/xmem.h"
#include "t/sim/kube.h"
#include "t/sim/kubebody.h"
#include "t/sim/kuberule.h"
#include "t/sim/kubesel.h"
#include "t/sim/web.h"

struct deletion {
	struct json_object *options;
	long grace;
	const char *uid, *rv;
};

static int
is_terminal(const struct kobj *o)
{
	const char *phase = kobj_field(o, "status.phase");

	return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

static int
has_finalizers(struct json_object *o)
{
	struct json_object *list = kget_obj(o, "metadata", "finalizers");

	return json_object_is_type(list, json_type_array) &&
	    json_object_array_length(list) != 0;
}

int
kdelete_finished(enum kid kid, struct json_object *o)
{
	struct json_object *grace =
	    kget_obj(o, "metadata", "deletionGracePeriodSeconds");

	return kid != KUBE_NAMESPACES &&
	    kget(o, "metadata", "deletionTimestamp")[0] != '\0' &&
	    !has_finalizers(o) &&
	    (kid != KUBE_PODS || json_object_get_int64(grace) == 0);
}

/* --- pods --- */

/* Seconds from now to the deletion's end, had it begun when it did. */
static long
shortened(struct json_object *meta, long grace)
{
	struct tm tm = { .tm_sec = 0 };
	long old = (long)json_object_get_int64(
	    kget_obj(meta, "deletionGracePeriodSeconds", NULL));

	strptime(kget(meta, "deletionTimestamp", NULL), "%Y-%m-%dT%H:%M:%SZ",
	    &tm);
	return (long)(timegm(&tm) - time(NULL)) - old + grace;
}

static long
grace_for(const struct kobj *o, struct json_object *tree, long grace)
{
	struct json_object *own =
	    kget_obj(tree, "spec", "terminationGracePeriodSeconds");

	if (kobj_field(o, "spec.nodeName")[0] == '\0' || is_terminal(o))
		return 0;
	if (grace == KGRACE_UNSET)
		grace = (long)json_object_get_int64(own);
	return grace < 0 ? 1 : grace;
}

/* Sets the deletion's members; 0 when nothing changed. */
static int
mark(struct json_object *meta, long grace)
{
	struct json_object *old =
	    kget_obj(meta, "deletionGracePeriodSeconds", NULL);
	int first = kget(meta, "deletionTimestamp", NULL)[0] == '\0';
	char when[32];
	int64_t gen;

	if (!first && grace >= json_object_get_int64(old))
		return 0;
	ktime_now(when, sizeof(when), first ? grace : shortened(meta, grace));
	kset(meta, "deletionTimestamp", when);
	json_object_object_add(meta, "deletionGracePeriodSeconds",
	    json_object_new_int64(grace));
	if (first) {
		gen = json_object_get_int64(kget_obj(meta, "generation", NULL));
		json_object_object_add(meta, "generation",
		    json_object_new_int64(gen + 1));
	}
	return 1;
}

/* The pod as its deletion makes it; 0 when that changes nothing. */
static int
marked(struct kobj *o, struct json_object *tree, long grace)
{
	long seconds = grace_for(o, tree, grace);

	/* Asked again without a time: nothing new, unless it may go. */
	if (o->terminating && grace == KGRACE_UNSET && seconds != 0)
		return 0;
	return mark(kget_obj(tree, "metadata", NULL), seconds);
}

static struct kobj *
delete_pod(struct kube *kube, struct kobj *o, struct json_object *tree,
    long grace, struct ktext *answer, struct kfail *f)
{
	struct kobj *cur = o;

	if (marked(o, tree, grace))
		cur = kwrite_put(kube, KUBE_PODS, tree, f);
	if (cur != NULL && answer != NULL)
		ktext_add(answer, cur->text, cur->len);
	if (cur != NULL && kdelete_finished(KUBE_PODS, tree))
		kstore_remove(kube->store, cur, NULL, NULL);
	return cur;
}

int
kdelete_pod(struct kube *kube, struct kobj *o, long grace, struct kfail *f)
{
	struct json_object *tree = kobj_tree(o);
	struct kobj *done = delete_pod(kube, o, tree, grace, NULL, f);

	json_object_put(tree);
	return done != NULL ? 0 : -1;
}

static void
answer_pod(struct kreq *r, struct kobj *o, long grace)
{
	struct json_object *tree = kobj_tree(o);
	struct ktext text = { NULL, 0, 0 };
	struct kfail f = { .code = 0 };
	int failed;

	if (r->dry_run) {
		marked(o, tree, grace);
		failed = kbody_encode(r, tree, &text, &f) == -1;
	} else {
		failed = delete_pod(r->kube, o, tree, grace, &text, &f) == NULL;
	}
	if (failed)
		kreq_fail(r, &f);
	else
		kreq_text(r, 200, text.s);
	ktext_free(&text);
	json_object_put(tree);
}

/* --- the rest --- */

static struct json_object *
success(const struct kobj *o)
{
	const struct kresource *r = kresource(o->kid);
	struct json_object *s = json_object_new_object();
	struct json_object *details = kdetails(o->name, r->group, r->plural);

	kset(s, "kind", "Status");
	kset(s, "apiVersion", "v1");
	json_object_object_add(s, "metadata", json_object_new_object());
	kset(s, "status", "Success");
	kset(details, "uid", o->uid);
	json_object_object_add(s, "details", details);
	return s;
}

/* A finalizer holds it, or it is a namespace: marked only. */
static struct kobj *
hold(struct kube *kube, struct kobj *o, struct json_object *tree,
    struct kfail *f)
{
	struct json_object *meta = kget_obj(tree, "metadata", NULL);
	char when[32];

	if (o->terminating)
		return o;
	ktime_now(when, sizeof(when), 0);
	kset(meta, "deletionTimestamp", when);
	if (o->kid == KUBE_NAMESPACES)
		kset(kmake_obj(tree, "status"), "phase", "Terminating");
	else
		json_object_object_add(meta, "deletionGracePeriodSeconds",
		    json_object_new_int64(0));
	return kwrite_put(kube, o->kid, tree, f);
}

static void
delete_other(struct kreq *r, struct kobj *o)
{
	struct json_object *tree = kobj_tree(o);
	struct kfail f = { .code = 0 };
	struct kube *kube = r->kube;
	AUTO_FREE char *name = NULL;

	if (r->kid == KUBE_NAMESPACES || has_finalizers(tree)) {
		if ((o = hold(kube, o, tree, &f)) == NULL) {
			kreq_fail(r, &f);
		} else {
			name =
			    o->kid == KUBE_NAMESPACES ? xstrdup(o->name) : NULL;
			kreq_object(r, 200, o);
			if (name != NULL)
				kcontrollers_namespace(kube, name);
		}
	} else {
		struct json_object *answer = success(o);

		kstore_remove(kube->store, o, NULL, NULL);
		kreq_json(r, 200, answer);
	}
	json_object_put(tree);
}

/* --- requests --- */

static int
read_number(const char *text, long *n, struct kfail *f)
{
	char *end;

	errno = 0;
	*n = strtol(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0)
		return kfail_bad(f,
		    "strconv.ParseInt: parsing \"%s\": invalid syntax", text);
	return 0;
}

static int
read_options(struct kreq *r, struct deletion *d, struct kfail *f)
{
	const char *query = web_query(r->web, "gracePeriodSeconds");
	struct json_object *v;

	d->grace = KGRACE_UNSET;
	if (query != NULL && read_number(query, &d->grace, f) == -1)
		return -1;
	if ((d->options = kbody_other(r, "DeleteOptions", f)) == NULL)
		return -1;
	v = kget_obj(d->options, "gracePeriodSeconds", NULL);
	if (v != NULL)
		d->grace = (long)json_object_get_int64(v);
	v = kget_obj(d->options, "dryRun", NULL);
	if (json_object_is_type(v, json_type_array) &&
	    json_object_array_length(v) != 0)
		r->dry_run = 1;
	d->uid = kget(d->options, "preconditions", "uid");
	d->rv = kget(d->options, "preconditions", "resourceVersion");
	return 0;
}

static int
check_preconditions(const struct deletion *d, const struct kobj *o,
    struct kfail *f)
{
	const struct kresource *r = kresource(o->kid);

	if (d->uid[0] != '\0' && strcmp(d->uid, o->uid) != 0)
		return kfail(f, 409, "Conflict",
		    kdetails(o->name, r->group, r->kind),
		    "Operation cannot be fulfilled on %s \"%s\": the UID in "
		    "the precondition (%s) does not match the UID in record "
		    "(%s). The object might have been deleted and then "
		    "recreated",
		    r->kind, o->name, d->uid, o->uid);
	if (d->rv[0] != '\0' && strtoull(d->rv, NULL, 10) != o->rv)
		return kfail(f, 409, "Conflict",
		    kdetails(o->name, r->group, r->kind),
		    "Operation cannot be fulfilled on %s \"%s\": the "
		    "ResourceVersion in the precondition (%s) does not match "
		    "the ResourceVersion in record (%llu). The object might "
		    "have been modified",
		    r->kind, o->name, d->rv, (unsigned long long)o->rv);
	return 0;
}

void
kdelete_one(struct kreq *r)
{
	struct deletion d = { .options = NULL };
	struct kfail f = { .code = 0 };
	struct kobj *o = kstore_get(r->kube->store, r->kid, r->ns, r->name);

	if (read_options(r, &d, &f) == -1) {
		kreq_fail(r, &f);
	} else if (o == NULL) {
		kfail_not_found(&f, r->kid, r->name);
		kreq_fail(r, &f);
	} else if (check_preconditions(&d, o, &f) == -1) {
		kreq_fail(r, &f);
	} else if (r->kid == KUBE_PODS) {
		answer_pod(r, o, d.grace);
	} else if (r->dry_run) {
		kreq_object(r, 200, o);
	} else {
		delete_other(r, o);
	}
	json_object_put(d.options);
}

/* All that a selector names, as they were before. */
void
kdelete_many(struct kreq *r)
{
	const struct kresource *res = kresource(r->kid);
	struct deletion d = { .options = NULL };
	struct kfail f = { .code = 0 };
	struct ktext t = { NULL, 0, 0 };
	struct kselector *sel;
	struct why why;
	struct kobj **objs;
	size_t i, n, done = 0;

	sel = kselector_new(r->kid, r->ns, NULL,
	    web_query(r->web, "labelSelector"),
	    web_query(r->web, "fieldSelector"), &why);
	if (sel == NULL)
		kfail_bad(&f, "%s", why.text);
	if (sel == NULL || read_options(r, &d, &f) == -1) {
		kselector_free(sel);
		kreq_fail(r, &f);
		return;
	}
	kstore_past(r->kube->store, r->kid, kstore_rv(r->kube->store), &objs,
	    &n);
	ktext_printf(&t,
	    "{\"metadata\":{\"resourceVersion\":\"%llu\"},\"items\":[",
	    (unsigned long long)kstore_rv(r->kube->store));
	for (i = 0; i < n; i++) {
		if (kselector_fits(sel, objs[i])) {
			ktext_puts(&t, done++ != 0 ? "," : "");
			ktext_add(&t, objs[i]->text, objs[i]->len);
			if (r->kid == KUBE_PODS)
				kdelete_pod(r->kube, objs[i], d.grace, &f);
			else
				kstore_remove(r->kube->store, objs[i], NULL,
				    NULL);
		}
		kobj_unref(objs[i]);
	}
	free(objs);
	ktext_puts(&t, "]}");
	{
		AUTO_FREE char *body =
		    xasprintf("{\"kind\":\"%sList\",\"apiVersion\":\"%s\",%s",
			res->kind, res->api, t.s + 1);

		web_text(r->web, 200, "application/json", body);
		kreq_free(r);
	}
	kfail_clear(&f);
	kselector_free(sel);
	json_object_put(d.options);
	ktext_free(&t);
}
