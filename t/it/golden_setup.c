/* SPDX-License-Identifier: ISC */
/*
 * golden_setup.c: what has to be there before a recording can be played: its
 * recordings do not show how it came to be.
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/golden_replay.h"
#include "t/it/it.h"
#include "t/it/js.h"

enum {
	SETTLE_MS = 5000,
};

void
replay_actor(const struct replay *r, const char *actor,
    struct golden_request *q, char **cert, char **key, size_t *n)
{
	if (strcmp(actor, "admin") == 0) {
		*cert = xasprintf("%s/admin.crt", r->dir);
		*key = xasprintf("%s/admin.key", r->dir);
		q->cert = *cert;
		q->key = *key;
	} else if (strcmp(actor, "agent") == 0 || strcmp(actor, "node") == 0) {
		q->headers[(*n)++] = r->agent;
	} else if (strcmp(actor, "bad") == 0) {
		q->headers[(*n)++] = "Authorization: Bearer nobodys";
	}
}

void
replay_send(struct replay *r, const char *actor, const char *method,
    const char *path, const char *type, const char *body)
{
	AUTO_FREE char *url = xasprintf("%s%s", r->base, path);
	AUTO_FREE char *header = xasprintf("Content-Type: %s", type);
	AUTO_FREE char *cert = NULL, *key = NULL;
	struct golden_request q = { .method = method,
		.url = url,
		.body = body[0] != '\0' ? body : NULL };
	struct golden_answer a;
	size_t n = 0;

	if (type[0] != '\0')
		q.headers[n++] = header;
	replay_actor(r, actor, &q, &cert, &key, &n);
	if (golden_send(r->conn, &q, &a) == -1 || a.status >= 300)
		it_die("%s %s: %ld %s", method, path, a.status, a.body);
	golden_answer_clear(&a);
}

static void
ignore(const char *where, const char *what, struct json_object *recorded,
    struct json_object *live, void *arg)
{
	(void)where, (void)what, (void)recorded, (void)live, (void)arg;
}

static struct json_object *
send_json(struct replay *r, const char *method, const char *path,
    const char *type, struct json_object *body)
{
	AUTO_FREE char *url = xasprintf("%s%s", r->base, path);
	AUTO_FREE char *header = xasprintf("Content-Type: %s", type);
	AUTO_FREE char *cert = NULL, *key = NULL;
	struct golden_request q = { .method = method,
		.url = url,
		.body = json_object_to_json_string(body) };
	struct json_object *out;
	struct golden_answer a;
	size_t n = 1;

	q.headers[0] = header;
	replay_actor(r, "admin", &q, &cert, &key, &n);
	if (golden_send(r->conn, &q, &a) == -1 || a.status >= 300)
		it_die("%s %s: %ld %s", method, path, a.status, a.body);
	out = json_tokener_parse(a.body);
	golden_answer_clear(&a);
	return out;
}

/* Without what a server sets; the status is set by a second request. */
static void
make_object(struct replay *r, const char *path, struct json_object *o,
    enum replay_as as)
{
	AUTO_FREE char *status_path = NULL;
	struct json_object *fresh = NULL, *meta, *live;
	static const char *const set[] = { "uid", "resourceVersion",
		"generation", "creationTimestamp", "deletionTimestamp",
		"deletionGracePeriodSeconds" };
	size_t i;

	json_object_deep_copy(o, &fresh, NULL);
	meta = js_get(fresh, "/metadata");
	for (i = 0; i < sizeof(set) / sizeof(set[0]); i++)
		json_object_object_del(meta, set[i]);
	live = send_json(r, "POST", path, "application/json", fresh);
	if (as != REPLAY_BORN) {
		json_object_put(live);
		json_object_put(fresh);
		fresh = json_object_new_object();
		json_object_object_add(fresh, "status",
		    json_object_get(js_get(o, "/status")));
		status_path = xasprintf("%s/%s/status", path,
		    js_str(o, "/metadata/name"));
		live = send_json(r, "PATCH", status_path,
		    "application/merge-patch+json", fresh);
	}
	if (as != REPLAY_EXACT) {
		json_object_object_del(js_get(o, "/metadata"),
		    "resourceVersion");
		json_object_object_del(js_get(live, "/metadata"),
		    "resourceVersion");
	}
	golden_diff(r->names, o, live, ignore, NULL);
	json_object_put(live);
	json_object_put(fresh);
}

/* Of the answer to a list or to a get. */
void
replay_make(struct replay *r, const char *name, enum replay_as as)
{
	struct json_object *rec = replay_recording(name);
	struct json_object *body = js_get(rec, "/response/body");
	struct json_object *items = js_get(body, "/items"), *o;
	size_t i, n = items != NULL ? json_object_array_length(items) : 1;

	for (i = 0; i < n; i++) {
		AUTO_FREE char *path = NULL;

		o = items != NULL ? json_object_array_get_idx(items, i) : body;
		path = xasprintf("/api/v1/namespaces/%s/pods",
		    js_str(o, "/metadata/namespace"));
		make_object(r, path, o, as);
	}
	json_object_put(rec);
}

void
replay_version(struct replay *r, const char *recorded, const char *path)
{
	AUTO_FREE char *url = xasprintf("%s%s", r->base, path);
	AUTO_FREE char *cert = NULL, *key = NULL;
	struct golden_request q = { .method = "GET", .url = url };
	struct json_object *o, *was = NULL;
	struct golden_answer a;
	size_t n = 0;

	replay_actor(r, "admin", &q, &cert, &key, &n);
	if (golden_send(r->conn, &q, &a) == -1 || a.status != 200)
		it_die("%s: %ld", path, a.status);
	o = json_tokener_parse(a.body);
	json_object_deep_copy(o, &was, NULL);
	json_object_object_add(js_get(was, "/metadata"), "resourceVersion",
	    json_object_new_string(recorded));
	/* The uid stays what it is known as. */
	json_object_object_del(js_get(was, "/metadata"), "uid");
	golden_diff(r->names, was, o, ignore, NULL);
	json_object_put(was);
	json_object_put(o);
	golden_answer_clear(&a);
}

void
replay_await(struct replay *r, const char *path, const char *text, int there)
{
	AUTO_FREE char *url = xasprintf("%s%s", r->base, path);
	AUTO_FREE char *cert = NULL, *key = NULL;
	struct golden_request q = { .method = "GET", .url = url };
	int64_t until = it_ms() + SETTLE_MS;
	struct golden_answer a;
	size_t n = 0;
	int done;

	replay_actor(r, "admin", &q, &cert, &key, &n);
	for (;;) {
		done = golden_send(r->conn, &q, &a) == 0 && a.status != 0 &&
		    (strstr(a.body, text) != NULL) == there;
		golden_answer_clear(&a);
		if (done)
			return;
		if (it_ms() > until)
			it_die("%s %s %s", path, there ? "lacks" : "keeps",
			    text);
		it_pause(20);
	}
}
