/* SPDX-License-Identifier: ISC */
#ifndef T_IT_VIEWS_H
#define T_IT_VIEWS_H

/*
 * Three views of the same pods: the apiserver's (bound to a node of ours), the
 * devices' (applications with our mark) and the placer's (its database).  What
 * one of them has and another has not, without a word why, is a drift.
 */

struct views_of {
	const char *fleets; /* FLEET_ID */
	const char *node;   /* NODE_NAME, NULL: by the fleets */
	const char *dir; /* STATE_DIR of one that has ended; NULL: not asked */
};

/*
 * Each drift by name, a line each, "": there is none; caller frees.  *said:
 * how many of what were compared, the caller's.
 */
char *views_drift(const struct views_of *, char **said);

/* Waits until nothing drifts, at most ms; both servers must answer. */
void views_settle(const struct views_of *, int ms);

#endif
