/* SPDX-License-Identifier: ISC */
/* List and watch: pages, resume, a new list; what a full link does to it. */
#include "kubeside/watch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "kubeside/api.h"
#include "t/unit/apiserver.h"
#include "t/unit/said.h"

enum {
	SILENCE_MS = 800,
};

static struct watch *watch;

/* What came, as words: "begin", "L:a" (listed), "A:b", "end", ... */
static char heard[4096];
static int full;

static void
say(const char *word)
{
	size_t len = strlen(heard);

	snprintf(heard + len, sizeof(heard) - len, "%s ", word);
}

static void
on_begin(void *arg)
{
	(void)arg;
	say("begin");
}

static void
on_end(void *arg)
{
	(void)arg;
	say("end");
}

static int
on_item(enum pod_how how, struct span object, void *arg)
{
	static const char *const names[] = { [POD_LISTED] = "L",
		[POD_ADDED] = "A",
		[POD_MODIFIED] = "M",
		[POD_DELETED] = "D" };
	const char *name = memmem(object.p, object.len, "\"name\":\"", 8);
	char word[32];

	(void)arg;
	cr_assert_not_null(name);
	snprintf(word, sizeof(word), "%s:%.1s", names[how], name + 8);
	say(word);
	return full;
}

static void
set_up(void)
{
	static const struct watch_ops ops = { on_begin, on_item, on_end };
	struct api *api = apiserver_open();

	watch = watch_new(apiserver_base, api,
	    &(struct watch_conf){ "/api/v1/pods", "spec.nodeName=n",
		SILENCE_MS },
	    &ops, NULL);
}

static void
tear_down(void)
{
	watch_free(watch);
	apiserver_close();
}

TestSuite(watch, .init = set_up, .fini = tear_down);

#define LIST(meta, items) \
	"{\"kind\":\"PodList\",\"metadata\":{" meta "},\"items\":[" items "]}"
#define POD(name, version)                                                    \
	"{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" version \
	"\"}}"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"
#define GONE                                                           \
	EVENT("ERROR",                                                 \
	    "{\"kind\":\"Status\",\"message\":\"too old\",\"reason\":" \
	    "\"Expired\",\"code\":410}")

static int
asks(size_t i, const char *word)
{
	return strstr(apiserver_asked[i].target, word) != NULL;
}

/* A list of nothing at version 5, and the request of the watch. */
static void
listed(void)
{
	watch_start(watch);
	apiserver_wait(1);
	apiserver_reply(0, 200, LIST("\"resourceVersion\":\"5\"", ""));
	apiserver_wait(2);
	cr_assert(asks(1, "watch=1"));
	cr_assert(asks(1, "&resourceVersion=5&"));
	heard[0] = '\0';
}

Test(watch, pages_then_changes)
{
	watch_start(watch);
	apiserver_wait(1);
	cr_expect_str_eq(apiserver_asked[0].target,
	    "/api/v1/pods?fieldSelector=spec.nodeName%3Dn&limit=500");
	apiserver_reply(0, 200,
	    LIST("\"resourceVersion\":\"5\",\"continue\":\"a/=\"",
		POD("a", "1") "," POD("b", "2")));
	apiserver_wait(2);
	cr_expect(asks(1, "&continue=a%2F%3D"));
	apiserver_reply(1, 200,
	    LIST("\"resourceVersion\":\"5\"", POD("c", "3")));
	apiserver_wait(3);
	cr_expect_str_eq(heard, "begin L:a L:b L:c end ");
	cr_expect(asks(2, "watch=1&allowWatchBookmarks=true"));
	apiserver_begin(2);
	apiserver_piece(2, EVENT("ADDED", POD("d", "6")) "{\"type\":\"MODI");
	apiserver_piece(2, "FIED\",\"object\":" POD("a", "7") "}\n");
	apiserver_piece(2, EVENT("DELETED", POD("b", "8")));
	apiserver_piece(2, EVENT("BOOKMARK", POD("", "12")));
	apiserver_run(50);
	cr_expect_str_eq(heard, "begin L:a L:b L:c end A:d M:a D:b ");
	/* It ends in good order: on from the bookmark, with no list. */
	apiserver_end(2);
	apiserver_wait(4);
	cr_expect(asks(3, "&resourceVersion=12&"));
}

