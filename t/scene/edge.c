/* SPDX-License-Identifier: ISC */
/*
 * edge.c: one device: its spec at Flightctl, how that is rendered, and the
 * agent that applies it.
 *
 * Owns what a Device says of itself, in the forms of t/golden/device.  Never
 * sends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/mark.h"
#include "common/stamp.h"
#include "common/xmem.h"
#include "t/scene/clock.h"
#include "t/scene/scene.h"

/* -- elements
 * ------------------------------------------------------------------ */

struct element *
edge_find(const struct element_list *l, const char *name)
{
	struct element *e;

	TAILQ_FOREACH(e, l, link)
		if (strcmp(e->name, name) == 0)
			return e;
	return NULL;
}

static void
drop(struct element_list *l, struct element *e)
{
	TAILQ_REMOVE(l, e, link);
	free(e->name);
	free(e->raw);
	free(e);
}

static void
set(char **at, const char *value)
{
	free(*at);
	*at = xstrdup(value);
}

void
edge_set(struct element_list *l, const char *name, const char *raw)
{
	struct element *e;

	if ((e = edge_find(l, name)) == NULL) {
		e = xcalloc(1, sizeof(*e));
		e->name = xstrdup(name);
		TAILQ_INSERT_TAIL(l, e, link);
	}
	set(&e->raw, raw);
}

int
edge_cut(struct element_list *l, const char *name)
{
	struct element *e = edge_find(l, name);

	if (e != NULL)
		drop(l, e);
	return e != NULL;
}

void
edge_empty(struct element_list *l)
{
	while (!TAILQ_EMPTY(l))
		drop(l, TAILQ_FIRST(l));
}

static void
drop_told(struct edge *d, struct told *t)
{
	TAILQ_REMOVE(&d->told, t, link);
	free(t->app);
	free(t->raw);
	free(t->state);
	free(t);
}

/* -- its life
 * --------------------------------------------------------------------- */

void
edge_init(struct edge *d)
{
	TAILQ_INIT(&d->apps);
	TAILQ_INIT(&d->configs);
	TAILQ_INIT(&d->old_apps);
	TAILQ_INIT(&d->old_configs);
	TAILQ_INIT(&d->excused);
	TAILQ_INIT(&d->target);
	TAILQ_INIT(&d->files);
	TAILQ_INIT(&d->told);
	TAILQ_INIT(&d->guilt);
	TAILQ_INIT(&d->failed);
	d->exists = d->listed = 1;
	d->incarnation++;
	d->apply_ms = 1000;
	d->silent = d->waits = d->hold_apply = d->hold_render =
	    d->forget_render = d->given_up = 0;
	d->generation = d->rendered_version = 1;
	d->reported_version = d->stored_version = 1;
	d->target_version = 0;
	set(&d->spec, "{}");
	free(d->rendered_hash);
	d->rendered_hash = xcalloc(1, DIGEST_SIZE);
	mark_digest(span_of("{}"), d->rendered_hash);
	set(&d->lifecycle, "Enrolled");
	set(&d->updating, "False");
	set(&d->reason, "Updated");
	set(&d->message, "");
	d->since_ms = clock_wall_ms();
	set(&d->summary, "Online");
	if (d->old_spec != NULL)
		edge_backup(d); /* no backup has an earlier incarnation */
}

void
edge_clear(struct edge *d)
{
	struct guilt *g;

	edge_empty(&d->apps);
	edge_empty(&d->configs);
	edge_empty(&d->old_apps);
	edge_empty(&d->old_configs);
	edge_empty(&d->excused);
	edge_empty(&d->target);
	edge_empty(&d->files);
	edge_empty(&d->failed);
	while (!TAILQ_EMPTY(&d->told))
		drop_told(d, TAILQ_FIRST(&d->told));
	while ((g = TAILQ_FIRST(&d->guilt)) != NULL)
		edge_acquit(d, g);
}

void
edge_acquit(struct edge *d, struct guilt *g)
{
	TAILQ_REMOVE(&d->guilt, g, link);
	free(g->pod);
	free(g->image);
	free(g->file);
	free(g->message);
	free(g);
}

/* -- its text
 * ------------------------------------------------------------------------ */

static char *
join(const struct element_list *l)
{
	const struct element *e;
	char *text = xstrdup(""), *more;

	TAILQ_FOREACH(e, l, link) {
		more =
		    xasprintf("%s%s%s", text, *text != '\0' ? "," : "", e->raw);
		free(text);
		text = more;
	}
	return text;
}

