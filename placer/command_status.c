/* SPDX-License-Identifier: ISC */
/*
 * command_status.c: how everything is, on one screen.
 *
 * Owns what is said of each part and what counts as trouble.  Each row has its
 * numbers in "figures", for programs.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/layer.h"
#include "common/limits.h"
#include "common/stamp.h"
#include "common/xmem.h"
#include "ipc/build.h"
#include "placer/command_own.h"
#include "placer/former.h"
#include "placer/pick.h"
#include "placer/told.h"

enum {
	WAITS_MAX = 3,
	TROUBLES_MAX = 6,
	SPAN_SIZE = 32,
	NO_AGE = -1,
};

/* Rows but the first, which says what all others come to. */
struct screen {
	struct asked *a;
	const struct world *w;
	struct now now;
	FILE *bad; /* what is not well, in words */
	char *bad_text;
	unsigned int nbad;
	unsigned int ntroubles;
	struct json_object **rows;
	size_t n;
};

struct line {
	const char *about, *name, *state;
	int64_t age_ms; /* of that state, or NO_AGE */
};

/* "3 h", "12 min", "40 s" */
static const char *
span_words(int64_t ms, char text[SPAN_SIZE])
{
	static const struct {
		int64_t ms;
		const char *unit;
	} units[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "min" } };
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (ms >= 2 * units[i].ms) {
			(void)snprintf(text, SPAN_SIZE, "%lld %s",
			    (long long)(ms / units[i].ms), units[i].unit);
			return text;
		}
	(void)snprintf(text, SPAN_SIZE, "%lld s", (long long)(ms / 1000));
	return text;
}

/* figures: taken and nulled. */
static void __attribute__((format(printf, 4, 5))) say(struct screen *s,
    const struct line *l, struct json_object **figures, const char *fmt, ...)
{
	struct json_object *row = jmake_object();
	AUTO_FREE char *text = NULL;
	char span[SPAN_SIZE];
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	jmake_str(row, "about", l->about);
	jmake_str(row, "name", l->name);
	jmake_str(row, "state", l->state);
	jmake_str(row, "age",
	    l->age_ms != NO_AGE ? span_words(l->age_ms, span) : "");
	jmake_str(row, "text", text);
	if (l->age_ms != NO_AGE)
		jmake_int(*figures, "seconds", l->age_ms / 1000);
	jmake_put(row, "figures", figures);
	s->rows = xreallocarray(s->rows, s->n + 1, sizeof(*s->rows));
	s->rows[s->n++] = row;
}

static void __attribute__((format(printf, 2, 3)))
is_bad(struct screen *s, const char *fmt, ...)
{
	va_list ap;

	if (s->nbad++ > 0)
		fputs("; ", s->bad);
	va_start(ap, fmt);
	(void)vfprintf(s->bad, fmt, ap);
	va_end(ap);
}

/* NO_AGE: it is not known. */
static int64_t
age(const struct screen *s, int64_t since_boot)
{
	return since_boot == 0 ? NO_AGE : s->now.boot_ms - since_boot;
}

static void
say_reach(struct screen *s, const char *about, const struct reach *r,
    const char *text)
{
	struct json_object *figures = jmake_object();

	if (!r->answers)
		is_bad(s, "%s does not answer", about);
	jmake_bool(figures, "answers", r->answers);
	say(s,
	    &(struct line){ about, "", r->answers ? "answers" : "silent",
		age(s, r->since_boot) },
	    &figures, "%s", text);
}

