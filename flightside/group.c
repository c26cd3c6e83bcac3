/* SPDX-License-Identifier: ISC */
/* group.c: who shares a request.  Never knows a name, never sends. */
#include "flightside/group.h"

int
group_add(struct group *g, size_t name_len, int alone)
{
	size_t bytes = g->n == 0 ? sizeof(GROUP_HEAD) - 1 : g->bytes;

	if (g->n == GROUP_NAMES || g->alone || (alone && g->n > 0) ||
	    bytes + name_len > GROUP_BYTES)
		return 0;
	g->bytes = bytes + name_len + (g->n > 0);
	g->n++;
	g->alone = alone;
	return 1;
}

int64_t
group_due(size_t n, int64_t due, int64_t now)
{
	return n >= GROUP_NAMES || due < now ? now : due;
}
