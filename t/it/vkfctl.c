/* SPDX-License-Identifier: ISC */
/*
 * vkfctl.c: the operators' command, asked in a scenario.
 */
#include "t/it/vkfctl.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"

enum {
	OPTIONS = 5,
	WORDS = 4,
};

void
vkfctl_says(const char *run, const char *const words[], int status,
    const char *want)
{
	AUTO_FREE char *program = child_program("vkfctl"), *out = NULL;
	AUTO_FREE char *path =
	    xasprintf("%s/%s/control.sock", it_folder(), run);
	AUTO_FREE char *line = xstrdup("vkfctl");
	const char *argv[OPTIONS + WORDS + 1] = { program, "-s", path, "-o",
		"json" };
	size_t n;
	int got;

	for (n = 0; words[n] != NULL; n++) {
		char *more = xasprintf("%s %s", line, words[n]);

		if (n == WORDS)
			it_die("%s: too many words", more);
		argv[OPTIONS + n] = words[n];
		free(line);
		line = more;
	}
	got = child_run(argv, &out);
	if (!it_ok(got == status && out != NULL && strstr(out, want) != NULL,
		"%s: status %d, %s", line, got, want))
		it_say("%s", out);
}
