/* SPDX-License-Identifier: ISC */
/* said.c: a log that a test reads.  Owns the lines. */
#include "t/unit/said.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "ipc/msg.h"

static char lines[16 * 1024];
static size_t len;

static void
on_line(const struct body_log *line, void *arg)
{
	(void)arg;
	if (line->level > LOG_LEVEL_WARN)
		return;
	len += (size_t)snprintf(lines + len, sizeof(lines) - len, "%s%s%s\n",
	    line->text, line->error[0] == '\0' ? "" : ": ", line->error);
	if (len >= sizeof(lines))
		abort();
}

void
said_start(void)
{
	lines[len = 0] = '\0';
	log_set_level(LOG_LEVEL_WARN);
	log_set_sink(on_line, NULL);
}

void
said_stop(void)
{
	log_set_sink(NULL, NULL);
}

const char *
said(void)
{
	return lines;
}
