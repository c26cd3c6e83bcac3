/* SPDX-License-Identifier: ISC */
/*
 * base64.c: base64 for continue tokens and kubeconfigs (pure).
 */

#include "t/sim/base64.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/auto.h"
#include "common/xmem.h"

char *
base64(const void *data, size_t len)
{
	char *s = xmalloc((len + 2) / 3 * 4 + 1);

	EVP_EncodeBlock((unsigned char *)s, data, (int)len);
	return s;
}

char *
base64_url(const char *text)
{
	char *s = base64(text, strlen(text)), *p;

	for (p = s; *p != '\0' && *p != '='; p++) {
		if (*p == '+')
			*p = '-';
		else if (*p == '/')
			*p = '_';
	}
	*p = '\0';
	return s;
}

char *
base64_url_decode(const char *text)
{
	size_t n = strlen(text), pad = (4 - n % 4) % 4, i;
	AUTO_FREE char *s = xmalloc(n + pad + 1);
	char *out = xcalloc((n + pad) / 4 * 3 + 1, 1);
	int len;

	for (i = 0; i < n + pad; i++)
		s[i] = (char)(i >= n   ? '=' :
			text[i] == '-' ? '+' :
			text[i] == '_' ? '/' :
					 text[i]);
	s[n + pad] = '\0';
	len = EVP_DecodeBlock((unsigned char *)out, (unsigned char *)s,
	    (int)(n + pad));
	if (len < 0) {
		free(out);
		return NULL;
	}
	out[(size_t)len - pad] = '\0';
	return out;
}
