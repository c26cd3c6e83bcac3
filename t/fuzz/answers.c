/* SPDX-License-Identifier: ISC */
/*
 * Flightctl's answers that only `--check' and single questions look at, and
 * what a write begins with; what is taken of one is what scan_get() has in it,
 * and is within its bounds.
 */
#include <stdint.h>

#include "common/form.h"
#include "common/scan.h"
#include "flightside/base.h"
#include "flightside/census.h"
#include "flightside/creds.h"
#include "flightside/org.h"
#include "flightside/permit.h"
#include "flightside/right.h"
#include "flightside/same.h"
#include "flightside/verdict.h"
#include "t/fuzz/target.h"

static void
fuzz_permit(struct span input)
{
	enum right r;
	int may;

	for (r = 0; r < RIGHT_COUNT; r++) {
		may = permit_has(input, right_verb(r), right_resource(r));
		must(may >= -1 && may <= 1);
	}
}

static void
fuzz_census(struct span input)
{
	struct census c;

	if (census_take(input, &c) == -1)
		return;
	must(c.online <= c.looked_at && c.owned <= c.looked_at &&
	    c.leaving <= c.looked_at && c.silent <= c.looked_at);
	must(c.nagents <= CENSUS_AGENTS && c.devices >= c.looked_at);
}

static void
fuzz_org(struct span input)
{
	char org[ORG_SIZE];
	struct why why = { 0 };

	if (org_pick(input, "", org, &why) == 0)
		must(org_pick(input, org, org, &why) == 0);
	else
		must(why.kind == ERR_DENIED || why.kind == ERR_FORMAT);
}

/* The first byte: which status. */
static void
fuzz_verdict(struct span input)
{
	static const unsigned int of[] = { 200, 201, 0, 400, 401, 403, 404, 409,
		412, 413, 422, 429, 500, 503 };
	struct https_answer a = { 0 };
	struct why why = { 0 };
	enum verdict v;

	if (input.len == 0)
		return;
	a.status = of[(uint8_t)input.p[0] % (sizeof(of) / sizeof(of[0]))];
	a.body = (struct span){ input.p + 1, input.len - 1 };
	a.maybe_done = input.p[0] < 0;
	a.why.kind = a.status == 0 ? ERR_AGAIN : https_kind(a.status);
	v = verdict_of(&a, &why);
	must(v != VERDICT_STORED || a.status == 200);
	must(v != VERDICT_REFUSED || why.kind != ERR_NONE);
}

static void
fuzz_base(struct span input)
{
	struct why why = { 0 };
	struct base b;

	if (base_read(input, &b, &why) == -1) {
		must(why.kind == ERR_FORMAT && why.text[0] != '\0');
		return;
	}
	must(form_is_subdomain(span_of(b.device)) && scan_is_valid(b.spec));
	must(base_check(&b, "another", &why) == -1 && why.kind == ERR_GONE);
	if (base_check(&b, b.created, &why) == -1)
		must(why.kind == ERR_DENIED || why.kind == ERR_AGAIN);
}

/* Two of them: either is the same as itself, and as the other likewise. */
static void
fuzz_same(struct span input)
{
	struct span a, b;

	if (!target_record(&input, &a) || !target_record(&input, &b) ||
	    !scan_is_valid(a) || !scan_is_valid(b))
		return;
	must(same_json(a, a) && same_json(b, b));
	must(same_json(a, b) == same_json(b, a));
}

static void
fuzz_expiry(struct span input)
{
	must(creds_expiry(input) >= -1);
}

TARGET(base, fuzz_base);
TARGET(same, fuzz_same);
TARGET(permit, fuzz_permit);
TARGET(census, fuzz_census);
TARGET(org, fuzz_org);
TARGET(verdict, fuzz_verdict);
TARGET(expiry, fuzz_expiry);
