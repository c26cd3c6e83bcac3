/* SPDX-License-Identifier: ISC */
/*
 * vkfctl_terminal: an order on a terminal asks first, and only a yes is one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/screen.h"
#include "t/it/world.h"

enum {
	READY_MS = 30000,
	INTERRUPTED = 130,
};

static char *path;

static struct screen *
open_screen(const char *word, const char *name)
{
	AUTO_FREE char *program = child_program("vkfctl");
	const char *argv[] = { program, "-s", path, word, name, NULL };

	return screen_open(argv, NULL);
}

/* Its status; its text into the caller's. */
static int
close_screen(struct screen *s, char **text)
{
	if (!screen_shows(s, NULL))
		it_die("vkfctl does not end: %s", screen_text(s));
	*text = xstrdup(screen_text(s));
	return screen_close(s);
}

/* What it says at the end, and its status, when these keys are the answer. */
static void
answers(const char *device, const char *keys, int want, const char *text)
{
	struct screen *s = open_screen("drain", device);
	AUTO_FREE char *all = NULL;
	int status;

	if (!screen_shows(s, "Sure? [y/N] "))
		it_die("no question: %s", screen_text(s));
	it_ok(strstr(screen_text(s), device) != NULL,
	    "it says what it would do");
	screen_type(s, keys);
	status = close_screen(s, &all);
	it_ok(status == want && strstr(all, text) != NULL,
	    "after \"%.*s\": status %d, %s", (int)strcspn(keys, "\n\3\4"), keys,
	    status, text);
}

static int
is_drained(const char *device)
{
	AUTO_FREE char *out = NULL, *program = child_program("vkfctl");
	const char *argv[] = { program, "-s", path, "-o", "json", "explain",
		"device", device, NULL };

	return child_run(argv, &out) == EX_OK &&
	    strstr(out, "\"verdict\":\"drained\"") != NULL;
}

static void
look_at(const char *device)
{
	static const char none[] = "not confirmed, nothing is done";
	AUTO_FREE char *again = NULL, *back = NULL, *none_there = NULL;
	struct screen *s;

	answers(device, "n\n", EX_NOPERM, none);
	answers(device, "\n", EX_NOPERM, none);
	answers(device, "Yes, but\n", EX_NOPERM, none);
	answers(device, "\4", EX_NOPERM, none);
	answers(device, "y\4\4", EX_NOPERM, none);
	answers(device, "\3", INTERRUPTED, "Sure? [y/N] ");
	it_ok(!is_drained(device), "none of these does it");
	answers(device, "yes\n", EX_OK, "done");
	it_ok(is_drained(device), "a yes does it");
	s = open_screen("drain", device);
	it_ok(close_screen(s, &again) == EX_OK &&
		strstr(again, "already") != NULL &&
		strstr(again, "Sure?") == NULL,
	    "what holds already is not asked about");
	s = open_screen("undrain", device);
	it_ok(screen_shows(s, "Sure? "), "a y");
	screen_type(s, "y\n");
	it_ok(close_screen(s, &back) == EX_OK && !is_drained(device),
	    "is a yes");
	s = open_screen("drain", "nobody");
	it_ok(close_screen(s, &none_there) == EX_NOINPUT &&
		strstr(none_there, "Sure?") == NULL,
	    "nor is what is not there");
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *set = NULL;
	struct json_object *value;
	struct lh_entry *at = NULL;
	const char *device;
	struct provider *p;

	world_open(&(struct world_conf){ .devices = 1 });
	path = xasprintf("%s/provider/control.sock", it_folder());
	p = provider_start("provider", NULL);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	set = flight_devices();
	if (!js_next(set, &at, &device, &value))
		it_die("no device");
	look_at(device);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	free(path);
}

int
main(void)
{
	return it_run("vkfctl-terminal", scenario);
}
