/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_KUBEFAIL_H
#define T_SIM_KUBEFAIL_H

/*
 * Why a request fails, as the server says it: the members of a Status.
 * Functions that can fail take a struct kfail * last and return -1.
 */

#include "t/sim/kubestore.h"

struct json_object;

struct kfail {
	int code;
	const char *reason; /* NULL: the Status has none */
	char *message;
	struct json_object *details;
	int retry_after; /* seconds; 0: none */
	char *go_on;	 /* metadata.continue of an expired list, or NULL */
};

/* Takes details (NULL: none); returns -1. */
int kfail(struct kfail *, int code, const char *reason,
    struct json_object *details, const char *, ...)
    __attribute__((format(printf, 5, 6)));
void kfail_clear(struct kfail *);
/* The Status body, the caller's. */
struct json_object *kfail_status(const struct kfail *);

/* {"name":..., "group":..., "kind":...}; NULL and "" are left out. */
struct json_object *kdetails(const char *name, const char *group,
    const char *kind);
void kdetails_cause(struct json_object *, const char *reason,
    const char *message, const char *field);

/* The forms that many operations share; each returns -1. */
int kfail_not_found(struct kfail *, enum kid, const char *name);
int kfail_stale(struct kfail *, enum kid, const char *name);
int kfail_bad(struct kfail *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
/* A body that cannot be decoded in a PATCH: 422 that quotes the object. */
int kfail_patch(struct kfail *, const char *object, const char *text);

/* --- what validation finds --- */
enum kproblem_kind {
	PROBLEM_INVALID,
	PROBLEM_REQUIRED,
	PROBLEM_FORBIDDEN,
	PROBLEM_UNSUPPORTED,
};

struct kproblem {
	char *field;
	enum kproblem_kind kind;
	char *text; /* "Invalid value: \"x\": why" */
};

struct kproblems {
	struct kproblem *v;
	size_t n;
};

/* value: as the server prints it, strings quoted; NULL where it has none. */
void kproblem(struct kproblems *, enum kproblem_kind, const char *field,
    const char *value, const char *detail);
void kproblem_string(struct kproblems *, const char *field, const char *value,
    const char *detail);
void kproblems_clear(struct kproblems *);
/* -1 with a 422 when there are problems, which are cleared. */
int kproblems_fail(struct kproblems *, enum kid, const char *name,
    struct kfail *);

#endif
