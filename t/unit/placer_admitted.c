/* SPDX-License-Identifier: ISC */
/*
 * Whatever the placer writes, flightside's device policy lets pass: two
 * modules that may not know each other agree on every form.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/jread.h"
#include "common/mark.h"
#include "common/xmem.h"
#include "flightside/admit.h"
#include "golden.h"
#include "placer/quadlet.h"

#define CLUSTER "0c9f5a1e-77f1-4b64-9c3e-7a1f2f5f2f11"
#define EMPTY "{\"applications\":[],\"config\":[]}"

enum {
	ROUNDS = 6000,
};

static const char *const goldens[] = { GOLDEN_PODS };

static const char shop[] = GOLDEN_SHOP, secret[] = GOLDEN_KEY;

static const struct quadlet_object objects[] = {
	{ (char[]){ "shop" }, 0, { shop, sizeof(shop) - 1 } },
	{ (char[]){ "absent" }, 0, { NULL, 0 } },
	{ (char[]){ "key" }, 1, { secret, sizeof(secret) - 1 } },
};

/* The spec of a device on which this is all there is; caller frees. */
static char *
spec_of(const struct quadlet *q)
{
	char *spec =
	    xasprintf("{\"applications\":[%s],\"config\":[", q->application);
	char *more;
	size_t i;

	for (i = 0; i < q->nconfigs; i++) {
		more =
		    xasprintf("%s%s%s", spec, i > 0 ? "," : "", q->configs[i]);
		free(spec);
		spec = more;
	}
	more = xasprintf("%s]}", spec);
	free(spec);
	return more;
}

/* 1: rendered and admitted, 0: not rendered. */
static int
passes(struct span pod, uint32_t try, uint8_t host)
{
	const struct admit_rules rules = { CLUSTER, "", host, 0 };
	AUTO_FREE char *spec = NULL;
	char app[MAX_APP + 1];
	struct quadlet q;
	struct why why = { 0 };

	cr_assert_eq(mark_name(CLUSTER, "default", "web", "de19433b-1e42", app),
	    0);
	if (quadlet_render(&(struct quadlet_in){ .pod = pod,
			       .app = app,
			       .cluster = CLUSTER,
			       .node = "vk-flightctl-a",
			       .images = UINT64_MAX,
			       .cpu_m = 250,
			       .memory = 67108864,
			       .try = try,
			       .objects = objects,
			       .host = host,
			       .secrets = 1,
			       .nobjects = 3 },
		&q, &why) == -1)
		return 0;
	spec = spec_of(&q);
	cr_assert_eq(admit(&rules, span_of(EMPTY), span_of(spec), &why), 0,
	    "%s\n%s", why.text, spec);
	/* and out again */
	cr_assert_eq(admit(&rules, span_of(spec), span_of(EMPTY), &why), 0,
	    "%s", why.text);
	quadlet_clear(&q);
	return 1;
}

Test(admitted, examples)
{
	size_t i;

	for (i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
		AUTO_FREE char *pod = golden_pod(goldens[i]);

		cr_assert(passes(span_of(pod), 0, 1), "%s", goldens[i]);
		cr_assert(passes(span_of(pod), 4000000000u, 1), "%s",
		    goldens[i]);
	}
}

static uint32_t
dice(uint32_t *seed, uint32_t sides)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % sides;
}

static char *
random_text(uint32_t *seed, size_t longest)
{
	static const char *const pieces[] = { "a", "Z", "0", " ", "\n", "\t",
		"\"", "'", "\\", "%", "$", "$(A)", "${B}", "#", ";", "[", "=",
		"\x01", "ü", "日本", "/", "-", "{", ",", ":", "..", "@" };
	size_t n = dice(seed, (uint32_t)longest), i, len = 0;
	char *text = xcalloc(1, n * 6 + 1);
	const char *p;

	for (i = 0; i < n; i++) {
		p = pieces[dice(seed, sizeof(pieces) / sizeof(pieces[0]))];
		memcpy(text + len, p, strlen(p));
		len += strlen(p);
	}
	return text;
}

static void
put_random(struct json_object *j, const char *key, const char *start,
    size_t longest, uint32_t *seed)
{
	AUTO_FREE char *text = random_text(seed, longest);
	AUTO_FREE char *all = xasprintf("%s%s", start, text);

	jmake_str(j, key, all);
}

static void
add_random(struct json_object *list, size_t longest, uint32_t *seed)
{
	uint32_t n = dice(seed, 5);

	while (n-- > 0) {
		AUTO_FREE char *text = random_text(seed, longest);

		jmake_add(list, text);
	}
}

static void
random_container(struct json_object *list, const char *name, uint32_t *seed)
{
	static const char *const ips[] = { "", "127.0.0.1", "::1", "fe80::1%l",
		"0.0.0.0" };
	static const char *const amounts[] = { "1", "100m", "1m", "1.5", "64Mi",
		"1e3", "0" };
	struct json_object *c = jmake_item(list), *j;

	jmake_str(c, "name", name);
	jmake_str(c, "image", "quay.io/a/b:1");
	j = jmake_list(c, "command");
	if (dice(seed, 2))
		jmake_add(j, "/bin/sh");
	add_random(jmake_list(c, "args"), dice(seed, 20) ? 30 : 3000, seed);
	j = jmake_item(jmake_list(c, "env"));
	put_random(j, "name", "A", 1 + !dice(seed, 9), seed);
	put_random(j, "value", "", 40, seed);
	put_random(c, "workingDir", "/", 5, seed);
	j = jmake_item(jmake_list(c, "ports"));
	jmake_int(j, "containerPort", 80);
	jmake_int(j, "hostPort", 1 + dice(seed, 65535));
	jmake_str(j, "hostIP", ips[dice(seed, 5)]);
	j = jmake_in(jmake_in(c, "resources"), "limits");
	jmake_str(j, "cpu", amounts[dice(seed, 7)]);
	jmake_str(j, "memory", amounts[dice(seed, 7)]);
	j = jmake_item(jmake_list(c, "volumeMounts"));
	jmake_str(j, "name", "v");
	put_random(j, "mountPath", "/", 5, seed);
	jmake_bool(j, "readOnly", (int)dice(seed, 2));
}

