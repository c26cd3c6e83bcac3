/* SPDX-License-Identifier: ISC */
/*
 * image.c: the full name of an image.
 *
 * Owns the completion of short names (github.com/distribution/reference):
 * Flightctl and podman take none without a host.  Never asks a registry.
 */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/quadlet.h"

static bool
all_of(const char *s, size_t len, const char *more, bool upper)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!islower((unsigned char)s[i]) &&
		    !isdigit((unsigned char)s[i]) &&
		    !(upper && isupper((unsigned char)s[i])) &&
		    strchr(more, s[i]) == NULL)
			return false;
	return len > 0;
}

/* "sha256:<hex>" */
static bool
is_digest(const char *s)
{
	size_t n = strcspn(s, ":");

	return s[n] == ':' && all_of(s, n, "+._-", true) &&
	    strlen(s + n + 1) >= 32 &&
	    s[n + 1 + strspn(s + n + 1, "0123456789abcdefABCDEF")] == '\0';
}

/* Components of a path: each begins and ends with a letter or a digit. */
static bool
is_path(const char *s, size_t len)
{
	size_t n;

	for (;; s += n + 1, len -= n + 1) {
		n = strcspn(s, "/");
		if (n > len)
			n = len;
		if (!all_of(s, n, "._-", false) ||
		    !isalnum((unsigned char)s[0]) ||
		    !isalnum((unsigned char)s[n - 1]))
			return false;
		if (n == len)
			return true;
	}
}

/* Length of the host before the first slash, 0: there is none. */
static size_t
host_of(const char *s)
{
	size_t n = strcspn(s, "/"), i;

	if (s[n] == '\0')
		return 0;
	if (n == strlen("localhost") && strncmp(s, "localhost", n) == 0)
		return n;
	for (i = 0; i < n; i++)
		if (s[i] == '.' || s[i] == ':' || isupper((unsigned char)s[i]))
			return n;
	return 0;
}

/* FNV-1a. */
uint64_t
quadlet_image_add(uint64_t h, const char *s)
{
	do {
		h = (h ^ (uint8_t)*s) * 0x100000001b3ULL;
	} while (*s++ != '\0');
	return h;
}

uint64_t
quadlet_image_id(const char *image)
{
	AUTO_FREE char *full = quadlet_image(image);

	return quadlet_image_add(QUADLET_IMAGES, full != NULL ? full : image);
}

char *
quadlet_image(const char *image)
{
	const char *digest = strchr(image, '@'), *tag = NULL, *path, *p;
	size_t end = digest == NULL ? strlen(image) : (size_t)(digest - image);
	size_t host = host_of(image), path_end = end;

	path = host > 0 ? image + host + 1 : image;
	for (p = path; p < image + end; p++)
		if (*p == ':') {
			tag = p + 1;
			path_end = (size_t)(p - image);
			break;
		}
	if (path >= image + path_end ||
	    !is_path(path, path_end - (size_t)(path - image)) ||
	    (host > 0 && !all_of(image, host, ".-:[]", true)) ||
	    (digest != NULL && !is_digest(digest + 1)))
		return NULL;
	if (tag != NULL &&
	    (!all_of(tag, end - path_end - 1, "._-", true) ||
		end - path_end - 1 > 128 || *tag == '.' || *tag == '-'))
		return NULL;
	return xasprintf("%s%s%s%s", host > 0 ? "" : "docker.io/",
	    host == 0 && strchr(image, '/') == NULL ? "library/" : "", image,
	    tag == NULL && digest == NULL ? ":latest" : "");
}
