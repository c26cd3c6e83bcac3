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

void
kubectl(const char *fmt, ...)
{
	const char *config = getenv("KUBE_ADMIN_CONFIG");
	AUTO_FREE char *out = NULL, *line = NULL, *said = NULL;
	AUTO_FREE char *as = xasprintf("--kubeconfig=%s", config);
	AUTO_FREE char *cache =
	    xasprintf("--cache-dir=%s/kubectl", it_folder());
	const char *argv[WORDS_MAX + 1] = { getenv("KUBECTL"), as, cache };
	char *rest, *word;
	size_t n = 3;
	va_list ap;

	if (argv[0] == NULL || config == NULL)
		it_die("no KUBECTL, or no KUBE_ADMIN_CONFIG");
	va_start(ap, fmt);
	line = xvasprintf(fmt, ap);
	va_end(ap);
	said = xstrdup(line);
	rest = line;
	while (n < WORDS_MAX && (word = strsep(&rest, " ")) != NULL)
		argv[n++] = word;
	if (!it_ok(child_run(argv, &out) == 0, "kubectl %s", said))
		it_say("%s", out);
}
