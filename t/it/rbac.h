/* SPDX-License-Identifier: ISC */
#ifndef T_IT_RBAC_H
#define T_IT_RBAC_H

/*
 * What the roles and bindings of a manifest let an account do.
 */

#include <stddef.h>

struct json_object;
struct why;

struct right {
	const char *group;    /* "": the core's */
	const char *resource; /* "pods/status" is another one than "pods" */
	const char *ns;	      /* "": all, and what is in none */
	const char *name;     /* "": any */
	const char *verb;
};

/* { 0 } is none.  Words are borrowed, those of files from documents. */
struct rights {
	struct right *v;
	size_t n;
	struct json_object *documents;
};

/*
 * Adds the rights that bindings in the file give to the provider's account;
 * ns, which stays the caller's, is the namespace of objects that name none.
 * 0; -1: the file cannot be read, binds a role that it does not have, or has a
 * rule with a wildcard.
 */
int rbac_read(struct rights *, const char *path, const char *ns, struct why *);
void rbac_add(struct rights *, struct right);
void rbac_clear(struct rights *);

/* The first that covers this one, where "" is nothing but ""; NULL: none. */
const struct right *rbac_covers(const struct rights *, const struct right *);

/* "patch leases.coordination.k8s.io in kube-node-lease"; the caller's. */
char *rbac_text(const struct right *);

#endif
