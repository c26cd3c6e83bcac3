/* SPDX-License-Identifier: ISC */
/*
 * provider.c: one run of vk-flightctl-provider.
 *
 * Owns its folder (state, copies of the credentials) and its log, and says
 * which of its lines nobody expected.
 */
#include "t/it/provider.h"

#include <fcntl.h>
#include <json-c/json_tokener.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/grind.h"
#include "t/it/http.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/views.h"
#include "t/it/world.h"

enum {
	STOP_MS = 6000,	  /* it promises 5 s */
	CHECK_MS = 22000, /* it promises 20 s */
	LOOK_MS = 50,
	SETTLE_MS = 15000,
	SETTINGS_MAX = 64,
	EXPECT_MAX = 16,
	SHOWN_MAX = 10,	   /* unexpected lines */
	FIRST_UID = 61001, /* kubeside, flightside, placer (UIDS) */
};

struct provider {
	pid_t pid;
	char *dir, *log;
	char *grind; /* valgrind's folder, NULL: not under it */
	char *env[SETTINGS_MAX];
	size_t nenv;
	const char *expected[EXPECT_MAX];
	size_t nexpected;
	const char *leaves; /* the views differ because of that */
};

/* Settings whose value is a file that only one worker may read. */
static const struct {
	const char *name;
	uid_t uid;
} credentials[] = {
	{ "KUBECONFIG", FIRST_UID },
	{ "FLIGHTCTL_AUTH_TOKEN_FILE", FIRST_UID + 1 },
	{ "FLIGHTCTL_CA_FILE", FIRST_UID + 1 },
	{ "FLIGHTCTL_CLIENT_CERT", FIRST_UID + 1 },
	{ "FLIGHTCTL_CLIENT_KEY", FIRST_UID + 1 },
};

static char *
copy_for(const char *path, const char *dir, const char *name, uid_t uid)
{
	char *to = xasprintf("%s/%s", dir, name);
	AUTO_FREE char *text = NULL;
	AUTO_FD int fd = -1;
	size_t len;

	if ((text = it_file(path, &len)) == NULL)
		it_die("%s: cannot be read", path);
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (fd == -1 || write(fd, text, len) != (ssize_t)len)
		it_die("%s: cannot be written", to);
	if (geteuid() == 0 && fchown(fd, uid, uid) == -1)
		it_die("%s: cannot be given to %u", to, uid);
	return to;
}

/* As whoever rotates credentials does: written beside, and renamed. */
void
provider_replace(struct provider *p, const char *name, const char *path)
{
	AUTO_FREE char *old = xasprintf("%s/%s", p->dir, name), *fresh = NULL;
	AUTO_FREE char *beside = xasprintf("%s.new", name);
	size_t i = 0;

	while (strcmp(credentials[i].name, name) != 0)
		i++;
	fresh = copy_for(path, p->dir, beside, credentials[i].uid);
	if (rename(fresh, old) == -1)
		it_die("%s: cannot be replaced", old);
}

static void
add_setting(struct provider *p, const char *setting)
{
	size_t i, len = strcspn(setting, "=");
	AUTO_FREE char *name = xstrndup(setting, len), *path = NULL;

	for (i = 0; i < p->nenv; i++)
		if (strncmp(p->env[i], setting, len + 1) == 0)
			it_die("%s is set twice", name);
	if (p->nenv >= SETTINGS_MAX - 1)
		it_die("too many settings");
	for (i = 0; i < sizeof(credentials) / sizeof(credentials[0]); i++)
		if (strcmp(name, credentials[i].name) == 0 &&
		    setting[len + 1] != '\0')
			path = copy_for(setting + len + 1, p->dir, name,
			    credentials[i].uid);
	p->env[p->nenv++] =
	    path == NULL ? xstrdup(setting) : xasprintf("%s=%s", name, path);
}