static void
say_budget(struct screen *s)
{
	const struct pace *p = &s->w->pace;
	const struct body_budget *b = &s->w->budget;
	uint64_t waiting = 0;
	size_t i;
	struct json_object *figures = jmake_object();
	AUTO_FREE char *state = xasprintf("%lld/min", (long long)p->rate);

	for (i = 0; i < BUDGET_KINDS; i++)
		waiting += b->waiting[i];
	jmake_int(figures, "rate", p->rate);
	jmake_int(figures, "configured", p->set);
	if (b->burst > 0) {
		jmake_int(figures, "left", (int64_t)b->left);
		jmake_int(figures, "at-once", (int64_t)b->burst);
		jmake_int(figures, "limited", (int64_t)b->limited);
		jmake_int(figures, "waiting", (int64_t)waiting);
	}
	if (p->rate < p->set)
		is_bad(s, "Flightctl wants fewer requests");
	if (b->burst == 0)
		say(s, &(struct line){ "budget", "", state, NO_AGE }, &figures,
		    "FLIGHTCTL_RATE is %lld", (long long)p->set);
	else
		say(s, &(struct line){ "budget", "", state, NO_AGE }, &figures,
		    "left %llu of %llu, waiting %llu, refused %llu",
		    (unsigned long long)b->left, (unsigned long long)b->burst,
		    (unsigned long long)waiting,
		    (unsigned long long)b->limited);
}

/* -- workers -- */

/* One that another supervisor has is known by its link. */
static const char *
worker_state(const struct screen *s, enum proc who)
{
	const struct body_crew *m = &s->w->crew[who];
	int up = who == PROC_PLACER ||
	    (who == PROC_KUBESIDE ? s->w->kube_up : s->w->flight_up);

	if (m->state != CREW_UNKNOWN)
		return crew_state_name((enum crew_state)m->state);
	return up ? "linked" : "not linked";
}

/* "; its kernel has no landlock_scope, ..."; without Landlock no part of it. */
static char *
missing_words(uint64_t missing)
{
	static const struct {
		const char *name;
		int abi;
	} layers[] = {
#define X(id, label, abi, holds) { label, abi },
		SANDBOX_LAYERS(X)
#undef X
	};
	char *text = xstrdup("");
	size_t i;

	for (i = 0; i < NLAYERS_OF_SANDBOX; i++) {
		AUTO_FREE char *before = NULL;

		if ((missing >> i & 1) == 0 ||
		    ((missing >> LAYER_LANDLOCK & 1) != 0 && layers[i].abi > 1))
			continue;
		before = text;
		text = xasprintf("%s%s%s", before,
		    *before == '\0' ? "; its kernel has no " : ", ",
		    layers[i].name);
	}
	return text;
}

static void
say_worker(struct screen *s, enum proc who)
{
	const struct body_crew *m = &s->w->crew[who];
	struct line l = { "worker", proc_name(who), worker_state(s, who),
		age(s, (int64_t)m->since_boot) };
	AUTO_FREE char *less = missing_words(s->w->vitals[who].missing);
	struct json_object *figures = jmake_object();
	char span[SPAN_SIZE];

	if (strcmp(l.state, "ready") != 0 && strcmp(l.state, "linked") != 0)
		is_bad(s, "%s is %s", l.name, l.state);
	jmake_int(figures, "restarts", m->restarts);
	jmake_int(figures, "refused", m->refused);
	jmake_str(figures, "end", m->end);
	jmake_int(figures, "missing", (int64_t)s->w->vitals[who].missing);
	if (m->state == CREW_UNKNOWN)
		say(s, &l, &figures, "another supervisor has it%s", less);
	else if (m->ended_boot == 0)
		say(s, &l, &figures, "never restarted%s", less);
	else
		say(s, &l, &figures, "restarts: %u, the last %s ago: %s%s",
		    m->restarts,
		    span_words(s->now.boot_ms - (int64_t)m->ended_boot, span),
		    m->end, less);
}

/* -- nodes and pods -- */

struct counts {
	size_t connected, placeable, pods, waiting;
};

static struct counts
count(const struct wnode *n)
{
	struct counts c = { 0, 0, 0, 0 };
	const struct wdevice *d;
	const struct wpod *p;

	TAILQ_FOREACH(d, &n->devices, on_node) {
		c.connected += d->dev != NULL && pick_connected(d) == PICK_FITS;
		c.placeable += pick_usable(d) == PICK_FITS;
		c.pods += d->npods;
	}
	TAILQ_FOREACH(p, &n->waiting, waits)
		c.waiting++;
	return c;
}

