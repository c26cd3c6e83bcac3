/* SPDX-License-Identifier: ISC */
/*
 * scan.c: cuts a stream of JSON into items, as bytes come.
 *
 * Owns one buffer for an item that came in pieces and one for what stands
 * around the items.  An item that lies within one piece is lent, not copied.
 * Where a cut falls between two pieces never shows in what is handed on.
 */
#include "common/scan.h"

#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/scan_own.h"
#include "common/xmem.h"

enum {
	KEEP_BUFFER = 256 * 1024, /* a larger one is given back */
	REST_MAX = 1024 * 1024,
	MAX_BLANKS = 64 * 1024, /* an answer without end is none */
};

/* Where in a value the last byte was. */
enum place {
	AT_START,
	AT_BETWEEN,
	AT_STRING,
	AT_ESCAPE,
	AT_SCALAR,
	AT_DONE,
};

struct value {
	enum place at;
	size_t depth;
};

enum state {
	TOP,	   /* before the outer object, or between objects */
	FIRST_KEY, /* after { */
	KEY,	   /* after , */
	IN_KEY,
	COLON,
	VALUE,	  /* after : */
	IN_VALUE, /* of any member but "items" */
	AFTER_VALUE,
	FIRST_ITEM, /* after [ */
	ITEM,	    /* after , */
	IN_ITEM,
	AFTER_ITEM,
	END,
};

struct scan {
	enum scan_shape shape;
	enum state state;
	struct value value;
	struct scan_ops ops;
	void *arg;
	size_t item_max;
	size_t item_len; /* so far, of one that began in an earlier piece */
	size_t offset;	 /* of the next byte */
	size_t blanks;	 /* in a row before it, outside of items */
	size_t key;	 /* where the last key begins in rest */
	int at_items;	 /* the last key was "items" */
	int seen_items;
	struct bytes item; /* may hold less than item_len: oversize */
	struct bytes rest;
};

static void
item_forget(struct scan *s)
{
	if (s->item.cap > KEEP_BUFFER)
		bytes_free(&s->item);
	s->item.len = 0;
}

static int
is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static int
ends_scalar(char c)
{
	return is_blank(c) || c == ',' || c == ']' || c == '}';
}

static const char *
feed_string(struct value *v, const char *p, const char *end)
{
	if (v->at == AT_ESCAPE) {
		v->at = AT_STRING;
		p++;
	}
	for (p = scan_plain(p, end); p < end && *p != '"'; p++)
		if (*p == '\\') {
			if (++p == end) {
				v->at = AT_ESCAPE;
				return p;
			}
			p = scan_plain(p + 1, end) - 1;
		}
	if (p == end)
		return p;
	v->at = v->depth > 0 ? AT_BETWEEN : AT_DONE;
	return p + 1;
}

static const char *
feed_between(struct value *v, const char *p, const char *end)
{
	for (; p < end; p++)
		switch (*p) {
		case '"':
			v->at = AT_STRING;
			return p + 1;
		case '{':
		case '[':
			v->depth++;
			break;
		case '}':
		case ']':
			if (--v->depth == 0) {
				v->at = AT_DONE;
				return p + 1;
			}
			break;
		default:
			break;
		}
	return p;
}

static const char *
feed_start(struct value *v, const char *p)
{
	if (*p == '{' || *p == '[') {
		v->depth = 1;
		v->at = AT_BETWEEN;
	} else if (*p == '"')
		v->at = AT_STRING;
	else
		v->at = AT_SCALAR;
	return p + 1;
}

static const char *
feed_scalar(struct value *v, const char *p, const char *end)
{
	while (p < end && !ends_scalar(*p))
		p++;
	if (p < end)
		v->at = AT_DONE;
	return p;
}

/* The end of what belongs to the value; v->at is AT_DONE when it ended. */
static const char *
feed_value(struct value *v, const char *p, const char *end)
{
	while (p < end)
		switch (v->at) {
		case AT_START:
			p = feed_start(v, p);
			break;
		case AT_BETWEEN:
			p = feed_between(v, p, end);
			break;
		case AT_STRING:
		case AT_ESCAPE:
			p = feed_string(v, p, end);
			break;
		case AT_SCALAR:
			p = feed_scalar(v, p, end);
			break;
		case AT_DONE:
			return p;
		}
	return p;
}

