/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_LEAP_H
#define T_UNIT_LEAP_H

/*
 * Clocks of this program that leap: what a loop of libevent would wait for
 * comes at once, when nothing else is ready for some milliseconds.
 */

/* From now on, or no more; they never go back. */
void leap(int on);

/*
 * The same for a loop that waits for nothing but its own timers and ends of
 * its own; when it is over the clocks go back.
 */
void leap_at_once(int on);

#endif
