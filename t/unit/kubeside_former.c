/* SPDX-License-Identifier: ISC */
/*
 * Of all virtual nodes those are told that we do not serve and that a provider
 * of our namespace did: whether one does still is what its Lease says.  The
 * Lease of one that is purged is held, and given back.
 */
#include "kubeside/former.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "kubeside/api.h"
#include "kubeside/purge.h"
#include "t/unit/apiserver.h"

static struct former *former;
static struct purge *purge;
static char told[512];
static int times, released, is_said;
static int64_t held;

static int
on_is_ours(const char *node, void *arg)
{
	(void)arg;
	return strcmp(node, "ours") == 0;
}

static void
on_told(struct span lines, void *arg)
{
	(void)arg;
	(void)snprintf(told, sizeof(told), "%.*s", (int)lines.len, lines.p);
	times++;
	is_said = 1;
}

static void
on_held(const char *node, int64_t until, void *arg)
{
	(void)arg;
	cr_expect_str_eq(node, "g");
	held = until;
}

static void
on_released(void *arg)
{
	(void)arg;
	released++;
}

static void
set_up(void)
{
	static const struct former_ops ops = { on_is_ours, on_told };
	static const struct purge_ops purge_ops = { on_held, on_released };
	static const struct former_conf conf = { "ns", "me", 60000, 200 };
	struct api *api = apiserver_open();

	former = former_new(apiserver_base, api, &conf, &ops, NULL);
	purge = purge_new(apiserver_base, api, "ns", "me", &purge_ops, NULL);
}

static void
tear_down(void)
{
	former_free(former);
	purge_free(purge);
	apiserver_close();
}

TestSuite(former, .init = set_up, .fini = tear_down);

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/ns/leases"
#define LEASE(version, holder)                                          \
	"{\"metadata\":{\"resourceVersion\":\"" version "\"},\"spec\":" \
	"{\"holderIdentity\":\"" holder "\"}}"
#define NODE(name, kubelet)                                  \
	"{\"metadata\":{\"name\":\"" name "\"},\"status\":{" \
	"\"nodeInfo\":{\"kubeletVersion\":\"" kubelet "\"}}}"
#define OURS "v1.36.0-vk-flightctl-1"
#define LIST(token, items) \
	"{\"metadata\":{\"continue\":\"" token "\"},\"items\":[" items "]}"

static void
asked(size_t i, const char *target)
{
	apiserver_wait(i + 1);
	cr_assert_str_eq(apiserver_asked[i].target, target);
}

static void
is_told(int n, const char *lines)
{
	apiserver_run(50);
	cr_expect_eq(times, n);
	cr_expect_str_eq(told, lines);
}

/* Pages; others' virtual nodes and ours are not looked at. */
Test(former, each_by_its_lease)
{
	former_tell(former);
	cr_expect_eq(times, 0, "nothing is known yet");
	former_start(former);
	asked(0,
	    "/api/v1/nodes?labelSelector=type%3Dvirtual-kubelet&limit=100");
	apiserver_reply(0, 200,
	    LIST("next",
		NODE("ours", OURS) "," NODE("kwok", "v1.36.0") "," NODE("f",
		    OURS)));
	asked(1,
	    "/api/v1/nodes?labelSelector=type%3Dvirtual-kubelet&limit=100"
	    "&continue=next");
	apiserver_reply(1, 200,
	    LIST("", NODE("g", OURS) "," NODE("h", OURS) "," NODE("i", OURS)));
	asked(2, LEASES "/f");
	apiserver_reply(2, 404, "{}"); /* of a provider elsewhere */
	asked(3, LEASES "/g");
	apiserver_reply(3, 200, LEASE("4", "")); /* given back */
	asked(4, LEASES "/h");
	apiserver_reply(4, 200, LEASE("4", "me")); /* purged by us */
	asked(5, LEASES "/i");
	cr_expect_eq(times, 0);
	apiserver_reply(5, 200, LEASE("4", "you"));
	is_told(1, "f served\ng\nh\ni served\n");
	former_tell(former);
	is_told(2, "f served\ng\nh\ni served\n");
}

static size_t
look(size_t i, const char *lease)
{
	apiserver_wait(i + 1);
	apiserver_reply(i, 200, LIST("", NODE("g", OURS)));
	asked(i + 1, LEASES "/g");
	is_said = 0;
	apiserver_reply(i + 1, 200, lease);
	apiserver_until(&is_said);
	return i + 2;
}

/* As long as somebody may hold it, it is looked at sooner. */
Test(former, a_lease_runs_out_by_our_clock)
{
	size_t i;

	former_start(former);
	i = look(0, LEASE("4", "you"));
	cr_expect_str_eq(told, "g served\n");
	i = look(i, LEASE("5", "you"));
	cr_expect_str_eq(told, "g served renewed\n", "it is renewed");
	i = look(i, LEASE("5", "you"));
	cr_expect_str_eq(told, "g\n", "it was not, for its whole duration");
	cr_expect_eq(times, 3);
	apiserver_run(300);
	cr_expect_eq(apiserver_count, i, "nothing is doubtful any more");
}

/* Half a round says nothing, and is made anew. */
Test(former, a_failure_tells_nothing)
{
	former_start(former);
	apiserver_wait(1);
	apiserver_reply(0, 200, LIST("", NODE("g", OURS)));
	apiserver_wait(2);
	apiserver_reply(1, 500, "{}");
	apiserver_run(50);
	cr_expect_eq(times, 0);
	(void)look(2, LEASE("5", ""));
	cr_expect_str_eq(told, "g\n");
	former_start(former);
	apiserver_wait(5);
	apiserver_reply(4, 200, LIST("", ""));
	is_told(2, "");
}

Test(former, the_lease_of_one_that_is_purged)
{
	purge_node(purge, "g", 0);
	cr_expect_eq(purge_count(purge), 0, "there is nothing to give back");
	purge_node(purge, "g", 1);
	asked(0, LEASES "/g");
	apiserver_reply(0, 200, LEASE("4", "you"));
	apiserver_run(50);
	cr_expect_eq(held, 0, "another one serves it");
	purge_again(purge);
	asked(1, LEASES "/g");
	apiserver_reply(1, 200, LEASE("5", ""));
	apiserver_wait(3);
	apiserver_reply(2, 200, LEASE("6", "me"));
	apiserver_run(50);
	cr_expect_gt(held, 0);
	purge_node(purge, "g", 0);
	cr_expect_eq(held, 0, "nothing is written any more");
	purge_node(purge, "g", 1); /* ordered again, before it is back */
	apiserver_wait(4);
	cr_expect(strstr(apiserver_asked[3].body, "\"holderIdentity\":\"\""));
	apiserver_reply(3, 200, LEASE("7", ""));
	asked(4, LEASES "/g");
	cr_expect_eq(released, 0);
	purge_release(purge);
	cr_expect_eq(purge_count(purge), 1);
	apiserver_reply(4, 200, LEASE("7", ""));
	apiserver_run(50);
	cr_expect_eq(released, 1);
	cr_expect_eq(purge_count(purge), 0);
}
