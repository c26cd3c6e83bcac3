/* SPDX-License-Identifier: ISC */
/*
 * screen.c: a program on a terminal.
 */
#include "t/it/screen.h"

#include <sys/wait.h>

#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/xmem.h"
#include "t/it/it.h"

enum {
	WAIT_MS = 20000,
	COLUMNS = 200,
	LINES = 50,
};

struct screen {
	int fd;
	pid_t pid;
	char text[65536];
	size_t len;
	size_t seen; /* found so far */
};

struct screen *
screen_open(const char *const argv[], const char *const env[])
{
	static const struct winsize size = { LINES, COLUMNS, 0, 0 };
	struct winsize is = size;
	struct screen *s = xcalloc(1, sizeof(*s));

	if ((s->pid = forkpty(&s->fd, NULL, NULL, &is)) == -1)
		it_die("no terminal");
	if (s->pid > 0)
		return s;
	for (; env != NULL && *env != NULL; env++)
		(void)putenv(xstrdup(*env));
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* 0: nothing more comes in time, or the other side has gone (*gone is 1). */
static int
read_more(struct screen *s, int *gone)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLIN };
	ssize_t n;

	if (poll(&pfd, 1, WAIT_MS) != 1)
		return 0;
	if (s->len == sizeof(s->text) - 1)
		it_die("too much on the screen");
	n = read(s->fd, s->text + s->len, sizeof(s->text) - 1 - s->len);
	*gone = n <= 0; /* EIO: nobody has the terminal any more */
	if (n > 0)
		s->len += (size_t)n;
	s->text[s->len] = '\0';
	return n > 0;
}

int
screen_shows(struct screen *s, const char *words)
{
	const char *at;
	int gone = 0;

	for (;;) {
		at = words != NULL ? strstr(s->text + s->seen, words) : NULL;
		if (at != NULL) {
			s->seen = (size_t)(at - s->text) + strlen(words);
			return 1;
		}
		if (!read_more(s, &gone))
			return words == NULL && gone;
	}
}

void
screen_type(struct screen *s, const char *keys)
{
	size_t len = strlen(keys);

	if (write(s->fd, keys, len) != (ssize_t)len)
		it_die("no keys");
}

const char *
screen_text(const struct screen *s)
{
	return s->text;
}

int
screen_close(struct screen *s)
{
	int status;

	if (!screen_shows(s, NULL))
		it_die("it does not end: %s", s->text);
	close(s->fd);
	if (waitpid(s->pid, &status, 0) != s->pid)
		it_die("it is lost");
	free(s);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}
