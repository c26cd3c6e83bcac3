/* SPDX-License-Identifier: ISC */
/*
 * expect.c: what a scene expects to have seen, or to stand now.
 *
 * Owns the outputs and which of them were expected.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h"
#include "common/xmem.h"
#include "placer/former.h"
#include "placer/seen.h"
#include "t/scene/clock.h"
#include "t/scene/scene.h"

static const char *const names[OUT_COUNT] = { "change", "status", "delete",
	"evict", "event", "normal", "read", "fetch", "figures" };

const char *
out_name(enum out_kind kind)
{
	return names[kind];
}

void
out_clear(struct scene *sc)
{
	while (sc->nouts > 0) {
		sc->nouts--;
		free(sc->outs[sc->nouts].about);
		free(sc->outs[sc->nouts].text);
	}
	free(sc->outs);
	sc->outs = NULL;
	sc->outs_cap = 0;
}

void
out_add(struct scene *sc, enum out_kind kind, const char *about,
    const char *fmt, ...)
{
	struct output *o;
	va_list ap;

	if (sc->nouts == sc->outs_cap) {
		sc->outs_cap = sc->outs_cap * 2 + 64;
		sc->outs =
		    xreallocarray(sc->outs, sc->outs_cap, sizeof(*sc->outs));
	}
	o = &sc->outs[sc->nouts++];
	*o = (struct output){ .at_ms = clock_boot_ms(), .kind = kind };
	o->about = xstrdup(about);
	va_start(ap, fmt);
	o->text = xvasprintf(fmt, ap);
	va_end(ap);
}

/* The words from i on, joined by blanks. */
static char *
rest_of(const struct words *s, size_t i)
{
	char *text = xstrdup(""), *more;

	for (; i < s->n; i++) {
		more = xasprintf("%s%s%s", text, *text != '\0' ? " " : "",
		    s->w[i]);
		free(text);
		text = more;
	}
	return text;
}

static struct output *
first_of(struct scene *sc, enum out_kind kind, const char *about,
    const char *begins)
{
	struct output *o;
	size_t i;

	for (i = 0; i < sc->nouts; i++) {
		o = &sc->outs[i];
		if (!o->taken && o->kind == kind &&
		    (*about == '\0' || strcmp(o->about, about) == 0) &&
		    strncmp(o->text, begins, strlen(begins)) == 0)
			return o;
	}
	return NULL;
}

static enum out_kind
kind_of(const char *word)
{
	enum out_kind k;

	for (k = 0; k < OUT_COUNT; k++)
		if (strcmp(names[k], word) == 0)
			break;
	return k;
}

/* -- what stands now
 * ------------------------------------------------------------ */

static void
same(struct scene *sc, const char *what, const char *is, const char *wanted)
{
	if (strcmp(is, wanted) != 0)
		scene_fail(sc, "%s is \"%s\", expected \"%s\"", what, is,
		    wanted);
}

/* expect spec DEVICE [LABEL...] */
static void
e_spec(struct scene *sc, const struct words *s)
{
	const struct edge *d = flight_edge(sc, words_at(s, 2));
	AUTO_FREE char *is = NULL;
	AUTO_FREE char *wanted = rest_of(s, 3);

	if (d == NULL)
		return;
	is = edge_labels(sc, d);
	same(sc, d->name, is, wanted);
}

/* expect files DEVICE LABEL [TEXT]: part of its first config entry, or none */
static void
e_files(struct scene *sc, const struct words *s)
{
	const struct edge *d = flight_edge(sc, words_at(s, 2));
	const struct kpod *p = kube_pod(sc, words_at(s, 3));
	AUTO_FREE char *wanted = rest_of(s, 4);
	const struct element *e;
	size_t len;

	if (d == NULL || p == NULL)
		return;
	len = strlen(p->app);
	TAILQ_FOREACH(e, &d->configs, link)
		if (strncmp(e->name, p->app, len) == 0 && e->name[len] == '.')
			break;
	if (strstr(e == NULL ? "" : e->raw, wanted) == NULL)
		scene_fail(sc, "the files are %s", e == NULL ? "none" : e->raw);
}

