/* SPDX-License-Identifier: ISC */
#ifndef T_IT_ASKED_H
#define T_IT_ASKED_H

/*
 * What the provider's account asked of an apiserver, by the server's audit log
 * (t/real/kube), and which rights granted it.
 */

#include <stddef.h>

struct json_object;
struct rights;

/* Of one right. */
struct use {
	size_t allowed;
	int known; /* allowed since the apiserver was started last */
};

struct asked {
	const struct rights *granted;
	struct use *uses; /* in the order of the rights */
	size_t calls;
	size_t lives; /* of the apiserver */
	size_t cut;   /* lines that are none */
	size_t early; /* refused before that right was granted first */
	/* Sets, text to how often: what no right grants, not even if it was
	 * allowed; and what one grants and was refused nevertheless. */
	struct json_object *foreign, *refused;
};

/* The rights stay the caller's, and as they are. */
void asked_begin(struct asked *, const struct rights *granted);
void asked_line(struct asked *, const char *line);
void asked_clear(struct asked *);

#endif
