/* SPDX-License-Identifier: ISC */
/*
 * identity.c: who we are, as the holder of a lease.
 *
 * Owns the reading of the word that the supervisor gives to all kubesides that
 * it starts; without it the word is random, and a restart waits for the old
 * lease.
 */
#include "kubeside/identity.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/who.h"
#include "common/xmem.h"

char *
identity_make(void)
{
	char host[HOST_NAME_MAX + 1] = "";
	const char *word = getenv(SUPERVISOR_ENV);

	if (gethostname(host, sizeof(host) - 1) == -1 || host[0] == '\0')
		memcpy(host, "unknown", sizeof("unknown"));
	if (word == NULL || *word == '\0')
		return xasprintf("%s_%08" PRIx32 "%08" PRIx32, host,
		    arc4random(), arc4random());
	return xasprintf("%s_%s", host, word);
}
