/* SPDX-License-Identifier: ISC */
/*
 * Where nothing changes kubeside writes what says that it lives, and nothing
 * else: ten minutes of a node and its watches, in leaps (leap.h).
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/mono.h"
#include "common/xmem.h"
#include "kubeside/api.h"
#include "kubeside/node.h"
#include "kubeside/watch.h"
#include "kubeside/writer.h"
#include "t/unit/apiserver.h"
#include "t/unit/leap.h"

enum {
	SETTLE_MS = 20000,
	LOOK_MS = 30000, /* the placer sends the same figures again */
	LOOKS = 20,
	MINUTES = LOOKS * LOOK_MS / 60000,
	/* A watch says something each minute; a half more is too long. */
	MINUTE_MS = 60000,
	TOO_LONG_MS = 45000,
};

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/"
#define BOOKMARK                                                        \
	"{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"name\":\"n" \
	"\",\"resourceVersion\":\"7\"}}}\n"

static struct node *node;
static struct writer *writer;
static struct watch *pods;
static char *object; /* the Node as it stands */
static size_t from;  /* requests from here on count */

/* --- the server ----------------------------------------------------------- */

/* What was sent, and what the server adds to it. */
static void
keep_node(const char *sent)
{
	static const char meta[] = "\"metadata\":{";
	const char *at = strstr(sent, meta);

	cr_assert_not_null(at);
	at += strlen(meta);
	free(object);
	object = xasprintf("%.*s\"uid\":\"u\",\"resourceVersion\":\"3\",%.*s,"
			   "\"status\":{\"conditions\":[{\"type\":\"Ready\","
			   "\"status\":\"True\"}]}}",
	    (int)(at - sent), sent, (int)strlen(at) - 1, at);
}

static void
on_created(size_t i)
{
	keep_node(apiserver_asked[i].body);
	apiserver_reply(i, 201, object);
}

static void
on_node(size_t i)
{
	apiserver_reply(i, 200, object);
}

static void
on_lease(size_t i)
{
	apiserver_reply(i, 200,
	    "{\"metadata\":{\"resourceVersion\":\"5\"},\"spec\":{"
	    "\"holderIdentity\":\"me\",\"leaseDurationSeconds\":15}}");
}

/* The node is there once it was made; and no pod ever. */
static void
on_list(size_t i)
{
	int is_node = strstr(apiserver_asked[i].target, "nodes") != NULL;
	AUTO_FREE char *list = xasprintf(
	    "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[%s]}",
	    is_node && object != NULL ? object : "");

	apiserver_reply(i, 200, list);
}

static void
on_watch(size_t i)
{
	apiserver_begin(i);
}

enum kind {
	BEATS,
	HOLDS,
	STATUSES,
	WATCHES,
	/* The beginning only. */
	LEASE_READS,
	LISTS,
	CREATIONS,
	KINDS,
};

static const struct {
	const char *method, *part;
	void (*answer)(size_t);
	unsigned int least, most; /* of them in ten minutes */
} answers[KINDS] = {
	[BEATS] = { "PATCH", LEASES "kube-node-lease/leases/n", on_lease, 54,
	    67 },
	[HOLDS] = { "PATCH", LEASES "ns/leases/n", on_lease, 85, 150 },
	[STATUSES] = { "PATCH", "/api/v1/nodes/n/status", on_node, 1,
	    MINUTES / 5 },
	[WATCHES] = { "GET", "watch=1", on_watch, 0, 2 * 2 },
	[LEASE_READS] = { "GET", LEASES, on_lease, 0, 0 },
	[LISTS] = { "GET", "limit=500", on_list, 0, 0 },
	[CREATIONS] = { "POST", "/api/v1/nodes", on_created, 0, 0 },
};

static enum kind
kind_of(size_t i)
{
	const struct asked *a = &apiserver_asked[i];
	enum kind k;

	for (k = 0; k < KINDS; k++)
		if (strcmp(a->method, answers[k].method) == 0 &&
		    strstr(a->target, answers[k].part) != NULL)
			return k;
	cr_assert_fail("%s %s %s", a->method, a->target, a->body);
	return KINDS;
}

static void
on_asked(size_t i)
{
	answers[kind_of(i)].answer(i);
}

/* As a server does each minute. */
static void
bookmarks(void)
{
	size_t i;

	for (i = 0; i < apiserver_count; i++)
		if (apiserver_asked[i].req != NULL)
			apiserver_piece(i, BOOKMARK);
}

