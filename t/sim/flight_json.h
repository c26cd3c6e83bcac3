/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_JSON_H
#define T_SIM_FLIGHT_JSON_H

/*
 * JSON as the Flightctl service writes it.  Typed parts come from Go's
 * encoder (members in the order of the structs); applications and config
 * entries have been through a jsonb column (members by length, then bytes).
 * Both escape '<', '>', '&' and U+2028/9.  Pure.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/span.h"

struct json_object;

/* A growing text with the commas put in.  Zero is empty. */
struct out {
	char *p; /* NUL-terminated once something was written */
	size_t len, size;
	int comma; /* the next value wants one in front */
};

void out_free(struct out *);
/* The text, which is then the caller's; "" when nothing was written. */
char *out_take(struct out *);

void out_open(struct out *, char bracket);  /* '{' or '[' */
void out_close(struct out *, char bracket); /* '}' or ']' */
void out_key(struct out *, const char *);
void out_str(struct out *, const char *);
void out_strn(struct out *, const char *, size_t);
void out_int(struct out *, int64_t);
void out_bool(struct out *, int);
void out_raw(struct out *, const char *json); /* one value, as it is */
void out_rawn(struct out *, const char *json, size_t);
/* key and string in one. */
void out_member(struct out *, const char *key, const char *value);

/* Bytes without any comma: for what is no JSON. */
void out_text(struct out *, const char *);
void out_textn(struct out *, const char *, size_t);
void out_printf(struct out *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/* A value as jsonb keeps it and Go sends it. */
void out_jsonb(struct out *, struct json_object *);

/* RFC 3339 in UTC, fraction without trailing zeros, as Go does. */
void out_time(struct out *, int64_t us);
/* The same into a buffer of at least 36 bytes. */
const char *flight_time(char *buf, size_t size, int64_t us);
/* -1: no such time.  Fractions beyond microseconds are cut. */
int flight_time_parse(const char *, int64_t *us);

/* Standard base64 with padding; *len may be NULL.  NULL: malformed. */
char *flight_base64(const void *, size_t);
char *flight_unbase64(const char *, size_t, size_t *len);

/* Lower-case hex of the SHA-256: 65 bytes with the NUL. */
void flight_sha256(struct span, char hex[65]);

/* NULL: not exactly one JSON value.  The object is the caller's. */
struct json_object *flight_parse(struct span);
/* A string member, or NULL. */
const char *flight_get(struct json_object *, const char *key);
/* '*' and '?' as in file names. */
int flight_glob(const char *pattern, const char *name);

#endif
