/* SPDX-License-Identifier: ISC */
/*
 * What the database promises: what was committed is there after a start, what
 * was not is not.
 */
#include "placer/store.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/former.h"
#include "t/unit/fleet.h"
#include "t/unit/leaks.h"
#include "t/unit/storedir.h"

static const struct now now = { 1000 * 1000, INT64_C(1795419780000) };
enum {
	MINUTE_MS = 60 * 1000,
	HOUR_MS = 60 * MINUTE_MS
};

TestSuite(store, .init = store_dir_make, .fini = store_dir_remove);

static struct wpod *
seated(struct world *w, const char *name)
{
	struct wdevice *d = fleet_add(w,
	    &(struct fleet_device){ "d", 4, 1024, NULL, NULL, NULL });
	struct wpod *p = fleet_pod(w, name, "250m", "64Mi", NULL, NULL);

	world_seat(w, p, d);
	snprintf(p->app, sizeof(p->app), "k8s-%s", name);
	p->sent_images = UINT64_C(0xfedcba9876543210);
	p->rendered_images = 2;
	p->proven_images = 3;
	p->running_ms = 4;
	p->sent = p->applied = 1;
	return p;
}

Test(store, a_seat_and_a_clock_come_back_as_they_were)
{
	struct world *w = fleet_world(), *again = fleet_world();
	struct wpod *p = seated(w, "a"), *q;
	struct store *s = open_store(0);

	cr_assert_eq(store_load(s, w, now, NULL), 0);
	cr_assert_eq(store_seat(s, p, NULL), 0);
	p->entry = xstrdup("{}");
	cr_assert_eq(store_put_entry(s, p, NULL), 0);
	p->device->away_boot = now.boot_ms - 60000;
	cr_assert_eq(store_clock(s, p->device, NULL), 0);
	cr_assert_eq(store_commit(s, NULL), 0);
	store_close(s);
	s = open_store(0);
	cr_assert_eq(store_load(s, again, now, NULL), 0);
	cr_assert_not_null(q = world_pod(again, p->uid));
	cr_assert_str_eq(q->ns, "default");
	cr_assert_str_eq(q->name, "a");
	cr_assert_str_eq(q->app, "k8s-a");
	cr_assert_str_eq(q->device->name, "d");
	cr_assert_eq(q->node, &again->nodes[0]);
	cr_assert_eq(q->room.cpu_m, 250);
	cr_assert_eq(q->room.memory, 64 << 20);
	cr_assert_eq(q->sent_images, p->sent_images);
	cr_assert_eq(q->rendered_images, 2);
	cr_assert_eq(q->proven_images, 3);
	cr_assert_eq(q->running_ms, 4);
	cr_assert(q->sent && q->applied && !q->retreating && q->has_entry);
	cr_assert_eq(q->kept_images, 0);
	cr_assert_eq(q->device->away_boot, now.boot_ms - 60000);
	store_close(s);
	fleet_free(w);
	fleet_free(again);
	NO_LEAKS();
}

Test(store, a_search_goes_on_where_it_was)
{
	struct world *w = fleet_world(), *again = fleet_world();
	struct wpod *p = seated(w, "a"), *q;
	struct store *s = open_store(0);

	p->withheld = p->suspect = p->blamed = p->reverting = 1;
	p->batch = 5;
	p->device->isolating = 1;
	p->device->judged = xstrdup("2026-01-01T00:00:00Z");
	p->device->batches = 6;
	p->device->bad_batch = 5;
	p->device->parked = 2;
	cr_assert_eq(store_search(s, p->device, NULL), 0);
	cr_assert_eq(store_commit(s, NULL), 0);
	cr_assert_eq(store_load(s, again, now, NULL), 0);
	cr_assert_not_null(q = world_pod(again, p->uid));
	cr_assert(q->withheld && q->suspect && q->blamed && q->reverting);
	cr_assert_eq(q->batch, 5);
	cr_assert_eq(q->device->isolating, 1);
	cr_assert_str_eq(q->device->judged, "2026-01-01T00:00:00Z");
	cr_assert_eq(q->device->batches, 6);
	cr_assert_eq(q->device->bad_batch, 5);
	cr_assert_eq(q->device->parked, 2);
	store_close(s);
	fleet_free(w);
	fleet_free(again);
	NO_LEAKS();
}