/* As our own run has it; leaks cannot be looked for under seccomp. */
static void
add_environment(struct provider *p)
{
	static const char *const passed[] = { "PATH", "UBSAN_OPTIONS" };
	const char *asan = getenv("ASAN_OPTIONS"), *value;
	size_t i;

	for (i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		if ((value = getenv(passed[i])) != NULL)
			p->env[p->nenv++] =
			    xasprintf("%s=%s", passed[i], value);
	p->env[p->nenv++] = xasprintf("ASAN_OPTIONS=%s%sdetect_leaks=0",
	    asan == NULL ? "" : asan, asan == NULL ? "" : ":");
}

static int
is_set(const char *const *list, const char *name)
{
	size_t len = strlen(name);

	for (; list != NULL && *list != NULL; list++)
		if (strncmp(*list, name, len) == 0 && (*list)[len] == '=')
			return 1;
	return 0;
}

/* Later ones give way to earlier ones. */
static void
add_settings(struct provider *p, const char *const *extra)
{
	AUTO_FREE char *state = xasprintf("STATE_DIR=%s/state", p->dir);
	AUTO_FREE char *fleet = xasprintf("FLEET_ID=%s", world_fleet());
	AUTO_FREE char *control =
	    xasprintf("CONTROL_SOCKET=%s/control.sock", p->dir);
	AUTO_FREE char *ping = xasprintf("PING_SOCKET=%s/ping.sock", p->dir);
	const char *const ours[] = { state, fleet, control, ping,
		"LISTEN=127.0.0.1:0", "LOG_LEVEL=debug",
		"UIDS=61001,61002,61003" };
	char *const *w;
	AUTO_FREE char *name = NULL;
	size_t i;

	for (i = 0; extra != NULL && extra[i] != NULL; i++)
		add_setting(p, extra[i]);
	for (w = world_settings(); *w != NULL; w++) {
		free(name);
		name = xstrndup(*w, strcspn(*w, "="));
		if (!is_set(extra, name))
			add_setting(p, *w);
	}
	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		free(name);
		name = xstrndup(ours[i], strcspn(ours[i], "="));
		if (!is_set(extra, name))
			add_setting(p, ours[i]);
	}
}

static const char *other; /* NULL: our own */

void
provider_program(const char *path)
{
	other = path;
}

static struct provider *
new_provider(const char *name)
{
	struct provider *p = xcalloc(1, sizeof(*p));

	p->dir = xasprintf("%s/%s", it_folder(), name);
	p->log = xasprintf("%s/%s.log", it_folder(), name);
	if (world_kind() != WORLD_SIM) /* of earlier scenarios */
		provider_expect(p, "not in FLEET_ID and no provider serves");
	return p;
}

struct provider *
provider_adopt(const char *name)
{
	struct provider *p = new_provider(name);

	p->leaves = "others started it, with settings of theirs";
	return p;
}

void
provider_follow(struct provider *p, pid_t pid)
{
	p->pid = pid;
}

/* Its folder and its environment, too. */
static struct provider *
prepare(const char *name, const char *const *extra)
{
	struct provider *p = new_provider(name);

	if (mkdir(p->dir, 0711) == -1)
		it_die("%s: cannot be made", p->dir);
	add_environment(p);
	add_settings(p, extra);
	return p;
}

/* Nobody but root can read the copy, and not even its owner. */
static void
lock(const struct provider *p, const char *setting)
{
	AUTO_FREE char *path = xasprintf("%s/%s", p->dir, setting);

	if ((geteuid() == 0 && chown(path, 0, 0) == -1) || chmod(path, 0) == -1)
		it_die("%s: cannot be locked", path);
}

int
provider_check(const char *name, const char *const *extra,
    const struct provider_look *how, char **out)
{
	struct provider *p = prepare(name, extra);
	AUTO_FREE char *program = child_program("vk-flightctl-provider");
	const char *argv[] = { program, "--check",
		how->only == NULL ? NULL : "--only", how->only, NULL };
	int status;

	if (how->locked != NULL)
		lock(p, how->locked);
	p->pid = child_start(argv, p->env, p->log);
	if ((status = child_wait(p->pid, CHECK_MS)) == -1)
		child_end(p->pid);
	*out = provider_log(p);
	return status;
}

void
provider_again(struct provider *p)
{
	AUTO_FREE char *program = NULL;
	const char *argv[GRIND_WORDS + 2];
	size_t n = 0;

	if (p->grind != NULL) {
		n = grind_words(p->grind, argv);
		program = grind_program(p->grind);
	}
	if (program == NULL)
		program = other != NULL ?
		    xstrdup(other) :
		    child_program("vk-flightctl-provider");
	argv[n++] = program;
	argv[n] = NULL;
	p->pid = child_start(argv, p->env, p->log);
}

struct provider *
provider_start(const char *name, const char *const *extra)
{
	struct provider *p = prepare(name, extra);

	if (grind_is_wanted()) {
		p->grind = xasprintf("%s/valgrind", p->dir);
		provider_expect(p, "the kernel has no (Landlock|system call)");
	}
	provider_again(p);
	return p;
}

void
provider_leaves(struct provider *p, const char *why)
{
	p->leaves = why;
}

/* NULL: it has no such setting. */
static const char *
setting(const struct provider *p, const char *name)
{
	size_t i, len = strlen(name);

	for (i = 0; i < p->nenv; i++)
		if (strncmp(p->env[i], name, len) == 0 && p->env[i][len] == '=')
			return p->env[i] + len + 1;
	return NULL;
}

