/* SPDX-License-Identifier: ISC */
/*
 * spawn.c: starts a worker program.
 *
 * Owns what a worker inherits: four descriptors, its namespaces and ids, the
 * few words of environment in a table.  Between fork and exec only calls that
 * are safe there; a failing one is told by the exit status.
 */
#include "supervisor/spawn.h"

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/who.h"

enum {
	CONTROL_FD = 3,
	ENV_MAX = 8, /* with wiping, who we are and the NULL */
	WHO_SIZE = 40,
};

#define STEPS(X)                                        \
	X(FDS, "its descriptors could not be set up")   \
	X(IDS, "its ids could not be dropped")          \
	X(LOCK, "its privileges could not be given up") \
	X(EXEC, "its program could not be executed")

enum step {
	STEP_BEFORE = 119,
#define X(name, text) STEP_##name,
	STEPS(X)
#undef X
};

/* What may pass from our environment to a worker's, and to whose. */
static const struct {
	enum proc to;
	const char *name;
} inherited[] = {
	{ PROC_KUBESIDE, "KUBERNETES_SERVICE_HOST" },
	{ PROC_KUBESIDE, "KUBERNETES_SERVICE_PORT" },
	/* Only sanitized test builds read these. */
	{ PROC_COUNT, "ASAN_OPTIONS" },
	{ PROC_COUNT, "UBSAN_OPTIONS" },
	{ PROC_COUNT, "LSAN_OPTIONS" },
};

uid_t
spawn_uid(const struct settings *s, enum proc p)
{
	return geteuid() == 0 ? settings_uid(s, p) : 0;
}

/* The program beside our own in a build tree, else the installed one. */
static int
open_program(enum proc p, struct why *why)
{
	char self[PATH_MAX], path[PATH_MAX + 32];
	const char *dirs[] = { self, LIBEXEC };
	struct stat st;
	ssize_t len;
	char *slash;
	size_t i;
	int fd;

	len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[len < 0 ? 0 : len] = '\0';
	if ((slash = strrchr(self, '/')) != NULL)
		*slash = '\0';
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (snprintf(path, sizeof(path), "%s/%s", dirs[i],
			proc_name(p)) >= (int)sizeof(path))
			continue;
		if ((fd = open(path, O_PATH | O_CLOEXEC)) == -1)
			continue;
		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
			return fd;
		close(fd);
	}
	return fail(why, ERR_SYSTEM, "%s: no program of that name in %s or %s",
	    proc_name(p), self, LIBEXEC);
}

static void
set_fds(int control)
{
	int null;

	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1 ||
	    dup2(null, STDIN_FILENO) == -1 || dup2(null, STDOUT_FILENO) == -1 ||
	    dup2(control, CONTROL_FD) == -1 ||
	    syscall(SYS_close_range, CONTROL_FD + 1, ~0U,
		CLOSE_RANGE_CLOEXEC) == -1)
		_exit(STEP_FDS);
}

/*
 * Where root may: no network for the placer, whose sockets were inherited, and
 * nothing to write to for key holders.  Elsewhere (an ordinary user, a
 * container, a unit) their sandbox holds the same without it.
 */
static void
set_apart(enum proc p)
{
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY |
		    MOUNT_ATTR_NOSUID };

	(void)unshare(CLONE_NEWIPC);
	if (p == PROC_PLACER) {
		(void)unshare(CLONE_NEWNET);
		return;
	}
#ifndef COVERAGE
	/* What is mounted later is seen: it may hold credentials. */
	if (unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0)
		(void)mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &readonly,
		    sizeof(readonly));
#else
	(void)readonly;
#endif
}

static void
set_ids(uid_t uid)
{
	if (setgroups(0, NULL) == -1 || setresgid(uid, uid, uid) == -1 ||
	    setresuid(uid, uid, uid) == -1 || setresuid(0, 0, 0) != -1)
		_exit(STEP_IDS);
}

/* After the ids: their change clears the parent-death signal. */
static void
lock(pid_t parent)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct none[2] = { 0 };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1 ||
	    syscall(SYS_capset, &head, none) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		_exit(STEP_LOCK);
	if (getppid() != parent)
		_exit(0);
}

