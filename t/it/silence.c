/* SPDX-License-Identifier: ISC */
/* silence.c: Owns what "disconnected" takes on either pair of servers. */
#include "t/it/silence.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "t/it/child.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/world.h"

enum {
	LOST_MS = 150000, /* the service looks each minute */
	AGAIN_MS = 1000,
};

struct silent {
	char *const *devices;
	size_t n;
};

static void
move_clocks(const struct silent *s)
{
	AUTO_FREE char *script = child_source("t/real/flight");
	size_t i;

	for (i = 0; world_kind() == WORLD_REAL && i < s->n; i++)
		if (child_run((const char *[]){ script, "silent",
				  getenv("FC_DIR"), s->devices[i], NULL },
			NULL) != 0)
			it_die("%s cannot be made silent", s->devices[i]);
}

static int
all_lost(struct json_object *set, void *arg)
{
	const struct silent *s = arg;
	size_t i, n = 0;

	for (i = 0; i < s->n; i++)
		n += strcmp(js_str(json_object_object_get(set, s->devices[i]),
				"/status/summary/status"),
			 "Unknown") == 0;
	return n == s->n;
}

/* What a device asked last is stored up to 15 s later: say it again. */
void
silence(char *const *devices, size_t n)
{
	struct silent s = { devices, n };
	int64_t since = it_ms();
	size_t i;
	int lost;

	for (i = 0; i < n; i++)
		free(world_tell(SIM_EDGE, "disconnect %s", devices[i]));
	do {
		move_clocks(&s);
		lost = flight_await(all_lost, &s, AGAIN_MS);
	} while (!lost && it_ms() - since < LOST_MS);
	it_took(since, lost, "Flightctl calls %zu of the devices disconnected",
	    n);
}

void
silence_ends(char *const *devices, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(world_tell(SIM_EDGE, "connect %s", devices[i]));
}
