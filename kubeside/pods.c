/* SPDX-License-Identifier: ISC */
/*
 * pods.c: the pods that our own watches saw on our nodes.
 *
 * Owns identities and the names of objects a pod refers to; keeps no pod.
 * Never asks the server: what is not in here, the placer may not touch.
 */
#include "kubeside/pods.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "kubeside/refs.h"

enum {
	BUCKETS = 4096,
	GONE_KEPT = 1024, /* uids of pods that were deleted last */
};

LIST_HEAD(bucket, pod);

struct pods {
	struct bucket buckets[BUCKETS];
	size_t count;
	unsigned int round[MAX_NODES];
	int listed[MAX_NODES];
	uint64_t gone[GONE_KEPT];
	size_t ngone;
};

/* FNV-1a; the server makes uids, nobody can aim at a bucket. */
static uint64_t
hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *s != '\0'; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3;
	return h;
}

struct pods *
pods_new(void)
{
	return xcalloc(1, sizeof(struct pods));
}

/* Of the three together, so that a uid cannot be told of another name. */
static uint64_t
whole(const char *ns, const char *name, const char *uid)
{
	return hash(ns) ^ hash(name) * 3 ^ hash(uid) * 5;
}

static void
drop(struct pods *p, struct pod *pod)
{
	p->gone[p->ngone++ % GONE_KEPT] = whole(pod->ns, pod->name, pod->uid);
	p->count--;
	LIST_REMOVE(pod, hash);
	free(pod->names);
	free(pod);
}

/* What is on its way to it ends first. */
static void
retire(struct pods *p, struct pod *pod)
{
	pod->gone = 1;
	if (pod->writes == 0)
		drop(p, pod);
}

void
pods_free(struct pods *p)
{
	struct pod *pod;
	size_t i;

	if (p == NULL)
		return;
	for (i = 0; i < BUCKETS; i++)
		while ((pod = LIST_FIRST(&p->buckets[i])) != NULL)
			/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
			drop(p, pod);
	free(p);
}

struct pod *
pods_by_uid(struct pods *p, const char *uid)
{
	struct pod *pod;

	LIST_FOREACH(pod, &p->buckets[hash(uid) % BUCKETS], hash)
	if (strcmp(pod->uid, uid) == 0)
		return pod;
	return NULL;
}

static struct pod *
pod_new(const char *ns, const char *name, const char *uid)
{
	size_t n = strlen(ns) + 1, m = strlen(name) + 1, u = strlen(uid) + 1;
	struct pod *pod = xcalloc(1, sizeof(*pod) + n + m + u);

	memcpy(pod->text, ns, n);
	memcpy(pod->text + n, name, m);
	memcpy(pod->text + n + m, uid, u);
	pod->ns = pod->text;
	pod->name = pod->text + n;
	pod->uid = pod->text + n + m;
	return pod;
}

/* ASCII that is seen: all that the server lets anybody use there. */
static int
is_plain(const char *s)
{
	while (*s > ' ' && *s < 0x7f)
		s++;
	return *s == '\0';
}

int
pods_see(struct pods *p, unsigned int node, const char *node_name,
    struct span object, struct why *why)
{
	char bound[MAX_NAME + 1];
	char ns[MAX_NAMESPACE + 1], name[MAX_NAME + 1], uid[MAX_UID + 1];
	struct span meta;
	struct pod *pod;

	if (scan_get(object, &meta, "metadata", NULL) != 1 ||
	    scan_get_string(meta, ns, sizeof(ns), "namespace", NULL) != 1 ||
	    scan_get_string(meta, name, sizeof(name), "name", NULL) != 1 ||
	    scan_get_string(meta, uid, sizeof(uid), "uid", NULL) != 1)
		return fail(why, ERR_FORMAT,
		    "it has no namespace, name or uid");
	if (!is_plain(ns) || !is_plain(name) || !is_plain(uid))
		return fail(why, ERR_FORMAT,
		    "its namespace, name or uid is none");
	if (scan_get_string(object, bound, sizeof(bound), "spec", "nodeName",
		NULL) != 1)
		bound[0] = '\0';
	if (strcmp(bound, node_name) != 0)
		return fail(why, ERR_DENIED, "%s/%s: bound to \"%s\"", ns, name,
		    bound);
	if ((pod = pods_by_uid(p, uid)) == NULL) {
		if (p->count == MAX_PODS)
			return fail(why, ERR_LIMIT, "%s/%s: more than %d pods",
			    ns, name, MAX_PODS);
		pod = pod_new(ns, name, uid);
		LIST_INSERT_HEAD(&p->buckets[hash(uid) % BUCKETS], pod, hash);
		p->count++;
	}
	/* They never change, but the first one may have come to harm. */
	free(pod->names);
	pod->names = refs_of(object);
	pod->node = node;
	pod->round = p->round[node];
	pod->gone = 0;
	return 0;
}

void
pods_list_begin(struct pods *p, unsigned int node)
{
	p->round[node]++;
}

void
pods_list_end(struct pods *p, unsigned int node)
{
	struct pod *pod, *next;
	size_t i;

	p->listed[node] = 1;
	for (i = 0; i < BUCKETS; i++)
		for (pod = LIST_FIRST(&p->buckets[i]); pod != NULL;
		     pod = next) {
			next = LIST_NEXT(pod, hash);
			if (pod->node == node && pod->round != p->round[node])
				retire(p, pod);
		}
}

int
pods_is_listed(const struct pods *p, unsigned int node)
{
	return p->listed[node];
}

void
pods_forget(struct pods *p, struct span object)
{
	char uid[MAX_UID + 1];
	struct pod *pod;

	if (scan_get_string(object, uid, sizeof(uid), "metadata", "uid",
		NULL) != 1 ||
	    (pod = pods_by_uid(p, uid)) == NULL)
		return;
	retire(p, pod);
}

void
pods_settle(struct pods *p, struct pod *pod)
{
	if (--pod->writes == 0 && pod->gone)
		drop(p, pod);
}

static int
was_here(const struct pods *p, const char *ns, const char *name,
    const char *uid)
{
	uint64_t h = whole(ns, name, uid);
	size_t i;

	for (i = 0; i < p->ngone && i < GONE_KEPT; i++)
		if (p->gone[i] == h)
			return 1;
	return 0;
}

struct pod *
pods_find(struct pods *p, unsigned int node, const char *ns, const char *name,
    const char *uid, struct why *why)
{
	struct pod *pod = pods_by_uid(p, uid);

	if (pod != NULL && pod->node == node && strcmp(pod->ns, ns) == 0 &&
	    strcmp(pod->name, name) == 0 && !pod->gone)
		return pod;
	if (pod == NULL ? was_here(p, ns, name, uid) : pod->gone)
		fail(why, ERR_GONE, "%s/%s: deleted", ns, name);
	else if (pod == NULL && !p->listed[node])
		fail(why, ERR_AGAIN, "%s/%s: pods are not yet listed", ns,
		    name);
	else
		fail(why, ERR_DENIED, "%s/%s uid %s: not seen on this node", ns,
		    name, uid);
	return NULL;
}

int
pods_has(struct pods *p, const char *ns, const char *name, const char *uid)
{
	const struct pod *pod = pods_by_uid(p, uid);

	if (pod == NULL)
		return was_here(p, ns, name, uid);
	return strcmp(pod->ns, ns) == 0 && strcmp(pod->name, name) == 0;
}

int
pod_names(const struct pod *pod, enum object_kind kind, const char *name)
{
	return refs_have(pod->names, kind, name);
}

size_t
pods_count(const struct pods *p)
{
	return p->count;
}
