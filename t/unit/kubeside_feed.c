/* SPDX-License-Identifier: ISC */
/* What cannot be taken of the pods that the server sends. */
#include "kubeside/feed.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "kubeside/pods.h"
#include "kubeside/serve.h"
#include "t/unit/apiserver.h"

static struct feed *feed;
static struct pods *pods;
static struct serve *serve;
static int out;

/* Standard error becomes a pipe of ours. */
static void
capture(void)
{
	int p[2];

	cr_assert_eq(pipe(p), 0);
	cr_assert_eq(dup2(p[1], STDERR_FILENO), STDERR_FILENO);
	close(p[1]);
	out = p[0];
	fcntl(out, F_SETFL, O_NONBLOCK);
	log_init("test");
}

static const char *
logged(void)
{
	static char text[65536];
	ssize_t n = read(out, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static unsigned int
count(const char *text, const char *word)
{
	unsigned int n = 0;

	for (; (text = strstr(text, word)) != NULL; text++)
		n++;
	return n;
}

static void
set_up(void)
{
	static const struct serve_ops ops = { 0 };
	struct api *api = apiserver_open();

	capture();
	pods = pods_new();
	serve = serve_new(apiserver_base, &ops);
	feed = feed_new(apiserver_base, api, pods, serve,
	    &(struct feed_conf){ "n", 0, 3600000, "f" });
}

static void
tear_down(void)
{
	feed_free(feed);
	serve_free(serve);
	pods_free(pods);
	apiserver_close();
}

TestSuite(feed, .init = set_up, .fini = tear_down);

#define POD(name, node)                                        \
	"{\"metadata\":{\"namespace\":\"ns\",\"name\":\"" name \
	"\",\"uid\":\"" name                                   \
	"\",\"resourceVersion\":\"6\"},\"spec\":{\"nodeName\":\"" node "\"}}"
#define NONE "{\"metadata\":{\"resourceVersion\":\"6\"},\"spec\":{}}"
#define LIST                                                                  \
	"{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[" NONE "," NONE \
	"," POD("a", "n") "," POD("b", "m") "," POD("c", "m") "," NONE "]}"
#define EVENT(object) "{\"type\":\"MODIFIED\",\"object\":" object "}\n"

#define LEFT_OUT \
	"node n: a pod is left out operation=\"pod\" fleet=\"f\" error=\""

#define GOOD                                                             \
	"{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[" POD("a", \
	    "n") "," POD("b", "n") "]}"
/* Of "b" the name, the node or the UID came to harm. */
#define HARMED(pod)                                                      \
	"{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[" POD("a", \
	    "n") "," pod "]}"

static void
list(size_t at, const char *text)
{
	feed_start(feed);
	apiserver_wait(at + 1);
	apiserver_reply(at, 200, text);
	apiserver_wait(at + 2);
}

/* Who is absent because one cannot be told is not gone by some such lists. */
Test(feed, a_list_with_a_pod_that_is_left_out_is_doubted)
{
	enum {
		DOUBTS = 5,
	};
	static const char *const harmed[] = { HARMED(NONE),
		HARMED(POD("b", "\xff\xfe{]")),
		HARMED(POD("\xff\xfe{]", "n")) };
	size_t i, at = 0;
	int doubts;

	for (i = 0; i < sizeof(harmed) / sizeof(harmed[0]); i++) {
		list(at, GOOD);
		at += 2;
		cr_assert_eq(pods_count(pods), 2);
		for (doubts = 0; doubts < DOUBTS; doubts++, at += 2) {
			list(at, harmed[i]);
			cr_expect_not_null(pods_by_uid(pods, "b"), "%zu: %d", i,
			    doubts);
		}
		list(at, harmed[i]);
		at += 2;
		cr_expect_null(pods_by_uid(pods, "b"), "%zu: always", i);
	}
}

/* A server that lies: one line for each kind of lie, not for each pod. */
Test(feed, what_is_left_out_is_told_once)
{
	const char *text;
	int i;

	feed_start(feed);
	apiserver_wait(1);
	apiserver_reply(0, 200, LIST);
	apiserver_wait(2);
	apiserver_begin(1);
	for (i = 0; i < 20; i++)
		apiserver_piece(1, EVENT(NONE) EVENT(POD("d", "m")));
	apiserver_piece(1, EVENT(POD("e", "n")));
	apiserver_run(100);
	feed_start(feed);
	apiserver_wait(3);
	apiserver_reply(2, 200, LIST);
	apiserver_wait(4);
	text = logged();
	cr_expect_eq(count(text, LEFT_OUT "it has no "), 1, "%s", text);
	cr_expect_eq(count(text, LEFT_OUT "ns/b: bound to "), 1, "%s", text);
	cr_expect_eq(count(text, " error "), 2, "%s", text);
	cr_expect_eq(pods_count(pods), 1, "the last list has but one");
}
