/* SPDX-License-Identifier: ISC */
/*
 * next_quadlet.c: the version after this one, which renders a pod a little
 * differently.  Linked in by --wrap.
 */
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "placer/quadlet.h"

#define NOW "RestartSec=10"
#define NEXT "RestartSec=11"

int __real_quadlet_render(const struct quadlet_in *, struct quadlet *,
    struct why *);
int __wrap_quadlet_render(const struct quadlet_in *, struct quadlet *,
    struct why *);

int
__wrap_quadlet_render(const struct quadlet_in *in, struct quadlet *q,
    struct why *why)
{
	char *at, *text;

	if (__real_quadlet_render(in, q, why) == -1)
		return -1;
	if ((at = strstr(q->application, NOW)) == NULL)
		abort();
	text = xasprintf("%.*s" NEXT "%s", (int)(at - q->application),
	    q->application, at + strlen(NOW));
	free(q->application);
	q->application = text;
	return 0;
}
