/* SPDX-License-Identifier: ISC */
/*
 * seats.c: the placer's view of pods.
 *
 * Owns the copy of its database, and the one statement that reads it.
 */
#include "t/seats.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"

static const char query[] = "SELECT uid, ns || '/' || name, node, app, "
			    "coalesce(device, ''), sent, retreating FROM seat";

/* 1: copied, 0: there is none (and no copy), -1: it cannot be. */
static int
copy_file(const char *from, const char *to)
{
	AUTO_FD int in = open(from, O_RDONLY | O_CLOEXEC), out = -1;
	char buf[65536];
	ssize_t n;

	(void)unlink(to);
	if (in == -1)
		return 0;
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			return -1;
	return n == 0 && out != -1 ? 1 : -1;
}

static const char *
text(sqlite3_stmt *st, int column)
{
	const void *value = sqlite3_column_text(st, column);

	return value != NULL ? value : "";
}

static int
each_row(sqlite3 *sq, void (*fn)(const struct seat *, void *), void *arg)
{
	sqlite3_stmt *st = NULL;
	int n = 0, rc;

	if (sqlite3_prepare_v2(sq, query, -1, &st, NULL) != SQLITE_OK)
		return -1;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		fn(&(struct seat){ .uid = text(st, 0),
		       .pod = text(st, 1),
		       .node = text(st, 2),
		       .app = text(st, 3),
		       .device = text(st, 4),
		       .sent = sqlite3_column_int(st, 5),
		       .retreating = sqlite3_column_int(st, 6) },
		    arg);
		n++;
	}
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? n : -1;
}

int
seats_read(const char *dir, const char *copy,
    void (*fn)(const struct seat *, void *), void *arg, char **why)
{
	AUTO_FREE char *db = xasprintf("%s/placer.db", dir);
	AUTO_FREE char *wal = xasprintf("%s-wal", db);
	AUTO_FREE char *copied_wal = xasprintf("%s-wal", copy);
	sqlite3 *sq = NULL;
	int n;

	if ((n = copy_file(db, copy)) == 0)
		return 0;
	if (n == -1 || copy_file(wal, copied_wal) == -1) {
		*why = xasprintf("%s: cannot be copied", db);
		return -1;
	}
	if (sqlite3_open(copy, &sq) != SQLITE_OK ||
	    sqlite3_exec(sq, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL,
		NULL) != SQLITE_OK || /* it shares no memory */
	    (n = each_row(sq, fn, arg)) == -1) {
		*why = xasprintf("%s: %s", db, sqlite3_errmsg(sq));
		n = -1;
	}
	sqlite3_close(sq);
	(void)unlink(copy);
	(void)unlink(copied_wal);
	return n;
}
