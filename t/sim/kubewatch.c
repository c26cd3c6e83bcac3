/* SPDX-License-Identifier: ISC */
/*
 * kubewatch.c: watches.
 *
 * Owns the open watches, bookmarks and their ends.  An event's text is the
 * kept object's text; a watch costs one comparison with its selector and one
 * copy for each event that fits.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>
#include <json-c/json.h>

#include "common/auto.h"
#include "common/why.h"
#include "common/xmem.h"
#include "t/sim/kube.h"
#include "t/sim/kubesel.h"
#include "t/sim/web.h"

enum {
	WATCH_SECONDS = 2400,	   /* without timeoutSeconds */
	BOOKMARK_SECONDS = 60,	   /* between bookmarks */
	BOOKMARK_LAST_SECONDS = 2, /* before the end, each second */
	WATCH_PENDING = 64 << 20,  /* a client that does not read is cut */
};

struct kwatch {
	struct kwatches *all;
	struct kselector *sel;
	enum kid kid;
	struct web_stream *stream;
	struct ksub sub;
	struct event *end;
	time_t deadline, marked;
	int bookmarks;
	int silent;
	uint64_t from; /* events up to here are not sent */
	struct ktext line;
	TAILQ_ENTRY(kwatch) entry;
};

struct kwatches {
	struct kube *kube;
	struct event *tick;
	size_t n;
	TAILQ_HEAD(, kwatch) list;
};

struct ask {
	int bookmarks, initial; /* sendInitialEvents */
	int synthetic;		/* begin with what exists */
	uint64_t rv;
	long seconds;
};

static time_t
monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* --- what is sent --- */

static void
send_line(struct kwatch *w)
{
	if (!w->silent)
		web_stream_write(w->stream, w->line.s, w->line.len);
	w->line.len = 0;
}

static void
send_object(struct kwatch *w, const char *type, const char *text, size_t len)
{
	ktext_printf(&w->line, "{\"type\":\"%s\",\"object\":", type);
	ktext_puts(&w->line, kresource_head(w->kid));
	ktext_add(&w->line, text + 1, len - 1);
	ktext_add(&w->line, "}\n", 2);
	send_line(w);
}

static void
send_bookmark(struct kwatch *w, int initial)
{
	uint64_t rv = kstore_rv(w->all->kube->store);

	ktext_printf(&w->line,
	    "{\"type\":\"BOOKMARK\",\"object\":%s\"metadata\":"
	    "{\"resourceVersion\":\"%llu\"",
	    kresource_head(w->kid),
	    (unsigned long long)(rv > w->from ? rv : w->from));
	if (initial)
		ktext_puts(&w->line,
		    ",\"annotations\":"
		    "{\"k8s.io/initial-events-end\":\"true\"}");
	ktext_printf(&w->line, "}%s}}\n", kresource(w->kid)->skeleton);
	send_line(w);
	w->marked = monotonic();
}

