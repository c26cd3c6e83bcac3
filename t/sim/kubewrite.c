/* SPDX-License-Identifier: ISC */
/*
 * kubewrite.c: create, update and patch, with the server's rules.
 *
 * Owns the order in which a write is judged: decoding, version, uid,
 * validation.  A write that changes nothing makes no event.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>
#include <openssl/rand.h>

#include "common/auto.h"
#include "common/why.h"
#include "common/xmem.h"
#include "t/sim/kube.h"
#include "t/sim/kubebody.h"
#include "t/sim/kuberule.h"

void
knew_uid(char *buf, size_t cap)
{
	unsigned char b[16];

	RAND_bytes(b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	snprintf(buf, cap,
	    "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
	    "%02x%02x%02x%02x%02x%02x",
	    b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10],
	    b[11], b[12], b[13], b[14], b[15]);
}

/* --- create --- */

/* generateName: five letters and digits that no word is made of. */
static void
make_name(struct json_object *meta)
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
	const char *prefix = kget(meta, "generateName", NULL);
	unsigned char b[5];
	char end[6];
	size_t i;

	if (prefix[0] == '\0' || kget(meta, "name", NULL)[0] != '\0')
		return;
	RAND_bytes(b, sizeof(b));
	for (i = 0; i < sizeof(b); i++)
		end[i] = letters[b[i] % (sizeof(letters) - 1)];
	end[i] = '\0';
	{
		AUTO_FREE char *name = xasprintf("%s%s", prefix, end);

		kset(meta, "name", name);
	}
}

static int
fresh_meta(struct kreq *r, struct json_object *o, struct kfail *f)
{
	struct json_object *meta = kmake_obj(o, "metadata");
	const char *ns = kget(meta, "namespace", NULL);
	char buf[64];

	if (ns[0] != '\0' && strcmp(ns, r->ns) != 0)
		return kfail_bad(f,
		    "the namespace of the provided object does not match the "
		    "namespace sent on the request");
	if (kget(meta, "resourceVersion", NULL)[0] != '\0' &&
	    strcmp(kget(meta, "resourceVersion", NULL), "0") != 0)
		return kfail(f, 500, NULL, NULL,
		    "resourceVersion should not be set on objects to be "
		    "created");
	if (r->ns[0] != '\0')
		kset(meta, "namespace", r->ns);
	make_name(meta);
	knew_uid(buf, sizeof(buf));
	kset(meta, "uid", buf);
	ktime_now(buf, sizeof(buf), 0);
	kset(meta, "creationTimestamp", buf);
	if (r->dry_run)
		json_object_object_del(meta, "resourceVersion");
	else
		kset(meta, "resourceVersion", "0");
	json_object_object_del(meta, "deletionTimestamp");
	json_object_object_del(meta, "deletionGracePeriodSeconds");
	json_object_object_del(meta, "generation");
	if (r->kid == KUBE_PODS)
		kdefault_int(meta, "generation", 1);
	return 0;
}

static int
check_namespace(struct kreq *r, struct json_object *o, struct kfail *f)
{
	const struct kresource *res = kresource(r->kid);
	const char *name = kget(o, "metadata", "name");
	struct json_object *details;
	struct kobj *ns;
	char text[128];

	if (!res->namespaced)
		return 0;
	ns = kstore_get(r->kube->store, KUBE_NAMESPACES, "", r->ns);
	if (ns == NULL)
		return kfail_not_found(f, KUBE_NAMESPACES, r->ns);
	if (!ns->terminating)
		return 0;
	details = kdetails(name, res->group, res->plural);
	snprintf(text, sizeof(text), "namespace %s is being terminated", r->ns);
	kdetails_cause(details, "NamespaceTerminating", text,
	    "metadata.namespace");
	return kfail(f, 403, "Forbidden", details,
	    "%s \"%s\" is forbidden: unable to create new content in "
	    "namespace %s because it is being terminated",
	    res->qualified, name, r->ns);
}

