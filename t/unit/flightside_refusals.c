/* SPDX-License-Identifier: ISC */
/*
 * What the device policy says when it refuses: the place first, in one form
 * (flightside/admit.h), down to the line of a file; then why.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/bytes.h"
#include "common/limits.h"
#include "common/xmem.h"
#include "flightside/admit.h"
#include "t/unit/leaks.h"

/* The mark is the SHA-256 of "c"; @ stands for the name in what follows. */
#define NAME "k8s-2e7d2c03a9-default-web-de19433b"
#define DIR "/var/lib/vk-flightctl/@"

static const struct admit_rules rules = { .cluster = "c",
	.registries = "quay.io" };

/* The text with NAME for each @ and a line's end for each |. */
static char *
filled(const char *text)
{
	struct bytes b = { NULL, 0, 0 };
	size_t n;

	for (;; text += n + 1) {
		n = strcspn(text, "@|");
		bytes_add(&b, (struct span){ text, n });
		if (text[n] == '\0')
			break;
		bytes_add_text(&b, text[n] == '@' ? NAME : "\\n");
	}
	bytes_add(&b, (struct span){ "", 1 });
	return b.p;
}

static void
refuses(const char *before, const char *after, enum why_kind kind,
    const char *text)
{
	AUTO_FREE char *old = filled(before), *new = filled(after),
		       *want = filled(text);
	struct why why = { .kind = ERR_NONE };

	cr_expect_eq(admit(&rules, span_of(old), span_of(new), &why), -1, "%s",
	    new);
	cr_expect_str_eq(why.text, want, "%s", new);
	cr_expect_eq(why.kind, kind, "%s: %s", want, why_name(why.kind));
	NO_LEAKS();
}

struct refusal {
	const char *bad, *text;
};

/* -- the spec -- */

#define THEIRS "{\"applications\":[{\"name\":\"x\"},7]}"

Test(refusals, spec_and_what_is_of_others)
{
	static const struct {
		const char *before, *after;
		enum why_kind kind;
		const char *text;
	} rows[] = {
		{ "{}", "{\"os\":{}", ERR_BUG, "spec: no JSON" },
		{ "{", "{}", ERR_BUG, "spec: no JSON" },
		{ "{}", "[]", ERR_BUG, "spec: no object" },
		{ "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":3}", ERR_DENIED,
		    "spec byte 7: would change, and is of neither "
		    "applications nor config" },
		{ "{\"a\":1,\"b\":2}", "{\"a\":1}", ERR_DENIED,
		    "spec byte 6: would change, and is of neither "
		    "applications nor config" },
		{ "{}", "{\"b\":2}", ERR_DENIED,
		    "spec byte 1: would change, and is of neither "
		    "applications nor config" },
		{ "{}", "{\"config\":{}}", ERR_DENIED,
		    "config: no array, or there twice" },
		{ "{}", "{\"applications\":[],\"applications\":[]}", ERR_DENIED,
		    "applications: no array, or there twice" },
		{ "{\"applications\":[]}", "{}", ERR_DENIED,
		    "applications: would vanish" },
		{ "{}", "{\"config\":[]}", ERR_DENIED,
		    "config: would be there, and empty" },
		{ THEIRS, "{\"applications\":[{\"name\":\"y\"},7]}", ERR_DENIED,
		    "applications[0]: is not ours, and would change" },
		{ THEIRS, "{\"applications\":[{\"name\":\"x\"}]}", ERR_DENIED,
		    "applications[1]: is not ours, and would change" },
		{ THEIRS, "{\"applications\":[{\"name\":\"x\"},7,8]}",
		    ERR_DENIED,
		    "applications[2]: is not ours, and would change" },
		{ "{\"applications\":[]}",
		    "{\"applications\":[{\"name\":\"k8s-0123456789-x\"}]}",
		    ERR_DENIED,
		    "applications[0]: is not ours, and would change" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refuses(rows[i].before, rows[i].after, rows[i].kind,
		    rows[i].text);
}

/* -- one element -- */

/* Each between head and tail. */
static void
refuses_all(const char *before, const char *head, const char *tail,
    const struct refusal *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		AUTO_FREE char *after =
		    xasprintf("%s%s%s]}", head, rows[i].bad, tail);

		refuses(before, after, ERR_DENIED, rows[i].text);
	}
}

#define ROWS(a) a, sizeof(a) / sizeof((a)[0])
#define APPS "{\"applications\":[{\"name\":\"theirs\"}"
#define CONFIGS "{\"config\":[{\"name\":\"theirs\"}"
#define APP "applications[1] @: "
#define OURS "{\"name\":\"@\",\"appType\":\"quadlet\",\"inline\":["
#define GOOD "\"content\":\"[Container]|Image=quay.io/a/b:1|\""

