/* SPDX-License-Identifier: ISC */
/* One supervisor's kubesides are one holder of a lease; others are another. */
#include "kubeside/identity.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/who.h"
#include "t/unit/leaks.h"

static char *
identity_of(const char *supervisor)
{
	if (supervisor == NULL)
		unsetenv(SUPERVISOR_ENV);
	else
		setenv(SUPERVISOR_ENV, supervisor, 1);
	return identity_make();
}

Test(identity, goes_by_the_supervisor)
{
	AUTO_FREE char *one = identity_of("12-abc");
	AUTO_FREE char *again = identity_of("12-abc");
	AUTO_FREE char *other = identity_of("12-abd");
	AUTO_FREE char *none = identity_of(NULL);
	AUTO_FREE char *nobody = identity_of(NULL);

	cr_expect_str_eq(one, again);
	cr_expect_str_neq(one, other);
	cr_expect_str_neq(none, nobody);
	NO_LEAKS();
}

Test(identity, names_this_host)
{
	AUTO_FREE char *one = identity_of("12-abc");
	char host[256] = "";

	cr_assert_eq(gethostname(host, sizeof(host) - 1), 0);
	cr_expect_eq(strncmp(one, host, strlen(host)), 0, "%s", one);
	cr_expect_str_eq(one + strlen(host), "_12-abc");
	NO_LEAKS();
}
