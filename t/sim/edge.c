/* SPDX-License-Identifier: ISC */
/*
 * edge.c: the agent of a simulated device.
 *
 * Owns the steps of one version, what is reported and when.  Never sends
 * anything, never reads a clock.  The texts are those of agent v1.2.0.
 */
#include "t/sim/edge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/xmem.h"
#include "t/sim/edge_app.h"
#include "t/sim/flight_json.h"

enum phase {
	IDLE,
	PREPARING, /* said so; until images are there */
	HANGING,   /* an image does not come */
	READY,	   /* said ReadyToUpdate; ApplyingUpdate is to be said */
	APPLYING,  /* until the units run */
	UPDATED,   /* said so; the version number is to be pushed */
	UNDOING,   /* said RollingBack; the error is to be said */
};

enum agent {
	AGENT_UP,
	AGENT_EMPTY,   /* just started: no applications known */
	AGENT_UNKNOWN, /* known by name, no event seen yet */
};

struct rule {
	char *glob;
	enum edge_mode mode;
};

struct version {
	uint64_t number;
	char *spec;
	char digest[65];
};

struct failed {
	uint64_t number;
	char digest[65];
};

struct edge {
	char *name;
	struct edge_conf conf;
	enum phase phase;
	int64_t due;	       /* boot_ms of the phase's end */
	struct version wanted; /* newest offer; number 0: none */
	struct version trying; /* under way */
	struct edge_apps next; /* of trying */
	char *error;	       /* text of a failure under way */
	uint64_t applied;
	struct edge_apps apps;
	struct failed *failed;
	size_t nfailed;
	struct rule *rules;
	size_t nrules;
	struct edge_condition updating;
	enum agent agent;
	int64_t agent_due;
	int dirty;	/* applications may read otherwise than pushed */
	int64_t grid;	/* boot_ms of the next regular report */
	int64_t change; /* boot_ms of the next change of an application */
	char *reported; /* applications as last reported */
	char *info;
	char *sysinfo;
	const char *summary;
	size_t napps;
};

int
edge_mode_by_name(const char *word, enum edge_mode *mode)
{
	static const char *const words[] = {
#define X(name, word) word,
		EDGE_MODES(X)
#undef X
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0) {
			*mode = (enum edge_mode)i;
			return 0;
		}
	return -1;
}

static void
version_free(struct version *v)
{
	free(v->spec);
	*v = (struct version){ 0 };
}

/* An identity that is the same in every run: agents have one for ever. */
static char *
fake_uuid(const char *name, const char *salt)
{
	char *text = xasprintf("%s/%s", name, salt);
	char hex[65], *uuid;

	flight_sha256(span_of(text), hex);
	uuid = xasprintf("%.8s-%.4s-5%.3s-a%.3s-%.12s", hex, hex + 8, hex + 13,
	    hex + 17, hex + 20);
	free(text);
	return uuid;
}

static char *
system_info(const char *name, const struct edge_conf *conf)
{
	struct out o = { 0 };
	char *boot = fake_uuid(name, "boot");
	char *product = fake_uuid(name, "product");

	out_open(&o, '{');
	out_member(&o, "agentVersion", "v1.2.0");
	out_member(&o, "architecture", conf->arch);
	out_member(&o, "bootID", boot);
	out_key(&o, "cpuCores");
	out_printf(&o, "\"%d\"", conf->cores);
	o.comma = 1;
	out_member(&o, "distroName", "Simulated Linux");
	out_member(&o, "distroVersion", "1");
	out_member(&o, "hostname", name);
	out_member(&o, "kernel", "6.1.0");
	out_key(&o, "memoryTotalKb");
	out_printf(&o, "\"%" PRId64 "\"", conf->memory_kb);
	o.comma = 1;
	out_member(&o, "netIpDefault", "192.0.2.10/24");
	out_member(&o, "operatingSystem", "linux");
	out_member(&o, "productName", "edgesim");
	out_member(&o, "productUuid", product);
	out_close(&o, '}');
	free(boot);
	free(product);
	return out_take(&o);
}

