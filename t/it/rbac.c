/* SPDX-License-Identifier: ISC */
/*
 * rbac.c: roles, their bindings, and the rights that come of both.
 *
 * Owns what a rule means.  A role that nobody binds gives nothing.
 */
#include "t/it/rbac.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "common/why.h"
#include "common/xmem.h"
#include "t/it/js.h"
#include "t/it/manifest.h"

#define ACCOUNT "vk-flightctl-provider"
#define ACCOUNT_NS "vk-flightctl"

struct reading {
	struct rights *rights;
	struct json_object *docs;
	const char *path;
	const char *ns; /* of objects that name none */
	struct why *why;
};

void
rbac_add(struct rights *r, struct right one)
{
	r->v = xreallocarray(r->v, r->n + 1, sizeof(*r->v));
	r->v[r->n++] = one;
}

void
rbac_clear(struct rights *r)
{
	free(r->v);
	json_object_put(r->documents);
	*r = (struct rights){ 0 };
}

static int
is_or_any(const char *limit, const char *s)
{
	return *limit == '\0' || strcmp(limit, s) == 0;
}

const struct right *
rbac_covers(const struct rights *r, const struct right *one)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (strcmp(r->v[i].group, one->group) == 0 &&
		    strcmp(r->v[i].resource, one->resource) == 0 &&
		    strcmp(r->v[i].verb, one->verb) == 0 &&
		    is_or_any(r->v[i].ns, one->ns) &&
		    is_or_any(r->v[i].name, one->name))
			return &r->v[i];
	return NULL;
}

char *
rbac_text(const struct right *r)
{
	return xasprintf("%s %s%s%s%s%s%s%s", r->verb, r->resource,
	    *r->group != '\0' ? "." : "", r->group, *r->name != '\0' ? " " : "",
	    r->name, *r->ns != '\0' ? " in " : "", r->ns);
}

/* --- reading -------------------------------------------------------------- */

static const char *
namespace_of(const struct reading *in, struct json_object *o)
{
	const char *ns = js_str(o, "/metadata/namespace");

	return *ns != '\0' ? ns : in->ns;
}

static int
is_ours(struct json_object *binding)
{
	struct json_object *s = js_find(binding, "/subjects", "name", ACCOUNT);

	return strcmp(js_str(s, "/kind"), "ServiceAccount") == 0 &&
	    strcmp(js_str(s, "/namespace"), ACCOUNT_NS) == 0;
}

/* A Role is its binding's neighbour. */
static struct json_object *
role_of(const struct reading *in, struct json_object *binding)
{
	const char *kind = js_str(binding, "/roleRef/kind");
	struct json_object *o;
	size_t i;

	for (i = 0; (o = js_item(in->docs, "", i)) != NULL; i++)
		if (strcmp(js_str(o, "/kind"), kind) == 0 &&
		    strcmp(js_str(o, "/metadata/name"),
			js_str(binding, "/roleRef/name")) == 0 &&
		    (strcmp(kind, "Role") != 0 ||
			strcmp(namespace_of(in, o),
			    namespace_of(in, binding)) == 0))
			return o;
	return NULL;
}

/*
 * The members of the lists, one after the other, as the digits of a number
 * are: which right of the rule it is, 0: no more.
 */
static int
nth_right(struct json_object *rule, size_t n, struct right *r)
{
	const struct {
		const char *path;
		const char **to;
	} lists[] = {
		{ "/verbs", &r->verb },
		{ "/resourceNames", &r->name },
		{ "/resources", &r->resource },
		{ "/apiGroups", &r->group },
	};
	struct json_object *o;
	size_t i, len;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		*lists[i].to = "";
		if ((len = js_len(rule, lists[i].path)) == 0)
			continue;
		o = js_item(rule, lists[i].path, n % len);
		*lists[i].to = json_object_get_string(o);
		n /= len;
	}
	return n == 0;
}

static int
take_rule(const struct reading *in, struct json_object *rule, const char *ns)
{
	struct right r = { .ns = ns };
	size_t n;

	for (n = 0; nth_right(rule, n, &r); n++) {
		if (*r.verb == '\0' || *r.resource == '\0' ||
		    strchr(r.verb, '*') != NULL ||
		    strchr(r.resource, '*') != NULL ||
		    strchr(r.group, '*') != NULL)
			return fail(in->why, ERR_FORMAT, "%s: not exact: %s",
			    in->path, json_object_to_json_string(rule));
		rbac_add(in->rights, r);
	}
	return 0;
}

static int
take_binding(const struct reading *in, struct json_object *binding)
{
	const char *kind = js_str(binding, "/kind");
	int all = strcmp(kind, "ClusterRoleBinding") == 0;
	struct json_object *role, *rule;
	size_t i;

	if ((!all && strcmp(kind, "RoleBinding") != 0) || !is_ours(binding))
		return 0;
	if ((role = role_of(in, binding)) == NULL)
		return fail(in->why, ERR_FORMAT, "%s: no %s %s", in->path,
		    js_str(binding, "/roleRef/kind"),
		    js_str(binding, "/roleRef/name"));
	for (i = 0; (rule = js_item(role, "/rules", i)) != NULL; i++)
		if (take_rule(in, rule, all ? "" : namespace_of(in, binding)) ==
		    -1)
			return -1;
	return 0;
}

int
rbac_read(struct rights *rights, const char *path, const char *ns,
    struct why *why)
{
	struct json_object *docs = manifest_read(path, why);
	const struct reading in = { rights, docs, path, ns, why };
	struct json_object *o;
	size_t i;

	if (docs == NULL)
		return -1;
	if (rights->documents == NULL)
		rights->documents = json_object_new_array();
	json_object_array_add(rights->documents, docs);
	for (i = 0; (o = js_item(docs, "", i)) != NULL; i++)
		if (take_binding(&in, o) == -1)
			return -1;
	return 0;
}
