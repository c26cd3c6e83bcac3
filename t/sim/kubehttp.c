/* SPDX-License-Identifier: ISC */
/*
 * kubehttp.c: from a request to an operation, and answers.
 *
 * Owns the order of judgement: token, right, existence of the resource,
 * method, media types; then scripted faults; then the operation.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <json-c/json.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/sim/kube.h"
#include "t/sim/web.h"

static const char text_plain[] = "text/plain; charset=utf-8";

static const char *const verb_names[] = {
	[KVERB_GET] = "get",
	[KVERB_LIST] = "list",
	[KVERB_WATCH] = "watch",
	[KVERB_CREATE] = "create",
	[KVERB_UPDATE] = "update",
	[KVERB_PATCH] = "patch",
	[KVERB_DELETE] = "delete",
	[KVERB_DELETECOLLECTION] = "deletecollection",
};

const char *
kverb_name(enum kverb verb)
{
	return verb_names[verb];
}

const char *
kresource_head(enum kid kid)
{
	static const char *const heads[] = {
#define CORE(group) (sizeof(group) == 1)
#define KFIELD(...)
#define KRESOURCE(id, p, k, g, n, s, b)                     \
	[KUBE_##id] = CORE(g) ?                             \
	    "{\"kind\":\"" #k "\",\"apiVersion\":\"v1\"," : \
	    "{\"kind\":\"" #k "\",\"apiVersion\":\"" g "/v1\",",
#include "t/sim/kubekind.def"
#undef KRESOURCE
#undef KFIELD
	};

	return heads[kid];
}

/* --- answers --- */

void
kreq_free(struct kreq *r)
{
	if (r == NULL)
		return;
	kwarn_clear(&r->warn);
	free(r->ns);
	free(r->name);
	free(r->sub);
	free(r);
}

static void
add_headers(struct kreq *r)
{
	size_t i;

	web_add_header(r->web, "Cache-Control", "no-cache, private");
	for (i = 0; i < r->warn.n; i++) {
		struct ktext t = { NULL, 0, 0 };

		ktext_puts(&t, "299 - ");
		ktext_quote(&t, r->warn.text[i], strlen(r->warn.text[i]));
		web_add_header(r->web, "Warning", t.s);
		ktext_free(&t);
	}
}

static void
answer_text(struct kreq *r, int code, const char *text, size_t len)
{
	struct evbuffer *out = evbuffer_new();
	const char *head = kresource_head(r->kid);

	add_headers(r);
	evbuffer_expand(out, len + 128);
	evbuffer_add(out, head, strlen(head));
	evbuffer_add(out, text + 1, len - 1);
	evbuffer_add(out, "\n", 1);
	web_buffer(r->web, code, "application/json", out);
	evbuffer_free(out);
	kreq_free(r);
}

void
kreq_object(struct kreq *r, int code, const struct kobj *o)
{
	answer_text(r, code, o->text, o->len);
}

void
kreq_text(struct kreq *r, int code, const char *text)
{
	answer_text(r, code, text, strlen(text));
}

void
kreq_json(struct kreq *r, int code, struct json_object *o)
{
	add_headers(r);
	web_json(r->web, code, o);
	kreq_free(r);
}

static void
web_fail(struct web_req *web, struct kfail *f)
{
	char seconds[16];

	web_add_header(web, "Cache-Control", "no-cache, private");
	if (f->retry_after != 0) {
		snprintf(seconds, sizeof(seconds), "%d", f->retry_after);
		web_add_header(web, "Retry-After", seconds);
	}
	/* Priority and fairness answers without a Status. */
	if (f->code == 429)
		web_text(web, f->code, text_plain, f->message);
	else
		web_json(web, f->code, kfail_status(f));
	kfail_clear(f);
}

void
kreq_fail(struct kreq *r, struct kfail *f)
{
	web_fail(r->web, f);
	kreq_free(r);
}

/* --- judgement --- */

static int
is_true(const char *s)
{
	return s != NULL && (strcmp(s, "true") == 0 || strcmp(s, "1") == 0);
}

/* -1: no verb has this method here. */
static int
verb_of(const struct web_req *web, const struct kpath *p)
{
	int one = p->name[0] != '\0';

	switch (web_method(web)) {
	case WEB_GET:
		if (p->watch || is_true(web_query(web, "watch")))
			return p->sub[0] == '\0' ? KVERB_WATCH : -1;
		return one ? KVERB_GET : KVERB_LIST;
	case WEB_POST:
		return one == (p->sub[0] != '\0') ? KVERB_CREATE : -1;
	case WEB_PUT:
		return one ? KVERB_UPDATE : -1;
	case WEB_PATCH:
		return one ? KVERB_PATCH : -1;
	case WEB_DELETE:
		return one ? KVERB_DELETE : KVERB_DELETECOLLECTION;
	case WEB_HEAD:
	case WEB_OPTIONS:
	case WEB_ANY:
		break;
	}
	return -1;
}

static int
no_method(struct kfail *f)
{
	return kfail(f, 405, "MethodNotAllowed", json_object_new_object(),
	    "the server does not allow this method on the requested "
	    "resource");
}