/* The pause that is left, then. */
static int64_t
pause_left(struct now then)
{
	struct world *w = fleet_world(), *again = fleet_world();
	struct wpod *p = seated(w, "a"), *q;
	struct store *s = open_store(0);
	int64_t left;

	world_unseat(w, p);
	p->tries = 3;
	p->fault_images = p->pod->images;
	p->fault = xstrdup("While Preparing: prefetch failed for x");
	p->retry_boot = now.boot_ms + 40000;
	cr_assert_eq(store_fault(s, p, NULL), 0);
	cr_assert_eq(store_commit(s, NULL), 0);
	cr_assert_eq(store_load(s, again, then, NULL), 0);
	cr_assert_not_null(q = world_pod(again, p->uid));
	cr_assert_null(q->device);
	cr_assert_eq(q->node, &again->nodes[0]);
	cr_assert_eq(q->tries, 3);
	cr_assert_str_eq(q->fault, p->fault);
	cr_assert_str_eq(q->fault_reason, "ImagePullBackOff");
	left = q->retry_boot == 0 ? 0 : q->retry_boot - then.boot_ms;
	cr_assert_eq(store_drop_fault(s, p, NULL), 0);
	cr_assert_eq(store_commit(s, NULL), 0);
	store_close(s);
	fleet_free(w);
	fleet_free(again);
	return left;
}

/* After so long, while somebody set the wall clock. */
static struct now
later(int64_t passed_ms, int64_t set_ms)
{
	return (struct now){ now.boot_ms + passed_ms,
		now.wall_ms + passed_ms + set_ms };
}

Test(store, a_failed_try_is_remembered_and_its_pause_is_what_is_left_of_it)
{
	struct world *w = fleet_world();
	struct store *s = open_store(0);

	cr_assert_eq(store_load(s, w, now, NULL), 0);
	cr_assert_eq(store_commit(s, NULL), 0);
	store_close(s);
	cr_assert_eq(pause_left(now), 40000);
	cr_assert_eq(pause_left(later(30000, 0)), 10000);
	cr_assert_eq(pause_left(later(50000, 0)), 0);
	cr_assert_eq(pause_left(later(30000, -HOUR_MS)), 10000);
	cr_assert_eq(pause_left(later(30000, HOUR_MS)), 10000);
	s = open_store(0);
	cr_assert_eq(store_load(s, w, now, NULL), 0);
	cr_assert_eq(w->npods, 0);
	store_close(s);
	fleet_free(w);
	NO_LEAKS();
}

/* What was saved a minute ago, as it is read then; what is set at its start. */
static struct world *
read_then(struct now then, int64_t set_ms, const char *meanwhile)
{
	struct world *w = fleet_world(), *again = fleet_world();
	struct now set = later(0, set_ms);
	struct wpod *p = seated(w, "a");
	struct store *s = open_store(0);

	cr_assert_eq(store_load(s, w, now, NULL), 0);
	p->device->away_boot = now.boot_ms - MINUTE_MS;
	p->active_boot = now.boot_ms - 2 * MINUTE_MS;
	p->tries = 1;
	free(p->fault); /* of the round before */
	p->fault = xstrdup("x");
	p->retry_boot = now.boot_ms + 2000;
	cr_assert_eq(store_seat(s, p, NULL), 0);
	cr_assert_eq(store_clock(s, p->device, NULL), 0);
	cr_assert_eq(store_active(s, p, NULL), 0);
	cr_assert_eq(store_fault(s, p, NULL), 0);
	cr_assert_eq(store_wall(s, set, NULL), 0);
	cr_assert_eq(store_commit(s, NULL), 0);
	store_close(s);
	if (meanwhile != NULL)
		exec_on(meanwhile);
	s = open_store(0);
	cr_assert_eq(store_load(s, again, then, NULL), 0);
	cr_assert_eq(store_commit(s, NULL), 0);
	store_close(s);
	/* And once more, when nothing happened. */
	fleet_free(again);
	again = fleet_world();
	s = open_store(0);
	cr_assert_eq(store_load(s, again, then, NULL), 0);
	cr_assert_eq(store_commit(s, NULL), 0);
	store_close(s);
	fleet_free(w);
	return again;
}

