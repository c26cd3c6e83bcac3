/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_SAID_H
#define T_UNIT_SAID_H

/* What this program logs as a warning or an error. */

/* From now on, and nothing yet; standard error sees no line any more. */
void said_start(void);
void said_stop(void);

/* Each line "TEXT" or "TEXT: ERROR", and its end. */
const char *said(void);

#endif
