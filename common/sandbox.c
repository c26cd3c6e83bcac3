/* SPDX-License-Identifier: ISC */
/*
 * sandbox.c: what a worker takes from itself.
 *
 * Owns the order of the layers; the lists are in sandbox.def.
 */
#include "common/sandbox.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <string.h>

int
sandbox_early(struct why *why)
{
	static const struct rlimit none = { 0, 0 };

	(void)umask(077);
	if (setrlimit(RLIMIT_CORE, &none) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return fail_code(why, ERR_SYSTEM, (uint32_t)errno,
		    "sandbox: %s", strerror(errno));
	return 0;
}

int
sandbox_seal(enum proc self, const struct settings *s, struct why *why)
{
	if (strcmp(s->text[SET_REQUIRE_SANDBOX], "yes") == 0)
		return fail(why, ERR_DENIED,
		    "REQUIRE_SANDBOX=yes: this build "
		    "has no system call filter for %s",
		    proc_name(self));
	return 0;
}