static void
clocks_are(struct world *w, int64_t away, int64_t active, int64_t retry)
{
	const struct wdevice *d = world_device(w, "d");
	const struct wpod *p = TAILQ_FIRST(&d->pods);

	cr_expect_eq(d->away_boot, away, "away since %" PRId64, d->away_boot);
	cr_expect_eq(p->active_boot, active, "active since %" PRId64,
	    p->active_boot);
	cr_expect_eq(p->retry_boot, retry, "again at %" PRId64, p->retry_boot);
	fleet_free(w);
}

Test(store, within_one_start_of_the_machine_the_wall_moves_no_clock)
{
	int64_t away = now.boot_ms - MINUTE_MS,
		active = now.boot_ms - 2 * MINUTE_MS,
		retry = now.boot_ms + 2000;

	clocks_are(read_then(later(1000, 0), 0, NULL), away, active, retry);
	clocks_are(read_then(later(1000, HOUR_MS), 0, NULL), away, active,
	    retry);
	clocks_are(read_then(later(1000, -HOUR_MS), 0, NULL), away, active,
	    retry);
	clocks_are(read_then(later(1000, HOUR_MS), HOUR_MS, NULL), away, active,
	    retry);
	NO_LEAKS();
}

#define ANOTHER                                                  \
	"UPDATE meta SET value = 'x' || substr(value, 2) WHERE " \
	"key = 'boot'"

Test(store, after_another_start_the_wall_tells_at_most_the_time_since)
{
	struct now early = { 1000, now.wall_ms + 9000 },
		   late = { HOUR_MS, now.wall_ms + 9000 },
		   set = { HOUR_MS, now.wall_ms + HOUR_MS + 9000 },
		   past = { HOUR_MS, now.wall_ms - HOUR_MS };

	clocks_are(read_then(early, 0, ANOTHER), 1, 1, 0);
	/* It came from another machine. */
	clocks_are(read_then(late, 0, ANOTHER), HOUR_MS - MINUTE_MS - 9000,
	    HOUR_MS - 2 * MINUTE_MS - 9000, 0);
	/* The wall was set before that. */
	clocks_are(read_then(set, HOUR_MS, ANOTHER), HOUR_MS - MINUTE_MS - 9000,
	    HOUR_MS - 2 * MINUTE_MS - 9000, 0);
	/* Nothing began in the future; no pause is longer than it can be. */
	clocks_are(read_then(past, 0, ANOTHER), HOUR_MS, HOUR_MS,
	    HOUR_MS + 10000);
	NO_LEAKS();
}

/* An older release saved instants of the wall, and no start. */
Test(store, clocks_of_an_older_release_go_on)
{
	AUTO_FREE char *older =
	    xasprintf("DELETE FROM meta;"
		      "UPDATE clock SET since_ms = %" PRId64
		      ";DELETE FROM active;"
		      "UPDATE fault SET retry_ms = %" PRId64,
		now.wall_ms - 3000, now.wall_ms + 5000);

	clocks_are(read_then(now, 0, older), now.boot_ms - 3000, 0,
	    now.boot_ms + 5000);
	NO_LEAKS();
}

