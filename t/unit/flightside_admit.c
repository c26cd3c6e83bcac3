/* SPDX-License-Identifier: ISC */
/*
 * The device policy: what the placer writes is admitted, and nothing that is
 * changed in it in a way that matters.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/bytes.h"
#include "common/jmake.h"
#include "common/jread.h"
#include "common/mark.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "flightside/admit.h"
#include "placer/quadlet.h"
#include "t/unit/golden.h"
#include "t/unit/jgen.h"

#define CLUSTER "0c9f5a1e-77f1-4b64-9c3e-7a1f2f5f2f11"
#define GOLDEN "t/golden/quadlet/"
#define POD_UID "de19433b-1e42-4ab7-a497-58683eeb7579"

static const struct admit_rules rules = { .cluster = CLUSTER,
	.registries = "" };
static const struct admit_rules host_rules = { .cluster = CLUSTER,
	.registries = "",
	.host = 1 };

static const char shop[] = GOLDEN_SHOP, secret[] = GOLDEN_KEY;

static const struct quadlet_object objects[] = {
	{ (char[]){ "shop" }, 0, { shop, sizeof(shop) - 1 } },
	{ (char[]){ "absent" }, 0, { NULL, 0 } },
	{ (char[]){ "key" }, 1, { secret, sizeof(secret) - 1 } },
};

static char *
our_app(void)
{
	char name[MAX_APP + 1];

	cr_assert_eq(mark_name(CLUSTER, "default", "web", POD_UID, name), 0);
	return xstrdup(name);
}

static int
render(struct span pod, uint32_t try, struct quadlet *q, struct why *why)
{
	AUTO_FREE char *app = our_app();
	const struct quadlet_in in = { .pod = pod,
		.app = app,
		.cluster = CLUSTER,
		.node = "vk-flightctl-a",
		.images = 0xff,
		.cpu_m = 250,
		.memory = 67108864,
		.try = try,
		.objects = objects,
		.host = 1,
		.secrets = 1,
		.nobjects = 3 };

	return quadlet_render(&in, q, why);
}

/* The text with our application's name for each @. */
static char *
filled(const char *text)
{
	AUTO_FREE char *name = our_app();
	struct bytes b = { NULL, 0, 0 };
	size_t n;

	for (;; text += n + 1) {
		n = strcspn(text, "@");
		bytes_add(&b, (struct span){ text, n });
		if (text[n] == '\0')
			break;
		bytes_add_text(&b, name);
	}
	bytes_add(&b, (struct span){ "", 1 });
	return b.p;
}

/* A spec with these elements among others'. */
static char *
spec_with(const char *application, const char *config)
{
	return xasprintf(
	    "{\"os\":{\"image\":\"x\"},\"applications\":[{\"name\""
	    ":\"theirs\"}%s%s],\"config\":[{\"name\":\"motd\"}%s%s]}",
	    *application != '\0' ? "," : "", application,
	    *config != '\0' ? "," : "", config);
}

/* The rules in force. */
static const struct admit_rules *with = &rules;

static int
admits(const char *application, const char *config, struct why *why)
{
	AUTO_FREE char *before = spec_with("", "");
	AUTO_FREE char *after = spec_with(application, config);
	struct why removal;

	if (admit(with, span_of(before), span_of(after), why) == -1)
		return -1;
	/* What may come may go, whatever the setting is by then. */
	cr_assert_eq(admit(&rules, span_of(after), span_of(before), &removal),
	    0, "%s", removal.text);
	return 0;
}

static char *
slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = xcalloc(1, 1024 * 1024);

	cr_assert_not_null(f, "%s", path);
	cr_assert_lt(fread(text, 1, 1024 * 1024, f), 1024 * 1024);
	fclose(f);
	return text;
}

static void
golden(const char *path, void (*fn)(const char *, const struct quadlet *))
{
	AUTO_FREE char *pod = slurp(path);
	struct quadlet q;
	struct why why;
	uint32_t try;

	for (try = 0; try < 2; try++) {
		cr_assert_eq(render(span_of(pod), try, &q, &why), 0, "%s: %s",
		    path, why.text);
		fn(path, &q);
		quadlet_clear(&q);
	}
}

