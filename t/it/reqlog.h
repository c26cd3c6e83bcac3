/* SPDX-License-Identifier: ISC */
#ifndef T_IT_REQLOG_H
#define T_IT_REQLOG_H

/*
 * One check: each line "METHOD TARGET" of that file (a simulator's "history")
 * is, whole, one of the expressions; NULL ends them.  No request, or no file,
 * fails it: nothing was looked at.
 */
void reqlog_judge(const char *file, const char *const *may, const char *what);

/* One check: the file is there, and has no request. */
void reqlog_is_empty(const char *file, const char *what);

/* How many requests of the log are of that expression. */
unsigned int reqlog_count(const char *file, const char *regex);

#endif
