/* SPDX-License-Identifier: ISC */
/*
 * What vkfctl explain says: that it is what decides, and that its numbers are
 * those of the world.
 */
#include "placer/explain.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h"
#include "placer/pick.h"
#include "t/unit/fleet.h"
#include "t/unit/leaks.h"

enum {
	MANY = 60,
	NOW_MS = 10 * 60 * 1000,
};

static const struct now at = { NOW_MS, NOW_MS };

static char *
explained(const struct world *w, const char *pod, const char *device)
{
	struct answer a;
	int rc;

	answer_begin(&a);
	rc = pod != NULL ? explain_pod(&a, w, pod, at) :
			   explain_device(&a, w, device, at);
	cr_expect_eq(rc, a.n > 0 ? 0 : -1);
	return answer_end(&a);
}

static void
says(const struct world *w, const char *pod, const char *device,
    const char *want)
{
	AUTO_FREE char *text = explained(w, pod, device);

	cr_expect(strstr(text, want) != NULL, "%s is not in\n%s", want, text);
}

/* The n-th row about that, as its member says; NULL: there are not so many. */
static char *
member(const char *text, const char *about, int n, const char *key)
{
	const char *line, *end;

	for (line = strchr(text, '\n') + 1; *line != '\0'; line = end + 1) {
		AUTO_JSON struct json_object *row = NULL;
		struct why why;

		end = strchr(line, '\n');
		row = jread_parse((struct span){ line, (size_t)(end - line) },
		    &why);
		cr_assert_not_null(row, "%s", why.text);
		if (strcmp(jread_string(jread_member(row, "about")), about) !=
			0 ||
		    n-- > 0)
			continue;
		return strdup(jread_string(jread_member(row, key)));
	}
	return NULL;
}

static void
add(struct world *w, const char *name, int cores, int mib, const char *summary)
{
	fleet_add(w,
	    &(struct fleet_device){ name, cores, mib, NULL, NULL, summary });
}

Test(explain, a_pod_that_waits_is_told_each_device_with_its_rule)
{
	struct world *w = fleet_world();

	add(w, "big", 8, 8192, NULL);
	add(w, "away", 8, 8192, "Unknown");
	add(w, "even", 8, 8192, NULL);
	add(w, "small", 1, 8192, NULL);
	add(w, "tight", 4, 512, NULL);
	fleet_add(w,
	    &(struct fleet_device){ "taken", 8, 8192, NULL, "Fleet/x", NULL });
	world_seat(w, fleet_pod(w, "other", "0", "0", NULL, NULL),
	    world_device(w, "even"));
	fleet_pod(w, "p", "2", "1Gi", NULL, NULL);
	says(w, "default/p", NULL,
	    "\"about\":\"pod\",\"name\":\"default/p\",\"rule\":15,"
	    "\"verdict\":\"WAITING\",\"left-s\":null,\"text\":\"CHOOSE: ");
	says(w, "default/p", NULL,
	    "{\"about\":\"candidate\",\"name\":\"big\",\"rule\":7,\"verdict\":"
	    "\"fit\",\"left-s\":null,\"text\":\"5. of its controller 0, "
	    "6. tenths left 8, 7. workloads 0, 8. preferred 0\"}\n"
	    "{\"about\":\"candidate\",\"name\":\"even\",\"rule\":7,\"verdict\":"
	    "\"fit\",\"left-s\":null,\"text\":\"after big: 5. of its "
	    "controller 0, 6. tenths left 8, 7. workloads 1, 8. preferred "
	    "0\"}\n"
	    "{\"about\":\"candidate\",\"name\":\"away\",\"rule\":3,"
	    "\"verdict\":\"disconnected\",\"left-s\":null,\"text\":\"Unknown, "
	    "read 599 s ago\"}\n"
	    "{\"about\":\"candidate\",\"name\":\"small\",\"rule\":4,"
	    "\"verdict\":\"no room for CPU\",\"left-s\":null,\"text\":\"1 CPU "
	    "free, requested 2\"}\n"
	    "{\"about\":\"candidate\",\"name\":\"taken\",\"rule\":2,"
	    "\"verdict\":\"owned by a Fleet\",\"left-s\":null,\"text\":\"owned "
	    "by Fleet/x\"}\n"
	    "{\"about\":\"candidate\",\"name\":\"tight\",\"rule\":4,"
	    "\"verdict\":\"no room for memory\",\"left-s\":null,\"text\":"
	    "\"512Mi memory free, requested 1024Mi\"}\n");
	fleet_free(w);
	NO_LEAKS();
}

