/* SPDX-License-Identifier: ISC */
/* The Node object, and leases: what is written, and when nothing is. */
#include "kubeside/nodedoc.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/scan.h"
#include "kubeside/lease.h"

#define UNREACHABLE "vk.flightctl.io/flightctl-unreachable"
#define AWAY "vk.flightctl.io/placer-away"

static struct nodedoc
doc(void)
{
	return (struct nodedoc){ .name = "vk-flightctl-a",
		.fleet = "a",
		.zone = "",
		.arch = "arm64",
		.keys = "",
		.placer_answers = 1,
		.has_figures = 1,
		.figures = { .capacity_cpu_m = 2500,
		    .capacity_memory = 3ULL << 30,
		    .capacity_pods = 100,
		    .flightctl = FLIGHT_ANSWERS },
		.since_ms = { 1700000000000 } };
}

/* The string at a path, in a buffer of its own. */
#define AT(text, ...)                                                  \
	({                                                             \
		static char buf_[512];                                 \
		buf_[0] = '\0';                                        \
		if (scan_get_string(span_of(text), buf_, sizeof(buf_), \
			__VA_ARGS__, NULL) != 1)                       \
			buf_[0] = '\0';                                \
		buf_;                                                  \
	})

Test(nodedoc, a_created_node_needs_nothing_more)
{
	struct nodedoc d = doc();
	char *text = nodedoc_create(&d);

	cr_assert(scan_is_valid(span_of(text)));
	cr_expect_str_eq(AT(text, "kind"), "Node");
	cr_expect_str_eq(AT(text, "metadata", "labels", "type"),
	    "virtual-kubelet");
	cr_expect_str_eq(AT(text, "metadata", "labels", "fleet"), "a");
	cr_expect_str_eq(AT(text, "metadata", "labels", "kubernetes.io/arch"),
	    "arm64");
	cr_expect_str_eq(AT(text, "metadata", "labels",
			     "topology.kubernetes.io/zone"),
	    "");
	cr_expect_null(strstr(text, UNREACHABLE));
	cr_expect_null(nodedoc_meta(&d, span_of(text)));
	free(text);
}

/* Only keys of the setting, and none that is the node's own. */
Test(nodedoc, labels_that_all_devices_share)
{
	static const char had[] =
	    "{\"metadata\":{\"labels\":{\"site\":\"old\",\"rack\":\"7\",\"x\":"
	    "\"y\"}}}";
	struct nodedoc d = doc();
	char *text;

	d.keys = "site, example.com/rack,rack,type";
	strcpy(d.figures.labels,
	    "site=lab\nexample.com/rack=\ntype=evil\nadmin=yes\n");
	text = nodedoc_create(&d);
	cr_expect_str_eq(AT(text, "metadata", "labels", "site"), "lab");
	cr_expect_not_null(strstr(text, "\"example.com/rack\":\"\""));
	cr_expect_str_eq(AT(text, "metadata", "labels", "type"),
	    "virtual-kubelet");
	cr_expect_null(strstr(text, "admin"));
	cr_expect_null(strstr(text, "\"rack\""));
	cr_expect_null(nodedoc_meta(&d, span_of(text)));
	free(text);
	text = nodedoc_meta(&d, span_of(had));
	cr_assert_not_null(text);
	cr_expect_not_null(strstr(text, "\"site\":\"lab\""));
	cr_expect_not_null(strstr(text, "\"rack\":null"), "%s", text);
	cr_expect_null(strstr(text, "\"x\""));
	free(text);
}

/* The scheduler would send pods by it: a fleet that is mixed by now. */
Test(nodedoc, an_own_label_that_is_no_more_true_goes)
{
	struct nodedoc d = doc();
	char *had, *text, *after;

	d.zone = "z";
	had = nodedoc_create(&d);
	cr_expect_null(nodedoc_meta(&d, span_of(had)));
	d.arch = "";
	d.zone = "";
	text = nodedoc_meta(&d, span_of(had));
	cr_assert_not_null(text);
	cr_expect_not_null(strstr(text, "\"kubernetes.io/arch\":null"), "%s",
	    text);
	cr_expect_not_null(
	    strstr(text, "\"topology.kubernetes.io/zone\":null"));
	cr_expect_not_null(strstr(text, "\"fleet\":\"a\""));
	/* As the server has it then. */
	after = nodedoc_create(&d);
	cr_expect_null(strstr(after, "kubernetes.io/arch"));
	cr_expect_null(nodedoc_meta(&d, span_of(after)));
	free(after);
	free(text);
	free(had);
}

