/* SPDX-License-Identifier: ISC */
#ifndef T_IT_SCREEN_H
#define T_IT_SCREEN_H

/* A program on a terminal: what it shows, and what a person types there. */

struct screen;

/* env: "NAME=value" more than ours, NULL at the end; NULL: none. */
struct screen *screen_open(const char *const argv[], const char *const env[]);

/*
 * 1: the words come after what was found before.  NULL: the program has gone.
 * 0: not in 20 s.
 */
int screen_shows(struct screen *, const char *words);

void screen_type(struct screen *, const char *keys);

/* All that it has shown. */
const char *screen_text(const struct screen *);

/* Waits for its end: its status, 128 and more by a signal. */
int screen_close(struct screen *);

#endif
