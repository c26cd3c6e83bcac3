/* SPDX-License-Identifier: ISC */
/*
 * child.c: the programs of a scenario.
 *
 * Owns fork and exec.  Each child dies with us; what it started in turn is
 * ended by it, or by the guard of it.c.
 */
#include "t/it/child.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/it.h"

enum {
	PATIENCE_MS = 6000,
	ARGS_MAX = 32,
};

static void
become(const char *const argv[], char *const env[], int out, pid_t parent)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char *words[ARGS_MAX + 1] = { 0 };
	size_t n;

	for (n = 0; n < ARGS_MAX && argv[n] != NULL; n++)
		words[n] = xstrdup(argv[n]);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	signal(SIGPIPE, SIG_DFL);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	if (env == NULL)
		env = environ;
	execvpe(words[0], words, env);
	dprintf(STDERR_FILENO, "%s: cannot be executed\n", words[0]);
	_exit(127);
}

static pid_t
start(const char *const argv[], char *const env[], int out)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == -1)
		it_die("fork failed");
	if (pid == 0)
		become(argv, env, out, parent);
	return pid;
}

pid_t
child_start(const char *const argv[], char *const env[], const char *log)
{
	AUTO_FD int out =
	    open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (out == -1)
		it_die("%s: cannot be written", log);
	return start(argv, env, out);
}

pid_t
child_start_apart(const char *const argv[], const char *log, int spaces)
{
	AUTO_FD int out =
	    open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	pid_t pid;

	if (out == -1)
		it_die("%s: cannot be written", log);
	/* As fork(2) does it; whoever is first in a namespace has parent 0. */
	pid = (pid_t)syscall(SYS_clone, SIGCHLD | spaces, 0, 0, 0, 0);
	if (pid == -1)
		it_die("no namespaces");
	if (pid == 0)
		become(argv, NULL, out, 0);
	return pid;
}

int
child_wait(pid_t pid, int ms)
{
	AUTO_FD int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int status = 0;

	if (fd == -1)
		it_die("process %d is not ours", (int)pid);
	if (poll(&pfd, 1, ms) < 1)
		return -1;
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

void
child_end(pid_t pid)
{
	kill(pid, SIGTERM);
	if (child_wait(pid, PATIENCE_MS) != -1)
		return;
	kill(pid, SIGKILL);
	child_wait(pid, PATIENCE_MS);
}

int
child_run(const char *const argv[], char **out)
{
	AUTO_FREE char *path = xasprintf("%s/run.out", it_folder());
	AUTO_FD int fd =
	    open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int status;

	if (fd == -1)
		it_die("%s: %s", path, strerror(errno));
	status = child_wait(start(argv, NULL, fd), -1);
	if (out != NULL && (*out = it_file(path, NULL)) == NULL)
		it_die("%s: cannot be read", path);
	return status;
}

/* Our program is build/V/t/it/NAME. */
static char *
up(int folders)
{
	char self[PATH_MAX], *slash;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[len < 0 ? 0 : len] = '\0';
	while (folders-- > 0 && (slash = strrchr(self, '/')) != NULL)
		*slash = '\0';
	return xstrdup(self);
}

char *
child_program(const char *name)
{
	AUTO_FREE char *build = up(3);

	return xasprintf("%s/bin/%s", build, name);
}

char *
child_source(const char *path)
{
	const char *root = getenv("IT_ROOT");
	AUTO_FREE char *cwd = NULL;

	if (root != NULL)
		return xasprintf("%s/%s", root, path);
	if ((cwd = getcwd(NULL, 0)) == NULL)
		it_die("getcwd failed");
	return xasprintf("%s/%s", cwd, path);
}

/*
 * proc(5), stat: the fourth word; the second may have blanks, in brackets.
 * -1: it has ended.
 */
static pid_t
parent_of(const char *pid)
{
	AUTO_FREE char *path = xasprintf("/proc/%s/stat", pid);
	AUTO_FREE char *stat = it_file(path, NULL);
	const char *at = stat != NULL ? strrchr(stat, ')') : NULL;
	long parent;
	char state;

	return at != NULL && sscanf(at, ") %c %ld", &state, &parent) == 2 &&
		state != 'Z' ?
	    (pid_t)parent :
	    -1;
}

/*
 * All processes are looked at: the list of children that the kernel has ready
 * lacks some while another of them ends.
 */
size_t
child_list(pid_t pid, pid_t *pids, size_t max)
{
	DIR *dir = opendir("/proc");
	const struct dirent *e;
	size_t n = 0;

	if (dir == NULL)
		it_die("/proc cannot be read");
	while (n < max && (e = readdir(dir)) != NULL)
		if (*e->d_name >= '1' && *e->d_name <= '9' &&
		    parent_of(e->d_name) == pid)
			pids[n++] = (pid_t)strtol(e->d_name, NULL, 10);
	closedir(dir);
	return n;
}

void
child_name(pid_t pid, char *buf, size_t size)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/comm", (int)pid);
	AUTO_FREE char *text = it_file(path, NULL);
	size_t len = text == NULL ? 0 : strcspn(text, "\n");

	if (len >= size)
		len = size - 1;
	if (len > 0)
		memcpy(buf, text, len);
	buf[len] = '\0';
}
