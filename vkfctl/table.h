/* SPDX-License-Identifier: ISC */
#ifndef VKFCTL_TABLE_H
#define VKFCTL_TABLE_H

/*
 * The answer's rows as aligned columns: member names in capitals, then a line
 * each row; "-" for what is empty.  Pure but for the stream.
 */

#include <stdio.h>

#include "common/why.h"

/* rows: n lines, each a JSON object.  -1 with *why. */
int table_print(FILE *, const char *rows, size_t n, struct why *);

#endif
