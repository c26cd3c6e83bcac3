/* SPDX-License-Identifier: ISC */
/* flightside against the simulated Flightctl, message by message. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/mark.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "t/unit/flightrig.h"

#define UNIT                                                                \
	"[Container]\\nContainerName=c\\nImage=quay.io/podman/hello:latest" \
	"\\nPull=missing\\n\\n[Service]\\nRestart=%s\\n\\n[Install]\\n"     \
	"WantedBy=multi-user.target\\n"

static char *
app_name(unsigned int i)
{
	char name[MAX_APP + 1], pod[16], uid[40];

	snprintf(pod, sizeof(pod), "web-%u", i);
	snprintf(uid, sizeof(uid), "%08x-1111-2222-3333-444455556666", i);
	cr_assert_eq(mark_name(RIG_CLUSTER, "default", pod, uid, name), 0);
	return xstrdup(name);
}

/* An edit that sets one application. */
static char *
set_app(unsigned int i, const char *restart)
{
	AUTO_FREE char *name = app_name(i);

	return xasprintf(
	    "{\"applications\":{\"set\":[{\"name\":\"%s\","
	    "\"appType\":\"quadlet\",\"inline\":[{\"path\":\"c.container\","
	    "\"content\":\"" UNIT "\"}]}]}}",
	    name, restart);
}

static char *
cut_app(unsigned int i)
{
	AUTO_FREE char *name = app_name(i);

	return xasprintf("{\"applications\":{\"cut\":[\"%s\"]}}", name);
}

#define OPTIONS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
listed(struct rig *r)
{
	rig_link(r);
	RIG_UNTIL(r, r->seen.complete == 1);
}

Test(serve, full_list_of_the_fleet_and_no_other_device, .timeout = 60)
{
	struct rig r;

	rig_start(&r, OPTIONS("--devices", "3", "--labels", "fleet=a"));
	free(rig_tell(&r, "add-device other-1 fleet=b"));
	rig_set(&r, SET_FLEET_ID, "a");
	listed(&r);
	cr_assert_eq(r.seen.nlisted, 3);
	cr_assert_eq(r.seen.state, 1);
	cr_assert_eq(rig_count(&r, "GET /api/v1/organizations"), 1);
	cr_assert_eq(rig_count(&r, "GET /api/v1/devices"), 1);
	/* A new link begins anew. */
	rig_link(&r);
	RIG_UNTIL(&r, r.seen.complete == 2);
	cr_assert_eq(r.seen.nlisted, 3);
	rig_end(&r);
}

Test(serve, pages_of_a_larger_fleet_are_one_round, .timeout = 60)
{
	struct rig r;

	rig_start(&r, OPTIONS("--devices", "230"));
	listed(&r);
	cr_assert_eq(r.seen.nlisted, 230);
	cr_assert_eq(r.seen.begins, 1);
	cr_assert_gt(rig_count(&r, "GET /api/v1/devices"), 1);
	rig_end(&r);
}

Test(serve, one_bad_device_spoils_no_other, .timeout = 60)
{
	struct rig r;
	uint64_t id;

	rig_start(&r, OPTIONS("--devices", "3", "--device-prefix", "edge"));
	listed(&r);
	cr_assert_eq(strncmp(r.seen.listed[1], "edge", 4), 0);
	free(rig_tell(&r, "oversize-device %s 9000000", r.seen.listed[1]));
	rig_link(&r);
	RIG_UNTIL(&r, r.seen.complete == 2);
	cr_assert_eq(r.seen.nlisted, 2);
	cr_assert_eq(r.seen.nbad, 1);
	cr_assert_eq(r.seen.bad[0].kind, ERR_LIMIT);
	id = rig_read(&r, r.seen.bad[0].name, READ_MOTION);
	RIG_UNTIL(&r, rig_done(&r, id) != NULL);
	cr_assert_eq(r.seen.nbad, 2);
	cr_assert_eq(r.seen.bad[1].kind, ERR_LIMIT);
	rig_end(&r);
}

Test(serve, list_that_breaks_off_says_so_and_comes_again, .timeout = 60)
{
	struct rig r;

	rig_start(&r, OPTIONS("--devices", "3"));
	free(rig_tell(&r, "cut-next GET /api/v1/devices 700"));
	rig_link(&r);
	RIG_UNTIL(&r, r.seen.ends == 1);
	cr_assert_eq(r.seen.complete, 0);
	RIG_UNTIL(&r, r.seen.complete == 1);
	cr_assert_eq(r.seen.nlisted, 3);
	rig_end(&r);
}

