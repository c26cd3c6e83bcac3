/* SPDX-License-Identifier: ISC */
/* golden.c: recorded and rendered files.  Never writes them. */
#include "golden.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/auto.h"
#include "common/xmem.h"

enum {
	LARGEST = 1 << 20,
};

char *
golden_read(const char *folder, const char *name)
{
	AUTO_FREE char *path = xasprintf("t/golden/%s/%s", folder, name);
	FILE *f = fopen(path, "r");
	char *text;
	size_t n;

	if (f == NULL)
		return NULL;
	text = xcalloc(1, LARGEST);
	n = fread(text, 1, LARGEST - 1, f);
	fclose(f);
	text[n] = '\0';
	return text;
}

char *
golden_pod(const char *name)
{
	AUTO_FREE char *file = xasprintf("%s.json", name);
	char *text = golden_read("quadlet", file);

	if (text == NULL) {
		fprintf(stderr, "no t/golden/quadlet/%s\n", file);
		abort();
	}
	return text;
}
