/* SPDX-License-Identifier: ISC */
#ifndef PLACER_EDIT_H
#define PLACER_EDIT_H

/*
 * What one CHANGE does to a device, as the JSON of body.def, from the entries
 * of the pods that are queued.  Pure.
 */

#include "placer/world.h"

struct edit;

struct edit *edit_new(const struct wdevice *);
void edit_free(struct edit *);

/*
 * entry: a line with the application, a line for each config entry.  Config
 * entries of the application that it does not name any more are cut.  -1: the
 * edit would grow over MAX_EDIT; nothing was added.
 */
int edit_set(struct edit *, const char *app, const char *entry);
int edit_cut(struct edit *, const char *app);

/* Config entries alone, a line for each; the application stays as it is. */
int edit_files(struct edit *, const char *files);

/* The entry with these in place of its own of the same names; the caller's. */
char *edit_renew(const char *entry, const char *files);

/*
 * The entry of an application as it stands in a Device that was read, for
 * when nothing is remembered of it.  The caller's; NULL: not there, or not in
 * one line each.
 */
char *edit_recover(struct span device, const char *app);

/* The JSON text; the caller's. */
char *edit_text(const struct edit *);

#endif