static void
reset_signals(void)
{
	sigset_t none;
	int i;

	for (i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * glibc's: what is freed is overwritten, at once and not when a cache is full.
 * A worker's JSON trees and texts hold tokens and what Secrets hold.
 */
static char wiping[] = "GLIBC_TUNABLES=glibc.malloc.perturb=165:"
		       "glibc.malloc.tcache_count=0";

/*
 * What makes all kubesides that we start one holder of a lease.  /proc, where
 * they could look who started them, may be hidden from them.
 */
static char *
who_we_are(void)
{
	static char who[WHO_SIZE];

	if (who[0] == '\0')
		(void)snprintf(who, sizeof(who),
		    SUPERVISOR_ENV "=%d-%08" PRIx32, (int)getpid(),
		    arc4random());
	return who;
}

static void
fill_env(enum proc p, char *env[ENV_MAX])
{
	size_t i, n = 0;
	char **e;

	for (i = 0; i < sizeof(inherited) / sizeof(inherited[0]); i++) {
		size_t len = strlen(inherited[i].name);

		if (inherited[i].to != p && inherited[i].to != PROC_COUNT)
			continue;
		for (e = environ; *e != NULL; e++)
			if (strncmp(*e, inherited[i].name, len) == 0 &&
			    (*e)[len] == '=' && n < ENV_MAX - 3)
				env[n++] = *e;
	}
	env[n++] = wiping;
	if (p == PROC_KUBESIDE)
		env[n++] = who_we_are();
	env[n] = NULL;
}

pid_t
spawn_worker(enum proc p, uid_t uid, int control_fd, struct why *why)
{
	AUTO_FD int control = control_fd, program = -1, high = -1;
	char name[16], *argv[] = { name, NULL }, *env[ENV_MAX];
	pid_t parent = getpid(), pid;

	(void)strncpy(name, proc_name(p), sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	fill_env(p, env);
	if ((program = open_program(p, why)) == -1)
		return -1;
	/* Out of the way of the descriptors that the worker gets. */
	if ((high = fcntl(program, F_DUPFD_CLOEXEC, 64)) == -1)
		return fail_code(why, ERR_SYSTEM, (uint32_t)errno, "dup: %s",
		    strerror(errno));
	if ((pid = fork()) == -1)
		return fail_code(why, ERR_SYSTEM, (uint32_t)errno, "fork: %s",
		    strerror(errno));
	if (pid > 0)
		return pid;
	reset_signals();
	(void)setsid();
	set_fds(control);
	if (uid != 0) {
		set_apart(p);
		set_ids(uid);
	}
	lock(parent);
	/* By descriptor: the worker's ids may not search the folder. */
	(void)fexecve(high, argv, env);
	_exit(STEP_EXEC);
}

void
spawn_signal(pid_t worker, uid_t uid, int sig)
{
	if (kill(worker, sig) == 0 || errno != EPERM || fork() != 0)
		return;
	/* As its own user; crew_reap() takes this child's end. */
	set_ids(uid);
	(void)kill(worker, sig);
	_exit(0);
}

const char *
spawn_failure(int wait_status)
{
	static const char *const texts[] = {
#define X(name, text) text,
		STEPS(X)
#undef X
	};
	int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 0;

	if (code <= STEP_BEFORE || code > STEP_EXEC)
		return NULL;
	return texts[code - STEP_BEFORE - 1];
}

void
spawn_end(int wait_status, char *text, size_t size)
{
	const char *failure = spawn_failure(wait_status);
	int sig = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;

	if (failure != NULL)
		(void)snprintf(text, size, "%s", failure);
	else if (sig != 0)
		(void)snprintf(text, size, "signal %d (%s)%s", sig,
		    strsignal(sig),
		    sig == SIGSYS ?
			", a call its sandbox forbids: see the kernel's log" :
			"");
	else
		(void)snprintf(text, size, "status %d",
		    WEXITSTATUS(wait_status));
}