Test(serve, reads_share_a_request_and_name_who_is_gone, .timeout = 60)
{
	struct rig r;
	AUTO_FREE char *names = NULL;
	uint64_t first, second;

	rig_start(&r, OPTIONS("--devices", "3"));
	listed(&r);
	free(rig_tell(&r, "reset-counts"));
	names =
	    xasprintf("%s\nnever-1\n%s\n", r.seen.listed[0], r.seen.listed[1]);
	first = rig_read(&r, names, READ_MOTION);
	second = rig_read(&r, r.seen.listed[0], READ_MOTION);
	RIG_UNTIL(&r, rig_done(&r, first) && rig_done(&r, second));
	cr_assert_eq(rig_done(&r, first)->kind, ERR_NONE);
	cr_assert_eq(rig_done(&r, second)->kind, ERR_NONE);
	cr_assert_eq(r.seen.read, 3);
	cr_assert_not_null(rig_bad(&r, "never-1"));
	cr_assert_eq(rig_bad(&r, "never-1")->kind, ERR_GONE);
	cr_assert_eq(rig_count(&r, "GET /api/v1/devices"), 1);
	cr_assert_eq(rig_count(&r, "GET /api/v1/devices/:name"), 1);
	first = rig_read(&r, "", READ_MOTION);
	RIG_UNTIL(&r, rig_done(&r, first));
	rig_end(&r);
}

static const struct body_changed *
change(struct rig *r, const char *device, const char *edit)
{
	uint64_t id = rig_change(r, device, "", 60000, 0, edit);

	RIG_UNTIL(r, rig_changed(r, id) != NULL);
	return rig_changed(r, id);
}

/* The raw spec of a device as the simulator has it. */
static char *
spec_of(struct rig *r, const char *device)
{
	struct span spec;
	uint64_t id = rig_read(r, device, READ_WRITE);

	RIG_UNTIL(r, rig_done(r, id) != NULL);
	cr_assert_eq(scan_get((struct span){ r->seen.last, r->seen.last_len },
			 &spec, "spec", NULL),
	    1);
	return xstrndup(spec.p, spec.len);
}

Test(serve, change_is_stored_once_and_others_survive, .timeout = 60)
{
	struct rig r;
	const struct body_changed *m;
	const char *device;
	AUTO_FREE char *set = set_app(1, "always");
	AUTO_FREE char *cut = cut_app(1);
	AUTO_FREE char *before = NULL;
	AUTO_FREE char *with = NULL;
	AUTO_FREE char *after = NULL;
	char hex[DIGEST_SIZE];

	rig_start(&r, OPTIONS("--devices", "1"));
	listed(&r);
	device = r.seen.listed[0];
	free(rig_tell(&r, "foreign-app %s theirs", device));
	before = spec_of(&r, device);
	m = change(&r, device, set);
	cr_assert_eq(m->kind, ERR_NONE, "%s", m->text);
	cr_assert_eq(m->written, 1);
	with = spec_of(&r, device);
	mark_digest(span_of(with), hex);
	cr_assert_str_eq(m->spec_sha256, hex);
	cr_assert_not_null(strstr(with, "theirs"));
	cr_assert_not_null(strstr(with, "quay.io/podman/hello"));
	m = change(&r, device, set);
	cr_assert_eq(m->kind, ERR_NONE, "%s", m->text);
	cr_assert_eq(m->written, 0);
	m = change(&r, device, cut);
	cr_assert_eq(m->kind, ERR_NONE, "%s", m->text);
	cr_assert_eq(m->written, 1);
	after = spec_of(&r, device);
	cr_assert_str_eq(before, after);
	rig_end(&r);
}

Test(serve, changes_of_one_device_go_one_after_another, .timeout = 60)
{
	struct rig r;
	uint64_t ids[12];
	unsigned int i;

	rig_start(&r, OPTIONS("--devices", "1", "--render-ms", "5"));
	listed(&r);
	for (i = 0; i < 12; i++) {
		AUTO_FREE char *set = set_app(i, "always");

		ids[i] = rig_change(&r, r.seen.listed[0], "", 60000, 200, set);
	}
	for (i = 0; i < 12; i++) {
		RIG_UNTIL(&r, rig_changed(&r, ids[i]) != NULL);
		cr_assert_eq(rig_changed(&r, ids[i])->kind, ERR_NONE, "%s",
		    rig_changed(&r, ids[i])->text);
		cr_assert_eq(rig_changed(&r, ids[i])->written, 1);
	}
	rig_end(&r);
}

Test(serve, company_reads_many_bases_at_once, .timeout = 60)
{
	struct rig r;
	uint64_t ids[20];
	unsigned int i, reads;
	AUTO_FREE char *set = set_app(1, "no");

	rig_start(&r, OPTIONS("--devices", "20"));
	listed(&r);
	free(rig_tell(&r, "reset-counts"));
	for (i = 0; i < 20; i++)
		ids[i] = rig_change(&r, r.seen.listed[i], "", 60000, 200, set);
	for (i = 0; i < 20; i++) {
		RIG_UNTIL(&r, rig_changed(&r, ids[i]) != NULL);
		cr_assert_eq(rig_changed(&r, ids[i])->kind, ERR_NONE);
	}
	reads = rig_count(&r, "GET /api/v1/devices") +
	    rig_count(&r, "GET /api/v1/devices/:name");
	/* Some may meet a status push and be read again. */
	cr_assert_leq(reads, 6);
	cr_assert_leq(rig_count(&r, "PUT /api/v1/devices/:name"), 26);
	rig_end(&r);
}

