/* SPDX-License-Identifier: ISC */
/*
 * kuberead.c: get and list.
 *
 * Owns pages, continue tokens and the meanings of resourceVersion in a list:
 * 0 is whatever there is (and ignores limit), a limit with a version means
 * exactly that version, a version not reached yet is waited for and refused.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <json-c/json.h>

#include "common/auto.h"
#include "common/why.h"
#include "common/xmem.h"
#include "t/sim/base64.h"
#include "t/sim/kube.h"
#include "t/sim/kuberule.h"
#include "t/sim/kubesel.h"
#include "t/sim/web.h"

struct list {
	struct kselector *sel;
	unsigned long limit; /* 0: none */
	uint64_t rv;
	int exact;   /* as it was at rv */
	int partial; /* PartialObjectMetadata */
	char *start; /* first key, or NULL */
	char *last;  /* key of the last item of a page that is not the last */
	size_t left; /* objects after it */
	size_t items;
	struct evbuffer *body;
};

/* --- what is asked --- */

static int
read_version(struct kreq *r, const char *text, uint64_t *rv, struct kfail *f)
{
	char *end;

	errno = 0;
	*rv = strtoull(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || text[0] == '-')
		return kfail_bad(f,
		    "invalid resource version: resourceVersion: Invalid "
		    "value: \"%s\": strconv.ParseUint: parsing \"%s\": "
		    "invalid syntax",
		    text, text);
	(void)r;
	return 0;
}

static int
bad_options(struct kfail *f, const char *text)
{
	struct json_object *details =
	    kdetails(NULL, "meta.k8s.io", "ListOptions");
	AUTO_FREE char *cause = xasprintf("Forbidden: %s", text);

	kdetails_cause(details, "FieldValueForbidden", cause,
	    "resourceVersionMatch");
	return kfail(f, 422, "Invalid", details,
	    "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: "
	    "%s",
	    cause);
}

static int
too_old(struct list *l, struct kfail *f)
{
	struct json_object *token;
	AUTO_FREE char *start = NULL;

	if (l->start == NULL)
		return kfail(f, 410, "Expired", NULL,
		    "The resourceVersion for the provided list is too old.");
	kfail(f, 410, "Expired", NULL,
	    "The provided continue parameter is too old to display a "
	    "consistent list result. You can start a new list without the "
	    "continue parameter, or use the continue token in this response "
	    "to retrieve the remainder of the results. Continuing with the "
	    "provided token results in an inconsistent list - objects that "
	    "were created, modified, or deleted between the time the first "
	    "chunk was returned and now may show up in the list.");
	token = json_object_new_object();
	kset(token, "v", "meta.k8s.io/v1");
	json_object_object_add(token, "rv", json_object_new_int(-1));
	start = xasprintf("/%s", l->start);
	kset(token, "start", start);
	f->go_on = base64_url(
	    json_object_to_json_string_ext(token, JSON_C_TO_STRING_PLAIN));
	json_object_put(token);
	return -1;
}

/* {"v":"meta.k8s.io/v1","rv":309,"start":"/default/list-1\u0000"} */
static int
read_token(struct kreq *r, struct list *l, const char *text, struct kfail *f)
{
	AUTO_FREE char *plain = base64_url_decode(text);
	struct json_object *o = NULL, *start;
	const char *key;
	int64_t rv;

	if (plain != NULL)
		o = json_tokener_parse(plain);
	start = kget_obj(o, "start", NULL);
	if (!json_object_is_type(start, json_type_string)) {
		json_object_put(o);
		return kfail_bad(f,
		    "invalid continue token: continue key is not valid: "
		    "invalid character '%c' looking for beginning of value",
		    plain != NULL && plain[0] != '\0' ? plain[0] : '?');
	}
	rv = json_object_get_int64(kget_obj(o, "rv", NULL));
	/* Up to the NUL at its end, which makes it the key after that one. */
	key = json_object_get_string(start);
	l->start = xstrdup(key[0] == '/' ? key + 1 : key);
	l->exact = rv != -1;
	l->rv = rv == -1 ? kstore_rv(r->kube->store) : (uint64_t)rv;
	json_object_put(o);
	return 0;
}

