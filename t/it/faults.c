/* SPDX-License-Identifier: ISC */
/*
 * faults: a proxy before each server does to requests and answers what
 * fault.def says, while pods come, change and go; then nothing does, and all
 * is as it should be.  How often the provider asks meanwhile is bounded.
 *	NIGHTLY=1	each fault for each kind of request, and each for a
 *			minute for all; hours
 *	IT_FAULT=NAME	that one for a minute
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/faulty.h"
#include "t/it/it.h"
#include "t/it/provider.h"
#include "t/it/sanitized.h"
#include "t/it/warp.h"

enum {
	RATE = SANITIZED ? 5 : 15, /* of the provider's clocks */
	MORE_MS = 1000,		   /* until each fault was there */
	STALL_MS = 40000,	   /* and for so long no other one was */
	ONE_MS = 330,		   /* a fault of a kind, NIGHTLY */
	MINUTE_MS = 60000 / RATE,
	RECOVER_MS = 120000,
	TELL_MS = 20000,
	/* vk-flightctl-provider(8), WHEN A SERVER FAILS */
	KUBE_A_MINUTE = 120,
	KUBE_A_POD = 12,
	FLIGHT_A_MINUTE = FAULTY_RATE + 40,
};

/* Of which each day sees a minute: one for each way in which to ask again. */
static const enum fault storms[] = { FAULT_IN_TURN, FAULT_RESET, FAULT_PORTAL,
	FAULT_S401, FAULT_S429_SECONDS, FAULT_S500, FAULT_TWICE_SECOND };

static struct provider *provider;

static const char *
server_name(enum fault_server s)
{
	return s == FAULT_KUBE ? "the apiserver" : "Flightctl";
}

static void
both(enum fault f, enum fault_kind k, unsigned int every, unsigned int most)
{
	const struct fault_rule r = { f, k, every, most };

	fault_set(faulty_proxy(FAULT_KUBE), &r);
	fault_set(faulty_proxy(FAULT_FLIGHT), &r);
	/* Who asked before a fault, as a watch, asks again. */
	fault_cut(faulty_proxy(FAULT_KUBE));
	fault_cut(faulty_proxy(FAULT_FLIGHT));
}

static unsigned int
not_done(enum fault_server s)
{
	unsigned int n = 0;
	enum fault f;

	for (f = 0; f < FAULT_COUNT; f++)
		n += !fault_is_slow(f, s) &&
		    fault_done(faulty_proxy(s), f, KIND_ANY) == 0;
	return n;
}

static void
say_not_done(enum fault_server s)
{
	enum fault f;

	for (f = 0; f < FAULT_COUNT; f++)
		if (!fault_is_slow(f, s) &&
		    fault_done(faulty_proxy(s), f, KIND_ANY) == 0)
			it_say("%s never happened", fault_name(f));
}

static void
each_was_there(void)
{
	enum fault_server s;
	unsigned int left = UINT_MAX, now_left;
	int64_t moved = it_ms();

	both(FAULT_IN_TURN, KIND_ANY, 2, 0);
	while ((now_left = not_done(FAULT_KUBE) + not_done(FAULT_FLIGHT)) > 0 &&
	    it_ms() < moved + STALL_MS) {
		if (now_left < left)
			moved = it_ms();
		left = now_left;
		faulty_churn(MORE_MS);
		for (s = FAULT_KUBE; s <= FAULT_FLIGHT; s++)
			if (not_done(s) == 0)
				fault_end(faulty_proxy(s));
	}
	for (s = FAULT_KUBE; s <= FAULT_FLIGHT; s++)
		if (!it_ok(not_done(s) == 0, "%s: each fault was there",
			server_name(s)))
			say_not_done(s);
}

static void
say_kinds(const unsigned int of[KIND_COUNT])
{
	enum fault_kind k;

	for (k = 0; k < KIND_COUNT; k++)
		if (of[k] > 0)
			it_say("%s: %u", fault_kind_name(k), of[k]);
}

/* Of no minute since then; pods: that do not come or go. */
static void
is_bounded(int64_t since_ms, unsigned int pods, const char *what)
{
	unsigned int of[2][KIND_COUNT];
	unsigned int kube = fault_busiest(faulty_proxy(FAULT_KUBE), since_ms,
			 MINUTE_MS, of[FAULT_KUBE]),
		     flight = fault_busiest(faulty_proxy(FAULT_FLIGHT),
			 since_ms, MINUTE_MS, of[FAULT_FLIGHT]);

	if (!it_ok(kube <= KUBE_A_MINUTE + KUBE_A_POD * pods &&
		    flight <= FLIGHT_A_MINUTE,
		"%s: at most %u requests a minute to the apiserver (of %u), %u "
		"to Flightctl (of %d)",
		what, kube, KUBE_A_MINUTE + KUBE_A_POD * pods, flight,
		FLIGHT_A_MINUTE) || getenv("NET_SAY")) {
		say_kinds(of[FAULT_KUBE]);
		say_kinds(of[FAULT_FLIGHT]);
	}
}