Test(refusals, an_application)
{
	static const struct refusal rows[] = {
		{ "{\"name\":\"@\",\"appType\":\"compose\",\"inline\":[]}",
		    APP "appType is not quadlet" },
		{ "{\"name\":\"@\",\"inline\":[]}", APP "no member appType" },
		{ "{\"name\":\"@\",\"appType\":\"quadlet\"}",
		    APP "no member inline" },
		{ "{\"name\":\"@\",\"appType\":\"quadlet\",\"runAs\":7,"
		  "\"inline\":[]}",
		    APP "member \"runAs\" is not allowed" },
		{ "{\"name\":\"@\",\"appType\":\"quadlet\",\"appType\":7,"
		  "\"inline\":[]}",
		    APP "member appType is there twice" },
		{ "{\"name\":\"@\",\"appType\":\"quadlet\",\"inline\":7}",
		    APP "inline: no array" },
		{ OURS "]}," OURS "]}", "applications[2] @: is there twice" },
	};

	refuses_all(APPS "]}", APPS ",", "", ROWS(rows));
}

Test(refusals, a_file_of_an_application)
{
	static const struct refusal rows[] = {
		{ "7", APP "inline[1]: no path" },
		{ "{" GOOD "}", APP "inline[1]: no path" },
		{ "{\"path\":7," GOOD "}", APP "inline[1]: no path" },
		{ "{\"path\":\"a|b\"," GOOD "}",
		    APP "inline[1]: path has a control byte" },
		{ "{\"path\":\"first.container\"," GOOD "}",
		    APP "inline[1] first.container: is there twice" },
		{ "{\"path\":\"c.kube\"," GOOD "}",
		    APP "inline[1] c.kube: not a name of ours" },
		{ "{\"path\":\"a/c.container\"," GOOD "}",
		    APP "inline[1] a/c.container: not a name of ours" },
		{ "{\"path\":\".container\"," GOOD "}",
		    APP "inline[1] .container: not a name of ours" },
		{ "{\"path\":\"x.pod\"," GOOD "}",
		    APP "inline[1] x.pod: not a name of ours" },
		{ "{\"path\":\"pod_x.pod\"," GOOD "}",
		    APP "inline[1] pod_x.pod: not a name of ours" },
		{ "{\"path\":\"c.container\"}",
		    APP "inline[1] c.container: no member content" },
		{ "{\"path\":\"c.container\",\"content\":7}",
		    APP "inline[1] c.container: content is no text" },
		{ "{\"path\":\"c.container\"," GOOD "," GOOD "}",
		    APP "inline[1] c.container: member content is there "
			"twice" },
		{ "{\"path\":\"c.container\"," GOOD ",\"mode\":420}",
		    APP "inline[1] c.container: member \"mode\" is not "
			"allowed" },
		{ "{\"path\":\"c.container\"," GOOD ",\"contentEncoding\":"
		  "\"base64\"}",
		    APP "inline[1] c.container: contentEncoding is not "
			"plain" },
	};

	refuses_all(APPS "]}",
	    APPS "," OURS "{\"path\":\"first.container\"," GOOD "},", "]}",
	    ROWS(rows));
}

#define LINE3 APP "inline[0] c.container line 3: "

Test(refusals, a_line_of_a_file)
{
	static const struct refusal rows[] = {
		{ "AddDevice=/dev/sda",
		    LINE3 "AddDevice= not of an allowed form" },
		{ "[Kube]", LINE3 "this section is not allowed" },
		{ "x", LINE3 "no key" },
		{ "=x", LINE3 "= no key" },
		{ "Exec=a ", LINE3 "Exec= a blank at its end" },
		{ "Exec=a\\tb", LINE3 "Exec= a control byte" },
		{ "Exec=a\\\\\\\\|b",
		    LINE3 "Exec= an even number of backslashes at its end" },
		{ "Exec=a \\\\", LINE3 "Exec= nothing follows its backslash" },
		/* The line that is at fault, where several are one. */
		{ "Exec=a \\\\| b",
		    APP "inline[0] c.container line 4: a "
			"continued line that begins with a "
			"blank or a sign" },
		{ "Exec=a \\\\|b\\\\|%h",
		    APP "inline[0] c.container line 5: Exec= not of an allowed "
			"form" },
		{ "a-very-long-key-of-more-than-forty-letters-in-all=x",
		    LINE3 "not of an allowed form" },
		{ "Image=docker.io/a/b:1",
		    LINE3 "Image= not of an allowed form, or not from "
			  "IMAGE_REGISTRIES" },
	};

	refuses_all(APPS "]}",
	    APPS "," OURS "{\"path\":\"c.container\",\"content\":\"[Container]|"
		 "ContainerName=c|",
	    "\"}]}", ROWS(rows));
}

#define CONF "config[1] @.v: "
#define FILE_V CONF "inline[1] " DIR "/v/a: "

Test(refusals, a_config_entry)
{
	static const struct refusal rows[] = {
		{ "{\"name\":\"@\",\"inline\":[]}",
		    "config[1] @: not named after an application and a "
		    "volume" },
		{ "{\"name\":\"@./\",\"inline\":[]}",
		    "config[1] @./: not named after an application and a "
		    "volume" },
		{ "{\"name\":\"@.v\",\"gitRef\":{},\"inline\":[]}",
		    CONF "member \"gitRef\" is not allowed" },
		{ "{\"name\":\"@.v\"}", CONF "no member inline" },
		{ "{\"name\":\"@.v\",\"inline\":{}}", CONF "inline: no array" },
		{ "{\"name\":\"@.v\",\"inline\":[]},{\"name\":\"@.v\","
		  "\"inline\":[]}",
		    "config[2] @.v: is there twice" },
	};

	refuses_all(CONFIGS "]}", CONFIGS ",", "", ROWS(rows));
}

