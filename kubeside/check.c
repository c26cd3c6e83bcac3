/* SPDX-License-Identifier: ISC */
/*
 * check.c: what the apiserver says of us.
 *
 * Owns the order of the questions, one after the other; each ends in one
 * finding or more.  Sends nothing but reads and what review.c makes.
 */
#include "kubeside/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/boot.h"
#include "common/bytes.h"
#include "common/finding.h"
#include "common/finding_https.h"
#include "common/mono.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "kubeside/api.h"
#include "kubeside/creds.h"
#include "kubeside/grants.h"
#include "kubeside/lease.h"
#include "kubeside/nodedoc.h"
#include "kubeside/review.h"

enum {
	DEADLINE_MS = 5000,
};

static struct {
	const struct settings *settings;
	struct api *api;
	char *server, *ca_file;
	struct fleet_node nodes[MAX_NODES];
	size_t n, at; /* nodes; the one that is looked at */
	struct grants *grants;
	size_t step;
} check;

static void next(void);

static void
ask(enum https_method method, const char *path, const char *body,
    void (*done)(const struct https_answer *, void *))
{
	struct https_req r = { .method = method,
		.path = path,
		.deadline_ms = DEADLINE_MS,
		.done = done };

	if (body != NULL)
		r.body = span_of(body);
	(void)api_send(check.api, &r);
}

/* -- the server -- */

static void
unreachable(const struct https_answer *a)
{
	const struct settings *s = check.settings;
	int by_file = s->text[SET_KUBECONFIG][0] != '\0';
	const struct finding_server server = { .subject = "apiserver",
		.base = check.server,
		.ca_file = check.ca_file,
		.ca = by_file ? "certificate-authority of KUBECONFIG" :
				"the Pod's ca.crt",
		.set = by_file ? "server of KUBECONFIG" :
				 "KUBERNETES_SERVICE_HOST" };

	finding_unreachable(&server, a);
}

static void
refused(const struct https_answer *a)
{
	AUTO_FREE char *config =
	    finding_word(check.settings->text[SET_KUBECONFIG]);
	AUTO_FREE char *mend = check.settings->text[SET_KUBECONFIG][0] != '\0' ?
	    xasprintf("kubectl --kubeconfig %s auth whoami  # new credentials "
		      "belong into it",
		config) :
	    xstrdup("kubectl apply -f deploy/kubernetes/rbac.yaml");

	finding(FINDING_FAIL, "apiserver", mend, "%s answers: %s", check.server,
	    a->why.text);
}

static void
on_version(const struct https_answer *a, void *arg)
{
	char version[64] = "version not told";

	(void)arg;
	if (a->status == 0)
		unreachable(a);
	else if (a->why.kind != ERR_NONE)
		refused(a);
	if (a->why.kind != ERR_NONE) {
		boot_checked();
		return;
	}
	(void)scan_get_string(a->body, version, sizeof(version), "gitVersion",
	    NULL);
	finding(FINDING_OK, "apiserver", NULL,
	    "%s answers, certificate verified, %s", check.server, version);
	finding_clock("the apiserver", a->date_ms, now_read().wall_ms);
	next();
}

static void
ask_version(void)
{
	ask(HTTPS_GET, "/version", NULL, on_version);
}

/* -- who we are, what we may -- */

static void
on_self(const struct https_answer *a, void *arg)
{
	char user[MAX_NAME + 1];

	(void)arg;
	if (a->why.kind == ERR_NONE && review_user(a->body, user) == 0)
		finding(FINDING_OK, "account", NULL, "%s", user);
	else
		finding(FINDING_WARN, "account", "kubectl auth whoami",
		    "not told who we are: %s", a->why.text);
	next();
}

static void
ask_self(void)
{
	AUTO_FREE char *body = review_self();

	ask(HTTPS_POST, REVIEW_SELF_PATH, body, on_self);
}

static void
on_grants(void *arg)
{
	(void)arg;
	grants_tell(check.grants);
	next();
}

static void
ask_grants(void)
{
	check.grants = grants_ask(check.api, check.settings, check.nodes,
	    check.n, on_grants, NULL);
}

/* What may not be read is not asked for: the right was told. */
static void
not_read(enum finding_level level, const char *subject, const char *what)
{
	AUTO_FREE char *mend = grants_mend(check.settings);

	finding(level, subject, mend, "%s may not be read", what);
	next();
}

/* -- the cluster and our namespace -- */

