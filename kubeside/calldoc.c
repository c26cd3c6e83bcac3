/* SPDX-License-Identifier: ISC */
/*
 * calldoc.c: the texts of a pod's writes.
 *
 * Owns their form, each bound to the pod's uid.  Never decides when one is
 * sent (calls.c).
 */
#include "kubeside/calldoc.h"

#include <string.h>

#include "common/auto.h"
#include "common/https.h"
#include "common/jmake.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "kubeside/pods.h"

char *
calldoc_path(const struct pod *pod, const char *below)
{
	AUTO_FREE char *ns = https_escape(pod->ns);
	AUTO_FREE char *name = https_escape(pod->name);

	return xasprintf("/api/v1/namespaces/%s/pods/%s%s", ns, name, below);
}

int
calldoc_check(struct span status, struct why *why)
{
	struct span key, value;
	size_t at = 0;

	if (!scan_is_valid(status) || status.p[0] != '{')
		return fail(why, ERR_FORMAT,
		    "status: not exactly one JSON object");
	while (scan_member(status, &at, &key, &value) == 1)
		if (scan_string_is(key, "podIP") ||
		    scan_string_is(key, "podIPs"))
			return fail(why, ERR_DENIED,
			    "status: podIP is not ours to say");
	return 0;
}

char *
calldoc_status(const struct pod *pod, struct span status)
{
	AUTO_FREE char *head = NULL;
	struct json_object *o = jmake_object();

	jmake_str(jmake_in(o, "metadata"), "uid", pod->uid);
	head = jmake_text(&o);
	return xasprintf("%.*s,\"status\":%.*s}", (int)strlen(head) - 1, head,
	    (int)status.len, status.p);
}

char *
calldoc_delete(const struct pod *pod, uint32_t grace_s)
{
	struct json_object *o = jmake_object();

	jmake_str(o, "apiVersion", "v1");
	jmake_str(o, "kind", "DeleteOptions");
	if (grace_s != NO_GRACE)
		jmake_int(o, "gracePeriodSeconds", grace_s);
	jmake_str(jmake_in(o, "preconditions"), "uid", pod->uid);
	return jmake_text(&o);
}

int
calldoc_is_replaced(const struct https_answer *a)
{
	struct span causes, cause;
	char field[64];
	size_t at = 0;

	if (a->status != 422 ||
	    scan_get(a->body, &causes, "details", "causes", NULL) != 1)
		return 0;
	while (scan_next(causes, &at, &cause) == 1)
		if (scan_get_string(cause, field, sizeof(field), "field",
			NULL) == 1 &&
		    strcmp(field, "metadata.uid") == 0)
			return 1;
	return 0;
}

int
calldoc_is_another(const struct pod *pod, const struct https_answer *a)
{
	char uid[MAX_UID + 1];

	return a->why.kind == ERR_NONE &&
	    (scan_get_string(a->body, uid, sizeof(uid), "metadata", "uid",
		 NULL) != 1 ||
		strcmp(uid, pod->uid) != 0);
}

int
calldoc_may_read(const struct pod *pod, const struct body_get_object *m)
{
	if (strcmp(pod->ns, m->ns) != 0)
		return 0;
	if (m->kind == OBJECT_POD)
		return strcmp(pod->name, m->name) == 0;
	return (m->kind == OBJECT_CONFIGMAP || m->kind == OBJECT_SECRET) &&
	    pod_names(pod, (enum object_kind)m->kind, m->name);
}

char *
calldoc_object_path(const struct body_get_object *m)
{
	static const char *const kinds[] = { [OBJECT_CONFIGMAP] = "configmaps",
		[OBJECT_SECRET] = "secrets",
		[OBJECT_POD] = "pods" };
	AUTO_FREE char *ns = https_escape(m->ns);
	AUTO_FREE char *name = https_escape(m->name);

	return xasprintf("/api/v1/namespaces/%s/%s/%s", ns, kinds[m->kind],
	    name);
}