Test(refusals, a_file_of_a_config_entry)
{
	static const struct refusal rows[] = {
		{ "7", CONF "inline[1]: no object" },
		{ "{\"path\":\"" DIR "/v/a\"}",
		    CONF "inline[1]: no member content" },
		{ "{\"path\":7,\"content\":\"\"}",
		    CONF "inline[1]: path is no text" },
		{ "{\"path\":\"" DIR "/v/a\",\"content\":7}",
		    FILE_V "content is no text" },
		{ "{\"path\":\"/etc/a\",\"content\":\"\"}",
		    CONF "inline[1] /etc/a: path is not below "
			 "/var/lib/vk-flightctl/" },
		{ "{\"path\":\"" DIR "/w/a\",\"content\":\"\"}",
		    CONF "inline[1] " DIR "/w/a: path is not of its own "
			 "application and volume" },
		{ "{\"path\":\"" DIR "/v/../a\",\"content\":\"\"}",
		    CONF "inline[1] " DIR "/v/../a: path is not clean" },
		{ "{\"path\":\"" DIR "/v/a|\",\"content\":\"\"}",
		    CONF "inline[1]: path has a quote, a backslash or a "
			 "control byte" },
		{ "{\"path\":\"" DIR "/v/a\",\"content\":\"\",\"mode\":512}",
		    FILE_V "mode is no number up to 0777" },
		{ "{\"path\":\"" DIR "/v/a\",\"content\":\"\",\"user\":"
		  "\"root\"}",
		    FILE_V "user or group is no number" },
		{ "{\"path\":\"" DIR "/v/a\",\"content\":\"-\","
		  "\"contentEncoding\":\"base64\"}",
		    FILE_V "contentEncoding is neither plain nor base64" },
	};

	refuses_all(CONFIGS "]}",
	    CONFIGS ",{\"name\":\"@.v\",\"inline\":[{\"path\":\"" DIR
		    "/v/b\",\"content\":\"\"},",
	    "]}", ROWS(rows));
}

/* -- what is too large -- */

/* So many bytes of remarks that nobody reads; caller frees. */
static char *
filler(size_t n)
{
	char *text = xmalloc(n + 1);

	memset(text, 'x', n);
	text[n] = '\0';
	return text;
}

Test(refusals, an_application_of_many_files)
{
	AUTO_BYTES struct bytes b = { NULL, 0, 0 };
	int i;

	bytes_add_text(&b, APPS "," OURS);
	for (i = 0; i < 257; i++) {
		AUTO_FREE char *file =
		    xasprintf("%s{\"path\":\"c%d.container\"," GOOD "}",
			i > 0 ? "," : "", i);

		bytes_add_text(&b, file);
	}
	bytes_add(&b, (struct span){ "]}]}", 5 });
	refuses(APPS "]}", b.p, ERR_LIMIT, APP "inline: over 256 files");
}

Test(refusals, an_application_and_an_entry_of_many_bytes)
{
	AUTO_FREE char *much = filler(MAX_APPLICATION);
	AUTO_FREE char *app = xasprintf(APPS
	    "," OURS "{\"path\":\"a.container\"," GOOD
	    "},{\"path\":\"b.container\",\"content\":\"%s\"}]}]}",
	    much);
	AUTO_FREE char *config =
	    xasprintf(CONFIGS ",{\"name\":\"@.v\",\"inline\":[{\"path\":\"" DIR
			      "/v/a\",\"content\":\"%s\"},{\"path\":\"" DIR
			      "/v/b\",\"content\":\"%s\"}]}]}",
		much, much);

	refuses(APPS "]}", app, ERR_LIMIT,
	    APP "inline[1] b.container: with it the application is over "
		"262144 bytes");
	refuses(CONFIGS "]}", config, ERR_LIMIT,
	    CONF "inline[1]: with it the entry is over 524288 bytes");
}

Test(refusals, elements_of_many_bytes)
{
	AUTO_BYTES struct bytes b = { NULL, 0, 0 };
	AUTO_FREE char *much = filler(500000);
	int i;

	bytes_add_text(&b, CONFIGS);
	for (i = 0; i < 5; i++) {
		AUTO_FREE char *entry = xasprintf(
		    ",{\"name\":\"@.v%d\",\"inline\":[{\"path\":\"" DIR
		    "/v%d/a\",\"content\":\"%s\"}]}",
		    i, i, much);

		bytes_add_text(&b, entry);
	}
	bytes_add(&b, (struct span){ "]}", 3 });
	refuses(CONFIGS "]}", b.p, ERR_LIMIT,
	    "config: over 2097152 bytes of ours");
}