static void
on_cluster(const struct https_answer *a, void *arg)
{
	char id[MAX_UID + 1];

	(void)arg;
	if (a->why.kind == ERR_NONE &&
	    scan_get_string(a->body, id, sizeof(id), "metadata", "uid", NULL) ==
		1)
		finding(FINDING_OK, "cluster", NULL, "its id is %s", id);
	else {
		AUTO_FREE char *mend = grants_mend(check.settings);

		finding(FINDING_FAIL, "cluster", mend,
		    "its id is not known, and CLUSTER_ID is empty: %s",
		    a->why.text);
	}
	next();
}

static void
ask_cluster(void)
{
	const char *id = check.settings->text[SET_CLUSTER_ID];

	if (id[0] == '\0' &&
	    !grants_has(check.grants, "get", "namespaces", "", "kube-system")) {
		not_read(FINDING_FAIL, "cluster",
		    "namespace kube-system, and CLUSTER_ID is empty: it");
		return;
	}
	if (id[0] == '\0') {
		ask(HTTPS_GET, "/api/v1/namespaces/kube-system", NULL,
		    on_cluster);
		return;
	}
	finding(FINDING_OK, "cluster", NULL, "its id is CLUSTER_ID=%s", id);
	next();
}

static void
on_namespace(const struct https_answer *a, void *arg)
{
	const char *ns = check.settings->text[SET_NAMESPACE];
	AUTO_FREE char *mend = xasprintf("kubectl create namespace %s", ns);

	(void)arg;
	if (a->why.kind == ERR_NONE)
		finding(FINDING_OK, "NAMESPACE", NULL, "%s is there", ns);
	else if (a->status == 404)
		finding(FINDING_FAIL, "NAMESPACE", mend, "%s is not there", ns);
	else
		finding(FINDING_WARN, "NAMESPACE", mend, "%s: %s", ns,
		    a->why.text);
	next();
}

/* It is no right of ours: a Role in a namespace is what says that it is there.
 */
static void
on_may_read(const struct https_answer *a, void *arg)
{
	const char *ns = check.settings->text[SET_NAMESPACE];
	AUTO_FREE char *path = xasprintf("/api/v1/namespaces/%s", ns);

	(void)arg;
	if (a->why.kind == ERR_NONE && review_allows(a->body) == 1) {
		ask(HTTPS_GET, path, NULL, on_namespace);
		return;
	}
	finding(FINDING_OK, "NAMESPACE", NULL,
	    "%s may not be read, nor need it: where the rights on its leases "
	    "come from a Role, it is there",
	    ns);
	next();
}

static void
ask_namespace(void)
{
	AUTO_FREE char *body = review_access(&(struct access){ "get",
	    "namespaces", "", "", check.settings->text[SET_NAMESPACE] });

	ask(HTTPS_POST, REVIEW_ACCESS_PATH, body, on_may_read);
}

/* -- each node -- */

static void
judge_node(const char *name, struct span items)
{
	AUTO_FREE char *mend =
	    xasprintf("kubectl get node %s -o wide  # leave it be: set another "
		      "NODE_NAME or FLEET_ID",
		name);
	struct span node;
	size_t at = 0;

	if (scan_next(items, &at, &node) != 1)
		finding(FINDING_OK, "node", NULL,
		    "%s is not there yet and will be made", name);
	else if (nodedoc_is_provider(node))
		finding(FINDING_OK, "node", NULL, "%s is there, and is ours",
		    name);
	else
		finding(FINDING_FAIL, "node", mend,
		    "%s is there, and is a machine's: its kubelet has that "
		    "name",
		    name);
}

static void
on_node(const struct https_answer *a, void *arg)
{
	const char *name = check.nodes[check.at].node;
	struct span items;

	(void)arg;
	if (a->why.kind == ERR_NONE &&
	    scan_get(a->body, &items, "items", NULL) == 1)
		judge_node(name, items);
	else {
		AUTO_FREE char *mend = grants_mend(check.settings);

		finding(FINDING_WARN, "node", mend, "%s cannot be read: %s",
		    name, a->why.text);
	}
	next();
}

static void
ask_node(void)
{
	const char *name = check.nodes[check.at].node;
	AUTO_FREE char *path =
	    xasprintf("/api/v1/nodes?fieldSelector=metadata.name%%3D%s", name);

	if (!grants_has(check.grants, "list", "nodes", "", ""))
		not_read(FINDING_WARN, "node", name);
	else
		ask(HTTPS_GET, path, NULL, on_node);
}