static void
nobody_strayed(void)
{
	enum fault_server s;

	for (s = FAULT_KUBE; s <= FAULT_FLIGHT; s++)
		it_ok(fault_strayed(faulty_proxy(s)) == 0,
		    "%s: no redirection was followed", server_name(s));
}

/* --- certificates -------------------------------------------------------- */

static void
meets(enum faulty_cert kube, enum faulty_cert flight, const char *what)
{
	static const char *const lines[] = { "\"kubeside\".*certificate",
		"\"flightside\".*certificate" };
	size_t seen[] = { provider_lines(provider, lines[FAULT_KUBE]),
		provider_lines(provider, lines[FAULT_FLIGHT]) };
	enum fault_server s;
	int64_t since;

	faulty_certify(FAULT_KUBE, kube);
	faulty_certify(FAULT_FLIGHT, flight);
	for (s = FAULT_KUBE; s <= FAULT_FLIGHT; s++)
		it_ok(provider_await_lines(provider, lines[s], seen[s] + 1,
			  TELL_MS) > seen[s],
		    "%s: %s is not believed, and why is said", what,
		    server_name(s));
	faulty_certify(FAULT_KUBE, CERT_RENEWED);
	faulty_certify(FAULT_FLIGHT, CERT_RENEWED);
	since = it_ms();
	faulty_runs(since);
}

static void
certificates(void)
{
	meets(CERT_EXPIRED, CERT_OTHER_NAME, "expired, and for another name");
	if (getenv("NIGHTLY") == NULL)
		return;
	meets(CERT_OTHER_NAME, CERT_OTHER_CA,
	    "for another name, of another CA");
	meets(CERT_OTHER_CA, CERT_EXPIRED, "of another CA, and expired");
}

/* --- all of it ----------------------------------------------------------- */

static void
each_for_each(void)
{
	enum fault_kind k;
	enum fault f;

	for (k = 0; k < KIND_COUNT; k++) {
		struct fault_proxy *p = faulty_proxy(fault_kind_server(k));

		for (f = 0; f < FAULT_COUNT; f++) {
			const struct fault_rule r = { f, k, 1, 3 };

			fault_set(p, &r);
			fault_cut(p);
			faulty_churn(ONE_MS);
		}
		faulty_ends(fault_kind_name(k), RECOVER_MS);
	}
}

static void
for_a_minute(enum fault f)
{
	const char *name = f == FAULT_IN_TURN ? "each in turn" : fault_name(f);
	int64_t since;

	faulty_churn(MORE_MS);
	since = it_ms();
	both(f, KIND_ANY, 1, 0);
	it_pause(MINUTE_MS);
	is_bounded(since, FAULTY_PODS, name);
	fault_end(faulty_proxy(FAULT_KUBE));
	fault_end(faulty_proxy(FAULT_FLIGHT));
}

static void
each_for_a_minute(const char *only)
{
	enum fault f;

	for (f = 0; f < FAULT_COUNT; f++)
		if (only == NULL || strcmp(only, fault_name(f)) == 0) {
			for_a_minute(f);
			faulty_ends(fault_name(f), RECOVER_MS);
		}
}

static void
scenario(void)
{
	size_t i;

	faulty_open();
	(void)warp_open(RATE);
	if ((provider = faulty_start()) == NULL)
		return;
	provider_expect(provider, "."); /* what is told of it is another's */
	if (getenv("NET_ALL")) {
		each_for_a_minute(NULL);
		return;
	}
	if (getenv("IT_FAULT") != NULL) {
		each_for_a_minute(getenv("IT_FAULT"));
		return;
	}
	for (i = 0; i < sizeof(storms) / sizeof(storms[0]); i++)
		for_a_minute(storms[i]);
	faulty_ends("storms", RECOVER_MS);
	each_was_there();
	faulty_ends("each fault was there", RECOVER_MS);
	certificates();
	if (getenv("NIGHTLY") != NULL) {
		each_for_each();
		each_for_a_minute(NULL);
	}
	nobody_strayed();
	it_ok(provider_stop(provider) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("faults", scenario);
}
