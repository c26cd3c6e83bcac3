/* SPDX-License-Identifier: ISC */
/*
 * it.c: the frame of a scenario program.
 *
 * Owns the guard (parent) that outlives the scenario (child), the counts that
 * both see, and the temporary folder.  Knows nothing of servers and pods.
 */
#include "t/it/it.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/auto.h"
#include "common/xmem.h"

enum {
	TAIL_LINES = 60,
	END_MS = 8000, /* a provider may take 5 s to stop */
};

/* Seen by both processes. */
struct counts {
	unsigned int passed, failed, skipped;
};

static const char *name;
static char folder[PATH_MAX];
static struct counts *counts;

int64_t
it_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
it_pause(int ms)
{
	poll(NULL, 0, ms);
}

const char *
it_name(void)
{
	return name;
}

const char *
it_folder(void)
{
	return folder;
}

unsigned int
it_failed(void)
{
	return counts->failed;
}

static void __attribute__((format(printf, 2, 0)))
judge(int ok, const char *fmt, va_list ap)
{
	fputs(ok ? "ok " : "not ok ", stdout);
	vprintf(fmt, ap);
	if (ok)
		counts->passed++;
	else
		counts->failed++;
}

int
it_ok(int ok, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	judge(ok, fmt, ap);
	va_end(ap);
	puts("");
	return ok;
}

int
it_took(int64_t since_ms, int ok, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	judge(ok, fmt, ap);
	va_end(ap);
	printf(" (%.2f s)\n", (double)(it_ms() - since_ms) / 1000);
	return ok;
}

void
it_skip(const char *fmt, ...)
{
	va_list ap;

	fputs("skipped: ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	puts("");
	counts->skipped++;
}

void
it_say(const char *fmt, ...)
{
	va_list ap;

	fputs("   ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	puts("");
}

void
it_die(const char *fmt, ...)
{
	va_list ap;

	fputs("not ok cannot go on: ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	puts("");
	counts->failed++;
	_exit(1);
}

char *
it_file(const char *path, size_t *len)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO_FREE char *p = NULL;
	size_t n = 0, cap = 0;
	ssize_t got;

	if (fd == -1)
		return NULL;
	do {
		if (cap - n < 4097) {
			cap = cap * 2 + 8192;
			p = xreallocarray(p, cap, 1);
		}
		if ((got = read(fd, p + n, cap - n - 1)) == -1)
			return NULL;
		n += (size_t)got;
	} while (got > 0);
	p[n] = '\0';
	if (len != NULL)
		*len = n;
	return steal(&p);
}

char *
it_file_after(const char *path, const char *words)
{
	AUTO_FREE char *text = it_file(path, NULL);
	const char *at = text == NULL ? NULL : strstr(text, words);

	if (at == NULL)
		return NULL;
	at += strlen(words);
	return xstrndup(at, strcspn(at, "\n"));
}

void
it_write(const char *path, const char *text)
{
	FILE *fp = fopen(path, "we");

	if (fp == NULL || fputs(text, fp) == EOF || fclose(fp) == EOF)
		it_die("%s: cannot be written", path);
}

unsigned int
it_seed(void)
{
	const char *given = getenv("IT_SEED");
	unsigned int seed = given != NULL ?
	    (unsigned int)strtoul(given, NULL, 10) :
	    (unsigned int)it_ms();

	it_say("IT_SEED=%u", seed);
	return seed;
}

int
it_listen(uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(at);

	if (fd == -1 || bind(fd, (struct sockaddr *)&at, len) == -1 ||
	    listen(fd, SOMAXCONN) == -1 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) == -1)
		it_die("no port to listen at: %s", strerror(errno));
	*port = ntohs(at.sin_port);
	return fd;
}

/* --- the guard ----------------------------------------------------------- */

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	if (remove(path) == -1 && errno != ENOENT)
		warn("%s", path);
	return 0;
}

/* A browser has some of its own, which have numbers. */
static int
is_log(const struct stat *st, int type, const char *file)
{
	size_t len = strlen(file);

	return type == FTW_F && st->st_size > 0 && len > 4 &&
	    (*file < '0' || *file > '9') && strcmp(file + len - 4, ".log") == 0;
}

