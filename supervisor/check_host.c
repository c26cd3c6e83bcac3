/* SPDX-License-Identifier: ISC */
/*
 * check_host.c: what this host lacks.
 *
 * Owns what can be seen without making or changing anything; what only a
 * worker's uid can tell is the worker's.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/finding.h"
#include "common/form.h"
#include "common/xmem.h"
#include "supervisor/check.h"
#include "supervisor/house.h"
#include "supervisor/local.h"
#include "supervisor/spawn.h"

enum {
	FILES_MIN = 512, /* of a worker: FILES_MAX of common/sandbox.c */
};

static void
check_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == -1)
		return;
	if (files.rlim_cur >= FILES_MIN)
		finding(FINDING_OK, "descriptors", NULL, "at most %llu",
		    (unsigned long long)files.rlim_cur);
	else
		finding(FINDING_WARN, "descriptors", "ulimit -n 1024",
		    "at most %llu, where a worker may need %d",
		    (unsigned long long)files.rlim_cur, FILES_MIN);
}

/* They need no account, but must not be somebody's. */
static void
check_uids(const struct settings *s)
{
	int taken = 0;
	enum proc p;

	if (geteuid() != 0) {
		finding(FINDING_WARN, "UIDS",
		    "sudo vk-flightctl-provider --check",
		    "not root: all workers run as uid %u and are not kept "
		    "from each other's secrets by it",
		    geteuid());
		return;
	}
	for (p = PROC_SUPERVISOR + 1; p < PROC_COUNT; p++) {
		uid_t uid = spawn_uid(s, p);
		const struct passwd *pw = getpwuid(uid);

		if (pw == NULL)
			continue;
		finding(FINDING_OK, "UIDS", NULL,
		    "%s runs as %u, the account %s", proc_name(p), uid,
		    pw->pw_name);
		taken = 1;
	}
	if (!taken)
		finding(FINDING_OK, "UIDS", NULL,
		    "%s (kubeside, flightside, placer); nobody's accounts",
		    s->text[SET_UIDS]);
}

/* The other containers of the Pod know us by it. */
static void
check_uid(const struct settings *s, enum proc only)
{
	uint32_t uid = settings_uid(s, only);
	AUTO_FREE char *mend =
	    xasprintf("setpriv --reuid %u --regid %u --clear-groups "
		      "vk-flightctl-provider --only %s --check",
		uid, uid, proc_name(only));

	if (geteuid() == uid)
		finding(FINDING_OK, "UIDS", NULL, "%s is uid %u",
		    proc_name(only), uid);
	else
		finding(FINDING_FAIL, "UIDS", mend,
		    "%s must be started as uid %u, not %u: the others would "
		    "refuse it",
		    proc_name(only), uid, geteuid());
}

/* The folder nearest to the path that is there; the caller's to free. */
static char *
nearest(const char *path)
{
	char *folder = xstrdup(path), *slash;

	while ((slash = strrchr(folder, '/')) != NULL && slash != folder) {
		*slash = '\0';
		if (access(folder, F_OK) == 0)
			return folder;
	}
	free(folder);
	return xstrdup("/");
}

static int
can_make(const char *path, const char **why, char **folder)
{
	struct stat st;

	*folder = nearest(path);
	if (stat(*folder, &st) == 0 && !S_ISDIR(st.st_mode))
		errno = ENOTDIR;
	else if (access(*folder, W_OK | X_OK) == 0)
		return 1;
	*why = strerror(errno);
	return 0;
}

/* Whether the placer can write there it tries by itself. */
static void
check_state_dir(const struct settings *s)
{
	const char *path = s->text[SET_STATE_DIR], *why = NULL;
	uid_t placer = spawn_uid(s, PROC_PLACER);
	AUTO_FREE char *word = finding_word(path), *folder = NULL, *mend = NULL;
	AUTO_FREE char *away = xasprintf("mv %s %s.away", word, word);
	struct stat st;

	mend = xasprintf("install -d -m 0700 -o %u -g %u %s",
	    placer == 0 ? geteuid() : placer, placer == 0 ? getegid() : placer,
	    word);
	if (lstat(path, &st) == 0)
		finding(S_ISDIR(st.st_mode) ? FINDING_OK : FINDING_FAIL,
		    "STATE_DIR", S_ISDIR(st.st_mode) ? NULL : away, "%s is %s",
		    path, S_ISDIR(st.st_mode) ? "there" : "no folder");
	else if (can_make(path, &why, &folder))
		finding(FINDING_OK, "STATE_DIR", NULL,
		    "%s is not there yet and will be made", path);
	else
		finding(FINDING_FAIL, "STATE_DIR", mend,
		    "%s is not there and cannot be made in %s: %s", path,
		    folder, why);
}

/* 1: somebody answers there. */
static int
answers(const char *path)
{
	AUTO_FD int fd = local_connect(path);

	return fd != -1;
}

