/* SPDX-License-Identifier: ISC */
/*
 * What reaches a device as part of a command or of one line with others: it
 * can say nothing but what it is.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/quadlet.h"

#define POD(annotations, spec)                                                 \
	"{\"metadata\":{\"namespace\":\"default\",\"name\":\"web\",\"uid\":"   \
	"\"de19433b-1e42\",\"annotations\":{" annotations "}},\"spec\":{" spec \
	"}}"
#define CONTAINER(more) \
	"\"containers\":[{\"name\":\"c\",\"image\":\"i\"" more "}]"

Test(safe, a_time_zone_is_a_name)
{
	static const struct {
		const char *zone;
		int is;
	} rows[] = {
		{ "UTC", 1 },
		{ "Etc/GMT+5", 1 },
		{ "America/Argentina/Buenos_Aires", 1 },
		{ "local", 1 },
		{ "", 0 },
		{ "../../etc/shadow", 0 },
		{ "/etc/localtime", 0 },
		{ "Europe/", 0 },
		{ "Europe//Berlin", 0 },
		{ "Europe Berlin", 0 },
		{ "UTC\\nNetwork=host", 0 },
		{ "%h", 0 },
	};
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO_FREE char *pod =
		    xasprintf(POD("\"vk.flightctl.io/timezone\":\"%s\"",
				  CONTAINER("")),
			rows[i].zone);
		struct quadlet_in in = { .pod = span_of(pod) };

		why = (struct why){ 0 };
		cr_expect_eq(quadlet_check(&in, &why), rows[i].is ? 0 : -1,
		    "%s: %s", rows[i].zone, why.text);
		if (rows[i].is)
			continue;
		cr_expect_eq(why.kind, ERR_DENIED);
		cr_expect_not_null(strstr(why.text,
		    "metadata.annotations[vk.flightctl.io/timezone]"));
	}
}

/*
 * The command that makes a subPath of an emptyDir, run with dir for the
 * volume; its status.
 */
static int
make_path(const char *sub, const char *dir)
{
	AUTO_FREE char *pod = NULL, *script = NULL;
	struct quadlet_in in = { .app = "k8s-0123456789-default-web-de19433b",
		.cluster = "x",
		.node = "x" };
	struct quadlet q;
	const char *from, *to;
	int status;

	pod = xasprintf(POD("",
			    CONTAINER(
				",\"volumeMounts\":[{\"name\":\"v\","
				"\"mountPath\":\"/v\",\"subPath\":"
				"\"%s\"}]") ",\"volumes\":[{\"name\":\"v\"}]"),
	    sub);
	in.pod = span_of(pod);
	cr_assert_eq(quadlet_render(&in, &q, NULL), 0);
	/* from its text in JSON, with $$ for $ and \" for " */
	from = strstr(q.application, " && cd \\\"$$v\\\" || exit 1; s=");
	cr_assert_not_null(from);
	to = strstr(from, "; done'");
	cr_assert_not_null(to);
	script =
	    xasprintf("printf %%s '%.*s; done' | sed "
		      "'s/\\$\\$/$/g; s/\\\\\"/\"/g; s,\\\\/,/,g; s,^,v=%s,' "
		      "| sh 2>/dev/null",
		(int)(to - from), from, dir);
	status = system(script);
	quadlet_clear(&q);
	return status;
}

/* A container that writes to the volume may put links in the way of root. */
Test(safe, a_sub_path_is_made_in_its_volume_alone)
{
	static const struct {
		const char *sub;
		int is_made;
	} rows[] = {
		{ "a", 1 },
		{ "a/b/c", 1 },
		{ "file", 1 },
		{ "link/x", 0 },
		{ "a/link/x/y", 0 },
		{ "dangling", 0 },
		{ "dangling/x", 0 },
	};
	char base[] = "/tmp/vk-unit.XXXXXX";
	AUTO_FREE char *text = NULL, *v = NULL, *out = NULL;
	size_t i;

	cr_assert_not_null(mkdtemp(base));
	text = xasprintf("cd %s && mkdir -p v/a out && touch v/file && "
			 "ln -s %s/out v/link && ln -s %s/out v/a/link && "
			 "ln -s %s/out/new v/dangling",
	    base, base, base, base);
	cr_assert_eq(system(text), 0);
	v = xasprintf("%s/v", base);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(make_path(rows[i].sub, v) == 0, rows[i].is_made,
		    "%s", rows[i].sub);
	cr_expect_neq(make_path("a", "/nowhere"), 0);
	out = xasprintf("cd %s && test -d v/a/b/c && test -z \"$(ls out)\" && "
			"test \"$(stat -c %%a v/a/b)\" = 777; s=$?; rm -rf %s; "
			"exit $s",
	    base, base);
	cr_expect_eq(system(out), 0);
}

/* A user is told at once, not when flightside refuses the write. */
Test(safe, an_image_of_no_allowed_registry_is_refused_by_its_field)
{
	static const char pod[] =
	    "{\"metadata\":{\"namespace\":\"default\",\"name\":\"web\","
	    "\"uid\":\"de19433b-0000-4000-8000-000000000000\"},\"spec\":{"
	    "\"containers\":[{\"name\":\"main\",\"image\":"
	    "\"quay.io/shop/web:1\"}]}}";
	struct quadlet_in in = { .pod = span_of(pod),
		.app = "k8s-0123456789-default-web-de19433b",
		.cluster = "c",
		.node = "n" };
	struct quadlet q;
	struct why why;

	in.registries = "docker.io,quay.io/shop";
	cr_assert_eq(quadlet_render(&in, &q, &why), 0, "%s", why.text);
	quadlet_clear(&q);
	in.registries = "docker.io,quay.io/sho";
	cr_assert_eq(quadlet_render(&in, &q, &why), -1);
	cr_assert_eq(why.kind, ERR_DENIED);
	cr_assert_str_eq(why.text,
	    "spec.containers[0].image: \"quay.io/shop/web:1\" is not from "
	    "IMAGE_REGISTRIES");
	quadlet_clear(&q);
}