Test(watch, too_old_in_either_form_is_a_new_list)
{
	listed();
	apiserver_begin(1);
	apiserver_piece(1, GONE);
	apiserver_wait(3);
	cr_expect(!asks(2, "watch=1"));
	cr_expect_str_eq(heard, "begin ");
	apiserver_reply(2, 200,
	    LIST("\"resourceVersion\":\"9\"", POD("a", "1")));
	apiserver_wait(4);
	cr_expect(asks(3, "&resourceVersion=9&"));
	apiserver_reply(3, 410, "{\"kind\":\"Status\",\"code\":410}");
	apiserver_wait(5);
	cr_expect(!asks(4, "watch=1"));
}

Test(watch, half_a_list_is_none)
{
	watch_start(watch);
	apiserver_wait(1);
	apiserver_reply(0, 200,
	    LIST("\"resourceVersion\":\"5\",\"continue\":\"x\"",
		POD("a", "1")));
	apiserver_wait(2);
	apiserver_reply(1, 410, "{\"kind\":\"Status\",\"code\":410}");
	apiserver_wait(3);
	cr_expect(!asks(2, "continue"));
	cr_expect_str_eq(heard, "begin L:a begin ");
	apiserver_begin(2);
	apiserver_piece(2, "{\"metadata\":{},\"items\":[" POD("a", "1") ",");
	apiserver_end(2);
	apiserver_wait(4);
	cr_expect_str_eq(heard, "begin L:a begin L:a begin ");
}

Test(watch, a_broken_stream_is_resumed_where_it_was)
{
	listed();
	apiserver_begin(1);
	apiserver_piece(1, EVENT("ADDED", POD("a", "6")));
	apiserver_run(50);
	apiserver_piece(1,
	    EVENT("ERROR", "{\"kind\":\"Status\",\"code\":500}"));
	apiserver_wait(3);
	cr_expect(asks(2, "&resourceVersion=6&"));
	cr_expect_str_eq(heard, "A:a ");
	/* What cannot be read may have held anything. */
	apiserver_begin(2);
	apiserver_piece(2, "garbage");
	apiserver_wait(4);
	cr_expect(!asks(3, "watch=1"));
}

/*
 * Nothing, not even a bookmark: the version may be one of the future, of
 * before etcd was restored (K.2).  A word in time is enough.
 */
Test(watch, a_silent_one_is_listed_anew)
{
	int i;

	listed();
	apiserver_begin(1);
	for (i = 0; i < 3; i++) {
		apiserver_run(SILENCE_MS / 2);
		apiserver_piece(1, EVENT("BOOKMARK", POD("", "9")));
	}
	cr_expect_eq(apiserver_count, 2);
	apiserver_wait(3);
	cr_expect(!asks(2, "watch=1"), "%s", apiserver_asked[2].target);
	cr_expect_str_eq(heard, "begin ");
	apiserver_reply(2, 200,
	    LIST("\"resourceVersion\":\"4\"", POD("a", "3")));
	apiserver_wait(4);
	cr_expect(asks(3, "&resourceVersion=4&"));
}

Test(watch, a_full_link_stops_the_reading)
{
	listed();
	full = 1;
	apiserver_begin(1);
	apiserver_piece(1, EVENT("ADDED", POD("a", "6")));
	apiserver_run(50);
	apiserver_piece(1, EVENT("ADDED", POD("b", "7")));
	apiserver_run(50);
	cr_expect_str_eq(heard, "A:a ");
	full = 0;
	watch_go_on(watch);
	apiserver_run(50);
	cr_expect_str_eq(heard, "A:a A:b ");
}

Test(watch, stopped_and_started)
{
	listed();
	watch_stop(watch);
	apiserver_run(50);
	cr_expect_eq(apiserver_count, 2);
	watch_again(watch);
	apiserver_run(50);
	cr_expect_eq(apiserver_count, 2, "stopped is stopped");
	watch_start(watch);
	apiserver_wait(3);
	cr_expect(!asks(2, "watch=1"));
	apiserver_reply(2, 200, LIST("\"resourceVersion\":\"6\"", ""));
	apiserver_wait(4);
	/* The server is back: the watch is asked again, not the list. */
	watch_again(watch);
	apiserver_wait(5);
	cr_expect(asks(4, "&resourceVersion=6&"));
}

Test(watch, refused_is_asked_again)
{
	watch_start(watch);
	apiserver_wait(1);
	apiserver_reply(0, 403, "{\"message\":\"pods is forbidden\"}");
	apiserver_wait(2);
	apiserver_reply(1, 200, LIST("\"resourceVersion\":\"5\"", ""));
	apiserver_wait(3);
	cr_expect_str_eq(heard, "begin begin end ");
}

