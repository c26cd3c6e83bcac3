/* SPDX-License-Identifier: ISC */
/*
 * org.c: which organisation is meant when FLIGHTCTL_ORG does not say.  Never
 * guesses: of several none is taken.
 */
#include "flightside/org.h"

#include <string.h>

#include "common/bytes.h"
#include "common/scan.h"

enum {
	SHOWN = 6, /* of several */
};

/* ", <id> (<display name>)" */
static void
add_choice(struct bytes *b, const char *id, struct span item)
{
	char name[128];

	bytes_add_text(b, b->len > 0 ? ", " : "");
	bytes_add_text(b, id);
	if (scan_get_string(item, name, sizeof(name), "spec", "displayName",
		NULL) != 1)
		return;
	bytes_add_text(b, " (");
	bytes_add_text(b, name);
	bytes_add_text(b, ")");
}

static int
choose(const char *wanted, size_t n, const struct bytes *choices,
    struct why *why)
{
	const char *more = n > SHOWN ? ", ..." : "";

	if (n == 0)
		return fail(why, ERR_DENIED,
		    "the Flightctl token belongs to "
		    "no organization");
	if (*wanted != '\0')
		return fail(why, ERR_DENIED,
		    "FLIGHTCTL_ORG=%s: the Flightctl token does not belong to "
		    "this organization, but to %.*s%s",
		    wanted, (int)choices->len, choices->p, more);
	return fail(why, ERR_DENIED,
	    "the Flightctl token belongs to "
	    "%zu organizations; set FLIGHTCTL_ORG to one of: %.*s%s",
	    n, (int)choices->len, choices->p, more);
}

int
org_pick(struct span answer, const char *wanted, char org[ORG_SIZE],
    struct why *why)
{
	AUTO_BYTES struct bytes choices = { NULL, 0, 0 };
	struct span items, item;
	size_t at = 0, n = 0;
	int rc;

	if (scan_get(answer, &items, "items", NULL) != 1)
		return fail(why, ERR_FORMAT, "organizations: no list");
	while ((rc = scan_next(items, &at, &item)) == 1) {
		if (scan_get_string(item, org, ORG_SIZE, "metadata", "name",
			NULL) != 1)
			return fail(why, ERR_FORMAT,
			    "organizations: an item "
			    "without a name");
		if (strcmp(org, wanted) == 0)
			return 0;
		if (n++ < SHOWN)
			add_choice(&choices, org, item);
	}
	if (rc == -1)
		return fail(why, ERR_FORMAT, "organizations: no list");
	if (n == 1 && *wanted == '\0')
		return 0;
	return choose(wanted, n, &choices, why);
}

/* As v1.2.0 writes them. */
static const struct {
	unsigned int status;
	const char *words;
} refusals[] = {
	{ 403, "access denied to organization" },
	{ 403, "user belongs to no organizations" },
	{ 400, "invalid organization ID format" },
	{ 400, "user belongs to multiple organizations" },
};

int
org_is_refused(unsigned int status, const char *message)
{
	size_t i;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (refusals[i].status == status &&
		    strstr(message, refusals[i].words) != NULL)
			return 1;
	return 0;
}
