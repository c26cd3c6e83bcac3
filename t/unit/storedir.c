/* SPDX-License-Identifier: ISC */
/* storedir.c: a database of one test. */
#include "t/unit/storedir.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/store.h"

char store_dir[] = "/tmp/placer_store.XXXXXX";

void
store_dir_make(void)
{
	cr_assert_not_null(mkdtemp(store_dir));
}

void
store_dir_remove(void)
{
	AUTO_FREE char *command = xasprintf("rm -rf %s", store_dir);

	cr_assert_eq(system(command), 0);
}

struct store *
open_store(int aside)
{
	struct store *s;
	struct store_found found;
	struct why why;

	s = store_open(store_dir, &found, &why);
	cr_assert_not_null(s, "%s", why.text);
	cr_assert_eq(found.set_aside, aside);
	return s;
}

void
exec_on(const char *sql)
{
	AUTO_FREE char *path = xasprintf("%s/placer.db", store_dir);
	sqlite3 *db;

	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_close(db), SQLITE_OK);
}
