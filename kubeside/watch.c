/* SPDX-License-Identifier: ISC */
/*
 * watch.c: list and watch of one collection, resumed for ever.
 *
 * Owns the resourceVersion and the continue token.  Never keeps an object,
 * never decides what one means.
 */
#include "kubeside/watch.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/retry.h"
#include "common/scan.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "kubeside/api.h"

enum {
	PAGE = 500,
	LIST_SILENCE_MS = 60000,
	/* Bookmarks come each minute; a server that ends stays silent. */
	WATCH_SILENCE_MS = 90000,
	WATCH_MIN_S = 300,  /* and as much again, spread */
	LIST_MS = 300000,   /* one page, however slowly it comes */
	WATCH_SLACK_S = 60, /* what a server takes longer than it was asked */
	MAX_BETWEEN = 4 * MAX_ITEM, /* bytes with no object among them */
	SHORT_MS = 1000,	    /* a watch that ends so soon is a failure */
	MAX_VERSION = 64,
	MAX_CONTINUE = 4096,
};

struct watch {
	struct event_base *base;
	struct api *api;
	char *collection;
	char *selector; /* escaped */
	unsigned int silence_ms;
	const struct watch_ops *ops;
	void *arg;
	struct api_call *call; /* NULL: none, see timer */
	struct event *timer;
	struct scan *scan;
	int listing;
	int stopped;
	int expired; /* the stream said that our version is too old */
	int64_t began_ms;
	unsigned int failures;
	int told;	    /* that it is not well */
	unsigned int items; /* of this stream */
	size_t between;	    /* bytes since the last one */
	char version[MAX_VERSION];
	char next[MAX_CONTINUE]; /* continue token, "": first page */
};

static void open_stream(struct watch *);

static void
later(struct watch *w, enum why_kind kind, int64_t retry_after_ms)
{
	xevent_in(w->timer,
	    retry_wait_ms(kind, ++w->failures, retry_after_ms, arc4random()));
}

static void
hand_over(struct watch *w, enum pod_how how, struct span object)
{
	w->items++;
	w->told = 0;
	if (w->ops->item(how, object, w->arg))
		api_pause(w->call);
}

static int
on_listed(struct span object, void *arg, struct why *why)
{
	struct watch *w = arg;

	(void)why;
	w->between = 0;
	hand_over(w, POD_LISTED, object);
	return 0;
}

static enum pod_how
how_of(const char *type)
{
	if (strcmp(type, "ADDED") == 0)
		return POD_ADDED;
	if (strcmp(type, "MODIFIED") == 0)
		return POD_MODIFIED;
	if (strcmp(type, "DELETED") == 0)
		return POD_DELETED;
	return 0;
}

/* An ERROR event: 410 as 200, or a failure in the middle. */
static int
on_error_event(struct watch *w, struct span status, struct why *why)
{
	char message[MAX_TEXT] = "no message";
	struct span code;
	int gone =
	    scan_get(status, &code, "code", NULL) == 1 && span_is(code, "410");

	(void)scan_get_string(status, message, sizeof(message), "message",
	    NULL);
	if (gone)
		w->expired = 1;
	return fail(why, gone ? ERR_GONE : ERR_AGAIN, "watch %s: %s",
	    w->collection, message);
}

static int
on_event(struct span event, void *arg, struct why *why)
{
	struct watch *w = arg;
	struct span key, value, object = { NULL, 0 };
	char type[16] = "", version[MAX_VERSION];
	enum pod_how how;
	size_t at = 0;

	w->between = 0;
	/* In one pass: objects are large and come in thousands. */
	while (scan_member(event, &at, &key, &value) == 1)
		if (scan_string_is(key, "object"))
			object = value;
		else if (scan_string_is(key, "type"))
			(void)scan_unescape(value, type, sizeof(type));
	if (type[0] == '\0' || object.len == 0)
		return fail(why, ERR_FORMAT,
		    "watch %s: an event without type or object", w->collection);
	if (strcmp(type, "ERROR") == 0)
		return on_error_event(w, object, why);
	if (scan_get_string(object, version, sizeof(version), "metadata",
		"resourceVersion", NULL) != 1)
		return fail(why, ERR_FORMAT,
		    "watch %s: %s without resourceVersion", w->collection,
		    type);
	if ((how = how_of(type)) != 0)
		hand_over(w, how, object);
	memcpy(w->version, version, sizeof(version));
	return 0;
}

