/* SPDX-License-Identifier: ISC */
#ifndef PLACER_COMMAND_H
#define PLACER_COMMAND_H

/*
 * What vkfctl(8) may ask, and the answers: a table of rows that the client
 * prints as it is.  Reads the world and the records; what changes them is an
 * order, which goes the way of any event (orders.h).
 *
 *	request	one line: the command's words with one blank between them; an
 *		order is only carried out with "yes" before it
 *	answer	"ok N" and N lines, each a JSON object with the same members in
 *		the same order; or "ask TEXT": what the order would do; or
 *		"error TEXT": no such request, or a refused order; or "none
 *		TEXT": what it names is not there
 *	stream	with "follow" before it, of those that can be followed: "more",
 *		then rows as they come.  "." says that there is nothing new: the
 *		first ends what was there already, others come at least each
 *		ANSWER_BEAT_MS.  "end TEXT" is the last line.
 */

#include "common/level.h"
#include "common/mono.h"
#include "placer/orders.h"
#include "placer/store.h"
#include "placer/window.h"

#define ANSWER_ASK "ask"
#define ANSWER_ERROR "error"
#define ANSWER_NONE "none"
#define ANSWER_MORE "more"
#define ANSWER_BEAT "."
#define ANSWER_END "end"

enum {
	COMMAND_MAX = 512, /* bytes of a request, its end included */
	ANSWER_BEAT_MS = 5000,
};

/* Where a request is answered from; all borrowed. */
struct command {
	const struct world *world;
	struct store *store;
	struct now now;
	uint32_t uid;	       /* of who asks */
	struct window *window; /* of devices and pods; NULL: all, by name */
	enum order_verdict (
	    *order)(void *, const struct order *, char text[MAX_TEXT]);
	/* By uid; -1: nobody was told. */
	int (*log_level)(enum log_level, uint32_t uid);
	void *arg;
};

/* line: without its end.  Caller frees. */
char *command_answer(const struct command *, const char *line);

/*
 * The same, but for a request that follows: *follows is 1, what was told until
 * now is the answer, and each command_told() more of it.
 */
char *command_follow(const struct command *, const char *line, int *follows);

/* A line of told.h as a row with its end; caller frees. */
struct told_line;
char *command_told(const struct told_line *);

#endif