static void
add_words(struct json_object *j, const char *first, uint32_t *seed)
{
	struct json_object *list = jmake_list(j, "command");

	jmake_add(list, first);
	add_random(list, 20, seed);
}

static void
random_probe(struct json_object *c, const char *name, uint32_t *seed)
{
	struct json_object *j = jmake_in(c, name), *k;

	jmake_int(j, "initialDelaySeconds", dice(seed, 20));
	jmake_int(j, "periodSeconds", 1 + dice(seed, 20));
	switch (dice(seed, 3)) {
	case 0:
		add_words(jmake_in(j, "exec"), "x", seed);
		return;
	case 1:
		k = jmake_in(j, "httpGet");
		put_random(k, "path", "/", 20, seed);
		jmake_int(k, "port", 1 + dice(seed, 65535));
		k = jmake_item(jmake_list(k, "httpHeaders"));
		jmake_str(k, "name", "X-Y");
		put_random(k, "value", "", 20, seed);
		return;
	default:
		k = jmake_in(j, "tcpSocket");
		jmake_int(k, "port", 1 + dice(seed, 65535));
	}
}

/* What a container has beside what it runs. */
static void
random_more(struct json_object *list, uint32_t *seed)
{
	static const char *const caps[] = { "ALL", "CHOWN", "SYS_ADMIN", "KILL",
		"NET_BIND_SERVICE" };
	struct json_object *c = jread_item(list, jread_count(list) - 1), *j;

	if (dice(seed, 2))
		random_probe(c, "livenessProbe", seed);
	if (dice(seed, 3) == 0)
		random_probe(c, "startupProbe", seed);
	j = jmake_in(c, "lifecycle");
	if (dice(seed, 3) == 0)
		add_words(jmake_in(jmake_in(j, "postStart"), "exec"), "-x",
		    seed);
	if (dice(seed, 3) == 0)
		add_words(jmake_in(jmake_in(j, "preStop"), "exec"), "y", seed);
	else
		jmake_int(jmake_in(jmake_in(j, "preStop"), "sleep"), "seconds",
		    dice(seed, 100));
	j = jmake_in(c, "securityContext");
	if (dice(seed, 2))
		jmake_int(j, "runAsUser", 1 + dice(seed, 70000));
	jmake_bool(j, "runAsNonRoot", (int)dice(seed, 2));
	jmake_bool(j, "readOnlyRootFilesystem", (int)dice(seed, 2));
	jmake_bool(j, "allowPrivilegeEscalation", (int)dice(seed, 2));
	jmake_add(jmake_list(jmake_in(j, "capabilities"), "add"),
	    caps[dice(seed, 5)]);
}

static char *
random_pod(uint32_t *seed)
{
	static const char *const policies[] = { "Always", "OnFailure",
		"Never" };
	struct json_object *pod = jmake_object(), *spec, *j;

	j = jmake_in(pod, "metadata");
	jmake_str(j, "namespace", "default");
	jmake_str(j, "name", "web");
	jmake_str(j, "uid", "de19433b-1e42");
	spec = jmake_in(pod, "spec");
	jmake_str(spec, "restartPolicy", policies[dice(seed, 3)]);
	j = jmake_list(spec, "containers");
	random_container(j, "c", seed);
	random_more(j, seed);
	if (dice(seed, 2))
		random_container(j, "c-2", seed);
	j = jmake_list(spec, "initContainers");
	if (dice(seed, 3) == 0)
		random_container(j, "c-2-i", seed);
	if (dice(seed, 3) == 0) {
		random_container(j, "c-i", seed);
		jmake_str(jread_item(j, jread_count(j) - 1), "restartPolicy",
		    "Always");
	}
	if (dice(seed, 2))
		jmake_int(jmake_in(spec, "securityContext"), "fsGroup",
		    1 + dice(seed, 70000));
	j = jmake_item(jmake_list(spec, "volumes"));
	jmake_str(j, "name", "v");
	switch (dice(seed, 5)) {
	case 0:
		jmake_str(jmake_in(j, "emptyDir"), "medium", "Memory");
		break;
	case 2:
		jmake_str(jmake_in(j, "secret"), "secretName", "key");
		break;
	case 3:
		j = jmake_in(j, "hostPath");
		put_random(j, "path", "/srv/", 3, seed);
		jmake_str(j, "type", "DirectoryOrCreate");
		break;
	case 1:
		jmake_str(jmake_in(j, "configMap"), "name", "shop");
		break;
	default:
		jmake_in(j, "emptyDir");
	}
	return jmake_text(&pod);
}

Test(admitted, anything_that_is_rendered)
{
	uint32_t seed = 3;
	int n = 0, i;

	for (i = 0; i < ROUNDS; i++) {
		AUTO_FREE char *pod = random_pod(&seed);

		n += passes(span_of(pod), 0, (uint8_t)(i % 2));
	}
	cr_assert_gt(n, ROUNDS / 20, "%d of %d pods were rendered", n, ROUNDS);
}
