/* SPDX-License-Identifier: ISC */
/*
 * kubepath.c: API paths, and the documents that are not objects: versions,
 * health, discovery.
 */

#include <stdio.h>
#include <string.h>

#include <event2/http.h>
#include <json-c/json.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/sim/kube.h"
#include "t/sim/kuberule.h"
#include "t/sim/web.h"

enum {
	SEGMENTS = 10,
};

static const char version[] =
    "{\"major\":\"1\",\"minor\":\"36\",\"emulationMajor\":\"1\","
    "\"emulationMinor\":\"36\",\"minCompatibilityMajor\":\"1\","
    "\"minCompatibilityMinor\":\"35\",\"gitVersion\":\"v1.36.2\","
    "\"gitCommit\":\"kubesim\",\"gitTreeState\":\"clean\","
    "\"buildDate\":\"2026-01-01T00:00:00Z\",\"goVersion\":\"none\","
    "\"compiler\":\"cc\",\"platform\":\"linux/amd64\"}";

static int
copy(char *to, size_t cap, const char *from)
{
	return (size_t)snprintf(to, cap, "%s", from) < cap ? 0 : -1;
}

/* Decoded segments of the path, in place of one buffer; their number. */
static size_t
split(const char *path, char **segments)
{
	size_t n = 0, len;
	const char *p = path;

	while (*p == '/' && n < SEGMENTS) {
		p++;
		len = strcspn(p, "/");
		if (len != 0) {
			AUTO_FREE char *raw = xstrndup(p, len);

			segments[n++] = evhttp_uridecode(raw, 0, NULL);
		}
		p += len;
	}
	return n;
}

static enum kid
find(const char *group, const char *resource)
{
	enum kid kid;

	for (kid = 0; kid < KUBE_KINDS; kid++)
		if (strcmp(kresource(kid)->group, group) == 0 &&
		    strcmp(kresource(kid)->plural, resource) == 0)
			break;
	return kid;
}

/* [watch] [namespaces NS] RESOURCE [NAME [SUB]] */
static int
read_rest(char **s, size_t n, struct kpath *p)
{
	if (n > 0 && strcmp(s[0], "watch") == 0) {
		p->watch = 1;
		s++, n--;
	}
	if (n > 2 && strcmp(s[0], "namespaces") == 0 &&
	    strcmp(s[2], "status") != 0 && strcmp(s[2], "finalize") != 0) {
		if (copy(p->ns, sizeof(p->ns), s[1]) == -1)
			return -1;
		s += 2, n -= 2;
	}
	if (n == 0 || n > 3)
		return -1;
	if (copy(p->resource, sizeof(p->resource), s[0]) == -1 ||
	    (n > 1 && copy(p->name, sizeof(p->name), s[1]) == -1) ||
	    (n > 2 && copy(p->sub, sizeof(p->sub), s[2]) == -1))
		return -1;
	p->kid = find(p->group, p->resource);
	return 0;
}

int
kpath_read(const char *path, struct kpath *p)
{
	char *s[SEGMENTS];
	size_t n = split(path, s), i;
	int r = -1;

	memset(p, 0, sizeof(*p));
	p->kid = KUBE_KINDS;
	if (n > 2 && strcmp(s[0], "api") == 0) {
		p->known = strcmp(s[1], "v1") == 0;
		r = read_rest(s + 2, n - 2, p);
	} else if (n > 3 && strcmp(s[0], "apis") == 0) {
		p->known = strcmp(s[1], "coordination.k8s.io") == 0 &&
		    strcmp(s[2], "v1") == 0;
		if (copy(p->group, sizeof(p->group), s[1]) == 0)
			r = read_rest(s + 3, n - 3, p);
	}
	for (i = 0; i < n; i++)
		free(s[i]);
	return r;
}

/* --- discovery --- */

