/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

/* base64 (RFC 4648, with padding) to bytes.  Pure. */

#include <stddef.h>

/*
 * The bytes and, behind them, a NUL; caller frees.  *len is how many there
 * are.  NULL: it is no base64.
 */
char *base64_decode(const char *, size_t *len);

/* Whether the bytes that base64_decode() gave are UTF-8 without a NUL. */
int base64_is_text(const char *, size_t len);

#endif
