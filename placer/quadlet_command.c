/* SPDX-License-Identifier: ISC */
/*
 * quadlet_command.c: what a container runs, and what is run beside it.
 *
 * Owns command, args and lifecycle.  podman's generator escapes what is in
 * [Container]; [Service] goes to systemd as it stands.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/quadlet_own.h"

/* Appends the expanded words of command or args. */
static int
add_words(struct work *w, struct json_object *list, const char *member,
    char **words, size_t *n)
{
	struct why inner = { .kind = ERR_FORMAT, .text = "not a text" };
	const char *s;
	size_t i;

	for (i = 0; i < jread_count(list); i++) {
		if ((s = jread_string(jread_item(list, i))) == NULL ||
		    (words[*n] = quadlet_expand(w, s, &inner)) == NULL)
			return quadlet_at(w, member, &inner);
		(*n)++;
	}
	return 0;
}

static bool
is_simple(const char *s)
{
	return *s != '\0' &&
	    s[strspn(s,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789_./:@+-")] == '\0';
}

/* An Entrypoint= drops the image's own command, as command does. */
static int
put_words(struct work *w, char **words, size_t n)
{
	struct why inner;
	size_t from = 0;

	if (jread_count(w->command) > 0) {
		if (!is_simple(words[0]) || strlen(words[0]) > 1024)
			return fail(w->app->why, ERR_DENIED,
			    "%s.command[0]: "
			    "\"%.64s\": not a plain path or name",
			    w->at, words[0]);
		unitfile_line(&w->f, "Entrypoint", "%s", words[0]);
		from = 1;
	}
	if (n > from &&
	    unitfile_words(&w->f, "Exec", (const char *const *)words + from,
		n - from, &inner) == -1)
		return quadlet_at(w,
		    jread_count(w->args) > 0 ? "args" : "command", &inner);
	return 0;
}

int
quadlet_command(struct work *w)
{
	char **words;
	size_t i, n = 0;
	int r;

	words = xcalloc(jread_count(w->command) + jread_count(w->args) + 1,
	    sizeof(*words));
	r = add_words(w, w->command, "command", words, &n);
	if (r == 0)
		r = add_words(w, w->args, "args", words, &n);
	if (r == 0)
		r = put_words(w, words, n);
	for (i = 0; i < n; i++)
		free(words[i]);
	free(words);
	return r;
}

/* -- lifecycle -- */

/* A hook's words, as they are: the kubelet expands no variable in them. */
static int
put_exec(struct work *w, const char *key, const char *before,
    struct json_object *command, const char *at)
{
	AUTO_FREE const char **words = NULL;
	struct why inner;
	size_t i, n = jread_count(command);

	words = xcalloc(n, sizeof(*words));
	for (i = 0; i < n; i++)
		if ((words[i] = jread_string(jread_item(command, i))) == NULL)
			return fail(w->app->why, ERR_FORMAT,
			    "%s.%s.exec.command: not a text", w->at, at);
	if (unitfile_command(&w->f, key, before, words, n, &inner) == -1)
		return fail(w->app->why, inner.kind, "%s.%s.exec.command: %s",
		    w->at, at, inner.text);
	return 0;
}

static int
put_hook(struct work *w, struct json_object *hook, const char *key,
    const char *bound, const char *at)
{
	struct json_object *command, *sleep;
	AUTO_FREE char *before = NULL;
	int64_t seconds;

	command = jread_member(jread_member(hook, "exec"), "command");
	sleep = jread_member(jread_member(hook, "sleep"), "seconds");
	before = xasprintf("%s/usr/bin/podman exec %s-%s", bound, w->app->id,
	    w->name);
	if (jread_count(command) > 0)
		return put_exec(w, key, before, command, at);
	if (sleep == NULL)
		return 0;
	seconds = json_object_get_int64(sleep);
	if (!json_object_is_type(sleep, json_type_int) || seconds < 0 ||
	    seconds > INT32_MAX)
		return fail(w->app->why, ERR_FORMAT,
		    "%s.%s.sleep.seconds: none of 0 to %d", w->at, at,
		    INT32_MAX);
	if (*bound == '\0')
		unitfile_line(&w->f, key, "/bin/sleep %" PRId64, seconds);
	else /* whatever ended by itself is not kept waiting */
		unitfile_line(&w->f, key,
		    "-/bin/sh -c 'test -z \"$$MAINPID\" || %s/bin/sleep "
		    "%" PRId64 "'",
		    bound + 1, seconds);
	return 0;
}

/*
 * podman stops the containers of a pod one after the other, and waits for each
 * as long as it has.  Therefore all of them are asked at once here, and podman
 * finds them ended.  $MAINPID is not set in one that ended by itself.
 */
static void
put_stop(struct work *w)
{
	if (!quadlet_is_pod(w->app) || w->app->grace == 0)
		return;
	unitfile_line(&w->f, "ExecStop",
	    "-/bin/sh -c 'test -z \"$$MAINPID\" || { n=%s-%s; "
	    "p=/usr/bin/podman; $$p kill --signal \"$$($$p inspect --format "
	    "{{.Config.StopSignal}} $$n)\" $$n && /usr/bin/timeout %" PRId64
	    " $$p wait $$n || $$p kill $$n; } >/dev/null'",
	    w->app->id, w->name, w->app->grace);
}

/*
 * How it ended is the description of a unit that only stays: an operator who
 * has the device report units named vk-* brings the exit code home (exits.h).
 * The next end replaces it, and it goes when the agent stops the application,
 * on whose target it stands and without which it does not start.
 */
static void
put_exit(struct work *w)
{
	unitfile_line(&w->f, "ExecStopPost",
	    "-/bin/sh -c 'u=vk-%s_%s; t=%s-flightctl-quadlet-app.target; "
	    "/usr/bin/systemctl stop $$u.service 2>/dev/null; "
	    "exec /usr/bin/systemd-run -q --no-block --collect --unit=$$u "
	    "--description=\"$$SERVICE_RESULT $$EXIT_CODE $$EXIT_STATUS\" "
	    "--remain-after-exit -p Requisite=$$t -p After=$$t /bin/true'",
	    w->app->in->app, w->name, w->app->id);
}

/*
 * systemd gives each command as long as it likes; the grace period is for the
 * hook too.  What a hook before the stop says changes nothing ("-").
 */
int
quadlet_hooks(struct work *w)
{
	struct json_object *lifecycle = jread_member(w->json, "lifecycle");
	AUTO_FREE char *bound = NULL;

	/* timeout(1) takes 0 for without end */
	bound = xasprintf("-/usr/bin/timeout %" PRId64 " ",
	    w->app->grace > 0 ? w->app->grace : 1);
	if (put_hook(w, jread_member(lifecycle, "postStart"), "ExecStartPost",
		"", "lifecycle.postStart") == -1 ||
	    put_hook(w, jread_member(lifecycle, "preStop"), "ExecStop", bound,
		"lifecycle.preStop") == -1)
		return -1;
	put_stop(w);
	put_exit(w);
	return 0;
}
