/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_KUBE_H
#define T_SIM_KUBE_H

/*
 * kubesim: what its parts share.  Requests come in by kubehttp.c, which
 * knows who asks for what (struct kreq); reads, watches, writes and deletes
 * answer them; controllers and the scheduler write without a request.
 */

#include <sys/queue.h>

#include "t/sim/kubefail.h"
#include "t/sim/kubestore.h"
#include "t/sim/kubetype.h"

struct event;
struct event_base;
struct json_object;
struct web;
struct web_req;
struct why;
struct kfaults;
struct kauth;
struct kcontrollers;
struct ksched;
struct kwatches;

struct kube {
	struct event_base *base;
	struct web *web;
	const char *dir; /* of its certificates */
	struct kstore *store;
	struct kauth *auth;
	struct kfaults *faults;
	struct kwatches *watches;
	struct kcontrollers *controllers;
	struct ksched *sched; /* NULL: pods stay unbound */
};

enum kverb {
	KVERB_GET,
	KVERB_LIST,
	KVERB_WATCH,
	KVERB_CREATE,
	KVERB_UPDATE,
	KVERB_PATCH,
	KVERB_DELETE,
	KVERB_DELETECOLLECTION,
};
const char *kverb_name(enum kverb);

struct kreq {
	struct kube *kube;
	struct web_req *web;
	const char *user;
	enum kverb verb;
	enum kid kid;
	char *ns;   /* "": all, or cluster-wide */
	char *name; /* "": a collection */
	char *sub;  /* "", "status", "binding" */
	int status; /* sub is "status" */
	int dry_run, strict;
	struct kwarn warn;
};

/* --- answers (kubehttp.c); each ends the request and frees it --- */
void kreq_object(struct kreq *, int code, const struct kobj *);
/* A text without kind and apiVersion, of something not kept. */
void kreq_text(struct kreq *, int code, const char *text);
void kreq_json(struct kreq *, int code, struct json_object *);
void kreq_fail(struct kreq *, struct kfail *);
void kreq_free(struct kreq *);
/* "{"kind":"Pod","apiVersion":"v1"," */
const char *kresource_head(enum kid);

/* --- operations --- */
void kread_get(struct kreq *);
void kread_list(struct kreq *);
void kwatch_start(struct kreq *);
void kwrite_create(struct kreq *);
void kwrite_update(struct kreq *);
void kwrite_patch(struct kreq *);
void kdelete_one(struct kreq *);
void kdelete_many(struct kreq *);
void kbind_create(struct kreq *);

/*
 * Writes without a request: the tree (with its old resourceVersion) replaces
 * the object of its name.  A write that changes nothing is none.  Borrowed
 * result; NULL with a failure.
 */
struct kobj *kwrite_put(struct kube *, enum kid, struct json_object *,
    struct kfail *);
/* buf holds at least 37 bytes. */
void knew_uid(char *buf, size_t);
/* After a write: a terminating object without finalizers goes. */
int kdelete_finished(enum kid, struct json_object *);
enum {
	KGRACE_UNSET = -1000, /* the pod's own */
};
/* Marks a pod, or removes it. */
int kdelete_pod(struct kube *, struct kobj *, long grace, struct kfail *);
/* Binding semantics; uid may be NULL. */
int kbind_pod(struct kube *, struct kobj *, const char *node, const char *uid,
    struct kfail *);
/* Labels of the node's place, on a pod that is or becomes bound to it. */
void kbind_topology(struct kube *, struct json_object *pod, const char *node);

/* --- parts with a state of their own --- */
struct kwatches *kwatches_new(struct kube *);
void kwatches_free(struct kwatches *);
void kwatches_expire(struct kwatches *); /* each gets the 410 event, ends */
void kwatches_drop(struct kwatches *);	 /* connections closed */
void kwatches_silence(struct kwatches *, int on); /* open, nothing sent */
void kwatches_bookmark(struct kwatches *);	  /* one now, where allowed */
size_t kwatches_count(const struct kwatches *);

struct kcontrollers *kcontrollers_new(struct kube *);
void kcontrollers_free(struct kcontrollers *);
int kcontrollers_node_unknown(struct kube *, const char *name);
/* A namespace was marked: its content goes, then it does. */
void kcontrollers_namespace(struct kube *, const char *name);

struct ksched *ksched_new(struct kube *);
void ksched_free(struct ksched *);

/* --- who asks (kubeauth.c) --- */
struct kauth *kauth_new(const char *provider_token, const char *agent_token);
void kauth_free(struct kauth *);
/* "system:anonymous" without credentials; NULL with 401. */
const char *kauth_user(struct kauth *, struct web_req *, struct kfail *);
/* 0, or -1 with 403; resource and group as in the path. */
int kauth_allows(struct kauth *, const struct kreq *, const char *resource,
    const char *group, struct kfail *);
int kauth_forbid(const struct kreq *, const char *resource, const char *group,
    struct kfail *);
int kauth_forbid_path(const char *user, const char *path, struct kfail *);
/* Where a right holds, "" : everywhere; NULL: nowhere.  "" in it is only "". */
struct kasked {
	const char *verb, *group, *resource, *ns, *name;
};
const char *kauth_where(const struct kauth *, const char *user,
    const struct kasked *);
/* The provider lacks this one from now on ("patch", "pods/status"). */
void kauth_revoke(struct kauth *, const char *verb, const char *resource);
int kauth_path(const char *user, const char *path, struct kfail *);
void kauth_token(struct kauth *, const char *token); /* the provider's */

/* --- what accounts ask about themselves (kubereview.c) --- */
struct kreview;
const struct kreview *kreview_of(const char *path); /* NULL: no such path */
/* Answers; -1 with a failure. */
int kreview_answer(const struct kreview *, struct kube *, struct web_req *,
    const char *user, struct kfail *);

/* --- requests as they come (kubehttp.c, kubepath.c) --- */
void khttp_request(struct web_req *, void *kube);
/* What a path names, of an API path; -1: it is none. */
struct kpath {
	char group[64];
	char ns[256], resource[64], name[256], sub[64];
	int watch;    /* the old /watch/ prefix */
	int known;    /* the group and version are served */
	enum kid kid; /* KUBE_KINDS: no such resource */
};
int kpath_read(const char *path, struct kpath *);
/* Documents that are not objects: /version, /readyz, discovery. */
int kpath_document(struct kube *, struct web_req *);

/* --- faults (kubefault.c) --- */
struct kfaults *kfaults_new(struct kube *, const char *control, struct why *);
void kfaults_free(struct kfaults *);
/* Before anything is read: 1 when it took the request (held, delayed). */
int kfaults_gate(struct web_req *, void *kube);
/* A scripted failure for this request, r NULL for documents; -1 with it. */
int kfaults_fail(struct kfaults *, struct web_req *, const char *user,
    const struct kreq *, struct kfail *);
void kfaults_count(struct kfaults *, const char *verb, const char *resource,
    const char *sub);

#endif
