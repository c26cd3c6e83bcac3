/* SPDX-License-Identifier: ISC */
/*
 * kubereview.c: what an account asks about itself: who it is
 * (SelfSubjectReview), what it may (SelfSubjectAccessReview).  Both are
 * created, and nothing is kept.
 */

#include <string.h>

#include <json-c/json.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/sim/kube.h"
#include "t/sim/kuberule.h"
#include "t/sim/web.h"

#define AUTHN "authentication.k8s.io"
#define AUTHZ "authorization.k8s.io"

static struct json_object *
review(const char *kind, const char *group)
{
	struct json_object *o = json_object_new_object();
	AUTO_FREE char *api = xasprintf("%s/v1", group);

	kset(o, "kind", kind);
	kset(o, "apiVersion", api);
	return o;
}

static void
add(struct json_object *list, const char *word)
{
	json_object_array_add(list, json_object_new_string(word));
}

/* "system:serviceaccount:NAMESPACE:NAME": the namespace, and *name. */
static char *
account(const char *user, const char **name)
{
	static const char prefix[] = "system:serviceaccount:";
	const char *colon;

	if (strncmp(user, prefix, sizeof(prefix) - 1) != 0)
		return NULL;
	user += sizeof(prefix) - 1;
	colon = strchr(user, ':');
	*name = colon + 1;
	return xstrndup(user, (size_t)(colon - user));
}

static int
answer_self(struct kube *kube, struct web_req *web, const char *user,
    struct kfail *f)
{
	struct json_object *o = review("SelfSubjectReview", AUTHN), *info;
	struct json_object *groups = json_object_new_array();
	const char *name;
	AUTO_FREE char *ns = account(user, &name);
	char now[32], uid[37];

	(void)kube, (void)f;
	ktime_now(now, sizeof(now), 0);
	kset(kmake_obj(o, "metadata"), "creationTimestamp", now);
	info = kmake_obj(kmake_obj(o, "status"), "userInfo");
	kset(info, "username", user);
	knew_uid(uid, sizeof(uid));
	kset(info, "uid", uid);
	json_object_object_add(info, "groups", groups);
	if (ns == NULL)
		add(groups, "system:masters");
	else {
		AUTO_FREE char *own =
		    xasprintf("system:serviceaccounts:%s", ns);

		add(groups, "system:serviceaccounts");
		add(groups, own);
	}
	add(groups, "system:authenticated");
	web_json(web, 201, o);
	return 0;
}

static void
say_reason(struct json_object *status, const char *user, const char *where)
{
	const char *name = NULL;
	AUTO_FREE char *ns = account(user, &name), *reason = NULL;

	if (ns == NULL)
		return;
	reason = where[0] == '\0' ?
	    xasprintf("RBAC: allowed by ClusterRoleBinding \"%s\" of "
		      "ClusterRole \"%s\" to ServiceAccount \"%s/%s\"",
		name, name, name, ns) :
	    xasprintf("RBAC: allowed by RoleBinding \"%s/%s\" of Role \"%s\" "
		      "to ServiceAccount \"%s/%s\"",
		name, where, name, name, ns);
	kset(status, "reason", reason);
}

static int
no_attributes(struct kfail *f)
{
	static const char why[] =
	    "Invalid value: null: exactly one of nonResourceAttributes or "
	    "resourceAttributes must be specified";
	struct json_object *d = kdetails("", AUTHZ, "");

	kdetails_cause(d, "FieldValueInvalid", why, "spec.resourceAttributes");
	return kfail(f, 422, "Invalid", d,
	    "." AUTHZ " \"\" is invalid: spec.resourceAttributes: %s", why);
}

static int
answer_access(struct kube *kube, struct web_req *web, const char *user,
    struct kfail *f)
{
	struct json_object *body = web_body_json(web), *o, *status;
	struct json_object *what = kget_obj(body, "spec", "resourceAttributes");
	AUTO_FREE char *resource = NULL;
	const char *where = NULL, *sub;

	if (what == NULL) {
		json_object_put(body);
		return no_attributes(f);
	}
	sub = kget(what, "subresource", NULL);
	resource = xasprintf("%s%s%s", kget(what, "resource", NULL),
	    sub[0] != '\0' ? "/" : "", sub);
	where = kauth_where(kube->auth, user,
	    &(struct kasked){ kget(what, "verb", NULL),
		kget(what, "group", NULL), resource,
		kget(what, "namespace", NULL), kget(what, "name", NULL) });
	o = review("SelfSubjectAccessReview", AUTHZ);
	kmake_obj(o, "metadata");
	json_object_object_add(o, "spec",
	    json_object_get(kget_obj(body, "spec", NULL)));
	status = kmake_obj(o, "status");
	json_object_object_add(status, "allowed",
	    json_object_new_boolean(where != NULL));
	if (where != NULL)
		say_reason(status, user, where);
	json_object_put(body);
	web_json(web, 201, o);
	return 0;
}

static const struct kreview {
	const char *path, *group, *resource;
	int (*answer)(struct kube *, struct web_req *, const char *,
	    struct kfail *);
} reviews[] = {
	{ "/apis/" AUTHN "/v1/selfsubjectreviews", AUTHN, "selfsubjectreviews",
	    answer_self },
	{ "/apis/" AUTHZ "/v1/selfsubjectaccessreviews", AUTHZ,
	    "selfsubjectaccessreviews", answer_access },
};

const struct kreview *
kreview_of(const char *path)
{
	size_t i;

	for (i = 0; i < sizeof(reviews) / sizeof(reviews[0]); i++)
		if (strcmp(path, reviews[i].path) == 0)
			return &reviews[i];
	return NULL;
}

int
kreview_answer(const struct kreview *r, struct kube *kube, struct web_req *web,
    const char *user, struct kfail *f)
{
	const char *verb = web_method(web) == WEB_POST ? "create" : "list";

	kfaults_count(kube->faults, verb, r->resource, "");
	if (web_method(web) != WEB_POST ||
	    strcmp(user, "system:anonymous") == 0)
		return kfail(f, 403, "Forbidden",
		    kdetails("", r->group, r->resource),
		    "%s.%s is forbidden: User \"%s\" cannot %s resource "
		    "\"%s\" in API group \"%s\" at the cluster scope",
		    r->resource, r->group, user, verb, r->resource, r->group);
	if (kfaults_fail(kube->faults, web, user, NULL, f) == -1)
		return -1;
	return r->answer(kube, web, user, f);
}
