/* SPDX-License-Identifier: ISC */
/*
 * grants.c: which rights we have.
 *
 * Owns the questions that rights.def makes of the settings; a question is a
 * POST that stores nothing, and every account may ask it of itself.
 */
#include "kubeside/grants.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/bytes.h"
#include "common/finding.h"
#include "common/xmem.h"
#include "kubeside/api.h"
#include "kubeside/review.h"
#include "kubeside/rights.h"

enum {
	DEADLINE_MS = 5000,
	VERB_MAX = 16,
	UNKNOWN = -1, /* no answer, as review_allows() says it */
};

static const struct right {
	const char *resource, *group;
	enum right_where where;
	enum right_name name;
	enum right_when when;
	const char *verbs;
} rights[] = {
#define RIGHT(resource, group, where, name, when, verbs) \
	{ resource, group, IN_##where, OF_##name, IF_##when, verbs },
#include "kubeside/rights.def"
#undef RIGHT
};

#define ROWS (sizeof(rights) / sizeof(rights[0]))

/* Where Pods without a namespace of their own are. */
#define A_NAMESPACE "default"

struct ask {
	struct grants *grants;
	const struct right *right;
	char verb[VERB_MAX];
	const char *name, *ns;
	int allowed;
	struct why why; /* it is not known */
	struct api_call *call;
};

struct grants {
	const struct settings *settings;
	const struct fleet_node *nodes;
	size_t n;
	struct api *api;
	struct ask *asks;
	size_t nasks, left;
	void (*done)(void *);
	void *arg;
};

static int
is_needed(const struct grants *g, const struct right *r)
{
	const struct settings *s = g->settings;

	switch (r->when) {
	case IF_NO_ID:
		return s->text[SET_CLUSTER_ID][0] == '\0';
	case IF_INLINE:
		return strcmp(s->text[SET_SECRETS], "inline") == 0;
	case IF_ALWAYS:
		break;
	}
	return 1;
}

static void
add(struct grants *g, const struct right *r, struct span verb, const char *ns,
    const char *name)
{
	struct ask *a;

	g->asks = xreallocarray(g->asks, g->nasks + 1, sizeof(*g->asks));
	a = &g->asks[g->nasks++];
	*a = (struct ask){ .grants = g,
		.right = r,
		.name = name,
		.ns = ns,
		.allowed = UNKNOWN };
	memcpy(a->verb, verb.p, verb.len < VERB_MAX ? verb.len : VERB_MAX - 1);
}

static void
add_verb(struct grants *g, const struct right *r, struct span verb)
{
	const char *const spaces[] = { [IN_ALL] = "",
		[IN_BEATS] = "kube-node-lease",
		[IN_OURS] = g->settings->text[SET_NAMESPACE],
		[IN_PODS] = "" };
	size_t i;

	switch (r->name) {
	case OF_NODE:
		for (i = 0; i < g->n; i++)
			add(g, r, verb, spaces[r->where], g->nodes[i].node);
		break;
	case OF_SYSTEM:
		add(g, r, verb, "", "kube-system");
		break;
	case OF_ANY:
		add(g, r, verb, spaces[r->where], "");
		if (r->where == IN_PODS)
			add(g, r, verb, A_NAMESPACE, "");
		break;
	}
}

static void
add_right(struct grants *g, const struct right *r)
{
	const char *at = r->verbs;
	size_t len;

	for (; *at != '\0'; at += len + (at[len] == ' ')) {
		len = strcspn(at, " ");
		add_verb(g, r, (struct span){ at, len });
	}
}

static void
on_answer(const struct https_answer *ans, void *arg)
{
	struct ask *a = arg;
	struct grants *g = a->grants;

	a->call = NULL;
	a->why = ans->why;
	if (a->why.kind == ERR_NONE &&
	    (a->allowed = review_allows(ans->body)) == UNKNOWN)
		fail(&a->why, ERR_FORMAT, "what came has no status.allowed");
	if (--g->left == 0)
		g->done(g->arg);
}

static void
send(struct ask *a)
{
	AUTO_FREE char *body = review_access(&(struct access){ a->verb,
	    a->right->resource, a->right->group, a->ns, a->name });

	a->call = api_send(a->grants->api,
	    &(struct https_req){ .method = HTTPS_POST,
		.path = REVIEW_ACCESS_PATH,
		.body = span_of(body),
		.deadline_ms = DEADLINE_MS,
		.done = on_answer,
		.arg = a });
}

struct grants *
grants_ask(struct api *api, const struct settings *s,
    const struct fleet_node *nodes, size_t n, void (*done)(void *), void *arg)
{
	struct grants *g = xcalloc(1, sizeof(*g));
	size_t i;

	*g = (struct grants){ .settings = s,
		.nodes = nodes,
		.n = n,
		.api = api,
		.done = done,
		.arg = arg };
	for (i = 0; i < ROWS; i++)
		if (is_needed(g, &rights[i]))
			add_right(g, &rights[i]);
	g->left = g->nasks;
	for (i = 0; i < g->nasks; i++)
		send(&g->asks[i]);
	return g;
}

void
grants_free(struct grants *g)
{
	size_t i;

	if (g == NULL)
		return;
	for (i = 0; i < g->nasks; i++)
		api_cancel(g->asks[i].call);
	free(g->asks);
	free(g);
}

int
grants_has(const struct grants *g, const char *verb, const char *resource,
    const char *ns, const char *name)
{
	const struct ask *a;

	for (a = g->asks; a < g->asks + g->nasks; a++)
		if (strcmp(a->verb, verb) == 0 && strcmp(a->ns, ns) == 0 &&
		    strcmp(a->name, name) == 0 &&
		    strcmp(a->right->resource, resource) == 0)
			return a->allowed == 1;
	return 0;
}

/* -- findings -- */

char *
grants_mend(const struct settings *s)
{
	const char *ns = s->text[SET_NAMESPACE];

	if (strcmp(ns, "vk-flightctl") == 0)
		return xstrdup("kubectl apply -f deploy/kubernetes/rbac.yaml");
	/* Beside a first one's: what is the cluster's has a name of its own. */
	return xasprintf(
	    "for f in rbac admission; do sed "
	    "-e 's/ame: vk-flightctl-provider-[a-z]*$/&-%s/' "
	    "-e '/RoleBinding$/,/^roleRef/s/name: vk-flightctl-provider$/&-%s/'"
	    " -e 's/vk-flightctl$/%s/'"
	    " -e 's/serviceaccount:vk-flightctl:/serviceaccount:%s:/' "
	    "deploy/kubernetes/base/$f.yaml | kubectl apply -f -; done",
	    ns, ns, ns, ns);
}

static void
add_word(struct bytes *b, const char *before, const char *word)
{
	if (word[0] == '\0')
		return;
	bytes_add_text(b, before);
	bytes_add_text(b, word);
}

/* " patch NODE, get" : what of the row is not allowed. */
static size_t
add_missing(struct bytes *b, const struct grants *g, const struct right *r,
    const struct ask **unknown)
{
	const struct ask *a;
	size_t n = 0;

	for (a = g->asks; a < g->asks + g->nasks; a++) {
		if (a->right != r || a->allowed == 1)
			continue;
		bytes_add_text(b, n++ == 0 ? "" : ", ");
		bytes_add_text(b, a->verb);
		add_word(b, " ", a->name);
		if (a->allowed == UNKNOWN)
			*unknown = a;
	}
	bytes_add(b, (struct span){ "", 1 });
	return n;
}

/* Of which some are enough, for a namespace gives its own. */
static void
tell_pods(const struct grants *g, const struct right *r)
{
	AUTO_FREE char *file = xasprintf("%s.yaml", r->resource);
	AUTO_FREE char *mend = xasprintf("kubectl -n " A_NAMESPACE
					 " apply -f deploy/kubernetes/%s",
	    file);
	const struct ask *a;

	for (a = g->asks; a < g->asks + g->nasks; a++)
		if (a->right == r && a->allowed == 1) {
			finding(FINDING_OK, "right", NULL, "%s %s %s", r->verbs,
			    r->resource,
			    a->ns[0] == '\0' ? "everywhere" :
					       "in " A_NAMESPACE
					       " (each other namespace gives "
					       "its own)");
			return;
		}
	finding(FINDING_WARN, "right", mend,
	    "%s %s not allowed, neither everywhere nor in " A_NAMESPACE
	    ": pods that use them wait",
	    r->verbs, r->resource);
}

static void
tell(const struct grants *g, const struct right *r)
{
	static const char *const wheres[] = { [IN_ALL] = "",
		[IN_BEATS] = " in kube-node-lease",
		[IN_OURS] = "",
		[IN_PODS] = "" };
	AUTO_BYTES struct bytes missing = { NULL, 0, 0 };
	AUTO_FREE char *mend = NULL, *ours = NULL;
	const struct ask *unknown = NULL;
	const char *where = wheres[r->where];

	if (r->where == IN_OURS)
		where = ours =
		    xasprintf(" in %s", g->settings->text[SET_NAMESPACE]);
	if (add_missing(&missing, g, r, &unknown) == 0) {
		finding(FINDING_OK, "right", NULL, "%s %s%s", r->verbs,
		    r->resource, where);
		return;
	}
	mend = grants_mend(g->settings);
	if (unknown != NULL)
		finding(FINDING_FAIL, "right", mend,
		    "%s%s: not known whether allowed: %s: %s", r->resource,
		    where, missing.p, unknown->why.text);
	else
		finding(FINDING_FAIL, "right", mend, "%s%s: not allowed: %s",
		    r->resource, where, missing.p);
}

void
grants_tell(const struct grants *g)
{
	const struct right *r;

	for (r = rights; r < rights + ROWS; r++)
		if (!is_needed(g, r))
			finding(FINDING_OK, "right", NULL, "%s %s: not needed",
			    r->verbs, r->resource);
		else if (r->where == IN_PODS)
			tell_pods(g, r);
		else
			tell(g, r);
}