struct edge *
edge_new(const char *name, const struct edge_conf *conf, struct now now)
{
	struct edge *e = xcalloc(1, sizeof(*e));

	e->name = xstrdup(name);
	e->conf = *conf;
	e->sysinfo = system_info(name, conf);
	e->reported = xstrdup("[]");
	e->summary = "NoApplications";
	e->grid = now.boot_ms + conf->status_ms;
	e->change = INT64_MAX;
	return e;
}

void
edge_free(struct edge *e)
{
	size_t i;

	if (e == NULL)
		return;
	for (i = 0; i < e->nrules; i++)
		free(e->rules[i].glob);
	free(e->rules);
	free(e->failed);
	version_free(&e->wanted);
	version_free(&e->trying);
	edge_apps_free(&e->next);
	edge_apps_free(&e->apps);
	free(e->error);
	free(e->updating.message);
	free(e->reported);
	free(e->info);
	free(e->sysinfo);
	free(e->name);
	free(e);
}

/* --- what is said ------------------------------------------------------------
 */

static void
say(struct edge *e, const char *status, const char *reason, char *message,
    struct now now)
{
	if (e->updating.status == NULL ||
	    strcmp(e->updating.status, status) != 0)
		e->updating.since_us = now.wall_ms * 1000;
	e->updating.status = status;
	e->updating.reason = reason;
	free(e->updating.message);
	e->updating.message = message;
}

/* Only containers of which the agent has seen an event have a state. */
static struct edge_state
app_state(const struct edge *e, const struct edge_app *app, int64_t boot_ms)
{
	if (e->agent == AGENT_UNKNOWN)
		return (struct edge_state){ "Unknown", 0, 0, 0 };
	return edge_app_state(app, e->conf.apply_ms / 2, boot_ms);
}

/* The worst of all, and the names of those that are not well. */
struct verdict {
	int errors, unwell;
	struct out info;
};

static void
judge(struct verdict *v, const char *name, const struct edge_state *s)
{
	const char *form = NULL;

	if (strcmp(s->status, "Error") == 0) {
		v->errors++;
		form = "%s%s is in status Error";
	} else if (s->total == 0) {
		v->unwell++;
		form = "%sNot started: %s";
	} else if (strcmp(s->status, "Completed") != 0 &&
	    (s->ready < s->total || strcmp(s->status, "Running") != 0)) {
		v->unwell++;
		form = "%s%s is in status Degraded";
	}
	if (form == NULL)
		return;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	out_printf(&v->info, form, v->info.len > 0 ? ", " : "", name);
#pragma GCC diagnostic pop
}

static void
write_app(struct out *o, const struct edge_app *app, const struct edge_state *s)
{
	out_open(o, '{');
	out_member(o, "appType", app->type);
	out_key(o, "embedded");
	out_bool(o, 0);
	out_member(o, "name", app->name);
	out_key(o, "ready");
	out_printf(o, "\"%d/%d\"", s->ready, s->total);
	o->comma = 1;
	out_key(o, "restarts");
	out_int(o, s->restarts);
	if (app->run_as != NULL)
		out_member(o, "runAs", app->run_as);
	out_member(o, "status", s->status);
	out_close(o, '}');
}

/* Renders the applications; 1: they read otherwise than before. */
static int
look(struct edge *e, int64_t boot_ms)
{
	struct verdict verdict = { 0 };
	struct edge_state s;
	struct out o = { 0 };
	size_t i, n = e->agent == AGENT_EMPTY ? 0 : e->apps.n;
	int changed;

	e->change = INT64_MAX;
	out_open(&o, '[');
	for (i = 0; i < n; i++) {
		s = app_state(e, &e->apps.v[i], boot_ms);
		write_app(&o, &e->apps.v[i], &s);
		judge(&verdict, e->apps.v[i].name, &s);
	}
	for (i = 0; i < e->apps.n; i++) {
		int64_t t =
		    edge_app_next(&e->apps.v[i], e->conf.apply_ms / 2, boot_ms);

		if (t < e->change)
			e->change = t;
	}
	out_close(&o, ']');
	e->napps = n;
	e->summary = n == 0    ? "NoApplications" :
	    verdict.errors > 0 ? "Error" :
	    verdict.unwell > 0 ? "Degraded" :
				 "Healthy";
	changed = strcmp(o.p, e->reported) != 0;
	free(e->reported);
	e->reported = out_take(&o);
	free(e->info);
	e->info = verdict.info.len > 0 ? out_take(&verdict.info) : NULL;
	return changed;
}

