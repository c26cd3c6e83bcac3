/* SPDX-License-Identifier: ISC */
/*
 * check.c: whether the placer can live in its folder.
 *
 * Owns a try to write there, which leaves nothing: a file without a name.
 */
#include "placer/check.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/boot.h"
#include "common/finding.h"
#include "common/xmem.h"
#include "placer/store.h"

enum {
	ROOM = 1024 * 1024, /* a young database and its log */
};

/* 0, or the errno. */
static int
try_to_write(const char *dir)
{
	AUTO_FD int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd == -1 && errno == EOPNOTSUPP) /* no such files there */
		return access(dir, W_OK | X_OK) == 0 ? 0 : errno;
	if (fd == -1)
		return errno;
	return posix_fallocate(fd, 0, ROOM);
}

static char *
mend(const char *word, int e)
{
	if (e == ENOSPC || e == EDQUOT)
		return xasprintf("df -h %s", word);
	if (e == EROFS)
		return xasprintf("mount -o remount,rw "
				 "\"$(findmnt -n -o TARGET -T %s)\"",
		    word);
	return xasprintf("chown %u:%u %s && chmod 0700 %s", getuid(), getgid(),
	    word, word);
}

static int
check_folder(const char *dir, const char *word)
{
	struct stat st;
	int e = try_to_write(dir);
	AUTO_FREE char *way = mend(word, e);

	if (e == 0)
		finding(FINDING_OK, "STATE_DIR", NULL,
		    "%s can be written by uid %u", dir, getuid());
	else if (e == ENOENT)
		finding(FINDING_OK, "STATE_DIR", NULL,
		    "%s is made at the start", dir);
	else if (e == EACCES && stat(dir, &st) == 0 && st.st_uid != getuid())
		finding(FINDING_WARN, "STATE_DIR", way,
		    "%s belongs to uid %u: it is given to uid %u at a start as "
		    "root, and else must be before",
		    dir, st.st_uid, getuid());
	else
		finding(FINDING_FAIL, "STATE_DIR", way,
		    "%s cannot be written by uid %u: %s", dir, getuid(),
		    strerror(e));
	return e == 0;
}

static void
tell_database(const char *dir, const char *word, const struct store_sight *s)
{
	AUTO_FREE char *keep =
	    xasprintf("cp -p %s/placer.db %s/placer.db.kept", word, word);

	if (!s->exists)
		finding(FINDING_OK, "database", NULL,
		    "none in %s yet: it will be made", dir);
	else if (s->user != 0)
		finding(FINDING_WARN, "database", "vkfctl",
		    "%s/placer.db is in use by process %d: a provider runs "
		    "here already",
		    dir, (int)s->user);
	else if (!s->is_database)
		finding(FINDING_WARN, "database", keep,
		    "%s/placer.db is no database: it will be set aside and "
		    "rebuilt from both APIs",
		    dir);
	else if (!store_takes(s->version))
		finding(FINDING_WARN, "database", keep,
		    "%s/placer.db is of version %d, which this program does "
		    "not know: it will be set aside and rebuilt from both APIs",
		    dir, s->version);
	else
		finding(FINDING_OK, "database", NULL,
		    "%s/placer.db is of version %d and taken over", dir,
		    s->version);
}

static void
check_database(const char *dir, const char *word)
{
	AUTO_FREE char *give =
	    xasprintf("chown %u:%u %s/placer.db*", getuid(), getgid(), word);
	struct store_sight sight;
	struct why why;

	if (store_look(dir, &sight, &why) == -1)
		finding(FINDING_FAIL, "database", give,
		    "not readable and writable for uid %u: %s", getuid(),
		    why.text);
	else
		tell_database(dir, word, &sight);
}

void
check_begin(struct event_base *base, const struct settings *s)
{
	const char *dir = s->text[SET_STATE_DIR];
	AUTO_FREE char *word = finding_word(dir);

	(void)base;
	if (check_folder(dir, word))
		check_database(dir, word);
	boot_checked();
}
