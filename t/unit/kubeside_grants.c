/* SPDX-License-Identifier: ISC */
/* Which rights are ours: what is said of answers that say no, or nothing. */
#include "kubeside/grants.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/finding.h"
#include "ipc/msg.h"
#include "kubeside/api.h"
#include "t/unit/apiserver.h"

static const char *answer;
static int is_done;
static char findings[16 * 1024];

static void
on_asked(size_t i)
{
	cr_expect_str_eq(apiserver_asked[i].target,
	    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
	apiserver_reply(i, 201, answer);
}

static void
on_done(void *arg)
{
	(void)arg;
	is_done = 1;
}

static void
on_finding(const struct body_finding *m, void *arg)
{
	static const char *const levels[FINDING_LEVELS] = { "ok", "warn",
		"FAIL" };
	size_t len = strlen(findings);

	(void)arg;
	snprintf(findings + len, sizeof(findings) - len, "%s %s: %s\n",
	    levels[m->level], m->subject, m->text);
}

/* Some lines of what is told when that is each answer. */
#define REVIEW "{\"kind\":\"SelfSubjectAccessReview\",\"status\":{"

Test(grants, what_each_answer_means, .timeout = 60)
{
	static const struct {
		const char *answer, *line;
	} cases[] = {
		{ REVIEW "\"allowed\":true}}",
		    "ok right: get list watch delete pods\n" },
		{ REVIEW "\"allowed\":false}}",
		    "FAIL right: pods: not allowed: get, list, watch, "
		    "delete\n" },
		{ REVIEW "}}",
		    "FAIL right: pods: not known whether allowed: get, list, "
		    "watch, delete: what came has no status.allowed\n" },
	};
	struct fleet_node node = { .node = "n" };
	struct settings s;
	struct grants *g;
	struct api *api;
	size_t i;

	settings_init(&s);
	finding_set_sink(on_finding, NULL);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		answer = cases[i].answer;
		findings[0] = '\0';
		is_done = 0;
		api = apiserver_open();
		apiserver_asks = on_asked;
		g = grants_ask(api, &s, &node, 1, on_done, NULL);
		apiserver_until(&is_done);
		grants_tell(g);
		cr_expect(strstr(findings, cases[i].line) != NULL, "%s",
		    findings);
		grants_free(g);
		apiserver_asks = NULL;
		apiserver_close();
	}
	settings_free(&s);
}
