/* SPDX-License-Identifier: ISC */
/*
 * golden_play.c: one recorded request, sent again and compared.
 *
 * Owns the shape in which an answer is compared; golden_diff.c compares.
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/golden_replay.h"
#include "t/it/it.h"
#include "t/it/js.h"

/* Versions and continue tokens in the query are translated; a watch is short.
 */
static char *
target_url(struct replay *r, const char *target)
{
	AUTO_FREE char *all = xstrdup(target);
	char *url, *rest = strchr(all, '?'), *one, *eq, *more;

	if (rest != NULL)
		*rest++ = '\0';
	url = xasprintf("%s%s", r->base, all);
	for (eq = NULL; (one = strsep(&rest, "&")) != NULL; eq = one) {
		AUTO_FREE char *was = url, *value = NULL;
		char *at = strchr(one, '=');

		if (at != NULL)
			*at++ = '\0';
		if (at != NULL && strcmp(one, "timeoutSeconds") == 0)
			value = xstrdup("1");
		else if (at != NULL)
			value = golden_translate(r->names, one, at);
		more = xasprintf("%s%s%s%s%s", was, eq == NULL ? "?" : "&", one,
		    at != NULL ? "=" : "", at != NULL ? value : "");
		url = more;
	}
	return url;
}

/* --- comparison --- */

static void
on_difference(const char *where, const char *what, struct json_object *recorded,
    struct json_object *live, void *arg)
{
	struct replay *r = arg;

	if (golden_allowed(r->allow, r->recording, where, what))
		return;
	r->differences++;
	if (getenv("GOLDEN_ALL") != NULL)
		it_say("%s %s %s: %s, not %s", r->recording, where, what,
		    live != NULL ? json_object_to_json_string(live) : "-",
		    recorded != NULL ? json_object_to_json_string(recorded) :
				       "-");
	if (r->first == NULL)
		r->first = xasprintf("%s %s: %.300s, not %.300s", where, what,
		    live != NULL ? json_object_to_json_string(live) : "nothing",
		    recorded != NULL ? json_object_to_json_string(recorded) :
				       "nothing");
}

static void
add(struct json_object *o, const char *name, const char *value)
{
	if (value != NULL)
		json_object_object_add(o, name, json_object_new_string(value));
}

/* Marks bookmarks, whose version is not an object's. */
static struct json_object *
as_event(struct json_object *event)
{
	struct json_object *o;

	if (strcmp(js_str(event, "/type"), "BOOKMARK") != 0)
		return json_object_get(event);
	o = json_object_new_object();
	json_object_object_add(o, "bookmark", json_object_get(event));
	return o;
}

/* Bookmarks in between come when they come; only the one that ends counts. */
static int
is_passing(struct json_object *event)
{
	return strcmp(js_str(event, "/type"), "BOOKMARK") == 0 &&
	    js_get(event, "/object/metadata/annotations") == NULL;
}

static struct json_object *
events_of(struct json_object *list)
{
	struct json_object *out = json_object_new_array(), *event;
	size_t i;

	for (i = 0; list != NULL && i < json_object_array_length(list); i++) {
		event = json_object_array_get_idx(list, i);
		if (!is_passing(event))
			json_object_array_add(out, as_event(event));
	}
	return out;
}

/* The answer in the shape of a recording's "response". */
static struct json_object *
as_recorded(const struct golden_answer *a, struct json_object *events)
{
	struct json_object *o = json_object_new_object(), *body;

	json_object_object_add(o, "status", json_object_new_int64(a->status));
	add(o, "type", a->type);
	add(o, "retry_after", a->retry_after);
	add(o, "warning", a->warning);
	if (events != NULL) {
		json_object_object_add(o, "events", events);
		return o;
	}
	body =
	    a->type != NULL && strncmp(a->type, "application/json", 16) == 0 ?
	    json_tokener_parse(a->body) :
	    NULL;
	if (body != NULL)
		json_object_object_add(o, "body", body);
	else
		add(o, "text", a->body);
	return o;
}

