/* SPDX-License-Identifier: ISC */
/*
 * vkfctl_watch: what a person sees of a running provider: all on one screen,
 * what is told as it is told, the commands that there are, and what bash and
 * zsh complete of them.  Without a provider: where it is written, and silence.
 */
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/screen.h"
#include "t/it/vkfctl.h"
#include "t/it/world.h"

enum {
	READY_MS = 30000,
	RUN_MS = 30000,
	TOLD_MS = 10000,
	POLL_MS = 50,
	FOLLOWERS = 8, /* at once */
	WIDE = 80,
	HIGH = 24,
	INTERRUPTED = 130,
};

static char *path, *program;

static int
ask(const char *first, const char *second, char **out)
{
	const char *argv[] = { program, "-s", path, first, second, NULL };

	return child_run(argv, out);
}

/* -- nobody is there -- */

static void
look_without_provider(void)
{
	AUTO_FREE char *help = NULL, *events = NULL, *tried = NULL;
	AUTO_FREE char *line = xasprintf(
	    "source %s; PATH=%.*s:$PATH; CONTROL_SOCKET=%s; "
	    "export CONTROL_SOCKET; COMP_WORDS=(vkfctl dr); COMP_CWORD=1; "
	    "_vkfctl; echo found ${#COMPREPLY[@]}",
	    "deploy/completion/vkfctl.bash",
	    (int)(strrchr(program, '/') - program), program, path);
	const char *bash[] = { "bash", "-c", line, NULL };
	int status;

	it_ok(ask("-h", NULL, &help) == EX_OK &&
		strstr(help, "vkfctl(8)") != NULL &&
		strstr(help, "no provider answers") != NULL,
	    "without a provider -h names the manual page");
	it_ok(ask("-f", "events", &events) == EX_UNAVAILABLE,
	    "there is nothing to follow");
	status = child_run(bash, &tried);
	it_ok(status == 0 && strcmp(tried, "found 0\n") == 0,
	    "nothing is completed, and nothing is said: %s", tried);
}

/* -- one screen -- */

static void
fits(const char *text)
{
	const char *line, *end;
	size_t widest = 0, lines = 0;

	for (line = text; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		if ((size_t)(end - line) > widest)
			widest = (size_t)(end - line);
		lines++;
	}
	it_ok(widest <= WIDE && lines <= HIGH,
	    "status: %zu lines of at most %zu columns", lines, widest);
}

static void
look_at_status(void)
{
	AUTO_FREE char *text = NULL, *bare = NULL;
	const char *env[] = { "env", "COLUMNS=80", program, "-s", path,
		"status", NULL };
	const char *no_names[] = { program, "-s", path, "-o", "bare", "status",
		NULL };

	it_ok(child_run(env, &text) == EX_OK && strstr(text, "well") != NULL,
	    "all is well");
	fits(text);
	it_say("%s", text);
	it_ok(strchr(text, '\033') == NULL, "without colours");
	it_ok(strncmp(text, "ABOUT ", 6) == 0 &&
		child_run(no_names, &bare) == EX_OK &&
		strncmp(bare, "provider ", 9) == 0,
	    "-o bare leaves the names out");
	vkfctl_says("provider", (const char *[]){ "status", NULL }, EX_OK,
	    "\"figures\":{\"devices\":2,\"connected\":2,\"placeable\":2,");
	vkfctl_says("provider", (const char *[]){ "status", NULL }, EX_OK,
	    "\"worker\",\"name\":\"kubeside\",\"state\":\"ready\"");
}

static void
look_at_help(void)
{
	AUTO_FREE char *a = NULL, *b = NULL;

	it_ok(ask("-h", NULL, &a) == EX_OK && strstr(a, "give-up") != NULL &&
		strstr(a, "events") != NULL,
	    "-h lists the commands that the provider has");
	it_ok(ask("help", NULL, &b) == EX_OK && strcmp(a, b) == 0,
	    "and so does help");
}

/* -- what is told -- */

static char *
log_of(size_t i)
{
	return xasprintf("%s/follower-%zu", it_folder(), i);
}

static pid_t
follow(size_t i)
{
	AUTO_FREE char *log = log_of(i);
	const char *argv[] = { program, "-s", path, "events", "-f", NULL };

	return child_start(argv, NULL, log);
}

static int
follower_says(size_t i, const char *want)
{
	AUTO_FREE char *log = log_of(i);
	int64_t since = it_ms();

	do {
		AUTO_FREE char *text = it_file(log, NULL);

		if (text != NULL && strstr(text, want) != NULL)
			return 1;
		it_pause(POLL_MS);
	} while (it_ms() - since < TOLD_MS);
	return 0;
}

static void
ends(pid_t pid, size_t i, int status, const char *want)
{
	int is = child_wait(pid, TOLD_MS);

	it_ok(is == status && follower_says(i, want),
	    "follower %zu ends with %d: %s", i, is, want);
}

