/* SPDX-License-Identifier: ISC */
/* mutate.c: what libFuzzer changes in an input is never its first line. */
#include <stdint.h>
#include <string.h>

#include "t/fuzz/target.h"

size_t LLVMFuzzerCustomMutator(uint8_t *, size_t, size_t, unsigned int);
size_t LLVMFuzzerMutate(uint8_t *, size_t, size_t);

/* One input of none gets a target, each as often as the others. */
static size_t
begin(uint8_t *data, size_t max, unsigned int seed)
{
	size_t n = (size_t)(__stop_targets - __start_targets);
	const char *name = __start_targets[seed % n]->name;
	size_t len = strlen(name);

	if (len + 1 > max)
		return 0;
	memcpy(data, name, len);
	data[len] = '\n';
	return len + 1;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
    unsigned int seed)
{
	struct span rest;
	size_t head;

	if (target_of((struct span){ (const char *)data, size }, &rest) == NULL)
		return begin(data, max, seed);
	head = size - rest.len;
	return head + LLVMFuzzerMutate(data + head, rest.len, max - head);
}
