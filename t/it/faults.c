/* SPDX-License-Identifier: ISC */
/*
 * faults: a proxy before each server does to requests and answers what
 * fault.def says, while pods come, change and go.
 */
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/faulty.h"
#include "t/it/it.h"
#include "t/it/provider.h"

enum {
	STORM_MS = 8000,
	EVERY_OTHER_MS = 9000,
	RECOVER_MS = 60000,
};

static struct provider *provider;

static void
both(enum fault f, enum fault_kind k, unsigned int every)
{
	const struct fault_rule r = { .fault = f, .kind = k, .every = every };

	fault_set(faulty_proxy(FAULT_KUBE), &r);
	fault_set(faulty_proxy(FAULT_FLIGHT), &r);
}

static void
say_done(void)
{
	enum fault f;

	for (f = 0; f < FAULT_COUNT; f++)
		it_say("%s: %u %u", fault_name(f),
		    fault_done(faulty_proxy(FAULT_KUBE), f, KIND_ANY),
		    fault_done(faulty_proxy(FAULT_FLIGHT), f, KIND_ANY));
}

static void
scenario(void)
{
	enum fault_kind k;

	faulty_open(NULL);
	if ((provider = faulty_start()) == NULL)
		return;
	provider_expect(provider, ".");
	both(FAULT_IN_TURN, KIND_ANY, 2);
	fault_cut(faulty_proxy(FAULT_KUBE));
	faulty_churn(EVERY_OTHER_MS);
	faulty_ends("every other request failed", RECOVER_MS);
	if (getenv("IT_SAY") != NULL)
		say_done();
	both(FAULT_IN_TURN, KIND_ANY, 1);
	fault_cut(faulty_proxy(FAULT_KUBE)); /* watches, too */
	faulty_churn(STORM_MS);
	if (getenv("IT_SAY") != NULL)
		say_done();
	faulty_ends("every request failed", RECOVER_MS);
	for (k = 0; k < KIND_COUNT; k++)
		it_say("%s: %u", fault_kind_name(k),
		    fault_asked(faulty_proxy(fault_kind_server(k)), k));
	provider_judge(provider);
	it_ok(provider_stop(provider) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("faults", scenario);
}
