/* SPDX-License-Identifier: ISC */
/* What Flightctl's answers to a PUT mean; texts as recorded from v1.2.0. */
#include <criterion/criterion.h>
#include <string.h>

#include "flightside/verdict.h"

static enum verdict
of(unsigned int status, const char *text, struct why *why)
{
	struct https_answer a = { .status = status };

	if (status == 0 || status >= 300)
		fail_code(&a.why, status == 0 ? ERR_AGAIN : https_kind(status),
		    status, "PUT x: %s", text);
	return verdict_of(&a, why);
}

Test(verdict, conflicts_differ_by_their_words)
{
	struct why why;

	cr_assert_eq(of(409,
			 "the object has been modified; please apply your "
			 "changes to the latest version and try again",
			 &why),
	    VERDICT_FASTER);
	cr_assert_eq(of(409,
			 "updating the resource is not allowed because it "
			 "has an owner",
			 &why),
	    VERDICT_REFUSED);
	cr_assert_eq(why.kind, ERR_DENIED);
	cr_assert_eq(of(409,
			 "decommissioned device cannot be created or "
			 "updated",
			 &why),
	    VERDICT_REFUSED);
	cr_assert_eq(why.kind, ERR_DENIED);
	cr_assert_eq(of(409, "something else", &why), VERDICT_REFUSED);
	cr_assert_eq(why.kind, ERR_AGAIN);
}

Test(verdict, whatever_may_have_been_stored_is_in_doubt)
{
	struct why why;

	cr_assert_eq(of(0, "timed out", &why), VERDICT_DOUBT);
	cr_assert_eq(of(500, "", &why), VERDICT_DOUBT);
	cr_assert_eq(of(503, "", &why), VERDICT_DOUBT);
	cr_assert_eq(of(504, "", &why), VERDICT_DOUBT);
	cr_assert_eq(of(200, "", &why), VERDICT_STORED);
	cr_assert_eq(of(201, "", &why), VERDICT_PHANTOM);
}

Test(verdict, refusals_keep_their_kind)
{
	struct why why;

	cr_assert_eq(of(400, "invalid", &why), VERDICT_REFUSED);
	cr_assert_eq(why.kind, ERR_FORMAT);
	cr_assert_eq(why.code, 400);
	cr_assert_eq(of(401, "", &why), VERDICT_REFUSED);
	cr_assert_eq(why.kind, ERR_AUTH);
	cr_assert_eq(of(403, "", &why), VERDICT_REFUSED);
	cr_assert_eq(why.kind, ERR_DENIED);
}