static void
look_at_events(const struct provider *p)
{
	AUTO_JSON struct json_object *pod = NULL;
	AUTO_FREE char *ninth = NULL;
	pid_t pid[FOLLOWERS];
	int status;
	size_t i;

	vkfctl_says("provider", (const char *[]){ "events", NULL }, EX_OK,
	    "\"about\":\"default/watched\",\"device\":\"");
	for (i = 0; i < FOLLOWERS; i++) {
		pid[i] = follow(i);
		if (!it_ok(follower_says(i, "default/watched"),
			"follower %zu has what was told", i))
			return;
	}
	status = ask("-f", "events", &ninth);
	it_ok(status == EX_USAGE &&
		strstr(ninth, "as many follow as may") != NULL,
	    "a ninth is refused: %s", ninth);
	free(pod_create("later", NULL));
	pod = pod_runs("later", it_ms(), RUN_MS);
	for (i = 0; i < FOLLOWERS; i++)
		it_ok(follower_says(i, "default/later") &&
			follower_says(i, "Started"),
		    "follower %zu hears of the next pod", i);
	kill(pid[0], SIGINT);
	it_ok(child_wait(pid[0], TOLD_MS) == INTERRUPTED, "^C ends one");
	pid[0] = follow(FOLLOWERS);
	it_ok(follower_says(FOLLOWERS, "default/later"),
	    "whose place is free then");
	kill(provider_worker(p, "placer"), SIGKILL);
	for (i = 0; i < FOLLOWERS; i++)
		ends(pid[i], i > 0 ? i : FOLLOWERS, EX_UNAVAILABLE,
		    "the provider is gone");
}

/* -- what went wrong -- */

static int
status_says(const char *want)
{
	const char *argv[] = { program, "-s", path, "-o", "json", "status",
		NULL };
	int64_t since = it_ms();

	do {
		AUTO_FREE char *text = NULL;

		if (child_run(argv, &text) == EX_OK &&
		    strstr(text, want) != NULL)
			return 1;
		it_pause(POLL_MS);
	} while (it_ms() - since < TOLD_MS);
	return 0;
}

static void
look_at_trouble(const struct provider *p)
{
	kill(provider_worker(p, "kubeside"), SIGKILL);
	it_ok(status_says("kubeside ended: signal 9"),
	    "a warning of the supervisor is among the last errors");
	it_ok(status_says("\"restarts\":1,"), "and the restart is counted");
	it_ok(status_says("\"state\":\"well\""), "all is well again");
}

/* -- what the shells complete -- */

static void
completes(struct screen *s)
{
	screen_type(s, "vkfctl -o json exp\tpo\tdefault/wat\t");
	screen_type(s, "\n");
	if (!it_ok(screen_shows(s,
		       "\"about\":\"pod\",\"name\":\"default/watched\""),
		"a command and the name of a pod are completed, and asked"))
		it_say("%s", screen_text(s));
	screen_type(s, "echo done\n");
	it_ok(screen_shows(s, "\ndone"), "and the shell goes on");
}

/* The shell with PATH and CONTROL_SOCKET as they are to be. */
static struct screen *
open_shell(const char *const argv[])
{
	AUTO_FREE char *search = xasprintf("PATH=%.*s:%s",
	    (int)(strrchr(program, '/') - program), program, getenv("PATH"));
	AUTO_FREE char *at = xasprintf("CONTROL_SOCKET=%s", path);
	const char *const env[] = { search, at, "TERM=dumb", "PS1=ready> ",
		"HISTFILE=", NULL };

	return screen_open(argv, env);
}

static int
is_there(const char *file)
{
	return access(file, R_OK) == 0;
}

static void
look_at_bash(void)
{
	static const char library[] =
	    "/usr/share/bash-completion/bash_completion";
	static const char *const argv[] = { "bash", "--norc", "--noprofile",
		"-i", NULL };
	struct screen *s;

	if (!is_there(library)) {
		it_skip("bash: no bash-completion here");
		return;
	}
	s = open_shell(argv);
	screen_type(s, "bind 'set enable-bracketed-paste off'; source ");
	screen_type(s, library);
	screen_type(s, "; source deploy/completion/vkfctl.bash; echo al''so\n");
	it_ok(screen_shows(s, "\nalso"), "bash: completion is loaded");
	completes(s);
	screen_type(s, "exit 7\n");
	it_ok(screen_close(s) == 7, "bash ends");
}

static void
look_at_zsh(void)
{
	static const char *const argv[] = { "zsh", "-f", "-i", NULL };
	struct screen *s;

	if (!is_there("/usr/bin/zsh") && !is_there("/bin/zsh")) {
		it_skip("zsh: it is not here");
		return;
	}
	s = open_shell(argv);
	screen_type(s,
	    "fpath=($PWD/deploy/completion $fpath); autoload -Uz "
	    "compinit; compinit -u -D; echo al''so\n");
	it_ok(screen_shows(s, "\nalso"), "zsh: completion is loaded");
	completes(s);
	screen_type(s, "exit 7\n");
	it_ok(screen_close(s) == 7, "zsh ends");
}

/* -- the scenario -- */

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *pod = NULL;
	struct provider *p;
	pid_t last;

	world_open(&(struct world_conf){ .devices = 2 });
	path = xasprintf("%s/provider/control.sock", it_folder());
	program = child_program("vkfctl");
	look_without_provider();
	p = provider_start("provider", NULL);
	provider_expect(p, "(placer|kubeside) ended: signal 9");
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	free(pod_create("watched", NULL));
	pod = pod_runs("watched", it_ms(), RUN_MS);
	look_at_status();
	look_at_help();
	look_at_trouble(p);
	look_at_bash();
	look_at_zsh();
	look_at_events(p);
	last = follow(FOLLOWERS + 1);
	it_ok(follower_says(FOLLOWERS + 1, "step"), "the placer is back");
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	ends(last, FOLLOWERS + 1, EX_UNAVAILABLE, "the provider stops");
	provider_judge(p);
	free(path);
	free(program);
}

int
main(void)
{
	return it_run("vkfctl-watch", scenario);
}
