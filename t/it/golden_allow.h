/* SPDX-License-Identifier: ISC */
#ifndef T_IT_GOLDEN_ALLOW_H
#define T_IT_GOLDEN_ALLOW_H

/*
 * The table of allowed differences: recording (glob), where (glob), what,
 * reason; separated by tabs.  Every row has to be needed.
 */

struct golden_allow;

struct golden_allow *golden_allow_read(const char *path); /* dies */
void golden_allow_free(struct golden_allow *);
int golden_allowed(struct golden_allow *, const char *recording,
    const char *where, const char *what);
/* One failed check for each row that nothing needed. */
void golden_allow_check(const struct golden_allow *);

#endif