Test(store, a_clock_that_stopped_is_gone)
{
	struct world *w = fleet_world(), *again = fleet_world();
	struct wpod *p = seated(w, "a");
	struct store *s = open_store(0);

	p->device->away_boot = p->active_boot = 1;
	cr_assert_eq(store_clock(s, p->device, NULL), 0);
	cr_assert_eq(store_active(s, p, NULL), 0);
	p->device->away_boot = 0;
	cr_assert_eq(store_clock(s, p->device, NULL), 0);
	cr_assert_eq(store_drop_active(s, p, NULL), 0);
	cr_assert_eq(store_load(s, again, now, NULL), 0);
	cr_assert_null(world_device(again, "d"));
	cr_assert_eq(again->npods, 0);
	store_close(s);
	fleet_free(w);
	fleet_free(again);
	NO_LEAKS();
}

Test(store, what_ran_is_kept_beside_what_replaces_it)
{
	struct world *w = fleet_world(), *again = fleet_world();
	struct wpod *p = seated(w, "a");
	struct store *s = open_store(0);
	char *entry;

	p->rendered_images = 1;
	p->entry = xstrdup("one");
	cr_assert_eq(store_put_entry(s, p, NULL), 0);
	p->proven_images = 2;
	cr_assert_eq(store_keep_entry(s, p, NULL), 0, "it never ran");
	p->proven_images = 1;
	cr_assert_eq(store_keep_entry(s, p, NULL), 1);
	p->rendered_images = 2;
	free(p->entry);
	p->entry = xstrdup("two");
	cr_assert_eq(store_put_entry(s, p, NULL), 0);
	cr_assert_eq(store_get_entry(s, p->uid, &entry, NULL), 0);
	cr_assert_str_eq(entry, "two");
	free(entry);
	cr_assert_eq(store_get_kept(s, p->uid, &entry, NULL), 0);
	cr_assert_str_eq(entry, "one");
	free(entry);
	cr_assert_eq(store_seat(s, p, NULL), 0);
	cr_assert_eq(store_commit(s, NULL), 0);
	cr_assert_eq(store_load(s, again, now, NULL), 0);
	cr_assert_eq(world_pod(again, p->uid)->kept_images, 1);
	cr_assert(wpod_has_kept(world_pod(again, p->uid)));
	world_pod(again, p->uid)->proven_images = 2;
	cr_assert(!wpod_has_kept(world_pod(again, p->uid)), "it is older");
	cr_assert_eq(store_unseat(s, p, NULL), 0);
	cr_assert_eq(store_get_kept(s, p->uid, &entry, NULL), 0);
	cr_assert_null(entry);
	store_close(s);
	fleet_free(w);
	fleet_free(again);
	NO_LEAKS();
}

Test(store, a_full_disk_fails_the_turn_and_only_that)
{
	struct world *w = fleet_world(), *again = fleet_world();
	struct wpod *p = seated(w, "a");
	struct store *s = open_store(0);
	struct rlimit rl;
	struct why why = { .kind = ERR_NONE };

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &rl), 0);
	rl.rlim_cur = 1;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &rl), 0);
	(void)store_seat(s, p, NULL);
	cr_assert_eq(store_commit(s, &why), -1);
	cr_assert_eq(why.kind, ERR_SYSTEM);
	cr_assert_eq(store_commits(s), 0, "one that failed is none");
	rl.rlim_cur = rl.rlim_max;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &rl), 0);
	cr_assert_eq(store_load(s, again, now, NULL), 0);
	cr_assert_eq(again->npods, 0);
	cr_assert_eq(store_commit(s, NULL), 0);
	cr_assert_eq(store_seat(s, p, NULL), 0);
	cr_assert_eq(store_commit(s, NULL), 0);
	cr_assert_eq(store_load(s, again, now, NULL), 0);
	cr_assert_eq(again->npods, 1);
	store_close(s);
	fleet_free(w);
	fleet_free(again);
	NO_LEAKS();
}

