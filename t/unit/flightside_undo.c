/* SPDX-License-Identifier: ISC */
/* What was set and is cut again leaves the bytes that were there before. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "common/scan.h"
#include "common/xmem.h"
#include "flightside/splice.h"
#include "t/unit/golden.h"
#include "t/unit/jgen.h"

#define OURS "[{\"name\":\"zz-1\",\"n\":1e400},{\"name\":\"zz-2\"}]"
#define SET \
	"{\"applications\":{\"set\":" OURS "},\"config\":{\"set\":" OURS "}}"
#define NAMES "{\"cut\":[\"zz-1\",\"zz-2\"]}"
#define CUT "{\"applications\":" NAMES ",\"config\":" NAMES "}"

/* The device with this edit made; caller frees. */
static char *
edited(const char *device, const char *edit)
{
	struct base b;
	struct edit e;
	struct splice s;
	struct span new, labels;
	struct why why;
	char *out;

	cr_assert_eq(base_read(span_of(device), &b, &why), 0, "%s", why.text);
	cr_assert_eq(edit_read(span_of(edit), &e, &why), 0, "%s", why.text);
	cr_assert_eq(splice(&b, &e, &s, &why), 0, "%s", why.text);
	cr_assert_eq(scan_get(bytes_span(&s.body), &labels, "metadata",
			 "labels", NULL),
	    1);
	if (b.labels.len == 0)
		b.labels = span_of("{}");
	cr_assert_eq(labels.len, b.labels.len);
	cr_assert_arr_eq(labels.p, b.labels.p, labels.len);
	new = splice_spec(&s);
	out = xasprintf("%.*s%.*s%s", (int)(b.spec.p - device), device,
	    (int)new.len, new.p, b.spec.p + b.spec.len);
	splice_free(&s);
	return out;
}

/* An absent array stays behind as [] at the end; all else is as it was. */
static void
check_undone(struct span text)
{
	char *device = xstrndup(text.p, text.len), *set, *cut, *want;
	struct base b;
	struct span v;
	struct why why;
	size_t at = 0;
	struct span key;
	int some, apps, config;

	cr_assert_eq(base_read(span_of(device), &b, &why), 0, "%s", why.text);
	some = scan_member(b.spec, &at, &key, &v) == 1;
	apps = scan_get(b.spec, &v, "applications", NULL);
	config = scan_get(b.spec, &v, "config", NULL);
	want = xasprintf("%.*s%s%s%s%s%s",
	    (int)(b.spec.p + b.spec.len - 1 - device), device,
	    some && !apps ? "," : "", apps ? "" : "\"applications\":[]",
	    (some || !apps) && !config ? "," : "",
	    config ? "" : "\"config\":[]", b.spec.p + b.spec.len - 1);
	set = edited(device, SET);
	cut = edited(set, CUT);
	cr_assert(strcmp(set, device) != 0);
	cr_assert_str_eq(cut, want);
	free(device);
	free(set);
	free(cut);
	free(want);
}

/* How many devices are anywhere in a recording; each is checked. */
static int
devices_in(struct span v)
{
	struct base b;
	struct span key, inner;
	struct why why;
	size_t at = 0;
	int n = 0;

	if (*v.p == '{' && base_read(v, &b, &why) == 0) {
		check_undone(v);
		return 1;
	}
	if (*v.p == '{')
		while (scan_member(v, &at, &key, &inner) == 1)
			n += devices_in(inner);
	else if (*v.p == '[')
		while (scan_next(v, &at, &inner) == 1)
			n += devices_in(inner);
	return n;
}

static int
devices_below(const char *folder)
{
	char *path = xasprintf("t/golden/%s", folder), *text;
	DIR *d = opendir(path);
	struct dirent *e;
	int n = 0;

	cr_assert_not_null(d, "%s", path);
	while ((e = readdir(d)) != NULL) {
		if (strstr(e->d_name, ".json") == NULL)
			continue;
		text = golden_read(folder, e->d_name);
		cr_assert_not_null(text, "%s", e->d_name);
		n += devices_in(span_of(text));
		free(text);
	}
	closedir(d);
	free(path);
	return n;
}

Test(undo, every_recorded_device)
{
	cr_assert_geq(devices_below("device"), 15);
	cr_assert_geq(devices_below("flightctl"), 100);
}

Test(undo, generated_devices)
{
	struct jgen g = { .state = 23 };
	int round;

	for (round = 0; round < 3000; round++) {
		g.text.len = 0;
		jgen_text(&g,
		    "{\"metadata\":{\"name\":\"e\",\"resourceVersion\":\"7\","
		    "\"generation\":1,\"creationTimestamp\":\"t\"},\"spec\":{"
		    "\"os\":");
		jgen_value(&g, 4);
		if (jgen_below(&g, 3) > 0) {
			jgen_text(&g,
			    ",\"applications\":[{\"name\":\"a\","
			    "\"n\":[-0,1.0,1e400,1E-9],\"v\":");
			jgen_value(&g, 3);
			jgen_text(&g, "}]");
		}
		if (jgen_below(&g, 3) > 0)
			jgen_text(&g, ",\"config\":[]");
		jgen_text(&g, "}}");
		check_undone(jgen_since(&g, 0));
	}
	jgen_free(&g);
}
