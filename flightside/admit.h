/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_ADMIT_H
#define FLIGHTSIDE_ADMIT_H

/*
 * The device policy: what may be written to a device, whoever asks.  Pure.
 */

#include "common/span.h"
#include "common/why.h"

struct admit_rules {
	const char *cluster;	/* whose mark is ours */
	const char *registries; /* IMAGE_REGISTRIES; "": any */
	int host;		/* ALLOW_PRIVILEGED=yes */
	size_t pods;		/* DEVICE_MAX_PODS; 0: any number */
};

/*
 * May this spec replace that one?  Only elements of applications and config
 * whose name is ours differ, and those that are new or changed are of the
 * forms of admit.def and exec.def.  ERR_DENIED, or ERR_LIMIT: too large.  The
 * text begins with the place:
 *	applications[2] NAME: inline[0] web.container line 7: ...
 *	applications[2] NAME: inline[0] web.kube: ...
 *	config[0] NAME: inline[1] /var/lib/...: ...
 *	applications[2] NAME: ...	a member of the element
 *	applications[2]: ...		an element of others
 *	applications: ...		the array
 *	spec byte 17: ...		anything else; 0 is the first
 */
int admit(const struct admit_rules *, struct span old_spec,
    struct span new_spec, struct why *);

#endif