/* An event has the object within, an item of a list is it. */
static int
head_of(const struct watch *w, struct span head, const char *member, char *buf,
    size_t size)
{
	return w->listing ?
	    scan_head_string(head, buf, size, "metadata", member, NULL) :
	    scan_head_string(head, buf, size, "object", "metadata", member,
		NULL);
}

static int
on_oversize(struct span head, void *arg, struct why *why)
{
	const struct watch *w = arg;
	char ns[MAX_NAMESPACE + 1] = "", name[MAX_NAME + 1] = "?";
	int is_pod;

	(void)why;
	(void)head_of(w, head, "name", name, sizeof(name));
	is_pod = head_of(w, head, "namespace", ns, sizeof(ns)) == 1;
	log_line(LOG_LEVEL_ERROR,
	    &(struct log_about){ .operation = "watch",
		.ns = ns,
		.pod = is_pod ? name : NULL },
	    "%s: %s has over %d bytes and is left out", w->collection, name,
	    MAX_ITEM);
	return 0;
}

static int
on_bytes(struct span piece, void *arg, struct why *why)
{
	struct watch *w = arg;

	w->between += piece.len;
	if (scan_feed(w->scan, piece, why) == -1)
		return -1;
	if (w->between > MAX_BETWEEN)
		return fail(why, ERR_FORMAT,
		    "%s: over %d bytes without an object", w->collection,
		    MAX_BETWEEN);
	return 0;
}

/* A page is complete: the next, or the watch. */
static int
page_end(struct watch *w, struct why *why)
{
	struct span rest;
	int more;

	if (scan_end(w->scan, why) == -1)
		return -1;
	rest = scan_rest(w->scan);
	if (scan_get_string(rest, w->version, sizeof(w->version), "metadata",
		"resourceVersion", NULL) != 1)
		return fail(why, ERR_FORMAT, "list %s: no resourceVersion",
		    w->collection);
	more = scan_get_string(rest, w->next, sizeof(w->next), "metadata",
	    "continue", NULL);
	if (more == -1)
		return fail(why, ERR_FORMAT,
		    "list %s: metadata.continue is no text of less than %d "
		    "bytes",
		    w->collection, MAX_CONTINUE);
	if (more == 0)
		w->next[0] = '\0';
	if (w->next[0] == '\0') {
		w->listing = 0;
		w->ops->end(w->arg);
	}
	return 0;
}

static void
restart_list(struct watch *w)
{
	w->listing = 1;
	w->next[0] = '\0';
	w->version[0] = '\0';
}

/*
 * One line until it is well again.  That the server is away is api.c's to
 * tell, and what it does not allow.
 */
static void
report(struct watch *w, const struct why *why)
{
	enum log_level level =
	    why->kind == ERR_AGAIN ? LOG_LEVEL_INFO : LOG_LEVEL_WARN;

	if (w->told || why->kind == ERR_DENIED)
		level = LOG_LEVEL_DEBUG;
	w->told = 1;
	log_line(level,
	    &(struct log_about){ .operation = "watch", .error = why->text },
	    "%s is listed and watched anew", w->collection);
}

/* Returns how it ended, as the cause of the next wait. */
static enum why_kind
list_done(struct watch *w, const struct https_answer *a)
{
	struct why why = a->why;

	if (why.kind == ERR_NONE && page_end(w, &why) == 0)
		return ERR_NONE;
	/* Half a list is none: the pages before may be old by now. */
	restart_list(w);
	report(w, &why);
	/* Cut in the middle by an accident, or again and again. */
	return why.kind == ERR_FORMAT && w->failures == 0 ? ERR_AGAIN :
							    why.kind;
}

static enum why_kind
watch_done(struct watch *w, const struct https_answer *a)
{
	int quick = now_read().boot_ms - w->began_ms < SHORT_MS;

	if (w->expired || a->status == 410) {
		log_info("%s: too old, listed again", w->collection);
		restart_list(w);
		return w->failures > 0 ? ERR_GONE : ERR_NONE;
	}
	if (a->why.kind == ERR_NONE)
		return quick && w->items == 0 ? ERR_AGAIN : ERR_NONE;
	report(w, &a->why);
	/* Bytes we could not read, or none, not even a bookmark: what there
	 * was to hear is known by a list only. */
	if (a->why.kind == ERR_FORMAT || a->silent)
		restart_list(w);
	return a->why.kind == ERR_AGAIN && !quick ? ERR_NONE : a->why.kind;
}