/* --- kubeside ------------------------------------------------------------- */

static int64_t
on_until(void *arg)
{
	(void)arg;
	return writer_until(writer);
}

static void
on_labels(struct span labels, void *arg)
{
	(void)labels;
	(void)arg;
}

static void
on_event(const char *reason, const char *message, void *arg)
{
	(void)arg;
	cr_assert_fail("%s: %s", reason, message);
}

static void
on_held(int64_t until, void *arg)
{
	(void)until;
	(void)arg;
	node_look(node);
}

static void
on_nothing(void *arg)
{
	(void)arg;
}

static int
on_pod(enum pod_how how, struct span pod, void *arg)
{
	(void)how;
	(void)pod;
	(void)arg;
	return 0;
}

static void
set_up(void)
{
	static const struct node_ops node_ops = { on_until, on_labels,
		on_event };
	static const struct writer_ops writer_ops = { on_held, on_nothing,
		NULL };
	static const struct watch_ops watch_ops = { on_nothing, on_pod,
		on_nothing };
	static const struct node_conf conf = { .name = "n",
		.fleet = "f",
		.zone = "",
		.arch = "",
		.keys = "",
		.away_ms = 30000,
		.grace_ms = 60000 };
	struct api *api = apiserver_open();

	apiserver_asks = on_asked;
	node = node_new(apiserver_base, api, &conf, &node_ops, NULL);
	writer = writer_new(apiserver_base, api,
	    &(struct writer_conf){ "ns", "n", "me", NULL }, &writer_ops, NULL);
	pods = watch_new(apiserver_base, api,
	    &(struct watch_conf){ "/api/v1/pods", "spec.nodeName=n", 0 },
	    &watch_ops, NULL);
	leap(1);
	writer_start(writer);
	node_start(node);
	watch_start(pods);
	node_placer(node, 1);
}

static void
tear_down(void)
{
	leap(0);
	watch_free(pods);
	node_free(node);
	writer_free(writer);
	apiserver_close();
	free(object);
}

TestSuite(quiet, .init = set_up, .fini = tear_down);

static void
figures(unsigned int devices)
{
	struct body_node_figures f = { .node = "n",
		.arch = "amd64",
		.devices = devices,
		.devices_ready = devices,
		.flightctl = FLIGHT_ANSWERS };

	node_figures(node, &f);
}

static unsigned int
count(enum kind kind)
{
	unsigned int n = 0;
	size_t i;

	for (i = from; i < apiserver_count; i++)
		n += kind_of(i) == kind;
	return n;
}

static void
pass(unsigned int devices)
{
	apiserver_run(LOOK_MS);
	bookmarks();
	figures(devices);
}

Test(quiet, ten_minutes_without_news)
{
	int64_t since;
	enum kind k;
	int i;

	figures(3);
	apiserver_run(SETTLE_MS);
	cr_assert_not_null(object, "the node was made");
	from = apiserver_count;
	since = now_read().boot_ms;
	for (i = 0; i < LOOKS; i++)
		pass(3);
	cr_expect_geq(now_read().boot_ms - since, MINUTES * 60000);
	for (k = 0; k < KINDS; k++) {
		unsigned int n = count(k);

		cr_expect(n >= answers[k].least && n <= answers[k].most,
		    "%u of %s %s", n, answers[k].method, answers[k].part);
	}
	cr_expect(apiserver_reachable);
	/* And news are told when they come. */
	from = apiserver_count;
	figures(4);
	apiserver_run(1000);
	cr_expect_eq(count(STATUSES), 1);
}

/* Not even a bookmark: the stream is dead, and nobody says so. */
Test(quiet, a_watch_that_is_silent_is_listed_anew)
{
	figures(3);
	apiserver_run(SETTLE_MS);
	bookmarks();
	apiserver_run(20);
	from = apiserver_count;
	apiserver_run(MINUTE_MS);
	cr_expect_eq(count(LISTS) + count(WATCHES), 0);
	apiserver_run(TOO_LONG_MS);
	cr_expect_eq(count(LISTS), 2, "%u", count(LISTS));
	cr_expect_eq(count(WATCHES), 2, "%u", count(WATCHES));
	cr_expect(apiserver_reachable, "leases are renewed all the time");
}
