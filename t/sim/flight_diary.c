/* SPDX-License-Identifier: ISC */
/* flight_diary.c: Owns the file in which tests read what was when. */
#include "t/sim/flight_diary.h"

#include <json-c/json.h>
#include <stdio.h>

#include "t/sim/edge.h"
#include "t/sim/flight.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_json.h"

int
flight_diary_open(struct flight *f, const char *path)
{
	if (f->diary != NULL)
		fclose(f->diary);
	f->diary = NULL;
	if (path == NULL)
		return 0;
	if ((f->diary = fopen(path, "ae")) == NULL)
		return -1;
	setvbuf(f->diary, NULL, _IOLBF, 0);
	return 0;
}

static void
write_line(FILE *diary, const char *device, const char *word,
    struct json_object *apps)
{
	size_t i,
	    n = json_object_is_type(apps, json_type_array) ?
	    json_object_array_length(apps) :
	    0;

	fprintf(diary, "%s %s", device, word);
	for (i = 0; i < n; i++) {
		struct json_object *app = json_object_array_get_idx(apps, i);
		const char *name = flight_get(app, "name");
		const char *status = flight_get(app, "status");

		fprintf(diary, " %s%s%s", name == NULL ? "-" : name,
		    status == NULL ? "" : "=", status == NULL ? "" : status);
	}
	putc('\n', diary);
}

void
flight_diary_spec(const struct flight *f, const struct flight_device *d)
{
	struct json_object *spec, *apps = NULL;

	if (f->diary == NULL || (spec = flight_parse(span_of(d->spec))) == NULL)
		return;
	json_object_object_get_ex(spec, "applications", &apps);
	write_line(f->diary, d->name, "spec", apps);
	json_object_put(spec);
}

void
flight_diary_report(const struct flight *f, const struct flight_device *d,
    const struct edge_report *r)
{
	struct json_object *apps;

	if (f->diary == NULL)
		return;
	apps = flight_parse(span_of(r->applications));
	write_line(f->diary, d->name, "runs", apps);
	json_object_put(apps);
}