static int
no_resource(struct kfail *f)
{
	return kfail(f, 404, "NotFound", json_object_new_object(),
	    "the server could not find the requested resource");
}

static int
check_sub(const struct kreq *r, struct kfail *f)
{
	int binding = strcmp(r->sub, "binding") == 0 && r->kid == KUBE_PODS;

	if (r->sub[0] == '\0')
		return 0;
	if (!binding && !(r->status && kresource(r->kid)->status))
		return no_resource(f);
	if (binding ? r->verb != KVERB_CREATE :
		      (r->verb != KVERB_GET && r->verb != KVERB_UPDATE &&
			  r->verb != KVERB_PATCH))
		return no_method(f);
	return 0;
}

static int
check_accept(const struct web_req *web, struct kfail *f)
{
	const char *accept = web_header(web, "Accept");

	if (accept == NULL || accept[0] == '\0' ||
	    strstr(accept, "application/json") != NULL ||
	    strstr(accept, "*/*") != NULL ||
	    strstr(accept, "application/*") != NULL)
		return 0;
	return kfail(f, 406, "NotAcceptable", json_object_new_object(),
	    "406: Not Acceptable\n\nAvailable representations: "
	    "application/json, application/yaml, "
	    "application/vnd.kubernetes.protobuf");
}

static int
read_options(struct kreq *r, struct kfail *f)
{
	const char *dry = web_query(r->web, "dryRun");
	const char *strict = web_query(r->web, "fieldValidation");

	r->strict = strict != NULL && strcmp(strict, "Strict") == 0;
	if (dry == NULL)
		return 0;
	if (strcmp(dry, "All") != 0)
		return kfail_bad(f, "invalid dryRun: %s", dry);
	r->dry_run = 1;
	return 0;
}

static int
judge(struct kreq *r, const struct kpath *p, int verb, struct kfail *f)
{
	if (kauth_allows(r->kube->auth, r, p->resource, p->group, f) == -1)
		return -1;
	if (p->kid == KUBE_KINDS ||
	    (kresource(p->kid)->namespaced && p->ns[0] == '\0' &&
		p->name[0] != '\0'))
		return no_resource(f);
	if (verb == -1 ||
	    (kresource(p->kid)->namespaced && p->ns[0] == '\0' &&
		r->verb == KVERB_CREATE))
		return no_method(f);
	if (check_sub(r, f) == -1 || check_accept(r->web, f) == -1)
		return -1;
	return read_options(r, f);
}

static void
serve(struct kreq *r)
{
	switch (r->verb) {
	case KVERB_GET:
		kread_get(r);
		break;
	case KVERB_LIST:
		kread_list(r);
		break;
	case KVERB_WATCH:
		kwatch_start(r);
		break;
	case KVERB_CREATE:
		if (r->sub[0] != '\0')
			kbind_create(r);
		else
			kwrite_create(r);
		break;
	case KVERB_UPDATE:
		kwrite_update(r);
		break;
	case KVERB_PATCH:
		kwrite_patch(r);
		break;
	case KVERB_DELETE:
		kdelete_one(r);
		break;
	case KVERB_DELETECOLLECTION:
		kdelete_many(r);
		break;
	}
}

static void
resource(struct kube *kube, struct web_req *web, const struct kpath *p,
    const char *user)
{
	struct kreq *r = xcalloc(1, sizeof(*r));
	struct kfail f = { .code = 0 };
	int verb = verb_of(web, p);

	r->kube = kube;
	r->web = web;
	r->user = user;
	r->kid = p->kid;
	/* Unknown methods are judged as the writes they would be. */
	r->verb = verb == -1 ? KVERB_UPDATE : (enum kverb)verb;
	r->ns = xstrdup(p->ns);
	r->name = xstrdup(p->name);
	r->sub = xstrdup(p->sub);
	r->status = strcmp(p->sub, "status") == 0;
	kfaults_count(kube->faults, kverb_name(r->verb), p->resource, p->sub);
	if (judge(r, p, verb, &f) == -1 ||
	    kfaults_fail(kube->faults, web, user, r, &f) == -1) {
		kreq_fail(r, &f);
		return;
	}
	serve(r);
}

static void
document(struct kube *kube, struct web_req *web, const char *user)
{
	struct kfail f = { .code = 0 };

	if (kauth_path(user, web_path(web), &f) == -1 ||
	    kfaults_fail(kube->faults, web, user, NULL, &f) == -1)
		web_fail(web, &f);
	else if (!kpath_document(kube, web))
		web_text(web, 404, text_plain, "404 page not found\n");
}

void
khttp_request(struct web_req *web, void *arg)
{
	struct kube *kube = arg;
	const struct kreview *review = kreview_of(web_path(web));
	struct kfail f = { .code = 0 };
	struct kpath p;
	const char *user;

	if ((user = kauth_user(kube->auth, web, &f)) == NULL)
		web_fail(web, &f);
	else if (web_method(web) == WEB_HEAD)
		web_text(web, 405, "application/json", "");
	else if (review != NULL) {
		if (kreview_answer(review, kube, web, user, &f) == -1)
			web_fail(web, &f);
	} else if (kpath_read(web_path(web), &p) == -1 || !p.known)
		document(kube, web, user);
	else
		resource(kube, web, &p, user);
}
