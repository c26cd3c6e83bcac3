/* SPDX-License-Identifier: ISC */
/*
 * kubefault.c: scripted failures, in the recorded forms.
 *
 * Owns the rules, the requests held back and the counts of what was asked.
 * Never decides a fault itself: kubecommand.c does, on somebody's word.
 */

#include "t/sim/kubefault.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <json-c/json.h>

#include "common/xmem.h"
#include "t/sim/control.h"
#include "t/sim/web.h"

/* --- rules --- */

void
kfaults_add(struct kfaults *faults, enum krule_kind kind, const char *method,
    const char *glob, long value, long count)
{
	struct kfault *rule = xcalloc(1, sizeof(*rule));

	rule->kind = kind;
	rule->method = xstrdup(method);
	rule->glob = xstrdup(glob);
	rule->value = value;
	rule->left = count;
	TAILQ_INSERT_TAIL(&faults->rules, rule, entry);
}

static void
rule_free(struct kfaults *faults, struct kfault *rule)
{
	TAILQ_REMOVE(&faults->rules, rule, entry);
	free(rule->method);
	free(rule->glob);
	free(rule);
}

void
kfaults_clear_rules(struct kfaults *faults)
{
	while (!TAILQ_EMPTY(&faults->rules))
		rule_free(faults, TAILQ_FIRST(&faults->rules));
}

static int
fits(const struct kfault *rule, const struct web_req *web)
{
	if (strcmp(rule->method, "*") != 0 &&
	    strcmp(rule->method, web_method_name(web)) != 0)
		return 0;
	return fnmatch(rule->glob, web_path(web), 0) == 0 ||
	    fnmatch(rule->glob, web_target(web), 0) == 0;
}

/* The value of the first rule of a kind that fits, used up once; or -1. */
static long
use(struct kfaults *faults, enum krule_kind kind, const struct web_req *web)
{
	struct kfault *rule;
	long value;

	TAILQ_FOREACH(rule, &faults->rules, entry)
		if (rule->kind == kind && fits(rule, web))
			break;
	if (rule == NULL)
		return -1;
	value = rule->value;
	if (--rule->left == 0)
		rule_free(faults, rule);
	return value;
}

static int
timeout(struct kfail *f)
{
	struct json_object *details = json_object_new_object();

	json_object_object_add(details, "retryAfterSeconds",
	    json_object_new_int(1));
	return kfail(f, 504, "Timeout", details,
	    "Timeout: request did not complete within the allotted timeout");
}

static int
in_form(long code, const char *user, const char *path, const struct kreq *r,
    struct kfail *f)
{
	const struct kresource *res = r != NULL ? kresource(r->kid) : NULL;

	switch (code) {
	case 401:
		return kfail(f, 401, "Unauthorized", NULL, "Unauthorized");
	case 403:
		if (res != NULL)
			return kauth_forbid(r, res->plural, res->group, f);
		return kauth_forbid_path(user, path, f);
	case 404:
		if (res != NULL)
			return kfail_not_found(f, r->kid, r->name);
		return kfail(f, 404, "NotFound", NULL, "not found");
	case 409:
		if (res != NULL)
			return kfail_stale(f, r->kid, r->name);
		return kfail(f, 409, "Conflict", NULL, "conflict");
	case 410:
		return kfail(f, 410, "Expired", NULL,
		    "The resourceVersion for the provided list is too old.");
	case 429:
		kfail(f, 429, "TooManyRequests", NULL,
		    "Too many requests, please try again later.\n");
		f->retry_after = 1;
		return -1;
	case 500:
		return kfail(f, 500, "InternalError", NULL,
		    "Internal error occurred: etcdserver: request timed out");
	case 503:
		kfail(f, 503, "ServiceUnavailable", NULL,
		    "apiserver is shutting down");
		f->retry_after = 1;
		return -1;
	case 504:
		return timeout(f);
	default:
		return kfail(f, (int)code, NULL, NULL,
		    "kubesim was told to answer %ld", code);
	}
}

