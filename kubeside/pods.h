/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_PODS_H
#define KUBESIDE_PODS_H

/*
 * Which pods our own watches have seen on our nodes: what the placer may write
 * to, and which ConfigMaps and Secrets those pods name.  Pure.
 */

#include <sys/queue.h>

#include "common/span.h"
#include "common/why.h"
#include "ipc/msg.h"

struct pods;
struct write;

struct pod {
	LIST_ENTRY(pod) hash;
	unsigned int node;  /* its index in the settings */
	unsigned int round; /* of the list that had it last */
	/* calls.c: requests queued or on their way; a status that waits. */
	unsigned int writes;
	int flying;	       /* or rests after a refusal */
	unsigned int refusals; /* in a row, of writes */
	/* In a row, whatever the reason: of writes, of reads. */
	unsigned int failed[2];
	struct write *waiting;
	int gone;    /* dropped when writes is 0 */
	char *names; /* of objects: "c/NAME\n" and "s/NAME\n" */
	/* strings one after another in text */
	const char *ns;
	const char *name;
	const char *uid;
	char text[];
};

struct pods *pods_new(void);
void pods_free(struct pods *);

/*
 * A pod seen on a node of that name, as the server sent it; takes the place
 * of what was known of its uid.  ERR_FORMAT: no name, namespace or uid;
 * ERR_DENIED: bound to another node, whatever the watch asked for; ERR_LIMIT:
 * more than MAX_PODS.
 */
int pods_see(struct pods *, unsigned int node, const char *node_name,
    struct span object, struct why *);

/* A list of a node begins and ends: what was not seen between is gone. */
void pods_list_begin(struct pods *, unsigned int node);
void pods_list_end(struct pods *, unsigned int node);
int pods_is_listed(const struct pods *, unsigned int node);

/* Deleted. */
void pods_forget(struct pods *, struct span object);

/* A request for the pod has ended; *pod may be gone then. */
void pods_settle(struct pods *, struct pod *);

/*
 * The pod of that node, namespace, name and uid.  NULL: ERR_GONE for a uid
 * that was there, ERR_AGAIN before the node's first list, else ERR_DENIED.
 */
struct pod *pods_find(struct pods *, unsigned int node, const char *ns,
    const char *name, const char *uid, struct why *);

/* By uid alone. */
struct pod *pods_by_uid(struct pods *, const char *uid);

/* It is one that our watches saw on a node of ours, or was lately. */
int pods_has(struct pods *, const char *ns, const char *name, const char *uid);

int pod_names(const struct pod *, enum object_kind, const char *name);

size_t pods_count(const struct pods *);

#endif