static void
on_done(const struct https_answer *a, void *arg)
{
	struct watch *w = arg;
	enum why_kind kind;
	int was_listing = w->listing;

	w->call = NULL;
	kind = was_listing ? list_done(w, a) : watch_done(w, a);
	scan_free(w->scan);
	w->scan = NULL;
	if (w->stopped || w->call != NULL)
		return;
	if (kind != ERR_NONE) {
		later(w, kind, a->retry_after_ms);
		return;
	}
	if (!was_listing && w->items > 0)
		w->failures = 0;
	open_stream(w);
}

static char *
list_path(struct watch *w)
{
	AUTO_FREE char *next = https_escape(w->next);

	return xasprintf("%s?fieldSelector=%s&limit=%d%s%s", w->collection,
	    w->selector, PAGE, next[0] == '\0' ? "" : "&continue=", next);
}

static char *
watch_path(struct watch *w)
{
	AUTO_FREE char *version = https_escape(w->version);

	return xasprintf("%s?fieldSelector=%s&watch=1"
			 "&allowWatchBookmarks=true&resourceVersion=%s"
			 "&timeoutSeconds=%u",
	    w->collection, w->selector, version,
	    WATCH_MIN_S + arc4random_uniform(WATCH_MIN_S));
}

static void
open_stream(struct watch *w)
{
	static const struct scan_ops list_ops = { on_listed, on_oversize };
	static const struct scan_ops watch_ops = { on_event, on_oversize };
	AUTO_FREE char *path = NULL;

	evtimer_del(w->timer);
	if (w->listing && w->next[0] == '\0')
		w->ops->begin(w->arg);
	w->expired = 0;
	w->items = 0;
	w->between = 0;
	w->began_ms = now_read().boot_ms;
	scan_free(w->scan);
	w->scan = scan_new(w->listing ? SCAN_LIST : SCAN_OBJECTS, MAX_ITEM,
	    w->listing ? &list_ops : &watch_ops, w);
	path = w->listing ? list_path(w) : watch_path(w);
	w->call = api_send(w->api,
	    &(struct https_req){ .method = HTTPS_GET,
		.path = path,
		.deadline_ms = w->listing ?
		    LIST_MS :
		    (2 * WATCH_MIN_S + WATCH_SLACK_S) * 1000,
		.silence_ms = w->listing ? LIST_SILENCE_MS : w->silence_ms,
		.data = on_bytes,
		.done = on_done,
		.arg = w });
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	open_stream(arg);
}

struct watch *
watch_new(struct event_base *base, struct api *api,
    const struct watch_conf *conf, const struct watch_ops *ops, void *arg)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->base = base;
	w->api = api;
	w->collection = xstrdup(conf->collection);
	w->selector = https_escape(conf->selector);
	w->silence_ms =
	    conf->silence_ms != 0 ? conf->silence_ms : WATCH_SILENCE_MS;
	w->ops = ops;
	w->arg = arg;
	w->stopped = 1;
	w->timer = xevent_timer(base, on_timer, w);
	return w;
}

static void
hang_up(struct watch *w)
{
	evtimer_del(w->timer);
	api_cancel(w->call);
	w->call = NULL;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	hang_up(w);
	scan_free(w->scan);
	event_free(w->timer);
	free(w->collection);
	free(w->selector);
	free(w);
}

void
watch_start(struct watch *w)
{
	hang_up(w);
	w->stopped = 0;
	w->failures = 0;
	restart_list(w);
	open_stream(w);
}

void
watch_stop(struct watch *w)
{
	hang_up(w);
	w->stopped = 1;
}

void
watch_go_on(struct watch *w)
{
	if (w->call != NULL)
		api_resume(w->call);
}

void
watch_again(struct watch *w)
{
	if (w->stopped)
		return;
	hang_up(w);
	w->failures = 0;
	if (w->listing)
		restart_list(w);
	open_stream(w);
}