int
kfaults_fail(struct kfaults *faults, struct web_req *web, const char *user,
    const struct kreq *r, struct kfail *f)
{
	long code = use(faults, KRULE_FAIL, web);
	long bytes = use(faults, KRULE_CUT, web);

	if (bytes != -1)
		web_cut_after(web, (size_t)bytes);
	return code != -1 ? in_form(code, user, web_path(web), r, f) : 0;
}

/* --- requests held back --- */

static void
held_free(struct kheld *held)
{
	TAILQ_REMOVE(&held->faults->held, held, entry);
	if (held->timer != NULL)
		event_free(held->timer);
	free(held);
}

static void
on_latency(evutil_socket_t fd, short what, void *arg)
{
	struct kheld *held = arg;
	struct web_req *web = held->web;

	(void)fd, (void)what;
	held_free(held);
	web_resume(web);
}

void
kfaults_let_go(struct kfaults *faults)
{
	struct kheld *held, *next;

	for (held = TAILQ_FIRST(&faults->held); held != NULL; held = next) {
		next = TAILQ_NEXT(held, entry);
		if (held->timer != NULL)
			continue;
		web_drop(held->web);
		held_free(held);
	}
}

int
kfaults_gate(struct web_req *web, void *arg)
{
	struct kfaults *faults = ((struct kube *)arg)->faults;
	struct timeval tv = { faults->latency_ms / 1000,
		faults->latency_ms % 1000 * 1000 };
	struct kheld *held;

	if (faults->history != NULL)
		fprintf(faults->history, "%s %s\n", web_method_name(web),
		    web_target(web));
	if (!faults->paused && faults->latency_ms == 0)
		return 0;
	held = xcalloc(1, sizeof(*held));
	held->faults = faults;
	held->web = web;
	TAILQ_INSERT_TAIL(&faults->held, held, entry);
	if (!faults->paused) {
		held->timer = evtimer_new(faults->kube->base, on_latency, held);
		evtimer_add(held->timer, &tv);
	}
	return 1;
}

/* --- counts --- */

void
kfaults_count(struct kfaults *faults, const char *verb, const char *resource,
    const char *sub)
{
	char name[192];
	size_t i;

	snprintf(name, sizeof(name), "%s %s%s%s", verb, resource,
	    sub[0] != '\0' ? "/" : "", sub);
	for (i = 0; i < faults->ncounts; i++)
		if (strcmp(faults->counts[i].name, name) == 0)
			break;
	if (i == faults->ncounts) {
		faults->counts = xreallocarray(faults->counts,
		    ++faults->ncounts, sizeof(*faults->counts));
		faults->counts[i] = (struct kcount){ xstrdup(name), 0 };
	}
	faults->counts[i].n++;
}

void
kfaults_clear_counts(struct kfaults *faults)
{
	size_t i;

	for (i = 0; i < faults->ncounts; i++)
		free(faults->counts[i].name);
	free(faults->counts);
	faults->counts = NULL;
	faults->ncounts = 0;
}

/* --- life --- */

struct kfaults *
kfaults_new(struct kube *kube, const char *control, struct why *why)
{
	struct kfaults *faults = xcalloc(1, sizeof(*faults));

	faults->kube = kube;
	TAILQ_INIT(&faults->rules);
	TAILQ_INIT(&faults->held);
	if (control != NULL &&
	    (faults->control = kcommand_new(faults, control, why)) == NULL) {
		free(faults);
		return NULL;
	}
	return faults;
}

void
kfaults_free(struct kfaults *faults)
{
	if (faults == NULL)
		return;
	while (!TAILQ_EMPTY(&faults->held)) {
		web_drop(TAILQ_FIRST(&faults->held)->web);
		held_free(TAILQ_FIRST(&faults->held));
	}
	kfaults_clear_rules(faults);
	kfaults_clear_counts(faults);
	if (faults->history != NULL)
		fclose(faults->history);
	control_free(faults->control);
	free(faults);
}
