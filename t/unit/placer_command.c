/* SPDX-License-Identifier: ISC */
/*
 * What vkfctl asks and is answered.
 */
#include "placer/command.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h"
#include "common/layer.h"
#include "common/xmem.h"
#include "placer/effects.h"
#include "placer/former.h"
#include "placer/orders.h"
#include "placer/told.h"
#include "t/unit/fleet.h"
#include "t/unit/leaks.h"

static char *
ask(const struct world *w, const char *line)
{
	return command_answer(&(struct command){ .world = w,
				  .now = { 60000, 60000 } },
	    line);
}

static void
answers(const struct world *w, const char *line, const char *want)
{
	char *text = ask(w, line);

	cr_expect_str_eq(text, want);
	free(text);
}

Test(command, devices_come_by_name_with_their_room)
{
	struct world *w = fleet_world();

	fleet_add(w,
	    &(struct fleet_device){ "b", 2, 1024, NULL, "Fleet/x", NULL });
	fleet_add(w,
	    &(struct fleet_device){ "a", 4, 2048, NULL, NULL, "Unknown" });
	answers(w, "devices",
	    "ok 2\n"
	    "{\"device\":\"a\",\"fleet\":\"\",\"status\":\"Unknown\","
	    "\"placeable\":\"disconnected\",\"pods\":0,\"cpu-free-m\":4000,"
	    "\"cpu-m\":4000,\"memory-free\":2147483648,"
	    "\"memory\":2147483648}\n"
	    "{\"device\":\"b\",\"fleet\":\"\",\"status\":\"Online\","
	    "\"placeable\":\"owned by a Fleet\",\"pods\":0,"
	    "\"cpu-free-m\":2000,\"cpu-m\":2000,\"memory-free\":1073741824,"
	    "\"memory\":1073741824}\n");
	fleet_free(w);
	NO_LEAKS();
}

Test(command, a_pod_says_where_it_is)
{
	struct world *w = fleet_world();
	struct wdevice *d;
	struct wpod *p;
	char *text;

	d = fleet_add(w,
	    &(struct fleet_device){ "a", 4, 2048, NULL, NULL, NULL });
	p = fleet_pod(w, "web", "1", "1Mi", NULL, NULL);
	text = ask(w, "pods");
	cr_expect(strstr(text, "\"pod\":\"web\"") != NULL, "%s", text);
	cr_expect(strstr(text, "\"device\":\"\"") != NULL, "%s", text);
	free(text);
	world_seat(w, p, d);
	text = ask(w, "pods");
	cr_expect(strncmp(text, "ok 1\n", 5) == 0, "%s", text);
	cr_expect(strstr(text, "\"device\":\"a\"") != NULL, "%s", text);
	free(text);
	fleet_free(w);
	NO_LEAKS();
}

Test(command, what_is_no_command_is_refused)
{
	struct world *w = fleet_world();

	answers(w, "", "error no such command\n");
	answers(w, "device", "error no such command\n");
	answers(w, "devicess", "error no such command\n");
	answers(w, "devices a", "error it takes no arguments\n");
	answers(w, "pods", "ok 0\n");
	fleet_free(w);
	NO_LEAKS();
}

/* -- orders ---------------------------------------------------------------- */

static enum order_verdict
take(void *arg, const struct order *o, char text[MAX_TEXT])
{
	struct effects fx = { NULL, 0, 0 };
	enum order_verdict v;

	v = orders_take(arg, o, (struct now){ 60000, 60000 }, &fx, text);
	effects_clear(&fx);
	return v;
}

static void
ordered(struct world *w, const char *line, const char *want)
{
	char *text = command_answer(&(struct command){ .world = w,
					.now = { 60000, 60000 },
					.uid = 1000,
					.order = take,
					.arg = w },
	    line);

	cr_expect(strncmp(text, want, strlen(want)) == 0, "%s: %s", line, text);
	free(text);
}