static int
each_golden(void (*fn)(const char *, const struct quadlet *))
{
	DIR *d = opendir(GOLDEN);
	struct dirent *e;
	int n = 0;

	cr_assert_not_null(d);
	while ((e = readdir(d)) != NULL) {
		AUTO_FREE char *path = xasprintf(GOLDEN "%s", e->d_name);

		with = strcmp(e->d_name, GOLDEN_HOST ".json") == 0 ?
		    &host_rules :
		    &rules;
		if (strstr(path, ".json") == NULL)
			continue;
		golden(path, fn);
		n++;
	}
	closedir(d);
	with = &rules;
	return n;
}

static void
is_admitted(const char *path, const struct quadlet *q)
{
	struct why why = { .kind = ERR_NONE };
	size_t i;

	cr_assert_eq(admits(q->application, "", &why), 0, "%s: %s", path,
	    why.text);
	for (i = 0; i < q->nconfigs; i++)
		cr_assert_eq(admits(q->application, q->configs[i], &why), 0,
		    "%s: %s", path, why.text);
}

Test(admit, what_the_placer_writes_is_admitted)
{
	cr_assert_geq(each_golden(is_admitted), 6);
}

/* One container; %s stands where lines are added. */
#define UNIT                                                              \
	"[Unit]\\n[Container]\\nContainerName=c\\nImage=quay.io/a/b:1\\n" \
	"%s[Service]\\nRestart=no\\n%s[Install]\\nWantedBy="              \
	"multi-user.target\\n"

static char *
app_of(const char *files)
{
	AUTO_FREE char *name = our_app();

	return xasprintf("{\"name\":\"%s\",\"appType\":\"quadlet\","
			 "\"inline\":[%s]}",
	    name, files);
}

#define GOOD "\"content\":\"[Container]\\nImage=quay.io/a/b:1\\n\""

Test(admit, files_and_members_are_exactly_ours)
{
	static const char *const files[] = {
		"{\"path\":\"c.kube\"," GOOD "}",
		"{\"path\":\"/c.container\"," GOOD "}",
		"{\"path\":\"a/c.container\"," GOOD "}",
		"{\"path\":\"../c.container\"," GOOD "}",
		"{\"path\":\".container\"," GOOD "}",
		"{\"path\":\"x.pod\",\"content\":\"[Pod]\\n\"}",
		"{\"path\":\"x.volume\",\"content\":\"[Volume]\\n\"}",
		"{\"path\":\"c.container.d/10.conf\"," GOOD "}",
		"{\"path\":\"c.container\"}",
		"{" GOOD "}",
		"7",
		"[]",
		"{\"path\":\"c.container\"," GOOD ",\"mode\":420}",
		"{\"path\":\"c.container\"," GOOD ",\"contentEncoding\":"
		"\"base64\"}",
		"{\"path\":\"c.container\"," GOOD "," GOOD "}",
		"{\"path\":\"c.container\"," GOOD
		"},{\"path\":\"c.container\"," GOOD "}",
		"{\"path\":\"c.container\",\"content\":7}",
	};
	AUTO_FREE char *good = app_of("{\"path\":\"c.container\"," GOOD "}");
	struct why why;
	size_t i;

	cr_assert_eq(admits(good, "", &why), 0, "%s", why.text);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		AUTO_FREE char *app = app_of(files[i]);

		cr_assert_eq(admits(app, "", &why), -1, "%s", files[i]);
		cr_assert_eq(why.kind, ERR_DENIED);
	}
	for (i = 0; i < 4; i++) {
		static const char *const apps[] = {
			"{\"name\":\"@\",\"appType\":\"compose\",\"inline\":[]"
			"}",
			"{\"name\":\"@\",\"appType\":\"quadlet\",\"inline\":[]"
			",\"runAs\":\"root\"}",
			"{\"name\":\"@\",\"appType\":\"quadlet\",\"image\":"
			"\"quay.io/a/b:1\"}",
			"{\"name\":\"@\",\"appType\":\"quadlet\",\"inline\":[]"
			",\"envVars\":{}}",
		};
		AUTO_FREE char *app = NULL;

		app = filled(apps[i]);
		cr_assert_eq(admits(app, "", &why), -1, "%s", app);
	}
}

static int
admits_config(const char *volume, const char *file, struct why *why)
{
	AUTO_FREE char *name = our_app();
	AUTO_FREE char *config = xasprintf("{\"name\":\"%s.%s\",\"inline\":[%s]"
					   "}",
	    name, volume, file);

	return admits("", config, why);
}

