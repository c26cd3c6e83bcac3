/* SPDX-License-Identifier: ISC */
/*
 * memory.c: what is in the memory of a process.
 *
 * Owns the reading of smaps and mem.  Changes nothing there.
 */
#include "t/it/memory.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/it.h"
#include "t/it/sanitized.h"

enum {
	WORD_MAX = 8,
};

int
memory_is_seen(void)
{
	if (SANITIZED || getenv("IT_VALGRIND") != NULL || geteuid() != 0) {
		it_skip("their memory: %s",
		    geteuid() != 0 ? "it is root's to read" :
				     "ASan and valgrind keep what is freed");
		return 0;
	}
	return 1;
}

/* A word of the line "VmFlags: rd wr mr ...". */
static int
has_flag(const char *line, const char *flag)
{
	char word[WORD_MAX];

	(void)snprintf(word, sizeof(word), " %s ", flag);
	return strstr(line, word) != NULL;
}

static void
read_area(int mem, unsigned long from, unsigned long to, int kept,
    memory_fn *fn, void *arg)
{
	AUTO_FREE char *bytes = xmalloc(to - from);
	ssize_t n = pread(mem, bytes, to - from, (off_t)from);

	if (n > 0)
		fn(bytes, (size_t)n, kept, arg);
	explicit_bzero(bytes, to - from);
}

void
memory_walk(pid_t pid, memory_fn *fn, void *arg)
{
	AUTO_FREE char *maps = xasprintf("/proc/%d/smaps", (int)pid);
	AUTO_FREE char *path = xasprintf("/proc/%d/mem", (int)pid);
	AUTO_FREE char *line = NULL;
	AUTO_FD int mem = open(path, O_RDONLY | O_CLOEXEC);
	FILE *f = fopen(maps, "re");
	unsigned long from = 0, to = 0, a, b;
	char mode[WORD_MAX], written = 0;
	size_t room = 0;

	if (f == NULL || mem == -1)
		it_die("%s cannot be read: %s", path, strerror(errno));
	while (getline(&line, &room, f) != -1) {
		if (sscanf(line, "%lx-%lx %7s", &a, &b, mode) == 3) {
			from = a, to = b;
			written = strncmp(mode, "rw", 2) == 0;
		} else if (written && strncmp(line, "VmFlags:", 8) == 0)
			read_area(mem, from, to,
			    has_flag(line, "lo") && has_flag(line, "dd"), fn,
			    arg);
	}
	(void)fclose(f);
}

struct search {
	const void *bytes;
	size_t len;
	struct memory_copies found;
};

static void
count(const char *bytes, size_t len, int kept, void *arg)
{
	struct search *s = arg;
	const char *end = bytes + len, *at = bytes;

	while (
	    (at = memmem(at, (size_t)(end - at), s->bytes, s->len)) != NULL) {
		*(kept ? &s->found.kept : &s->found.loose) += 1;
		at += s->len;
	}
}

struct memory_copies
memory_find(pid_t pid, const void *bytes, size_t len)
{
	struct search s = { bytes, len, { 0, 0 } };

	memory_walk(pid, count, &s);
	return s.found;
}

/* What is not dumpable is root's to look at, whoever it runs as. */
int
memory_dumps_nothing(pid_t pid)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/limits", (int)pid);
	AUTO_FREE char *environ_path = xasprintf("/proc/%d/environ", (int)pid);
	AUTO_FREE char *limits = it_file(path, NULL);
	const char *core =
	    limits == NULL ? NULL : strstr(limits, "Max core file size");
	long soft = -1, hard = -1;
	struct stat st;

	if (core == NULL ||
	    sscanf(core, "Max core file size %ld %ld", &soft, &hard) != 2 ||
	    stat(environ_path, &st) == -1)
		return 0;
	return soft == 0 && hard == 0 && st.st_uid == 0;
}
