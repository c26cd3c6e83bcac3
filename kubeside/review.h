/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_REVIEW_H
#define KUBESIDE_REVIEW_H

/*
 * Questions to the apiserver about ourselves, which store nothing: who we are,
 * and what we may.  Pure.
 */

#include "common/limits.h"
#include "common/span.h"

#define REVIEW_ACCESS_PATH \
	"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
#define REVIEW_SELF_PATH "/apis/authentication.k8s.io/v1/selfsubjectreviews"

/* One right, its words borrowed; "": all, or any. */
struct access {
	const char *verb;
	const char *resource; /* "pods/status" is another one than "pods" */
	const char *group, *ns, *name;
};

/* The bodies; the caller's to free. */
char *review_access(const struct access *);
char *review_self(void);

/* The answers.  1: allowed, 0: not, -1: no such answer. */
int review_allows(struct span answer);
/* The user's name; -1: no such answer. */
int review_user(struct span answer, char user[MAX_NAME + 1]);

#endif