/* What the supervisor makes a socket at; level: when it cannot. */
static void
check_socket(const struct settings *s, enum setting i, enum finding_level level)
{
	const char *path = s->text[i], *why = NULL;
	AUTO_FREE char *folder = NULL, *word = NULL, *mend = NULL;
	AUTO_FREE char *dir = NULL;

	if (can_make(path, &why, &folder)) {
		finding(FINDING_OK, settings_name(i), NULL, "%s can be made",
		    path);
		return;
	}
	dir = xstrdup(path);
	*strrchr(dir, '/') = '\0';
	word = finding_word(dir);
	mend = xasprintf("install -d -o %u %s  # or %s elsewhere", geteuid(),
	    word, settings_name(i));
	finding(level, settings_name(i), mend, "%s cannot be made in %s: %s",
	    path, folder, why);
}

/* Their default is a folder that need not be there. */
static enum finding_level
if_given(const struct settings *s, enum setting i)
{
	return s->given[i] ? FINDING_FAIL : FINDING_WARN;
}

/* 1: a provider runs here already, and has what this one would. */
static int
check_control(const struct settings *s)
{
	const char *path = s->text[SET_CONTROL_SOCKET];

	if (path[0] == '\0') {
		finding(FINDING_OK, "CONTROL_SOCKET", NULL,
		    "none: vkfctl cannot ask");
		return 0;
	}
	if (answers(path)) {
		finding(FINDING_WARN, "CONTROL_SOCKET", "vkfctl",
		    "%s answers: a provider runs here already", path);
		return 1;
	}
	check_socket(s, SET_CONTROL_SOCKET, if_given(s, SET_CONTROL_SOCKET));
	return 0;
}

static void
check_ping(const struct settings *s)
{
	if (s->text[SET_PING_SOCKET][0] == '\0')
		finding(FINDING_OK, "PING_SOCKET", NULL,
		    "none: --ping cannot ask");
	else
		check_socket(s, SET_PING_SOCKET, if_given(s, SET_PING_SOCKET));
}

/* Seen, not asked: whoever connects there takes the link that works. */
static int
is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    access(path, W_OK) == 0;
}

/* In a Pod: the placer's supervisor makes what the others connect to. */
static void
check_meeting(const struct settings *s, enum proc only)
{
	static const struct {
		enum proc key_holder;
		enum setting at;
	} places[] = { { PROC_KUBESIDE, SET_KUBESIDE_SOCKET },
		{ PROC_FLIGHTSIDE, SET_FLIGHTSIDE_SOCKET } };
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (only == PROC_PLACER)
			check_socket(s, places[i].at, FINDING_FAIL);
		else if (only == places[i].key_holder)
			finding(FINDING_OK, settings_name(places[i].at), NULL,
			    is_there(s->text[places[i].at]) ?
				"%s: the placer is there" :
				"%s: the placer is not there yet",
			    s->text[places[i].at]);
}

static int
is_member(gid_t gid)
{
	gid_t groups[NGROUPS_MAX];
	int i, n = getgroups(NGROUPS_MAX, groups);

	for (i = 0; i < n; i++)
		if (groups[i] == gid)
			return 1;
	return geteuid() == 0 || getegid() == gid;
}

static void
check_group(const struct settings *s)
{
	const char *group = s->text[SET_CONTROL_GROUP];
	AUTO_FREE char *mend = NULL;

	if (group[0] == '\0') {
		finding(FINDING_OK, "CONTROL_GROUP", NULL,
		    "none: only root and the provider's user may use vkfctl");
		return;
	}
	if (is_member((gid_t)strtoul(group, NULL, 10))) {
		finding(FINDING_OK, "CONTROL_GROUP", NULL,
		    "the group %s can be given the socket", group);
		return;
	}
	mend = xasprintf("usermod -aG \"$(getent group %s | cut -d: -f1)\" "
			 "\"$(id -un %u)\"",
	    group, geteuid());
	finding(FINDING_FAIL, "CONTROL_GROUP", mend,
	    "uid %u is not in the group %s", geteuid(), group);
}

static void
check_listen(const struct settings *s, int runs)
{
	const char *text = s->text[SET_LISTEN];
	AUTO_FREE char *mend = NULL;
	char host[FORM_HOST];
	uint16_t port = 0;
	struct why why;
	int fd;

	if ((fd = house_listen(s, &why)) >= 0) {
		close(fd);
		finding(FINDING_OK, "LISTEN", NULL, "%s is free", text);
		return;
	}
	if (fd == HOUSE_NONE) {
		finding(FINDING_OK, "LISTEN", NULL,
		    "none: no /healthz, /readyz and /metrics");
		return;
	}
	(void)form_listen(span_of(text), host, &port);
	mend = xasprintf("ss -Hltnp 'sport = :%u'", port);
	finding(runs && why.code == EADDRINUSE ? FINDING_WARN : FINDING_FAIL,
	    "LISTEN", mend, "%s", why.text);
}

static void
check_placers(const struct settings *s)
{
	int runs;

	check_state_dir(s);
	runs = check_control(s);
	check_group(s);
	check_listen(s, runs);
}

void
check_host(const struct settings *s, enum proc only)
{
	if (only == PROC_SUPERVISOR)
		check_uids(s);
	else
		check_uid(s, only);
	check_files();
	if (only == PROC_SUPERVISOR || only == PROC_PLACER)
		check_placers(s);
	check_ping(s);
	check_meeting(s, only);
}
