/* SPDX-License-Identifier: ISC */
/*
 * kubectl.c: what an administrator types.
 *
 * Owns the command line; what it remembers of the server is in our folder.
 */
#include "t/it/kubectl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"

enum {
	WORDS_MAX = 16,
};

static int
run(const char *line, char **out)
{
	const char *config = getenv("KUBE_ADMIN_CONFIG");
	AUTO_FREE char *words = xstrdup(line);
	AUTO_FREE char *as = xasprintf("--kubeconfig=%s", config);
	AUTO_FREE char *cache =
	    xasprintf("--cache-dir=%s/kubectl", it_folder());
	const char *argv[WORDS_MAX + 1] = { getenv("KUBECTL"), as, cache };
	char *rest = words, *word;
	size_t n = 3;

	if (argv[0] == NULL || config == NULL)
		it_die("no KUBECTL, or no KUBE_ADMIN_CONFIG");
	while (n < WORDS_MAX && (word = strsep(&rest, " ")) != NULL)
		argv[n++] = word;
	return child_run(argv, out);
}

void
kubectl(const char *fmt, ...)
{
	AUTO_FREE char *out = NULL, *line = NULL;
	va_list ap;

	va_start(ap, fmt);
	line = xvasprintf(fmt, ap);
	va_end(ap);
	if (!it_ok(run(line, &out) == 0, "kubectl %s", line))
		it_say("%s", out);
}

int
kubectl_says(const char *line, char **out)
{
	return run(line, out);
}
