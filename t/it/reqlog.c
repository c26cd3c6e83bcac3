/* SPDX-License-Identifier: ISC */
/* reqlog.c: a simulator's log of requests against a table. */
#include "t/it/reqlog.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/it.h"

static int
is_among(const char *line, const char *const *may)
{
	int hit = 0;

	for (; *may != NULL && !hit; may++) {
		AUTO_FREE char *whole = xasprintf("^(%s)$", *may);
		regex_t re;

		if (regcomp(&re, whole, REG_EXTENDED | REG_NOSUB) != 0)
			it_die("%s: no expression", whole);
		hit = regexec(&re, line, 0, NULL, 0) == 0;
		regfree(&re);
	}
	return hit;
}

void
reqlog_judge(const char *file, const char *const *may, const char *what)
{
	AUTO_FREE char *text = it_file(file, NULL);
	unsigned int n = 0, bad = 0;
	char *line, *rest = text;

	while (text != NULL && (line = strsep(&rest, "\n")) != NULL) {
		if (*line == '\0')
			continue;
		n++;
		if (is_among(line, may))
			continue;
		if (bad++ < 10)
			it_say("%.200s", line);
	}
	it_ok(n > 0 && bad == 0, "%s: %u requests, %u not of the table", what,
	    n, bad);
}

void
reqlog_is_empty(const char *file, const char *what)
{
	AUTO_FREE char *text = it_file(file, NULL);

	if (text != NULL && *text != '\0')
		it_say("%.200s", text);
	it_ok(text != NULL && *text == '\0', "%s: no request", what);
}

unsigned int
reqlog_count(const char *file, const char *regex)
{
	const char *const one[] = { regex, NULL };
	AUTO_FREE char *text = it_file(file, NULL);
	char *line, *rest = text;
	unsigned int n = 0;

	while (text != NULL && (line = strsep(&rest, "\n")) != NULL)
		n += *line != '\0' && is_among(line, one);
	return n;
}
