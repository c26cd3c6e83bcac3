/* SPDX-License-Identifier: ISC */
/*
 * base64.c: decodes what Kubernetes keeps in Secrets and binaryData.
 */
#include "common/base64.h"

#include <stdint.h>
#include <string.h>

#include "common/auto.h"
#include "common/utf8.h"
#include "common/xmem.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "abcdefghijklmnopqrstuvwxyz0123456789+/";

char *
base64_decode(const char *s, size_t *len)
{
	size_t n = strlen(s), i, pad = 0;
	AUTO_FREE char *out = NULL;
	const char *at;
	uint32_t group = 0;

	if (n % 4 != 0)
		return NULL;
	out = xmalloc(n / 4 * 3 + 1);
	while (pad < 2 && pad < n && s[n - 1 - pad] == '=')
		pad++;
	*len = 0;
	for (i = 0; i < n; i++) {
		at = i >= n - pad ? letters : strchr(letters, s[i]);
		if (at == NULL)
			return NULL;
		group = group << 6 | (uint32_t)(at - letters);
		if (i % 4 != 3)
			continue;
		out[(*len)++] = (char)(group >> 16);
		out[(*len)++] = (char)(group >> 8);
		out[(*len)++] = (char)group;
	}
	*len -= pad;
	out[*len] = '\0';
	return steal(&out);
}

int
base64_is_text(const char *bytes, size_t len)
{
	const unsigned char *s = (const unsigned char *)bytes;
	size_t n;

	if (strlen(bytes) != len)
		return 0;
	for (; *s != '\0'; s += n)
		if ((n = utf8_len(s)) == 0)
			return 0;
	return 1;
}
