/* SPDX-License-Identifier: ISC */
/*
 * answer.c: what of a 2xx is believed (pure).
 *
 * Owns the form that every object of the API has.  Never looks at what the
 * object says.
 */
#include "kubeside/answer.h"

#include <string.h>

#include "common/limits.h"
#include "common/scan.h"

int
answer_is_object(struct span body)
{
	char kind[MAX_NAME + 1], status[16];

	if (!scan_is_valid(body) ||
	    scan_get_string(body, kind, sizeof(kind), "kind", NULL) != 1)
		return 0;
	return strcmp(kind, "Status") != 0 ||
	    (scan_get_string(body, status, sizeof(status), "status", NULL) ==
		    1 &&
		strcmp(status, "Success") == 0);
}