static void
value_start(struct scan *s, enum state in)
{
	s->value = (struct value){ AT_START, 0 };
	s->state = in;
	s->item_len = 0;
}

struct scan *
scan_new(enum scan_shape shape, size_t item_max, const struct scan_ops *ops,
    void *arg)
{
	struct scan *s = xcalloc(1, sizeof(*s));

	s->shape = shape;
	s->item_max = item_max;
	s->ops = *ops;
	s->arg = arg;
	return s;
}

void
scan_free(struct scan *s)
{
	if (s == NULL)
		return;
	bytes_free(&s->item);
	bytes_free(&s->rest);
	free(s);
}

/* Keeps a piece of an item; of one that is too long, no more than its head. */
static void
item_keep(struct scan *s, const char *p, const char *end)
{
	size_t len = end - p;

	if (s->item_len > s->item_max) {
		if (s->item.len >= SCAN_HEAD)
			return;
		if (len > SCAN_HEAD)
			len = SCAN_HEAD;
	}
	bytes_add(&s->item, (struct span){ p, len });
}

/* The item is whole: its last bytes are [p, end). */
static int
item_done(struct scan *s, const char *p, const char *end, struct why *why)
{
	struct span whole = { p, end - p };
	int rc;

	s->state = s->shape == SCAN_LIST ? AFTER_ITEM : TOP;
	if (s->item_len > s->item_max) {
		if (s->item.len > 0) {
			item_keep(s, p, end);
			whole = bytes_span(&s->item);
		}
		if (whole.len > SCAN_HEAD)
			whole.len = SCAN_HEAD;
		rc = s->ops.oversize(whole, s->arg, why);
		item_forget(s);
		return rc;
	}
	if (s->item.len > 0) {
		bytes_add(&s->item, (struct span){ p, end - p });
		whole = bytes_span(&s->item);
	}
	rc = s->ops.item(whole, s->arg, why);
	item_forget(s);
	return rc;
}

static int
feed_item(struct scan *s, const char **p, const char *end, struct why *why)
{
	const char *from = *p;

	*p = feed_value(&s->value, from, end);
	s->item_len += *p - from;
	if (s->value.at == AT_DONE)
		return item_done(s, from, *p, why);
	item_keep(s, from, *p);
	return 0;
}

/* Bytes of the outer object that are not items. */
static int
rest_add(struct scan *s, const char *p, const char *end, struct why *why)
{
	if (s->rest.len + (end - p) > REST_MAX)
		return fail(why, ERR_LIMIT,
		    "list: more than %d bytes beside "
		    "its items",
		    REST_MAX);
	bytes_add(&s->rest, (struct span){ p, end - p });
	return 0;
}

/* Is the key that ends the rest "items"?  Then it is taken out again. */
static int
key_done(struct scan *s, struct why *why)
{
	struct span key = { s->rest.p + s->key, s->rest.len - s->key };

	s->state = COLON;
	if (memchr(key.p, '\\', key.len) != NULL)
		return fail(why, ERR_FORMAT, "list: escaped member name");
	if (!span_is(key, "\"items\""))
		return 0;
	if (s->seen_items)
		return fail(why, ERR_FORMAT, "list: items twice");
	s->seen_items = s->at_items = 1;
	s->rest.len = s->key > 1 ? s->key - 1 : s->key;
	return 0;
}

static int
feed_rest(struct scan *s, const char **p, const char *end, struct why *why)
{
	const char *from = *p;

	*p = feed_value(&s->value, from, end);
	if (rest_add(s, from, *p, why) == -1)
		return -1;
	if (s->value.at != AT_DONE)
		return 0;
	if (s->state == IN_KEY)
		return key_done(s, why);
	s->state = AFTER_VALUE;
	return 0;
}

/* A key begins; the rest gets its comma only when another is before it. */
static int
begin_key(struct scan *s, struct why *why)
{
	static const char comma[] = ",";

	if (s->rest.len > 1 && rest_add(s, comma, comma + 1, why) == -1)
		return -1;
	s->key = s->rest.len;
	s->at_items = 0;
	value_start(s, IN_KEY);
	return 0;
}

