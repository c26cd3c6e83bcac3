/* SPDX-License-Identifier: ISC */
/*
 * kube.c: a small apiserver and the kubeside before it.
 *
 * Owns pods as the apiserver has them: what a person created, how a status is
 * merged, when an object goes.  Never decides what should have been asked.
 */
#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/jread.h"
#include "common/mark.h"
#include "common/xmem.h"
#include "t/scene/clock.h"
#include "t/scene/scene.h"

enum {
	WRITER_HELD_MS = 10 * 1000
};

/* -- pods
 * ----------------------------------------------------------------------- */

struct kpod *
kube_pod(struct scene *sc, const char *label)
{
	struct kpod *p;

	TAILQ_FOREACH(p, &sc->pods, link)
		if (strcmp(p->label, label) == 0)
			return p;
	scene_fail(sc, "no pod %s", label);
	return NULL;
}

struct kpod *
kube_by_app(struct scene *sc, const char *app)
{
	struct kpod *p;

	TAILQ_FOREACH(p, &sc->pods, link)
		if (strcmp(p->app, app) == 0)
			return p;
	return NULL;
}

struct kpod *
kube_by_uid(const struct scene *sc, const char *uid)
{
	struct kpod *p;

	TAILQ_FOREACH(p, &sc->pods, link)
		if (strcmp(p->uid, uid) == 0)
			return p;
	return NULL;
}

struct kpod *
kube_in_api(const struct scene *sc, const char *uid)
{
	struct kpod *p = kube_by_uid(sc, uid);

	return p != NULL && p->in_api ? p : NULL;
}

struct kpod *
kube_add(struct scene *sc, const char *name)
{
	struct kpod *p, *q;
	unsigned long n = (unsigned long)++sc->npods;
	int before = 0;

	TAILQ_FOREACH(q, &sc->pods, link)
		before += strcmp(q->name, name) == 0;
	p = xcalloc(1, sizeof(*p));
	p->name = xstrdup(name);
	p->label =
	    before == 0 ? xstrdup(name) : xasprintf("%s/%d", name, before + 1);
	p->uid = xasprintf("%08lx-0000-4000-8000-%012lx", 0xa0000000 + n, n);
	p->created_ms = clock_wall_ms();
	p->generation = 1;
	p->node = xstrdup(serve_world(sc->serve)->nodes[0].name);
	p->status = jmake_object();
	if (mark_name(SCENE_CLUSTER, "default", name, p->uid, p->app) == -1)
		abort();
	TAILQ_INSERT_TAIL(&sc->pods, p, link);
	return p;
}

static void
free_pod(struct kpod *p)
{
	char *texts[] = { p->name, p->label, p->uid, p->node, p->cpu, p->memory,
		p->image, p->restart, p->controller, p->configmap, p->secret,
		p->device, p->selector, p->reconnect, p->port, p->spec,
		p->colour, p->debugger, p->asked_cpu, p->tolerates };
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	json_object_put(p->status);
	free(p);
}

/* What stays in a spec when its pod has gone: placer/again.h. */
static int
is_named(const struct scene *sc, const struct kpod *p)
{
	const struct element *e;
	const struct edge *d;

	TAILQ_FOREACH(d, &sc->edges, link)
		TAILQ_FOREACH(e, &d->configs, link)
			if (strncmp(e->name, p->app, strlen(p->app)) == 0)
				return 1;
	return 0;
}

void
kube_prune(struct scene *sc)
{
	struct kpod *p, *next;

	TAILQ_FOREACH_SAFE(p, &sc->pods, link, next) {
		if (p->in_api)
			continue;
		if (is_named(sc, p)) {
			json_object_put(p->status); /* nobody reads it */
			p->status = jmake_object();
			continue;
		}
		TAILQ_REMOVE(&sc->pods, p, link);
		free_pod(p);
	}
}

void
kube_clear(struct scene *sc)
{
	struct object *o;
	struct kpod *p;

	while ((p = TAILQ_FIRST(&sc->pods)) != NULL) {
		TAILQ_REMOVE(&sc->pods, p, link);
		free_pod(p);
	}
	while ((o = TAILQ_FIRST(&sc->objects)) != NULL) {
		TAILQ_REMOVE(&sc->objects, o, link);
		free(o->name);
		free(o->text);
		free(o);
	}
}

/* -- what the apiserver tells
 * ------------------------------------------------------ */

