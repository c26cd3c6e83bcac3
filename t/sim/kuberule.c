/* SPDX-License-Identifier: ISC */
/*
 * kuberule.c: rules that all resources share, and those of the small ones.
 *
 * Owns names, labels and the choice of a resource's own rules.
 */

#include "t/sim/kuberule.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/sim/kubetype.h"

enum {
	NAME_SUBDOMAIN = 253,
	NAME_LABEL = 63,
	ANNOTATIONS_BYTES = 256 * 1024,
};

struct json_object *
kget_obj(struct json_object *o, const char *a, const char *b)
{
	struct json_object *v = NULL;

	if (!json_object_object_get_ex(o, a, &v) ||
	    (b != NULL && !json_object_object_get_ex(v, b, &v)))
		return NULL;
	return v;
}

const char *
kget(struct json_object *o, const char *a, const char *b)
{
	struct json_object *v = kget_obj(o, a, b);

	return v != NULL && json_object_is_type(v, json_type_string) ?
	    json_object_get_string(v) :
	    "";
}

struct json_object *
kmake_obj(struct json_object *o, const char *name)
{
	struct json_object *v = kget_obj(o, name, NULL);

	if (json_object_is_type(v, json_type_object))
		return v;
	v = json_object_new_object();
	json_object_object_add(o, name, v);
	return v;
}

void
kset(struct json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, json_object_new_string(value));
}

void
kdefault(struct json_object *o, const char *name, const char *value)
{
	struct json_object *v = kget_obj(o, name, NULL);

	if (v == NULL ||
	    (json_object_is_type(v, json_type_string) &&
		json_object_get_string_len(v) == 0))
		kset(o, name, value);
}

void
kdefault_int(struct json_object *o, const char *name, long value)
{
	if (kget_obj(o, name, NULL) == NULL)
		json_object_object_add(o, name, json_object_new_int64(value));
}

void
kdefault_bool(struct json_object *o, const char *name, int value)
{
	if (kget_obj(o, name, NULL) == NULL)
		json_object_object_add(o, name, json_object_new_boolean(value));
}

/* --- conditions --- */

struct json_object *
kcondition_find(struct json_object *status, const char *type)
{
	struct json_object *list = kget_obj(status, "conditions", NULL), *o;
	size_t i;

	if (!json_object_is_type(list, json_type_array))
		return NULL;
	for (i = 0; i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		if (strcmp(kget(o, "type", NULL), type) == 0)
			return o;
	}
	return NULL;
}

struct json_object *
kcondition_new(const char *type, const char *value, const char *reason,
    const char *message)
{
	struct json_object *o = json_object_new_object();
	char now[32];

	ktime_now(now, sizeof(now), 0);
	kset(o, "type", type);
	kset(o, "status", value);
	kset(o, "lastTransitionTime", now);
	if (reason != NULL)
		kset(o, "reason", reason);
	if (message != NULL)
		kset(o, "message", message);
	return o;
}

void
kcondition_set(struct json_object *status, struct json_object *condition)
{
	struct json_object *list = kget_obj(status, "conditions", NULL), *o;
	const char *type = kget(condition, "type", NULL);
	size_t i;

	if (!json_object_is_type(list, json_type_array)) {
		list = json_object_new_array();
		json_object_object_add(status, "conditions", list);
	}
	for (i = 0; i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		if (strcmp(kget(o, "type", NULL), type) == 0)
			break;
	}
	json_object_array_put_idx(list, i, condition);
}

/* --- names --- */

#define LABEL_RE "[a-z0-9]([-a-z0-9]*[a-z0-9])?"

static int
is_label(const char *s, size_t n)
{
	size_t i;

	if (n == 0 || s[0] == '-' || s[n - 1] == '-')
		return 0;
	for (i = 0; i < n; i++)
		if (!islower((unsigned char)s[i]) &&
		    !isdigit((unsigned char)s[i]) && s[i] != '-')
			return 0;
	return 1;
}

const char *
kname_label(const char *s)
{
	if (strlen(s) > NAME_LABEL)
		return "must be no more than 63 characters";
	if (!is_label(s, strlen(s)))
		return "a lowercase RFC 1123 label must consist of lower case "
		       "alphanumeric characters or '-', and must start and "
		       "end with an alphanumeric character (e.g. 'my-name',  "
		       "or '123-abc', regex used for validation is '" LABEL_RE
		       "')";
	return NULL;
}