static struct json_object *
resource_entry(const struct kresource *r, const char *sub)
{
	struct json_object *o = json_object_new_object();
	struct json_object *verbs = json_object_new_array();
	static const char *const all[] = { "create", "delete",
		"deletecollection", "get", "list", "patch", "update", "watch" };
	static const char *const some[] = { "get", "patch", "update" };
	AUTO_FREE char *name = xasprintf("%s%s", r->plural, sub);
	AUTO_FREE char *singular = xstrdup(r->kind);
	size_t i;

	for (i = 0; singular[i] != '\0'; i++)
		if (singular[i] >= 'A' && singular[i] <= 'Z')
			singular[i] = (char)(singular[i] + 32);
	kset(o, "name", name);
	kset(o, "singularName", sub[0] == '\0' ? singular : "");
	json_object_object_add(o, "namespaced",
	    json_object_new_boolean(r->namespaced));
	kset(o, "kind", r->kind);
	for (i = 0; i < (sub[0] == '\0' ? 8U : 3U); i++)
		json_object_array_add(verbs,
		    json_object_new_string(sub[0] == '\0' ? all[i] : some[i]));
	json_object_object_add(o, "verbs", verbs);
	return o;
}

static struct json_object *
resource_list(const char *group, const char *api)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	enum kid kid;

	kset(o, "kind", "APIResourceList");
	if (group[0] != '\0')
		kset(o, "apiVersion", "v1");
	kset(o, "groupVersion", api);
	for (kid = 0; kid < KUBE_KINDS; kid++) {
		const struct kresource *r = kresource(kid);

		if (strcmp(r->group, group) != 0)
			continue;
		json_object_array_add(list, resource_entry(r, ""));
		if (r->status)
			json_object_array_add(list,
			    resource_entry(r, "/status"));
	}
	json_object_object_add(o, "resources", list);
	return o;
}

static const char api_versions[] =
    "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"],"
    "\"serverAddressByClientCIDRs\":[{\"clientCIDR\":\"0.0.0.0/0\","
    "\"serverAddress\":\"127.0.0.1:%u\"}]}";

static const char api_groups[] =
    "{\"kind\":\"APIGroupList\",\"apiVersion\":\"v1\",\"groups\":["
    "{\"name\":\"coordination.k8s.io\",\"versions\":[{\"groupVersion\":"
    "\"coordination.k8s.io/v1\",\"version\":\"v1\"}],"
    "\"preferredVersion\":{\"groupVersion\":\"coordination.k8s.io/v1\","
    "\"version\":\"v1\"}}]}";

int
kpath_document(struct kube *kube, struct web_req *web)
{
	const char *path = web_path(web);
	char text[256];

	if (web_method(web) != WEB_GET)
		return 0;
	if (strcmp(path, "/readyz") == 0 || strcmp(path, "/livez") == 0 ||
	    strcmp(path, "/healthz") == 0) {
		if (web_query(web, "verbose") != NULL) {
			snprintf(text, sizeof(text),
			    "[+]ping ok\n%s check passed\n", path + 1);
			web_text(web, 200, "text/plain; charset=utf-8", text);
		} else {
			web_text(web, 200, "text/plain; charset=utf-8", "ok");
		}
	} else if (strcmp(path, "/version") == 0) {
		web_text(web, 200, "application/json", version);
	} else if (strcmp(path, "/api") == 0) {
		snprintf(text, sizeof(text), api_versions,
		    (unsigned int)web_port(kube->web));
		web_text(web, 200, "application/json", text);
	} else if (strcmp(path, "/apis") == 0) {
		web_text(web, 200, "application/json", api_groups);
	} else if (strcmp(path, "/api/v1") == 0) {
		web_json(web, 200, resource_list("", "v1"));
	} else if (strcmp(path, "/apis/coordination.k8s.io/v1") == 0) {
		web_json(web, 200,
		    resource_list("coordination.k8s.io",
			"coordination.k8s.io/v1"));
	} else {
		return 0;
	}
	return 1;
}