static char *
metadata_text(const struct edge *d)
{
	AUTO_FREE char *created =
	    xasprintf("2026-01-01T00:00:%02d.785006Z", d->incarnation);
	AUTO_FREE char *owner = NULL;

	owner = d->owner == NULL ? xstrdup("") :
				   xasprintf("\"owner\":\"%s\",", d->owner);
	return xasprintf(
	    "{\"annotations\":{\"device-controller/"
	    "renderedSpecHash\":\"%s\",\"device-controller/renderedVersion\":"
	    "\"%llu\"},\"creationTimestamp\":\"%s\",\"generation\":%llu,"
	    "\"labels\":{%s},\"name\":\"%s\",%s\"resourceVersion\":\"%llu\"}",
	    d->rendered_hash, (unsigned long long)d->rendered_version, created,
	    (unsigned long long)d->generation, d->labels, d->name, owner,
	    (unsigned long long)d->rv);
}

static void
put_condition(struct json_object *list, const char *type, const char *status,
    const char *reason, const char *message, int64_t since_ms)
{
	struct json_object *c = jmake_item(list);
	char since[STAMP_SIZE];

	stamp_format_micro(since_ms * 1000, since);
	jmake_str(c, "lastTransitionTime", since);
	jmake_str(c, "message", message);
	jmake_str(c, "reason", reason);
	jmake_str(c, "status", status);
	jmake_str(c, "type", type);
}

static void
put_told(struct json_object *list, const struct told *t)
{
	AUTO_FREE char *ready = xasprintf("%d/%d", t->ready, t->of);
	struct json_object *a = jmake_item(list);

	jmake_str(a, "appType", "quadlet");
	jmake_str(a, "name", t->app);
	jmake_str(a, "ready", ready);
	jmake_int(a, "restarts", 0);
	jmake_str(a, "status", t->state);
}

/* As an administrator has it reported. */
static void
put_exit(struct json_object *list, const struct told *t)
{
	AUTO_FREE char *unit = xasprintf("vk-%s_c.service", t->app);
	AUTO_FREE char *text = xasprintf("%s exited %d",
	    t->exit == 0 ? "success" : "exit-code", t->exit);
	struct json_object *u = jmake_item(list);

	jmake_str(u, "unit", unit);
	jmake_str(u, "description", text);
	jmake_str(u, "activeState", "active");
	jmake_str(u, "subState", "exited");
}

static char *
status_text(const struct edge *d)
{
	AUTO_FREE char *version =
	    xasprintf("%llu", (unsigned long long)d->stored_version);
	AUTO_FREE char *cores = xasprintf("%d", d->cores);
	AUTO_FREE char *kb = xasprintf("%d", d->memory_mib * 1024);
	struct json_object *s = jmake_object(), *o;
	const struct told *t;

	o = jmake_list(s, "applications");
	TAILQ_FOREACH(t, &d->told, link)
		if (strcmp(t->state, "none") != 0)
			put_told(o, t);
	o = jmake_list(s, "systemd");
	TAILQ_FOREACH(t, &d->told, link)
		if (t->exit >= 0)
			put_exit(o, t);
	o = jmake_list(s, "conditions");
	put_condition(o, "Updating", d->updating, d->reason, d->message,
	    d->since_ms);
	put_condition(o, "SpecValid", d->spec_invalid ? "False" : "True",
	    d->spec_invalid ? "Invalid" : "Valid", "", 0);
	jmake_str(jmake_in(s, "config"), "renderedVersion", version);
	jmake_str(jmake_in(s, "lifecycle"), "status", d->lifecycle);
	jmake_str(jmake_in(s, "summary"), "status",
	    d->silent && !edge_is_frozen(d) ? "Unknown" : d->summary);
	o = jmake_in(s, "systemInfo");
	jmake_str(o, "architecture", d->arch[0] != '\0' ? d->arch : "amd64");
	jmake_str(o, "operatingSystem", "linux");
	jmake_str(o, "cpuCores", cores);
	jmake_str(o, "memoryTotalKb", kb);
	return jmake_text(&s);
}

char *
edge_text(const struct edge *d)
{
	AUTO_FREE char *metadata = metadata_text(d);
	AUTO_FREE char *status = status_text(d);

	if (d->garbage)
		return xasprintf("{\"metadata\":{\"name\":\"%s\",\"labels\":"
				 "{%s}},\"spec\":{\"applications\":7}}",
		    d->name, d->labels);
	return xasprintf(
	    "{\"apiVersion\":\"flightctl.io/v1beta1\",\"kind\":"
	    "\"Device\",\"metadata\":%s,\"spec\":%s,\"status\":%s}",
	    metadata, d->spec, status);
}

