/* SPDX-License-Identifier: ISC */
/*
 * review.c: what the apiserver is asked about ourselves, and its answers.
 */
#include "kubeside/review.h"

#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/scan.h"
#include "common/xmem.h"

static struct json_object *
review(const char *api, const char *kind)
{
	struct json_object *o = jmake_object();

	jmake_str(o, "apiVersion", api);
	jmake_str(o, "kind", kind);
	return o;
}

static void
put(struct json_object *o, const char *key, const char *value)
{
	if (value[0] != '\0')
		jmake_str(o, key, value);
}

char *
review_access(const struct access *a)
{
	struct json_object *o =
	    review("authorization.k8s.io/v1", "SelfSubjectAccessReview");
	struct json_object *what =
	    jmake_in(jmake_in(o, "spec"), "resourceAttributes");
	const char *slash = strchr(a->resource, '/');
	AUTO_FREE char *resource = slash == NULL ?
	    xstrdup(a->resource) :
	    xstrndup(a->resource, (size_t)(slash - a->resource));

	put(what, "namespace", a->ns);
	put(what, "verb", a->verb);
	put(what, "group", a->group);
	put(what, "resource", resource);
	put(what, "subresource", slash == NULL ? "" : slash + 1);
	put(what, "name", a->name);
	return jmake_text(&o);
}

char *
review_self(void)
{
	struct json_object *o =
	    review("authentication.k8s.io/v1", "SelfSubjectReview");

	return jmake_text(&o);
}

int
review_allows(struct span answer)
{
	struct span allowed;

	if (scan_get(answer, &allowed, "status", "allowed", NULL) != 1)
		return -1;
	return allowed.len == 4 && memcmp(allowed.p, "true", 4) == 0;
}

int
review_user(struct span answer, char user[MAX_NAME + 1])
{
	return scan_get_string(answer, user, MAX_NAME + 1, "status", "userInfo",
		   "username", NULL) == 1 ?
	    0 :
	    -1;
}
