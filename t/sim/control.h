/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_CONTROL_H
#define T_SIM_CONTROL_H

/*
 * A unix socket on which a simulator takes commands: one line in (words split
 * at blanks, "double quotes" keep them together), one line out: "ok ..." or
 * "error ...".  "help" lists the table.
 */

struct control;
struct evbuffer;
struct event_base;
struct why;

struct control_cmd {
	const char *name; /* NULL ends the table */
	int min, max;	  /* arguments after the name; max -1: any number */
	/* Writes its answer (one line, may be empty); -1: an error's text. */
	int (*fn)(int argc, char **argv, struct evbuffer *answer, void *arg);
	const char *usage; /* "NAME VALUE: what it does" */
};

/* The socket appears at path only when it already listens. */
struct control *control_new(struct event_base *, const char *path,
    const struct control_cmd *, void *arg, struct why *);
void control_free(struct control *); /* unlinks the path */

#endif
