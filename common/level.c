/* SPDX-License-Identifier: ISC */
/*
 * level.c: the names of the log levels, as in LOG_LEVEL.
 */
#include "common/level.h"

#include <string.h>

static const char *const names[LOG_LEVEL_COUNT] = { "error", "warn", "info",
	"debug" };

const char *
level_name(uint32_t level)
{
	return names[level < LOG_LEVEL_COUNT ? level : LOG_LEVEL_DEBUG];
}

enum log_level
level_by_name(const char *name)
{
	enum log_level i;

	for (i = LOG_LEVEL_ERROR; i < LOG_LEVEL_COUNT; i++)
		if (strcmp(names[i], name) == 0)
			break;
	return i;
}