/* placer/again.c: no form of its own, and nothing that an app could run. */
Test(admit, what_makes_a_device_try_again_is_a_file_like_others)
{
	AUTO_FREE char *app = our_app();
	AUTO_FREE char *file = xasprintf(
	    "{\"path\":\"/var/lib/vk-flightctl/%s/try.again/at\",\"content\":"
	    "\"1764176400000\"}",
	    app);
	struct why why;

	cr_assert_eq(admits_config("try.again", file, &why), 0, "%s", why.text);
	cr_assert_eq(admits_config("_other", file, &why), -1);
}

Test(admit, config_stays_in_its_own_folder)
{
	static const struct {
		const char *path, *more;
		int rc;
	} cases[] = {
		{ "/var/lib/vk-flightctl/@/v/a", "", 0 },
		{ "/var/lib/vk-flightctl/@/v/a/b.c",
		    ",\"mode\":511,\"user\":"
		    "\"1000\",\"group\":0",
		    0 },
		{ "/var/lib/vk-flightctl/@/v/a",
		    ",\"contentEncoding\":"
		    "\"base64\"",
		    0 },
		{ "/var/lib/vk-flightctl/@/v/.empty", "", 0 },
		{ "/etc/@/v/a", "", -1 },
		{ "/var/lib/vk-flightctl/@/w/a", "", -1 },
		{ "/var/lib/vk-flightctl/@", "", -1 },
		{ "/var/lib/vk-flightctl/@/v", "", -1 },
		{ "/var/lib/vk-flightctl/@/v/", "", -1 },
		{ "/var/lib/vk-flightctl/@/v/../a", "", -1 },
		{ "/var/lib/vk-flightctl/@/v/a/..", "", -1 },
		{ "/var/lib/vk-flightctl/@/v/./a", "", -1 },
		{ "/var/lib/vk-flightctl/@/v//a", "", -1 },
		{ "/var/lib/vk-flightctl/@/../x/v/a", "", -1 },
		{ "/var/lib/vk-flightctl/@/v/a\\nb", "", -1 },
		{ "/var/lib/vk-flightctl/@/v/a", ",\"mode\":512", -1 },
		{ "/var/lib/vk-flightctl/@/v/a", ",\"mode\":\"0644\"", -1 },
		{ "/var/lib/vk-flightctl/@/v/a", ",\"mode\":-1", -1 },
		{ "/var/lib/vk-flightctl/@/v/a", ",\"user\":\"root\"", -1 },
		{ "/var/lib/vk-flightctl/@/v/a", ",\"user\":\"0 \"", -1 },
		{ "/var/lib/vk-flightctl/@/v/a", ",\"owner\":\"0\"", -1 },
		{ "/var/lib/vk-flightctl/@/v/a",
		    ",\"contentEncoding\":"
		    "\"gzip\"",
		    -1 },
	};
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_FREE char *path = NULL, *file = NULL;

		path = filled(cases[i].path);
		file = xasprintf("{\"path\":\"%s\",\"content\":\"eA==\"%s}",
		    path, cases[i].more);
		cr_assert_eq(admits_config("v", file, &why), cases[i].rc,
		    "%s %s", file, why.text);
	}
	cr_assert_eq(admits_config("", "", &why), -1);
	cr_assert_eq(admits_config("..", "", &why), -1);
	cr_assert_eq(admits_config("a/b", "", &why), -1);
	cr_assert_eq(admits("", "{\"name\":\"k8s-0123456789-x\",\"gitRef\":{}}",
			 &why),
	    -1);
}

static void
refuses(const char *before, const char *after)
{
	struct why why;

	cr_assert_eq(admit(&rules, span_of(before), span_of(after), &why), -1,
	    "%s -> %s", before, after);
}