/* The object's text in *text, or a failure. */
static int
create(struct kreq *r, struct json_object *o, struct ktext *text,
    struct kfail *f)
{
	const struct kresource *res = kresource(r->kid);
	struct kproblems ps = { NULL, 0 };
	const char *name;

	if (fresh_meta(r, o, f) == -1)
		return -1;
	name = kget(o, "metadata", "name");
	if (check_namespace(r, o, f) == -1)
		return -1;
	krule_default(r->kid, o);
	krule_normalise(r->kid, o, NULL);
	if (r->kid == KUBE_PODS)
		kbind_topology(r->kube, o, kget(o, "spec", "nodeName"));
	if (kbody_encode(r, o, text, f) == -1)
		return -1;
	krule_check_new(r->kid, o, &ps);
	if (kproblems_fail(&ps, r->kid, name, f) == -1)
		return -1;
	if (kstore_get(r->kube->store, r->kid, r->ns, name) != NULL)
		return kfail(f, 409, "AlreadyExists",
		    kdetails(name, res->group, res->plural),
		    "%s \"%s\" already exists", res->qualified, name);
	return 0;
}

void
kwrite_create(struct kreq *r)
{
	struct json_object *o = NULL;
	struct kfail f = { .code = 0 };
	struct ktext text = { NULL, 0, 0 };

	if ((o = kbody_object(r, &f)) == NULL ||
	    create(r, o, &text, &f) == -1) {
		kreq_fail(r, &f);
	} else if (r->dry_run) {
		kreq_text(r, 201, text.s);
	} else {
		kreq_object(r, 201,
		    kstore_put(r->kube->store, r->kid, o, text.s));
	}
	ktext_free(&text);
	json_object_put(o);
}

/* --- update --- */

static void
take(struct json_object *to, struct json_object *from, const char *name)
{
	struct json_object *v = kget_obj(from, name, NULL);

	if (v != NULL)
		json_object_object_add(to, name, json_object_get(v));
	else
		json_object_object_del(to, name);
}

/*
 * What a writer may not change comes from the old object: identity always,
 * status without the subresource, everything but status and the free members
 * of metadata with it.
 */
static void
keep_old(const struct kreq *r, struct json_object *old, struct json_object *now)
{
	static const char *const fixed[] = { "name", "namespace", "uid",
		"resourceVersion", "creationTimestamp", "generation",
		"deletionTimestamp", "deletionGracePeriodSeconds",
		"generateName" };
	struct json_object *meta = kmake_obj(now, "metadata");
	struct json_object *was = kget_obj(old, "metadata", NULL);
	size_t i;

	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		take(meta, was, fixed[i]);
	if (r->status)
		take(now, old, "spec");
	else if (kresource(r->kid)->status)
		take(now, old, "status");
}

static void
raise_generation(enum kid kid, struct json_object *old, struct json_object *now)
{
	struct json_object *meta = kget_obj(now, "metadata", NULL);
	int64_t n;

	if (kid != KUBE_PODS ||
	    json_object_equal(kget_obj(old, "spec", NULL),
		kget_obj(now, "spec", NULL)))
		return;
	n = json_object_get_int64(kget_obj(meta, "generation", NULL));
	json_object_object_add(meta, "generation",
	    json_object_new_int64(n + 1));
}

/* Keeps it and answers; a no-op is answered with what is there. */
static void
commit(struct kreq *r, struct kobj *cur, struct json_object *now,
    const char *text)
{
	struct kstore *store = r->kube->store;

	if (strcmp(text, cur->text) == 0) {
		kreq_object(r, 200, cur);
	} else if (r->dry_run) {
		kreq_text(r, 200, text);
	} else if (kdelete_finished(r->kid, now)) {
		AUTO_FREE char *answer = xstrdup(text);

		kstore_remove(store, cur, now, text);
		kreq_text(r, 200, answer);
	} else {
		kreq_object(r, 200, kstore_put(store, r->kid, now, text));
	}
}

