/* SPDX-License-Identifier: ISC */
/*
 * vkfctl: asks a running provider.
 *
 * Owns its command line and exit status.  Commands, columns and what they
 * mean are the placer's (placer/command.c).
 */
#include <sys/ioctl.h>

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/settings.h"
#include "common/utf8.h"
#include "common/xmem.h"
#include "vkfctl/follow.h"
#include "vkfctl/peer.h"
#include "vkfctl/table.h"

/* What was given on the command line, but for the words of the command. */
struct given {
	const char *socket, *node;
	struct table_style style;
	int follow, help, json, yes;
};

static void
usage(FILE *f)
{
	(void)fprintf(f,
	    "usage: vkfctl [-fhy] [-o json | bare] [-s socket] command "
	    "[argument]\n"
	    "vkfctl -h lists the commands that the provider has; vkfctl(8) "
	    "explains them\n");
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
show(const char *command, char *answer, const struct given *g)
{
	struct table *t;
	char *rows = strchr(answer, '\n'), *end;
	unsigned long n, lines = 0;
	struct why why;
	const char *c;

	if (rows == NULL)
		errx(EX_PROTOCOL, "the answer is cut off");
	*rows++ = '\0';
	utf8_plain(answer);
	if (strncmp(answer, "error ", 6) == 0)
		errx(EX_USAGE, "%s: %s", command, answer + 6);
	if (strncmp(answer, "none ", 5) == 0)
		errx(EX_NOINPUT, "%s: %s", command, answer + 5);
	n = strncmp(answer, "ok ", 3) == 0 ? strtoul(answer + 3, &end, 10) : 0;
	for (c = rows; *c != '\0'; c++)
		lines += *c == '\n';
	if (strncmp(answer, "ok ", 3) != 0 || *end != '\0' || n != lines)
		errx(EX_PROTOCOL, "the answer is cut off");
	t = table_new(stdout, g->style);
	if (g->json)
		print_json(rows, n);
	else if (table_print(t, rows, &why) == -1)
		errx(EX_PROTOCOL, "%s", why.text);
	table_free(t);
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
	char *answer = peer_ask(path, *request), *more;

	if (strncmp(answer, "ask ", 4) != 0)
		return answer;
	answer[strcspn(answer, "\n")] = '\0';
	utf8_plain(answer);
	if (!is_confirmed(answer + 4))
		errx(EX_NOPERM, "not confirmed, nothing is done");
	free(answer);
	more = xasprintf("yes %s", *request);
	free(*request);
	*request = more;
	return peer_ask(path, *request);
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
join(char *const *words, const struct given *g)
{
	char *line, *more;

	line = xasprintf("%s%s%s", g->yes ? "yes " : "",
	    g->follow ? "follow " : "", *words++);

	for (; *words != NULL; words++) {
		more = xasprintf("%s %s", line, *words);
		free(line);
		line = more;
	}
	if (strchr(line, '\n') != NULL ||
	    (g->node != NULL && strchr(g->node, '\n') != NULL))
		errx(EX_USAGE, "a newline in an argument");
	more = g->node != NULL ? xasprintf("%s --node %s\n", line, g->node) :
				 xasprintf("%s\n", line);
	free(line);
	return more;
}

/* COLUMNS, else the terminal's; 0: nobody looks at it. */
static size_t
screen_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;

	if (columns != NULL && *columns != '\0')
		return (size_t)strtoul(columns, NULL, 10);
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == -1)
		return 0;
	return size.ws_col;
}

static void
take_format(struct given *g, const char *format)
{
	g->json = strcmp(format, "json") == 0;
	g->style.bare = strcmp(format, "bare") == 0;
	if (!g->json && !g->style.bare)
		errx(EX_USAGE, "-o %s: must be json or bare", format);
}

static void
take_options(struct given *g, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "node", required_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "fho:s:y", options, NULL)) != -1)
		switch (ch) {
		case 'f':
			g->follow = 1;
			break;
		case 'h':
			g->help = 1;
			break;
		case 'n':
			g->node = optarg;
			break;
		case 'o':
			take_format(g, optarg);
			break;
		case 's':
			g->socket = optarg;
			break;
		case 'y':
			g->yes = 1;
			break;
		default:
			usage(stderr);
			exit(EX_USAGE);
		}
}

/* The commands that the provider has, when it answers. */
static int
help(const char *path, const struct given *g)
{
	const char *silent = peer_silent(path);
	AUTO_FREE char *answer = NULL;

	if (!g->json)
		usage(stdout);
	if (silent == NULL) {
		answer = peer_ask(path, "help\n");
		return show("help", answer, g);
	}
	(void)printf("%s: %s\n", path, silent);
	if (fflush(stdout) == EOF)
		err(EX_IOERR, "standard output");
	return EX_OK;
}

static int
run(const char *path, char *const *words, const struct given *g)
{
	AUTO_FREE char *request = join(words, g), *answer = NULL;

	answer = g->follow ? follow(path, request, g->json, g->style) :
			     ask_until_sure(path, &request);
	return show(*words, answer, g);
}

int
main(int argc, char *argv[])
{
	struct given g = { .style.width = screen_width() };
	struct settings set;
	const char *path;
	int rc;

	take_options(&g, argc, argv);
	if (optind >= argc && !g.help) {
		usage(stderr);
		return EX_USAGE;
	}
	if (optind + 1 == argc && strcmp(argv[optind], "help") == 0)
		g.help = 1;
	find_socket(&set, g.socket);
	path = set.text[SET_CONTROL_SOCKET];
	rc = g.help ? help(path, &g) : run(path, argv + optind, &g);
	settings_free(&set);
	return rc;
}
