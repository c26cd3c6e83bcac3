/* SPDX-License-Identifier: ISC */
#ifndef T_IT_POD_H
#define T_IT_POD_H

/* Pods of the scenario's fleet, in namespace default, and what is asked. */

#include <json-c/json_object.h>

struct pod_conf {
	const char *image;     /* NULL: busybox:latest */
	const char *cpu;       /* request and limit, NULL: "100m" */
	const char *memory;    /* NULL: "32Mi" */
	const char *spec;      /* more members of the spec, ",\"x\":1"; NULL */
	const char *container; /* more members of the container; NULL */
	const char *device;    /* asked for by annotation; NULL: any */
	const char *fleet;     /* NULL: the scenario's */
	const char *app;       /* value of label app; NULL: the name */
	int bound;	       /* spec.nodeName instead of nodeSelector */
	int tolerates_s;       /* a dead node so long; 0: as is usual */
};

/* The template's members: "metadata":...,"spec":...; caller frees. */
char *pod_template(const char *name, const struct pod_conf *);

/* Creates; its UID, the caller's.  Dies when refused.  conf NULL: defaults. */
char *pod_create(const char *name, const struct pod_conf *);

/*
 * A Deployment of so many, app=name; just where there are controllers: not on
 * the simulators.  Dies when refused.
 */
void pod_deployment(const char *name, int replicas, const struct pod_conf *);

/* The same of a StatefulSet. */
void pod_statefulset(const char *name, int replicas, const struct pod_conf *);

/* As a person does: with the pod's grace period. */
void pod_delete(const char *name);

/*
 * Waits until it is Running (its one container has started), one check with
 * the time it took since since_ms; the pod, or NULL.
 */
struct json_object *pod_runs(const char *name, int64_t since_ms, int ms);

/* Waits until n pods with label app=value are in that phase: how many are. */
unsigned int pods_in_phase(const char *app, const char *phase, unsigned int n,
    int ms);

/* Waits until a pod, whichever, is in that phase for that reason; 1: one is. */
int pods_have(const char *phase, const char *reason, int ms);

/*
 * Waits until a pod, whichever but the one of UID except (NULL: any), has that
 * status of condition Ready; one check, what, with the time it took.  The pod,
 * or NULL.
 */
struct json_object *pod_whose_ready_is(const char *status, const char *except,
    int ms, const char *what);

/* name: UID, of the pods of a list (a path with its query); the caller's. */
struct json_object *pod_uids(const char *path);

/* Its condition Ready is True, a pod's or a node's; a kube_one_fn. */
int pod_is_ready(struct json_object *, void *);

/* It has a deletionTimestamp; a kube_one_fn. */
int pod_leaves(struct json_object *pod, void *);

/* Waits until none is left; 1: so it is. */
int pods_gone(const char *app, int ms);

/* Within ms an Event tells of that pod, with these words in its message. */
int pod_has_event(const char *uid, const char *reason, const char *words,
    int ms);

/* How many Events of this provider there are about that pod. */
unsigned int pod_events(const char *uid);

/* One check of that. */
void pod_is_told(const char *uid, const char *reason, const char *words,
    int ms);

/* The node Ready within ms: one check; the Node, or NULL. */
struct json_object *node_is_ready(int ms);
struct json_object *node_named_is_ready(const char *name, int ms);

#endif