static void
judge_lease(const char *name, const struct lease *l)
{
	const char *ns = check.settings->text[SET_NAMESPACE];
	AUTO_FREE char *mend =
	    xasprintf("kubectl -n %s get lease %s -o yaml", ns, name);
	int64_t left = l->renew_ms + l->duration_ms - now_read().wall_ms;

	if (l->holder[0] == '\0' || l->renew_ms == -1 || left < 0)
		finding(FINDING_OK, "lease", NULL, "%s: nobody writes it now",
		    name);
	else
		finding(FINDING_WARN, "lease", mend,
		    "%s: %s is the writer now, and this provider would wait",
		    name, l->holder);
}

static void
on_lease(const struct https_answer *a, void *arg)
{
	const char *name = check.nodes[check.at - 1].node;
	struct why why = a->why;
	struct lease l;

	(void)arg;
	if (a->status == 404)
		finding(FINDING_OK, "lease", NULL,
		    "%s: nobody has written it yet", name);
	else if (why.kind == ERR_NONE && lease_read(a->body, &l, &why) == 0)
		judge_lease(name, &l);
	else {
		AUTO_FREE char *mend = grants_mend(check.settings);

		finding(FINDING_WARN, "lease", mend, "%s cannot be read: %s",
		    name, why.text);
	}
	next();
}

static void
ask_lease(void)
{
	const char *ns = check.settings->text[SET_NAMESPACE];
	const char *name = check.nodes[check.at++].node;
	AUTO_FREE char *path = lease_path(ns, name);

	if (check.at < check.n)
		check.step -= 2; /* the next node */
	if (!grants_has(check.grants, "get", "leases", ns, name))
		not_read(FINDING_WARN, "lease", name);
	else
		ask(HTTPS_GET, path, NULL, on_lease);
}

/* Nobody but an administrator can see what the policies say. */
static void
tell_name(const struct settings *s)
{
	static const char ours[] = "vk-flightctl";
	const char *name = s->text[SET_NODE_NAME];
	size_t len = sizeof(ours) - 1;
	AUTO_FREE char *mend = NULL;

	if (name[0] == '\0' ||
	    (strncmp(name, ours, len) == 0 &&
		(name[len] == '\0' || name[len] == '-')))
		return;
	mend = xasprintf("kubectl edit validatingadmissionpolicy "
			 "vk-flightctl-provider-pods "
			 "vk-flightctl-provider-nodes  # `ours' in both: or "
			 "variables.node == '%s'",
	    name);
	finding(FINDING_WARN, "NODE_NAME", mend,
	    "%s: the policies of deploy/kubernetes/base/admission.yaml, where "
	    "they are applied, refuse it unless they name it",
	    name);
}

/* -- life -- */

static void
next(void)
{
	static void (*const steps[])(void) = { ask_version, ask_self,
		ask_grants, ask_cluster, ask_namespace, ask_node, ask_lease,
		boot_checked };

	steps[check.step++]();
}

static void
on_state(int reachable, const char *text, void *arg)
{
	(void)reachable, (void)text, (void)arg;
}

static void
on_replaced(void *arg)
{
	(void)arg;
}

/* The same that api.c will read, for what is wrong with it. */
static int
read_creds(const struct settings *s)
{
	const char *path = s->text[SET_KUBECONFIG];
	AUTO_FREE char *word = finding_word(path), *mend = NULL;
	struct creds c = { 0 };
	struct why why;

	if (path[0] != '\0' && !finding_reads("KUBECONFIG", path))
		return 0;
	if (creds_load(&c, s, &why) == -1) {
		mend = path[0] == '\0' ?
		    xstrdup("kubectl apply -f deploy/kubernetes/rbac.yaml  # "
			    "in a Pod of that account, or set KUBECONFIG") :
		    xasprintf("kubectl --kubeconfig %s config view", word);
		finding(FINDING_FAIL, "credentials", mend, "%s", why.text);
		return 0;
	}
	check.server = xstrdup(c.server);
	check.ca_file = c.ca_file == NULL ? NULL : xstrdup(c.ca_file);
	creds_wipe(&c);
	return 1;
}

void
check_begin(struct event_base *base, const struct settings *s)
{
	static const struct api_ops ops = { on_state, on_replaced };
	struct why why;
	int n = settings_nodes(s, check.nodes, MAX_NODES, &why);

	check.settings = s;
	tell_name(s);
	if (n <= 0 || !read_creds(s)) {
		boot_checked();
		return;
	}
	check.n = (size_t)n;
	check.api = api_new(base, s, 0, &ops, NULL);
	next();
}

void
check_end(void)
{
	grants_free(check.grants);
	api_free(check.api);
	free(check.server);
	free(check.ca_file);
}