/* -- Flightctl ------------------------------------------------------------- */

void
edge_stored(struct scene *sc, struct edge *d)
{
	AUTO_FREE char *apps = join(&d->apps);
	AUTO_FREE char *configs = join(&d->configs);

	free(d->spec);
	d->spec = *configs == '\0' ?
	    xasprintf("{\"applications\":[%s]}", apps) :
	    xasprintf("{\"applications\":[%s],\"config\":[%s]}", apps, configs);
	d->generation++;
	d->rv += 3;
	if (!d->hold_render && !d->forget_render)
		edge_render(sc, d);
	d->forget_render = 0;
}

int
edge_is_rendered(const struct edge *d)
{
	char hash[DIGEST_SIZE];

	mark_digest(span_of(d->spec), hash);
	return strcmp(hash, d->rendered_hash) == 0;
}

/* Newer than what its agent has, and than what it is at. */
static void
render(struct edge *d)
{
	mark_digest(span_of(d->spec), d->rendered_hash);
	if (d->rendered_version < d->reported_version)
		d->rendered_version = d->reported_version;
	if (d->rendered_version < d->target_version)
		d->rendered_version = d->target_version;
	d->rendered_version++;
	d->rv++;
}

void
edge_render(struct scene *sc, struct edge *d)
{
	if (edge_is_rendered(d))
		return;
	render(d);
	edge_wake(sc, d);
}

static void
copy(struct element_list *to, const struct element_list *from)
{
	const struct element *e;

	edge_empty(to);
	TAILQ_FOREACH(e, from, link)
		edge_set(to, e->name, e->raw);
}

void
edge_backup(struct edge *d)
{
	copy(&d->old_apps, &d->apps);
	copy(&d->old_configs, &d->configs);
	set(&d->old_spec, d->spec);
	set(&d->old_hash, d->rendered_hash);
	d->old_generation = d->generation;
	d->old_version = d->rendered_version;
	d->old_stored = d->stored_version;
}

/* Its agent goes on with what it has. */
void
edge_restore(struct edge *d)
{
	copy(&d->apps, &d->old_apps);
	copy(&d->configs, &d->old_configs);
	set(&d->spec, d->old_spec);
	set(&d->rendered_hash, d->old_hash);
	d->generation = d->old_generation;
	d->rendered_version = d->old_version;
	d->stored_version = d->old_stored;
	d->hold_render = d->hold_apply = 1;
	d->rv++;
	set(&d->summary, "AwaitingReconnect");
}

static int
awaits(const struct edge *d)
{
	return strcmp(d->summary, "AwaitingReconnect") == 0;
}

int
edge_is_frozen(const struct edge *d)
{
	return awaits(d) || strcmp(d->summary, "ConflictPaused") == 0;
}

/* Refused if it is not paused. */
void
edge_resume(struct scene *sc, struct edge *d)
{
	if (!edge_is_frozen(d) || (d->silent && awaits(d)))
		return;
	d->stored_version = d->reported_version;
	d->hold_render = d->hold_apply = 0;
	render(d);
	set(&d->summary, "Online");
	edge_wake(sc, d);
}

/* -- the agent ------------------------------------------------------------- */

static void
say(struct edge *d, const char *updating, const char *reason,
    const char *message)
{
	set(&d->updating, updating);
	set(&d->reason, reason);
	set(&d->message, message);
	d->since_ms = clock_wall_ms();
	d->rv++;
}

static int
is_of(struct scene *sc, const struct guilt *g, const char *app)
{
	const struct kpod *p = kube_by_app(sc, app);

	return p != NULL && strcmp(p->label, g->pod) == 0;
}

static int
has_bad_file(struct scene *sc, const struct guilt *g, const struct edge *d)
{
	char app[MAX_NAME + 1];
	const struct element *e;

	TAILQ_FOREACH(e, &d->files, link) {
		(void)snprintf(app, sizeof(app), "%.*s",
		    (int)strcspn(e->name, "."), e->name);
		if (strstr(e->raw, g->file) != NULL &&
		    (g->pod == NULL || is_of(sc, g, app)))
			return 1;
	}
	return 0;
}

static int
is_guilty(struct scene *sc, const struct guilt *g, const struct element *e)
{
	if (g->image != NULL)
		return strstr(e->raw, g->image) != NULL;
	return is_of(sc, g, e->name);
}