/* A value begins at c: of "items" its array, or null for an empty one. */
static int
begin_value(struct scan *s, char c, const char **p, struct why *why)
{
	static const char null[] = ",\"items\":";
	const char *from = s->rest.len > 1 ? null : null + 1;

	value_start(s, IN_VALUE);
	if (!s->at_items)
		return 0;
	if (c == '[') {
		s->state = FIRST_ITEM;
		++*p;
		return 0;
	}
	if (c != 'n')
		return fail(why, ERR_FORMAT, "byte %zu: items is no array",
		    s->offset);
	return rest_add(s, from, null + strlen(null), why);
}

/* What one byte between values does to a list; *p is not beyond it yet. */
static int
step(struct scan *s, const char **p, struct why *why)
{
	static const struct {
		enum state from;
		char byte;
		enum state to;
		int rest; /* the byte goes to the rest */
	} steps[] = {
		{ TOP, '{', FIRST_KEY, 1 },
		{ FIRST_KEY, '}', END, 1 },
		{ COLON, ':', VALUE, 1 },
		{ AFTER_VALUE, ',', KEY, 0 },
		{ AFTER_VALUE, '}', END, 1 },
		{ FIRST_ITEM, ']', AFTER_VALUE, 0 },
		{ AFTER_ITEM, ',', ITEM, 0 },
		{ AFTER_ITEM, ']', AFTER_VALUE, 0 },
	};
	const char c = **p;
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i].from != s->state || steps[i].byte != c)
			continue;
		if (steps[i].rest && !(c == ':' && s->at_items) &&
		    rest_add(s, *p, *p + 1, why) == -1)
			return -1;
		s->state = steps[i].to;
		++*p;
		return 0;
	}
	if ((s->state == FIRST_KEY || s->state == KEY) && c == '"')
		return begin_key(s, why);
	if (s->state == VALUE && !ends_scalar(c))
		return begin_value(s, c, p, why);
	if ((s->state == FIRST_ITEM || s->state == ITEM) && !ends_scalar(c)) {
		value_start(s, IN_ITEM);
		return 0;
	}
	return fail(why, ERR_FORMAT, "byte %zu: unexpected 0x%02x", s->offset,
	    (unsigned int)(unsigned char)c);
}

static int
feed_between_items(struct scan *s, const char **p, struct why *why)
{
	if (is_blank(**p)) {
		++*p;
		return ++s->blanks <= MAX_BLANKS ?
		    0 :
		    fail(why, ERR_FORMAT, "byte %zu: nothing but blanks",
			s->offset);
	}
	s->blanks = 0;
	if (s->shape == SCAN_LIST)
		return step(s, p, why);
	if (**p != '{')
		return fail(why, ERR_FORMAT, "byte %zu: no object", s->offset);
	value_start(s, IN_ITEM);
	return 0;
}

int
scan_feed(struct scan *s, struct span piece, struct why *why)
{
	const char *p = piece.p, *from, *end = piece.p + piece.len;
	int rc = 0;

	while (p < end && rc == 0) {
		from = p;
		if (s->state == IN_ITEM)
			rc = feed_item(s, &p, end, why);
		else if (s->state == IN_KEY || s->state == IN_VALUE)
			rc = feed_rest(s, &p, end, why);
		else
			rc = feed_between_items(s, &p, why);
		s->offset += p - from;
	}
	return rc;
}

int
scan_end(struct scan *s, struct why *why)
{
	if (s->state == IN_ITEM)
		return fail(why, ERR_FORMAT, "byte %zu: ends within an item",
		    s->offset);
	if (s->shape == SCAN_OBJECTS)
		return 0;
	if (s->state != END)
		return fail(why, ERR_FORMAT, "byte %zu: ends within the list",
		    s->offset);
	if (!s->seen_items)
		return fail(why, ERR_FORMAT, "no list: it has no items");
	return 0;
}

struct span
scan_rest(const struct scan *s)
{
	return bytes_span(&s->rest);
}