Test(admit, all_that_is_not_ours_must_stay_byte_for_byte)
{
	refuses("{}", "{\"os\":{}}");
	refuses("{\"os\":{}}", "{}");
	refuses("{\"os\":{}}", "{\"os\":{ }}");
	refuses("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}");
	refuses("{\"applications\":[{\"name\":\"x\"}]}",
	    "{\"applications\":[]}");
	refuses("{\"applications\":[{\"name\":\"x\"}]}",
	    "{\"applications\":[{\"name\":\"x\",\"y\":1}]}");
	refuses("{\"applications\":[1,2]}", "{\"applications\":[2,1]}");
	refuses("{\"applications\":[]}",
	    "{\"applications\":[{\"name\":"
	    "\"k8s-0123456789-default-web-00000000\",\"appType\":\"quadlet\","
	    "\"inline\":[]}]}");
	refuses("{\"applications\":[]}", "{}");
	refuses("{}", "{\"applications\":[]}");
	refuses("{}", "{\"applications\":[],\"applications\":[]}");
	refuses("{}", "{\"\\u0061pplications\":[],\"applications\":[]}");
	refuses("{}", "{\"Applications\":[]}");
	refuses("{}", "{\"applications\":{}}");
	refuses("{}", "[]");
}

Test(admit, ours_only_once_and_only_known_registries)
{
	AUTO_FREE char *app = app_of("{\"path\":\"c.container\"," GOOD "}");
	AUTO_FREE char *twice = xasprintf("%s,%s", app, app);
	AUTO_FREE char *before = spec_with("", "");
	AUTO_FREE char *after = spec_with(app, "");
	struct admit_rules r = rules;
	struct why why;

	cr_assert_eq(admits(twice, "", &why), -1);
	r.registries = "docker.io, quay.io/a";
	cr_assert_eq(admit(&r, span_of(before), span_of(after), &why), 0, "%s",
	    why.text);
	r.registries = "quay.i,quay.io/a/b/c,docker.io";
	cr_assert_eq(admit(&r, span_of(before), span_of(after), &why), -1);
	cr_assert(strstr(why.text, "IMAGE_REGISTRIES") != NULL, "%s", why.text);
	/* What is there already is not looked at again. */
	cr_assert_eq(admit(&r, span_of(after), span_of(after), &why), 0);
}

/* What an old version of us wrote stays and goes, whatever it says. */
Test(admit, an_old_form_of_ours_may_stay_beside_a_new_one)
{
	AUTO_FREE char *app = app_of("{\"path\":\"c.container\"," GOOD "}");
	char old[MAX_APP + 1];
	AUTO_FREE char *odd = NULL, *both = NULL, *before = NULL, *after = NULL,
		       *changed = NULL;
	struct why why;

	cr_assert_eq(mark_name(CLUSTER, "default", "old", POD_UID, old), 0);
	odd = xasprintf("{\"name\":\"%s\",\"appType\":\"container\"}", old);
	both = xasprintf("%s,%s", odd, app);
	before = spec_with(odd, "");
	after = spec_with(both, "");
	cr_assert_eq(admit(&rules, span_of(before), span_of(after), &why), 0,
	    "%s", why.text);
	changed = xasprintf("{\"name\":\"%s\",\"appType\":\"helm\"}", old);
	free(after);
	after = spec_with(changed, "");
	cr_assert_eq(admit(&rules, span_of(before), span_of(after), &why), -1);
}

/*
 * Any byte of what the placer wrote may be turned into another: either that
 * is refused, or the result is still of our forms by the letter: no host
 * path, no unknown key, no other section.
 */
static void
is_sound(const char *path, const struct quadlet *q)
{
	static const char bytes[] = "\"\\/%$[]=: \n#;x0-";
	struct jgen random = { .state = 5 };
	AUTO_FREE char *text = xstrdup(q->application);
	size_t len = strlen(text), at;
	struct why why;
	struct span v;
	int round, passed = 0;
	char was;

	for (round = 0; round < 600; round++) {
		at = jgen_below(&random, (uint32_t)len);
		was = text[at];
		text[at] = bytes[jgen_below(&random, sizeof(bytes) - 1)];
		if (scan_is_valid(span_of(text)) &&
		    admits(text, "", &why) == 0) {
			passed++;
			cr_assert_eq(scan_get(span_of(text), &v, "appType",
					 NULL),
			    1);
			cr_assert(span_is(v, "\"quadlet\""));
			cr_assert(with->host ||
			    strstr(text, "\\nPodmanArgs=--p") == NULL);
			cr_assert_null(strstr(text, "=/etc"));
		}
		text[at] = was;
	}
	cr_assert_lt(passed, 600, "%s", path);
	jgen_free(&random);
}

Test(admit, bent_bytes_are_refused_or_harmless)
{
	each_golden(is_sound);
}
