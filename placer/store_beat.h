/* SPDX-License-Identifier: ISC */
#ifndef PLACER_STORE_BEAT_H
#define PLACER_STORE_BEAT_H

/* Calls fn() before each sync of a database's file; NULL: nobody. */
void store_beat(void (*fn)(void));

/* The VFS to open it by, NULL: SQLite's usual one. */
const char *store_beat_vfs(void);

#endif
