/* SPDX-License-Identifier: ISC */
/*
 * What must hold of a Device once read: a version counts as applied only when
 * one answer shows all signs of it, only our applications are ours, and an
 * answer that is wrong anywhere it is read is refused by its path.  The bodies
 * in t/golden/device are answers of a real service of v1.2.0.
 */
#include "placer/device.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "golden.h"

#define PREFIX "k8s-0123456789-"

static char *
read_file(const char *name)
{
	AUTO_FREE char *file = xasprintf("%s.json", name);
	char *text = golden_read("device", file);

	cr_assert_not_null(text, "%s", name);
	return text;
}

static struct device *
golden(const char *name, const char *prefix)
{
	AUTO_FREE char *text = read_file(name);
	struct why why = { 0 };
	struct device *d = device_parse(span_of(text), prefix, &why);

	cr_assert_not_null(d, "%s: %s", name, why.text);
	return d;
}

struct recorded {
	const char *name;
	enum device_summary summary;
	uint8_t rendered, settled, failed;
	const char *reason;
};

static const struct recorded recordings[] = {
	{ "062-device-after-enrollment", DEVICE_UNKNOWN, 0, 0, 0, NULL },
	{ "531-flow-0-before", DEVICE_ONLINE, 1, 1, 0, "Updated" },
	/* rendered, the device has not heard of it; it calls itself UpToDate */
	{ "534-flow-2-at-once", DEVICE_ONLINE, 1, 0, 0, "Updated" },
	{ "537-flow-4-preparing", DEVICE_ONLINE, 1, 0, 0, "Preparing" },
	/* the condition comes one push before the version */
	{ "543-flow-4-updated", DEVICE_ONLINE, 1, 0, 0, "Updated" },
	{ "545-flow-4-version", DEVICE_ONLINE, 1, 1, 0, "Updated" },
	{ "562-flow-9-rollingback", DEVICE_ONLINE, 1, 0, 0, "RollingBack" },
	{ "564-flow-9-error", DEVICE_ONLINE, 1, 0, 1, "Error" },
	{ "567-flow-10-rendered", DEVICE_ONLINE, 1, 0, 1, "Error" },
	{ "568-flow-11-recovered", DEVICE_ONLINE, 1, 1, 0, "Updated" },
	{ "570-flow-12-removed", DEVICE_ONLINE, 1, 1, 0, "Updated" },
	/* written while Flightctl waits for the device: not rendered */
	{ "857-awaiting-reconnect-get", DEVICE_AWAITING_RECONNECT, 0, 0, 0,
	    NULL },
	{ "888-sim-app-1", DEVICE_ONLINE, 1, 0, 0, "Updated" },
	{ "890-sim-app-3", DEVICE_ONLINE, 1, 0, 1, "Error" },
	{ "894-sim-back-2", DEVICE_ONLINE, 1, 1, 0, "Updated" },
	{ "902-real-device-n1", DEVICE_ONLINE, 1, 0, 0, "Updated" },
};

Test(device, a_version_is_applied_only_with_all_signs_in_one_answer)
{
	const struct recorded *r;
	struct device *d;
	size_t i;

	for (i = 0; i < sizeof(recordings) / sizeof(recordings[0]); i++) {
		r = &recordings[i];
		d = golden(r->name, PREFIX);
		cr_expect_eq(d->summary, r->summary, "%s", r->name);
		cr_expect_eq(d->rendered, r->rendered, "%s", r->name);
		cr_expect_eq(d->settled, r->settled, "%s", r->name);
		cr_expect_eq(d->applied, r->rendered && r->settled, "%s",
		    r->name);
		cr_expect_eq(d->failed, r->failed, "%s", r->name);
		cr_expect_eq(d->enrolled, 1, "%s", r->name);
		cr_expect_eq(d->spec_valid, 1, "%s", r->name);
		if (r->reason == NULL)
			cr_expect_null(d->update_reason, "%s", r->name);
		else
			cr_expect_str_eq(d->update_reason, r->reason, "%s",
			    r->name);
		device_free(d);
	}
}