/* Everything is pushed: what was dirty no longer is. */
static int
push(struct edge *e, struct now now)
{
	look(e, now.boot_ms);
	e->dirty = 0;
	return 1;
}

/* --- versions
 * ------------------------------------------------------------------ */

static enum edge_mode
mode_of(const struct edge *e, const char *app)
{
	size_t i;

	for (i = e->nrules; i > 0; i--)
		if (flight_glob(e->rules[i - 1].glob, app))
			return e->rules[i - 1].mode;
	return EDGE_OK;
}

static void
set_modes(const struct edge *e, struct edge_apps *apps)
{
	size_t i;

	for (i = 0; i < apps->n; i++)
		apps->v[i].mode = mode_of(e, apps->v[i].name);
}

static int
has_failed(const struct edge *e, const struct version *v)
{
	size_t i;

	for (i = 0; i < e->nfailed; i++)
		if (e->failed[i].number == v->number ||
		    strcmp(e->failed[i].digest, v->digest) == 0)
			return 1;
	return 0;
}

static int
wants(const struct edge *e)
{
	return e->wanted.number != 0 && e->wanted.number != e->applied &&
	    e->wanted.number != e->trying.number && !has_failed(e, &e->wanted);
}

void
edge_offer(struct edge *e, uint64_t version, struct span spec, struct now now)
{
	(void)now;
	if (version == e->wanted.number)
		return;
	version_free(&e->wanted);
	e->wanted.number = version;
	e->wanted.spec = xstrndup(spec.p, spec.len);
	flight_sha256(spec, e->wanted.digest);
}

/* Applications that did not change go on running. */
static void
install(struct edge *e, struct now now)
{
	const struct edge_app *old;
	size_t i;

	for (i = 0; i < e->next.n; i++) {
		old = edge_apps_find(&e->apps, e->next.v[i].name);
		e->next.v[i].started_ms = now.boot_ms;
		if (old != NULL &&
		    strcmp(old->digest, e->next.v[i].digest) == 0)
			e->next.v[i].started_ms = old->started_ms;
	}
	edge_apps_free(&e->apps);
	e->apps = e->next;
	e->next = (struct edge_apps){ 0 };
	e->dirty = 1;
}

void
edge_settle(struct edge *e, uint64_t version, struct span spec, struct now now)
{
	edge_offer(e, version, spec, now);
	if (edge_apps_read(&e->next, spec) == 0) {
		set_modes(e, &e->next);
		install(e, now);
	}
	e->applied = version;
	say(e, "False", "Updated",
	    xasprintf("Updated to desired "
		      "renderedVersion: %" PRIu64,
		version),
	    now);
	push(e, now);
}

static const struct edge_app *
app_in_mode(const struct edge_apps *apps, enum edge_mode mode)
{
	size_t i;

	for (i = 0; i < apps->n; i++)
		if (apps->v[i].mode == mode)
			return &apps->v[i];
	return NULL;
}

static const struct edge_app *
app_with_defect(const struct edge_apps *apps)
{
	size_t i;

	for (i = 0; i < apps->n; i++)
		if (apps->v[i].defect != NULL)
			return &apps->v[i];
	return NULL;
}

static char *
failure(struct now now, const char *fmt, const char *element)
{
	char stamp[40], *text, *s;
	struct tm tm;
	time_t t = now.wall_ms / 1000;

	gmtime_r(&t, &tm);
	strftime(stamp, sizeof(stamp), "[%Y-%m-%d %H:%M:%S]", &tm);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	text = xasprintf(fmt, element);
#pragma GCC diagnostic pop
	s = xasprintf("%s %.220s", stamp, text);
	free(text);
	return s;
}

