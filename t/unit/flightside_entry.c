/* SPDX-License-Identifier: ISC */
/* Who we are to Flightctl: token, rights, organisation. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/mark.h"
#include "common/retry.h"
#include "common/xmem.h"
#include "t/unit/flightrig.h"

#define OPTIONS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
listed(struct rig *r)
{
	rig_link(r);
	RIG_UNTIL(r, r->seen.complete == 1);
}

/* One that would write. */
static char *
an_edit(void)
{
	char name[MAX_APP + 1];

	cr_assert_eq(mark_name(RIG_CLUSTER, "default", "web",
			 "00000001-1111-2222-3333-444455556666", name),
	    0);
	return xasprintf(
	    "{\"applications\":{\"set\":[{\"name\":\"%s\",\"appType\":"
	    "\"quadlet\",\"inline\":[{\"path\":\"c.container\",\"content\":"
	    "\"[Container]\\nContainerName=c\\nImage=quay.io/podman/hello:"
	    "latest\\nPull=missing\\n\\n[Service]\\nRestart=always\\n\\n"
	    "[Install]\\nWantedBy=multi-user.target\\n\"}]}]}}",
	    name);
}

Test(entry, new_token_in_the_file_mends_a_401, .timeout = 60)
{
	struct rig r;
	uint64_t id;

	rig_start(&r, OPTIONS("--devices", "2", "--refuse-ms", "100"));
	listed(&r);
	free(rig_tell(&r, "expire-tokens"));
	free(rig_tell(&r, "token"));
	id = rig_read(&r, r.seen.listed[0], 1);
	RIG_UNTIL(&r, rig_done(&r, id));
	cr_assert_eq(rig_done(&r, id)->kind, ERR_NONE, "%s",
	    rig_done(&r, id)->text);
	cr_assert_eq(r.seen.read, 1);
	rig_end(&r);
}

Test(entry, what_cannot_be_used_is_told_with_its_cause, .timeout = 60)
{
	struct rig r;
	AUTO_FREE char *token = NULL;

	rig_start(&r, OPTIONS("--devices", "1"));
	token = xasprintf("%s/noorg.token", r.dir);
	rig_set(&r, SET_FLIGHTCTL_AUTH_TOKEN_FILE, token);
	rig_link(&r);
	RIG_UNTIL(&r, r.seen.state == FLIGHT_FORBIDDEN);
	cr_assert_not_null(strstr(r.seen.state_text, "organization"), "%s",
	    r.seen.state_text);
	cr_assert_eq(r.seen.complete, 0);
	rig_end(&r);
}

static void
token_of(struct rig *r, const char *user)
{
	AUTO_FREE char *token = xasprintf("%s/%s.token", r->dir, user);

	rig_set(r, SET_FLIGHTCTL_AUTH_TOKEN_FILE, token);
}

Test(entry, missing_right_is_named_and_no_outage, .timeout = 60)
{
	struct rig r;
	const struct body_changed *m;
	AUTO_FREE char *set = an_edit();
	uint64_t id;
	int i;

	rig_start(&r, OPTIONS("--devices", "1"));
	token_of(&r, "viewer");
	listed(&r);
	for (i = 0; i < 3; i++) {
		id = rig_change(&r, r.seen.listed[0], "", 60000, 0, set);
		RIG_UNTIL(&r, rig_changed(&r, id) != NULL);
		m = rig_changed(&r, id);
		cr_assert_eq(m->kind, ERR_DENIED);
		cr_assert_str_eq(m->text,
		    "403 Forbidden: the token may not update devices in "
		    "organization 00000000-0000-0000-0000-000000000000: a role "
		    "that may is flightctl-operator");
	}
	cr_assert_eq(r.seen.state, FLIGHT_ANSWERS);
	rig_end(&r);
}

Test(entry, without_the_list_the_state_says_forbidden, .timeout = 60)
{
	struct rig r;

	rig_start(&r, OPTIONS("--devices", "1"));
	token_of(&r, "norole");
	rig_link(&r);
	RIG_UNTIL(&r, r.seen.state == FLIGHT_FORBIDDEN);
	RIG_UNTIL(&r, r.seen.ends >= 2);
	cr_assert_eq(r.seen.state, FLIGHT_FORBIDDEN);
	cr_assert_not_null(strstr(r.seen.state_text, "may not list devices"),
	    "%s", r.seen.state_text);
	rig_end(&r);
}

