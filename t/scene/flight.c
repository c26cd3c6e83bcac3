/* SPDX-License-Identifier: ISC */
/*
 * flight.c: a small Flightctl and the flightside before it.
 *
 * Owns the devices and how one CHANGE is carried out on them.  Never judges
 * one (rules.c does).
 */
#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/mark.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "t/scene/clock.h"
#include "t/scene/scene.h"

/* -- devices
 * --------------------------------------------------------------------- */

struct edge *
flight_find(struct scene *sc, const char *name)
{
	struct edge *d;

	TAILQ_FOREACH(d, &sc->edges, link)
		if (strcmp(d->name, name) == 0)
			return d;
	return NULL;
}

struct edge *
flight_edge(struct scene *sc, const char *name)
{
	struct edge *d = flight_find(sc, name);

	if (d == NULL)
		scene_fail(sc, "no device %s", name);
	return d;
}

/* A new one, or the next incarnation of one that is gone. */
struct edge *
flight_add(struct scene *sc, const char *name)
{
	struct edge *d;

	if ((d = flight_find(sc, name)) != NULL) {
		edge_clear(d);
		edge_init(d);
		return d;
	}
	d = xcalloc(1, sizeof(*d));
	d->name = xstrdup(name);
	edge_init(d);
	TAILQ_INSERT_TAIL(&sc->edges, d, link);
	return d;
}

