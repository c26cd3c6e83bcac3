/* SPDX-License-Identifier: ISC */
#ifndef T_IT_KUBE_H
#define T_IT_KUBE_H

/*
 * The apiserver as an administrator sees it.  Reading dies when the server
 * does not answer within a minute; waiting is by list and watch.
 */

#include <json-c/json_object.h>

#define KUBE_PODS "/api/v1/namespaces/default/pods"
#define KUBE_DEPLOYMENTS "/apis/apps/v1/namespaces/default/deployments"
#define KUBE_STATEFULSETS "/apis/apps/v1/namespaces/default/statefulsets"
#define KUBE_NODES "/api/v1/nodes"

struct http;

void kube_open(struct http *); /* stays the caller's */

/* NULL: 404. */
struct json_object *kube_get(const char *path);

/* Takes the body (NULL: none); status; the answer in *out (NULL allowed). */
long kube_send(const char *method, const char *path, struct json_object *body,
    struct json_object **out);
/* The same with another content type, "application/merge-patch+json". */
long kube_patch(const char *path, const char *type, struct json_object *body);

/* 1 when what is waited for has come: set is an object, name to object. */
typedef int kube_fn(struct json_object *set, void *arg);

/*
 * Calls fn with all objects of a collection (with its query: "?fieldSelector=")
 * now and after each of their changes (of more than 64 objects: after those
 * that came together), until it returns 1 or ms have passed.
 * Returns what fn returned last.
 */
int kube_await(const char *collection, kube_fn *, void *arg, int ms);

/* Waits for one object; NULL: it went, or never came.  Caller frees. */
typedef int kube_one_fn(struct json_object *, void *arg);
struct json_object *kube_await_one(const char *collection, const char *name,
    kube_one_fn *, void *arg, int ms);

/* 1: no object of that name is left. */
int kube_await_gone(const char *collection, const char *name, int ms);

#endif
