/* SPDX-License-Identifier: ISC */
#ifndef T_IT_KUBECTL_H
#define T_IT_KUBECTL_H

/*
 * kubectl of the real servers, as an administrator: with words, separated by
 * blanks; one check that it ends well.
 */
void kubectl(const char *, ...) __attribute__((format(printf, 1, 2)));

/* Its exit status, and what it says; caller frees. */
int kubectl_says(const char *line, char **out);

#endif
