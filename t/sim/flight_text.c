/* SPDX-License-Identifier: ISC */
/*
 * flight_text.c: times, base64, digests and globs of the simulators.
 *
 * Owns conversions between texts and values; knows nothing of devices.
 */
#include <fnmatch.h>
#include <json-c/json.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/xmem.h"
#include "t/sim/flight_json.h"

enum {
	US = 1000000
};

const char *
flight_time(char *buf, size_t size, int64_t us)
{
	struct tm tm;
	time_t s = us / US;
	size_t n;

	if (us < 0)
		return "0001-01-01T00:00:00Z";
	gmtime_r(&s, &tm);
	n = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	if (us % US != 0) {
		n += (size_t)snprintf(buf + n, size - n, ".%06d",
		    (int)(us % US));
		while (buf[n - 1] == '0')
			n--;
	}
	if (n + 2 > size)
		abort();
	buf[n] = 'Z';
	buf[n + 1] = '\0';
	return buf;
}

void
out_time(struct out *o, int64_t us)
{
	char buf[40];

	out_str(o, flight_time(buf, sizeof(buf), us));
}

int
flight_time_parse(const char *text, int64_t *us)
{
	struct tm tm = { 0 };
	const char *p;
	char *end;
	int64_t fraction = 0, scale = US / 10, offset = 0;
	long hours, minutes;

	if ((p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm)) == NULL)
		return -1;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, scale /= 10)
			fraction += (*p - '0') * scale;
	if (*p == '+' || *p == '-') {
		hours = strtol(p + 1, &end, 10);
		if (end != p + 3 || *end != ':')
			return -1;
		minutes = strtol(end + 1, &end, 10);
		if (end != p + 6 || *end != '\0')
			return -1;
		offset = (hours * 60 + minutes) * 60 * (*p == '+' ? 1 : -1);
	} else if (strcmp(p, "Z") != 0) {
		return -1;
	}
	*us = ((int64_t)timegm(&tm) - offset) * US + fraction;
	return 0;
}

char *
flight_base64(const void *p, size_t n)
{
	char *s = xmalloc(4 * ((n + 2) / 3) + 1);

	EVP_EncodeBlock((unsigned char *)s, p, (int)n);
	return s;
}

char *
flight_unbase64(const char *s, size_t n, size_t *len)
{
	unsigned char *p;
	int got;

	if (n % 4 != 0)
		return NULL;
	p = xmalloc(n / 4 * 3 + 1);
	got = EVP_DecodeBlock(p, (const unsigned char *)s, (int)n);
	if (got < 0) {
		free(p);
		return NULL;
	}
	if (n > 0 && s[n - 1] == '=')
		got--;
	if (n > 1 && s[n - 2] == '=')
		got--;
	p[got] = '\0';
	if (len != NULL)
		*len = (size_t)got;
	return (char *)p;
}

void
flight_sha256(struct span s, char hex[65])
{
	unsigned char md[32];
	unsigned int n, i;

	if (EVP_Digest(s.p, s.len, md, &n, EVP_sha256(), NULL) != 1)
		abort();
	for (i = 0; i < sizeof(md); i++)
		snprintf(hex + 2 * i, 3, "%02x", md[i]);
}

struct json_object *
flight_parse(struct span s)
{
	struct json_tokener *tok = json_tokener_new_ex(128);
	struct json_object *v;

	json_tokener_set_flags(tok,
	    JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8 |
		JSON_TOKENER_ALLOW_TRAILING_CHARS);
	v = json_tokener_parse_ex(tok, s.p, (int)s.len);
	if (json_tokener_get_error(tok) != json_tokener_success) {
		json_object_put(v);
		v = NULL;
	}
	json_tokener_free(tok);
	return v;
}

const char *
flight_get(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, json_type_string))
		return NULL;
	return json_object_get_string(v);
}

int
flight_glob(const char *pattern, const char *name)
{
	return fnmatch(pattern, name, 0) == 0;
}