Test(explain, of_many_devices_the_nearest_is_named_and_the_others_counted)
{
	struct world *w = fleet_world();
	AUTO_FREE char *text = NULL;
	char name[16];
	int i;

	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "d%02d", i);
		add(w, name, i < 30 ? 8 : 1, i == 40 ? 9000 : 8192,
		    i >= 50 ? "Unknown" : NULL);
	}
	world_seat(w, fleet_pod(w, "half", "500m", "0", NULL, NULL),
	    world_device(w, "d30"));
	fleet_pod(w, "p", "2", "1Gi", NULL, NULL);
	text = explained(w, "default/p", NULL);
	says(w, "default/p", NULL,
	    "{\"about\":\"candidates\",\"name\":\"\",\"rule\":null,\"verdict\":"
	    "\"fit\",\"left-s\":null,\"text\":\"20 more, after these\"}\n"
	    "{\"about\":\"candidates\",\"name\":\"d50\",\"rule\":3,\"verdict\":"
	    "\"disconnected\",\"left-s\":null,\"text\":\"10 devices, the "
	    "nearest: Unknown, read 599 s ago\"}\n"
	    "{\"about\":\"candidates\",\"name\":\"d31\",\"rule\":4,\"verdict\":"
	    "\"no room for CPU\",\"left-s\":null,\"text\":\"20 devices, the "
	    "nearest: 1 CPU free, requested 2\"}\n");
	fleet_free(w);
	NO_LEAKS();
}

/* Over random worlds: the first candidate is the choice, or there is none. */
Test(explain, the_first_candidate_is_the_choice)
{
	struct pick_answer a;
	unsigned int seed, s;
	char name[16], who[32], cpu[16];
	struct world *w;
	struct wpod *p;
	int i;

	for (seed = s = 1; seed <= 30; seed++) {
		w = fleet_world();
		for (i = 0; i < 30; i++) {
			snprintf(name, sizeof(name), "d%02d", i);
			fleet_add(w,
			    &(struct fleet_device){ name, 1 + rand_r(&s) % 3,
				1024, NULL,
				rand_r(&s) % 4 == 0 ? "Fleet/x" : NULL,
				rand_r(&s) % 4 == 0 ? "Unknown" : NULL });
		}
		for (i = 0; i < 40; i++) {
			AUTO_FREE char *text = NULL, *first = NULL, *is = NULL;

			snprintf(name, sizeof(name), "p%d", i);
			snprintf(who, sizeof(who), "default/%s", name);
			snprintf(cpu, sizeof(cpu), "%dm", rand_r(&s) % 1500);
			p = fleet_pod(w, name, cpu, "1Mi",
			    rand_r(&s) % 2 ? "set" : NULL, NULL);
			text = explained(w, who, NULL);
			pick_device(&w->nodes[0], p, 1, &a);
			first = member(text, "candidate", 0, "name");
			is = member(text, "candidate", 0, "verdict");
			if (a.device == NULL) {
				cr_assert(is == NULL || strcmp(is, "fit") != 0);
				continue;
			}
			cr_assert_str_eq(is, "fit");
			cr_assert_str_eq(first, a.device->name);
			world_seat(w, p, a.device);
		}
		fleet_free(w);
	}
}

