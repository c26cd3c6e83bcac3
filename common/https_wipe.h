/* SPDX-License-Identifier: ISC */
#ifndef COMMON_HTTPS_WIPE_H
#define COMMON_HTTPS_WIPE_H

/*
 * Allocation for libcurl and OpenSSL.  It wipes what it frees: both leave
 * copies of the Authorization header behind otherwise.  It never fails, as
 * xmem.h: what OpenSSL could not make once, it may be without until the
 * process ends, and then no connection works.
 */

#include <stddef.h>

void wipe_free(void *); /* NULL allowed */
void *wipe_realloc(void *, size_t);

/* Before anything of OpenSSL has run; later it has no effect there. */
void wipe_openssl(void);

#endif
