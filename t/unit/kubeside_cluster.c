/* SPDX-License-Identifier: ISC */
/* The cluster's id: asked for until it is known, and why it is not. */
#include "kubeside/cluster.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "kubeside/api.h"
#include "t/unit/apiserver.h"
#include "t/unit/said.h"

static char id[64], text[512];
static int answered;

static void
on_known(const char *known, void *arg)
{
	(void)arg;
	snprintf(id, sizeof(id), "%s", known);
	answered = 1;
}

static void
on_unknown(const char *why, void *arg)
{
	(void)arg;
	snprintf(text, sizeof(text), "%s", why);
	answered = 1;
}

#define GET "GET /api/v1/namespaces/kube-system: "
#define NO_UID GET "no metadata.uid in it"
#define KIND "{\"kind\":\"Namespace\",\"metadata\":{"

Test(cluster, is_asked_for_its_id_until_it_says_it, .timeout = 60)
{
	static const struct cluster_ops ops = { on_known, on_unknown };
	static const struct {
		int status;
		const char *body, *text;
	} answers[] = {
		{ 500, "{\"message\":\"broken\"}", GET "500: broken" },
		{ 200, KIND "}}", NO_UID },
		{ 200, KIND "\"uid\":\"\"}}", NO_UID },
		{ 200, KIND "\"uid\":7}}", NO_UID },
		{ 200, KIND "\"uid\":\"u-1\"}}", "" },
	};
	struct api *api = apiserver_open();
	struct cluster *c = cluster_new(apiserver_base, api, &ops, NULL);
	size_t i;

	said_start();
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		answered = 0;
		text[0] = '\0';
		/* Its own next question would come later. */
		cluster_ask(c);
		apiserver_wait(i + 1);
		apiserver_reply(i, answers[i].status, answers[i].body);
		apiserver_until(&answered);
		cr_expect_str_eq(text, answers[i].text);
	}
	cr_expect_str_eq(id, "u-1");
	cr_expect_str_eq(said(),
	    "the cluster's id is not known yet: " GET "500: broken\n", "once");
	said_stop();
	cluster_free(c);
	apiserver_close();
}
