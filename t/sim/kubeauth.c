/* SPDX-License-Identifier: ISC */
/*
 * kubeauth.c: who asks, and whether they may.
 *
 * Owns the bearer tokens.  A client certificate is the administrator's; a
 * token that is not known is 401; no credentials are system:anonymous.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/sim/kube.h"
#include "t/sim/web.h"

#define ANONYMOUS "system:anonymous"

enum role {
#define KUSER(role, name) ROLE_##role,
#define KRULE(...)
#include "t/sim/kuberole.def"
#undef KUSER
#undef KRULE
	ROLES
};

static const char *const users[] = {
#define KUSER(role, name) name,
#define KRULE(...)
#include "t/sim/kuberole.def"
#undef KUSER
#undef KRULE
};

static const struct {
	enum role role;
	const char *group, *resource, *ns, *name, *verbs;
} rules[] = {
#define KUSER(...)
#define KRULE(role, group, resource, ns, name, verbs) \
	{ ROLE_##role, group, resource, ns, name, verbs },
#include "t/sim/kuberole.def"
#undef KUSER
#undef KRULE
};

struct kauth {
	char *tokens[ROLES];
	char *revoked; /* of the provider: lines "VERB RESOURCE" */
};

struct kauth *
kauth_new(const char *provider, const char *agent)
{
	struct kauth *auth = xcalloc(1, sizeof(*auth));

	auth->tokens[ROLE_PROVIDER] = xstrdup(provider);
	auth->tokens[ROLE_AGENT] = xstrdup(agent);
	return auth;
}

void
kauth_free(struct kauth *auth)
{
	size_t i;

	if (auth == NULL)
		return;
	for (i = 0; i < ROLES; i++)
		free(auth->tokens[i]);
	free(auth->revoked);
	free(auth);
}

void
kauth_revoke(struct kauth *auth, const char *verb, const char *resource)
{
	char *more = xasprintf("%s%s %s\n",
	    auth->revoked == NULL ? "\n" : auth->revoked, verb, resource);

	free(auth->revoked);
	auth->revoked = more;
}

static int
is_revoked(const struct kauth *auth, int role, const struct kasked *a)
{
	AUTO_FREE char *line = xasprintf("\n%s %s\n", a->verb, a->resource);

	return role == ROLE_PROVIDER && auth->revoked != NULL &&
	    strstr(auth->revoked, line) != NULL;
}

void
kauth_token(struct kauth *auth, const char *token)
{
	free(auth->tokens[ROLE_PROVIDER]);
	auth->tokens[ROLE_PROVIDER] = xstrdup(token);
}

const char *
kauth_user(struct kauth *auth, struct web_req *web, struct kfail *f)
{
	const char *peer = web_peer(web);
	const char *header = web_header(web, "Authorization");
	size_t i;

	if (header == NULL || strncmp(header, "Bearer ", 7) != 0)
		return peer != NULL ? peer : ANONYMOUS;
	for (i = 0; i < ROLES; i++)
		if (strcmp(header + 7, auth->tokens[i]) == 0)
			return users[i];
	kfail(f, 401, "Unauthorized", NULL, "Unauthorized");
	return NULL;
}

static int
role_of(const char *user)
{
	int i;

	for (i = 0; i < ROLES; i++)
		if (strcmp(users[i], user) == 0)
			return i;
	return -1;
}

static int
is_admin(const char *user)
{
	return role_of(user) == -1 && strcmp(user, ANONYMOUS) != 0;
}

static int
has_word(const char *words, const char *word)
{
	size_t n = strlen(word);
	const char *p;

	for (p = words; (p = strstr(p, word)) != NULL; p += n)
		if ((p == words || p[-1] == ' ') &&
		    (p[n] == ' ' || p[n] == '\0'))
			return 1;
	return 0;
}

static int
is_or_any(const char *limit, const char *s)
{
	return limit[0] == '\0' || strcmp(limit, s) == 0;
}

const char *
kauth_where(const struct kauth *auth, const char *user, const struct kasked *a)
{
	int role = role_of(user);
	size_t i;

	if (is_admin(user))
		return "";
	if (is_revoked(auth, role, a))
		return NULL;
	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (role == (int)rules[i].role &&
		    strcmp(rules[i].group, a->group) == 0 &&
		    strcmp(rules[i].resource, a->resource) == 0 &&
		    is_or_any(rules[i].ns, a->ns) &&
		    is_or_any(rules[i].name, a->name) &&
		    has_word(rules[i].verbs, a->verb))
			return rules[i].ns;
	return NULL;
}

/* Also the answer of a server that has just started. */
int
kauth_forbid(const struct kreq *r, const char *resource, const char *group,
    struct kfail *f)
{
	const char *dot = group[0] != '\0' ? "." : "";
	AUTO_FREE char *what = r->sub[0] != '\0' ?
	    xasprintf("%s/%s", resource, r->sub) :
	    xstrdup(resource);
	AUTO_FREE char *name =
	    r->name[0] != '\0' ? xasprintf(" \"%s\"", r->name) : xstrdup("");
	AUTO_FREE char *where = r->ns[0] != '\0' ?
	    xasprintf("in the namespace \"%s\"", r->ns) :
	    xstrdup("at the cluster scope");

	return kfail(f, 403, "Forbidden", kdetails(r->name, group, resource),
	    "%s%s%s%s is forbidden: User \"%s\" cannot %s resource \"%s\" in "
	    "API group \"%s\" %s",
	    resource, dot, group, name, r->user, kverb_name(r->verb), what,
	    group, where);
}

int
kauth_allows(struct kauth *auth, const struct kreq *r, const char *resource,
    const char *group, struct kfail *f)
{
	AUTO_FREE char *what = r->sub[0] != '\0' ?
	    xasprintf("%s/%s", resource, r->sub) :
	    xstrdup(resource);

	if (kauth_where(auth, r->user,
		&(struct kasked){ kverb_name(r->verb), group, what, r->ns,
		    r->name }) != NULL)
		return 0;
	return kauth_forbid(r, resource, group, f);
}

int
kauth_forbid_path(const char *user, const char *path, struct kfail *f)
{
	return kfail(f, 403, "Forbidden", json_object_new_object(),
	    "forbidden: User \"%s\" cannot get path \"%s\"", user, path);
}

int
kauth_path(const char *user, const char *path, struct kfail *f)
{
	static const char *const open_to_all[] = { "/version", "/readyz",
		"/livez", "/healthz" };
	size_t i;

	for (i = 0; i < 4; i++)
		if (strcmp(path, open_to_all[i]) == 0)
			return 0;
	if (is_admin(user) ||
	    (strcmp(user, ANONYMOUS) != 0 && strncmp(path, "/api", 4) == 0))
		return 0;
	return kauth_forbid_path(user, path, f);
}
