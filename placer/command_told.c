/* SPDX-License-Identifier: ISC */
/*
 * command_told.c: what was told (told.h), as rows.
 */
#include "common/auto.h"
#include "common/jmake.h"
#include "common/stamp.h"
#include "common/xmem.h"
#include "placer/command_own.h"
#include "placer/told.h"

static struct json_object *
row_of(const struct told_line *l)
{
	struct json_object *row = jmake_object();
	char at[STAMP_SIZE];

	stamp_format(l->at_ms, at);
	jmake_str(row, "time", at);
	jmake_str(row, "kind", told_kind_name(l->kind));
	jmake_str(row, "level", l->warning ? "warning" : "normal");
	jmake_str(row, "about", l->about);
	jmake_str(row, "device", l->device);
	jmake_str(row, "reason", l->reason);
	jmake_str(row, "text", l->text);
	return row;
}

static void
put_line(void *arg, const struct told_line *l)
{
	command_put(arg, row_of(l));
}

void
command_events(struct asked *a)
{
	told_each(a->from->world->told, put_line, a);
}

char *
command_told(const struct told_line *l)
{
	struct json_object *row = row_of(l);
	AUTO_FREE char *text = answer_json(&row);

	return xasprintf("%s\n", text);
}
