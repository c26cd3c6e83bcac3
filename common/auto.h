/* SPDX-License-Identifier: ISC */
#ifndef COMMON_AUTO_H
#define COMMON_AUTO_H

/*
 * Local resources that free themselves when their scope ends.  Declare at the
 * top, initialise with NULL or -1, hand over with steal(&p).
 */

#include <stdlib.h>
#include <unistd.h>

static inline void
auto_free_(void *p)
{
	free(*(void **)p);
}

static inline void
auto_close_(const int *fd)
{
	if (*fd != -1)
		close(*fd);
}

#define AUTO_FREE __attribute__((cleanup(auto_free_)))
#define AUTO_FD __attribute__((cleanup(auto_close_)))

/* The pointer, leaving NULL in its place. */
#define steal(pp)                       \
	({                              \
		__auto_type p_ = *(pp); \
		*(pp) = NULL;           \
		p_;                     \
	})

#endif
