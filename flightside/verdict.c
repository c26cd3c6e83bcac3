/* SPDX-License-Identifier: ISC */
/*
 * verdict.c: reads Flightctl's answers to writes.  Owns the texts by which
 * its conflicts differ (its `reason` says nothing).
 */
#include "flightside/verdict.h"

#include <string.h>

static const struct {
	const char *text;
	enum verdict verdict;
	enum why_kind kind;
} conflicts[] = {
	{ "has been modified", VERDICT_FASTER, ERR_CONFLICT },
	{ "has an owner", VERDICT_REFUSED, ERR_DENIED },
	{ "decommissioned", VERDICT_REFUSED, ERR_DENIED },
	{ "", VERDICT_REFUSED, ERR_AGAIN },
};

static enum verdict
conflict(struct why *why)
{
	size_t i = 0;

	while (strstr(why->text, conflicts[i].text) == NULL)
		i++;
	why->kind = conflicts[i].kind;
	return conflicts[i].verdict;
}

enum verdict
verdict_of(const struct https_answer *a, struct why *why)
{
	*why = a->why;
	if (a->status == 200 && a->why.kind == ERR_NONE)
		return VERDICT_STORED;
	if (a->status == 201)
		return VERDICT_PHANTOM;
	if (a->status == 409)
		return conflict(why);
	/* An answer that broke off is none either. */
	if (a->status < 300 || a->status >= 500 || a->status == 408)
		return VERDICT_DOUBT;
	return VERDICT_REFUSED;
}
