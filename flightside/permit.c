/* SPDX-License-Identifier: ISC */
/*
 * permit.c: what a token may do, as Flightctl tells it.
 */
#include "flightside/permit.h"

#include <stddef.h>

#include "common/scan.h"

static int
has_operation(struct span operations, const char *verb)
{
	struct span word;
	size_t at = 0;
	int rc;

	while ((rc = scan_next(operations, &at, &word)) == 1)
		if (scan_string_is(word, verb) || scan_string_is(word, "*"))
			return 1;
	return rc;
}

int
permit_has(struct span answer, const char *verb, const char *resource)
{
	struct span list, one, name, operations;
	size_t at = 0;
	int rc, any = 0;

	if (scan_get(answer, &list, "permissions", NULL) != 1)
		return -1;
	while ((rc = scan_next(list, &at, &one)) == 1) {
		if (scan_get(one, &name, "resource", NULL) != 1 ||
		    scan_get(one, &operations, "operations", NULL) != 1)
			return -1;
		if (scan_string_is(name, resource))
			return has_operation(operations, verb);
		if (scan_string_is(name, "*"))
			any = has_operation(operations, verb);
	}
	return rc == -1 ? -1 : any;
}
