/* SPDX-License-Identifier: ISC */
/*
 * grind.c: the provider under valgrind.
 *
 * Owns valgrind's words and reports.
 */
#include "t/it/grind.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"

enum {
	/*
	 * Valgrind refuses to change the hard limit, and a worker lowers it to
	 * this (common/sandbox.c).
	 */
	FILES = 512,
};

int
grind_is_wanted(void)
{
	const char *word = getenv("IT_VALGRIND");

	return word != NULL && *word != '\0';
}

size_t
grind_words(const char *folder, const char *words[])
{
	static const struct rlimit files = { FILES, FILES };
	static char *log;
	size_t n = 0;

	/* Workers with uids of their own write there too. */
	if (mkdir(folder, 0700) == -1 || chmod(folder, 01777) == -1)
		it_die("%s: cannot be made", folder);
	if (setrlimit(RLIMIT_NOFILE, &files) == -1)
		it_die("RLIMIT_NOFILE: cannot be set");
	free(log);
	log = xasprintf("--log-file=%s/%%p.%%n", folder);
	words[n++] = "/usr/bin/valgrind";
	words[n++] = "--trace-children=yes";
	words[n++] = "--vgdb=no";
	words[n++] = "--leak-check=full";
	words[n++] = "--errors-for-leak-kinds=definite,possible";
	words[n++] = log;
	return n;
}

char *
grind_program(const char *folder)
{
	static const char *const names[] = { "vk-flightctl-provider",
		"kubeside", "flightside", "placer" };
	AUTO_FREE char *bin = xasprintf("%s/bin", folder);
	size_t i;

	if (mkdir(bin, 0711) == -1)
		it_die("%s: cannot be made", bin);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		AUTO_FREE char *program = child_program(names[i]);
		const char *const argv[] = { "/bin/cp", program, bin, NULL };

		if (child_run(argv, NULL) != 0)
			it_die("%s: cannot be copied", program);
	}
	return xasprintf("%s/%s", bin, names[0]);
}

/* 1: it is of a process that ended, and clean; 0: of one that went on. */
static int
is_clean(const char *text, const char *name, unsigned int *bad)
{
	const char *at = strstr(text, "ERROR SUMMARY: ");

	if (at == NULL)
		return 0; /* before the exec of a worker */
	if (strncmp(at, "ERROR SUMMARY: 0 ", 17) == 0)
		return 1;
	(*bad)++;
	it_say("valgrind, process %s: %s", name, text);
	return 0;
}

void
grind_judge(const char *folder)
{
	DIR *dir = opendir(folder);
	unsigned int clean = 0, bad = 0;
	struct dirent *e;

	if (dir == NULL)
		it_die("%s: cannot be read", folder);
	while ((e = readdir(dir)) != NULL) {
		AUTO_FREE char *path = xasprintf("%s/%s", folder, e->d_name);
		AUTO_FREE char *text =
		    e->d_name[0] == '.' ? NULL : it_file(path, NULL);

		if (text != NULL)
			clean += is_clean(text, e->d_name, &bad);
	}
	(void)closedir(dir);
	/* The supervisor and three workers. */
	it_ok(bad == 0 && clean >= 4,
	    "valgrind finds nothing: %u processes clean, %u not", clean, bad);
}
