/* SPDX-License-Identifier: ISC */
/*
 * requests.c: counts what flightside sent, on any servers.
 *
 * Owns nothing but its reading of log lines; the simulators count for
 * themselves, and two_hundred compares.
 */
#include "t/it/requests.h"

#include <json-c/json_tokener.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/js.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	WINDOW_MS = 60000,
};

static int
is_request(struct json_object *line)
{
	static const char *const methods[] = { "GET /", "PUT /", "POST /",
		"PATCH /", "DELETE /" };
	const char *text = js_str(line, "/msg");
	size_t i;

	if (strcmp(js_str(line, "/process"), "flightside") != 0)
		return 0;
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strncmp(text, methods[i], strlen(methods[i])) == 0)
			return 1;
	return 0;
}

static int64_t
time_of(struct json_object *line)
{
	struct tm tm = { 0 };
	const char *rest;
	double fraction = 0;

	rest = strptime(js_str(line, "/time"), "%Y-%m-%dT%H:%M:%S", &tm);
	if (rest != NULL && *rest == '.')
		fraction = strtod(rest, NULL);
	return (int64_t)timegm(&tm) * 1000 + (int64_t)(fraction * 1000);
}

struct requests
requests_of(const struct provider *p)
{
	AUTO_FREE char *text = provider_log(p);
	AUTO_FREE int64_t *at = NULL;
	struct requests r = { 0 };
	char *line, *rest = text;
	size_t first = 0;

	while ((line = strsep(&rest, "\n")) != NULL) {
		AUTO_JSON struct json_object *entry = NULL;

		if (strstr(line, "flightside") == NULL ||
		    (entry = json_tokener_parse(line)) == NULL ||
		    !is_request(entry))
			continue;
		at = xreallocarray(at, r.sent + 1, sizeof(*at));
		at[r.sent++] = time_of(entry);
		while (at[first] + WINDOW_MS <= at[r.sent - 1])
			first++;
		if (r.sent - first > r.most_a_minute)
			r.most_a_minute = (unsigned int)(r.sent - first);
	}
	return r;
}

unsigned int
requests_served(void)
{
	AUTO_FREE char *text = world_tell(SIM_FLIGHT, "counts");
	AUTO_JSON struct json_object *counts = json_tokener_parse(text);
	struct json_object *n;
	struct lh_entry *at = NULL;
	unsigned int sum = 0;

	free(world_tell(SIM_FLIGHT, "reset-counts"));
	while (js_next(counts, &at, NULL, &n))
		sum += (unsigned int)json_object_get_int(n);
	return sum;
}
