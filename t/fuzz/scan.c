/* SPDX-License-Identifier: ISC */
/*
 * Any bytes in any pieces: no crash, and what is valid stays valid; a string
 * is what is made of it.
 */
#include <stdint.h>

#include "common/scan.h"
#include "t/fuzz/target.h"

static int
on_item(struct span item, void *arg, struct why *why)
{
	struct span value;
	char name[64];

	(void)why;
	*(size_t *)arg += item.len;
	if (scan_get(item, &value, "metadata", "name", NULL) == 1) {
		must(scan_is_valid(value));
		if (value.p[0] == '"' &&
		    scan_unescape(value, name, sizeof(name)) >= 0)
			must(scan_string_is(value, name));
	}
	(void)scan_head_string(item, name, sizeof(name), "metadata", NULL);
	return 0;
}

static void
fuzz_scan(struct span input)
{
	static const struct scan_ops ops = { on_item, on_item };
	size_t total = 0,
	       cut = input.len > 0 ? (uint8_t)input.p[0] % input.len : 0;
	struct scan *s = scan_new(SCAN_LIST, 64, &ops, &total);
	struct why why;

	if (scan_feed(s, (struct span){ input.p, cut }, &why) == 0 &&
	    scan_feed(s, (struct span){ input.p + cut, input.len - cut },
		&why) == 0 &&
	    scan_end(s, &why) == 0 && scan_is_valid(input) &&
	    !scan_is_valid(scan_rest(s)))
		abort();
	scan_free(s);
}

TARGET(scan, fuzz_scan);
