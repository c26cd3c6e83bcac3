/* SPDX-License-Identifier: ISC */
#ifndef PLACER_STORE_OWN_H
#define PLACER_STORE_OWN_H

/* What the files store*.c share; nobody else sees sqlite3.h. */

#include <sqlite3.h>

#include "placer/store.h"

enum sql {
#define SQL(name, text) SQL_##name,
#include "placer/sql.def"
#undef SQL
	SQL_COUNT
};

/* Which start of the machine the boot_ms in it are of, and the wall then. */
struct store_start {
	char id[BOOT_ID_SIZE];
	int64_t wall_at_boot_ms;
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *stmt[SQL_COUNT];
	int open;   /* a transaction */
	int failed; /* in this transaction: it must not be committed */
	uint64_t commits;
	char boot_id[BOOT_ID_SIZE];
	struct store_start start, committed;
};

/* -1, with what SQLite says; the transaction must not be committed. */
int store_fail(struct store *, const char *what, struct why *);

/* Before each write: in a transaction that did not fail yet. */
int store_begin(struct store *, struct why *);

/* Ends a statement that gives no rows. */
int store_run(struct store *, enum sql, struct why *);

void store_bind_text(sqlite3_stmt *, int at, const char *);
const char *store_column(sqlite3_stmt *, int at); /* "" for NULL */

/* Columns and parameters 0 to 3, or 1 to 4: uid, ns, name, node. */
void store_bind_pod(sqlite3_stmt *, const struct wpod *);

/* The pod of those columns; made if need be. */
struct wpod *store_pod(struct world *, sqlite3_stmt *);

/* A statement whose only parameter says whose rows go. */
int store_drop(struct store *, enum sql, const char *key, struct why *);

/* All rows of a statement without parameters. */
typedef void store_row(struct world *, sqlite3_stmt *, struct now);
int store_each(struct store *, enum sql, store_row *, struct world *,
    struct now, struct why *);

/* The searches and failed tries, once the seats are there. */
int store_load_search(struct store *, struct world *, struct now, struct why *);

/* Clocks that run, once the seats are there and before the failed tries. */
int store_load_clocks(struct store *, struct world *, struct now, struct why *);

/* What people ordered, once the seats are there. */
int store_load_words(struct store *, struct world *, struct now, struct why *);

/* Likewise, as the world has it: what holds is saved, what is over dropped. */
int store_tidy_words(struct store *, struct world *, struct why *);

#endif
