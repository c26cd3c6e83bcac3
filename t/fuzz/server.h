/* SPDX-License-Identifier: ISC */
#ifndef FUZZ_SERVER_H
#define FUZZ_SERVER_H

/*
 * The server behind common/https.h, which says what an input says: the calls
 * of https_send() and what follows it end here (ld --wrap), all else of the
 * client is real.  Time stands still unless everybody waits for it, and then
 * leaps (t/unit/leap.h).
 */

#include "common/span.h"

struct event_base;

/*
 * Answers the oldest call, or the one so many after it, or the oldest with this
 * in its path: a digit, if there is one, or what begins with a slash and ends
 * with a blank; then a row of answers[] in server.c, then its body; a stream is
 * given it in pieces, and for the first byte 1 in one so much that no item may
 * have it.  0: nobody asks.
 */
int server_answer(struct span record);

/*
 * Runs the loop: record by record goes to take() and, when that says 0, to who
 * asks for it, if somebody does after a few leaps.
 */
void server_play(struct event_base *, struct span input,
    int (*take)(struct span record, void *arg), void *arg);

#endif