const char *
kname_subdomain(const char *s)
{
	const char *p = s;
	size_t n;

	if (strlen(s) > NAME_SUBDOMAIN)
		return "must be no more than 253 characters";
	for (;; p += n + 1) {
		n = strcspn(p, ".");
		if (!is_label(p, n))
			return "a lowercase RFC 1123 subdomain must consist of "
			       "lower case alphanumeric characters, '-' or "
			       "'.', and must start and end with an "
			       "alphanumeric character (e.g. 'example.com', "
			       "regex used for validation is '" LABEL_RE
			       "(\\." LABEL_RE ")*')";
		if (p[n] == '\0')
			return NULL;
	}
}

static int
is_word(const char *s)
{
	size_t i, n = strlen(s);

	if (n == 0 || n > NAME_LABEL || !isalnum((unsigned char)s[0]) ||
	    !isalnum((unsigned char)s[n - 1]))
		return 0;
	for (i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) &&
		    strchr("-_.", s[i]) == NULL)
			return 0;
	return 1;
}

const char *
kname_value(const char *s)
{
	if (s[0] == '\0' || is_word(s))
		return NULL;
	if (strlen(s) > NAME_LABEL)
		return "must be no more than 63 characters";
	return "a valid label must be an empty string or consist of "
	       "alphanumeric characters, '-', '_' or '.', and must start and "
	       "end with an alphanumeric character (e.g. 'MyValue',  or "
	       "'my_value',  or '12345', regex used for validation is "
	       "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
}

const char *
kname_qualified(const char *s)
{
	AUTO_FREE char *prefix = NULL;
	const char *slash = strchr(s, '/');

	if (slash != NULL) {
		prefix = xstrndup(s, (size_t)(slash - s));
		if (kname_subdomain(prefix) != NULL)
			return "prefix part a lowercase RFC 1123 subdomain "
			       "must consist of lower case alphanumeric "
			       "characters, '-' or '.', and must start and "
			       "end with an alphanumeric character (e.g. "
			       "'example.com', regex used for validation is "
			       "'" LABEL_RE "(\\." LABEL_RE ")*')";
		s = slash + 1;
	}
	if (is_word(s))
		return NULL;
	return "name part must consist of alphanumeric characters, '-', '_' "
	       "or '.', and must start and end with an alphanumeric character "
	       "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
	       "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
}

static void
check_labels(struct json_object *labels, struct kproblems *ps)
{
	struct json_object_iter it;
	const char *why;

	if (!json_object_is_type(labels, json_type_object))
		return;
	json_object_object_foreachC(labels, it)
	{
		if ((why = kname_qualified(it.key)) != NULL)
			kproblem_string(ps, "metadata.labels", it.key, why);
		why = kname_value(json_object_get_string(it.val));
		if (it.val != NULL && why != NULL)
			kproblem_string(ps, "metadata.labels",
			    json_object_get_string(it.val), why);
	}
}

static void
check_annotations(struct json_object *annotations, struct kproblems *ps)
{
	struct json_object_iter it;
	size_t size = 0;

	if (!json_object_is_type(annotations, json_type_object))
		return;
	json_object_object_foreachC(annotations, it) size +=
	    strlen(it.key) + (size_t)json_object_get_string_len(it.val);
	if (size > ANNOTATIONS_BYTES) {
		kproblem(ps, PROBLEM_INVALID, "metadata.annotations", NULL,
		    NULL);
		free(ps->v[ps->n - 1].text);
		ps->v[ps->n - 1].text =
		    xstrdup("Too long: may not be more than 262144 bytes");
	}
}

static void
check_meta(enum kid kid, struct json_object *o, struct kproblems *ps)
{
	const char *name = kget(o, "metadata", "name");
	const char *why;

	why =
	    kid == KUBE_NAMESPACES ? kname_label(name) : kname_subdomain(name);
	if (name[0] == '\0')
		kproblem(ps, PROBLEM_REQUIRED, "metadata.name", NULL,
		    "name or generateName is required");
	else if (why != NULL)
		kproblem_string(ps, "metadata.name", name, why);
	check_labels(kget_obj(o, "metadata", "labels"), ps);
	check_annotations(kget_obj(o, "metadata", "annotations"), ps);
}

/* --- the small resources --- */

static void
check_lease(struct json_object *o, struct kproblems *ps)
{
	struct json_object *v = kget_obj(o, "spec", "leaseDurationSeconds");
	struct json_object *t = kget_obj(o, "spec", "leaseTransitions");
	char text[32];

	if (v != NULL && json_object_get_int64(v) <= 0) {
		snprintf(text, sizeof(text), "%lld",
		    (long long)json_object_get_int64(v));
		kproblem(ps, PROBLEM_INVALID, "spec.leaseDurationSeconds", text,
		    "must be greater than 0");
	}
	if (t != NULL && json_object_get_int64(t) < 0) {
		snprintf(text, sizeof(text), "%lld",
		    (long long)json_object_get_int64(t));
		kproblem(ps, PROBLEM_INVALID, "spec.leaseTransitions", text,
		    "must be greater than or equal to 0");
	}
}

