/* SPDX-License-Identifier: ISC */
/*
 * right.c: what a 403 of Flightctl lacks.  Its answer is "Forbidden" and no
 * more, so that the request itself must say what was refused.
 */
#include "flightside/right.h"

#include "common/xmem.h"

static const struct {
	const char *verb, *resource;
	enum without without;
} rights[] = {
#define RIGHT(name, verb, resource, without) \
	{ verb, resource, WITHOUT_##without },
#include "flightside/right.def"
#undef RIGHT
};

enum without
right_without(enum right r)
{
	return rights[r].without;
}

const char *
right_verb(enum right r)
{
	return rights[r].verb;
}

const char *
right_resource(enum right r)
{
	return rights[r].resource;
}

char *
right_refusal(enum right r, const char *org)
{
	return xasprintf("the token may not %s %s%s%s: a role that may is "
			 "flightctl-operator",
	    rights[r].verb, rights[r].resource,
	    *org == '\0' ? "" : " in organization ", org);
}