Test(command, an_order_is_asked_about_carried_out_once_and_says_by_whom)
{
	struct world *w = fleet_world();
	struct wdevice *d;

	d = fleet_add(w,
	    &(struct fleet_device){ "a", 4, 2048, NULL, NULL, NULL });
	ordered(w, "yes drain a",
	    "error this provider does not hold the Lease of node ");
	w->nodes[0].until_boot = 70000;
	ordered(w, "drain a",
	    "ask device a takes no new pods; those that ran "
	    "there (at most 0) are evicted, at most 10 a "
	    "minute\n");
	cr_expect_not(d->drained.on, "only asked");
	ordered(w, "yes drain a",
	    "ok 1\n{\"order\":\"drain\",\"name\":\"a\",\"result\":\"done\",");
	cr_expect(d->drained.on && d->drained.uid == 1000);
	answers(w, "explain device b", "none no such device\n");
	ordered(w, "drain a",
	    "ok 1\n{\"order\":\"drain\",\"name\":\"a\",\"result\":"
	    "\"already\",\"text\":\"drained already, by uid 1000, 1970-01-01T"
	    "00:01:00");
	ordered(w, "yes undrain a", "ok 1\n");
	cr_expect_not(d->drained.on);
	ordered(w, "yes undrain a",
	    "ok 1\n{\"order\":\"undrain\",\"name\":\"a\",\"result\":"
	    "\"already\"");
	fleet_free(w);
	NO_LEAKS();
}

static enum log_level told;
static uint32_t told_by;

static int
tell(enum log_level level, uint32_t uid)
{
	told = level;
	told_by = uid;
	return uid == 0 ? -1 : 0;
}

static void
logs(struct world *w, uint32_t uid, const char *line, const char *want)
{
	char *text = command_answer(&(struct command){ .world = w,
					.uid = uid,
					.log_level = tell },
	    line);

	cr_expect_str_eq(text, want);
	free(text);
}

Test(command, log_shows_the_level_or_changes_it)
{
	struct world *w = fleet_world();

	told = LOG_LEVEL_COUNT;
	logs(w, 7, "log", "ok 1\n{\"level\":\"info\"}\n");
	logs(w, 7, "log loud",
	    "error it takes one argument: error, warn, info or debug\n");
	logs(w, 7, "log debug info",
	    "error it takes one argument: error, warn, info or debug\n");
	cr_expect(told == LOG_LEVEL_COUNT, "only asked");
	logs(w, 7, "log debug", "ok 1\n{\"level\":\"debug\"}\n");
	cr_expect(told == LOG_LEVEL_DEBUG && told_by == 7);
	logs(w, 7, "log error", "ok 1\n{\"level\":\"error\"}\n");
	cr_expect(told == LOG_LEVEL_ERROR);
	logs(w, 0, "log warn", "error the supervisor could not be told\n");
	fleet_free(w);
	NO_LEAKS();
}

Test(command, an_order_that_cannot_be_is_refused)
{
	struct world *w = fleet_world();

	fleet_add(w, &(struct fleet_device){ "a", 4, 2048, NULL, NULL, NULL });
	fleet_pod(w, "p", "1", "1Mi", NULL, NULL);
	w->nodes[0].until_boot = 70000;
	ordered(w, "yes drain", "error it takes one argument: ");
	ordered(w, "yes drain a b", "error it takes one argument: ");
	ordered(w, "yes drain b", "none no device b\n");
	ordered(w, "yes give-up a", "error device a is connected: drain it\n");
	ordered(w, "yes retire a", "none no node a\n");
	ordered(w, "yes purge --node a", "none nothing is known of a node a\n");
	ordered(w, "yes purge --node",
	    "none nothing is known of a node --node");
	ordered(w, "yes drain --node a", "error it takes one argument: ");
	ordered(w, "yes give-up default/q", "none no pod default/q\n");
	ordered(w, "yes give-up q", "none no device q\n");
	ordered(w, "yes give-up default/p", "ok 1\n");
	ordered(w, "yes release-brake", "ok 1\n");
	ordered(w, "yes release-brake x", "none no fleet x\n");
	ordered(w, "yes devices", "ok 1\n");
	fleet_free(w);
	NO_LEAKS();
}

