/* SPDX-License-Identifier: ISC */
#ifndef COMMON_SCAN_H
#define COMMON_SCAN_H

/*
 * Cuts items out of JSON without understanding them, so that bytes go on as
 * they came: the elements of "items" of a list answer, or the objects of a
 * watch stream (scan.c); and raw members out of one object (scan_get.c).
 * Pure: no allocation but its own buffer, no I/O.
 */

#include <stddef.h>
#include <sys/types.h>

#include "common/span.h"
#include "common/why.h"

struct scan;

enum scan_shape {
	SCAN_LIST,   /* one object; elements of its array "items" are items;
			the other members together are the rest */
	SCAN_OBJECTS /* objects one after another, each an item */
};

enum {
	SCAN_HEAD = 4096, /* of an oversize item */
};

struct scan_ops {
	/*
	 * One whole item, gone when it returns; -1 with *why ends the scan.
	 * Its brackets and quotes balance; whether it is JSON inside is for
	 * scan_is_valid() to say, so that one bad item spoils no other.
	 */
	int (*item)(struct span, void *, struct why *);
	/*
	 * An item over item_max bytes, when it has ended: its first SCAN_HEAD
	 * bytes, for scan_head_string(); the scan goes on.
	 */
	int (*oversize)(struct span head, void *, struct why *);
};

/* ops are copied. */
struct scan *scan_new(enum scan_shape, size_t item_max, const struct scan_ops *,
    void *arg);
void scan_free(struct scan *);

/* ERR_FORMAT with the byte offset for what is not JSON of that shape. */
int scan_feed(struct scan *, struct span, struct why *);

/* No more bytes: ERR_FORMAT when an item or the list is not complete. */
int scan_end(struct scan *, struct why *);

/*
 * SCAN_LIST, after scan_end(): the outer object without "items", for
 * metadata.continue and metadata.resourceVersion.  Borrowed until scan_free.
 */
struct span scan_rest(const struct scan *);

/*
 * The raw value at a path of member names ("metadata", "labels", NULL) in one
 * object.  1: found (quotes of a string included), 0: a member is absent, -1:
 * malformed, or a member on the way occurs twice.
 */
int scan_get(struct span object, struct span *value, ...)
    __attribute__((sentinel));

/* As scan_get, for a string: unescaped into buf; -1 also when it is no
 * string, holds a NUL or does not fit. */
int scan_get_string(struct span object, char *buf, size_t size, ...)
    __attribute__((sentinel));

/*
 * As scan_get_string, in the first bytes of an object that goes on beyond
 * them: the first such member.
 */
int scan_head_string(struct span head, char *buf, size_t size, ...)
    __attribute__((sentinel));

/*
 * Next element of a raw array.  *at starts as 0.  1: *element set, 0: end,
 * -1: malformed.
 */
int scan_next(struct span array, size_t *at, struct span *element);

/* As scan_next, for the members of a raw object; the key has its quotes. */
int scan_member(struct span object, size_t *at, struct span *key,
    struct span *value);

/*
 * A raw string (with its quotes) unescaped into buf and NUL-terminated; size
 * string.len always suffices.  Its length, or -1: no string, a NUL in it, half
 * a surrogate pair, or it does not fit.
 */
ssize_t scan_unescape(struct span string, char *buf, size_t size);

/* A raw string with that content. */
int scan_string_is(struct span string, const char *word);

/* Well-formed JSON of exactly one value, at most MAX_JSON_DEPTH deep. */
int scan_is_valid(struct span);

#endif