Test(nodedoc, taints_of_others_stay)
{
	static const char theirs[] =
	    "{\"metadata\":{\"resourceVersion\":\"7\",\"labels\":{\"x\":\"y\"}"
	    "},\"spec\":{\"taints\":[{\"key\":\"node.kubernetes.io/not-ready\","
	    "\"effect\":\"NoSchedule\"},{\"key\":\"" UNREACHABLE "\","
	    "\"effect\":\"NoSchedule\"}]}}";
	struct nodedoc d = doc();
	char *patch = nodedoc_meta(&d, span_of(theirs));

	cr_assert_not_null(patch);
	cr_expect_str_eq(AT(patch, "metadata", "resourceVersion"), "7");
	cr_expect_not_null(strstr(patch, "node.kubernetes.io/not-ready"));
	cr_expect_not_null(strstr(patch, "virtual-kubelet.io/provider"));
	cr_expect_null(strstr(patch, UNREACHABLE));
	free(patch);
	d.figures.flightctl = FLIGHT_SILENT;
	patch = nodedoc_meta(&d, span_of(theirs));
	cr_expect_not_null(strstr(patch, UNREACHABLE));
	free(patch);
}

/* Nobody would look after a pod that is sent here. */
Test(nodedoc, a_placer_that_is_away_is_a_taint)
{
	struct nodedoc d = doc();
	char *had = nodedoc_create(&d), *text;

	cr_expect_null(strstr(had, AWAY));
	d.placer_answers = 0;
	text = nodedoc_meta(&d, span_of(had));
	cr_assert_not_null(text);
	cr_expect_not_null(
	    strstr(text, "{\"key\":\"" AWAY "\",\"effect\":\"NoSchedule\"}"));
	cr_expect_null(strstr(text, UNREACHABLE));
	cr_expect_null(nodedoc_meta(&d, span_of(text)));
	d.placer_answers = 1;
	free(had);
	had = nodedoc_meta(&d, span_of(text));
	cr_assert_not_null(had);
	cr_expect_null(strstr(had, AWAY));
	free(had);
	free(text);
}

/* Of an earlier life: what the figures will tell stays as it is. */
Test(nodedoc, without_figures_only_taints_are_added)
{
	static const char had[] =
	    "{\"metadata\":{\"labels\":{\"kubernetes.io/arch\":\"amd64\"}},"
	    "\"spec\":{\"taints\":[{\"key\":\"" UNREACHABLE "\"},"
	    "{\"key\":\"other\"}]}}";
	struct nodedoc d = doc();
	char *text;

	d.has_figures = 0;
	d.placer_answers = 0;
	text = nodedoc_meta(&d, span_of(had));
	cr_assert_not_null(text);
	cr_expect_not_null(strstr(text, AWAY));
	cr_expect_not_null(strstr(text, UNREACHABLE));
	cr_expect_not_null(strstr(text, "\"other\""));
	cr_expect_not_null(strstr(text, "virtual-kubelet.io/provider"));
	cr_expect_null(strstr(text, "labels"));
	/* A placer that comes has not said anything yet. */
	d.placer_answers = 1;
	cr_expect_null(nodedoc_meta(&d, span_of(text)));
	free(text);
	text = nodedoc_alive(&d, 0);
	cr_expect_null(strstr(text, "FlightctlReachable"));
	free(text);
}

/* Ready is never False for an outage of ours or of Flightctl. */
Test(nodedoc, ready_whatever_is_away)
{
	/* A refusal is an answer. */
	static const struct {
		const char *status, *reason, *message;
	} answers[FLIGHT_STATES] = {
		[FLIGHT_SILENT] = { "False", "\"NotAnswering\"", "\"why\"" },
		[FLIGHT_ANSWERS] = { "True", "\"Answering\"",
		    "\"Flightctl answers\"" },
		[FLIGHT_UNAUTHORIZED] = { "False", "\"Unauthorized\"",
		    "\"why\"" },
		[FLIGHT_FORBIDDEN] = { "True", "\"Forbidden\"", "\"why\"" },
	};
	struct nodedoc d = doc();
	char status[16];
	char *text;
	int64_t since;
	unsigned int flight;
	int placer;

	strcpy(d.figures.flightctl_text, "why");
	for (flight = 0; flight < FLIGHT_STATES; flight++)
		for (placer = 0; placer < 2; placer++) {
			d.figures.flightctl = flight;
			d.placer_answers = placer;
			text = nodedoc_status(&d, 1700000005000);
			cr_assert_eq(nodedoc_read(span_of(text), NODE_Ready,
					 status, &since),
			    1);
			cr_expect_str_eq(status, "True");
			cr_expect_eq(since, 1700000000000);
			nodedoc_read(span_of(text), NODE_FlightctlReachable,
			    status, &since);
			cr_expect_str_eq(status, answers[flight].status);
			cr_expect_not_null(
			    strstr(text, answers[flight].reason));
			cr_expect_not_null(
			    strstr(text, answers[flight].message));
			nodedoc_read(span_of(text), NODE_PlacerAnswers, status,
			    &since);
			cr_expect_str_eq(status, placer ? "True" : "False");
			free(text);
		}
}

