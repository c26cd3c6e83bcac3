/* SPDX-License-Identifier: ISC */
#ifndef PLACER_PAGE_H
#define PLACER_PAGE_H

/* The status page's files, as they are in the sources.  Pure. */

#include "common/span.h"

struct page {
	const char *path, *type;
	struct span bytes;
};

/* 0: *page is the file of that path; -1: there is none. */
int page_find(const char *path, struct page *);

#endif
