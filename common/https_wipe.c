/* SPDX-License-Identifier: ISC */
/*
 * https_wipe.c: memory of libcurl and OpenSSL is there, and zeroed when freed.
 *
 * Owns nothing.  Never used for our own structures, which are wiped where
 * they hold a secret and only there.
 */
#include "common/https_wipe.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"

enum {
	KEYS_SIZE = 1024 * 1024, /* each connection has its own; not used up */
	KEYS_LEAST = 32,
};

void
wipe_free(void *p)
{
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void *
wipe_realloc(void *p, size_t size)
{
	void *q;
	size_t old;

	if (p == NULL)
		return xmalloc(size);
	old = malloc_usable_size(p);
	if (size <= old && size >= old / 2)
		return p;
	q = xmalloc(size);
	memcpy(q, p, old < size ? old : size);
	wipe_free(p);
	return q;
}

static void *
crypto_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return xmalloc(size);
}

static void *
crypto_realloc(void *p, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return wipe_realloc(p, size);
}

static void
crypto_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	wipe_free(p);
}

void
wipe_openssl(void)
{
	CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free);
	/* Where private keys are; where nothing can be locked, it is not. */
	(void)CRYPTO_secure_malloc_init(KEYS_SIZE, KEYS_LEAST);
}
