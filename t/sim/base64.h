/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_BASE64_H
#define T_SIM_BASE64_H

/* Base64 of strings; results are the caller's. */

#include <stddef.h>

char *base64(const void *, size_t);
/* The URL alphabet without padding, as continue tokens are written. */
char *base64_url(const char *);
/* NUL-terminated; NULL when it is not base64. */
char *base64_url_decode(const char *);

#endif
