/* SPDX-License-Identifier: ISC */
/*
 * simctl: one command to a simulator's control socket, its answer on stdout.
 *	simctl [--wait SECONDS] SOCKET COMMAND...
 * Exit 0: answered "ok", 1: answered "error" or not at all, 64: usage.
 */

#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int
try_connect(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path))
		errx(1, "%s: path too long", path);
	strcpy(sun.sun_path, path);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		err(1, "socket");
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The socket is renamed into its folder when it can be connected to. */
static int
connect_by(const char *path, int64_t deadline)
{
	AUTO_FREE char *copy = xstrdup(path);
	AUTO_FD int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct pollfd pfd = { .fd = watch, .events = POLLIN };
	char events[4096];
	int fd;
	int64_t left;

	if (watch == -1 ||
	    inotify_add_watch(watch, dirname(copy), IN_MOVED_TO) == -1)
		err(1, "%s", copy);
	while ((fd = try_connect(path)) == -1) {
		left = deadline - now_ms();
		if (left <= 0 || poll(&pfd, 1, (int)left) == 0)
			errx(1, "%s: nobody answers", path);
		while (read(watch, events, sizeof(events)) > 0)
			continue;
	}
	return fd;
}

static int
ask(int fd, int argc, char **argv)
{
	AUTO_FREE char *answer = NULL;
	size_t cap = 0;
	FILE *fp = fdopen(fd, "r+");
	int i;

	if (fp == NULL)
		err(1, "fdopen");
	for (i = 0; i < argc; i++)
		fprintf(fp,
		    argv[i][strcspn(argv[i], " \t")] != '\0' ||
			    argv[i][0] == '\0' ?
			"%s\"%s\"" :
			"%s%s",
		    i == 0 ? "" : " ", argv[i]);
	fputc('\n', fp);
	if (fflush(fp) == EOF || getline(&answer, &cap, fp) == -1)
		errx(1, "no answer");
	fputs(answer, stdout);
	fclose(fp);
	return strncmp(answer, "ok", 2) == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	int64_t deadline = now_ms();

	if (argc > 2 && strcmp(argv[1], "--wait") == 0) {
		deadline += strtol(argv[2], NULL, 10) * 1000;
		argc -= 2;
		argv += 2;
	}
	if (argc < 3) {
		fputs("usage: simctl [--wait SECONDS] SOCKET COMMAND...\n",
		    stderr);
		return 64;
	}
	return ask(connect_by(argv[1], deadline), argc - 2, argv + 2);
}