/* Turns that were undone: what they were about is said once. */
Test(store, orders_are_tidied_as_the_world_has_them)
{
	struct world *w = fleet_world(), *again = fleet_world();
	struct wpod *p = seated(w, "a");
	struct worded by = { 1, 7, 1000 };
	struct store *s = open_store(0);
	struct wnode *gone;

	cr_assert_eq(store_seat(s, p, NULL), 0);
	p->device->written_off = by;
	cr_assert_eq(store_device_words(s, p->device, NULL), 0);
	gone = former_get(w, "gone");
	gone->purge = by;
	cr_assert_eq(store_node_word(s, gone, NULL), 0);
	cr_assert_eq(store_commit(s, NULL), 0);
	p->device->written_off.on = gone->purge.on = 0;
	p->device->drained = w->nodes[0].retired = p->given_up = by;
	cr_assert_eq(store_tidy(s, w, NULL), 0);
	cr_assert_eq(store_commit(s, NULL), 0);
	cr_assert_eq(store_load(s, again, now, NULL), 0);
	cr_assert(!world_device(again, "d")->written_off.on);
	cr_assert(world_device(again, "d")->drained.on);
	cr_assert(again->nodes[0].retired.on);
	cr_assert(world_pod(again, p->uid)->given_up.on);
	cr_assert_null(former_find(again, "gone"), "its row is gone");
	store_close(s);
	fleet_free(w);
	fleet_free(again);
	NO_LEAKS();
}

Test(store, a_commit_counts_when_it_made_something_durable)
{
	struct world *w = fleet_world();
	struct store *s = open_store(0);
	struct wpod *p = seated(w, "a");

	cr_assert_eq(store_commits(s), 0, "opening is none");
	cr_assert_eq(store_commit(s, NULL), 0);
	cr_assert_eq(store_commits(s), 0, "nor is one of nothing");
	cr_assert_eq(store_seat(s, p, NULL), 0);
	cr_assert_eq(store_put_meta(s, "k", "v", NULL), 0);
	cr_assert_eq(store_commits(s), 0, "not before it is asked for");
	cr_assert_eq(store_commit(s, NULL), 0);
	cr_assert_eq(store_commits(s), 1, "many writes, one commit");
	cr_assert_eq(store_put_meta(s, "k", "v", NULL), 0);
	cr_assert_eq(store_commit(s, NULL), 0);
	cr_assert_eq(store_commits(s), 1, "the same bytes are not written");
	cr_assert_eq(store_try(s, now, NULL), 0);
	cr_assert_eq(store_commit(s, NULL), 0);
	cr_assert_eq(store_commits(s), 2, "a try is");
	cr_assert_eq(store_unseat(s, p, NULL), 0);
	cr_assert_eq(store_commit(s, NULL), 0);
	cr_assert_eq(store_commits(s), 3);
	store_close(s);
	fleet_free(w);
	NO_LEAKS();
}

Test(store, the_last_hundred_records_stay)
{
	struct store *s = open_store(0);
	struct store_record r = { 1, "ns/p", "Choose", "present", "WAITING",
		"d", "" };
	sqlite3_stmt *st;
	AUTO_FREE char *path = xasprintf("%s/placer.db", store_dir);
	sqlite3 *db;

	for (r.at_ms = 1; r.at_ms <= 250; r.at_ms++)
		cr_assert_eq(store_record(s, &r, NULL), 0);
	cr_assert_eq(store_commit(s, NULL), 0);
	store_close(s);
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(db,
			 "SELECT count(*), min(at_ms) FROM "
			 "record",
			 -1, &st, NULL),
	    SQLITE_OK);
	cr_assert_eq(sqlite3_step(st), SQLITE_ROW);
	cr_assert_eq(sqlite3_column_int(st, 0), 100);
	cr_assert_eq(sqlite3_column_int(st, 1), 151);
	sqlite3_finalize(st);
	sqlite3_close(db);
	NO_LEAKS();
}
