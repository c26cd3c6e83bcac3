/* SPDX-License-Identifier: ISC */
#ifndef PLACER_COMMAND_H
#define PLACER_COMMAND_H

/*
 * What vkfctl(8) may ask, and the answers: a table of rows that the client
 * prints as it is.  Reads the world and the records, never changes them.
 *
 *	request	one line: the command's words with one blank between them
 *	answer	"ok N" and N lines, each a JSON object with the same members in
 *		the same order; or "error TEXT": no such request; or "none
 *		TEXT": what it names is not there
 */

#include "common/mono.h"
#include "placer/store.h"

#define ANSWER_ERROR "error"
#define ANSWER_NONE "none"

enum {
	COMMAND_MAX = 512, /* bytes of a request, its end included */
};

/* Where a request is answered from; all borrowed. */
struct command {
	const struct world *world;
	struct store *store;
	struct now now;
};

/* line: without its end.  Caller frees. */
char *command_answer(const struct command *, const char *line);

#endif