/* 564 and 567 differ only by what we wrote: the error is as old. */
Test(device, an_old_failure_is_known_by_its_time)
{
	struct device *before = golden("564-flow-9-error", PREFIX);
	struct device *after = golden("567-flow-10-rendered", PREFIX);

	cr_assert_eq(after->failed, 1);
	cr_assert_neq(after->generation, before->generation);
	cr_assert_str_eq(after->update_since, before->update_since);
	device_free(before);
	device_free(after);
}

/* With one byte of its spec changed no device is rendered. */
Test(device, rendered_means_every_byte_of_the_spec)
{
	AUTO_FREE char *text = read_file("545-flow-4-version");
	char *spec = strstr(text, "\"spec\":"), *end;
	struct device *d;
	size_t i;

	end = strstr(spec, "\"status\":{");
	for (i = (size_t)(spec - text) + 7; text + i < end; i++) {
		if (text[i] < 'a' || text[i] > 'y')
			continue;
		text[i]++;
		d = device_parse(span_of(text), PREFIX, NULL);
		if (d != NULL)
			cr_expect_eq(d->rendered, 0, "byte %zu", i);
		device_free(d);
		text[i]--;
	}
}

Test(device, what_a_real_device_says)
{
	struct device *d = golden("902-real-device-n1", "jo");

	cr_assert_str_eq(d->name,
	    "db0jf7bnrmnmsep9uq1kgb1nehng7bq1r9e6nfo4sa2ht2u8osug");
	cr_assert_str_eq(d->created, "2026-11-23T20:50:52.932164Z");
	cr_assert_null(d->owner);
	cr_assert_eq(d->generation, 26);
	cr_assert_eq(d->version, 26);
	cr_assert_str_eq(d->arch, "amd64");
	cr_assert_str_eq(d->os, "linux");
	cr_assert_eq(d->cpu_m, 0);
	cr_assert_str_eq(device_label(d, "edge"), "n1");
	cr_assert_null(device_label(d, "EDGE"));
	cr_assert_eq(d->nentries, 3);
	cr_assert_eq(d->foreign_apps, 0);
	cr_assert_null(device_entry(d, "job")->uid);
	cr_assert_eq(d->nreports, 3);
	cr_assert_eq(device_report(d, "job")->state, APP_COMPLETED);
	cr_assert_eq(device_report(d, "job")->of, 1);
	cr_assert_eq(device_report(d, "job2")->state, APP_UNKNOWN);
	cr_assert_null(device_report(d, "ok1"));
	device_free(d);
}

Test(device, nothing_is_ours_before_the_cluster_is_known)
{
	struct device *d = golden("902-real-device-n1", "");

	cr_assert_eq(d->nentries, 0);
	cr_assert_eq(d->nreports, 0);
	cr_assert_eq(d->foreign_apps, 3);
	device_free(d);
}

Test(device, decommissioning)
{
	struct device *d = golden("834-decommission-get", PREFIX);

	cr_assert_eq(d->decommissioning, 1);
	cr_assert_eq(d->enrolled, 0);
	device_free(d);
}

#define HEAD                                                            \
	"{\"metadata\":{\"name\":\"d\",\"creationTimestamp\":\"t\"%s}," \
	"\"spec\":%s,\"status\":{%s}}"

static struct device *
made(const char *meta, const char *spec, const char *status, struct why *why)
{
	AUTO_FREE char *text = xasprintf(HEAD, meta, spec, status);

	return device_parse(span_of(text), PREFIX, why);
}

