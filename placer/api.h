/* SPDX-License-Identifier: ISC */
#ifndef PLACER_API_H
#define PLACER_API_H

/*
 * What the status page asks, answered in JSON with the rows that vkfctl(8) is
 * given (command.h); never an order.  Pure.
 *
 *	/api/status	about: now, ready ("yes", or what is missing), and how
 *			many devices are placeable, or why not
 *	/api/fleets
 *	/api/devices	?match=WORDS&only=WORD&from=N (window.h): at most
 *	/api/pods	API_ROWS; about: from, matched, all
 *	/api/explain	?pod=NAMESPACE/NAME or ?device=NAME
 *
 * {"rows":[...],"about":{...}}, or {"error":TEXT}.
 */

#include "placer/command.h"

enum {
	API_ROWS = 100, /* of one answer */
	API_OK = 200,
	API_BAD = 400,
	API_NONE = 404,
};

/* Of the query; NULL: it has none. */
struct api_query {
	const char *match, *only, *from, *pod, *device;
};

/* One of API_*; the text is the caller's. */
int api_answer(const struct world *, struct now, const char *path,
    const struct api_query *, char **text);

/* What is missing before the provider is ready, or NULL. */
const char *api_unready(const struct world *);

#endif