static int
judge(struct kreq *r, struct json_object *old, struct json_object *now,
    struct kfail *f)
{
	struct kproblems ps = { NULL, 0 };

	krule_check_change(r->kid, old, now, r->status, &ps);
	return kproblems_fail(&ps, r->kid, r->name, f);
}

static int
check_put(struct kreq *r, struct kobj *cur, struct json_object *now,
    struct kfail *f)
{
	const struct kresource *res = kresource(r->kid);
	const char *rv = kget(now, "metadata", "resourceVersion");
	const char *uid = kget(now, "metadata", "uid");
	const char *name = kget(now, "metadata", "name");
	struct json_object *details;

	if (strcmp(name, r->name) != 0)
		return kfail_bad(f,
		    "the name of the object (%s) does not match the name on "
		    "the URL (%s)",
		    name, r->name);
	if (rv[0] == '\0' && r->kid == KUBE_LEASES) {
		details = kdetails(name, res->group, res->plural);
		kdetails_cause(details, "FieldValueInvalid",
		    "Invalid value: 0: must be specified for an update",
		    "metadata.resourceVersion");
		return kfail(f, 422, "Invalid", details,
		    "%s \"%s\" is invalid: metadata.resourceVersion: Invalid "
		    "value: 0: must be specified for an update",
		    res->qualified, name);
	}
	if (uid[0] != '\0' && strcmp(uid, cur->uid) != 0)
		return kfail(f, 409, "Conflict",
		    kdetails(name, res->group, res->plural),
		    "Operation cannot be fulfilled on %s \"%s\": "
		    "StorageError: invalid object, Code: 4, Key: "
		    "/registry/%s/%s, ResourceVersion: 0, "
		    "AdditionalErrorMsg: Precondition failed: UID in "
		    "precondition: %s, UID in object meta: %s",
		    res->qualified, name, res->plural, cur->key, uid, cur->uid);
	if (rv[0] != '\0' && strtoull(rv, NULL, 10) != cur->rv)
		return kfail_stale(f, r->kid, name);
	return 0;
}

static int
compose(struct kreq *r, struct json_object *old, struct json_object *now,
    struct ktext *text, struct kfail *f)
{
	keep_old(r, old, now);
	krule_normalise(r->kid, now, old);
	raise_generation(r->kid, old, now);
	if (kbody_encode(r, now, text, f) == -1)
		return -1;
	return judge(r, old, now, f);
}

void
kwrite_update(struct kreq *r)
{
	struct kobj *cur;
	struct json_object *old = NULL, *now = NULL;
	struct kfail f = { .code = 0 };
	struct ktext text = { NULL, 0, 0 };

	now = kbody_object(r, &f);
	cur = kstore_get(r->kube->store, r->kid, r->ns, r->name);
	if (now != NULL && cur == NULL)
		kfail_not_found(&f, r->kid, r->name);
	if (now == NULL || cur == NULL || check_put(r, cur, now, &f) == -1) {
		kreq_fail(r, &f);
	} else {
		old = kobj_tree(cur);
		if (compose(r, old, now, &text, &f) == -1)
			kreq_fail(r, &f);
		else
			commit(r, cur, now, text.s);
	}
	ktext_free(&text);
	json_object_put(old);
	json_object_put(now);
}

/* --- patch --- */

/* Version, then uid: a wrong uid with a stale version is a conflict. */
static int
check_patch(struct kreq *r, struct kobj *cur, struct json_object *now,
    struct kfail *f)
{
	const char *rv = kget(now, "metadata", "resourceVersion");
	const char *uid = kget(now, "metadata", "uid");
	const char *name = kget(now, "metadata", "name");
	struct kproblems ps = { NULL, 0 };