Test(device, our_entry_tells_whose_it_is)
{
	struct why why;
	struct device *d = made("",
	    "{\"applications\":[{\"name\":\"" PREFIX
	    "default-web-de19433b\",\"appType\":\"quadlet\",\"inline\":["
	    "{\"path\":\"v.volume\",\"content\":\"[Volume]\\n\"},"
	    "{\"path\":\"c.container\",\"content\":\"[Container]\\n"
	    "Label=vk.flightctl.io/node=vk-flightctl-a\\n"
	    "Label=vk.flightctl.io/namespace=default\\n"
	    "Label=vk.flightctl.io/pod=web\\n"
	    "Label=vk.flightctl.io/uid=de19433b-1e42\\n"
	    "Label=vk.flightctl.io/images=00000000000000ff\\n"
	    "Label=vk.flightctl.io/cpu-milli=250\\n"
	    "Label=vk.flightctl.io/memory-bytes=67108864\\n\"}]},"
	    "{\"name\":\"other\"},{\"image\":\"quay.io/x/y\"}],\"config\":["
	    "{\"name\":\"" PREFIX "default-web-de19433b.conf\"},"
	    "{\"name\":\"theirs\"}]}",
	    "", &why);
	struct app_entry *e;

	cr_assert_not_null(d, "%s", why.text);
	cr_assert_eq(d->nentries, 1);
	cr_assert_eq(d->foreign_apps, 2);
	cr_assert_eq(d->nconfigs, 1);
	e = &d->entries[0];
	cr_assert_str_eq(e->uid, "de19433b-1e42");
	cr_assert_str_eq(e->ns, "default");
	cr_assert_str_eq(e->pod, "web");
	cr_assert_str_eq(e->node, "vk-flightctl-a");
	cr_assert_eq(e->images, 0xff);
	cr_assert_eq(e->cpu_m, 250);
	cr_assert_eq(e->memory, 67108864);
	device_free(d);
}

Test(device, capacity_is_what_is_reported_and_plausible)
{
	static const struct {
		const char *cores, *kb;
		int64_t cpu_m, memory;
	} cases[] = {
		{ "4", "8000000", 4000, 8192000000LL },
		{ "", "", 0, 0 },
		{ "4.5", "-1", 0, 0 },
		{ "9999999999999999999", "99999999999999999", 0, 0 },
	};
	AUTO_FREE char *status = NULL;
	struct device *d;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		free(status);
		status = xasprintf("\"systemInfo\":{\"cpuCores\":\"%s\","
				   "\"memoryTotalKb\":\"%s\"}",
		    cases[i].cores, cases[i].kb);
		d = made("", "{}", status, NULL);
		cr_assert_not_null(d);
		cr_expect_eq(d->cpu_m, cases[i].cpu_m);
		cr_expect_eq(d->memory, cases[i].memory);
		device_free(d);
	}
}

Test(device, wrong_types_are_refused_by_path)
{
	static const struct {
		const char *meta, *spec, *status, *text;
	} cases[] = {
		{ ",\"labels\":[]", "{}", "", "metadata.labels: an array" },
		{ ",\"labels\":{\"a\":1}", "{}", "", "metadata.labels[a]" },
		{ ",\"owner\":7", "{}", "", "metadata.owner: a number" },
		{ "", "7", "", "spec: a number, not an object" },
		{ "", "{\"applications\":{}}", "",
		    "spec.applications: an obj" },
		{ "", "{\"applications\":[7]}", "", "spec.applications[0]" },
		{ "", "{\"applications\":[{\"name\":7}]}", "",
		    "spec.applications[0].name" },
		{ "", "{\"config\":[{}]}", "", "spec.config[0].name" },
		{ "", "{}", "\"summary\":7", "status.summary: a number" },
		{ "", "{}", "\"conditions\":[7]", "status.conditions: a num" },
		{ "", "{}", "\"applications\":[{}]",
		    "status.applications.name: not there" },
		{ "", "{},\"spec\":{}", "", "spec: there twice" },
	};
	struct device *d;
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		why = (struct why){ 0 };
		d = made(cases[i].meta, cases[i].spec, cases[i].status, &why);
		cr_expect_null(d, "%s", cases[i].text);
		if (d == NULL)
			cr_expect_not_null(strstr(why.text, cases[i].text),
			    "%s, not %s", why.text, cases[i].text);
		device_free(d);
	}
}

Test(device, frozen_from_the_annotation_on)
{
	struct device *d =
	    made(",\"annotations\":{"
		 "\"device-controller/conflictPaused\":\"true\"}",
		"{}", "\"summary\":{\"status\":\"Online\"}", NULL);

	cr_assert_not_null(d);
	cr_assert_eq(d->summary, DEVICE_CONFLICT_PAUSED);
	device_free(d);
}
