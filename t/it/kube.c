/* SPDX-License-Identifier: ISC */
/*
 * kube.c: reads, writes and watches at the apiserver.
 *
 * Owns the set that a wait looks at: a list, then the events of a watch; from
 * the start again whenever that ends.  Decides nothing about what it sees.
 */
#include "t/it/kube.h"

#include <json-c/json_tokener.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/http.h"
#include "t/it/it.h"
#include "t/it/js.h"

enum {
	AGAIN_MS = 100, /* between tries at a server that is away */
	ANSWER_MS = 60000,
	MANY = 64,
};

static struct http *server;

void
kube_open(struct http *h)
{
	server = h;
}

struct json_object *
kube_get(const char *path)
{
	int64_t deadline = it_ms() + ANSWER_MS;
	struct json_object *o;
	long status;

	while (it_ms() < deadline) {
		o = http_json(server, "GET", path, NULL, &status);
		if (status == 200 && o != NULL)
			return o;
		json_object_put(o);
		if (status == 404)
			return NULL;
		it_pause(AGAIN_MS);
	}
	it_die("GET %s: %ld", path, status);
}

static long
kube_request(const char *method, const char *path, const char *type,
    struct json_object *body, struct json_object **out)
{
	struct http_answer a;
	long status;

	status = http_send(server, method, path, type,
	    body == NULL ? NULL : json_object_to_json_string(body), &a);
	if (out != NULL)
		*out = a.body == NULL ? NULL : json_tokener_parse(a.body);
	else if (status >= 300 || status == 0)
		it_say("%s %s: %ld %.400s", method, path, status,
		    a.body == NULL ? "" : a.body);
	http_answer_clear(&a);
	json_object_put(body);
	return status;
}

long
kube_send(const char *method, const char *path, struct json_object *body,
    struct json_object **out)
{
	return kube_request(method, path, NULL, body, out);
}

long
kube_patch(const char *path, const char *type, struct json_object *body)
{
	return kube_request("PATCH", path, type, body, NULL);
}

/* --- list and watch ------------------------------------------------------ */

struct wait {
	const char *collection;
	struct json_object *set;
	kube_fn *fn;
	void *arg;
	char *version; /* to watch from */
	int met;
};

static int
refill(struct wait *w)
{
	AUTO_JSON struct json_object *list = NULL;
	struct json_object *o;
	long status;
	size_t i;

	list = http_json(server, "GET", w->collection, NULL, &status);
	if (status != 200 || js_get(list, "/items") == NULL)
		return -1;
	json_object_put(w->set);
	w->set = json_object_new_object();
	for (i = 0; (o = js_item(list, "/items", i)) != NULL; i++)
		json_object_object_add(w->set, js_str(o, "/metadata/name"),
		    json_object_get(o));
	free(w->version);
	w->version = xstrdup(js_str(list, "/metadata/resourceVersion"));
	return 0;
}

/* Returns 1 to end the watch: met, or to be listed anew. */
static int
on_event(const char *line, void *arg)
{
	AUTO_JSON struct json_object *event = json_tokener_parse(line);
	struct json_object *o = js_get(event, "/object");
	const char *type = js_str(event, "/type"), *key;
	struct wait *w = arg;

	if (*type == '\0' || strcmp(type, "ERROR") == 0)
		return 1;
	free(w->version);
	w->version = xstrdup(js_str(o, "/metadata/resourceVersion"));
	if (strcmp(type, "BOOKMARK") == 0)
		return 0;
	key = js_str(o, "/metadata/name");
	if (strcmp(type, "DELETED") == 0)
		json_object_object_del(w->set, key);
	else
		json_object_object_add(w->set, key, json_object_get(o));
	if (json_object_object_length(w->set) > MANY)
		return 0;
	return w->met = w->fn(w->set, w->arg);
}

/* Of a large set not each change is looked at, only what it came to. */
static int
on_pause(void *arg)
{
	struct wait *w = arg;

	return w->met = w->fn(w->set, w->arg);
}

int
kube_await(const char *collection, kube_fn *fn, void *arg, int ms)
{
	struct wait w = { .collection = collection, .fn = fn, .arg = arg };
	int64_t deadline = it_ms() + ms;

	while (!w.met && it_ms() < deadline) {
		AUTO_FREE char *path = NULL;

		if (refill(&w) == -1) {
			it_pause(AGAIN_MS);
			continue;
		}
		if ((w.met = fn(w.set, arg)))
			break;
		path = xasprintf("%s%cwatch=1&resourceVersion=%s", collection,
		    strchr(collection, '?') == NULL ? '?' : '&', w.version);
		if (http_lines_pausing(server, path, on_event, on_pause, &w,
			deadline) == -1)
			it_pause(AGAIN_MS);
	}
	json_object_put(w.set);
	free(w.version);
	return w.met;
}

struct one {
	const char *name;
	kube_one_fn *fn;
	void *arg;
	struct json_object *last;
};

static int
on_one(struct json_object *set, void *arg)
{
	struct one *one = arg;
	struct json_object *o = NULL;

	json_object_object_get_ex(set, one->name, &o);
	json_object_put(one->last);
	one->last = json_object_get(o);
	return o != NULL && (one->fn == NULL || one->fn(o, one->arg));
}

static char *
only(const char *collection, const char *name)
{
	return xasprintf("%s?fieldSelector=metadata.name%%3D%s", collection,
	    name);
}

struct json_object *
kube_await_one(const char *collection, const char *name, kube_one_fn *fn,
    void *arg, int ms)
{
	struct one one = { .name = name, .fn = fn, .arg = arg };
	AUTO_FREE char *path = only(collection, name);

	kube_await(path, on_one, &one, ms);
	return one.last;
}

static int
is_gone(struct json_object *set, void *arg)
{
	return !json_object_object_get_ex(set, arg, NULL);
}

int
kube_await_gone(const char *collection, const char *name, int ms)
{
	AUTO_FREE char *path = only(collection, name), *copy = xstrdup(name);

	return kube_await(path, is_gone, copy, ms);
}
