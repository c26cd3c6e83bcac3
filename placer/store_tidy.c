/* SPDX-License-Identifier: ISC */
/*
 * store_tidy.c: what stayed behind in the database while it could not be
 * written.  What is in the world and not in the database is saved again when
 * it is next needed; what is the other way round nobody would ever look at,
 * and what people ordered is said once.
 */
#include <stdlib.h>

#include "common/xmem.h"
#include "placer/store_own.h"

struct strays {
	char **uids;
	size_t n;
};

static void
strays_clear(struct strays *list)
{
	while (list->n > 0)
		free(list->uids[--list->n]);
	free(list->uids);
}

/* Who has no seat any more. */
static int
strays_find(struct store *s, struct world *w, struct strays *list,
    struct why *why)
{
	sqlite3_stmt *st = s->stmt[SQL_KEPT];
	const struct wpod *p;
	int rc;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		p = world_pod(w, store_column(st, 0));
		if (p != NULL && p->device != NULL)
			continue;
		list->uids =
		    xreallocarray(list->uids, list->n + 1, sizeof(char *));
		list->uids[list->n++] = xstrdup(store_column(st, 0));
	}
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : store_fail(s, sqlite3_sql(st), why);
}

/* A pod without a seat may have failed tries, and be active. */
static int
drop(struct store *s, struct world *w, const char *uid, struct why *why)
{
	static const struct {
		enum sql sql;
		int of_pod; /* not of its seat */
	} rows[] = { { SQL_SEAT_DROP, 0 }, { SQL_ENTRY_DROP, 0 },
		{ SQL_FAULT_DROP, 1 }, { SQL_ACTIVE_DROP, 1 } };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((!rows[i].of_pod || world_pod(w, uid) == NULL) &&
		    store_drop(s, rows[i].sql, uid, why) == -1)
			return -1;
	return 0;
}

int
store_tidy(struct store *s, struct world *w, struct why *why)
{
	struct strays list = { NULL, 0 };
	size_t i;
	int rc;

	rc = strays_find(s, w, &list, why);
	for (i = 0; rc == 0 && i < list.n; i++)
		rc = drop(s, w, list.uids[i], why);
	strays_clear(&list);
	return rc == 0 ? store_tidy_words(s, w, why) : rc;
}