static struct json_object *
first_container(const struct kpod *p)
{
	return jread_item(jread_member(p->status, "containerStatuses"), 0);
}

/* "3", "3 exit code not reported ..." or "none" of its first container. */
static char *
exit_of(const struct kpod *p)
{
	struct json_object *t =
	    jread_member(jread_member(first_container(p), "state"),
		"terminated");
	struct json_object *message = jread_member(t, "message");

	if (t == NULL)
		return xstrdup("none");
	return xasprintf("%d%s%s",
	    json_object_get_int(jread_member(t, "exitCode")),
	    message != NULL ? " " : "",
	    message != NULL ? jread_string(message) : "");
}

/*
 * expect status LABEL PHASE ready|unready [reason=] [message=] [exit=N]
 *	[image=]
 */
static void
e_status(struct scene *sc, const struct words *s)
{
	const struct kpod *p = kube_pod(sc, words_at(s, 2));
	const char *reason = words_get(s, "reason", ""), *ready;
	const char *message = words_get(s, "message", "");
	const char *code = words_get(s, "exit", "");
	const char *image = words_get(s, "image", "");
	AUTO_FREE char *is = NULL, *end = NULL;

	if (p == NULL)
		return;
	end = exit_of(p);
	if (*code != '\0')
		same(sc, "the exit code", end, code);
	if (*image != '\0')
		same(sc, "the image",
		    jread_string(jread_member(first_container(p), "image")),
		    image);
	same(sc, "the phase", kube_phase(p), words_at(s, 3));
	ready = words_at(s, 4);
	if (strcmp(ready, "ready") == 0 || strcmp(ready, "unready") == 0)
		same(sc, "it", kube_is_ready(p) ? "ready" : "unready", ready);
	is = kube_reason(p);
	if (strncmp(is, reason, strlen(reason)) != 0 ||
	    strstr(is, message) == NULL)
		scene_fail(sc, "the reason is \"%s\"", is);
}

static const char *
member_of(struct json_object *c, const char *key)
{
	const char *text = jread_string(jread_member(c, key));

	return text != NULL ? text : "none";
}

/* expect condition LABEL REASON MESSAGE: what condition Device says */
static void
e_condition(struct scene *sc, const struct words *s)
{
	const struct kpod *p = kube_pod(sc, words_at(s, 2));
	AUTO_FREE char *wanted = rest_of(s, 3);
	AUTO_FREE char *is = NULL;
	struct json_object *c;

	if (p == NULL)
		return;
	c = kube_condition(p, pod_condition_type(COND_DEVICE));
	is = c == NULL ?
	    xstrdup("none") :
	    xasprintf("%s %s", member_of(c, "reason"), member_of(c, "message"));
	same(sc, "the condition", is, wanted);
}

/* expect told LABEL TYPE STATUS [MESSAGE]: what a condition says */
static void
e_told(struct scene *sc, const struct words *s)
{
	const struct kpod *p = kube_pod(sc, words_at(s, 2));
	AUTO_FREE char *message = rest_of(s, 5);
	struct json_object *c;

	if (p == NULL)
		return;
	c = kube_condition(p, words_at(s, 3));
	same(sc, words_at(s, 3), member_of(c, "status"), words_at(s, 4));
	if (*message != '\0')
		same(sc, "its message", member_of(c, "message"), message);
}

/* expect resize LABEL REASON|none: what condition PodResizePending says */
static void
e_resize(struct scene *sc, const struct words *s)
{
	const struct kpod *p = kube_pod(sc, words_at(s, 2));

	if (p != NULL)
		same(sc, "the resize",
		    member_of(kube_condition(p, SEEN_RESIZE_PENDING), "reason"),
		    words_at(s, 3));
}

