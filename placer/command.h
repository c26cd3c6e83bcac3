/* SPDX-License-Identifier: ISC */
#ifndef PLACER_COMMAND_H
#define PLACER_COMMAND_H

/*
 * What vkfctl(8) may ask, and the answers: a table of rows that the client
 * prints as it is.  Reads the world and the records, never changes them.
 *
 *	request	one line: the command's words with one blank between them
 *	answer	"ok N" and N lines, each a JSON object with the same members in
 *		the same order; or "error TEXT"
 */

#include "placer/store.h"

enum {
	COMMAND_MAX = 512, /* bytes of a request, its end included */
};

/* line: without its end.  Caller frees. */
char *command_answer(const struct world *, struct store *, const char *line);

/* An answer that is a refusal; caller frees. */
char *command_error(const char *text);

#endif
