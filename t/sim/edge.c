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

#include "common/least.h"
#include "common/xmem.h"
#include "t/sim/edge_app.h"
#include "t/sim/edge_look.h"
#include "t/sim/edge_version.h"
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

struct edge {
	char *name;
	struct edge_conf conf;
	enum phase phase;
	int64_t due;		    /* boot_ms of the phase's end */
	struct edge_version wanted; /* newest offer; number 0: none */
	struct edge_version trying; /* under way */
	struct edge_apps next;	    /* of trying */
	char *error;		    /* text of a failure under way */
	uint64_t applied;
	struct edge_apps apps;
	struct edge_failures failed;
	struct edge_rules rules;
	struct edge_condition updating;
	enum edge_sight sight;
	int64_t sight_due;     /* boot_ms of the next kind of sight */
	struct edge_look look; /* as last reported */
	int64_t begun;	       /* boot_ms that regular reports count from */
	int64_t report_due;    /* boot_ms of the next one, INT64_MAX: nothing */
	char *sysinfo;
};

struct edge *
edge_new(const char *name, const struct edge_conf *conf, struct now now)
{
	struct edge *e = xcalloc(1, sizeof(*e));

	e->name = xstrdup(name);
	e->conf = *conf;
	e->sysinfo = edge_system_info(name, conf);
	e->begun = now.boot_ms;
	e->report_due = INT64_MAX;
	edge_look(&e->look, &e->apps, EDGE_SEES_ALL, 0, now.boot_ms);
	return e;
}

void
edge_free(struct edge *e)
{
	if (e == NULL)
		return;
	edge_rules_clear(&e->rules);
	edge_failures_clear(&e->failed);
	edge_version_clear(&e->wanted);
	edge_version_clear(&e->trying);
	edge_apps_free(&e->next);
	edge_apps_free(&e->apps);
	free(e->error);
	free(e->updating.message);
	edge_look_free(&e->look);
	free(e->sysinfo);
	free(e->name);
	free(e);
}

/* --- what is said -------------------------------------------------------- */

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

static int
look(struct edge *e, int64_t boot_ms)
{
	return edge_look(&e->look, &e->apps, e->sight, e->conf.apply_ms / 2,
	    boot_ms);
}

/* Everything is pushed, so that nothing waits for the regular report. */
static int
push(struct edge *e, struct now now)
{
	look(e, now.boot_ms);
	e->report_due = INT64_MAX;
	return 1;
}

/* Something changed: the next regular report tells it. */
static void
report_later(struct edge *e, int64_t boot_ms)
{
	int64_t every = e->conf.status_ms;

	if (e->report_due != INT64_MAX)
		return;
	e->report_due = every == 0 ?
	    boot_ms :
	    e->begun + (boot_ms - e->begun + every - 1) / every * every;
}

/* --- versions ------------------------------------------------------------ */

static int
wants(const struct edge *e)
{
	return e->wanted.number != 0 && e->wanted.number != e->applied &&
	    e->wanted.number != e->trying.number &&
	    !edge_failures_has(&e->failed, &e->wanted);
}

void
edge_offer(struct edge *e, uint64_t version, struct span spec, struct now now)
{
	(void)now;
	if (version == e->wanted.number)
		return;
	edge_version_set(&e->wanted, version, spec);
}

static uint64_t remade;

uint64_t
edge_remade(void)
{
	return remade;
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
		if (old == NULL)
			continue;
		if (strcmp(old->digest, e->next.v[i].digest) == 0)
			e->next.v[i].started_ms = old->started_ms;
		else
			remade++;
	}
	edge_apps_free(&e->apps);
	e->apps = e->next;
	e->next = (struct edge_apps){ 0 };
}

