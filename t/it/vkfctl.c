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
	LOOK_MS = 50,
};

/* Its exit status; the line as typed and what it said, the caller's. */
static int
ask(const char *run, const char *const words[], char **line, char **out)
{
	AUTO_FREE char *program = child_program("vkfctl");
	AUTO_FREE char *path =
	    xasprintf("%s/%s/control.sock", it_folder(), run);
	const char *argv[OPTIONS + WORDS + 1] = { program, "-s", path, "-o",
		"json" };
	size_t n;

	*line = xstrdup("vkfctl");
	for (n = 0; words[n] != NULL; n++) {
		char *more = xasprintf("%s %s", *line, words[n]);

		if (n == WORDS)
			it_die("%s: too many words", more);
		argv[OPTIONS + n] = words[n];
		free(*line);
		*line = more;
	}
	return child_run(argv, out);
}

void
vkfctl_says(const char *run, const char *const words[], int status,
    const char *want)
{
	AUTO_FREE char *line = NULL, *out = NULL;
	int got = ask(run, words, &line, &out);

	if (!it_ok(got == status && out != NULL && strstr(out, want) != NULL,
		"%s: status %d, %s", line, got, want))
		it_say("%s", out);
}

void
vkfctl_comes_to(const char *run, const char *const words[], int status, int ms)
{
	int64_t since = it_ms();
	int got;

	for (;;) {
		AUTO_FREE char *line = NULL, *out = NULL;

		got = ask(run, words, &line, &out);
		if (got == status || it_ms() - since > ms) {
			it_took(since, got == status, "%s: status %d", line,
			    got);
			return;
		}
		it_pause(LOOK_MS);
	}
}