static void
copy_to_logs(const char *file, const char *text, size_t len)
{
	const char *dir = getenv("IT_DIR");
	AUTO_FREE char *path = NULL;
	AUTO_FD int fd = -1;

	if (dir == NULL)
		return;
	path = xasprintf("%s/%s.%s", dir, name, file);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd == -1 || write(fd, text, len) != (ssize_t)len)
		warn("%s", path);
}

/* The end of each log in the folder, for the reader of a failure. */
static int
show_log(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *file = path + ftw->base, *at;
	AUTO_FREE char *text = NULL;
	size_t len;
	int lines = 0;

	if (!is_log(st, type, file) || (text = it_file(path, &len)) == NULL)
		return 0;
	for (at = text + len; at > text && lines <= TAIL_LINES; at--)
		lines += at[-1] == '\n';
	if (at > text)
		at++;
	printf("--- the end of %s\n%s", file, at);
	copy_to_logs(file, text, len);
	return 0;
}

/* The scenario's children, and theirs, are ours when it is gone. */
static void
end_orphans(void)
{
	AUTO_FREE char *path =
	    xasprintf("/proc/self/task/%d/children", getpid());
	int64_t deadline = it_ms() + END_MS;
	int signal_no = SIGTERM;
	pid_t pid;

	for (;;) {
		AUTO_FREE char *list = it_file(path, NULL);
		char *p = list, *end;

		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
		if (list == NULL || *list == '\0')
			return;
		if (it_ms() > deadline)
			signal_no = SIGKILL;
		while ((pid = (pid_t)strtol(p, &end, 10)) > 0) {
			kill(pid, signal_no);
			p = end;
		}
		it_pause(50);
	}
}

static void
wait_for_scenario(pid_t pid, const sigset_t *set)
{
	int status = 0, sig;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (sigwait(set, &sig) != 0 || sig == SIGCHLD)
			continue;
		kill(pid, SIGKILL);
		counts->failed++;
		printf("not ok ended by signal %d\n", sig);
		waitpid(pid, NULL, 0);
		return;
	}
	if (WIFSIGNALED(status)) {
		counts->failed++;
		printf("not ok the scenario died of signal %d\n",
		    WTERMSIG(status));
	} else if (WEXITSTATUS(status) != 0 && counts->failed == 0) {
		counts->failed++;
		printf("not ok the scenario ended with status %d\n",
		    WEXITSTATUS(status));
	}
}

static void
make_folder(void)
{
	const char *tmp = getenv("TMPDIR");
	int n;

	n = snprintf(folder, sizeof(folder), "%s/vk-it.XXXXXX",
	    tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
	if (n < 0 || (size_t)n >= sizeof(folder) || mkdtemp(folder) == NULL)
		err(1, "%s", folder);
	/* the workers have other ids and their files in it */
	if (chmod(folder, 0711) == -1)
		err(1, "%s", folder);
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		err(1, "mmap");
}

static void
finish(void)
{
	if (counts->failed > 0)
		nftw(folder, show_log, 16, FTW_PHYS);
	if (getenv("IT_KEEP") != NULL)
		printf("kept: %s\n", folder);
	else
		nftw(folder, remove_one, 16, FTW_PHYS | FTW_DEPTH);
	printf("%u passed, %u failed", counts->passed, counts->failed);
	if (counts->skipped > 0)
		printf(", %u skipped", counts->skipped);
	puts("");
}

int
it_run(const char *scenario_name, void (*scenario)(void))
{
	sigset_t set, before;
	pid_t pid;

	name = scenario_name;
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &before);
	make_folder();
	if (getenv("IT_WORLD") == NULL) /* a real server outlives us */
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigprocmask(SIG_SETMASK, &before, NULL);
		signal(SIGPIPE, SIG_IGN);
		scenario();
		fflush(stdout);
		_exit(0);
	}
	wait_for_scenario(pid, &set);
	end_orphans();
	finish();
	return counts->failed > 0 ? 1 : 0;
}