static void
look_at_views(const struct views_of *of)
{
	AUTO_FREE char *counts = NULL, *drift = views_drift(of, &counts);
	char *rest = drift, *line;

	it_ok(*drift == '\0', "the three views agree: %s", counts);
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0')
		it_say("drift: %s", line);
}

int
provider_stop(struct provider *p)
{
	struct views_of views = { .fleets = setting(p, "FLEET_ID"),
		.node = setting(p, "NODE_NAME"),
		.dir = setting(p, "STATE_DIR") };
	int status;

	if (p->leaves == NULL)
		views_settle(&views, SETTLE_MS);
	kill(p->pid, SIGTERM);
	if ((status = child_wait(p->pid, STOP_MS)) == -1)
		child_end(p->pid);
	if (p->grind != NULL)
		grind_judge(p->grind);
	p->pid = -1;
	if (p->leaves == NULL)
		look_at_views(&views);
	else
		it_say("the views are not compared: %s", p->leaves);
	return status;
}

pid_t
provider_pid(const struct provider *p)
{
	return p->pid;
}

pid_t
provider_worker(const struct provider *p, const char *wanted)
{
	pid_t pids[16];
	char name[32];
	size_t i, n;

	n = child_list(p->pid, pids, 16);
	for (i = 0; i < n; i++) {
		child_name(pids[i], name, sizeof(name));
		if (strcmp(name, wanted) == 0)
			return pids[i];
	}
	return -1;
}

struct http *
provider_listener(const struct provider *p, int ms)
{
	AUTO_FREE char *at = provider_address(p, ms);
	AUTO_FREE char *url = xasprintf("http://%s", at);

	return http_new(url, NULL, NULL);
}

char *
provider_address(const struct provider *p, int ms)
{
	static const char before[] = "listening on ";
	AUTO_FREE char *log = NULL;
	char *at;

	if (provider_await_lines(p, before, 1, ms) == 0)
		it_die("nothing listens");
	log = provider_log(p);
	at = strstr(log, before) + strlen(before);
	at[strcspn(at, "\"")] = '\0';
	return xstrdup(at);
}

/* --- its log ------------------------------------------------------------- */

void
provider_expect(struct provider *p, const char *regex)
{
	if (p->nexpected == EXPECT_MAX)
		it_die("too many expected lines");
	p->expected[p->nexpected++] = regex;
}

char *
provider_log(const struct provider *p)
{
	char *text = it_file(p->log, NULL), *last;

	if (text == NULL)
		it_die("%s: cannot be read", p->log);
	/* One that is being written may be seen up to the end of a page. */
	last = strrchr(text, '\n');
	text[last == NULL ? 0 : last + 1 - text] = '\0';
	return text;
}

static int
matches(const char *line, const char *regex)
{
	regex_t re;
	int found;

	if (regcomp(&re, regex, REG_EXTENDED | REG_NOSUB) != 0)
		it_die("%s: no regular expression", regex);
	found = regexec(&re, line, 0, NULL, 0) == 0;
	regfree(&re);
	return found;
}

static int
is_expected(const struct provider *p, const char *line)
{
	AUTO_JSON struct json_object *entry = json_tokener_parse(line);
	const char *level = js_str(entry, "/level");
	size_t i;

	if (strcmp(level, "info") == 0 || strcmp(level, "debug") == 0)
		return 1;
	if (geteuid() != 0 && strstr(line, "not root") != NULL)
		return 1;
	for (i = 0; i < p->nexpected; i++)
		if (matches(line, p->expected[i]))
			return 1;
	return 0;
}

void
provider_judge(struct provider *p)
{
	AUTO_FREE char *text = provider_log(p);
	char *line, *rest = text;
	unsigned int n = 0;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (*line == '\0' || is_expected(p, line))
			continue;
		if (n++ < SHOWN_MAX)
			it_say("unexpected: %s", line);
	}
	it_ok(n == 0, "no warning or error that nobody expected (%u)", n);
}

size_t
provider_lines(const struct provider *p, const char *regex)
{
	AUTO_FREE char *text = provider_log(p);
	char *line, *rest = text;
	size_t n = 0;
	regex_t re;

	if (regcomp(&re, regex, REG_EXTENDED | REG_NOSUB) != 0)
		it_die("%s: no regular expression", regex);
	while ((line = strsep(&rest, "\n")) != NULL)
		n += regexec(&re, line, 0, NULL, 0) == 0;
	regfree(&re);
	return n;
}

size_t
provider_await_lines(const struct provider *p, const char *regex, size_t n,
    int ms)
{
	int64_t deadline = it_ms() + ms;
	size_t found;

	while ((found = provider_lines(p, regex)) < n && it_ms() < deadline)
		it_pause(LOOK_MS);
	return found;
}
