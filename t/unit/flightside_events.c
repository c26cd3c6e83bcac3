/* SPDX-License-Identifier: ISC */
/*
 * What is read between two full lists: every event once, from where it was
 * read to, whatever fails in between; and how many devices at most.
 */
#include "flightside/events.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/bytes.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "flightside/fleets.h"
#include "t/unit/flightfake.h"
#include "t/unit/leap.h"
#include "t/unit/said.h"

enum {
	PAGE = 1000,
	AT_MOST = 2000, /* devices of one look */
	TRIES = 3,
};

static struct fleets *fleets;
static struct events *events;
static unsigned int told; /* devices */
static char last[64];

static void
on_device(struct span device, int64_t read_boot, void *arg)
{
	(void)read_boot, (void)arg;
	told++;
	cr_assert_eq(scan_get_string(device, last, sizeof(last), "metadata",
			 "name", NULL),
	    1);
}

/* -- what Flightctl says -- */

static void
add_event(struct bytes *b, unsigned int number, const char *device,
    unsigned int second)
{
	AUTO_FREE char *event = xasprintf(
	    "%s{\"metadata\":{\"name\":\"e%u\",\"creationTimestamp\":"
	    "\"2026-01-01T10:%02u:%02uZ\"},\"involvedObject\":{\"kind\":"
	    "\"Device\",\"name\":\"%s\"}}",
	    b->len > 0 ? "," : "", number, second / 60, second % 60, device);

	bytes_add_text(b, event);
}

static void
reply_list(const struct bytes *items, const char *next)
{
	AUTO_FREE char *text =
	    xasprintf("{\"items\":[%.*s],\"metadata\":{%s%s%s}}",
		(int)items->len, items->p == NULL ? "" : items->p,
		*next != '\0' ? "\"continue\":\"" : "", next,
		*next != '\0' ? "\"" : "");

	fake_reply(200, text);
}

static void
reply_event(unsigned int number, const char *device, unsigned int second,
    const char *next)
{
	AUTO_BYTES struct bytes b = { NULL, 0, 0 };

	add_event(&b, number, device, second);
	reply_list(&b, next);
}

static void
reply_nothing(void)
{
	const struct bytes none = { NULL, 0, 0 };

	reply_list(&none, "");
}

static void
reply_device(const char *name)
{
	AUTO_BYTES struct bytes b = { NULL, 0, 0 };
	AUTO_FREE char *device =
	    xasprintf("{\"metadata\":{\"name\":\"%s\"}}", name);
	unsigned int before = told;

	bytes_add_text(&b, device);
	reply_list(&b, "");
	FAKE_UNTIL(told > before);
	cr_assert_str_eq(last, name);
}

/* -- what is asked -- */

static void
asks_events(const char *since, const char *next)
{
	AUTO_FREE char *want =
	    xasprintf("GET events?org_id=" FAKE_ORG "&order=desc&limit=1000"
		      "&fieldSelector=involvedObject.kind=Device,"
		      "metadata.creationTimestamp>=2026-01-01T%s.000000Z%s%s",
		since, *next != '\0' ? "&continue=" : "", next);

	cr_assert_str_eq(fake_asked(), want);
}

static void
asks_devices(const char *names)
{
	AUTO_FREE char *want = xasprintf("GET devices?org_id=" FAKE_ORG
					 "&fieldSelector=metadata.name in (%s)",
	    names);

	cr_assert_str_eq(fake_asked(), want);
}

/* The newest event is of 10:01:00: an overlap of 15 s before it counts. */
static void
start(void)
{
	struct why why;

	told = 0;
	fake_start();
	fake_set(SET_STATUS_POLL_INTERVAL, "1s");
	fake_set(SET_FLIGHTCTL_RATE, "100000");
	fake_open();
	fleets = fleets_new(&fake.settings, &why);
	events = events_new(fake.base, fake.flight, fleets, &fake.settings,
	    on_device, NULL);
	events_start(events);
	cr_assert_str_eq(fake_asked(),
	    "GET events?org_id=" FAKE_ORG "&order=desc&limit=1"
	    "&fieldSelector=involvedObject.kind=Device");
	reply_event(0, "old", 60, "more");
	leap(1);
}

static void
stop(void)
{
	leap(0);
	events_free(events);
	fleets_free(fleets);
	fake_stop();
}