static const char *
node_state(const struct screen *s, const struct wnode *n)
{
	if (s->now.boot_ms >= n->until_boot)
		return "stands by"; /* another replica decides */
	if (n->retired.on)
		return "retired";
	return n->brake ? "braked" : "serves";
}

static void
say_node(struct screen *s, const struct wnode *n)
{
	struct counts c = count(n);
	struct json_object *figures = jmake_object();
	const char *listed = n->pods_listed ? "" : "; its pods are not listed";

	/* What another replica decides, that one may have released. */
	if (n->brake && s->now.boot_ms < n->until_boot)
		is_bad(s, "the brake of node %s is on", n->name);
	if (!n->pods_listed)
		is_bad(s, "the pods of node %s are not listed", n->name);
	jmake_int(figures, "devices", (int64_t)n->ndevices);
	jmake_int(figures, "connected", (int64_t)c.connected);
	jmake_int(figures, "placeable", (int64_t)c.placeable);
	jmake_int(figures, "pods", (int64_t)c.pods);
	jmake_int(figures, "waiting", (int64_t)c.waiting);
	jmake_bool(figures, "writer", s->now.boot_ms < n->until_boot);
	jmake_bool(figures, "brake", n->brake);
	jmake_bool(figures, "retired", n->retired.on);
	jmake_bool(figures, "listed", n->pods_listed);
	say(s, &(struct line){ "node", n->name, node_state(s, n), NO_AGE },
	    &figures,
	    "devices %zu, connected %zu, placeable %zu; pods %zu, "
	    "waiting %zu%s",
	    n->ndevices, c.connected, c.placeable, c.pods, c.waiting, listed);
}

static void
say_pods(struct screen *s)
{
	struct json_object *figures = jmake_object();
	size_t counts[LIFE_NSTATES] = { 0 }, i, len = 0;
	struct wpod_tree pods = s->w->pods;
	AUTO_FREE char *n = xasprintf("%zu", s->w->npods);
	char text[MAX_TEXT] = "none";
	struct wpod *p;

	RB_FOREACH(p, wpod_tree, &pods)
		counts[p->state]++;
	for (i = 0; i < LIFE_NSTATES; i++) {
		const char *state = life_state_name((enum life_state)i);

		jmake_int(figures, state, (int64_t)counts[i]);
		if (counts[i] > 0 && len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len,
			    "%s%s %zu", len > 0 ? ", " : "", state, counts[i]);
	}
	say(s, &(struct line){ "pods", "", n, NO_AGE }, &figures, "%s", text);
}

static void
say_waiting(struct screen *s, const struct wpod *p)
{
	AUTO_FREE char *who = xasprintf("%s/%s", p->ns, p->name);
	int64_t ms =
	    p->pod != NULL ? s->now.wall_ms - (int64_t)p->pod->order_ms : 0;
	struct json_object *figures = jmake_object();

	jmake_str(figures, "reason", p->why_reason);
	say(s,
	    &(struct line){ "waits", who, life_state_name(p->state),
		ms > 0 ? ms : 0 },
	    &figures, "%s",
	    p->why_waits != NULL ? p->why_waits : "its turn comes");
}

/* The oldest of each node's; of all nodes the oldest, WAITS_MAX. */
static void
say_waits(struct screen *s)
{
	const struct wpod *at[MAX_NODES], *oldest;
	size_t i, k, best;

	for (i = 0; i < s->w->nnodes; i++)
		at[i] = TAILQ_FIRST(&s->w->nodes[i].waiting);
	for (k = 0; k < WAITS_MAX; k++) {
		for (oldest = NULL, best = i = 0; i < s->w->nnodes; i++)
			if (at[i] != NULL && at[i]->pod != NULL &&
			    (oldest == NULL ||
				at[i]->pod->order_ms < oldest->pod->order_ms)) {
				oldest = at[i];
				best = i;
			}
		if (oldest == NULL)
			return;
		say_waiting(s, oldest);
		at[best] = TAILQ_NEXT(oldest, waits);
	}
}