static void
refused(struct rig *r, const char *device, const char *created, int64_t ms,
    const char *edit, enum why_kind kind, const char *text)
{
	uint64_t id = rig_change(r, device, created, ms, 0, edit);
	const struct body_changed *m;

	RIG_UNTIL(r, rig_changed(r, id) != NULL);
	m = rig_changed(r, id);
	cr_assert_eq(m->kind, kind, "%u: %s", m->kind, m->text);
	cr_assert_not_null(strstr(m->text, text), "%s", m->text);
}

Test(serve, what_may_not_be_written_is_not, .timeout = 60)
{
	struct rig r;
	AUTO_FREE char *set = set_app(1, "always");
	AUTO_FREE char *odd = set_app(1, "always\\nExecStartPre=/bin/sh");
	AUTO_FREE char *spec = NULL;
	const char *d;

	rig_start(&r, OPTIONS("--devices", "3", "--labels", "fleet=a"));
	free(rig_tell(&r, "add-device other-1 fleet=b"));
	rig_set(&r, SET_FLEET_ID, "a");
	listed(&r);
	d = r.seen.listed[0];
	refused(&r, d, "", -1, set, ERR_DENIED, "not the writer");
	refused(&r, d, "2020-01-01T00:00:00Z", 60000, set, ERR_GONE,
	    "created anew");
	refused(&r, "other-1", "", 60000, set, ERR_DENIED, "fleets");
	refused(&r, "never-1", "", 60000, set, ERR_GONE, "not found");
	refused(&r, d, "", 60000, "{\"config\":[]}", ERR_FORMAT, "edit");
	refused(&r, d, "", 60000,
	    "{\"applications\":{\"set\":[{\"name\":\"x\""
	    "}]}}",
	    ERR_DENIED, "not ours");
	refused(&r, d, "", 60000, odd, ERR_DENIED,
	    "c.container line 8: ExecStartPre= not of an allowed form");
	spec = spec_of(&r, d);
	cr_assert_str_eq(spec, "{}");
	d = r.seen.listed[1];
	free(rig_tell(&r, "set-owner %s Fleet/x", d));
	refused(&r, d, "", 60000, set, ERR_DENIED, "owned by");
	d = r.seen.listed[2];
	free(rig_tell(&r, "await-reconnect %s", d));
	refused(&r, d, "", 60000, set, ERR_DENIED, "AwaitingReconnect");
	cr_assert_eq(rig_count(&r, "PUT /api/v1/devices/:name"), 0);
	rig_end(&r);
}

Test(serve, lost_answer_is_read_before_it_is_tried_again, .timeout = 60)
{
	struct rig r;
	const struct body_changed *m;
	AUTO_FREE char *one = set_app(1, "always");
	AUTO_FREE char *two = set_app(2, "always");

	rig_start(&r, OPTIONS("--devices", "1"));
	listed(&r);
	/* Stored, but its answer is cut. */
	free(rig_tell(&r, "cut-next PUT /api/v1/devices/* 20"));
	m = change(&r, r.seen.listed[0], one);
	cr_assert_eq(m->kind, ERR_NONE, "%s", m->text);
	cr_assert_eq(m->written, 1);
	/* Not stored. */
	free(rig_tell(&r, "fail-next PUT /api/v1/devices/* 500 1"));
	m = change(&r, r.seen.listed[0], two);
	cr_assert_eq(m->kind, ERR_NONE, "%s", m->text);
	cr_assert_eq(m->written, 1);
	/* Not to be stored. */
	free(rig_tell(&r, "fail-next PUT /api/v1/devices/* 500 9"));
	m = change(&r, r.seen.listed[0], "{\"applications\":{}}");
	cr_assert_eq(m->written, 0);
	free(two);
	two = set_app(3, "always");
	m = change(&r, r.seen.listed[0], two);
	cr_assert_eq(m->kind, ERR_AGAIN);
	rig_end(&r);
}

