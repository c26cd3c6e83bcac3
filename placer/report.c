/* SPDX-License-Identifier: ISC */
/*
 * report.c: what a pod is said to be.
 *
 * Owns the order of the rows.  Never looks at a pod or a device itself.
 */
#include "placer/report.h"

#include <stddef.h>

#define ANY_STAGE ((1u << REPORT_NSTAGES) - 1)
#define ANY_REPORT ((1u << REPORT_NWORDS) - 1)
#define ANY_POLICY ((1u << REPORT_NPOLICIES) - 1)
#define ANY_BEFORE ((1u << REPORT_NBEFORES) - 1)

static const struct {
	unsigned int stage, says, policy, before;
	struct report_verdict verdict;
} rows[] = {
#define ROW(number, stage, says, policy, before, phase, shape, ready) \
	{ stage, says, policy, before,                                \
		{ number, PHASE_##phase, SHAPE_##shape, READY_##ready } },
#include "placer/report.def"
#undef ROW
};

struct report_verdict
report_decide(const struct report_facts *f)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((rows[i].stage & f->stage) && (rows[i].says & f->says) &&
		    (rows[i].policy & f->policy) &&
		    (rows[i].before & f->before))
			return rows[i].verdict;
	return (struct report_verdict){ 0, PHASE_PENDING, SHAPE_CREATING,
		READY_NO };
}
