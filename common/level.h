/* SPDX-License-Identifier: ISC */
#ifndef COMMON_LEVEL_H
#define COMMON_LEVEL_H

/* How much is logged, the gravest first; each level has those before it. */

#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR = 0,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_COUNT
};

/* One that there is not counts as the last. */
const char *level_name(uint32_t level);

/* LOG_LEVEL_COUNT: no such level. */
enum log_level level_by_name(const char *);

#endif
