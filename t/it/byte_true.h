/* SPDX-License-Identifier: ISC */
#ifndef T_IT_BYTE_TRUE_H
#define T_IT_BYTE_TRUE_H

/*
 * Holds every write of a device in the record of the proxy (tap.h) against the
 * read whose resourceVersion it carries: what is not ours has the same bytes,
 * and there is no member that does not belong in a write.
 */

#include <stddef.h>

struct byte_true {
	size_t writes;	  /* PUTs of a device */
	size_t accepted;  /* with 200 */
	size_t overtaken; /* with 409: another writer was first */
	size_t wrong;	  /* each with a line that says what; the first few */
};

struct byte_true byte_true_look(void);

#endif
