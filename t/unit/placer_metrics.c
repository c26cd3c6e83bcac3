/* SPDX-License-Identifier: ISC */
/*
 * The text of /metrics.
 */
#include "placer/metrics.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/unit/fleet.h"
#include "t/unit/leaks.h"

#define TIMES "vk_flightctl_api_request_duration_seconds"
#define OWNED "vk_flightctl_devices_owned{owner="

static const struct scrape now = { .now = { 100000, 1800000000000 },
	.heap = 4096 };

static char *
text_of(const struct world *w)
{
	return metrics_text(w, &now);
}

static void
expect(const struct world *w, const char *line)
{
	AUTO_FREE char *text = text_of(w);
	AUTO_FREE char *whole = xasprintf("\n%s\n", line);

	cr_expect(strstr(text, whole) != NULL, "%s in\n%s", line, text);
}

static size_t
count(const char *text, const char *words)
{
	size_t n = 0;

	for (; (text = strstr(text, words)) != NULL; text++)
		n++;
	return n;
}

Test(metrics, commits_are_a_counter)
{
	struct world *w = fleet_world();
	char *text;

	w->commits = UINT64_C(1) << 40;
	text = text_of(w);
	cr_expect(strstr(text,
		      "# TYPE vk_flightctl_store_commits_total counter\n"
		      "vk_flightctl_store_commits_total 1099511627776\n"),
	    "%s", text);
	free(text);
	fleet_free(w);
	NO_LEAKS();
}

Test(metrics, devices_of_fleets_are_counted_by_owner)
{
	static const char *const owners[] = { "Fleet/x", "Fleet/y", "Fleet/x",
		NULL };
	static const char *const names[] = { "a", "b", "c", "d" };
	struct world *w = fleet_world();
	char *text, *at;
	size_t i, n = 0;

	for (i = 0; i < 4; i++)
		fleet_add(w,
		    &(struct fleet_device){ names[i], 4, 1024, NULL, owners[i],
			NULL });
	text = text_of(w);
	cr_expect(strstr(text, OWNED "\"Fleet/x\"} 2\n"), "%s", text);
	cr_expect(strstr(text, OWNED "\"Fleet/y\"} 1\n"), "%s", text);
	for (at = text; (at = strstr(at, OWNED)) != NULL; at++)
		n++;
	cr_expect_eq(n, 2, "each once");
	free(text);
	fleet_free(w);
	NO_LEAKS();
}

/* The Fleets of another's Flightctl are not ours to count without end. */
Test(metrics, owners_are_bounded)
{
	struct world *w = fleet_world();
	char *text;
	int i;

	for (i = 0; i < METRICS_OWNERS + 10; i++) {
		AUTO_FREE char *name = xasprintf("d%d", i);
		AUTO_FREE char *owner = xasprintf("Fleet/f%d", i);

		fleet_add(w,
		    &(struct fleet_device){ name, 4, 1024, NULL, owner, NULL });
	}
	text = text_of(w);
	cr_expect_eq(count(text, OWNED), METRICS_OWNERS + 1);
	cr_expect(strstr(text, OWNED "\"other\"} 10\n") != NULL, "%s", text);
	free(text);
	fleet_free(w);
	NO_LEAKS();
}

static const struct {
	const char *name, *type, *labels;
} rows[] = {
#define METRIC(name, type, labels, writer, help) { #name, #type, labels },
#include "placer/metrics.def"
#undef METRIC
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* The row of a sample, whose suffix its type allows. */
static size_t
row_of(const char *sample)
{
	static const char *const parts[] = { "_bucket", "_sum", "_count", "" };
	size_t i, k, len = strcspn(sample, "{ ");

	for (i = 0; i < ROWS; i++)
		for (k = 0; k < 4; k++) {
			AUTO_FREE char *name =
			    xasprintf("%s%s", rows[i].name, parts[k]);

			if (strlen(name) != len || strncmp(name, sample, len))
				continue;
			if (k == 3 ?
				strcmp(rows[i].type, "histogram") &&
				    strcmp(rows[i].type, "summary") :
				k > 0 || !strcmp(rows[i].type, "histogram"))
				return i;
		}
	return ROWS;
}

/* Its labels in order: those of the row, le, and none twice. */
static void
check_labels(const char *sample, size_t row)
{
	AUTO_FREE char *allowed = xasprintf(" %s le ", rows[row].labels);
	const char *at = strchr(sample, '{'), *found, *last = allowed;

	while (at != NULL && *at != '}') {
		AUTO_FREE char *label =
		    xasprintf(" %.*s ", (int)strcspn(at + 1, "="), at + 1);

		found = strstr(last, label);
		cr_expect(found != NULL, "%s of %.100s", label, sample);
		if (found == NULL)
			return;
		last = found + 1;
		for (at = strchr(at, '"') + 1; *at != '"'; at++)
			at += *at == '\\';
		at++;
	}
}

/* A world in which each metric has a sample. */
static struct world *
rich_world(void)
{
	struct world *w = fleet_world();
	struct wdevice *d;
	enum request r;
	enum proc who;

	d = fleet_add(w,
	    &(struct fleet_device){ "a", 4, 1024, NULL, "Fleet/x", NULL });
	(void)snprintf(w->nodes[0].fleet, sizeof(w->nodes[0].fleet), "%s",
	    "a\\b\"c\nd");
	d->deployed.n = 1;
	for (r = 0; r < REQUEST_COUNT; r++) {
		w->tallies[r].ended[r % ERR_COUNT] = 3;
		w->tallies[r].took[r % TALLY_TIMES] = 3;
	}
	for (who = PROC_KUBESIDE; who < PROC_COUNT; who++)
		w->crew[who].state = CREW_READY;
	return w;
}

Test(metrics, every_sample_is_as_the_table_says)
{
	struct world *w = rich_world();
	char *text = text_of(w), *line, *rest = text;
	uint8_t seen[ROWS] = { 0 };
	size_t i;

	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
		if (*line == '#')
			continue;
		i = row_of(line);
		cr_assert(i < ROWS, "%s", line);
		seen[i] = 1;
		check_labels(line, i);
	}
	for (i = 0; i < ROWS; i++)
		cr_expect(seen[i] || strstr(rows[i].name, "former") != NULL,
		    "%s has no sample", rows[i].name);
	free(text);
	fleet_free(w);
	NO_LEAKS();
}