Test(entry, wrong_organization_is_named_with_the_choice, .timeout = 60)
{
	struct rig r;

	rig_start(&r, OPTIONS("--devices", "1"));
	token_of(&r, "multi");
	rig_link(&r);
	RIG_UNTIL(&r, r.seen.state == FLIGHT_FORBIDDEN);
	cr_assert_not_null(strstr(r.seen.state_text,
			       "2 organizations; set FLIGHTCTL_ORG to one of: "
			       "00000000-0000-0000-0000-000000000000 (Default),"
			       " 4c6aa46a-c8ca-48cc-bd71-52c985a61fc2 (lab)"),
	    "%s", r.seen.state_text);
	rig_set(&r, SET_FLIGHTCTL_ORG, "4c6aa46a-c8ca-48cc-bd71-52c985a61fc3");
	rig_restart(&r);
	RIG_UNTIL(&r, r.seen.state == FLIGHT_FORBIDDEN);
	cr_assert_not_null(strstr(r.seen.state_text,
			       "FLIGHTCTL_ORG=4c6aa46a-c8ca-48cc-bd71-"
			       "52c985a61fc3"),
	    "%s", r.seen.state_text);
	rig_set(&r, SET_FLIGHTCTL_ORG, "00000000-0000-0000-0000-000000000000");
	rig_restart(&r);
	RIG_UNTIL(&r, r.seen.complete >= 1);
	cr_assert_eq(r.seen.state, FLIGHT_ANSWERS);
	rig_end(&r);
}

Test(entry, new_token_mends_all_that_are_on_their_way, .timeout = 60)
{
	struct rig r;
	uint64_t ids[8];
	size_t i;

	rig_start(&r, OPTIONS("--devices", "8", "--refuse-ms", "300"));
	listed(&r);
	free(rig_tell(&r, "expire-tokens"));
	for (i = 0; i < 8; i++) {
		ids[i] = rig_change(&r, r.seen.listed[i], "", 60000, 0,
		    "{\"applications\":{}}");
		rig_turn(&r);
	}
	(void)rig_read(&r, r.seen.listed[0], 1);
	RIG_UNTIL(&r, rig_count(&r, "GET /api/v1/devices") > 1);
	free(rig_tell(&r, "token"));
	for (i = 0; i < 8; i++) {
		RIG_UNTIL(&r, rig_changed(&r, ids[i]));
		cr_assert_eq(rig_changed(&r, ids[i])->kind, ERR_NONE, "%s",
		    rig_changed(&r, ids[i])->text);
	}
	cr_assert_eq(r.seen.state, FLIGHT_ANSWERS);
	rig_end(&r);
}

/* The service's own fault: little is asked, and all goes on when it ends. */
Test(entry, refused_token_is_tried_at_a_growing_distance, .timeout = 120)
{
	struct rig r;
	int64_t until;
	uint64_t id;
	unsigned int n;

	rig_start(&r, OPTIONS("--devices", "2", "--refuse-ms", "50"));
	rig_set(&r, SET_RESYNC_INTERVAL, "5s");
	listed(&r);
	free(rig_tell(&r, "distrust"));
	(void)rig_read(&r, r.seen.listed[0], 1);
	(void)rig_read(&r, r.seen.listed[1], 0);
	RIG_UNTIL(&r, r.seen.state == FLIGHT_UNAUTHORIZED);
	cr_assert_not_null(strstr(r.seen.state_text,
			       "401 failed to validate token (token of "
			       "FLIGHTCTL_AUTH_TOKEN_FILE"),
	    "%s", r.seen.state_text);
	free(rig_tell(&r, "reset-counts"));
	id = rig_read(&r, r.seen.listed[0], 1);
	for (until = rig_ms() + 6000; rig_ms() < until;)
		rig_turn(&r);
	n = rig_count(&r, "GET /api/v1/organizations");
	cr_assert(n >= 1 && n <= 12, "%u", n);
	cr_assert_eq(rig_count(&r, "GET /api/v1/devices"), 0);
	cr_assert_null(rig_done(&r, id));
	free(rig_tell(&r, "distrust off"));
	/* wherever in the last wait that was */
	RIG_WITHIN(&r, RIG_WAIT_MS + retry_longest_ms(ERR_AUTH),
	    rig_done(&r, id));
	cr_assert_eq(rig_done(&r, id)->kind, ERR_NONE);
	RIG_UNTIL(&r, r.seen.state == FLIGHT_ANSWERS);
	rig_end(&r);
}

/* It lasts until somebody writes a better token, and no longer. */
Test(entry, better_token_ends_the_wait_at_once, .timeout = 60)
{
	struct rig r;
	int64_t since;

	rig_start(&r, OPTIONS("--devices", "2", "--refuse-ms", "10000"));
	listed(&r);
	free(rig_tell(&r, "expire-tokens"));
	(void)rig_read(&r, r.seen.listed[0], 1);
	RIG_UNTIL(&r, r.seen.ndone == 1);
	RIG_UNTIL(&r, rig_count(&r, "GET /api/v1/organizations") == 2);
	/* This one hangs for ten seconds. */
	free(rig_tell(&r, "token"));
	since = rig_ms();
	RIG_UNTIL(&r, rig_count(&r, "GET /api/v1/organizations") == 3);
	cr_assert_lt(rig_ms() - since, 3000);
	rig_end(&r);
}
