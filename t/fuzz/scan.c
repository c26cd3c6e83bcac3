/* SPDX-License-Identifier: ISC */
/* Any bytes in any pieces: no crash, and what is valid stays valid. */
#include <stdint.h>
#include <stdlib.h>

#include "common/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
on_item(struct span item, void *arg, struct why *why)
{
	struct span value;
	char name[64];

	(void)why;
	*(size_t *)arg += item.len;
	if (scan_get(item, &value, "metadata", "name", NULL) == 1 &&
	    !scan_is_valid(value))
		abort();
	(void)scan_head_string(item, name, sizeof(name), "metadata", NULL);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct scan_ops ops = { on_item, on_item };
	struct span all = { (const char *)data, size };
	size_t total = 0, cut = size > 0 ? data[0] % size : 0;
	struct scan *s = scan_new(SCAN_LIST, 64, &ops, &total);
	struct why why;

	if (scan_feed(s, (struct span){ all.p, cut }, &why) == 0 &&
	    scan_feed(s, (struct span){ all.p + cut, size - cut }, &why) == 0 &&
	    scan_end(s, &why) == 0 && scan_is_valid(all) &&
	    !scan_is_valid(scan_rest(s)))
		abort();
	scan_free(s);
	return 0;
}
