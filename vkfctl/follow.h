/* SPDX-License-Identifier: ISC */
#ifndef VKFCTL_FOLLOW_H
#define VKFCTL_FOLLOW_H

#include "vkfctl/table.h"

/*
 * Prints rows as they come, json: an object a line.  Returns only the first
 * line of an answer that does not go on, with its newline, the caller's; ends
 * this program when the provider ends the other kind.
 */
char *follow(const char *path, const char *request, int json,
    struct table_style);

#endif
