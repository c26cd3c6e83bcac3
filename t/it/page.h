/* SPDX-License-Identifier: ISC */
#ifndef T_IT_PAGE_H
#define T_IT_PAGE_H

/* What a manual page says is typed, and seen: its literal displays.  Pure. */

#include <stddef.h>

struct page_step {
	char *title;   /* the first line of it */
	char *command; /* as a shell takes it, perhaps of several lines */
	char *output;  /* lines, each with its newline */
};

/*
 * The steps of an mdoc source: in each display a line that begins with "$ ",
 * those that begin with "> " after it, and what is seen.  How many; page_free()
 * frees them.
 */
size_t page_steps(const char *mdoc, struct page_step **);
void page_free(struct page_step *, size_t);

/*
 * 1: what was seen is what the page says.  Runs of blanks are alike, empty
 * lines are none; "..." stands for some characters or none, a line of it for
 * some lines or none.
 */
int page_agrees(const char *says, const char *seen);

#endif
