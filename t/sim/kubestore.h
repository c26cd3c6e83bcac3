/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_KUBESTORE_H
#define T_SIM_KUBESTORE_H

/*
 * What kubesim keeps: objects as immutable, counted texts, one global
 * resourceVersion, and for each resource a window of past events from which
 * watches resume and lists of the past are made.
 */

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

struct json_object;
struct ktype;

enum kid {
#define KRESOURCE(id, ...) KUBE_##id,
#define KFIELD(...)
#include "t/sim/kubekind.def"
#undef KRESOURCE
#undef KFIELD
	KUBE_KINDS
};

struct kresource {
	const char *plural, *kind, *group;
	const char *api;       /* "v1", "coordination.k8s.io/v1" */
	const char *qualified; /* "leases.coordination.k8s.io" */
	int namespaced, status;
	const char *skeleton;
	const struct ktype *type;
};
const struct kresource *kresource(enum kid);

struct klabel {
	const char *key, *value;
};

struct kobj {
	unsigned int refs;
	enum kid kid;
	uint64_t rv;
	char *key; /* "namespace/name", or "name" */
	const char *name;
	char *ns; /* "" for cluster-wide ones */
	char uid[40];
	struct klabel *labels;
	size_t nlabels;
	char *strings;	     /* of labels and fields */
	const char **fields; /* values of this kind's KFIELDs, in order */
	int terminating;     /* has a deletionTimestamp */
	size_t len;
	char *text; /* "{...}" without kind and apiVersion */
};

void kobj_ref(struct kobj *);
void kobj_unref(struct kobj *);
/* Its text with another resourceVersion, the caller's. */
char *kobj_text_at(const struct kobj *, uint64_t rv);
/* The tree of its text, without kind and apiVersion; the caller's. */
struct json_object *kobj_tree(const struct kobj *);
/* Value for a field selector; NULL: this kind has no such field. */
const char *kobj_field(const struct kobj *, const char *selector);
int kresource_has_field(enum kid, const char *selector);

enum kevent_type {
	KEVENT_ADDED,
	KEVENT_MODIFIED,
	KEVENT_DELETED,
};

struct kevent {
	enum kevent_type type;
	uint64_t rv;
	struct kobj *obj; /* DELETED: its last state with the new version */
	struct kobj *old; /* NULL when added */
};

struct kstore;

/* Told of every event, after it happened. */
struct ksub {
	void (*fn)(const struct kevent *, void *);
	void *arg;
	TAILQ_ENTRY(ksub) entry;
};

struct kstore *kstore_new(size_t window);
void kstore_free(struct kstore *);
void kstore_window(struct kstore *, size_t events_kept_per_resource);
void kstore_subscribe(struct kstore *, enum kid, struct ksub *);
void kstore_unsubscribe(struct kstore *, enum kid, struct ksub *);

uint64_t kstore_rv(const struct kstore *);
/* Forgets all events: older resourceVersions are now expired. */
void kstore_compact(struct kstore *);
/* Versions below this one are expired. */
uint64_t kstore_floor(const struct kstore *, enum kid);

/* Borrowed, until the next write. */
struct kobj *kstore_get(struct kstore *, enum kid, const char *ns,
    const char *name);
size_t kstore_count(const struct kstore *, enum kid);
struct kobj *kstore_at(const struct kstore *, enum kid, size_t);
/* First index whose key is not below. */
size_t kstore_seek(const struct kstore *, enum kid, const char *key);

/*
 * The object as it is now, from a tree and the text made of it, whose
 * resourceVersion is replaced by the next one; added or replaced.
 */
struct kobj *kstore_put(struct kstore *, enum kid, struct json_object *,
    const char *text);
/* Removes it; subscribers see its state in tree and text, or as it was. */
void kstore_remove(struct kstore *, struct kobj *, struct json_object *,
    const char *text);
/* Not kept by a store: counted, the caller's. */
struct kobj *kobj_new(enum kid, struct json_object *, const char *text,
    uint64_t rv);

/*
 * Objects as they were at rv, in key order; counted, the caller's with the
 * array.  -1: rv is expired.
 */
int kstore_past(struct kstore *, enum kid, uint64_t rv, struct kobj ***,
    size_t *);
/* Events after rv, oldest first; stops when fn returns non-zero. */
int kstore_replay(struct kstore *, enum kid, uint64_t rv,
    int (*fn)(const struct kevent *, void *), void *);

#endif
