/* SPDX-License-Identifier: ISC */
/*
 * deploy/kubernetes, held against the program: each container has its worker's
 * settings, user, folders and secrets, and nothing of another's.  (Whether a
 * cluster takes them: t/it/manifests.c.)
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/form.h"
#include "common/settings.h"
#include "common/span.h"
#include "common/why.h"
#include "common/xmem.h"
#include "supervisor/ping.h"
#include "t/it/js.h"
#include "t/it/manifest.h"

#define BASE "deploy/kubernetes/base/"
#define TAINT "virtual-kubelet.io/provider"

enum {
	NODES = 4
};

static const enum proc roles[] = { PROC_KUBESIDE, PROC_FLIGHTSIDE,
	PROC_PLACER };
enum {
	ROLES = sizeof(roles) / sizeof(roles[0])
};

static struct json_object *provider, *pod;

static struct json_object *
read_all(const char *path)
{
	struct why why = { 0 };
	struct json_object *docs = manifest_read(path, &why);

	cr_assert(docs != NULL, "from the root of the tree: %s", why.text);
	return docs;
}

static struct json_object *
document(struct json_object *docs, const char *kind)
{
	struct json_object *o = js_find(docs, "", "kind", kind);

	cr_assert(o != NULL, "no %s", kind);
	return o;
}

static void
open_pod(void)
{
	provider = read_all(BASE "provider.yaml");
	pod = js_get(document(provider, "Deployment"), "/spec/template/spec");
	cr_assert(pod != NULL);
}

static void
close_pod(void)
{
	json_object_put(provider);
}

TestSuite(deploy_manifests, .init = open_pod, .fini = close_pod);

static struct json_object *
container(enum proc p)
{
	struct json_object *c =
	    js_find(pod, "/containers", "name", proc_name(p));

	cr_assert(c != NULL, "no container %s", proc_name(p));
	return c;
}

static int
is(struct json_object *o, const char *path, const char *value)
{
	return strcmp(js_str(o, path), value) == 0;
}

/* --- settings ------------------------------------------------------------- */

/* What a container's worker is told, as far as it is told here. */
static void
settings_of(enum proc p, struct settings *s)
{
	struct json_object *env;
	struct why why = { 0 };
	size_t i;

	settings_init(s);
	for (i = 0; (env = js_item(container(p), "/env", i)) != NULL; i++) {
		const char *name = js_str(env, "/name");
		enum setting at = settings_by_name(name);
		const char *value = js_str(env, "/value");

		cr_assert(at != SET_COUNT, "%s: no setting %s", proc_name(p),
		    name);
		cr_expect(settings_is_for(at, p) ||
			settings_is_for(at, PROC_SUPERVISOR),
		    "%s is not for %s", name, proc_name(p));
		if (js_get(env, "/valueFrom") == NULL)
			cr_expect(settings_set(s, at, value, &why) == 0, "%s",
			    why.text);
	}
}

Test(deploy_manifests, each_container_has_settings_of_its_worker)
{
	struct settings s;
	size_t i;

	cr_expect(js_len(pod, "/containers") == ROLES);
	for (i = 0; i < ROLES; i++) {
		struct json_object *c = container(roles[i]);
		int64_t patience = js_int(c, "/livenessProbe/timeoutSeconds");

		settings_of(roles[i], &s);
		settings_free(&s);
		cr_expect(is(c, "/command/0", "vk-flightctl-provider") &&
		    is(c, "/command/1", "--only") &&
		    is(c, "/command/2", proc_name(roles[i])));
		cr_expect(patience * 1000 >= PING_ASK_MS);
	}
}

Test(deploy_manifests, the_files_of_settings_can_be_read)
{
	static const char *const files[] = { BASE "settings.env",
		"deploy/kubernetes/overlays/example/settings.env" };
	struct fleet_node nodes[NODES];
	struct settings s;
	struct why why = { 0 };
	size_t i;

	settings_init(&s);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		cr_expect(settings_file(&s, files[i], &why) == 0, "%s",
		    why.text);
	cr_expect(*s.text[SET_FLIGHTCTL_API_URL] != '\0');
	cr_expect(settings_nodes(&s, nodes, NODES, &why) > 0, "%s", why.text);
	settings_free(&s);
}

/* The one address that a container of its own must not keep to itself. */
Test(deploy_manifests, one_port_everywhere)
{
	AUTO_FREE char *port = NULL;
	struct json_object *policies = read_all(BASE "network.yaml");
	struct json_object *placer = container(PROC_PLACER);
	char host[FORM_HOST];
	struct settings s, defaults;
	uint16_t at, usual;

	settings_init(&defaults);
	settings_of(PROC_PLACER, &s);
	cr_assert(form_listen(span_of(s.text[SET_LISTEN]), host, &at) == 0);
	cr_expect_str_eq(host, "0.0.0.0");
	cr_assert(
	    form_listen(span_of(defaults.text[SET_LISTEN]), host, &usual) == 0);
	cr_expect(at == usual);
	port = xasprintf("%u", (unsigned int)at);
	cr_expect(is(placer, "/ports/0/containerPort", port));
	cr_expect(is(placer, "/ports/0/name", "health"));
	cr_expect(is(placer, "/livenessProbe/httpGet/port", "health"));
	cr_expect(is(placer, "/readinessProbe/httpGet/port", "health"));
	cr_expect(is(document(provider, "Service"), "/spec/ports/0/targetPort",
	    "health"));
	cr_expect(
	    is(document(provider, "Service"), "/spec/ports/0/port", port));
	cr_expect(
	    is(js_item(policies, "", 0), "/spec/ingress/0/ports/0/port", port));
	cr_expect(js_len(js_item(policies, "", 0), "/spec/ingress") == 1);
	json_object_put(policies);
	settings_free(&s);
	settings_free(&defaults);
}

