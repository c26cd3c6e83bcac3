/* SPDX-License-Identifier: ISC */
/*
 * store_record.c: what was done, in the order in which it was.
 *
 * Owns the table record, a ring of the last 100.
 */
#include "placer/store_own.h"

int
store_record(struct store *s, const struct store_record *r, struct why *why)
{
	sqlite3_stmt *st = s->stmt[SQL_RECORD_PUT];

	if (store_begin(s, why) == -1)
		return -1;
	sqlite3_bind_int64(st, 1, r->at_ms);
	store_bind_text(st, 2, r->pod);
	store_bind_text(st, 3, r->operation);
	store_bind_text(st, 4, r->desired);
	store_bind_text(st, 5, r->actual);
	store_bind_text(st, 6, r->action);
	store_bind_text(st, 7, r->result);
	if (store_run(s, SQL_RECORD_PUT, why) == -1)
		return -1;
	return store_run(s, SQL_RECORD_TRIM, why);
}

int
store_records(struct store *s,
    void (*each)(void *, const struct store_record *), void *arg,
    struct why *why)
{
	sqlite3_stmt *st = s->stmt[SQL_RECORDS];
	int rc;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		each(arg,
		    &(struct store_record){
			.at_ms = sqlite3_column_int64(st, 0),
			.pod = store_column(st, 1),
			.operation = store_column(st, 2),
			.desired = store_column(st, 3),
			.actual = store_column(st, 4),
			.action = store_column(st, 5),
			.result = store_column(st, 6),
		    });
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : store_fail(s, "records", why);
}