struct watching {
	struct json_object *live; /* events as they came */
	size_t want;
	int to_the_end; /* the server ends it */
};

static int
on_line(const char *line, void *arg)
{
	struct watching *w = arg;
	struct json_object *event = json_tokener_parse(line);

	if (event == NULL)
		it_die("a line of a watch is not JSON: %.200s", line);
	if (!is_passing(event))
		json_object_array_add(w->live, as_event(event));
	json_object_put(event);
	return !w->to_the_end && w->want != 0 &&
	    json_object_array_length(w->live) == w->want;
}

/* --- one recording --- */

struct json_object *
replay_recording(const char *name)
{
	AUTO_FREE char *file = xasprintf(GOLDEN "/%s.json", name);
	AUTO_FREE char *path = child_source(file);
	struct json_object *o = json_object_from_file(path);

	if (o == NULL)
		it_die("%s: cannot be read", path);
	return o;
}

static char *
body_of(struct replay *r, struct json_object *request)
{
	struct json_object *body = js_get(request, "/body"), *out;
	char *text;

	if (body == NULL)
		return js_get(request, "/text") != NULL ?
		    xstrdup(js_str(request, "/text")) :
		    NULL;
	out = golden_translate_tree(r->names, body);
	text = xstrdup(
	    json_object_to_json_string_ext(out, JSON_C_TO_STRING_PLAIN));
	json_object_put(out);
	return text;
}

static struct json_object *
ask(struct replay *r, struct json_object *rec, struct json_object *want)
{
	struct json_object *request = js_get(rec, "/request"), *out;
	AUTO_FREE char *url = target_url(r, js_str(request, "/target"));
	AUTO_FREE char *body = body_of(r, request), *cert = NULL, *key = NULL;
	AUTO_FREE char *type =
	    xasprintf("Content-Type: %s", js_str(request, "/type"));
	AUTO_FREE char *accept =
	    xasprintf("Accept: %s", js_str(request, "/accept"));
	AUTO_FREE char *other =
	    xasprintf("Authorization: %s", js_str(request, "/authorization"));
	struct watching w = {
		.want = want != NULL ? json_object_array_length(want) : 0
	};
	struct golden_request q = { .method = js_str(request, "/method"),
		.url = url,
		.body = body };
	struct golden_answer a;
	size_t n = 0;

	q.headers[n++] =
	    js_str(request, "/type")[0] != '\0' ? type : "Content-Type:";
	if (js_str(request, "/accept")[0] != '\0')
		q.headers[n++] = accept;
	if (js_str(request, "/authorization")[0] != '\0')
		q.headers[n++] = other;
	replay_actor(r, js_str(rec, "/actor"), &q, &cert, &key, &n);
	if (want != NULL) {
		w.live = json_object_new_array();
		w.to_the_end = w.want != 0 &&
		    strcmp(js_str(json_object_array_get_idx(want, w.want - 1),
			       "/type"),
			"ERROR") == 0;
		q.line = on_line;
		q.arg = &w;
	}
	if (golden_send(r->conn, &q, &a) == -1)
		a.status = 0;
	out = as_recorded(&a, w.live);
	golden_answer_clear(&a);
	return out;
}

void
replay_play(struct replay *r, const char *name, size_t n)
{
	struct json_object *rec = replay_recording(name), *want = NULL, *live;
	struct json_object *response = js_get(rec, "/response");

	r->recording = name;
	r->differences = 0;
	if (js_get(response, "/events") != NULL) {
		want = events_of(js_get(response, "/events"));
		if (n != 0 && n < json_object_array_length(want))
			json_object_array_del_idx(want, n,
			    json_object_array_length(want) - n);
		json_object_object_add(response, "events", want);
	}
	live = ask(r, rec, want);
	golden_diff(r->names, response, live, on_difference, r);
	it_ok(r->differences == 0, "%s%s%s", name, r->first != NULL ? ": " : "",
	    r->first != NULL ? r->first : "");
	free(steal(&r->first));
	json_object_put(live);
	json_object_put(rec);
}