Test(explain, a_lost_pod_is_told_its_clock)
{
	struct world *w = fleet_world();
	struct wdevice *d;
	struct wpod *p;

	add(w, "a", 8, 8192, "Unknown");
	d = world_device(w, "a");
	p = fleet_pod(w, "p", "1", "1Gi", NULL, NULL);
	world_seat(w, p, d);
	w->flight_reachable = w->flight_up = 1;
	d->unknown_boot = NOW_MS - 160 * 1000;
	d->away_boot = NOW_MS - 100 * 1000;
	says(w, "default/p", NULL,
	    "\"about\":\"clock\",\"name\":\"reconnect\",\"rule\":null,"
	    "\"verdict\":\"runs\",\"left-s\":200,");
	says(w, "default/p", NULL,
	    "\"about\":\"device\",\"name\":\"a\",\"rule\":null,\"verdict\":"
	    "\"AWAY\",");
	d->node->brake = 1;
	says(w, "default/p", NULL,
	    "\"name\":\"reconnect\",\"rule\":null,\"verdict\":\"stopped\","
	    "\"left-s\":null,\"text\":\"the brake is on");
	w->flight_reachable = 0;
	says(w, "default/p", NULL, "\"text\":\"Flightctl does not answer");
	p->pod->reconnect_ms = RECONNECT_NEVER;
	says(w, "default/p", NULL, "\"text\":\"the pod waits for its device");
	fleet_free(w);
	NO_LEAKS();
}

Test(explain, what_is_waited_for_is_said)
{
	struct world *w = fleet_world();
	struct wpod *p;

	add(w, "a", 8, 8192, NULL);
	p = fleet_pod(w, "p", "1", "1Gi", NULL, NULL);
	p->why_reason = "InsufficientResources";
	p->why_waits = strdup("so it is");
	p->fault = strdup("no such image");
	p->fault_reason = "ErrImagePull";
	p->tries = 3;
	p->retry_boot = NOW_MS + 20500;
	says(w, "default/p", NULL,
	    "\"about\":\"waits\",\"name\":\"\",\"rule\":null,\"verdict\":"
	    "\"InsufficientResources\",\"left-s\":null,\"text\":\"so it is\"");
	says(w, "default/p", NULL,
	    "\"verdict\":\"ErrImagePull\",\"left-s\":null,\"text\":\"no such "
	    "image (tries that failed: 3)\"");
	says(w, "default/p", NULL,
	    "\"about\":\"clock\",\"name\":\"retry\",\"rule\":null,\"verdict\":"
	    "\"runs\",\"left-s\":21,");
	fleet_free(w);
	NO_LEAKS();
}

Test(explain, a_device_says_each_rule_and_what_is_there)
{
	struct world *w = fleet_world();

	fleet_add(w,
	    &(struct fleet_device){ "a", 4, 1024, NULL, "Fleet/x", "Unknown" });
	world_seat(w, fleet_pod(w, "p", "1500m", "256Mi", NULL, NULL),
	    world_device(w, "a"));
	says(w, NULL, "a",
	    "{\"about\":\"device\",\"name\":\"a\",\"rule\":2,\"verdict\":"
	    "\"owned by a Fleet\",");
	says(w, NULL, "a",
	    "\"name\":\"placeable\",\"rule\":2,\"verdict\":\"owned by a "
	    "Fleet\",\"left-s\":null,\"text\":\"Unknown, read 599 s ago; owned "
	    "by Fleet/x\"");
	says(w, NULL, "a",
	    "\"name\":\"connected\",\"rule\":3,\"verdict\":\"disconnected\"");
	says(w, NULL, "a",
	    "\"name\":\"cpu\",\"rule\":4,\"verdict\":\"2.5\",\"left-s\":null,"
	    "\"text\":\"2.5 CPU free of 4\"");
	says(w, NULL, "a", "\"text\":\"768Mi memory free of 1024Mi\"");
	says(w, NULL, "a", "\"text\":\"pods: 1, at most 50\"");
	says(w, NULL, "a",
	    "{\"about\":\"pod\",\"name\":\"default/p\",\"rule\":18,");
	fleet_free(w);
	NO_LEAKS();
}

Test(explain, what_is_not_there_is_not_explained)
{
	struct world *w = fleet_world();

	fleet_pod(w, "p", "1", "1Mi", NULL, NULL);
	says(w, "default/q", NULL, "ok 0\n");
	says(w, "default/", NULL, "ok 0\n");
	says(w, "p", NULL, "ok 0\n");
	says(w, "/p", NULL, "ok 0\n");
	says(w, NULL, "a", "ok 0\n");
	fleet_free(w);
	NO_LEAKS();
}