static const struct guilt *
guilt_of(struct scene *sc, const struct edge *d)
{
	const struct element *e;
	const struct guilt *g;

	TAILQ_FOREACH(g, &d->guilt, link) {
		if (g->file != NULL) {
			if (has_bad_file(sc, g, d))
				return g;
			continue;
		}
		if (g->pod == NULL && g->image == NULL)
			return g;
		TAILQ_FOREACH(e, &d->target, link)
			if (is_guilty(sc, g, e))
				return g;
	}
	return NULL;
}

struct told *
edge_told(struct edge *d, const char *app)
{
	struct told *t;

	TAILQ_FOREACH(t, &d->told, link)
		if (strcmp(t->app, app) == 0)
			return t;
	return NULL;
}

/* What is as it was goes on running; what is not there any more is stopped. */
static void
run_target(struct scene *sc, struct edge *d)
{
	const struct kpod *p;
	const struct element *e;
	struct told *t, *next;

	TAILQ_FOREACH_SAFE(t, &d->told, link, next) {
		e = edge_find(&d->target, t->app);
		if (e == NULL || strcmp(e->raw, t->raw) != 0)
			drop_told(d, t);
	}
	TAILQ_FOREACH(e, &d->target, link) {
		p = kube_by_app(sc, e->name);
		if (p != NULL && p->image != NULL &&
		    strstr(e->raw, p->image) != NULL)
			edge_set(&sc->ran, p->image, "");
		if (edge_told(d, e->name) != NULL)
			continue;
		t = xcalloc(1, sizeof(*t));
		t->app = xstrdup(e->name);
		t->raw = xstrdup(e->raw);
		t->state = xstrdup("Running");
		t->ready = t->of = 1;
		t->exit = -1;
		TAILQ_INSERT_TAIL(&d->told, t, link);
	}
}

static void
applied(struct scene *sc, void *arg)
{
	AUTO_FREE char *message = NULL;
	struct edge *d = *(struct edge **)arg;
	const struct guilt *g;

	if (d->target_version == 0)
		return;
	if (d->silent || !d->exists) {
		d->target_version = 0; /* begins anew when it is back */
		return;
	}
	g = guilt_of(sc, d);
	if (g != NULL && g->pending) {
		d->waits = 1;
		say(d, "True", "Preparing", g->message);
		edge_wake(sc, d); /* the spec may have changed meanwhile */
		return;
	}
	if (g != NULL) {
		edge_set(&d->failed, d->target_hash, "");
		say(d, "False", "Error", g->message);
	} else {
		run_target(sc, d);
		d->reported_version = d->stored_version = d->target_version;
		message = xasprintf("Updated to desired renderedVersion: %llu",
		    (unsigned long long)d->target_version);
		say(d, "False", "Updated", message);
	}
	d->target_version = 0;
	edge_wake(sc, d);
}

/*
 * The rendered spec is what the agent takes; rendering may be behind the spec,
 * so it takes the elements only when both agree.
 */
void
edge_wake(struct scene *sc, struct edge *d)
{
	struct edge **arg;

	/* A version that waits gives way to another, or to what healed it. */
	if (d->waits &&
	    (d->rendered_version != d->target_version ||
		guilt_of(sc, d) == NULL))
		d->target_version = 0;
	if (d->silent || d->hold_apply || d->target_version != 0 ||
	    d->rendered_version == d->reported_version ||
	    edge_find(&d->failed, d->rendered_hash) != NULL ||
	    !edge_is_rendered(d))
		return;
	d->waits = 0;
	d->target_version = d->rendered_version;
	set(&d->target_hash, d->rendered_hash);
	copy(&d->target, &d->apps);
	copy(&d->files, &d->configs);
	say(d, "True", "Preparing", "");
	arg = xmalloc(sizeof(*arg));
	*arg = d;
	place_after(sc, d->apply_ms, applied, arg);
}

int
edge_is_there(const struct edge *d)
{
	return d->exists && d->listed && !d->silent && !d->garbage &&
	    strcmp(d->lifecycle, "Enrolled") == 0 &&
	    strcmp(d->summary, "Online") == 0;
}

int
edge_may_run(const struct edge *d, const char *app)
{
	const struct told *t;

	if (!d->exists)
		return 0;
	TAILQ_FOREACH(t, &d->told, link)
		if (strcmp(t->app, app) == 0)
			return 1;
	return edge_find(&d->apps, app) != NULL ||
	    (d->target_version != 0 && edge_find(&d->target, app) != NULL);
}