/* expect debugger LABEL REASON: why its ephemeral container has ended */
static void
e_debugger(struct scene *sc, const struct words *s)
{
	const struct kpod *p = kube_pod(sc, words_at(s, 2));
	struct json_object *c;
	const char *is;

	if (p == NULL)
		return;
	c = jread_item(jread_member(p->status, "ephemeralContainerStatuses"),
	    0);
	is = jread_string(
	    jread_member(jread_member(jread_member(c, "state"), "terminated"),
		"reason"));
	same(sc, "the debugger", is != NULL ? is : "none", words_at(s, 3));
}

static const struct wpod *
known(struct scene *sc, const char *label)
{
	const struct kpod *p = kube_pod(sc, label);

	return p == NULL ?
	    NULL :
	    world_pod((struct world *)(uintptr_t)serve_world(sc->serve),
		p->uid);
}

/* expect seat LABEL DEVICE|none */
static void
e_seat(struct scene *sc, const struct words *s)
{
	const struct wpod *p = known(sc, words_at(s, 2));

	same(sc, "its seat",
	    p != NULL && p->device != NULL ? p->device->name : "none",
	    words_at(s, 3));
}

/* expect state LABEL STATE, of life.def */
static void
e_state(struct scene *sc, const struct words *s)
{
	const struct wpod *p = known(sc, words_at(s, 2));

	same(sc, "its state", p != NULL ? life_state_name(p->state) : "none",
	    words_at(s, 3));
}

/* expect pods LABEL...: what the apiserver has */
static void
e_pods(struct scene *sc, const struct words *s)
{
	AUTO_FREE char *wanted = rest_of(s, 2);
	char *is = xstrdup(""), *more;
	const struct kpod *p;

	TAILQ_FOREACH(p, &sc->pods, link) {
		if (!p->in_api)
			continue;
		more = xasprintf("%s%s%s%s", is, *is != '\0' ? " " : "",
		    p->label, p->deleted_ms != 0 ? "-" : "");
		free(is);
		is = more;
	}
	same(sc, "the list", is, wanted);
	free(is);
}

/* expect runs DEVICE LABEL...: what its agent runs */
static void
e_runs(struct scene *sc, const struct words *s)
{
	const struct edge *d = flight_edge(sc, words_at(s, 2));
	AUTO_FREE char *wanted = rest_of(s, 3);
	char *is = xstrdup(""), *more;
	const struct kpod *p;
	const struct told *t;

	if (d != NULL)
		TAILQ_FOREACH(t, &d->told, link) {
			p = kube_by_app(sc, t->app);
			more = xasprintf("%s%s%s", is, *is != '\0' ? " " : "",
			    p != NULL ? p->label : t->app);
			free(is);
			is = more;
		}
	same(sc, "what it runs", is, wanted);
	free(is);
}

/* expect figures TEXT: part of the last line */
static void
e_figures(struct scene *sc, const struct words *s)
{
	AUTO_FREE char *wanted = rest_of(s, 2);
	const char *last = "";
	size_t i;

	for (i = 0; i < sc->nouts; i++)
		if (sc->outs[i].kind == OUT_FIGURES)
			last = sc->outs[i].text;
	if (strstr(last, wanted) == NULL)
		scene_fail(sc, "the figures are \"%s\"", last);
}

/* expect former NODE N: applications of it that people are told of */
static void
e_former(struct scene *sc, const struct words *s)
{
	const struct world *w = serve_world(sc->serve);
	const struct wnode *n = former_find(w, words_at(s, 2));
	struct former_sum sum = { 0, 0 };
	char is[24] = "none";

	if (n != NULL)
		sum = former_count(w, n);
	if (n != NULL && former_is_left(n, &sum))
		(void)snprintf(is, sizeof(is), "%zu", sum.apps);
	if (strcmp(is, words_at(s, 3)) != 0)
		scene_fail(sc, "of %s is left: %s", words_at(s, 2), is);
}