enum {
	FORMER_SHOWN = 3,
};

static void
say_more_former(struct screen *s, size_t n)
{
	struct json_object *figures = jmake_object();

	jmake_int(figures, "nodes", (int64_t)n);
	say(s, &(struct line){ "former", "", "more", NO_AGE }, &figures,
	    "%zu nodes more", n);
}

static void
say_former(struct screen *s)
{
	struct former_sum sum;
	size_t i, shown = 0;

	for (i = 0; i < s->w->nformer; i++) {
		const struct wnode *n = s->w->former[i];
		struct json_object *figures;

		sum = former_count(s->w, n);
		if (!former_is_left(n, &sum) && !n->purge.on)
			continue;
		if (shown++ >= FORMER_SHOWN)
			continue;
		is_bad(s, "something is left of node %s", n->name);
		figures = jmake_object();
		jmake_int(figures, "applications", (int64_t)sum.apps);
		jmake_int(figures, "devices", (int64_t)sum.devices);
		say(s,
		    &(struct line){ "former", n->name,
			n->purge.on ? "purged" : "left", NO_AGE },
		    &figures, "%zu applications on %zu devices", sum.apps,
		    sum.devices);
	}
	if (shown > FORMER_SHOWN)
		say_more_former(s, shown - FORMER_SHOWN);
}

/* -- what went wrong lately -- */

static void
say_trouble(void *arg, const struct told_line *l, uint64_t times)
{
	struct screen *s = arg;
	struct json_object *figures;
	char again[64] = "";

	if (s->ntroubles++ >= TROUBLES_MAX)
		return;
	if (times > 1)
		(void)snprintf(again, sizeof(again),
		    "%llu times: ", (unsigned long long)times);
	figures = jmake_object();
	jmake_int(figures, "times", (int64_t)times);
	jmake_str(figures, "device", l->device);
	say(s,
	    &(struct line){ "error", l->about,
		*l->reason != '\0' ? l->reason : told_kind_name(l->kind),
		s->now.wall_ms > l->at_ms ? s->now.wall_ms - l->at_ms : 0 },
	    &figures, "%s%s", again, l->text);
}

/* The first row is the last that is known. */
static void
say_head(struct screen *s)
{
	struct json_object *figures = jmake_object();
	int well = s->nbad == 0;

	xmemstream_end(s->bad, &s->bad_text);
	jmake_bool(figures, "well", well);
	jmake_str(figures, "version", build_version);
	say(s,
	    &(struct line){ "provider", build_version,
		well ? "well" : "trouble", age(s, s->w->start_boot) },
	    &figures, "%s", well ? "all of it" : s->bad_text);
	free(s->bad_text);
}

void
command_status(struct asked *a)
{
	const struct world *w = a->from->world;
	struct screen s = { .a = a, .w = w, .now = a->from->now };
	enum proc who;
	size_t i, bad_size;

	s.bad = xmemstream(&s.bad_text, &bad_size);
	say_reach(&s, "apiserver", &w->kube_reach, w->kube_text);
	say_reach(&s, "flightctl", &w->flight_reach, w->flight_text);
	say_budget(&s);
	for (who = PROC_SUPERVISOR + 1; who < PROC_COUNT; who++)
		say_worker(&s, who);
	if (!w->devices_listed)
		is_bad(&s, "devices are not listed");
	if (!world_is_durable(w))
		is_bad(&s, "the database cannot be written");
	for (i = 0; i < w->nnodes; i++)
		say_node(&s, &w->nodes[i]);
	say_former(&s);
	say_pods(&s);
	say_waits(&s);
	told_troubles(w->told, say_trouble, &s);
	say_head(&s);
	command_put(a, s.rows[s.n - 1]);
	for (i = 0; i + 1 < s.n; i++)
		command_put(a, s.rows[i]);
	free(s.rows);
}
