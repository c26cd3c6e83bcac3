/* SPDX-License-Identifier: ISC */
/*
 * secret.c: locked, wiped bytes.
 *
 * Owns the pages.  Locking may fail (RLIMIT_MEMLOCK) and is then done without;
 * keeping them out of core dumps and of forked children may not.
 */
#include "common/secret.h"

#include <sys/mman.h>

#include <stdlib.h>
#include <unistd.h>

struct secret {
	size_t mapped;
	size_t len;
	char bytes[];
};

struct secret *
secret_new(struct span s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size;
	struct secret *x;

	size = (sizeof(*x) + s.len + page - 1) / page * page;
	x = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (x == MAP_FAILED)
		abort();
	(void)mlock(x, size);
	if (madvise(x, size, MADV_DONTDUMP) == -1 ||
	    madvise(x, size, MADV_WIPEONFORK) == -1)
		abort();
	x->mapped = size;
	x->len = s.len;
	if (s.len > 0)
		memcpy(x->bytes, s.p, s.len);
	return x;
}

struct span
secret_bytes(const struct secret *x)
{
	return (struct span){ x->bytes, x->len };
}

void
secret_free(struct secret *x)
{
	size_t size;

	if (x == NULL)
		return;
	size = x->mapped;
	explicit_bzero(x, size);
	(void)munmap(x, size);
}
