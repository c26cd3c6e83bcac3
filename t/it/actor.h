/* SPDX-License-Identifier: ISC */
#ifndef T_IT_ACTOR_H
#define T_IT_ACTOR_H

/*
 * A worker that plays a part: well behaved, mad, deaf or foreign.  The part is
 * the first line of the file "part.NAME" beside its program ("good" without
 * one), so that a test can change it between two starts.
 */

#define PARTS(X)                                                    \
	X(good)	    /* does all that boot.c does */                 \
	X(foreign)  /* says HELLO as another build */               \
	X(liar)	    /* says HELLO as another worker */              \
	X(garbage)  /* sends no frames but noise */                 \
	X(giant)    /* sends the head of a frame of 4 GiB */        \
	X(forward)  /* sends what only another pair may exchange */ \
	X(early)    /* READY before HELLO */                        \
	X(badlog)   /* a LOG whose body is none */                  \
	X(flood)    /* 20,000 log lines, then as good */            \
	X(selfish)  /* asks for a link with itself */               \
	X(handsoff) /* closes its link and stays */                 \
	X(crash)    /* ends at once with status 3 */                \
	X(deaf)	    /* as good, but does not stop */

/* Plays NAME ("kubeside", ...); returns the exit status. */
int actor_main(const char *name);

#endif