/* Two replicas share the nodes: each is asked about what it serves. */
Test(command, the_brake_is_released_where_we_serve)
{
	struct order o = { .kind = ORDER_RELEASE_BRAKE, .name = "" };
	struct effects fx = { 0 };
	struct settings set;
	struct world w = { 0 };
	struct wdevice *ours, *theirs;
	char text[MAX_TEXT] = "";
	struct now now = { 60000, 60000 };
	struct why why = { .text = "" };

	settings_init(&set);
	cr_assert_eq(settings_set(&set, SET_FLEET_ID, "east,west", &why), 0);
	cr_assert_eq(settings_set(&set, SET_FLEET_LABEL, "zone", &why), 0);
	cr_assert_eq(world_init(&w, &set, &why), 0, "%s", why.text);
	cr_assert_eq(w.nnodes, 2);
	theirs = fleet_add(&w,
	    &(struct fleet_device){ "a", 4, 64, "\"zone\":\"east\"", NULL,
		"Unknown" });
	ours = fleet_add(&w,
	    &(struct fleet_device){ "b", 4, 64, "\"zone\":\"west\"", NULL,
		"Unknown" });
	theirs->away_boot = ours->away_boot = 1000;
	w.nodes[0].brake = w.nodes[1].brake = 1;
	cr_expect_eq(orders_weigh(&w, &o, now, text), ORDER_REFUSED);
	w.nodes[1].until_boot = 70000;
	cr_expect_eq(orders_take(&w, &o, now, &fx, text), ORDER_DOES, "%s",
	    text);
	cr_expect(ours->written_off.on && !theirs->written_off.on);
	cr_expect_eq(orders_weigh(&w, &o, now, text), ORDER_REFUSED);
	o.name = "west";
	cr_expect_eq(orders_weigh(&w, &o, now, text), ORDER_ALREADY);
	effects_clear(&fx);
	world_clear(&w);
	settings_free(&set);
	NO_LEAKS();
}

/* -- what may be typed next, and what there is ------------------------------
 */

static void
completes(struct world *w, const char *typed, const char *want)
{
	char *line = xasprintf("complete %s", typed), *text = ask(w, line);
	char got[256] = "";
	const char *c = text;
	size_t len = 0;

	while ((c = strstr(c, "{\"word\":\"")) != NULL) {
		c += strlen("{\"word\":\"");
		len += (size_t)snprintf(got + len, sizeof(got) - len, "%.*s ",
		    (int)strcspn(c, "\""), c);
	}
	cr_expect_str_eq(got, want, "%s: %s", typed, text);
	free(text);
	free(line);
}

Test(command, words_are_completed_as_they_are_now)
{
	struct world *w = fleet_world();
	struct wdevice *d;

	d = fleet_add(w,
	    &(struct fleet_device){ "edge-1", 4, 2048, NULL, NULL, NULL });
	fleet_add(w,
	    &(struct fleet_device){ "edge-2", 4, 2048, NULL, NULL, NULL });
	fleet_pod(w, "web", "1", "1Mi", NULL, NULL);
	completes(w, "ex", "explain ");
	completes(w, "explain", "explain ");
	completes(w, "explain ", "device pod ");
	completes(w, "explain d", "device ");
	completes(w, "explain pod ", "default/web ");
	completes(w, "explain pod x", "");
	completes(w, "drain e", "edge-1 edge-2 ");
	completes(w, "drain edge-2 ", "");
	completes(w, "undrain ", "");
	d->drained.on = 1;
	completes(w, "undrain ", "edge-1 ");
	completes(w, "give-up ", "edge-1 edge-2 default/web ");
	completes(w, "unr", "unretire ");
	completes(w, "complet", "");
	completes(w, "devices ", "");
	completes(w, "nothing ", "");
	w->nodes[0].retired.on = 1;
	completes(w, "retire ", "");
	{
		AUTO_FREE char *name = xasprintf("%s ", w->nodes[0].name);

		/* All devices: its fleet has no name. */
		completes(w, "release-brake ", name);
	}
	fleet_free(w);
	NO_LEAKS();
}

/* The words of ".It Cm explain pod Ar ..." but what is typed for them. */
static int
is_head(const char *line, char words[64])
{
	static const char *const ends[] = { " Ar ", " Op ", " Oo ", "\n" };
	size_t i, len = 64;
	const char *end;

	if (strncmp(line, ".It Cm ", 7) != 0)
		return 0;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if ((end = strstr(line + 7, ends[i])) != NULL &&
		    (size_t)(end - line - 7) < len)
			len = (size_t)(end - line - 7);
	cr_assert(len < 64);
	memcpy(words, line + 7, len);
	words[len] = '\0';
	return 1;
}

