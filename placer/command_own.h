/* SPDX-License-Identifier: ISC */
#ifndef PLACER_COMMAND_OWN_H
#define PLACER_COMMAND_OWN_H

/* What the files command*.c share. */

#include "placer/answer.h"
#include "placer/command.h"

struct told_line;

/* What an argument names, for who completes it. */
enum named {
	NAMED_NOTHING,
	NAMED_DEVICE,
	NAMED_HELD, /* a device that is drained or given up */
	NAMED_POD,
	NAMED_POD_OR_DEVICE,
	NAMED_NODE,
	NAMED_RETIRED, /* a node */
	NAMED_FORMER,  /* a node that is not served */
	NAMED_FLEET,
	NAMED_LEVEL, /* of the log */
};

/* One request. */
struct asked {
	const struct command *from;
	const char *argument; /* "" where it has none */
	struct answer to;
	const char *none; /* there is no such thing: which */
	int failed;	  /* the database could not be read */
};

void command_put(struct asked *, struct json_object *row);
const char *command_yes_no(int);

/* command_status.c */
void command_status(struct asked *);

/* command_told.c */
void command_events(struct asked *);

/* command_names.c: a row each command, which is a name, argument and text. */
void command_help_row(struct asked *, const char *command, const char *argument,
    const char *text);

/*
 * The words that may follow what was typed, which is the argument: those of
 * one command, and the names that its argument may be.
 */
void command_complete(struct asked *, const char *command, enum named,
    const char **last);

#endif