Test(metrics, values_of_labels_are_escaped)
{
	struct world *w = rich_world();

	expect(w, "vk_flightctl_brake{fleet=\"a\\\\b\\\"c\\nd\"} 0");
	fleet_free(w);
	NO_LEAKS();
}

Test(metrics, buckets_add_up)
{
	struct world *w = fleet_world();

	spread_add(&w->nodes[0].seen, 1000);
	spread_add(&w->nodes[0].seen, 1001);
	spread_add(&w->nodes[0].seen, -5);
	spread_add(&w->nodes[0].seen, 7200000);
	expect(w, "vk_flightctl_render_duration_seconds_bucket{le=\"1\"} 2");
	expect(w, "vk_flightctl_render_duration_seconds_bucket{le=\"2\"} 3");
	expect(w, "vk_flightctl_render_duration_seconds_bucket{le=\"3600\"} 3");
	expect(w, "vk_flightctl_render_duration_seconds_bucket{le=\"+Inf\"} 4");
	expect(w, "vk_flightctl_render_duration_seconds_sum 7202.001000");
	expect(w, "vk_flightctl_render_duration_seconds_count 4");
	w->tallies[REQUEST_SUSPECT].took[0] = 1;
	w->tallies[REQUEST_SUSPECT].took[TALLY_TIMES - 1] = 2;
	w->tallies[REQUEST_SUSPECT].took_us = 61500000;
	expect(w,
	    TIMES "_bucket{api=\"flightctl\","
		  "request=\"read_suspect\",le=\"30\"} 1");
	expect(w,
	    TIMES "_bucket{api=\"flightctl\","
		  "request=\"read_suspect\",le=\"+Inf\"} 3");
	expect(w,
	    TIMES "_sum{api=\"flightctl\","
		  "request=\"read_suspect\"} 61.500000");
	fleet_free(w);
	NO_LEAKS();
}

Test(metrics, a_silent_device_is_disconnected_whatever_else_it_is)
{
	struct world *w = fleet_world();
	struct wdevice *d;

	fleet_add(w,
	    &(struct fleet_device){ "a", 4, 64, NULL, "Fleet/f", "Unknown" });
	d = fleet_add(w,
	    &(struct fleet_device){ "b", 4, 64, NULL, NULL, "Unknown" });
	d->drained.on = 1;
	d = fleet_add(w,
	    &(struct fleet_device){ "c", 4, 64, NULL, NULL, "Unknown" });
	d->given_up.on = 1;
	d = fleet_add(w,
	    &(struct fleet_device){ "d", 4, 64, NULL, NULL, NULL });
	d->drained.on = 1;
	expect(w, "vk_flightctl_devices_total{status=\"Disconnected\"} 2");
	expect(w, "vk_flightctl_devices_total{status=\"NotPlaceable\"} 2");
	fleet_free(w);
	NO_LEAKS();
}