/* Cluster-wide objects have their events in "default". */
static void
check_event(struct json_object *o, struct kproblems *ps)
{
	const char *about = kget(o, "involvedObject", "namespace");
	const char *ns = kget(o, "metadata", "namespace");

	if (strcmp(about[0] != '\0' ? about : "default", ns) != 0)
		kproblem_string(ps, "involvedObject.namespace", about,
		    "does not match event.namespace");
}

static void
check_secret(struct json_object *o, struct kproblems *ps)
{
	struct json_object *data = kget_obj(o, "data", NULL);

	if (strcmp(kget(o, "type", NULL), "kubernetes.io/tls") == 0 &&
	    kget_obj(data, "tls.crt", NULL) == NULL)
		kproblem(ps, PROBLEM_REQUIRED, "data[tls.crt]", NULL, NULL);
}

/* stringData is written only: it goes to data, encoded. */
static void
fold_string_data(struct json_object *o)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct json_object *plain = kget_obj(o, "stringData", NULL);
	struct json_object_iter it;
	struct ktext t = { NULL, 0, 0 };

	if (!json_object_is_type(plain, json_type_object))
		return;
	json_object_object_foreachC(plain, it)
	{
		const unsigned char *s =
		    (const unsigned char *)json_object_get_string(it.val);
		size_t n = s != NULL ? strlen((const char *)s) : 0, i;

		t.len = 0;
		for (i = 0; i < n; i += 3) {
			unsigned int b1 = i + 1 < n ? s[i + 1] : 0;
			unsigned int b2 = i + 2 < n ? s[i + 2] : 0;
			unsigned int v =
			    (unsigned int)s[i] << 16 | b1 << 8 | b2;
			char four[4] = { digits[v >> 18], digits[v >> 12 & 63],
				i + 1 < n ? digits[v >> 6 & 63] : '=',
				i + 2 < n ? digits[v & 63] : '=' };

			ktext_add(&t, four, 4);
		}
		kset(kmake_obj(o, "data"), it.key, t.s != NULL ? t.s : "");
	}
	ktext_free(&t);
	json_object_object_del(o, "stringData");
}

static void
default_namespace(struct json_object *o)
{
	struct json_object *list = json_object_new_array();
	struct json_object *meta = kmake_obj(o, "metadata");

	json_object_array_add(list, json_object_new_string("kubernetes"));
	json_object_object_add(kmake_obj(o, "spec"), "finalizers", list);
	kset(kmake_obj(o, "status"), "phase", "Active");
	kset(kmake_obj(meta, "labels"), "kubernetes.io/metadata.name",
	    kget(meta, "name", NULL));
}

/* --- choice --- */

void
krule_default(enum kid kid, struct json_object *o)
{
	if (kid == KUBE_PODS)
		kpod_default(o);
	else if (kid == KUBE_NODES)
		knode_default(o);
	else if (kid == KUBE_NAMESPACES)
		default_namespace(o);
	else if (kid == KUBE_SECRETS)
		kdefault(o, "type", "Opaque");
}

void
krule_normalise(enum kid kid, struct json_object *now, struct json_object *old)
{
	if (kid == KUBE_PODS)
		kpod_normalise(now, old);
	else if (kid == KUBE_NODES)
		knode_normalise(now);
	else if (kid == KUBE_SECRETS)
		fold_string_data(now);
}

void
krule_check_new(enum kid kid, struct json_object *o, struct kproblems *ps)
{
	check_meta(kid, o, ps);
	if (kid == KUBE_PODS)
		kpod_check(o, ps);
	else if (kid == KUBE_NODES)
		knode_check(NULL, o, ps);
	else if (kid == KUBE_LEASES)
		check_lease(o, ps);
	else if (kid == KUBE_EVENTS)
		check_event(o, ps);
	else if (kid == KUBE_SECRETS)
		check_secret(o, ps);
}

void
krule_check_change(enum kid kid, struct json_object *old,
    struct json_object *now, int status, struct kproblems *ps)
{
	check_labels(kget_obj(now, "metadata", "labels"), ps);
	check_annotations(kget_obj(now, "metadata", "annotations"), ps);
	if (kid == KUBE_PODS && status)
		kpod_check_status(old, now, ps);
	else if (kid == KUBE_PODS)
		kpod_check_spec(old, now, ps);
	else if (kid == KUBE_NODES)
		knode_check(old, now, ps);
	else if (kid == KUBE_LEASES)
		check_lease(now, ps);
	else if (kid == KUBE_EVENTS)
		check_event(now, ps);
}
