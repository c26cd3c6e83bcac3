/* SPDX-License-Identifier: ISC */
/*
 * store_clock.c: clocks that run.
 *
 * Owns the tables clock and active and which start of the machine all instants
 * are of: they are boot_ms, so that nobody who sets the wall clock moves them,
 * restart or not.  The wall counts only from one start of the machine to the
 * next, and at most since that one.
 */
#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "placer/store_own.h"

/* "ID WALL": of the start that all instants are of, and the wall at it. */
#define BOOT "boot"
#define TRIED "tried"

enum {
	BOOT_SIZE = BOOT_ID_SIZE + 24,
	STEP_MS = 1000 /* less is no step of the wall clock */
};

int
store_clock(struct store *s, const struct wdevice *d, struct why *why)
{
	sqlite3_stmt *st = s->stmt[SQL_CLOCK_PUT];

	if (d->away_boot == 0)
		return store_drop(s, SQL_CLOCK_DROP, d->name, why);
	if (store_begin(s, why) == -1)
		return -1;
	store_bind_text(st, 1, d->name);
	sqlite3_bind_int64(st, 2, d->away_boot);
	return store_run(s, SQL_CLOCK_PUT, why);
}

static void
load_clock(struct world *w, sqlite3_stmt *st, struct now now)
{
	(void)now;
	world_device_or_new(w, store_column(st, 0))->away_boot =
	    sqlite3_column_int64(st, 1);
}

int
store_active(struct store *s, const struct wpod *p, struct why *why)
{
	sqlite3_stmt *st = s->stmt[SQL_ACTIVE_PUT];

	if (store_begin(s, why) == -1)
		return -1;
	store_bind_pod(st, p);
	sqlite3_bind_int64(st, 5, p->active_boot);
	return store_run(s, SQL_ACTIVE_PUT, why);
}

int
store_drop_active(struct store *s, const struct wpod *p, struct why *why)
{
	return store_drop(s, SQL_ACTIVE_DROP, p->uid, why);
}

static void
load_active(struct world *w, sqlite3_stmt *st, struct now now)
{
	(void)now;
	store_pod(w, st)->active_boot = sqlite3_column_int64(st, 4);
}

/*
 * All instants are of another start of a machine, or of another machine: what
 * was then is known by the wall alone.  None is in the future, nor before this
 * start; a pause is not so long as to matter.
 */
static int
move_all(struct store *s, int64_t wall_at_boot_ms, struct now now,
    struct why *why)
{
	static const enum sql moves[] = { SQL_CLOCK_MOVE, SQL_ACTIVE_MOVE,
		SQL_FAULT_MOVE };
	size_t i;

	if (store_begin(s, why) == -1)
		return -1;
	for (i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		sqlite3_bind_int64(s->stmt[moves[i]], 1,
		    wall_at_boot_ms - (now.wall_ms - now.boot_ms));
		sqlite3_bind_int64(s->stmt[moves[i]], 2,
		    moves[i] == SQL_FAULT_MOVE ? INT64_MAX : now.boot_ms);
		if (store_run(s, moves[i], why) == -1)
			return -1;
	}
	return 0;
}

static int
put_start(struct store *s, const char *id, int64_t wall_at_boot_ms,
    struct why *why)
{
	char text[BOOT_SIZE];

	(void)snprintf(text, sizeof(text), "%s %" PRId64, id, wall_at_boot_ms);
	return store_put_meta(s, BOOT, text, why);
}

/* SQLite writes nothing where the same bytes stand. */
int
store_try(struct store *s, struct now now, struct why *why)
{
	char text[BOOT_SIZE];

	(void)snprintf(text, sizeof(text), "%" PRId64, now.boot_ms);
	return store_put_meta(s, TRIED, text, why);
}

int
store_wall(struct store *s, struct now now, struct why *why)
{
	struct store_start *of = &s->start;
	int64_t wall_at_boot_ms = now.wall_ms - now.boot_ms;

	if (strcmp(of->id, s->boot_id) != 0) {
		if (move_all(s, of->wall_at_boot_ms, now, why) == -1)
			return -1;
	} else if (llabs(wall_at_boot_ms - of->wall_at_boot_ms) <= STEP_MS) {
		return 0;
	}
	if (put_start(s, s->boot_id, wall_at_boot_ms, why) == -1)
		return -1;
	memcpy(of->id, s->boot_id, sizeof(of->id));
	of->wall_at_boot_ms = wall_at_boot_ms;
	return 0;
}

/* An older release saved no start, and instants of the wall. */
static int
load_start(struct store *s, struct why *why)
{
	char text[BOOT_SIZE] = "", *at;

	if (store_get_meta(s, BOOT, text, sizeof(text), why) == -1)
		return -1;
	s->start = (struct store_start){ .wall_at_boot_ms = 0 };
	if ((at = strchr(text, ' ')) != NULL) {
		*at++ = '\0';
		(void)strlcpy(s->start.id, text, sizeof(s->start.id));
		s->start.wall_at_boot_ms = strtoll(at, NULL, 10);
	}
	s->committed = s->start;
	return 0;
}

int
store_load_clocks(struct store *s, struct world *w, struct now now,
    struct why *why)
{
	now_boot_id(s->boot_id);
	if (*s->boot_id == '\0') /* then each start may be another */
		(void)snprintf(s->boot_id, sizeof(s->boot_id), "unknown-%08x",
		    (unsigned int)arc4random());
	if (load_start(s, why) == -1 || store_wall(s, now, why) == -1 ||
	    store_each(s, SQL_CLOCKS, load_clock, w, now, why) == -1)
		return -1;
	return store_each(s, SQL_ACTIVES, load_active, w, now, why);
}
