/* SPDX-License-Identifier: ISC */
/* Our names: what they look like, and that they stay apart. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/mark.h"

#define CLUSTER "0c6be1d6-6a49-4ee6-9f4b-0f7b3f7ad1f0"
#define POD_UID "d34db33f-1111-2222-3333-444455556666"

static const char *
named(const char *ns, const char *pod, const char *uid)
{
	static char buf[4][MAX_APP + 1];
	static int turn;
	char *p = buf[turn++ % 4];

	cr_assert_eq(mark_name(CLUSTER, ns, pod, uid, p), 0);
	cr_assert(mark_is_ours(CLUSTER, p), "%s", p);
	return p;
}

Test(mark, digest_is_sha256)
{
	char hex[DIGEST_SIZE];

	/* FIPS 180-2, appendix B.1; Flightctl's renderedSpecHash of {} */
	mark_digest(span_of("abc"), hex);
	cr_assert_str_eq(hex,
	    "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	mark_digest(span_of("{}"), hex);
	cr_assert_str_eq(hex,
	    "44136fa355b3678a1146ad16f7e8649e"
	    "94fb4fc21fe77e8310c060f61caaff8a");
}

Test(mark, id_is_the_agents)
{
	char id[MAX_APP + 8];

	/* Seen on devices: facts/quadlet.md, flightctl-agent 1.2.0. */
	mark_id("shop", id);
	cr_assert_str_eq(id, "shop-289264");
}

Test(mark, plain_name_is_readable)
{
	char want[MAX_APP + 1], prefix[MARK_PREFIX];

	mark_prefix(CLUSTER, prefix);
	cr_assert_eq(strlen(prefix), 15);
	cr_assert_eq(strncmp(prefix, "k8s-", 4), 0);
	snprintf(want, sizeof(want), "%sdefault-web-0-d34db33f", prefix);
	cr_assert_str_eq(named("default", "web-0", POD_UID), want);
}

Test(mark, changed_names_stay_apart)
{
	char ns[MAX_NAMESPACE + 1], a[MAX_NAME + 1], b[MAX_NAME + 1];

	cr_assert_str_neq(named("default", "a.b", POD_UID),
	    named("default", "a-b", POD_UID));
	memset(ns, 'n', MAX_NAMESPACE);
	ns[MAX_NAMESPACE] = '\0';
	memset(a, 'p', MAX_NAME);
	a[MAX_NAME] = '\0';
	memcpy(b, a, sizeof(b));
	b[MAX_NAME - 1] = 'q';
	cr_assert_eq(strlen(named(ns, a, POD_UID)), MAX_APP);
	cr_assert_str_neq(named(ns, a, POD_UID), named(ns, b, POD_UID));
	cr_assert_str_neq(named("x", "y", POD_UID),
	    named("x", "y", "e34db33f-1111-2222-3333-444455556666"));
}

Test(mark, only_this_clusters_names_are_ours)
{
	char name[MAX_APP + 1];

	cr_assert_eq(mark_name("other", "default", "web", POD_UID, name), 0);
	cr_assert(!mark_is_ours(CLUSTER, name));
	cr_assert(!mark_is_ours(CLUSTER, ""));
	cr_assert(!mark_is_ours(CLUSTER, "shop"));
	mark_prefix(CLUSTER, name);
	cr_assert(!mark_is_ours(CLUSTER, name));
	strcat(name, "default-web/../x-d34db33f");
	cr_assert(!mark_is_ours(CLUSTER, name));
}

Test(mark, what_is_no_pod_has_no_name)
{
	char name[MAX_APP + 1];

	cr_assert_eq(mark_name(CLUSTER, "", "web", POD_UID, name), -1);
	cr_assert_eq(mark_name(CLUSTER, "default", "", POD_UID, name), -1);
	cr_assert_eq(mark_name(CLUSTER, "default", "web", "d34d", name), -1);
	cr_assert_eq(mark_name(CLUSTER, "default", "web", "not-a-uid", name),
	    -1);
}
