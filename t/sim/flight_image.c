/* SPDX-License-Identifier: ISC */
/*
 * flight_image.c: image references as FLIGHT_IMAGE_RULE wants them.
 *
 * Owns that grammar, by hand: the rule's nested repetitions are slow.
 */
#include <ctype.h>
#include <string.h>

#include "t/sim/flight_quadlet.h"

static size_t
alnum_run(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]))
		n++;
	return n;
}

/* Host with an optional port, up to the first '/'. */
static const char *
skip_domain(const char *s)
{
	size_t n;

	for (;;) {
		if ((n = alnum_run(s)) == 0)
			return NULL;
		s += n;
		while (*s == '-') {
			s += strspn(s, "-");
			if ((n = alnum_run(s)) == 0)
				return NULL;
			s += n;
		}
		if (*s != '.')
			break;
		s++;
	}
	if (*s == ':') {
		if ((n = strspn(s + 1, "0123456789")) == 0)
			return NULL;
		s += 1 + n;
	}
	return *s == '/' ? s : NULL;
}

static const char *
skip_component(const char *s)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t n, gap;

	if ((n = strspn(s, word)) == 0)
		return NULL;
	for (;;) {
		s += n;
		gap = *s == '.' ? 1 :
		    *s == '_'	? (s[1] == '_' ? 2 : 1) :
				  strspn(s, "-");
		if (gap == 0)
			return s;
		if ((n = strspn(s + gap, word)) == 0)
			return NULL;
		s += gap;
	}
}

static const char *
skip_tag(const char *s)
{
	size_t n;

	if (!isalnum((unsigned char)*s) && *s != '_')
		return NULL;
	for (n = 1; isalnum((unsigned char)s[n]) ||
	     (s[n] != '\0' && strchr("_.-", s[n]) != NULL);
	     n++)
		continue;
	return n <= 128 ? s + n : NULL;
}

static const char *
skip_digest(const char *s)
{
	size_t n;

	for (;;) {
		if (!isalpha((unsigned char)*s))
			return NULL;
		s += alnum_run(s);
		if (*s == '\0' || strchr("-_+.", *s) == NULL)
			break;
		s++;
	}
	if (*s != ':')
		return NULL;
	n = strspn(s + 1, "0123456789abcdefABCDEF");
	return n >= 32 ? s + 1 + n : NULL;
}

int
flight_is_image(const char *s)
{
	if ((s = skip_domain(s)) == NULL)
		return 0;
	while (*s == '/')
		if ((s = skip_component(s + 1)) == NULL)
			return 0;
	if (*s == ':' && (s = skip_tag(s + 1)) == NULL)
		return 0;
	if (*s == '@' && (s = skip_digest(s + 1)) == NULL)
		return 0;
	return *s == '\0';
}