Test(command, manual_has_every_command_and_no_other)
{
	struct world *w = fleet_world();
	char *text = ask(w, "help"), *at;
	char line[512], words[64], row[80], page[64][64];
	size_t i, n = 0;
	FILE *f;

	f = fopen("man/vkfctl.8", "r");
	cr_assert(f != NULL, "run from the root of the tree");
	while (fgets(line, sizeof(line), f) != NULL) {
		if (!is_head(line, words))
			continue;
		(void)snprintf(row, sizeof(row), "{\"command\":\"%s\",", words);
		cr_expect(strstr(text, row) != NULL,
		    "vkfctl(8) has \"%s\", which is no command", words);
		cr_assert(n < 64);
		memcpy(page[n++], words, sizeof(words));
	}
	(void)fclose(f);
	for (at = text; (at = strstr(at, "{\"command\":\"")) != NULL; at++) {
		cr_assert(sscanf(at, "{\"command\":\"%63[^\"]", words) == 1);
		for (i = 0; i < n && strcmp(page[i], words) != 0; i++)
			;
		cr_expect(i < n, "vkfctl(8) has no \"%s\"", words);
	}
	cr_expect(n > 10);
	free(text);
	fleet_free(w);
	NO_LEAKS();
}

/* Each has its line, and each line is a command. */
Test(command, help_has_every_command)
{
	struct world *w = fleet_world();
	char *text = ask(w, "help");
	const char *c;
	int i;

	for (i = 0; i < ORDER_COUNT; i++) {
		char *want = xasprintf("{\"command\":\"%s\",",
		    orders_word((enum order_kind)i));

		cr_expect(strstr(text, want) != NULL, "%s", want);
		free(want);
	}
	for (c = text; (c = strstr(c, "{\"command\":\"")) != NULL; c++) {
		const char *name = c + strlen("{\"command\":\"");
		char *line = xstrndup(name, strcspn(name, "\""));
		char *answer;

		if (strcmp(line, "records") != 0) { /* wants a database */
			answer = ask(w, line);
			cr_expect(strstr(answer, "no such") == NULL, "%s: %s",
			    line, answer);
			free(answer);
		}
		free(line);
	}
	free(text);
	fleet_free(w);
	NO_LEAKS();
}

/* -- how everything is ------------------------------------------------------
 */

static void
says(struct world *w, const char *want)
{
	char *text = ask(w, "status");

	cr_expect(strstr(text, want) != NULL, "%s: %s", want, text);
	free(text);
}

static void
all_is_well(struct world *w)
{
	w->start_boot = 10000;
	w->kube_up = w->flight_up = w->kube_reachable = w->flight_reachable = 1;
	w->kube_reach = w->flight_reach = (struct reach){ 20000, 1 };
	w->devices_listed = w->nodes[0].pods_listed = 1;
	w->nodes[0].until_boot = 70000;
}