/* "v", three numbers and a pre-release of dotted words, as semver has it. */
static int
is_semver(const char *s)
{
	static const char word[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ-";
	size_t n, digits;
	int i;

	if (*s++ != 'v')
		return 0;
	for (i = 0; i < 3; i++) {
		n = strspn(s, "0123456789");
		if (n == 0 || (n > 1 && *s == '0') ||
		    s[n] != (i < 2 ? '.' : '-'))
			return 0;
		s += n + 1;
	}
	for (;; s += n + 1) {
		n = strspn(s, word);
		digits = strspn(s, "0123456789");
		if (n == 0 || (n == digits && n > 1 && *s == '0'))
			return 0;
		if (s[n] != '.')
			return s[n] == '\0';
	}
}

/* All of them are required, what is not true of a fleet is empty. */
Test(nodedoc, its_info_is_true_or_empty)
{
	static const char *const empty[] = { "bootID",
		"containerRuntimeVersion", "kernelVersion", "machineID",
		"osImage", "systemUUID" };
	struct nodedoc d = doc();
	char *text = nodedoc_status(&d, 0), value[64];
	size_t i;

	for (i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		cr_assert_eq(scan_get_string(span_of(text), value,
				 sizeof(value), "status", "nodeInfo", empty[i],
				 NULL),
		    1, "%s", empty[i]);
		cr_expect_str_eq(value, "", "%s", empty[i]);
	}
	cr_expect_str_eq(AT(text, "status", "nodeInfo", "architecture"),
	    "arm64");
	cr_expect_str_eq(AT(text, "status", "nodeInfo", "operatingSystem"),
	    "linux");
	cr_expect(is_semver(AT(text, "status", "nodeInfo", "kubeletVersion")),
	    "%s", AT(text, "status", "nodeInfo", "kubeletVersion"));
	cr_expect_eq(strncmp(AT(text, "status", "nodeInfo", "kubeletVersion"),
			 "v1.36.0-vk-flightctl-", 21),
	    0);
	cr_expect_null(strstr(text, "kubeProxyVersion"), "deprecated");
	cr_expect(is_semver("v1.2.3-a.10") && !is_semver("v1.2.3-01") &&
	    !is_semver("v1.2-a") && !is_semver("1.2.3-a"));
	free(text);
}

Test(nodedoc, figures_in_the_server_s_form)
{
	struct nodedoc d = doc();
	char *text = nodedoc_status(&d, 0), *again = nodedoc_status(&d, 0);

	cr_expect_str_eq(AT(text, "status", "capacity", "cpu"), "2500m");
	cr_expect_str_eq(AT(text, "status", "capacity", "memory"), "3145728Ki");
	cr_expect_str_eq(AT(text, "status", "capacity", "pods"), "100");
	cr_expect_str_eq(AT(text, "status", "allocatable", "cpu"), "0");
	cr_expect_str_eq(text, again, "equal input, equal bytes");
	cr_expect_null(strstr(text, "lastHeartbeatTime"));
	free(text);
	free(again);
}

Test(lease, renew_time_never_steps_back)
{
	int64_t last = 0, before, i;
	static const int64_t clock[] = { 5000, 4000, 4000, 5001, 1, 6000 };

	for (i = 0; i < 6; i++) {
		before = last;
		cr_expect_gt(lease_next_us(&last, clock[i]), before);
		cr_expect_geq(last, clock[i] * 1000);
	}
}

Test(lease, text)
{
	struct lease_write l = { .ns = "n",
		.name = "a",
		.holder = "h",
		.duration_s = 15,
		.renew_us = 1700000000123456,
		.version = "9" };
	char *text = lease_create_text(&l);
	struct lease read;
	struct why why;

	cr_expect_str_eq(AT(text, "spec", "renewTime"),
	    "2023-11-14T22:13:20.123456Z");
	free(text);
	text = lease_patch_text(&l);
	cr_assert_eq(lease_read(span_of(text), &read, &why), 0);
	cr_expect_str_eq(read.version, "9");
	cr_expect_str_eq(read.holder, "h");
	cr_expect_eq(read.duration_ms, 15000);
	cr_expect_eq(read.renew_ms, 1700000000123);
	free(text);
	/* Given back: nobody holds it, in either form. */
	cr_assert_eq(lease_read(span_of("{\"metadata\":{\"resourceVersion\":"
					"\"1\"},\"spec\":{\"holderIdentity\":"
					"\"\"}}"),
			 &read, &why),
	    0);
	cr_expect_str_eq(read.holder, "");
	cr_assert_eq(lease_read(span_of("{\"metadata\":{\"resourceVersion\":"
					"\"1\"}}"),
			 &read, &why),
	    0);
	cr_expect_str_eq(read.holder, "");
	cr_expect_eq(lease_read(span_of("{}"), &read, &why), -1);
	cr_expect_eq(lease_read(span_of("{\"metadata\":{\"resourceVersion\":"
					"\"1\"},\"spec\":{"
					"\"leaseDurationSeconds\":-1}}"),
			 &read, &why),
	    -1);
}
