/* SPDX-License-Identifier: ISC */
#ifndef T_IT_VKFCTL_H
#define T_IT_VKFCTL_H

/*
 * One check: vkfctl, with these words (NULL ends them) and JSON as its answer,
 * asked of the provider of that run, ends with that status and says `want`.
 */
void vkfctl_says(const char *run, const char *const words[], int status,
    const char *want);

/* The same, again and again until it ends with that status, within ms. */
void vkfctl_comes_to(const char *run, const char *const words[], int status,
    int ms);

#endif
