/* SPDX-License-Identifier: ISC */
#ifndef T_IT_BROWSER_H
#define T_IT_BROWSER_H

/*
 * One page in a headless Chromium, driven over its debugging pipe.  What its
 * console tells and what it asks of other servers is counted.
 */

struct browser;

/* 1: this machine has one. */
int browser_is_there(void);

/*
 * Starts it with an empty profile in the scenario's folder.  origin: the one
 * that may be asked, "http://127.0.0.1:10255".  Dies when it does not start.
 */
struct browser *browser_open(const char *origin);
/* Ends it, too; NULL allowed. */
void browser_close(struct browser *);

/* Loads that path of the origin, until all of it is there. */
void browser_go(struct browser *, const char *path);

/* The value of an expression, as text; caller frees. */
char *browser_text(struct browser *, const char *js);
/* 1: it is true. */
int browser_is(struct browser *, const char *js);
/* The same, looked at after every change of the document, for ms at most. */
int browser_await(struct browser *, const char *js, int ms);

/* What a person does: size of the window, colours, keys, no scripts. */
void browser_size(struct browser *, int width, int height);
void browser_dark(struct browser *, int on);
void browser_key(struct browser *, const char *key); /* "Enter", "Escape" */
void browser_scripts(struct browser *, int on);

/*
 * So far: errors and warnings that the console tells, CSP violations and
 * exceptions among them, without those of servers that do not answer; and
 * requests of another origin.  Each is printed.
 */
unsigned int browser_complaints(const struct browser *);
unsigned int browser_strangers(const struct browser *);

#endif
