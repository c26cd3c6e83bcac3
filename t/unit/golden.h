/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_GOLDEN_H
#define T_UNIT_GOLDEN_H

/* The text of t/golden/FOLDER/NAME; caller frees; NULL: there is none. */
char *golden_read(const char *folder, const char *name);

#endif
