/* SPDX-License-Identifier: ISC */
#ifndef T_SEATS_H
#define T_SEATS_H

/*
 * What the placer's database says of pods, read without the placer's code from
 * a copy: of one that is running, or that died in the middle of a transaction,
 * nothing is touched.
 */

struct seat {
	const char *uid, *pod; /* pod: "NAMESPACE/NAME" */
	const char *node, *app;
	const char *device; /* "": none */
	int sent, retreating;
};

/*
 * Calls fn for each seat of dir/placer.db, copied to the file copy and its
 * -wal.  How many there are, 0: no database; -1: *why, the caller's.
 */
int seats_read(const char *dir, const char *copy,
    void (*fn)(const struct seat *, void *), void *arg, char **why);

#endif