	if (strcmp(name, r->name) != 0)
		return kfail_bad(f,
		    "the name of the object (%s) does not match the name on "
		    "the URL (%s)",
		    name, r->name);
	if (strtoull(rv, NULL, 10) != cur->rv)
		return kfail_stale(f, r->kid, r->name);
	if (strcmp(uid, cur->uid) == 0)
		return 0;
	/* Metadata is checked twice there, and so it is said twice. */
	kproblem_string(&ps, "metadata.uid", uid, "field is immutable");
	kproblem_string(&ps, "metadata.uid", uid, "field is immutable");
	kproblems_fail(&ps, r->kid, r->name, f);
	free(f->message);
	f->message = xasprintf("%s%s%s \"%s\" is invalid: metadata.uid: "
			       "Invalid value: \"%s\": field is immutable",
	    kresource(r->kid)->kind,
	    kresource(r->kid)->group[0] != '\0' ? "." : "",
	    kresource(r->kid)->group, r->name, uid);
	return -1;
}

/* What this request cannot change: a patch's words about it are dropped. */
static const char *
frozen(const struct kreq *r)
{
	if (r->status)
		return "spec";
	return kresource(r->kid)->status ? "status" : NULL;
}

/* A copy to be patched; the frozen member is shared, not copied. */
static struct json_object *
copy_for_patch(const struct kreq *r, struct json_object *old)
{
	struct json_object *now = json_object_new_object(), *copy;
	const char *keep = frozen(r);
	struct json_object_iter it;

	json_object_object_foreachC(old, it)
	{
		copy = NULL;
		if (keep != NULL && strcmp(it.key, keep) == 0)
			copy = json_object_get(it.val);
		else
			json_object_deep_copy(it.val, &copy, NULL);
		json_object_object_add(now, it.key, copy);
	}
	return now;
}

static int
patch(struct kreq *r, struct kobj *cur, struct json_object *old,
    struct json_object *now, struct ktext *text, struct kfail *f)
{
	struct json_object *sent = kbody_patch(r, f);
	int ok;

	if (sent != NULL && frozen(r) != NULL)
		json_object_object_del(sent, frozen(r));
	ok = sent != NULL && kbody_apply(r, now, sent, f) == 0 &&
	    check_patch(r, cur, now, f) == 0 &&
	    compose(r, old, now, text, f) == 0;

	json_object_put(sent);
	return ok ? 0 : -1;
}

void
kwrite_patch(struct kreq *r)
{
	struct kobj *cur;
	struct json_object *old = NULL, *now = NULL;
	struct kfail f = { .code = 0 };
	struct ktext text = { NULL, 0, 0 };

	if (kbody_patch_type(r, &f) == -1) {
		kreq_fail(r, &f);
		return;
	}
	cur = kstore_get(r->kube->store, r->kid, r->ns, r->name);
	if (cur == NULL) {
		kfail_not_found(&f, r->kid, r->name);
		kreq_fail(r, &f);
		return;
	}
	old = kobj_tree(cur);
	now = copy_for_patch(r, old);
	if (patch(r, cur, old, now, &text, &f) == -1)
		kreq_fail(r, &f);
	else
		commit(r, cur, now, text.s);
	ktext_free(&text);
	json_object_put(old);
	json_object_put(now);
}

/* --- without a request --- */

struct kobj *
kwrite_put(struct kube *kube, enum kid kid, struct json_object *o,
    struct kfail *f)
{
	struct ktext text = { NULL, 0, 0 };
	struct kwarn warn = { NULL, 0 };
	struct why why;
	struct kobj *cur, *put = NULL;

	krule_normalise(kid, o, NULL);
	cur = kstore_get(kube->store, kid, kget(o, "metadata", "namespace"),
	    kget(o, "metadata", "name"));
	if (ktype_encode(kresource(kid)->type, o, &text, &warn, &why) == -1)
		kfail_bad(f, "%s", why.text);
	else if (cur != NULL && strcmp(cur->text, text.s) == 0)
		put = cur;
	else
		put = kstore_put(kube->store, kid, o, text.s);
	ktext_free(&text);
	kwarn_clear(&warn);
	return put;
}
