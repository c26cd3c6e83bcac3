/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_CLUSTER_H
#define KUBESIDE_CLUSTER_H

/* The id of the cluster: the UID of its namespace kube-system. */

struct api;
struct cluster;
struct event_base;

struct cluster_ops {
	/* Once, at the end. */
	void (*known)(const char *id, void *);
	/* Why it is not known yet; asked again later. */
	void (*unknown)(const char *text, void *);
};

struct cluster *cluster_new(struct event_base *, struct api *,
    const struct cluster_ops *, void *arg);
void cluster_free(struct cluster *);
void cluster_ask(struct cluster *);

#endif
