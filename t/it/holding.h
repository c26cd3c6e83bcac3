/* SPDX-License-Identifier: ISC */
#ifndef T_IT_HOLDING_H
#define T_IT_HOLDING_H

/*
 * What each of the provider's processes holds, round after round: memory,
 * descriptors, threads.
 */

#include <sys/types.h>

struct http;
struct provider;

enum holder {
	HOLDER_SUPERVISOR,
	HOLDER_KUBESIDE,
	HOLDER_FLIGHTSIDE,
	HOLDER_PLACER,
	HOLDERS,
};

enum {
	HOLDING_ROUNDS = 64,
	HOLDING_MEASURES = 5,
};

struct holding_book {
	unsigned int rounds;
	pid_t pid[HOLDERS][HOLDING_ROUNDS];
	/* -1: this user may not read it. */
	long is[HOLDERS][HOLDING_MEASURES][HOLDING_ROUNDS];
};

const char *holder_name(enum holder);

/* One more round, as it is now.  http: a client of the listener. */
void holding_note(struct holding_book *, const struct provider *,
    struct http *listener);

/*
 * One check of one that lived through all rounds: of each measure the least
 * of the second half is no more than the most of the first, and a little.
 */
void holding_judge(const struct holding_book *, enum holder);

#endif
