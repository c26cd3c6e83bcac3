/* SPDX-License-Identifier: ISC */
#ifndef PLACER_ORDERS_H
#define PLACER_ORDERS_H

/*
 * What a person orders (vkfctl(8)), taken into the world: what intake.h is for
 * the key holders.  Each order holds until it is taken back or done with,
 * survives a restart, and may be given again.  Pure.
 */

#include "placer/effects.h"
#include "placer/world.h"

/*	name, word, its argument, what it does, for people */
#define ORDERS(X)                                                            \
	X(DRAIN, "drain", "the name of a device",                            \
	    "empty a device: no new pods, those there are evicted")          \
	X(GIVE_UP, "give-up",                                                \
	    "NAMESPACE/NAME of a pod or the name of a device",               \
	    "a pod, or all of a device that never comes back, runs no more") \
	X(PURGE, "purge", "the name of a node",                              \
	    "take off what is left of a node that is not served any more")   \
	X(RELEASE_BRAKE, "release-brake", "at most the name of a fleet",     \
	    "let the clocks of devices that went silent together run on")    \
	X(RETIRE, "retire", "the name of a node",                            \
	    "empty a node that is to end")                                   \
	X(UNDRAIN, "undrain", "the name of a device",                        \
	    "a device that was drained or given up takes pods again")        \
	X(UNRETIRE, "unretire", "the name of a node",                        \
	    "a node that was retired takes pods again")

enum order_kind {
#define X(name, word, argument, does) ORDER_##name,
	ORDERS(X)
#undef X
	ORDER_COUNT
};

struct order {
	enum order_kind kind;
	const char *name; /* "": none */
	uint32_t uid;	  /* of who gives it */
};

enum order_verdict {
	ORDER_DOES,    /* something: what the text says */
	ORDER_ALREADY, /* nothing: it holds already */
	ORDER_REFUSED, /* it must not be done, the text says why */
	ORDER_NOTHING, /* what it names is not there */
};

/* What the order would do now. */
enum order_verdict orders_weigh(const struct world *, const struct order *,
    struct now, char text[MAX_TEXT]);

/* Does it if it does something; the same verdict and text. */
enum order_verdict orders_take(struct world *, const struct order *, struct now,
    struct effects *, char text[MAX_TEXT]);

/* The device's turn: orders that are done with end. */
void orders_look(struct world *, struct wdevice *, struct effects *);

/* Is what it names a pod?  To give up: else it is a device. */
int orders_of_pod(const struct order *);

/* Does any order hold for it? */
int orders_hold(const struct wdevice *);

const char *orders_word(enum order_kind);
const char *orders_argument(enum order_kind); /* what it wants, in words */
const char *orders_does(enum order_kind);

#endif