/* -- what is no list and no event -- */

#define ANEW "/api/v1/pods is listed and watched anew: "

static void
is_said(const char *lines)
{
	while (said()[0] == '\0')
		apiserver_run(5);
	cr_expect_str_eq(said(), lines);
}

Test(watch, what_is_no_list_is_told, .timeout = 60)
{
	static const struct {
		const char *body, *said;
	} lists[] = {
		{ LIST("", POD("a", "1")),
		    ANEW "list /api/v1/pods: no resourceVersion\n" },
		{ LIST("\"resourceVersion\":\"5\",\"continue\":7",
		      POD("a", "1")),
		    ANEW "list /api/v1/pods: metadata.continue is no text of "
			 "less than 4096 bytes\n" },
	};
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		size_t n = apiserver_count;

		said_start();
		watch_start(watch);
		apiserver_wait(n + 1);
		cr_expect(!asks(n, "continue"));
		apiserver_reply(n, 200, lists[i].body);
		is_said(lists[i].said);
		watch_stop(watch);
	}
	said_stop();
}

Test(watch, what_is_no_event_is_told, .timeout = 60)
{
	static const struct {
		const char *event, *said;
	} events[] = {
		{ "{\"type\":\"ADDED\"}\n",
		    ANEW "watch /api/v1/pods: an event without type or "
			 "object\n" },
		{ "{\"object\":{}}\n",
		    ANEW "watch /api/v1/pods: an event without type or "
			 "object\n" },
		{ EVENT("ADDED", "{\"metadata\":{}}"),
		    ANEW "watch /api/v1/pods: ADDED without "
			 "resourceVersion\n" },
	};
	size_t i;

	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		size_t n = apiserver_count;

		said_start();
		watch_start(watch);
		apiserver_wait(n + 1);
		apiserver_reply(n, 200,
		    LIST("\"resourceVersion\":\"5\"", POD("a", "1")));
		apiserver_wait(n + 2);
		apiserver_begin(n + 1);
		apiserver_piece(n + 1, events[i].event);
		is_said(events[i].said);
		watch_stop(watch);
	}
	said_stop();
}

enum {
	FILL = 64 * 1024,
};

/* So many bytes within a value that began before. */
static void
fill(size_t i, size_t bytes)
{
	char piece[FILL + 1];

	memset(piece, 'x', FILL);
	piece[FILL] = '\0';
	for (; bytes > 0; bytes -= FILL) {
		apiserver_piece(i, piece);
		apiserver_run(0);
	}
}

#define HUGE "{\"metadata\":{\"name\":\"big\",\"namespace\":\"d\",\"x\":\""
#define LEFT_OUT "/api/v1/pods: big has over 8388608 bytes and is left out\n"

/* It spoils no other, and is told by its name. */
Test(watch, an_object_of_too_many_bytes_is_left_out, .timeout = 60)
{
	said_start();
	watch_start(watch);
	apiserver_wait(1);
	apiserver_begin(0);
	apiserver_piece(0,
	    "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[" HUGE);
	fill(0, MAX_ITEM);
	apiserver_piece(0, "\"}}," POD("a", "1") "]}");
	apiserver_end(0);
	apiserver_wait(2);
	cr_expect_str_eq(heard, "begin L:a end ");
	cr_expect_str_eq(said(), LEFT_OUT);
	apiserver_begin(1);
	apiserver_piece(1, "{\"type\":\"ADDED\",\"object\":" HUGE);
	fill(1, MAX_ITEM);
	apiserver_piece(1, "\"}}}\n" EVENT("ADDED", POD("b", "6")));
	while (strstr(heard, "A:b") == NULL)
		apiserver_run(5);
	cr_expect_str_eq(heard, "begin L:a end A:b ");
	cr_expect_str_eq(said(), LEFT_OUT LEFT_OUT);
	said_stop();
}

Test(watch, bytes_without_an_object_have_an_end, .timeout = 60)
{
	listed();
	said_start();
	apiserver_begin(1);
	apiserver_piece(1, "{\"type\":\"");
	while (said()[0] == '\0' && apiserver_asked[1].req != NULL)
		fill(1, FILL);
	is_said(ANEW "/api/v1/pods: over 33554432 bytes without an object\n");
	said_stop();
}
