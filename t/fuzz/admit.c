/* SPDX-License-Identifier: ISC */
/* Two specs with a NUL between them: no crash, and same is always allowed. */
#include <stdint.h>
#include <stdlib.h>

#include "common/scan.h"
#include "flightside/admit.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct admit_rules rules = { .cluster = "c",
		.registries = "quay.io" };
	const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
	struct span old, new;
	struct why why;

	if (nul == NULL)
		return 0;
	old = (struct span){ (const char *)data, (size_t)(nul - data) };
	new = (struct span){ (const char *)nul + 1, size - old.len - 1 };
	if (admit(&rules, old, new, &why) == 0 &&
	    (!scan_is_valid(new) || admit(&rules, new, new, &why) == -1))
		abort();
	return 0;
}
