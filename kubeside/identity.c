/* SPDX-License-Identifier: ISC */
/*
 * identity.c: who we are, as the holder of a lease.
 *
 * Owns the reading of /proc for the supervisor's number and start; where that
 * is hidden, the number is random, and a restart waits for the old lease.
 */
#include "kubeside/identity.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/xmem.h"

/* The start of a process in clock ticks since boot, 0: not to be seen. */
static unsigned long long
started(pid_t pid)
{
	char path[32], line[1024];
	unsigned long long ticks = 0;
	const char *at;
	FILE *f;
	int field;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return 0;
	/* Its name may hold anything; what follows the last ')' is numbers. */
	if (fgets(line, sizeof(line), f) != NULL &&
	    (at = strrchr(line, ')')) != NULL) {
		for (field = 2; field < 22 && at != NULL; field++)
			at = strchr(at + 1, ' ');
		if (at != NULL)
			ticks = strtoull(at + 1, NULL, 10);
	}
	(void)fclose(f);
	return ticks;
}

char *
identity_make(void)
{
	char host[HOST_NAME_MAX + 1] = "";
	unsigned long long ticks = started(getppid());

	if (gethostname(host, sizeof(host) - 1) == -1 || host[0] == '\0')
		memcpy(host, "unknown", sizeof("unknown"));
	if (ticks == 0)
		return xasprintf("%s_%08" PRIx32 "%08" PRIx32, host,
		    arc4random(), arc4random());
	return xasprintf("%s_%d-%llx", host, (int)getppid(), ticks);
}
