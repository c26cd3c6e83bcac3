/* SPDX-License-Identifier: ISC */
#ifndef COMMON_ORIGIN_H
#define COMMON_ORIGIN_H

/* Where an image comes from, held against IMAGE_REGISTRIES.  Pure. */

#include "common/span.h"

/*
 * 1: the list (words separated by commas) is empty, or one of its words is the
 * image's registry, or begins its repository and ends where a part of the path
 * does, or the repository.  A port belongs to the registry: "quay.io" is not
 * "quay.io:5000".  The image has its registry; no part of its path is empty or
 * begins with a dot, else 0.
 */
int origin_is_of(const char *list, struct span image);

#endif
