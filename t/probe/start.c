/* SPDX-License-Identifier: ISC */
/*
 * start.c: stands in the supervisor's folder under a worker's name and becomes
 * that worker, with probe.so.
 *
 * The folder has, beside this program: real/NAME, probe.so, and probe.env with
 * one NAME=value a line.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LINE_MAX_BYTES = 512,
	NO_PROGRAM = 127,
};

int
main(int argc, char *argv[])
{
	char self[PATH_MAX - 64], path[PATH_MAX], line[LINE_MAX_BYTES];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;
	FILE *f;

	(void)argc;
	self[len < 0 ? 0 : len] = '\0';
	if ((slash = strrchr(self, '/')) == NULL)
		return NO_PROGRAM;
	*slash = '\0';
	(void)snprintf(path, sizeof(path), "%s/probe.env", self);
	if ((f = fopen(path, "re")) == NULL)
		return NO_PROGRAM;
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (putenv(strdup(line)) != 0)
			return NO_PROGRAM;
	}
	(void)fclose(f);
	(void)snprintf(path, sizeof(path), "%s/probe.so", self);
	(void)setenv("LD_PRELOAD", path, 1);
	(void)snprintf(path, sizeof(path), "%s/real/%s", self, argv[0]);
	(void)execv(path, argv);
	return NO_PROGRAM;
}
