/* SPDX-License-Identifier: ISC */
/*
 * leak.c: bytes that may be nowhere.
 *
 * Owns the list of them and the places where is looked, but for memory.c's.
 */
#include "t/it/leak.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/http.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/provider.h"
#include "t/sim/base64.h"

enum {
	SHIFTS = 3, /* of bytes against the groups of base64 */
	FDS = 8,
	WATCHED_MAX = 16,
	WORKERS_MAX = 8,
	WORDS_MAX = 16,
	LISTEN_MS = 10000,
};

static struct {
	const char *name, *bytes;
} watched[WATCHED_MAX];
static size_t nwatched;

static unsigned int leaks, files;

void
leak_watch(const char *name, const char *bytes)
{
	if (nwatched == WATCHED_MAX)
		it_die("too many are watched");
	watched[nwatched].name = name;
	watched[nwatched++].bytes = bytes;
}

/* What base64 makes of a value that begins `shift` bytes after a group. */
static char *
encoded(const char *value, size_t shift)
{
	AUTO_FREE char *shifted = xasprintf("%.*s%s", (int)shift, "..", value);
	size_t n = strlen(shifted) / 3 * 3;
	char *text = base64(shifted, n);

	if (shift > 0)
		memmove(text, text + 4, strlen(text + 4) + 1);
	return text;
}

int
leak_holds(const char *bytes, size_t len, const char *value)
{
	size_t shift;

	if (memmem(bytes, len, value, strlen(value)) != NULL)
		return 1;
	for (shift = 0; shift < SHIFTS; shift++) {
		AUTO_FREE char *text = encoded(value, shift);

		if (memmem(bytes, len, text, strlen(text)) != NULL)
			return 1;
	}
	return 0;
}

int
leak_is_in(const char *where, const char *bytes, size_t len)
{
	unsigned int before = leaks;
	size_t i;

	if (nwatched == 0)
		it_die("%s: there is nothing to look for", where);
	for (i = 0; i < nwatched; i++)
		if (leak_holds(bytes, len, watched[i].bytes)) {
			it_say("%s has %s", where, watched[i].name);
			leaks++;
		}
	return leaks > before;
}

/* --- what it writes ------------------------------------------------------ */

/* Copies that provider.c makes of credentials have the setting's name. */
static int
is_given(const char *path)
{
	const char *name = strrchr(path, '/') + 1;

	return strncmp(name, "FLIGHTCTL_", 10) == 0 ||
	    strncmp(name, "KUBECONFIG", 10) == 0;
}

static int
look_at_file(const char *path, const struct stat *st, int kind,
    struct FTW *where)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	(void)st;
	(void)where;
	files += kind == FTW_F;
	if (kind != FTW_F || is_given(path) ||
	    (text = it_file(path, &len)) == NULL)
		return 0;
	(void)leak_is_in(path, text, len);
	return 0;
}

void
leak_look_at_disk(const char *run)
{
	AUTO_FREE char *folder = xasprintf("%s/%s", it_folder(), run);

	leaks = files = 0;
	if (nftw(folder, look_at_file, FDS, FTW_PHYS) == -1)
		it_die("%s cannot be looked at", folder);
	it_ok(leaks == 0 && files > 0, "%u files of %s have none (%u)", files,
	    run, leaks);
}

void
leak_look_at_log(const struct provider *p)
{
	AUTO_FREE char *text = provider_log(p);

	leaks = 0;
	(void)leak_is_in("the log", text, strlen(text));
	it_ok(leaks == 0 && *text != '\0', "its log has none (%u)", leaks);
}

void
leak_look_at_apiserver(void)
{
	static const char *const paths[] = { KUBE_PODS, KUBE_NODES,
		"/api/v1/events", "/apis/coordination.k8s.io/v1/leases" };
	size_t i;

	leaks = 0;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		AUTO_JSON struct json_object *list = kube_get(paths[i]);
		const char *text = json_object_to_json_string_ext(list,
		    JSON_C_TO_STRING_NOSLASHESCAPE);

		if (js_len(list, "/items") == 0)
			it_die("%s has none", paths[i]);
		(void)leak_is_in(paths[i], text, strlen(text));
	}
	it_ok(leaks == 0, "nothing in the apiserver has one (%u)", leaks);
}

