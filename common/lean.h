/* SPDX-License-Identifier: ISC */
#ifndef COMMON_LEAN_H
#define COMMON_LEAN_H

/*
 * Gives back what a worker needs only while it works: free heap, and pages of
 * library code, which come back from the page cache by themselves.  Of the
 * process as a whole.
 */

struct event_base;

/* From now on; the first time soon after the start. */
void lean_start(struct event_base *);

/* Work was done: when some seconds pass without more, it is given back. */
void lean_work(void);

#endif
