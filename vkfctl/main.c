/* SPDX-License-Identifier: ISC */
/*
 * vkfctl: asks a running provider.
 *
 * Owns its command line and exit status.  Commands, columns and what they
 * mean are the placer's (placer/command.c).
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/settings.h"
#include "common/xmem.h"
#include "vkfctl/table.h"

enum {
	ANSWER_MAX = 64 * 1024 * 1024,
	STEP = 65536,
	WAIT_SECONDS = 15, /* the provider gives 10 */
};

static void
usage(FILE *f)
{
	(void)fprintf(f,
	    "usage: vkfctl [-hy] [-o json] [-s socket] command [argument]\n"
	    "questions: devices, explain device NAME, explain pod "
	    "NAMESPACE/NAME,\n"
	    "\tfleets, pods, records, status\n"
	    "orders: drain DEVICE, give-up NAMESPACE/NAME, release-brake "
	    "[FLEET],\n"
	    "\tretire DEVICE, undrain DEVICE\n");
}

static int
open_socket(const char *path)
{
	static const struct timeval wait = { WAIT_SECONDS, 0 };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path))
		errx(EX_USAGE, "%s: too long for a socket's path", path);
	memcpy(sun.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == -1)
		err(EX_OSERR, "socket");
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	if (errno == EACCES || errno == EPERM)
		err(EX_NOPERM,
		    "%s: only root, the provider's user and CONTROL_GROUP "
		    "may ask",
		    path);
	err(EX_UNAVAILABLE,
	    "%s: is the provider running, with this CONTROL_SOCKET?", path);
}

/* Until the other side closes; the caller frees. */
static char *
read_all(int fd, const char *path)
{
	size_t len = 0, size = 0;
	char *text = NULL;
	ssize_t n;

	for (;;) {
		if (size - len < STEP + 1) {
			size += size + STEP + 1;
			text = xreallocarray(text, size, 1);
		}
		n = recv(fd, text + len, STEP, 0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			err(EX_UNAVAILABLE, "%s: no answer", path);
		if (n == 0)
			break;
		if ((len += (size_t)n) > ANSWER_MAX)
			errx(EX_PROTOCOL, "%s: the answer is too long", path);
	}
	text[len] = '\0';
	return text;
}

static char *
ask(const char *path, const char *request)
{
	size_t len = strlen(request);
	AUTO_FD int fd = -1;

	fd = open_socket(path);
	if (send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		err(EX_UNAVAILABLE, "%s", path);
	return read_all(fd, path);
}

/* An array, a row a line. */
static void
print_json(const char *rows, size_t n)
{
	size_t i, len;

	(void)printf("[");
	for (i = 0; i < n; i++, rows += len + 1) {
		len = strcspn(rows, "\n");
		(void)printf("%s%.*s", i == 0 ? "\n" : ",\n", (int)len, rows);
	}
	(void)printf("\n]\n");
}

static int
show(const char *command, char *answer, int json)
{
	char *rows = strchr(answer, '\n'), *end;
	unsigned long n, lines = 0;
	struct why why;
	const char *c;

	if (rows == NULL)
		errx(EX_PROTOCOL, "the answer is cut off");
	*rows++ = '\0';
	if (strncmp(answer, "error ", 6) == 0)
		errx(EX_USAGE, "%s: %s", command, answer + 6);
	if (strncmp(answer, "none ", 5) == 0)
		errx(EX_NOINPUT, "%s: %s", command, answer + 5);
	n = strncmp(answer, "ok ", 3) == 0 ? strtoul(answer + 3, &end, 10) : 0;
	for (c = rows; *c != '\0'; c++)
		lines += *c == '\n';
	if (strncmp(answer, "ok ", 3) != 0 || *end != '\0' || n != lines)
		errx(EX_PROTOCOL, "the answer is cut off");
	if (json)
		print_json(rows, n);
	else if (table_print(stdout, rows, n, &why) == -1)
		errx(EX_PROTOCOL, "%s", why.text);
	if (fflush(stdout) == EOF)
		err(EX_IOERR, "standard output");
	return EX_OK;
}

/* Only on a terminal, so that no script waits for one. */
static int
is_confirmed(const char *text)
{
	char *line = NULL;
	size_t size = 0;
	int yes;

	if (!isatty(STDIN_FILENO))
		errx(EX_USAGE, "%s: -y confirms it", text);
	(void)fprintf(stderr, "%s. Sure? [y/N] ", text);
	yes = getline(&line, &size, stdin) > 0 &&
	    (strcmp(line, "y\n") == 0 || strcmp(line, "yes\n") == 0);
	free(line);
	return yes;
}

/* The placer says what an order would do; it is given again, confirmed. */
static char *
ask_until_sure(const char *path, char **request)
{
	char *answer = ask(path, *request), *more;

	if (strncmp(answer, "ask ", 4) != 0)
		return answer;
	answer[strcspn(answer, "\n")] = '\0';
	if (!is_confirmed(answer + 4))
		errx(EX_NOPERM, "not confirmed, nothing is done");
	free(answer);
	more = xasprintf("yes %s", *request);
	free(*request);
	*request = more;
	return ask(path, *request);
}

/* -s, else CONTROL_SOCKET, else the provider's default. */
static void
find_socket(struct settings *set, const char *given)
{
	struct why why;

	settings_init(set);
	if (given == NULL)
		given = getenv("CONTROL_SOCKET");
	if (given != NULL &&
	    settings_set(set, SET_CONTROL_SOCKET, given, &why) == -1)
		errx(EX_USAGE, "%s", why.text);
}

/* The words as the one line that they are for the placer. */
static char *
join(char *const *words, int yes)
{
	char *line, *more;

	line = xasprintf("%s%s", yes ? "yes " : "", *words++);

	for (; *words != NULL; words++) {
		more = xasprintf("%s %s", line, *words);
		free(line);
		line = more;
	}
	if (strchr(line, '\n') != NULL)
		errx(EX_USAGE, "a newline in an argument");
	more = xasprintf("%s\n", line);
	free(line);
	return more;
}

int
main(int argc, char *argv[])
{
	AUTO_FREE char *request = NULL, *answer = NULL;
	const char *given = NULL;
	struct settings set;
	int ch, json = 0, yes = 0, rc;

	while ((ch = getopt(argc, argv, "ho:s:y")) != -1)
		switch (ch) {
		case 'h':
			usage(stdout);
			return EX_OK;
		case 'o':
			if (strcmp(optarg, "json") != 0)
				errx(EX_USAGE, "-o %s: must be json", optarg);
			json = 1;
			break;
		case 's':
			given = optarg;
			break;
		case 'y':
			yes = 1;
			break;
		default:
			usage(stderr);
			return EX_USAGE;
		}
	if (optind >= argc) {
		usage(stderr);
		return EX_USAGE;
	}
	find_socket(&set, given);
	request = join(argv + optind, yes);
	answer = ask_until_sure(set.text[SET_CONTROL_SOCKET], &request);
	rc = show(argv[optind], answer, json);
	settings_free(&set);
	return rc;
}