void
flight_clear(struct scene *sc)
{
	struct edge *d;
	size_t i;

	while ((d = TAILQ_FIRST(&sc->edges)) != NULL) {
		char *texts[] = { d->name, d->labels, d->owner, d->summary,
			d->lifecycle, d->spec, d->old_spec, d->old_hash,
			d->rendered_hash, d->target_hash, d->updating,
			d->reason, d->message };

		TAILQ_REMOVE(&sc->edges, d, link);
		edge_clear(d);
		for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
			free(texts[i]);
		free(d);
	}
	edge_empty(&sc->ran);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Labels of pods, sorted, with blanks between; names that are no pod's stay. */
static char *
labels(struct scene *sc, const char **apps, size_t n)
{
	const char **names = xcalloc(n + 1, sizeof(*names));
	const struct kpod *p;
	char *text = xstrdup(""), *more;
	size_t i;

	for (i = 0; i < n; i++) {
		p = kube_by_app(sc, apps[i]);
		names[i] = p != NULL ? p->label : apps[i];
	}
	qsort(names, n, sizeof(*names), by_text);
	for (i = 0; i < n; i++) {
		more = xasprintf("%s%s%s", text, i > 0 ? " " : "", names[i]);
		free(text);
		text = more;
	}
	free(names);
	return text;
}

char *
edge_labels(struct scene *sc, const struct edge *d)
{
	const char *apps[256];
	const struct element *e;
	size_t n = 0;

	TAILQ_FOREACH(e, &d->apps, link)
		if (n < 256)
			apps[n++] = e->name;
	return labels(sc, apps, n);
}

/* -- what flightside tells
 * ------------------------------------------------------------ */

static void
send_edge(struct scene *sc, struct edge *d, enum msg_type asked, uint64_t id)
{
	AUTO_FREE char *text = edge_text(d);
	struct body_device m = { .read_boot = (uint64_t)clock_boot_ms(),
		.object = span_of(text) };

	d->told_frozen = edge_is_frozen(d);
	d->was_frozen |= d->told_frozen;
	side_answer(sc, &sc->flight, asked, MSG_DEVICE, id, &m);
}

void
flight_push(struct scene *sc, struct edge *d)
{
	if (sc->flight.listed && sc->flight.reachable)
		send_edge(sc, d, MSG_NONE, 0);
}

void
flight_round(struct scene *sc)
{
	struct body_devices m = { .complete = 1 };
	struct edge *d;

	if (!sc->flight.listed || !sc->flight.reachable)
		return;
	m.round = ++sc->round;
	m.read_boot = (uint64_t)clock_boot_ms();
	side_send(sc, &sc->flight, MSG_DEVICES_BEGIN, 0, &m);
	TAILQ_FOREACH(d, &sc->edges, link)
		if (d->exists && d->listed)
			send_edge(sc, d, MSG_NONE, 0);
	side_send(sc, &sc->flight, MSG_DEVICES_END, 0, &m);
}

static void
send_state(struct scene *sc)
{
	struct body_flight_state m = {
		.state = sc->flight.reachable ? FLIGHT_ANSWERS : FLIGHT_SILENT
	};

	if (!sc->flight.reachable)
		(void)strlcpy(m.text, "as the scene says", sizeof(m.text));
	side_send(sc, &sc->flight, MSG_FLIGHT_STATE, 0, &m);
}

void
flight_greet(struct scene *sc)
{
	if (sc->flight.listed)
		send_state(sc);
	flight_round(sc);
}

/* -- what is asked of it
 * ----------------------------------------------------------------- */

static void
done(struct scene *sc, const struct frame *f, enum why_kind kind)
{
	struct body_done m = { .kind = kind };

	side_answer(sc, &sc->flight, f->type, MSG_DONE, f->id, &m);
}

static void
read_one(struct scene *sc, const struct frame *f, const char *name)
{
	struct body_device_bad bad = { .kind = ERR_GONE };
	struct edge *d = flight_find(sc, name);

	out_add(sc, OUT_READ, name, "%s", "");
	if (d != NULL && d->exists) {
		send_edge(sc, d, MSG_READ, f->id);
		return;
	}
	(void)strlcpy(bad.name, name, sizeof(bad.name));
	bad.read_boot = (uint64_t)clock_boot_ms();
	side_answer(sc, &sc->flight, MSG_READ, MSG_DEVICE_BAD, f->id, &bad);
}

static void
on_read(struct scene *sc, const struct frame *f, enum answer how,
    enum why_kind kind)
{
	char name[MAX_NAME + 1];
	struct body_read m;
	size_t i, n = 0;

	if (body_read_get(f->body, &m) == -1)
		abort();
	if (how != ANSWER_MODEL || !sc->flight.reachable) {
		done(sc, f, kind == ERR_NONE ? ERR_AGAIN : kind);
		return;
	}
	if (m.names.len == 0)
		flight_round(sc);
	for (i = 0; i < m.names.len; i++) {
		if (m.names.p[i] != '\n') {
			name[n++] = m.names.p[i];
			continue;
		}
		name[n] = '\0';
		n = 0;
		read_one(sc, f, name);
	}
	done(sc, f, ERR_NONE);
}

static void
changed(struct scene *sc, const struct frame *f, const struct edge *d,
    enum why_kind kind, int written)
{
	struct body_changed m = { .kind = kind, .written = (uint32_t)written };

	(void)strlcpy(m.device, d->name, sizeof(m.device));
	if (kind != ERR_NONE) {
		(void)strlcpy(m.text, "as the scene says", sizeof(m.text));
	} else {
		m.generation = d->generation;
		(void)snprintf(m.created, sizeof(m.created),
		    "2026-01-01T00:00:%02d.785006Z", d->incarnation);
		mark_digest(span_of(d->spec), m.spec_sha256);
	}
	side_answer(sc, &sc->flight, MSG_CHANGE, MSG_CHANGED, f->id, &m);
}

/* What one member of the edit says, gathered for the line of the output. */
struct heard {
	const char *set[256], *cut[256];
	char names[256][MAX_NAME + 1];
	size_t nset, ncut, n;
	int written;
};

static void
apply_member(struct scene *sc, struct span edit, const char *member,
    struct element_list *l, struct heard *h)
{
	struct span list, e;
	const struct element *had;
	char *name, *raw;
	size_t at = 0;

	if (scan_get(edit, &list, member, "set", NULL) == 1)
		while (scan_next(list, &at, &e) == 1 && h->n < 256) {
			name = h->names[h->n++];
			if (scan_get_string(e, name, MAX_NAME + 1, "name",
				NULL) != 1) {
				scene_fail(sc, "an element without a name");
				return;
			}
			raw = xstrndup(e.p, e.len);
			had = edge_find(l, name);
			h->written |= had == NULL || strcmp(had->raw, raw) != 0;
			edge_set(l, name, raw);
			free(raw);
			h->set[h->nset++] = name;
		}
	at = 0;
	if (scan_get(edit, &list, member, "cut", NULL) == 1)
		while (scan_next(list, &at, &e) == 1 && h->n < 256) {
			name = h->names[h->n++];
			if (scan_unescape(e, name, MAX_NAME + 1) == -1)
				abort();
			h->written |= edge_cut(l, name);
			h->cut[h->ncut++] = name;
		}
}

/* Whose config entries are set, but not the application. */
static char *
files_of(struct scene *sc, const struct heard *h, struct heard *configs)
{
	const char *apps[256];
	size_t i, k, n = 0;

	for (i = 0; i < configs->nset; i++) {
		configs->names[i][strcspn(configs->names[i], ".")] = '\0';
		for (k = 0; k < h->nset; k++)
			if (strcmp(h->set[k], configs->set[i]) == 0)
				break;
		if (k == h->nset)
			apps[n++] = configs->set[i];
	}
	return labels(sc, apps, n);
}

static void
report_change(struct scene *sc, const struct edge *d, const struct heard *h,
    struct heard *configs)
{
	AUTO_FREE char *files = files_of(sc, h, configs);
	AUTO_FREE char *set =
	    labels(sc, (const char **)(uintptr_t)h->set, h->nset);
	AUTO_FREE char *cut =
	    labels(sc, (const char **)(uintptr_t)h->cut, h->ncut);

	out_add(sc, OUT_CHANGE, d->name, "%s%s%s%s%s%s%s%s",
	    h->nset > 0 ? "set " : "", set,
	    h->nset > 0 && h->ncut > 0 ? " " : "", h->ncut > 0 ? "cut " : "",
	    cut, h->n > 0 && *files != '\0' ? " " : "",
	    *files != '\0' ? "files " : "", files);
}

static void
carry_out(struct scene *sc, const struct frame *f, struct edge *d,
    const struct body_change *m, enum answer how)
{
	struct heard h = { .n = 0 }, configs = { .n = 0 };

	apply_member(sc, m->edit, "applications", &d->apps, &h);
	apply_member(sc, m->edit, "config", &d->configs, &configs);
	report_change(sc, d, &h, &configs);
	if (h.written || configs.written)
		edge_stored(sc, d);
	if (how == ANSWER_LOST) {
		side_break(sc, &sc->flight, 0);
		sc->flight.wanted = 1;
		return;
	}
	changed(sc, f, d, how == ANSWER_UNKNOWN ? ERR_AGAIN : ERR_NONE,
	    h.written || configs.written);
}

static int
is_denied(struct scene *sc, struct span edit)
{
	char name[MAX_NAME + 1];
	struct span list, e;
	const struct kpod *p;
	size_t at = 0;

	if (scan_get(edit, &list, "applications", "set", NULL) != 1)
		return 0;
	while (scan_next(list, &at, &e) == 1)
		if (scan_get_string(e, name, sizeof(name), "name", NULL) == 1 &&
		    (p = kube_by_app(sc, name)) != NULL && p->denied)
			return 1;
	return 0;
}

static void
on_change(struct scene *sc, const struct frame *f, enum answer how,
    enum why_kind kind)
{
	char created[64];
	struct body_change m;
	struct edge *d;

	if (body_change_get(f->body, &m) == -1)
		abort();
	if ((d = flight_edge(sc, m.device)) == NULL)
		return;
	(void)snprintf(created, sizeof(created),
	    "2026-01-01T00:00:%02d.785006Z", d->incarnation);
	if (how == ANSWER_DROPPED) {
		side_break(sc, &sc->flight, 0);
		sc->flight.wanted = 1;
		return;
	}
	if (how == ANSWER_KIND)
		changed(sc, f, d, kind, 0);
	else if (!sc->flight.reachable)
		changed(sc, f, d, ERR_AGAIN, 0);
	else if (!d->exists || strcmp(created, m.created) != 0)
		changed(sc, f, d, ERR_GONE, 0);
	else if (is_denied(sc, m.edit) || d->owner != NULL ||
	    strcmp(d->lifecycle, "Enrolled") != 0)
		changed(sc, f, d, ERR_DENIED, 0);
	else
		carry_out(sc, f, d, &m, how);
}

void
flight_frame(struct scene *sc, const struct frame *f, int is_late)
{
	struct body_change m;
	enum why_kind kind;
	enum answer how;

	if (f->type == MSG_CLUSTER)
		return;
	if (f->type == MSG_CHANGE && !is_late &&
	    body_change_get(f->body, &m) == 0)
		rules_change(sc, &m);
	if ((how = side_rule(sc, &sc->flight, f, &kind)) == ANSWER_HELD)
		return;
	if (f->type == MSG_READ)
		on_read(sc, f, how, kind);
	else
		on_change(sc, f, how, kind);
}
