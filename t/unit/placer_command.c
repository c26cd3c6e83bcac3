/* SPDX-License-Identifier: ISC */
/*
 * What vkfctl asks and is answered.
 */
#include "placer/command.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

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
