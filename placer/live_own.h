/* SPDX-License-Identifier: ISC */
#ifndef PLACER_LIVE_OWN_H
#define PLACER_LIVE_OWN_H

/* What live*.c share. */

#include "placer/live.h"

/* To be told as the reason why files stay as they are, once. */
void live_complain(struct wlive *, const char *text);

/* What is in a Secret does not stay. */
void live_drop_files(struct wlive *);
void live_drop_old(struct wlive *);

/* May its new files be tried now, beside those that are? */
int live_may_try(const struct wpod *);

/* A device is to be read, so that what it has can be put back. */
int live_wants_old(const struct wpod *);

#endif