Test(command, status_says_well_only_when_all_is)
{
	struct world *w = fleet_world();
	struct wdevice *d;
	struct wpod *p;

	d = fleet_add(w,
	    &(struct fleet_device){ "a", 4, 2048, NULL, NULL, NULL });
	fleet_add(w,
	    &(struct fleet_device){ "b", 4, 2048, NULL, NULL, "Unknown" });
	p = fleet_pod(w, "web", "1", "1Mi", NULL, NULL);
	all_is_well(w);
	says(w, "ok 10\n{\"about\":\"provider\",\"name\":\"");
	says(w, "\"state\":\"well\",\"age\":\"50 s\",\"text\":\"all of it\"");
	says(w,
	    "\"apiserver\",\"name\":\"\",\"state\":\"answers\",\"age\":"
	    "\"40 s\"");
	says(w,
	    "\"state\":\"serves\",\"age\":\"\",\"text\":\"devices 2, "
	    "connected 1, placeable 1; pods 0, waiting 1\"");
	says(w, "\"waits\",\"name\":\"default/web\"");
	world_seat(w, p, d);
	says(w, "placeable 1; pods 1, waiting 0\"");
	w->kube_reach.answers = 0;
	says(w,
	    "\"state\":\"trouble\",\"age\":\"50 s\",\"text\":\"apiserver "
	    "does not answer\"");
	all_is_well(w);
	w->store_try_boot = 70000;
	says(w, "\"text\":\"the database cannot be written\"");
	w->store_try_boot = 0;
	all_is_well(w);
	w->nodes[0].brake = 1;
	says(w, "\"text\":\"the brake of node ");
	says(w, "\"state\":\"braked\"");
	w->nodes[0].until_boot = 0;
	says(w, "\"state\":\"well\"");
	says(w, "\"state\":\"stands by\"");
	all_is_well(w);
	w->nodes[0].brake = 0;
	w->crew[PROC_KUBESIDE].state = CREW_DOWN;
	w->crew[PROC_KUBESIDE].restarts = 7;
	w->crew[PROC_KUBESIDE].ended_boot = 55000;
	memcpy(w->crew[PROC_KUBESIDE].end, "signal 9", 9);
	says(w, "\"text\":\"kubeside is down\"");
	says(w,
	    "restarts: 7, the last 5 s ago: signal 9\",\"figures\":{"
	    "\"restarts\":7,");
	w->vitals[PROC_KUBESIDE].missing = 1U << LAYER_TCP | 1U << LAYER_SCOPE;
	says(w, "signal 9; its kernel has no landlock_tcp, landlock_scope\"");
	w->vitals[PROC_KUBESIDE].missing |= 1U << LAYER_LANDLOCK;
	says(w, "signal 9; its kernel has no landlock\"");
	told_add(w->told,
	    &(struct told_line){ .kind = TOLD_EVENT,
		.warning = 1,
		.at_ms = 30000,
		.about = "default/web",
		.reason = "Failed",
		.text = "no such image" });
	says(w,
	    "{\"about\":\"error\",\"name\":\"default/web\",\"state\":"
	    "\"Failed\",\"age\":\"30 s\",\"text\":\"no such image\"");
	fleet_free(w);
	NO_LEAKS();
}

/* Words that were cut within a character still leave rows that can be read. */
Test(command, each_row_can_be_read_whatever_a_device_says)
{
	static const char *const lines[] = { "explain device a", "status",
		"events" };
	struct world *w = fleet_world();
	struct wdevice *d = fleet_add(w,
	    &(struct fleet_device){ "a", 4, 2048, NULL, NULL, NULL });
	char info[] = "Gr\xc3\xb6\xc3";
	struct why why;
	size_t i;

	d->dev->summary_info = info;
	told_add(w->told,
	    &(struct told_line){ .kind = TOLD_LOG,
		.warning = 1,
		.about = "kubeside",
		.text = info });
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		AUTO_FREE char *text = ask(w, lines[i]);
		char *row = strchr(text, '\n') + 1, *end;

		cr_expect(strstr(row, "Gr\xc3\xb6?") != NULL, "%s", text);
		for (; (end = strchr(row, '\n')) != NULL; row = end + 1) {
			AUTO_JSON struct json_object *j = jread_parse(
			    (struct span){ row, (size_t)(end - row) }, &why);

			cr_expect_not_null(j, "%s: %s", lines[i], why.text);
		}
	}
	d->dev->summary_info = NULL;
	fleet_free(w);
	NO_LEAKS();
}

/* Sixty nodes that were: the rest of the status is still to be seen. */
Test(command, status_shows_few_of_the_former_nodes)
{
	struct world *w = fleet_world();
	int i;

	all_is_well(w);
	for (i = 0; i < 5; i++) {
		AUTO_FREE char *name = xasprintf("was-%d", i);

		former_get(w, name)->object = 1;
		if (i == 2)
			says(w, "ok 12\n");
	}
	says(w, "ok 13\n");
	says(w,
	    "{\"about\":\"former\",\"name\":\"\",\"state\":\"more\",\"age\":"
	    "\"\",\"text\":\"2 nodes more\"");
	fleet_free(w);
	NO_LEAKS();
}