static int
begin(struct edge *e, struct now now)
{
	version_free(&e->trying);
	e->trying.number = e->wanted.number;
	e->trying.spec = xstrdup(e->wanted.spec);
	memcpy(e->trying.digest, e->wanted.digest, sizeof(e->trying.digest));
	edge_apps_free(&e->next);
	edge_apps_read(&e->next, span_of(e->trying.spec));
	set_modes(e, &e->next);
	e->phase = PREPARING;
	e->due = now.boot_ms + e->conf.apply_ms / 2;
	say(e, "True", "Preparing",
	    xasprintf("Device is preparing an update "
		      "to renderedVersion: %" PRIu64,
		e->trying.number),
	    now);
	return push(e, now);
}

static int
undo(struct edge *e, char *error, struct now now)
{
	free(e->error);
	e->error = error;
	e->phase = UNDOING;
	e->due = now.boot_ms;
	say(e, "True", "RollingBack",
	    xasprintf("Device is rolling back to "
		      "the previous renderedVersion: %" PRIu64,
		e->applied),
	    now);
	return push(e, now);
}

static int
undone(struct edge *e, struct now now)
{
	e->failed =
	    xreallocarray(e->failed, e->nfailed + 1, sizeof(*e->failed));
	e->failed[e->nfailed].number = e->trying.number;
	memcpy(e->failed[e->nfailed++].digest, e->trying.digest,
	    sizeof(e->trying.digest));
	version_free(&e->trying);
	edge_apps_free(&e->next);
	e->phase = IDLE;
	say(e, "False", "Error", e->error, now);
	e->error = NULL;
	return push(e, now);
}

static int
prepared(struct edge *e, struct now now)
{
	const struct edge_app *app;

	if ((app = app_in_mode(&e->next, EDGE_ROLLBACK)) != NULL)
		return undo(e,
		    failure(now,
			"While Preparing: prefetch failed "
			"for %s: resource not found",
			app->image),
		    now);
	if ((app = app_in_mode(&e->next, EDGE_PULL_HANG)) != NULL) {
		e->phase = HANGING;
		say(e, "True", "Preparing",
		    xasprintf("%zu/%zu images "
			      "complete, pending: %s",
			e->next.n - 1, e->next.n, app->image),
		    now);
		return push(e, now);
	}
	e->phase = READY;
	e->due = now.boot_ms;
	say(e, "True", "ReadyToUpdate",
	    xasprintf("Device is ready to apply "
		      "update to renderedVersion: %" PRIu64,
		e->trying.number),
	    now);
	return push(e, now);
}

static int
apply(struct edge *e, struct now now)
{
	e->phase = APPLYING;
	e->due = now.boot_ms + e->conf.apply_ms - e->conf.apply_ms / 2;
	say(e, "True", "ApplyingUpdate",
	    xasprintf("Device is applying "
		      "renderedVersion: %" PRIu64,
		e->trying.number),
	    now);
	return push(e, now);
}

static int
applied(struct edge *e, struct now now)
{
	if (app_with_defect(&e->next) != NULL)
		return undo(e,
		    failure(now,
			"While %s: unknown failed: "
			"an error occurred",
			"Rebooting"),
		    now);
	install(e, now);
	e->phase = UPDATED;
	e->due = now.boot_ms;
	say(e, "False", "Updated",
	    xasprintf("Updated to desired "
		      "renderedVersion: %" PRIu64,
		e->trying.number),
	    now);
	return push(e, now);
}

static int
numbered(struct edge *e, struct now now)
{
	e->applied = e->trying.number;
	version_free(&e->trying);
	e->phase = IDLE;
	return push(e, now);
}

/* --- time
 * ---------------------------------------------------------------------- */

static int
step_version(struct edge *e, struct now now)
{
	if ((e->phase == IDLE || e->phase == HANGING) && wants(e))
		return begin(e, now);
	if (e->phase == IDLE || now.boot_ms < e->due)
		return 0;
	switch (e->phase) {
	case PREPARING:
		return prepared(e, now);
	case HANGING: /* looks again when a rule changed */
		if (app_in_mode(&e->next, EDGE_PULL_HANG) != NULL)
			return 0;
		return prepared(e, now);
	case READY:
		return apply(e, now);
	case APPLYING:
		return applied(e, now);
	case UPDATED:
		return numbered(e, now);
	case UNDOING:
		return undone(e, now);
	case IDLE:
		break;
	}
	return 0;
}

