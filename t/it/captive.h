/* SPDX-License-Identifier: ISC */
#ifndef T_IT_CAPTIVE_H
#define T_IT_CAPTIVE_H

/*
 * A captured worker: starts as the real one does, then does to its links what
 * the last line of the file "orders" beside its program says:
 *	N taken T	all bodies that decode, to every peer of its links; of
 *			messages of type T alone, 0: of all
 *	N refuse I	the I-th frame (bend.h) that the peers must refuse
 *	N lie I		the same, to the supervisor
 *	N talk		all that decodes, to the supervisor
 *	N flood		each message of its own many times
 *	N half		a frame that never ends, to every peer
 *	N descriptor	a descriptor beside a frame that has none
 *	N early		a frame before HELLO, on the next link
 * N counts.  Each end is a line "captive N how" of the log.  The file "lore"
 * has lines NAME=VALUE, what a captured worker may know.
 */

/* Plays NAME ("kubeside", ...); returns the exit status. */
int captive_main(const char *name);

#endif