void
edge_settle(struct edge *e, uint64_t version, struct span spec, struct now now)
{
	edge_offer(e, version, spec, now);
	if (edge_apps_read(&e->next, spec) == 0) {
		edge_rules_apply(&e->rules, &e->next);
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
	edge_version_set(&e->trying, e->wanted.number, span_of(e->wanted.spec));
	edge_apps_free(&e->next);
	edge_apps_read(&e->next, span_of(e->trying.spec));
	edge_rules_apply(&e->rules, &e->next);
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
	edge_failures_add(&e->failed, &e->trying);
	edge_version_clear(&e->trying);
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

	if ((app = edge_apps_in_mode(&e->next, EDGE_ROLLBACK)) != NULL)
		return undo(e,
		    failure(now,
			"While Preparing: prefetch failed "
			"for %s: resource not found",
			app->image),
		    now);
	if ((app = edge_apps_in_mode(&e->next, EDGE_PULL_HANG)) != NULL) {
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
	if (edge_apps_with_defect(&e->next) != NULL)
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
	edge_version_clear(&e->trying);
	e->phase = IDLE;
	return push(e, now);
}

/* --- time ---------------------------------------------------------------- */

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
		if (edge_apps_in_mode(&e->next, EDGE_PULL_HANG) != NULL)
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
step_sight(struct edge *e, struct now now)
{
	if (e->sight == EDGE_SEES_ALL || now.boot_ms < e->sight_due)
		return 0;
	if (e->sight == EDGE_SEES_NOTHING) {
		e->sight = EDGE_SEES_NAMES;
		e->sight_due = now.boot_ms + e->conf.restart_ms / 2;
	} else {
		e->sight = EDGE_SEES_ALL;
	}
	return push(e, now);
}

int
edge_step(struct edge *e, struct now now)
{
	if (step_sight(e, now))
		return 1;
	if (e->sight == EDGE_SEES_ALL && step_version(e, now))
		return 1;
	if (now.boot_ms >= e->look.change)
		report_later(e, e->look.change);
	if (now.boot_ms < e->report_due)
		return 0;
	e->report_due = INT64_MAX;
	return look(e, now.boot_ms);
}

int64_t
edge_wake(const struct edge *e)
{
	int64_t t = least(e->report_due, e->look.change);

	if (e->sight != EDGE_SEES_ALL)
		return least(t, e->sight_due);
	if ((e->phase == IDLE || e->phase == HANGING) && wants(e))
		return 0;
	if (e->phase == IDLE ||
	    (e->phase == HANGING &&
		edge_apps_in_mode(&e->next, EDGE_PULL_HANG) != NULL))
		return t;
	return least(t, e->due);
}

void
edge_report(struct edge *e, struct edge_report *r)
{
	*r = (struct edge_report){ .applications = e->look.applications,
		.summary_status = e->look.summary,
		.summary_info = e->look.info,
		.napplications = e->look.n,
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
	return e->phase == IDLE && !wants(e) && e->sight == EDGE_SEES_ALL &&
	    e->report_due == INT64_MAX;
}

/* --- from outside -------------------------------------------------------- */

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

	edge_rules_add(&e->rules, app_glob, mode);
	edge_rules_apply(&e->rules, &e->next);
	for (i = 0; i < e->apps.n; i++) {
		old = e->apps.v[i].mode;
		e->apps.v[i].mode = edge_rules_mode(&e->rules, &e->apps.v[i]);
		if (old == e->apps.v[i].mode)
			continue;
		if (e->apps.v[i].mode == EDGE_CRASHLOOP)
			e->apps.v[i].started_ms = now.boot_ms;
		report_later(e, now.boot_ms);
	}
	if (mode == EDGE_OK) { /* the operator put the image there */
		edge_failures_clear(&e->failed);
	}
}

void
edge_agent_restart(struct edge *e, struct now now)
{
	edge_version_clear(&e->trying);
	edge_apps_free(&e->next);
	edge_failures_clear(&e->failed);
	e->phase = IDLE;
	e->sight = EDGE_SEES_NOTHING;
	e->sight_due = now.boot_ms + e->conf.restart_ms / 2;
	if (e->updating.status != NULL)
		say(e, e->updating.status, e->updating.reason, xstrdup(""),
		    now);
	e->report_due = now.boot_ms;
}

void
edge_count(struct edge *e, struct now now, void (*count)(const char *, void *),
    void *arg)
{
	size_t i;

	for (i = 0; i < e->apps.n; i++)
		count(edge_app_state(&e->apps.v[i], e->conf.apply_ms / 2,
			  now.boot_ms)
			  .status,
		    arg);
}
