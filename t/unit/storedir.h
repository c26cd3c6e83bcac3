/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_STOREDIR_H
#define T_UNIT_STOREDIR_H

/* A database in a folder that a test makes and removes. */

struct store;

extern char store_dir[];

void store_dir_make(void);
void store_dir_remove(void);

/* Opened as the placer does, after it was set aside or not. */
struct store *open_store(int aside);

/* What another program does to the file, nobody having it open. */
void exec_on(const char *sql);

#endif