void
kube_send_pod(struct scene *sc, struct kpod *p, enum pod_how how)
{
	AUTO_FREE char *text = NULL;
	struct body_pod m = { .how = how };

	p->rv++;
	if (!sc->kube.listed || !sc->kube.reachable)
		return;
	text = kube_text(p);
	(void)strlcpy(m.node, p->node, sizeof(m.node));
	m.object = span_of(text);
	side_send(sc, &sc->kube, MSG_POD, 0, &m);
}

void
kube_remove(struct scene *sc, struct kpod *p, int tell)
{
	p->in_api = 0;
	if (tell)
		kube_send_pod(sc, p, POD_DELETED);
}

void
kube_delete(struct scene *sc, struct kpod *p, int64_t grace_s)
{
	if (p->deleted_ms == 0) {
		p->deleted_ms = clock_wall_ms() + grace_s * 1000;
		p->generation++; /* as BeforeDelete() does */
	}
	kube_send_pod(sc, p, POD_MODIFIED);
}

void
kube_renew(struct scene *sc)
{
	struct body_writer m = { .until_boot = 0 };
	const struct world *w = serve_world(sc->serve);
	size_t i;

	sc->until_boot = sc->writer ? clock_boot_ms() + WRITER_HELD_MS : 0;
	m.until_boot = (uint64_t)sc->until_boot;
	for (i = 0; i < w->nnodes; i++) {
		(void)strlcpy(m.node, w->nodes[i].name, sizeof(m.node));
		side_send(sc, &sc->kube, MSG_WRITER, 0, &m);
	}
	if (sc->purged[0] == '\0')
		return;
	(void)strlcpy(m.node, sc->purged, sizeof(m.node));
	side_send(sc, &sc->kube, MSG_WRITER, 0, &m);
}

static void
tell_former(struct scene *sc)
{
	struct body_former m = { .nodes = span_of(sc->former) };

	if (sc->kube.listed && sc->kube.reachable)
		side_send(sc, &sc->kube, MSG_FORMER, 0, &m);
}

void
kube_former(struct scene *sc, const char *lines)
{
	(void)strlcpy(sc->former, lines, sizeof(sc->former));
	tell_former(sc);
}

/* Nobody else holds that Lease but where a scene says so. */
static void
on_purge(struct scene *sc, const struct frame *f)
{
	struct body_purge m;

	if (body_purge_get(f->body, &m) == -1)
		abort();
	(void)strlcpy(sc->purged, m.on ? m.node : "", sizeof(sc->purged));
	if (m.on && sc->writer)
		kube_renew(sc);
}

static void
list_node(struct scene *sc, const char *node)
{
	struct body_pods m = { .node = "" };
	struct kpod *p;

	(void)strlcpy(m.node, node, sizeof(m.node));
	side_send(sc, &sc->kube, MSG_PODS_BEGIN, 0, &m);
	TAILQ_FOREACH(p, &sc->pods, link)
		if (p->in_api && strcmp(p->node, node) == 0)
			kube_send_pod(sc, p, POD_LISTED);
	side_send(sc, &sc->kube, MSG_PODS_END, 0, &m);
}

static void
tell_node(struct scene *sc, const char *node)
{
	AUTO_FREE char *labels =
	    xasprintf("{\"type\":\"virtual-kubelet\",\"kubernetes.io/os\":"
		      "\"linux\",\"kubernetes.io/hostname\":\"%s\"%s%s}",
		node, sc->labels[0] != '\0' ? "," : "", sc->labels);
	struct body_node m = { .labels = span_of(labels) };

	(void)strlcpy(m.node, node, sizeof(m.node));
	side_send(sc, &sc->kube, MSG_NODE, 0, &m);
}

void
kube_label(struct scene *sc, const char *labels)
{
	const struct world *w = serve_world(sc->serve);
	size_t i;

	(void)strlcpy(sc->labels, labels, sizeof(sc->labels));
	for (i = 0; i < w->nnodes; i++)
		tell_node(sc, w->nodes[i].name);
}

void
kube_greet(struct scene *sc)
{
	struct body_kube_state m = { .reachable = 1, .cluster = SCENE_CLUSTER };
	const struct world *w = serve_world(sc->serve);
	size_t i;

	m.reachable = (uint32_t)sc->kube.reachable;
	if (*sc->cluster != '\0')
		(void)strlcpy(m.cluster, sc->cluster, sizeof(m.cluster));
	side_send(sc, &sc->kube, MSG_KUBE_STATE, 0, &m);
	if (sc->writer)
		kube_renew(sc);
	tell_former(sc);
	for (i = 0; sc->kube.listed && sc->kube.reachable && i < w->nnodes; i++)
		tell_node(sc, w->nodes[i].name);
	for (i = 0; sc->kube.listed && sc->kube.reachable && i < w->nnodes; i++)
		list_node(sc, w->nodes[i].name);
}

