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
#include <string.h>
#include <unistd.h>

#include "common/xmem.h"

struct secret {
	size_t mapped;
	size_t len;
	unsigned int owners;
	char bytes[];
};

struct secret *
secret_join(const char *before, struct span s)
{
	size_t head = strlen(before);
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size;
	struct secret *x;

	size = (sizeof(*x) + head + s.len + 1 + page - 1) / page * page;
	x = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (x == MAP_FAILED)
		xmem_none();
	(void)mlock(x, size);
	if (madvise(x, size, MADV_DONTDUMP) == -1 ||
	    madvise(x, size, MADV_WIPEONFORK) == -1)
		abort();
	x->mapped = size;
	x->len = head + s.len;
	x->owners = 1;
	memcpy(x->bytes, before, head);
	if (s.len > 0)
		memcpy(x->bytes + head, s.p, s.len);
	return x; /* zeroes follow */
}

struct secret *
secret_new(struct span s)
{
	return secret_join("", s);
}

struct secret *
secret_share(struct secret *x)
{
	if (x != NULL)
		x->owners++;
	return x;
}

struct span
secret_bytes(const struct secret *x)
{
	return (struct span){ x->bytes, x->len };
}

char *
secret_text(struct secret *x)
{
	return x->bytes;
}

void
secret_free(struct secret *x)
{
	size_t size;

	if (x == NULL || --x->owners > 0)
		return;
	size = x->mapped;
	explicit_bzero(x, size);
	(void)munmap(x, size);
}
