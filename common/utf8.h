/* SPDX-License-Identifier: ISC */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

/* UTF-8 (RFC 3629).  Pure. */

#include <stddef.h>

/* Bytes of the well-formed sequence at s, which a NUL ends; 0: none is. */
size_t utf8_len(const unsigned char *s);

#endif