/* --- users and walls ------------------------------------------------------ */

Test(deploy_manifests, each_container_has_its_workers_user)
{
	struct settings s;
	char *rest, *uid;
	size_t i;

	settings_init(&s);
	rest = s.text[SET_UIDS];
	for (i = 0; i < ROLES; i++) {
		AUTO_FREE char *one = NULL;
		struct json_object *c = container(roles[i]);
		size_t len = strcspn(rest, ",");

		one = xstrndup(rest, len);
		uid = one;
		rest += len + (rest[len] == ',');
		cr_expect(is(c, "/securityContext/runAsUser", uid), "%s",
		    proc_name(roles[i]));
		cr_expect(is(c, "/securityContext/runAsGroup", uid));
		cr_expect(!is(pod, "/securityContext/fsGroup", uid));
	}
	settings_free(&s);
}

Test(deploy_manifests, all_walls_stand)
{
	size_t i;

	cr_expect(is(pod, "/securityContext/runAsNonRoot", "true"));
	cr_expect(
	    is(pod, "/securityContext/seccompProfile/type", "RuntimeDefault"));
	for (i = 0; i < ROLES; i++) {
		struct json_object *c = container(roles[i]);
		struct json_object *walls = js_get(c, "/securityContext");

		cr_expect(is(walls, "/allowPrivilegeEscalation", "false"));
		cr_expect(is(walls, "/readOnlyRootFilesystem", "true"));
		cr_expect(is(walls, "/capabilities/drop/0", "ALL"));
		cr_expect(js_get(walls, "/capabilities/add") == NULL);
		cr_expect(*js_str(c, "/resources/requests/cpu") != '\0');
		cr_expect(*js_str(c, "/resources/requests/memory") != '\0');
		cr_expect(*js_str(c, "/resources/limits/memory") != '\0');
	}
}

/* --- folders and secrets -------------------------------------------------- */

/* The name of the volume that the path is in, the innermost; "": none. */
static const char *
volume_at(enum proc p, const char *path)
{
	struct json_object *c = container(p), *m;
	const char *found = "";
	size_t i, most = 0;

	for (i = 0; (m = js_item(c, "/volumeMounts", i)) != NULL; i++) {
		const char *at = js_str(m, "/mountPath");
		size_t len = strlen(at);

		if (len <= most || strncmp(path, at, len) != 0 ||
		    (path[len] != '/' && path[len] != '\0'))
			continue;
		most = len;
		found = js_str(m, "/name");
	}
	return found;
}

/* A bit for each container that has the volume. */
static unsigned int
holders(const char *volume)
{
	unsigned int bits = 0;
	size_t i;

	for (i = 0; i < ROLES; i++)
		if (js_find(container(roles[i]), "/volumeMounts", "name",
			volume) != NULL)
			bits |= 1u << roles[i];
	return bits;
}

#define K (1u << PROC_KUBESIDE)
#define F (1u << PROC_FLIGHTSIDE)
#define P (1u << PROC_PLACER)

/* What may be in it is the setting's folder or file. */
static const struct place {
	const char *setting;
	enum proc of;
	unsigned int shared;
	const char *kind; /* of the volume */
} places[] = {
	{ "KUBESIDE_SOCKET", PROC_KUBESIDE, K | P, "emptyDir" },
	{ "KUBESIDE_SOCKET", PROC_PLACER, K | P, "emptyDir" },
	{ "FLIGHTSIDE_SOCKET", PROC_FLIGHTSIDE, F | P, "emptyDir" },
	{ "FLIGHTSIDE_SOCKET", PROC_PLACER, F | P, "emptyDir" },
	{ "PING_SOCKET", PROC_KUBESIDE, K, "emptyDir" },
	{ "PING_SOCKET", PROC_FLIGHTSIDE, F, "emptyDir" },
	{ "CONTROL_SOCKET", PROC_PLACER, P, "emptyDir" },
	{ "STATE_DIR", PROC_PLACER, P, "emptyDir" },
	{ "FLIGHTCTL_AUTH_TOKEN_FILE", PROC_FLIGHTSIDE, F, "secret" },
	{ "FLIGHTCTL_CA_FILE", PROC_FLIGHTSIDE, F, "secret" },
};