/* expect purging NODE | none: whose Lease is held for that */
static void
e_purging(struct scene *sc, const struct words *s)
{
	const char *is = sc->purged[0] == '\0' ? "none" : sc->purged;

	if (strcmp(is, words_at(s, 2)) != 0)
		scene_fail(sc, "what is purged is %s", is);
}

/* expect store failed|ok: what /readyz and the metric say of it */
static void
e_store(struct scene *sc, const struct words *s)
{
	same(sc, "the database",
	    world_is_durable(serve_world(sc->serve)) ? "ok" : "failed",
	    words_at(s, 2));
}

/* -- what came out
 * ---------------------------------------------------------------- */

/* expect no KIND [ABOUT [BEGINNING]] */
static void
e_no(struct scene *sc, const struct words *s)
{
	enum out_kind kind = kind_of(words_at(s, 2));
	AUTO_FREE char *begins = rest_of(s, 4);
	const struct output *o;

	if (kind == OUT_COUNT) {
		scene_fail(sc, "no such output");
		return;
	}
	if ((o = first_of(sc, kind, words_at(s, 3), begins)) != NULL)
		scene_fail(sc, "%s %s %s", names[kind], o->about, o->text);
}

/* expect KIND ABOUT [TEXT]: the next one, of events any; it is taken */
static void
e_output(struct scene *sc, const struct words *s, enum out_kind kind)
{
	AUTO_FREE char *wanted = rest_of(s, 3);
	struct output *o;

	o = first_of(sc, kind, words_at(s, 2),
	    kind == OUT_EVENT || kind == OUT_NORMAL ? wanted : "");
	if (o == NULL) {
		scene_fail(sc, "it did not come");
		return;
	}
	o->taken = 1;
	if (kind == OUT_CHANGE)
		same(sc, "the change", o->text, wanted);
}

/* expect count KIND N [ABOUT [BEGINNING]]: that many so far, taken or not */
static void
e_count(struct scene *sc, const struct words *s)
{
	enum out_kind kind = kind_of(words_at(s, 2));
	AUTO_FREE char *begins = rest_of(s, 5);
	const char *about = words_at(s, 4);
	int n = 0;
	size_t i;

	for (i = 0; i < sc->nouts; i++)
		n += sc->outs[i].kind == kind &&
		    (*about == '\0' || strcmp(sc->outs[i].about, about) == 0) &&
		    strncmp(sc->outs[i].text, begins, strlen(begins)) == 0;
	if (n != atoi(words_at(s, 3)))
		scene_fail(sc, "there were %d", n);
}

static const struct {
	const char *word;
	void (*fn)(struct scene *, const struct words *);
} now[] = {
	{ "spec", e_spec },
	{ "files", e_files },
	{ "status", e_status },
	{ "told", e_told },
	{ "condition", e_condition },
	{ "resize", e_resize },
	{ "debugger", e_debugger },
	{ "seat", e_seat },
	{ "state", e_state },
	{ "pods", e_pods },
	{ "runs", e_runs },
	{ "figures", e_figures },
	{ "former", e_former },
	{ "purging", e_purging },
	{ "store", e_store },
	{ "no", e_no },
	{ "count", e_count },
};

void
expect_run(struct scene *sc, const struct words *s)
{
	enum out_kind kind;
	size_t i;

	if (sc->quiet)
		return;
	for (i = 0; i < sizeof(now) / sizeof(now[0]); i++)
		if (strcmp(now[i].word, words_at(s, 1)) == 0) {
			now[i].fn(sc, s);
			return;
		}
	if ((kind = kind_of(words_at(s, 1))) == OUT_COUNT)
		scene_fail(sc, "no such expectation");
	else
		e_output(sc, s, kind);
}