Test(events, are_read_again_from_where_they_could_not_be, .timeout = 60)
{
	AUTO_BYTES struct bytes again = { NULL, 0, 0 };

	start();
	asks_events("10:00:45", "");
	reply_event(2, "b", 90, "page-2");
	asks_events("10:00:45", "page-2");
	fake_reply(500, "{\"message\":\"broken\"}");
	/* What is known is looked at all the same. */
	asks_devices("b");
	reply_device("b");
	asks_events("10:00:45", "");
	add_event(&again, 3, "c", 91);
	add_event(&again, 2, "b", 90);
	add_event(&again, 1, "a", 70);
	reply_list(&again, "");
	asks_devices("a,c");
	reply_device("c");
	/* Only now they have been read to the end. */
	asks_events("10:01:16", "");
	reply_nothing();
	stop();
}

Test(events, of_devices_that_could_not_be_read_are_kept, .timeout = 60)
{
	start();
	asks_events("10:00:45", "");
	reply_event(1, "a", 70, "");
	asks_devices("a");
	fake_reply(503, "{\"message\":\"away\"}");
	asks_events("10:00:55", "");
	reply_event(2, "b", 80, "");
	asks_devices("b,a");
	reply_device("a");
	asks_events("10:01:05", "");
	reply_nothing();
	stop();
}

/* Not for ever, and not at all what the service does not want to answer. */
Test(events, of_devices_that_cannot_be_read_are_left_to_the_full_list,
    .timeout = 60)
{
	int i;

	start();
	for (i = 0; i < TRIES; i++) {
		asks_events(i == 0 ? "10:00:45" : "10:00:55", "");
		reply_event(1, "a", 70, "");
		asks_devices("a");
		fake_reply(500, "{\"message\":\"broken\"}");
	}
	asks_events("10:00:55", "");
	reply_event(2, "b", 80, "");
	asks_devices("b");
	fake_reply(400, "{\"message\":\"no\"}");
	asks_events("10:01:05", "");
	reply_event(3, "c", 90, "");
	asks_devices("c");
	reply_device("c");
	stop();
}

/* -- what is no list of events -- */

#define ONLY                                                            \
	"events of Flightctl cannot be read: devices are looked at in " \
	"full lists only: "
#define CONTINUE \
	"list of events: metadata.continue is no text of less than 1024 bytes"
#define DENIED \
	"403 Forbidden: the token may not list events in organization " \
	FAKE_ORG ": a role that may is flightctl-operator"

/* Once: what comes again and again, or is a right that is missing. */
Test(events, that_cannot_be_read_are_told, .timeout = 60)
{
	static const struct {
		unsigned int status;
		const char *body, *log;
	} answers[] = {
		{ 200, "{\"items\":[],\"metadata\":{\"continue\":7}}", "" },
		{ 200, "{\"items\":[],\"metadata\":{\"continue\":7}}",
		    ONLY CONTINUE "\n" },
		{ 200, "{\"items\":[]}", "" },
		{ 403, "{\"message\":\"Forbidden\"}", ONLY DENIED "\n" },
		{ 403, "{\"message\":\"Forbidden\"}", "" },
	};
	size_t i;

	start();
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		asks_events("10:00:45", "");
		said_start();
		fake_reply(answers[i].status, answers[i].body);
		/* It is told when the next is asked for. */
		(void)fake_asked();
		cr_expect_str_eq(said(), answers[i].log);
	}
	said_stop();
	stop();
}

/* -- a crowd -- */

static void
reply_page(unsigned int page)
{
	AUTO_BYTES struct bytes b = { NULL, 0, 0 };
	AUTO_FREE char *next = xasprintf("page-%u", page + 1);
	unsigned int i;

	for (i = page * PAGE; i < (page + 1) * PAGE; i++) {
		AUTO_FREE char *device = xasprintf("d%u", i);

		add_event(&b, 1 + i, device, 3000 - i);
	}
	reply_list(&b, next);
}

/* The names in a request, all of them those of the first two pages. */
static unsigned int
names_asked(void)
{
	const char *at = strchr(fake_asked(), '(');
	unsigned int n = 0;
	char *end;

	cr_assert_not_null(at, "%s", fake_asked());
	do {
		cr_assert_eq(at[1], 'd');
		cr_assert_lt(strtoul(at + 2, &end, 10), AT_MOST);
		at = end;
		n++;
	} while (*at == ',');
	cr_assert_leq(n, EVENTS_NAMES);
	return n;
}

Test(events, of_more_than_two_thousand_devices_the_newest_count, .timeout = 60)
{
	unsigned int n = 0;

	start();
	asks_events("10:00:45", "");
	reply_page(0);
	asks_events("10:00:45", "page-1");
	reply_page(1);
	while (n < AT_MOST) {
		n += names_asked();
		reply_nothing();
	}
	cr_assert_eq(n, AT_MOST);
	/* The third page is left to the full list. */
	asks_events("10:49:45", "");
	reply_nothing();
	stop();
}