/* --- what it answers ----------------------------------------------------- */

static void
look_at_answer(const char *program, const char *at, const char *form,
    char *question)
{
	const char *argv[WORDS_MAX] = { program, "-s", at };
	AUTO_FREE char *asked = xstrdup(question), *out = NULL;
	char *word, *rest = question;
	size_t n = 3;

	if (form != NULL) {
		argv[n++] = "-o";
		argv[n++] = form;
	}
	while ((word = strsep(&rest, " ")) != NULL)
		argv[n++] = word;
	if (child_run(argv, &out) != 0)
		it_die("vkfctl %s: %s", asked, out);
	(void)leak_is_in(asked, out, strlen(out));
}

void
leak_look_at_answers(const char *run)
{
	static const char *const forms[] = { NULL, "json" };
	static const char *const questions[] = { "status", "pods", "devices",
		"records", "events" };
	AUTO_FREE char *program = child_program("vkfctl");
	AUTO_FREE char *at = xasprintf("%s/%s/control.sock", it_folder(), run);
	AUTO_JSON struct json_object *list = kube_get(KUBE_PODS);
	size_t i, k, n = sizeof(questions) / sizeof(questions[0]);

	leaks = 0;
	for (k = 0; k < sizeof(forms) / sizeof(forms[0]); k++) {
		for (i = 0; i < n; i++) {
			AUTO_FREE char *question = xstrdup(questions[i]);

			look_at_answer(program, at, forms[k], question);
		}
		for (i = 0; i < js_len(list, "/items"); i++) {
			AUTO_FREE char *question =
			    xasprintf("explain pod default/%s",
				js_str(json_object_array_get_idx(
					   js_get(list, "/items"), i),
				    "/metadata/name"));

			look_at_answer(program, at, forms[k], question);
		}
	}
	it_ok(leaks == 0, "no answer to an operator has one (%u)", leaks);
}

void
leak_look_at_listener(const struct provider *p)
{
	static const char *const paths[] = { "/metrics", "/healthz", "/readyz",
		"/", "/api/status", "/api/pods", "/api/devices", "/api/events",
		"/api/fleets" };
	struct http *h = provider_listener(p, LISTEN_MS);
	size_t i;

	leaks = 0;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct http_answer a = { 0 };

		(void)http_send(h, "GET", paths[i], NULL, NULL, &a);
		if (a.body == NULL)
			it_die("%s: no answer", paths[i]);
		(void)leak_is_in(paths[i], a.body, a.len);
		http_answer_clear(&a);
	}
	http_free(h);
	it_ok(leaks == 0, "nothing that its listener says has one (%u)", leaks);
}

static void
look_at_process(pid_t pid)
{
	static const char *const of[] = { "cmdline", "environ" };
	size_t i, len;

	for (i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		AUTO_FREE char *path =
		    xasprintf("/proc/%d/%s", (int)pid, of[i]);
		AUTO_FREE char *text = it_file(path, &len);

		/* Not dumpable, and we are not root: to nobody, then. */
		if (text == NULL)
			continue;
		files++;
		(void)leak_is_in(path, text, len);
	}
}

void
leak_look_at_processes(const struct provider *p)
{
	pid_t pids[WORKERS_MAX];
	size_t i, n = child_list(provider_pid(p), pids, WORKERS_MAX);

	leaks = files = 0;
	look_at_process(provider_pid(p));
	for (i = 0; i < n; i++)
		look_at_process(pids[i]);
	/* Arguments are everybody's to read. */
	it_ok(leaks == 0 && n >= 3 && files > n,
	    "arguments and environments of %zu processes have none (%u)", n + 1,
	    leaks);
}
