/* SPDX-License-Identifier: ISC */
#ifndef PLACER_SAID_H
#define PLACER_SAID_H

/*
 * What a device says of a version that it cannot apply, as far as it tells
 * whose fault it is: `While Preparing: prefetch failed for IMAGE: ...`,
 * `1/2 images complete, pending: IMAGE`; an application's name, too, may stand
 * there, or the path of one of its files (`While ApplyingUpdate: config failed
 * for ...PATH: ...`); long names are cut to their last 64 bytes.  Pure.
 */

#include "placer/world.h"

/* It is fetching what a version wants, or waits for its time to apply it. */
int said_fetching(const struct device *);

/* The words of a version that failed or is being fetched, else NULL. */
const char *said_words(const struct device *);

/* The words, which may be NULL, or that it took too long. */
const char *said_or_late(const char *words);

/* Do the words name the pod's application or one of its images? */
int said_names(const char *words, const struct wpod *);

/* The kubelet's reason for the same, a literal; words may be NULL. */
const char *said_reason(const char *words);

#endif
