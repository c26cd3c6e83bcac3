/* SPDX-License-Identifier: ISC */
/*
 * Another's Lease is taken when it has not moved for its whole duration by our
 * clock, and not before, in leaps of the clock (leap.h).
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/auto.h"
#include "common/mono.h"
#include "common/xmem.h"
#include "kubeside/api.h"
#include "kubeside/writer.h"
#include "t/unit/apiserver.h"
#include "t/unit/leap.h"

enum {
	LEASE_MS = 15000,
	LONG_S = 40,	/* one that was meant to last longer */
	READ_MS = 7000, /* it is read so often at least */
	MARGIN_MS = 1000,
	LONG_RUN_MS = 600000,
};

static struct writer *writer;
static unsigned int version, duration_s = LEASE_MS / 1000;
static int moves; /* its holder lives */
static int64_t moved_ms, taken_ms;
static char taken_with[64];

static void
on_held(int64_t until, void *arg)
{
	(void)until, (void)arg;
}

static void
on_released(void *arg)
{
	(void)arg;
}

static void
on_asked(size_t i)
{
	const int takes = strcmp(apiserver_asked[i].method, "PATCH") == 0;
	const char *at = strstr(apiserver_asked[i].body, "resourceVersion");
	AUTO_FREE char *lease = NULL;

	if (takes && taken_ms == 0) {
		taken_ms = now_read().boot_ms;
		(void)snprintf(taken_with, sizeof(taken_with), "%.20s",
		    at == NULL ? "" : at);
	} else if (moves) {
		version++;
		moved_ms = now_read().boot_ms;
	}
	lease = xasprintf("{\"metadata\":{\"resourceVersion\":\"%u\"},\"spec\":"
			  "{\"holderIdentity\":\"%s\","
			  "\"leaseDurationSeconds\":%u}}",
	    version, taken_ms != 0 ? "me" : "you", duration_s);
	apiserver_reply(i, 200, lease);
}

static void
set_up(void)
{
	static const struct writer_ops ops = { on_held, on_released, NULL };
	struct api *api = apiserver_open();

	apiserver_asks = on_asked;
	leap(1);
	writer = writer_new(apiserver_base, api,
	    &(struct writer_conf){ "ns", "node", "me", NULL }, &ops, NULL);
	version = 41;
	moved_ms = now_read().boot_ms;
	writer_start(writer);
}

static void
tear_down(void)
{
	leap(0);
	writer_free(writer);
	apiserver_close();
}

TestSuite(takeover, .init = set_up, .fini = tear_down);

/* Since it moved last, as the server saw it; it was seen up to a read later. */
static void
expect_taken(int64_t after_ms)
{
	cr_assert_neq(taken_ms, 0, "it was not taken");
	cr_expect_geq(taken_ms - moved_ms, after_ms);
	cr_expect_leq(taken_ms - moved_ms, after_ms + READ_MS + MARGIN_MS);
}

Test(takeover, after_its_whole_duration)
{
	apiserver_run(LEASE_MS - MARGIN_MS);
	cr_expect_eq(taken_ms, 0);
	apiserver_run(READ_MS + 2 * MARGIN_MS);
	expect_taken(LEASE_MS);
	cr_expect_str_eq(taken_with, "resourceVersion\":\"41", "%s",
	    taken_with);
}

Test(takeover, after_a_longer_one_of_its_own)
{
	duration_s = LONG_S;
	apiserver_run(LONG_S * 1000 - MARGIN_MS);
	cr_expect_eq(taken_ms, 0);
	apiserver_run(READ_MS + 2 * MARGIN_MS);
	expect_taken(LONG_S * 1000);
}

Test(takeover, never_while_it_moves)
{
	moves = 1;
	apiserver_run(LONG_RUN_MS);
	cr_expect_eq(taken_ms, 0);
	cr_expect_geq(apiserver_count, LONG_RUN_MS / READ_MS);
	/* Its holder dies. */
	moves = 0;
	apiserver_run(LEASE_MS + READ_MS + MARGIN_MS);
	expect_taken(LEASE_MS);
}
