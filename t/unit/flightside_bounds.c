/* SPDX-License-Identifier: ISC */
/*
 * What flightside writes to no device whoever asks for it, as if the placer
 * were in the wrong hands: each is answered, counted by its reason, and asks
 * nothing more of Flightctl.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/mark.h"
#include "common/xmem.h"
#include "flightside/fetch.h"
#include "flightside/fleets.h"
#include "flightside/put.h"
#include "t/unit/flightfake.h"

#define CLUSTER "c"

static struct fleets *fleets;
static struct fetch *fetch;
static struct put *put;
static unsigned int answers;
static struct body_changed answer;

static void
on_answer(uint64_t id, const struct body_changed *m, void *arg)
{
	(void)id, (void)arg;
	answer = *m;
	answers++;
}

static void
open_put(void)
{
	struct why why;

	fake_open();
	fleets = fleets_new(&fake.settings, &why);
	fetch = fetch_new(fake.base, fake.flight);
	put = put_new(&(struct put_parts){ fake.base, fake.flight, fetch,
			  fleets },
	    &fake.settings, on_answer, NULL);
}

static void
stop(void)
{
	put_free(put);
	fetch_free(fetch);
	fleets_free(fleets);
	fake_stop();
}

/* An element of applications that the policy admits; caller frees. */
static char *
app(unsigned int i)
{
	char name[MAX_APP + 1], uid[40];

	(void)snprintf(uid, sizeof(uid), "%08x-1111-2222-3333-444455556666", i);
	cr_assert_eq(mark_name(CLUSTER, "default", "web", uid, name), 0);
	return xasprintf("{\"name\":\"%s\",\"appType\":\"quadlet\",\"inline\":["
			 "{\"path\":\"c.container\",\"content\":\"[Container]"
			 "\\nContainerName=c\\nImage=quay.io/a/b:1\\n\"}]}",
	    name);
}

static char *
apps(unsigned int from, unsigned int n)
{
	char *all = xstrdup("");

	for (; n > 0; n--, from++) {
		AUTO_FREE char *old = all, *one = app(from);

		all = xasprintf("%s%s%s", old, *old == '\0' ? "" : ",", one);
	}
	return all;
}

static void
ask(const char *device, int64_t for_ms, const char *edit)
{
	struct body_change m = { .edit = span_of(edit) };

	(void)snprintf(m.device, sizeof(m.device), "%s", device);
	m.until_boot = (uint64_t)(now_read().boot_ms + for_ms);
	answers = 0;
	put_change(put, 7, &m);
}

/* Of the fleet, with these applications. */
static void
reply(const char *device, const char *fleet, const char *has)
{
	AUTO_FREE char *text = xasprintf(
	    "{\"metadata\":{\"name\":\"%s\",\"labels\":{\"fleet\":\"%s\"},"
	    "\"generation\":1,\"resourceVersion\":\"1\",\"creationTimestamp\":"
	    "\"2026-01-01T00:00:00Z\"},\"spec\":{\"applications\":[%s]}}",
	    device, fleet, has);

	(void)fake_asked();
	fake_reply(200, text);
}

static void
is_refused(enum refusal what, enum why_kind kind, const char *text)
{
	static uint64_t before[REFUSAL_KINDS];
	struct body_budget m = { 0 };
	unsigned int i;

	FAKE_UNTIL(answers > 0);
	cr_expect_eq(answer.kind, kind, "%s: %s", why_name(answer.kind),
	    answer.text);
	cr_expect_not_null(strstr(answer.text, text), "%s", answer.text);
	put_budget(put, &m);
	for (i = 0; i < REFUSAL_KINDS; i++)
		cr_expect_eq(m.refused[i], before[i] + (i == what), "%s: %u",
		    text, i);
	memcpy(before, m.refused, sizeof(before));
	cr_expect_eq(fake.puts, 0);
	cr_expect_eq(fake.nasked, 0);
}

static void
is_written(const char *device, const char *fleet, const char *has)
{
	cr_assert_eq(strncmp(fake_asked(), "PUT ", 4), 0, "%s", fake_asked());
	reply(device, fleet, has);
	FAKE_UNTIL(answers > 0);
	cr_assert_eq(answer.kind, ERR_NONE, "%s", answer.text);
}

#define SET "{\"applications\":{\"set\":[%s]}}"