/* -- what is asked of it
 * --------------------------------------------------------------- */

static void
done(struct scene *sc, const struct frame *f, enum why_kind kind)
{
	struct body_done m = { .kind = kind };

	if (kind != ERR_NONE)
		(void)strlcpy(m.text, "as the scene says", sizeof(m.text));
	side_answer(sc, &sc->kube, f->type, MSG_DONE, f->id, &m);
}

/* 1: the scene does not let it be done. */
static int
is_refused(struct scene *sc, const struct frame *f, enum answer how,
    enum why_kind kind)
{
	if (how == ANSWER_DROPPED) {
		side_break(sc, &sc->kube, 0);
		sc->kube.wanted = 1;
		return 1;
	}
	if (how == ANSWER_KIND)
		done(sc, f, kind);
	else if (!sc->kube.reachable)
		done(sc, f, ERR_AGAIN);
	return how == ANSWER_KIND || !sc->kube.reachable;
}

static void
answer(struct scene *sc, const struct frame *f, enum answer how)
{
	if (how == ANSWER_LOST) {
		side_break(sc, &sc->kube, 0);
		sc->kube.wanted = 1;
		return;
	}
	done(sc, f, how == ANSWER_UNKNOWN ? ERR_AGAIN : ERR_NONE);
}

/* As patchMergeKey=type says. */
static void
merge_conditions(struct json_object *into, struct json_object *list)
{
	struct json_object *have, *c, *old;
	const char *type, *t;
	size_t i, j;

	if (!json_object_object_get_ex(into, "conditions", &have))
		have = jmake_list(into, "conditions");
	for (i = 0; i < jread_count(list); i++) {
		c = jread_item(list, i);
		type = jread_string(jread_member(c, "type"));
		for (j = 0; type != NULL && j < jread_count(have); j++) {
			old = jread_item(have, j);
			t = jread_string(jread_member(old, "type"));
			if (t != NULL && strcmp(t, type) == 0)
				break;
		}
		if (jread_member(c, "$patch") == NULL)
			json_object_array_put_idx(have, j, json_object_get(c));
		else if (j < jread_count(have))
			json_object_array_del_idx(have, j, 1);
	}
}

static void
merge(struct json_object *into, struct json_object *patch)
{
	struct json_object *v;
	struct lh_entry *e = NULL;
	const char *key;

	while (jread_next(patch, &e, &key, &v)) {
		if (strcmp(key, "conditions") == 0)
			merge_conditions(into, v);
		else if (v == NULL)
			json_object_object_del(into, key);
		else
			json_object_object_add(into, key, json_object_get(v));
	}
}

/* A phase is a step of a life: none is taken back. */
static void
judge_phase(struct scene *sc, struct kpod *p, int has_run)
{
	const char *phase = kube_phase(p);
	int is_end =
	    strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;

	if ((has_run && strcmp(phase, "Pending") == 0) || (p->ended && !is_end))
		scene_fail(sc, "%s is %s again", p->label, phase);
	p->ended |= is_end;
}

static void
on_status(struct scene *sc, const struct frame *f, enum answer how,
    enum why_kind kind)
{
	AUTO_JSON struct json_object *patch = NULL;
	AUTO_FREE char *reason = NULL;
	struct body_pod_status m;
	struct kpod *p;
	struct why why;
	int has_run;

	if (body_pod_status_get(f->body, &m) == -1)
		abort();
	if ((p = kube_in_api(sc, m.uid)) == NULL) {
		done(sc, f, ERR_GONE);
		return;
	}
	if (is_refused(sc, f, how, kind))
		return;
	if ((patch = jread_parse(m.status, &why)) == NULL) {
		scene_fail(sc, "a status that is no JSON: %s", why.text);
		return;
	}
	has_run = strcmp(kube_phase(p), "Running") == 0 ||
	    strcmp(kube_phase(p), "Unknown") == 0;
	merge(p->status, patch);
	reason = kube_reason(p);
	out_add(sc, OUT_STATUS, p->label, "%s %s %s", kube_phase(p),
	    kube_is_ready(p) ? "ready" : "unready", reason);
	judge_phase(sc, p, has_run);
	answer(sc, f, how);
	kube_send_pod(sc, p, POD_MODIFIED);
}

static void
on_delete(struct scene *sc, const struct frame *f, enum answer how,
    enum why_kind kind)
{
	struct body_pod_delete m;
	struct kpod *p;

