/* SPDX-License-Identifier: ISC */
/*
 * What must hold of every application we write, then examples of whole ones
 * (t/golden/quadlet: a Pod in NAME.json, its files in NAME.txt; run with
 * GOLDEN=write to write them anew and read the difference).
 */
#include "placer/quadlet.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/auto.h"
#include "common/jread.h"
#include "common/xmem.h"
#include "golden.h"
#include "placer/identity.h"

#define GOLDEN "t/golden/quadlet/"
#define APP "k8s-0123456789-default-web-de19433b"

static const char shop[] = GOLDEN_SHOP, secret[] = GOLDEN_KEY;

static const struct quadlet_object objects[] = {
	{ (char[]){ "shop" }, 0, { shop, sizeof(shop) - 1 } },
	{ (char[]){ "absent" }, 0, { NULL, 0 } },
	{ (char[]){ "key" }, 1, { secret, sizeof(secret) - 1 } },
};

static int
render(struct span pod, uint32_t try, struct quadlet *q, struct why *why)
{
	const struct quadlet_in in = { .pod = pod,
		.app = APP,
		.cluster = "0c9f5a1e-77f1-4b64-9c3e-7a1f2f5f2f11",
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

static int
check(struct span pod, struct why *why)
{
	return quadlet_check(&(struct quadlet_in){ .pod = pod }, why);
}

/* The application as a person reads it. */
static void
print(FILE *out, const char *element)
{
	AUTO_JSON struct json_object *j = jread_parse(span_of(element), NULL);
	struct json_object *files = jread_member(j, "inline"), *f, *v;
	struct lh_entry *e;
	const char *key, *content;
	size_t i, n;

	fprintf(out, "### %s\n", jread_string(jread_member(j, "name")));
	for (i = 0; i < jread_count(files); i++) {
		f = jread_item(files, i);
		fputs("#", out);
		for (e = NULL; jread_next(f, &e, &key, &v);)
			if (strcmp(key, "content") != 0)
				fprintf(out, " %s=%s", key,
				    json_object_get_string(v));
		content = jread_string(jread_member(f, "content"));
		n = strlen(content);
		fprintf(out, "\n%s%s", content,
		    n > 0 && content[n - 1] != '\n' ? "\n" : "");
	}
}

static char *
printed(const struct quadlet *q)
{
	char *text = NULL;
	size_t len = 0, i;
	FILE *out = open_memstream(&text, &len);

	print(out, q->application);
	for (i = 0; i < q->nconfigs; i++)
		print(out, q->configs[i]);
	fclose(out);
	return text;
}

static const char *const goldens[] = { GOLDEN_PODS };

Test(quadlet, goldens)
{
	struct quadlet q;
	struct why why;
	FILE *f;
	size_t i;

	for (i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
		AUTO_FREE char *pod = golden_pod(goldens[i]);
		AUTO_FREE char *file = xasprintf("%s.txt", goldens[i]);
		AUTO_FREE char *path = xasprintf(GOLDEN "%s", file);
		AUTO_FREE char *want = golden_read("quadlet", file);
		AUTO_FREE char *have = NULL;

		cr_assert_eq(render(span_of(pod), 0, &q, &why), 0, "%s: %s",
		    goldens[i], why.text);
		have = printed(&q);
		if (getenv("GOLDEN") != NULL) {
			f = fopen(path, "w");
			cr_assert_not_null(f);
			fputs(have, f);
			fclose(f);
		} else {
			cr_assert_not_null(want, "%s", path);
			cr_expect_str_eq(have, want, "%s", path);
		}
		quadlet_clear(&q);
	}
}

/* A Pod of default/web with these members in its spec. */
static char *
pod_with(const char *spec)
{
	return xasprintf("{\"metadata\":{\"namespace\":\"default\",\"name\":"
			 "\"web\",\"uid\":\"de19433b-1e42\"},\"spec\":{%s}}",
	    spec);
}

#define VOLUME_V ",\"volumes\":[{\"name\":\"v\"}]"
#define C1(more) "\"containers\":[{\"name\":\"c\",\"image\":\"i\"" more "}]"

/* What is not known before objects are read is refused by nobody. */
Test(quadlet, a_value_that_is_yet_to_be_read_is_not_judged)
{
	static const char *const uses[] = {
		",\"command\":[\"a\"],\"args\":[\"$(V)\"]",
		",\"command\":[\"$(V)\"]",
		",\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/v\","
		"\"subPathExpr\":\"$(V)\"}]",
		",\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/v\","
		"\"subPathExpr\":\"of/$(V)/x\"}]",
	};
	static const char *const sources[] = {
		"\"env\":[{\"name\":\"V\",\"valueFrom\":{"
		"\"configMapKeyRef\":{\"name\":\"shop\",\"key\":\"k\"}}}]",
		"\"env\":[{\"name\":\"V\",\"valueFrom\":{"
		"\"configMapKeyRef\":{\"name\":\"shop\",\"key\":\"k\","
		"\"optional\":true}}}]",
		"\"envFrom\":[{\"configMapRef\":{\"name\":\"shop\"}}]",
	};
	struct why why;
	size_t i, k;

	for (i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		for (k = 0; k < sizeof(sources) / sizeof(sources[0]); k++) {
			AUTO_FREE char *pod = xasprintf(
			    "{\"metadata\":{\"namespace\":\"n\",\"name\":"
			    "\"p\",\"uid\":\"u\"},\"spec\":{\"volumes\":[{"
			    "\"name\":\"v\",\"emptyDir\":{}}],"
			    "\"containers\":[{\"name\":\"c\",\"image\":"
			    "\"i\",%s%s}]}}",
			    sources[k], uses[i]);

			why = (struct why){ 0 };
			cr_expect_eq(check(span_of(pod), &why), 0, "%s %s: %s",
			    sources[k], uses[i], why.text);
		}
}

Test(quadlet, an_application_has_a_size)
{
	AUTO_FREE char *big = xcalloc(1, 300 * 1024);
	AUTO_FREE char *pod = NULL;
	struct quadlet q;
	struct why why;

	memset(big, 'x', 300 * 1024 - 1);
	pod = xasprintf(
	    "{\"metadata\":{\"namespace\":\"d\",\"name\":\"w\","
	    "\"uid\":\"u\"},\"spec\":{\"containers\":[{\"name\":\"c\","
	    "\"image\":\"i\",\"args\":[\"%s\"]}]}}",
	    big);
	cr_assert_eq(render(span_of(pod), 0, &q, &why), -1);
	cr_assert_eq(why.kind, ERR_LIMIT);
}

/* $(A)$(A) of $(A)$(A) of ...: doubles with each variable. */
Test(quadlet, variables_cannot_blow_up)
{
	AUTO_FREE char *env = xstrdup("{\"name\":\"V0\",\"value\":\"xxxx\"}");
	AUTO_FREE char *pod = NULL, *spec = NULL;
	struct quadlet q;
	struct why why;
	int i;

	for (i = 1; i < 40; i++) {
		char *more = xasprintf("%s,{\"name\":\"V%d\",\"value\":"
				       "\"$(V%d)$(V%d)\"}",
		    env, i, i - 1, i - 1);

		free(env);
		env = more;
	}
	spec = xasprintf("\"containers\":[{\"name\":\"c\",\"image\":\"i\","
			 "\"env\":[%s]}]",
	    env);
	pod = pod_with(spec);
	cr_assert_eq(render(span_of(pod), 0, &q, &why), -1);
	cr_assert_eq(why.kind, ERR_LIMIT, "%s", why.text);
}

Test(quadlet, the_same_pod_gives_the_same_bytes_and_a_try_others)
{
	struct quadlet a, b, c;
	size_t i, k;

	for (i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
		AUTO_FREE char *pod = golden_pod(goldens[i]);

		cr_assert_eq(render(span_of(pod), 0, &a, NULL), 0);
		cr_assert_eq(render(span_of(pod), 0, &b, NULL), 0);
		cr_assert_eq(render(span_of(pod), 1, &c, NULL), 0);
		cr_expect_str_eq(a.application, b.application);
		cr_expect_str_neq(a.application, c.application);
		for (k = 0; k < a.nconfigs; k++) {
			cr_expect_str_eq(a.configs[k], b.configs[k]);
			cr_expect_str_eq(a.configs[k], c.configs[k]);
			cr_expect_eq(strncmp(a.config_names[k], APP ".",
					 strlen(APP) + 1),
			    0);
		}
		quadlet_clear(&a);
		quadlet_clear(&b);
		quadlet_clear(&c);
	}
}

/* What a person adds in Kubernetes without a new image restarts nothing. */
Test(quadlet, labels_and_annotations_change_no_byte)
{
	AUTO_FREE char *pod = golden_pod(goldens[0]);
	AUTO_FREE char *other = NULL;
	char *labels = strstr(pod, "\"labels\": {") + strlen("\"labels\": {");
	struct quadlet a, b;

	other = xasprintf("%.*s\"new\":\"label\",%s", (int)(labels - pod), pod,
	    labels);
	cr_assert_eq(render(span_of(pod), 0, &a, NULL), 0);
	cr_assert_eq(render(span_of(other), 0, &b, NULL), 0);
	cr_assert_str_eq(a.application, b.application);
	quadlet_clear(&a);
	quadlet_clear(&b);
}

/* Every file that starts a container says whose it is, and can be listed. */
Test(quadlet, every_container_file_has_its_identity_and_an_install_section)
{
	struct span id[ID_COUNT];
	struct json_object *app, *files;
	struct quadlet q;
	const char *path, *content;
	size_t i, k, n;

	for (i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
		AUTO_FREE char *pod = golden_pod(goldens[i]);

		cr_assert_eq(render(span_of(pod), 3, &q, NULL), 0);
		app = jread_parse(span_of(q.application), NULL);
		files = jread_member(app, "inline");
		for (k = n = 0; k < jread_count(files); k++) {
			path = jread_string(
			    jread_member(jread_item(files, k), "path"));
			if (strstr(path, ".container") == NULL)
				continue;
			n++;
			content = jread_string(
			    jread_member(jread_item(files, k), "content"));
			cr_expect_not_null(strstr(content,
			    "\n[Install]\nWantedBy=multi-user.target\n"));
			identity_read(content, id);
			cr_expect(span_is(id[ID_NODE], "vk-flightctl-a"));
			cr_expect(span_is(id[ID_UID],
			    "de19433b-1e42-4ab7-a497-58683eeb7579"));
			cr_expect(span_is(id[ID_CLUSTER],
			    "0c9f5a1e-77f1-4b64-9c3e-7a1f2f5f2f11"));
			cr_expect(span_is(id[ID_NAMESPACE], "default"));
			cr_expect(span_is(id[ID_IMAGES], "00000000000000ff"));
			cr_expect(span_is(id[ID_TRY], "3"));
		}
		cr_expect_gt(n, 0);
		json_object_put(app);
		quadlet_clear(&q);
	}
}

#define MOUNT(v) "{\"name\":\"" v "\",\"mountPath\":\"/" v "\"}"
#define CONFIG(v, map, more) \
	"{\"name\":\"" v "\",\"configMap\":{\"name\":\"" map "\"" more "}}"
#define FROM(map, more) "{\"configMapRef\":{\"name\":\"" map "\"" more "}}"
#define MAYBE ",\"optional\":true"

static const char needy[] = C1(",\"volumeMounts\":[" MOUNT("a") "," MOUNT(
    "b") "," MOUNT("c") "],\"envFrom\":[" FROM("two", "") "," FROM("one",
    "") "," FROM("four", "") "]") ",\"volumes\":[" CONFIG("a", "one",
    MAYBE) "," CONFIG("b", "two", MAYBE) "," CONFIG("c", "one",
    "") "," CONFIG("unmounted", "three", "") "]";

Test(quadlet, needs)
{
	AUTO_FREE char *pod = pod_with(needy);
	struct quadlet_needs needs;

	cr_assert_eq(quadlet_needs(span_of(pod), &needs, NULL), 0);
	cr_assert_eq(needs.n, 3);
	cr_assert_str_eq(needs.list[0].name, "one");
	cr_expect_not(needs.list[0].optional, "wanted without optional too");
	cr_expect_str_eq(needs.list[0].volume, "c", "the one that needs it");
	cr_assert_str_eq(needs.list[1].name, "two");
	cr_expect_not(needs.list[1].optional);
	cr_expect_null(needs.list[1].volume, "its volume does without it");
	cr_expect_not(needs.list[1].secret);
	cr_assert_str_eq(needs.list[2].name, "four");
	cr_expect_null(needs.list[2].volume);
	quadlet_needs_clear(&needs);
}

Test(quadlet, image_names_are_completed)
{
	static const char digest[] = "@sha256:0123456789abcdef0123456789abcdef"
				     "0123456789abcdef0123456789abcdef";
	static const struct {
		const char *image, *full; /* NULL: refused */
	} cases[] = {
		{ "nginx", "docker.io/library/nginx:latest" },
		{ "nginx:1.27", "docker.io/library/nginx:1.27" },
		{ "a/b", "docker.io/a/b:latest" },
		{ "localhost/x", "localhost/x:latest" },
		{ "host:5000/x", "host:5000/x:latest" },
		{ "host:5000/x:1", "host:5000/x:1" },
		{ "quay.io/a/b/c", "quay.io/a/b/c:latest" },
		{ "HOST/x", "HOST/x:latest" },
		{ "", NULL },
		{ "Nginx", NULL },
		{ "docker.io/A", NULL },
		{ "docker.io/", NULL },
		{ "a//b", NULL },
		{ "a/b/", NULL },
		{ "nginx:", NULL },
		{ "nginx:-x", NULL },
		{ "nginx:a b", NULL },
		{ "nginx@sha256:12", NULL },
		{ "docker://nginx", NULL },
		{ "nginx\n", NULL },
	};
	char *full;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		full = quadlet_image(cases[i].image);
		if (cases[i].full == NULL)
			cr_expect_null(full, "%s", cases[i].image);
		else
			cr_expect_str_eq(full, cases[i].full);
		free(full);
	}
	full = xasprintf("nginx:1%s", digest);
	AUTO_FREE char *with = quadlet_image(full);
	cr_expect_eq(strncmp(with, "docker.io/library/nginx:1@sha256:", 33), 0);
	free(full);
}

/* An image that is complete stays as it is: nothing restarts for nothing. */
Test(quadlet, completing_twice_changes_nothing)
{
	static const char *const images[] = { "nginx", "a/b:1",
		"localhost:5000/x", "quay.io/a/b" };
	size_t i;

	for (i = 0; i < sizeof(images) / sizeof(images[0]); i++) {
		AUTO_FREE char *once = quadlet_image(images[i]);
		AUTO_FREE char *twice = quadlet_image(once);

		cr_expect_str_eq(once, twice);
	}
}

Test(quadlet, no_cut_pod_is_rendered)
{
	AUTO_FREE char *pod = golden_pod(goldens[1]);
	struct quadlet q;
	size_t n, len = strlen(pod) - 2; /* "}\n" */

	for (n = 0; n < len; n += 7) {
		cr_expect_eq(render((struct span){ pod, n }, 0, &q, NULL), -1);
		cr_expect_eq(check((struct span){ pod, n }, NULL), -1);
	}
}

/* Seen on real devices: the agent's own names are what ours must be. */
Test(quadlet, names_on_the_device)
{
	AUTO_FREE char *pod = pod_with(C1(",\"volumeMounts\":[{\"name\":\"v\","
					  "\"mountPath\":\"/v\"}]") VOLUME_V);
	const struct quadlet_in in = { .pod = span_of(pod),
		.app = "shop",
		.cluster = "x",
		.node = "n" };
	struct quadlet q;

	cr_assert_eq(quadlet_render(&in, &q, NULL), 0);
	cr_assert_not_null(strstr(q.application,
	    "ExecStop=/usr/bin/podman volume rm -f shop-289264-v\\n"));
	quadlet_clear(&q);
}
