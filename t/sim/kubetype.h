/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_KUBETYPE_H
#define T_SIM_KUBETYPE_H

/*
 * The API's types (kubetype.def) and the one way from a JSON tree to the text
 * of an object: checked against its type, fields in the server's order, zero
 * values dropped, times and quantities in canonical form.
 */

#include <stddef.h>

struct json_object;
struct why;

enum kkind {
	K_STRING,
	K_INT,
	K_LONG,
	K_BOOL,
	K_TIME,
	K_MICROTIME,
	K_QUANTITY,
	K_INT_OR_STRING,
	K_MAP_STRING,
	K_MAP_BYTES,
	K_MAP_QUANTITY,
	K_OBJECT,
	K_LIST,	       /* of objects */
	K_STRINGS,     /* replaced by a strategic merge patch */
	K_STRINGS_SET, /* merged */
	K_ANY,
	K_DROP, /* accepted, not kept */
};

enum kkeep {
	KEEP_SET,     /* dropped when it has its zero value */
	KEEP_PRESENT, /* dropped when missing or null */
	KEEP_ALWAYS,  /* written with its zero value when missing */
};

struct ktype {
	const char *name; /* Go struct */
	const struct kfield *fields;
	size_t n;
};

struct kfield {
	const char *name;
	enum kkind kind;
	enum kkeep keep;
	const struct ktype *type; /* K_OBJECT, K_LIST */
	const char *key;	  /* K_LIST: its merge key, or NULL */
	const char *go;		  /* Go type in decoding errors */
};

/* By Go struct name; NULL when there is none. */
const struct ktype *ktype_find(const char *name);
/* NULL: the type has no such field. */
const struct kfield *ktype_field(const struct ktype *, const char *name);

/* What decoding says besides errors: unknown fields, in reading order. */
struct kwarn {
	char **text; /* unknown field "status.nonsense" */
	size_t n;
};
void kwarn_clear(struct kwarn *);

/* A growing text. */
struct ktext {
	char *s;
	size_t len, cap;
};
void ktext_add(struct ktext *, const char *, size_t);
void ktext_puts(struct ktext *, const char *);
void ktext_printf(struct ktext *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
void ktext_quote(struct ktext *, const char *, size_t); /* JSON string */
void ktext_free(struct ktext *);

/*
 * Adds the object's text ("{...}", without kind and apiVersion) to *text.
 * Returns -1 with the Go error's text in *why.
 */
int ktype_encode(const struct ktype *, struct json_object *, struct ktext *,
    struct kwarn *, struct why *);

/* Canonical times; -1 with Go's text.  buf holds at least 32 bytes. */
int ktime_seconds(const char *, char *buf, size_t, struct why *);
int ktime_micros(const char *, char *buf, size_t, struct why *);
/* Now, "2006-01-02T15:04:05Z", plus some seconds. */
void ktime_now(char *buf, size_t, long plus);

#endif