	if (body_pod_delete_get(f->body, &m) == -1)
		abort();
	if ((p = kube_in_api(sc, m.uid)) == NULL) {
		done(sc, f, ERR_GONE);
		return;
	}
	if (is_refused(sc, f, how, kind))
		return;
	out_add(sc, m.grace_s == 0 ? OUT_DELETE : OUT_EVICT, p->label, "%s",
	    "");
	if (m.grace_s == 0) {
		p->in_api = 0;
		answer(sc, f, how);
		kube_send_pod(sc, p, POD_DELETED);
		return;
	}
	p->evicted = 1;
	answer(sc, f, how);
	kube_delete(sc, p, 30);
}

static void
on_fetch(struct scene *sc, const struct frame *f, enum answer how,
    enum why_kind kind)
{
	AUTO_FREE char *text = NULL;
	struct body_object object;
	struct body_get_object m;
	struct object *o;
	struct kpod *p;

	if (body_get_object_get(f->body, &m) == -1)
		abort();
	out_add(sc, OUT_FETCH, m.name, "%s", "");
	if (is_refused(sc, f, how, kind))
		return;
	if (m.kind == OBJECT_POD && (p = kube_in_api(sc, m.pod_uid)) != NULL)
		text = kube_text(p);
	TAILQ_FOREACH(o, &sc->objects, link)
		if (!o->gone &&
		    m.kind == (o->secret ? OBJECT_SECRET : OBJECT_CONFIGMAP) &&
		    strcmp(o->name, m.name) == 0)
			text = xstrdup(o->text);
	if (text == NULL) {
		done(sc, f, ERR_GONE);
		return;
	}
	object.object = span_of(text);
	side_answer(sc, &sc->kube, f->type, MSG_OBJECT, f->id, &object);
}

static void
on_event(struct scene *sc, const struct frame *f)
{
	struct body_event m;
	struct kpod *p;

	if (body_event_get(f->body, &m) == -1)
		abort();
	TAILQ_FOREACH(p, &sc->pods, link)
		if (strcmp(p->uid, m.uid) == 0)
			out_add(sc, m.warning ? OUT_EVENT : OUT_NORMAL,
			    p->label, "%s %s", m.reason, m.message);
}

static void
on_figures(struct scene *sc, const struct frame *f)
{
	struct body_node_figures m;

	if (body_node_figures_get(f->body, &m) == -1)
		abort();
	out_add(sc, OUT_FIGURES, m.node,
	    "cpu=%llu/%llu memory=%lluMi/%lluMi "
	    "pods=%llu/%llu free=%llu largest=%llu devices=%u/%u reachable=%u "
	    "owned=%u",
	    (unsigned long long)m.allocatable_cpu_m,
	    (unsigned long long)m.capacity_cpu_m,
	    (unsigned long long)m.allocatable_memory >> 20,
	    (unsigned long long)m.capacity_memory >> 20,
	    (unsigned long long)m.allocatable_pods,
	    (unsigned long long)m.capacity_pods,
	    (unsigned long long)m.free_cpu_m,
	    (unsigned long long)m.largest_free_cpu_m, m.devices_ready,
	    m.devices, m.flightctl, m.devices_owned);
}

static void
check(struct scene *sc, const struct frame *f)
{
	struct body_pod_status status;
	struct body_pod_delete delete;

	if (f->type == MSG_POD_STATUS &&
	    body_pod_status_get(f->body, &status) == 0)
		rules_status(sc, &status);
	if (f->type == MSG_POD_DELETE &&
	    body_pod_delete_get(f->body, &delete) == 0)
		rules_delete(sc, &delete);
}

void
kube_frame(struct scene *sc, const struct frame *f, int is_late)
{
	enum why_kind kind;
	enum answer how;

	if (f->type == MSG_PURGE) {
		on_purge(sc, f);
		return;
	}
	if (f->type == MSG_EVENT || f->type == MSG_NODE_FIGURES) {
		if (f->type == MSG_EVENT)
			on_event(sc, f);
		else
			on_figures(sc, f);
		return;
	}
	if (!is_late)
		check(sc, f);
	if ((how = side_rule(sc, &sc->kube, f, &kind)) == ANSWER_HELD)
		return;
	if (f->type == MSG_POD_STATUS)
		on_status(sc, f, how, kind);
	else if (f->type == MSG_POD_DELETE)
		on_delete(sc, f, how, kind);
	else
		on_fetch(sc, f, how, kind);
}
