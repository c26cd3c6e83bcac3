/* SPDX-License-Identifier: ISC */
/*
 * replay.c: runs inputs without libFuzzer, for what counts lines (V=cov):
 * replay FILE ....  A line for each target says how many were for it.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/xmem.h"
#include "t/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum {
	INPUT_MAX = 1 << 20,
};

static size_t
slurp(const char *path, char *buf)
{
	FILE *f = fopen(path, "r");
	size_t n;

	if (f == NULL) {
		perror(path);
		exit(1);
	}
	n = fread(buf, 1, INPUT_MAX, f);
	fclose(f);
	return n;
}

int
main(int argc, char *argv[])
{
	size_t i, n, ntargets = (size_t)(__stop_targets - __start_targets);
	unsigned int *count = xcalloc(ntargets, sizeof(*count));
	char *buf = xmalloc(INPUT_MAX);
	const struct target *t;
	struct span rest;

	for (i = 1; i < (size_t)argc; i++) {
		n = slurp(argv[i], buf);
		t = target_of((struct span){ buf, n }, &rest);
		/* Exactly as long as it is, so that valgrind sees its end. */
		rest = (struct span){ memcpy(xmalloc(n + 1), buf, n), n };
		(void)LLVMFuzzerTestOneInput((const uint8_t *)rest.p, n);
		free((char *)(uintptr_t)rest.p);
		for (n = 0; n < ntargets; n++)
			count[n] += __start_targets[n] == t;
	}
	for (n = 0; n < ntargets; n++)
		printf("target %s %u\n", __start_targets[n]->name, count[n]);
	free(count), free(buf);
	return 0;
}