static int
read_options(struct kreq *r, struct list *l, struct kfail *f)
{
	const char *rv = web_query(r->web, "resourceVersion");
	const char *match = web_query(r->web, "resourceVersionMatch");
	const char *limit = web_query(r->web, "limit");
	const char *go_on = web_query(r->web, "continue");
	const char *accept = web_header(r->web, "Accept");
	struct why why;

	l->partial = accept != NULL &&
	    strstr(accept, "as=PartialObjectMetadataList") != NULL;
	l->rv = kstore_rv(r->kube->store);
	l->limit = limit != NULL ? strtoul(limit, NULL, 10) : 0;
	l->sel =
	    kselector_new(r->kid, r->ns, r->name[0] != '\0' ? r->name : NULL,
		web_query(r->web, "labelSelector"),
		web_query(r->web, "fieldSelector"), &why);
	if (l->sel == NULL)
		return kfail_bad(f, "%s", why.text);
	if (match != NULL && (rv == NULL || rv[0] == '\0'))
		return bad_options(f,
		    "resourceVersionMatch is forbidden unless "
		    "resourceVersion is provided");
	if (go_on != NULL && go_on[0] != '\0') {
		if (rv != NULL && rv[0] != '\0' && strcmp(rv, "0") != 0)
			return kfail_bad(f,
			    "specifying resource version is not allowed when "
			    "using continue");
		return read_token(r, l, go_on, f);
	}
	if (rv == NULL || rv[0] == '\0')
		return 0;
	if (read_version(r, rv, &l->rv, f) == -1)
		return -1;
	if (l->rv == 0) {
		l->rv = kstore_rv(r->kube->store);
		l->limit = 0;
		return 0;
	}
	l->exact = match != NULL ? strcmp(match, "Exact") == 0 : l->limit != 0;
	if (!l->exact && l->rv <= kstore_rv(r->kube->store))
		l->rv = kstore_rv(r->kube->store);
	return 0;
}

/* --- what is answered --- */