static void
send_error(struct kwatch *w, const char *text)
{
	struct kfail f = { .code = 0 };
	struct json_object *o;

	kfail(&f, 410, "Expired", NULL, "%s", text);
	o = kfail_status(&f);
	ktext_printf(&w->line, "{\"type\":\"ERROR\",\"object\":%s}\n",
	    json_object_to_json_string_ext(o,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	kfail_clear(&f);
	send_line(w);
}

/* --- life --- */

static void
watch_free(struct kwatch *w)
{
	TAILQ_REMOVE(&w->all->list, w, entry);
	w->all->n--;
	kstore_unsubscribe(w->all->kube->store, w->kid, &w->sub);
	if (w->end != NULL)
		event_free(w->end);
	kselector_free(w->sel);
	ktext_free(&w->line);
	free(w);
}

static void
on_close(void *arg)
{
	watch_free(arg);
}

static void
finish(struct kwatch *w)
{
	web_stream_end(w->stream);
	watch_free(w);
}

static void
cut(struct kwatch *w)
{
	web_stream_cut(w->stream);
	watch_free(w);
}

static void
on_end(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	finish(arg);
}

static int
on_event(const struct kevent *ev, void *arg)
{
	struct kwatch *w = arg;
	int was, is;

	if (ev->rv <= w->from)
		return 0;
	was = ev->old != NULL && kselector_fits(w->sel, ev->old);
	is = ev->type != KEVENT_DELETED && kselector_fits(w->sel, ev->obj);
	if (is) {
		send_object(w, was ? "MODIFIED" : "ADDED", ev->obj->text,
		    ev->obj->len);
	} else if (was && ev->type == KEVENT_DELETED) {
		send_object(w, "DELETED", ev->obj->text, ev->obj->len);
	} else if (was) {
		/* It left: as it was, with the version of the change. */
		AUTO_FREE char *text = kobj_text_at(ev->old, ev->rv);

		send_object(w, "DELETED", text, strlen(text));
	}
	return 0;
}

static void
on_stored(const struct kevent *ev, void *arg)
{
	struct kwatch *w = arg;

	on_event(ev, w);
	if (web_stream_pending(w->stream) > WATCH_PENDING)
		cut(w);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct kwatches *all = arg;
	struct kwatch *w;
	time_t now = monotonic();

	(void)fd, (void)what;
	TAILQ_FOREACH(w, &all->list, entry)
		if (w->bookmarks &&
		    (now - w->marked >= BOOKMARK_SECONDS ||
			w->deadline - now <= BOOKMARK_LAST_SECONDS))
			send_bookmark(w, 0);
}

/* --- start --- */

static int
forbidden(struct kfail *f, const char *text)
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
is_true(const char *s)
{
	return s != NULL && (strcmp(s, "true") == 0 || strcmp(s, "1") == 0);
}

static int
read_ask(struct kreq *r, struct ask *a, struct kfail *f)
{
	const char *rv = web_query(r->web, "resourceVersion");
	const char *match = web_query(r->web, "resourceVersionMatch");
	const char *seconds = web_query(r->web, "timeoutSeconds");
	const char *initial = web_query(r->web, "sendInitialEvents");
	char *end;

	a->bookmarks = is_true(web_query(r->web, "allowWatchBookmarks"));
	a->initial = is_true(initial);
	a->seconds = seconds != NULL ? strtol(seconds, NULL, 10) : 0;
	if (a->seconds <= 0)
		a->seconds = WATCH_SECONDS;
	if (initial != NULL &&
	    (match == NULL || strcmp(match, "NotOlderThan") != 0))
		return forbidden(f,
		    "sendInitialEvents requires setting resourceVersionMatch "
		    "to NotOlderThan");
	if (initial == NULL && match != NULL)
		return forbidden(f,
		    "resourceVersionMatch is forbidden for watch unless "
		    "sendInitialEvents is provided");
	if (rv != NULL && rv[0] != '\0') {
		errno = 0;
		a->rv = strtoull(rv, &end, 10);
		if (end == rv || *end != '\0' || errno != 0 || rv[0] == '-')
			return kfail(f, 500, NULL, NULL,
			    "resourceVersion: Invalid value: \"%s\": "
			    "strconv.ParseUint: parsing \"%s\": invalid "
			    "syntax",
			    rv, rv);
	}
	a->synthetic = a->initial || a->rv == 0;
	return 0;
}

static void
send_existing(struct kwatch *w)
{
	struct kstore *st = w->all->kube->store;
	struct kobj *o;
	size_t i;

	for (i = 0; i < kstore_count(st, w->kid); i++) {
		o = kstore_at(st, w->kid, i);
		if (kselector_fits(w->sel, o))
			send_object(w, "ADDED", o->text, o->len);
	}
	w->from = kstore_rv(st);
}

static struct kwatch *
watch_new(struct kreq *r, const struct ask *a, struct kselector *sel)
{
	struct timeval tv = { a->seconds, 0 };
	struct kwatch *w = xcalloc(1, sizeof(*w));

	w->all = r->kube->watches;
	w->kid = r->kid;
	w->sel = sel;
	w->bookmarks = a->bookmarks;
	w->marked = monotonic();
	w->deadline = w->marked + a->seconds;
	w->from = a->rv;
	w->sub = (struct ksub){ .fn = on_stored, .arg = w };
	TAILQ_INSERT_TAIL(&w->all->list, w, entry);
	w->all->n++;
	kstore_subscribe(r->kube->store, w->kid, &w->sub);
	web_add_header(r->web, "Cache-Control", "no-cache, private");
	w->stream = web_stream(r->web, 200, "application/json", on_close, w);
	kreq_free(r);
	w->end = evtimer_new(w->all->kube->base, on_end, w);
	evtimer_add(w->end, &tv);
	return w;
}

void
kwatch_start(struct kreq *r)
{
	struct kstore *st = r->kube->store;
	struct kfail f = { .code = 0 };
	struct ask a = { .rv = 0 };
	struct kselector *sel;
	struct kwatch *w;
	struct why why;
	char text[96];

	if (read_ask(r, &a, &f) == -1) {
		kreq_fail(r, &f);
		return;
	}
	sel = kselector_new(r->kid, r->ns, r->name[0] != '\0' ? r->name : NULL,
	    web_query(r->web, "labelSelector"),
	    web_query(r->web, "fieldSelector"), &why);
	if (sel == NULL) {
		kfail_bad(&f, "%s", why.text);
		kreq_fail(r, &f);
		return;
	}
	w = watch_new(r, &a, sel);
	if (a.synthetic) {
		send_existing(w);
		if (w->bookmarks)
			send_bookmark(w, 1);
	} else if (a.rv < kstore_floor(st, w->kid)) {
		/* Events have no cache there, and other words. */
		snprintf(text, sizeof(text),
		    w->kid == KUBE_EVENTS ?
			"The resourceVersion for the provided watch is too "
			"old." :
			"too old resource version: %llu (%llu)",
		    (unsigned long long)a.rv,
		    (unsigned long long)kstore_floor(st, w->kid) + 1);
		send_error(w, text);
		finish(w);
	} else {
		kstore_replay(st, w->kid, a.rv, on_event, w);
	}
}

/* --- all of them --- */

struct kwatches *
kwatches_new(struct kube *kube)
{
	static const struct timeval second = { 1, 0 };
	struct kwatches *all = xcalloc(1, sizeof(*all));

	all->kube = kube;
	TAILQ_INIT(&all->list);
	all->tick = event_new(kube->base, -1, EV_PERSIST, on_tick, all);
	event_add(all->tick, &second);
	return all;
}

void
kwatches_free(struct kwatches *all)
{
	if (all == NULL)
		return;
	while (!TAILQ_EMPTY(&all->list))
		cut(TAILQ_FIRST(&all->list));
	event_free(all->tick);
	free(all);
}

void
kwatches_expire(struct kwatches *all)
{
	struct kwatch *w;

	while ((w = TAILQ_FIRST(&all->list)) != NULL) {
		w->silent = 0;
		send_error(w,
		    "The resourceVersion for the provided watch is too old.");
		finish(w);
	}
}

void
kwatches_drop(struct kwatches *all)
{
	while (!TAILQ_EMPTY(&all->list))
		cut(TAILQ_FIRST(&all->list));
}

void
kwatches_silence(struct kwatches *all, int on)
{
	struct kwatch *w;

	TAILQ_FOREACH(w, &all->list, entry)
		w->silent = on;
}

void
kwatches_bookmark(struct kwatches *all)
{
	struct kwatch *w;

	TAILQ_FOREACH(w, &all->list, entry)
		if (w->bookmarks)
			send_bookmark(w, 0);
}

size_t
kwatches_count(const struct kwatches *all)
{
	return all->n;
}