static void
set(const char *device, const char *fleet, unsigned int from, unsigned int n,
    unsigned int has)
{
	AUTO_FREE char *more = apps(from, n), *old = apps(0, has);
	AUTO_FREE char *edit = xasprintf(SET, more);

	ask(device, FAKE_PATIENCE_MS, edit);
	reply(device, fleet, old);
}

Test(bounds, each_reason, .timeout = 60)
{
	AUTO_FREE char *one = app(1);
	AUTO_FREE char *edit = xasprintf(SET, one);
	AUTO_FREE char *odd = xasprintf(SET, "{\"name\":\"theirs\"}");

	fake_start();
	fake_set(SET_FLEET_ID, "a");
	open_put();
	ask("d", FAKE_PATIENCE_MS, edit);
	is_refused(REFUSAL_WRITER, ERR_DENIED, "no cluster id yet");
	cr_assert_eq(put_cluster(put, CLUSTER), 0);
	ask("d", -1, edit);
	is_refused(REFUSAL_WRITER, ERR_DENIED, "not the writer");
	ask("../d", FAKE_PATIENCE_MS, edit);
	is_refused(REFUSAL_MALFORMED, ERR_FORMAT, "not the name of a device");
	ask("d", FAKE_PATIENCE_MS, "{");
	is_refused(REFUSAL_MALFORMED, ERR_FORMAT, "edit");
	ask("d", FAKE_PATIENCE_MS, edit);
	reply("d", "b", "");
	is_refused(REFUSAL_FLEET, ERR_DENIED, "none of our fleets");
	ask("d", FAKE_PATIENCE_MS, odd);
	reply("d", "a", "");
	is_refused(REFUSAL_POLICY, ERR_DENIED, "not ours");
	stop();
}

/* As many as DEVICE_MAX_PODS; those that are there may change and go. */
Test(bounds, pods_of_a_device, .timeout = 60)
{
	fake_start();
	fake_set(SET_FLEET_ID, "a");
	fake_set(SET_DEVICE_MAX_PODS, "3");
	open_put();
	cr_assert_eq(put_cluster(put, CLUSTER), 0);
	set("d", "a", 2, 2, 2);
	is_refused(REFUSAL_SIZE, ERR_LIMIT, "applications: over 3 of ours");
	set("d", "a", 5, 1, 4);
	is_refused(REFUSAL_SIZE, ERR_LIMIT, "applications: over 3 of ours");
	set("d", "a", 2, 1, 2);
	is_written("d", "a", "");
	stop();
}

/* CHANGE_DEVICES: of each fleet so many, those again, no others. */
Test(bounds, devices_of_a_fleet, .timeout = 60)
{
	fake_start();
	fake_set(SET_FLEET_ID, "a,b");
	fake_set(SET_CHANGE_DEVICES, "2");
	open_put();
	cr_assert_eq(put_cluster(put, CLUSTER), 0);
	set("d1", "a", 1, 1, 0);
	is_written("d1", "a", "");
	set("d2", "a", 1, 1, 0);
	is_written("d2", "a", "");
	fake.puts = 0;
	set("d3", "a", 1, 1, 0);
	is_refused(REFUSAL_DEVICES, ERR_LIMIT, "CHANGE_DEVICES");
	/* Nor does it take anything away there. */
	{
		AUTO_FREE char *one = app(0);
		AUTO_FREE char *cut =
		    xasprintf("{\"applications\":{\"cut\":[\"%.*s\"]}}",
			(int)strcspn(one + 9, "\""), one + 9);

		ask("d3", FAKE_PATIENCE_MS, cut);
		reply("d3", "a", one);
		is_refused(REFUSAL_DEVICES, ERR_LIMIT, "CHANGE_DEVICES");
	}
	set("d1", "a", 2, 1, 1);
	is_written("d1", "a", "");
	set("d3", "b", 1, 1, 0);
	is_written("d3", "b", "");
	/* What changes nothing is no change. */
	set("d4", "a", 0, 1, 1);
	FAKE_UNTIL(answers > 0);
	cr_assert_eq(answer.kind, ERR_NONE);
	/* SIGHUP. */
	fake_set(SET_CHANGE_DEVICES, "3");
	put_reload(put, &fake.settings);
	set("d4", "a", 1, 1, 0);
	is_written("d4", "a", "");
	stop();
}