static void
add_item(struct list *l, const struct kobj *o)
{
	struct json_object *tree, *meta;

	if (l->items++ != 0)
		evbuffer_add(l->body, ",", 1);
	if (!l->partial) {
		evbuffer_add(l->body, o->text, o->len);
		return;
	}
	tree = kobj_tree(o);
	meta = kget_obj(tree, "metadata", NULL);
	evbuffer_add_printf(l->body,
	    "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":"
	    "\"meta.k8s.io/v1\",\"metadata\":%s}",
	    json_object_to_json_string_ext(meta,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(tree);
}

/* Returns 0 when the page is full and more follows. */
static int
visit(struct list *l, const struct kobj *o, const struct kobj **last)
{
	if (!kselector_fits(l->sel, o))
		return 1;
	if (l->limit != 0 && l->items == l->limit) {
		l->last = xstrdup((*last)->key);
		return 0;
	}
	*last = o;
	add_item(l, o);
	return 1;
}

static int
in_namespace(const struct list *l, const struct kobj *o)
{
	const char *ns = kselector_namespace(l->sel);

	return ns[0] == '\0' || strcmp(o->ns, ns) == 0;
}

static int
gather(struct kreq *r, struct list *l, struct kfail *f)
{
	struct kstore *st = r->kube->store;
	const struct kobj *last = NULL;
	struct kobj **past = NULL;
	AUTO_FREE char *first = NULL;
	size_t i, k, n = kstore_count(st, r->kid);

	if (l->exact && l->rv != kstore_rv(st) &&
	    kstore_past(st, r->kid, l->rv, &past, &n) == -1)
		return too_old(l, f);
	if (l->start != NULL)
		first = xasprintf("%s\001", l->start);
	else if (r->ns[0] != '\0')
		first = xasprintf("%s/", r->ns);
	for (i = 0; first != NULL && past != NULL && i < n; i++)
		if (strcmp(past[i]->key, first) >= 0)
			break;
	if (first != NULL && past == NULL)
		i = kstore_seek(st, r->kid, first);
	for (; i < n; i++) {
		const struct kobj *o =
		    past != NULL ? past[i] : kstore_at(st, r->kid, i);

		if (!in_namespace(l, o) || !visit(l, o, &last))
			break;
	}
	for (; i < n &&
	     in_namespace(l, past != NULL ? past[i] : kstore_at(st, r->kid, i));
	     i++)
		l->left++;
	for (k = 0; past != NULL && k < n; k++)
		kobj_unref(past[k]);
	free(past);
	return 0;
}

static void
head(struct kreq *r, struct list *l, struct evbuffer *out)
{
	const struct kresource *res = kresource(r->kid);
	AUTO_FREE char *token = NULL, *plain = NULL;

	evbuffer_add_printf(out,
	    "{\"kind\":\"%sList\",\"apiVersion\":\"%s\",\"metadata\":"
	    "{\"resourceVersion\":\"%llu\"",
	    l->partial ? "PartialObjectMetadata" : res->kind,
	    l->partial ? "meta.k8s.io/v1" : res->api,
	    (unsigned long long)l->rv);
	if (l->last != NULL) {
		plain = xasprintf("{\"v\":\"meta.k8s.io/v1\",\"rv\":%llu,"
				  "\"start\":\"/%s\\u0000\"}",
		    (unsigned long long)l->rv, l->last);
		token = base64_url(plain);
		evbuffer_add_printf(out, ",\"continue\":\"%s\"", token);
		if (!kselector_narrows(l->sel))
			evbuffer_add_printf(out, ",\"remainingItemCount\":%zu",
			    l->left);
	}
	evbuffer_add_printf(out, "},\"items\":[");
}

static void
list_free(struct list *l)
{
	kselector_free(l->sel);
	free(l->start);
	free(l->last);
	if (l->body != NULL)
		evbuffer_free(l->body);
}

static void
answer(struct kreq *r, struct list *l)
{
	struct evbuffer *out = evbuffer_new();

	head(r, l, out);
	evbuffer_add_buffer(out, l->body);
	evbuffer_add(out, "]}\n", 3);
	web_add_header(r->web, "Cache-Control", "no-cache, private");
	web_buffer(r->web, 200, "application/json", out);
	evbuffer_free(out);
	kreq_free(r);
}

/* --- a version that is not there yet --- */

struct future {
	struct kreq *r;
	struct event *timer;
	uint64_t rv;
};

static void
on_future(evutil_socket_t fd, short what, void *arg)
{
	struct future *w = arg;
	struct json_object *details = json_object_new_object();
	struct kfail f = { .code = 0 };

	(void)fd, (void)what;
	kdetails_cause(details, "ResourceVersionTooLarge",
	    "Too large resource version", NULL);
	json_object_object_add(details, "retryAfterSeconds",
	    json_object_new_int(1));
	kfail(&f, 504, "Timeout", details,
	    "Timeout: Too large resource version: %llu, current: %llu",
	    (unsigned long long)w->rv,
	    (unsigned long long)kstore_rv(w->r->kube->store));
	f.retry_after = 1;
	kreq_fail(w->r, &f);
	event_free(w->timer);
	free(w);
}

static void
wait_for_future(struct kreq *r, uint64_t rv)
{
	static const struct timeval three = { 3, 0 };
	struct future *w = xcalloc(1, sizeof(*w));

	w->r = r;
	w->rv = rv;
	w->timer = evtimer_new(r->kube->base, on_future, w);
	evtimer_add(w->timer, &three);
}

void
kread_list(struct kreq *r)
{
	struct list l = { .sel = NULL };
	struct kfail f = { .code = 0 };

	l.body = evbuffer_new();
	if (read_options(r, &l, &f) == -1) {
		kreq_fail(r, &f);
	} else if (l.rv > kstore_rv(r->kube->store)) {
		wait_for_future(r, l.rv);
	} else if (gather(r, &l, &f) == -1) {
		kreq_fail(r, &f);
	} else {
		answer(r, &l);
	}
	list_free(&l);
}

void
kread_get(struct kreq *r)
{
	struct kobj *o = kstore_get(r->kube->store, r->kid, r->ns, r->name);
	struct kfail f = { .code = 0 };

	if (o == NULL) {
		kfail_not_found(&f, r->kid, r->name);
		kreq_fail(r, &f);
	} else {
		kreq_object(r, 200, o);
	}
}
