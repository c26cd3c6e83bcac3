/* SPDX-License-Identifier: ISC */
/*
 * A file's name, a line's end, and the file.  What is refused says which line;
 * what is admitted is so twice over and with more rights, and asks for nothing
 * of the host.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/bytes.h"
#include "common/xmem.h"
#include "flightside/unitcheck.h"
#include "t/fuzz/target.h"

#define APP "k8s-2e7d2c03a9-default-web-de19433b"

static const char *const never[] = { "AddDevice", "GlobalArgs", "Secret",
	"EnvironmentFile", "Network=host", "Mount=type=bind", "Volume=/e",
	"PodmanArgs=--privileged", "SeccompProfile", "[Kube", " ", "\t", "#",
	";" };

static int
check(int host, const char *path, struct span content, struct why *why)
{
	const struct admit_rules rules = { .cluster = "c",
		.registries = "",
		.host = host };
	/* Those that the seeds name (t/fuzz/from_golden). */
	const char *const files[] = { path, "web.container", "side.container",
		"last.container", "setup.container", "proxy.container",
		"pod_.pod", "vol_c.volume", "vol_m.volume", "vol_cache.volume",
		"vol_shm.volume", "vol_disk.volume", NULL };

	return unitcheck_file(&(struct unit_app){ &rules, APP, files }, path,
	    content, why);
}

/* A refusal: "PATH line N: ", of a line that is there. */
static void
says_where(const char *path, struct span content, const struct why *why)
{
	AUTO_FREE char *start = xasprintf("%s line ", path);
	unsigned long line, lines = 1;
	char *end;
	size_t i;

	if (why->kind != ERR_DENIED)
		abort();
	if (strstr(why->text, "not a name of ours") != NULL)
		return;
	for (i = 0; i < content.len; i++)
		lines += content.p[i] == '\n';
	if (strncmp(why->text, start, strlen(start)) != 0)
		abort();
	line = strtoul(why->text + strlen(start), &end, 10);
	if (line == 0 || line > lines || strncmp(end, ": ", 2) != 0)
		abort();
}

/* No line that is not the rest of another begins so. */
static void
asks_for_nothing(struct span content)
{
	const char *at = content.p, *end = content.p + content.len;
	size_t i;

	for (; at != NULL && at < end; at = memchr(at, '\n', end - at)) {
		at += *at == '\n';
		if (at - content.p > 1 && at[-2] == '\\')
			continue;
		for (i = 0; i < sizeof(never) / sizeof(never[0]); i++)
			if ((size_t)(end - at) >= strlen(never[i]) &&
			    memcmp(at, never[i], strlen(never[i])) == 0)
				abort();
	}
}

static void
fuzz_unitcheck(struct span input)
{
	const char *text = input.p;
	const char *newline =
	    input.len > 0 ? memchr(text, '\n', input.len) : NULL;
	AUTO_BYTES struct bytes twice = { NULL, 0, 0 };
	AUTO_FREE char *path = NULL;
	struct span content;
	struct why why;

	if (newline == NULL)
		return;
	path = xstrndup(text, (size_t)(newline - text));
	content.p = newline + 1;
	content.len = input.len - (size_t)(content.p - text);
	if (check(0, path, content, &why) == -1) {
		says_where(path, content, &why);
		return;
	}
	asks_for_nothing(content);
	bytes_add(&twice, content);
	bytes_add_text(&twice, "\n");
	bytes_add(&twice, content);
	if (check(1, path, content, &why) == -1 ||
	    check(0, path, bytes_span(&twice), &why) == -1)
		abort();
}

TARGET(unitcheck, fuzz_unitcheck);