Test(serve, device_that_vanished_is_not_made_again, .timeout = 60)
{
	struct rig r;
	AUTO_FREE char *set = set_app(1, "always");
	AUTO_FREE char *name = NULL;
	AUTO_FREE char *spec = NULL;
	uint64_t id;

	rig_start(&r, OPTIONS("--devices", "1"));
	listed(&r);
	name = xstrdup(r.seen.listed[0]);
	free(rig_tell(&r, "latency 300"));
	id = rig_change(&r, name, "", 60000, 0, set);
	RIG_UNTIL(&r, rig_count(&r, "PUT /api/v1/devices/:name") == 1);
	free(rig_tell(&r, "delete-device %s", name));
	RIG_UNTIL(&r, rig_changed(&r, id) != NULL);
	cr_assert_eq(rig_changed(&r, id)->kind, ERR_GONE);
	cr_assert_eq(rig_changed(&r, id)->code, 201);
	/* Flightctl made one all the same: nothing of ours is in it. */
	spec = spec_of(&r, name);
	cr_assert_str_eq(spec, "{\"applications\":[]}");
	rig_end(&r);
}

Test(serve, outage_is_told_and_its_end_brings_a_new_list, .timeout = 60)
{
	struct rig r;
	unsigned int complete;

	rig_start(&r, OPTIONS("--devices", "2"));
	rig_set(&r, SET_RESYNC_INTERVAL, "5s");
	listed(&r);
	free(rig_tell(&r, "down"));
	(void)rig_read(&r, r.seen.listed[0], READ_MOTION);
	(void)rig_read(&r, r.seen.listed[1], READ_WRITE);
	RIG_UNTIL(&r, r.seen.state == 0);
	cr_assert_neq(r.seen.state_text[0], '\0');
	complete = r.seen.complete;
	free(rig_tell(&r, "up"));
	RIG_UNTIL(&r, r.seen.state == 1);
	RIG_UNTIL(&r, r.seen.complete > complete);
	rig_end(&r);
}

Test(serve, limit_of_the_service_is_obeyed_without_an_error, .timeout = 60)
{
	struct rig r;
	AUTO_FREE char *names = NULL;
	uint32_t rate;
	uint64_t id;

	rig_start(&r, OPTIONS("--devices", "3"));
	listed(&r);
	rate = (uint32_t)r.settings.number[SET_FLIGHTCTL_RATE];
	cr_assert_eq(r.seen.rate, rate);
	free(rig_tell(&r, "rate 1 2000"));
	id = rig_read(&r, r.seen.listed[0], READ_WRITE);
	RIG_UNTIL(&r, rig_done(&r, id));
	names = xasprintf("%s\n%s\n", r.seen.listed[1], r.seen.listed[2]);
	id = rig_read(&r, names, READ_WRITE);
	RIG_UNTIL(&r, rig_done(&r, id));
	cr_assert_eq(rig_done(&r, id)->kind, ERR_NONE);
	cr_assert_eq(r.seen.read, 3);
	cr_assert_eq(r.seen.state, 1);
	/* And the placer knows that there are fewer from then on. */
	RIG_UNTIL(&r, r.seen.rate > 0 && r.seen.rate < rate);
	rig_end(&r);
}

Test(serve, device_that_moves_is_told_between_full_lists, .timeout = 60)
{
	struct rig r;
	size_t before;

	rig_start(&r, OPTIONS("--devices", "3", "--disconnect-ms", "500"));
	rig_set(&r, SET_STATUS_POLL_INTERVAL, "1s");
	listed(&r);
	free(rig_tell(&r, "reset-counts"));
	RIG_UNTIL(&r, rig_count(&r, "GET /api/v1/events") >= 1);
	before = r.seen.nlisted;
	free(rig_tell(&r, "disconnect %s", r.seen.listed[1]));
	RIG_UNTIL(&r,
	    r.seen.nlisted > before &&
		strstr(r.seen.last, "\"status\":\"Unknown\"") != NULL);
	cr_assert_eq(r.seen.begins, 1);
	rig_end(&r);
}

/* The oldest of more than a page: a device that changed once. */
Test(serve, events_are_read_to_the_last_page, .timeout = 60)
{
	enum {
		BURST = 1200
	}; /* Flightctl gives 1000 at once */
	struct rig r;
	unsigned int i;

	rig_start(&r, OPTIONS("--devices", "2", "--labels", "fleet=a"));
	rig_set(&r, SET_FLEET_ID, "a");
	rig_set(&r, SET_STATUS_POLL_INTERVAL, "1s");
	listed(&r);
	free(rig_tell(&r, "reset-counts"));
	RIG_UNTIL(&r, rig_count(&r, "GET /api/v1/events") >= 1);
	free(rig_tell(&r, "set-labels %s fleet=a,seen=once", r.seen.listed[0]));
	for (i = 0; i < BURST; i++)
		free(rig_tell(&r, "set-labels %s fleet=a,seen=n%u",
		    r.seen.listed[1], i));
	r.seen.nlisted = 0;
	RIG_UNTIL(&r, r.seen.nlisted >= 2);
	cr_assert_eq(r.seen.begins, 1);
	cr_assert_str_neq(r.seen.listed[0], r.seen.listed[1]);
	rig_end(&r);
}