static void
is_in_place(const struct place *at)
{
	enum setting which = settings_by_name(at->setting);
	struct settings s;
	struct why why = { 0 };
	const char *name;
	AUTO_FREE char *kind = xasprintf("/%s", at->kind);

	cr_assert(which != SET_COUNT, "no setting %s", at->setting);
	settings_of(at->of, &s);
	cr_expect(settings_file(&s, BASE "settings.env", &why) == 0, "%s",
	    why.text);
	name = volume_at(at->of, s.text[which]);
	cr_expect(*name != '\0', "%s: nothing is mounted at %s", at->setting,
	    s.text[which]);
	cr_expect(js_get(js_find(pod, "/volumes", "name", name), kind) != NULL,
	    "%s: %s is no %s", at->setting, name, at->kind);
	cr_expect(holders(name) == at->shared, "%s: containers %#x have %s",
	    at->setting, holders(name), name);
	settings_free(&s);
}

Test(deploy_manifests, folders_are_where_the_program_looks)
{
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		is_in_place(&places[i]);
}

/* All volumes, of which none but folders for sockets has two holders. */
Test(deploy_manifests, no_container_has_another_ones_secret)
{
	struct json_object *v;
	size_t i;

	for (i = 0; (v = js_item(pod, "/volumes", i)) != NULL; i++) {
		const char *name = js_str(v, "/name");
		unsigned int who = holders(name);

		cr_expect(who != 0, "%s is of no use", name);
		if (js_get(v, "/emptyDir") == NULL)
			cr_expect((who & (who - 1)) == 0 && (who & P) == 0,
			    "%s: containers %#x have it", name, who);
		if (js_get(v, "/projected") != NULL)
			cr_expect(who == K, "%s is for kubeside", name);
	}
	cr_expect(*volume_at(PROC_KUBESIDE,
		      "/var/run/secrets/kubernetes.io/serviceaccount/"
		      "token") != '\0');
	cr_expect(is(pod, "/automountServiceAccountToken", "false"));
}

/* --- what else names the same --------------------------------------------- */

Test(deploy_manifests, the_account_is_one)
{
	struct json_object *rights = read_all(BASE "rbac.yaml");
	struct json_object *policies = read_all(BASE "admission.yaml"), *o;
	struct json_object *sa = document(rights, "ServiceAccount");
	AUTO_FREE char *user = xasprintf("'system:serviceaccount:%s:%s'",
	    js_str(sa, "/metadata/namespace"), js_str(sa, "/metadata/name"));
	size_t i;

	cr_expect(is(pod, "/serviceAccountName", js_str(sa, "/metadata/name")));
	cr_expect(is(sa, "/automountServiceAccountToken", "false"));
	for (i = 0; (o = js_item(policies, "", i)) != NULL; i++)
		if (is(o, "/kind", "ValidatingAdmissionPolicy"))
			cr_expect(strstr(js_str(o,
					     "/spec/matchConditions/0/"
					     "expression"),
				      user) != NULL,
			    "%s is not about %s", js_str(o, "/metadata/name"),
			    user);
	json_object_put(rights);
	json_object_put(policies);
}

/* Nodes get names that the policies know. */
Test(deploy_manifests, names_of_nodes_are_ours)
{
	static const char *const fleets[] = { "", "north", "South_East.1" };
	struct json_object *policies = read_all(BASE "admission.yaml"), *o, *v;
	struct fleet_node nodes[NODES];
	struct settings s;
	struct why why = { 0 };
	size_t i, n = 0;

	for (i = 0; (o = js_item(policies, "", i)) != NULL; i++) {
		v = js_find(o, "/spec/variables", "name", "ours");
		n += v != NULL;
		cr_expect(v == NULL ||
		    is(v, "/expression",
			"variables.node == 'vk-flightctl' || "
			"variables.node.startsWith('vk-flightctl-')"));
	}
	cr_expect(n == 2, "%zu policies about nodes", n);
	settings_init(&s);
	for (i = 0; i < sizeof(fleets) / sizeof(fleets[0]); i++) {
		cr_assert(settings_set(&s, SET_FLEET_ID, fleets[i], &why) == 0,
		    "%s", why.text);
		cr_assert(settings_nodes(&s, nodes, NODES, &why) == 1);
		cr_expect(strcmp(nodes[0].node, "vk-flightctl") == 0 ||
		    strncmp(nodes[0].node, "vk-flightctl-", 13) == 0);
	}
	json_object_put(policies);
	settings_free(&s);
}

/* It would run on itself. */
Test(deploy_manifests, it_keeps_off_its_own_nodes)
{
	struct json_object *t;
	size_t i;

	for (i = 0; (t = js_item(pod, "/tolerations", i)) != NULL; i++)
		cr_expect(*js_str(t, "/key") != '\0' && !is(t, "/key", TAINT));
	t = js_find(js_item(pod,
			"/affinity/nodeAffinity/"
			"requiredDuringSchedulingIgnoredDuringExecution/"
			"nodeSelectorTerms",
			0),
	    "/matchExpressions", "key", "type");
	cr_expect(is(t, "/operator", "NotIn") &&
	    is(t, "/values/0", "virtual-kubelet"));
}