static int
step_agent(struct edge *e, struct now now)
{
	if (e->agent == AGENT_UP || now.boot_ms < e->agent_due)
		return 0;
	if (e->agent == AGENT_EMPTY) {
		e->agent = AGENT_UNKNOWN;
		e->agent_due = now.boot_ms + e->conf.restart_ms / 2;
	} else {
		e->agent = AGENT_UP;
	}
	return push(e, now);
}

int
edge_step(struct edge *e, struct now now)
{
	if (step_agent(e, now))
		return 1;
	if (e->agent == AGENT_UP && step_version(e, now))
		return 1;
	if (now.boot_ms >= e->change)
		e->dirty = 1;
	if (!e->dirty || now.boot_ms < e->grid)
		return 0;
	if (e->conf.status_ms > 0)
		e->grid = now.boot_ms + e->conf.status_ms -
		    (now.boot_ms - e->grid) % e->conf.status_ms;
	e->dirty = 0;
	return look(e, now.boot_ms);
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t
edge_wake(const struct edge *e)
{
	int64_t t = INT64_MAX;

	if (e->agent != AGENT_UP)
		t = e->agent_due;
	else if ((e->phase == IDLE || e->phase == HANGING) && wants(e))
		t = 0;
	else if (e->phase != IDLE &&
	    (e->phase != HANGING ||
		app_in_mode(&e->next, EDGE_PULL_HANG) == NULL))
		t = e->due;
	if (e->dirty)
		t = earlier(t, e->grid);
	else if (e->change != INT64_MAX)
		t = earlier(t, e->change > e->grid ? e->change : e->grid);
	return t;
}

void
edge_report(struct edge *e, struct edge_report *r)
{
	*r = (struct edge_report){ .applications = e->reported,
		.summary_status = e->summary,
		.summary_info = e->info,
		.napplications = e->napps,
		.system_info = e->sysinfo,
		.version = e->applied,
		.updating = &e->updating };
}

uint64_t
edge_known(const struct edge *e)
{
	return e->wanted.number;
}

int
edge_is_settled(const struct edge *e)
{
	return e->phase == IDLE && !wants(e) && e->agent == AGENT_UP &&
	    !e->dirty;
}

/* --- from outside
 * ---------------------------------------------------------------- */

void
edge_apply_ms(struct edge *e, int64_t ms)
{
	e->conf.apply_ms = ms;
}

void
edge_fail(struct edge *e, const char *app_glob, enum edge_mode mode,
    struct now now)
{
	enum edge_mode old;
	size_t i;

	e->rules = xreallocarray(e->rules, e->nrules + 1, sizeof(*e->rules));
	e->rules[e->nrules].glob = xstrdup(app_glob);
	e->rules[e->nrules++].mode = mode;
	set_modes(e, &e->next);
	for (i = 0; i < e->apps.n; i++) {
		old = e->apps.v[i].mode;
		e->apps.v[i].mode = mode_of(e, e->apps.v[i].name);
		if (old == e->apps.v[i].mode)
			continue;
		if (e->apps.v[i].mode == EDGE_CRASHLOOP)
			e->apps.v[i].started_ms = now.boot_ms;
		e->dirty = 1;
	}
	if (mode == EDGE_OK) { /* the operator put the image there */
		free(e->failed);
		e->failed = NULL;
		e->nfailed = 0;
	}
}

void
edge_agent_restart(struct edge *e, struct now now)
{
	version_free(&e->trying);
	edge_apps_free(&e->next);
	free(e->failed);
	e->failed = NULL;
	e->nfailed = 0;
	e->phase = IDLE;
	e->agent = AGENT_EMPTY;
	e->agent_due = now.boot_ms + e->conf.restart_ms / 2;
	if (e->updating.status != NULL)
		say(e, e->updating.status, e->updating.reason, xstrdup(""),
		    now);
	e->dirty = 1;
	e->grid = now.boot_ms;
}

void
edge_count(struct edge *e, struct now now, void (*count)(const char *, void *),
    void *arg)
{
	size_t i;

	for (i = 0; i < e->apps.n; i++)
		count(app_state(e, &e->apps.v[i], now.boot_ms).status, arg);
}