Test(metrics, ages_are_of_the_oldest)
{
	struct world *w = fleet_world();
	struct wdevice *a, *b;
	struct wpod *p;

	a = fleet_add(w,
	    &(struct fleet_device){ "a", 4, 1024, NULL, NULL, NULL });
	b = fleet_add(w,
	    &(struct fleet_device){ "b", 4, 1024, NULL, NULL, NULL });
	expect(w, "vk_flightctl_pods_waiting_oldest_seconds 0.000000");
	expect(w, "vk_flightctl_render_oldest_seconds 0.000000");
	expect(w, "vk_flightctl_devices_list_age_seconds NaN");
	expect(w, "vk_flightctl_writer_lease_seconds 0.000000");
	p = fleet_pod(w, "p", "1", "1Mi", NULL, NULL);
	p->pod->order_ms = (uint64_t)now.now.wall_ms - 7000;
	a->unseen_boot = now.now.boot_ms - 3000;
	b->unseen_boot = now.now.boot_ms - 4000;
	b->dirty_boot = now.now.boot_ms - 2000;
	b->nqueued = 2;
	w->nodes[0].until_boot = now.now.boot_ms + 12000;
	w->round_boot = now.now.boot_ms - 9000;
	expect(w, "vk_flightctl_pods_waiting 1");
	expect(w, "vk_flightctl_pods_waiting_oldest_seconds 7.000000");
	expect(w, "vk_flightctl_render_oldest_seconds 4.000000");
	expect(w, "vk_flightctl_writes_queued 2");
	expect(w, "vk_flightctl_writes_queued_oldest_seconds 2.000000");
	expect(w, "vk_flightctl_devices_list_age_seconds 9.000000");
	expect(w, "vk_flightctl_writer_lease_seconds 12.000000");
	b->gone = 1;
	expect(w, "vk_flightctl_render_oldest_seconds 3.000000");
	b->gone = 0;
	fleet_free(w);
	NO_LEAKS();
}

Test(metrics, a_worker_of_another_supervisor_is_known_by_its_link)
{
	struct world *w = fleet_world();

	w->kube_up = 1;
	expect(w, "vk_flightctl_worker_up{worker=\"kubeside\"} 1");
	expect(w, "vk_flightctl_worker_up{worker=\"flightside\"} 0");
	w->crew[PROC_KUBESIDE].state = CREW_DYING;
	w->crew[PROC_KUBESIDE].restarts = 4;
	expect(w, "vk_flightctl_worker_up{worker=\"kubeside\"} 0");
	expect(w, "vk_flightctl_worker_restarts_total{worker=\"kubeside\"} 4");
	fleet_free(w);
	NO_LEAKS();
}

/* A placer that has just started: none of its counters goes backwards. */
Test(metrics, what_nobody_has_told_has_no_series)
{
	static const char *const told[] = { "vk_flightctl_api_requests_total{",
		"vk_flightctl_api_request_duration_seconds_count{",
		"vk_flightctl_budget_requests_left ",
		"vk_flightctl_budget_requests_burst ",
		"vk_flightctl_budget_requests_waiting{",
		"vk_flightctl_budget_refusals_total ",
		"vk_flightctl_worker_heap_bytes{worker=\"kubeside\"}",
		"vk_flightctl_sandbox_missing{worker=\"kubeside\"",
		"vk_flightctl_frames_refused_total{process=\"flightside\"}",
		"vk_flightctl_frames_refused_total{process=\"supervisor\"}" };
	struct world *w = fleet_world();
	AUTO_FREE char *all = NULL, *none = NULL;
	size_t i;

	w->crew[PROC_KUBESIDE].state = CREW_READY;
	all = text_of(w);
	memset(w->reported, 0, sizeof(w->reported));
	w->crew[PROC_KUBESIDE].state = CREW_UNKNOWN;
	none = text_of(w);
	for (i = 0; i < sizeof(told) / sizeof(*told); i++) {
		AUTO_FREE char *line = xasprintf("\n%s", told[i]);

		cr_expect(strstr(all, line) != NULL, "no %s", told[i]);
		cr_expect_null(strstr(none, line), "%s", told[i]);
	}
	fleet_free(w);
	NO_LEAKS();
}

/* METRICS_PER_DEVICE, with so many devices: whether they have series. */
static int
has_devices(const char *setting, int devices)
{
	struct world *w = fleet_world();
	struct settings set = *w->set;
	char *text;
	int i, has;

	set.text[SET_METRICS_PER_DEVICE] = xstrdup(setting);
	w->set = &set;
	for (i = 0; i < devices; i++) {
		AUTO_FREE char *name = xasprintf("device-%d", i);

		fleet_add(w,
		    &(struct fleet_device){ name, 2, 1024, NULL, NULL, NULL })
		    ->deployed.n = 1;
	}
	w->nodes[0].disconnections = 7;
	text = text_of(w);
	has = strstr(text, "device=\"") != NULL;
	if (!has)
		cr_expect(strstr(text,
			      "\nvk_flightctl_device_disconnections_total 7\n"),
		    "%s", text);
	if (!has && devices == 10000) {
		cr_expect(strstr(text,
			      "\nvk_flightctl_device_capacity{resource=\"cpu\"}"
			      " 20000.000000\n"),
		    "%s", text);
		cr_expect(strlen(text) < 65536, "%zu bytes", strlen(text));
	}
	free(text);
	free(set.text[SET_METRICS_PER_DEVICE]);
	fleet_free(w);
	return has;
}

Test(metrics, series_of_devices_are_bounded)
{
	cr_expect(has_devices("auto", METRICS_DEVICES));
	cr_expect(!has_devices("auto", METRICS_DEVICES + 1));
	cr_expect(!has_devices("auto", 10000));
	cr_expect(!has_devices("no", 2));
	cr_expect(has_devices("yes", METRICS_DEVICES + 1));
	NO_LEAKS();
}
