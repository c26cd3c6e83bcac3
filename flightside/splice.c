/* SPDX-License-Identifier: ISC */
/*
 * splice.c: makes the body of a PUT out of a base and an edit.
 *
 * Owns which bytes go where.  Elements are moved whole and never rewritten;
 * whether they may be ours is admit.c's to say, afterwards and on its own.
 */
#include "flightside/splice.h"

#include <stdlib.h>

#include "common/auto.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "flightside/same.h"

/* A name in an edit, with the element to set or none to cut. */
struct wish {
	char name[MAX_NAME + 1];
	struct span element;
	int done; /* its place was found */
};

struct wishes {
	struct wish *list;
	size_t n;
};

/* A piece of the spec that is replaced; from == to: inserted. */
struct patch {
	const char *from, *to;
	struct bytes with;
};

static int
read_part(struct span text, const char *name, struct edit_part *part,
    struct why *why)
{
	struct span object, key, value;
	size_t at = 0;
	int rc;

	if ((rc = scan_get(text, &object, name, NULL)) != 1)
		return rc == 0 ? 0 :
				 fail(why, ERR_FORMAT, "edit: %s twice", name);
	while ((rc = scan_member(object, &at, &key, &value)) == 1) {
		if (*value.p != '[')
			return fail(why, ERR_FORMAT, "edit: %s: no array",
			    name);
		if (scan_string_is(key, "set") && part->set.len == 0)
			part->set = value;
		else if (scan_string_is(key, "cut") && part->cut.len == 0)
			part->cut = value;
		else
			return fail(why, ERR_FORMAT,
			    "edit: %s: member is "
			    "neither set nor cut, or twice",
			    name);
	}
	return rc == 0 ? 0 : fail(why, ERR_FORMAT, "edit: %s: no object", name);
}

static int
sets_any(const struct edit_part *part)
{
	struct span element;
	size_t at = 0;

	return part->set.len > 0 && scan_next(part->set, &at, &element) == 1;
}

int
edit_read(struct span text, struct edit *e, struct why *why)
{
	struct span key, value;
	size_t at = 0;

	*e = (struct edit){ .adds = 0 };
	if (!scan_is_valid(text) || *text.p != '{')
		return fail(why, ERR_FORMAT, "edit: no JSON object");
	while (scan_member(text, &at, &key, &value) == 1)
		if (!scan_string_is(key, "applications") &&
		    !scan_string_is(key, "config"))
			return fail(why, ERR_FORMAT, "edit: unknown member");
	if (read_part(text, "applications", &e->applications, why) == -1 ||
	    read_part(text, "config", &e->config, why) == -1)
		return -1;
	e->adds = sets_any(&e->applications) || sets_any(&e->config);
	return 0;
}

static void
add_cuts(struct bytes *b, const char *before, struct span set)
{
	struct span element, name;
	const char *comma = "";
	size_t at = 0;

	bytes_add_text(b, before);
	while (set.len > 0 && scan_next(set, &at, &element) == 1) {
		if (scan_get(element, &name, "name", NULL) != 1)
			continue;
		bytes_add_text(b, comma);
		bytes_add(b, name);
		comma = ",";
	}
}

char *
edit_cuts(const struct edit *e)
{
	struct bytes b = { NULL, 0, 0 };

	add_cuts(&b, "{\"applications\":{\"cut\":[", e->applications.set);
	add_cuts(&b, "]},\"config\":{\"cut\":[", e->config.set);
	bytes_add_text(&b, "]}}");
	bytes_add(&b, (struct span){ "", 1 });
	return b.p;
}

static void
wishes_free(struct wishes *w)
{
	free(w->list);
}

static struct wish *
wishes_find(const struct wishes *w, const char *name)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (strcmp(w->list[i].name, name) == 0)
			return &w->list[i];
	return NULL;
}

static int
wishes_add(struct wishes *w, struct span name, struct span element,
    struct why *why)
{
	struct wish wish = { .element = element };

	if (scan_unescape(name, wish.name, sizeof(wish.name)) < 1)
		return fail(why, ERR_FORMAT, "edit: element without a name");
	if (wishes_find(w, wish.name) != NULL) {
		if (element.len == 0)
			return 0; /* set and cut: set */
		return fail(why, ERR_FORMAT, "edit: %s is set twice",
		    wish.name);
	}
	w->list = xreallocarray(w->list, w->n + 1, sizeof(*w->list));
	w->list[w->n++] = wish;
	return 0;
}

static int
wishes_read(const struct edit_part *part, struct wishes *w, struct why *why)
{
	const struct span none = { NULL, 0 };
	struct span element, name;
	size_t at = 0;

	while (part->set.len > 0 && scan_next(part->set, &at, &element) == 1)
		if (scan_get(element, &name, "name", NULL) != 1)
			return fail(why, ERR_FORMAT,
			    "edit: element without a "
			    "name");
		else if (wishes_add(w, name, element, why) == -1)
			return -1;
	at = 0;
	while (part->cut.len > 0 && scan_next(part->cut, &at, &name) == 1)
		if (wishes_add(w, name, none, why) == -1)
			return -1;
	return 0;
}

static void
add_element(struct bytes *out, struct span element)
{
	if (out->len > 1)
		bytes_add_text(out, ",");
	bytes_add(out, element);
}

/* One element that is there: kept, replaced or left out. 1: a change. */
static int
place(struct bytes *out, struct span element, const struct wishes *w)
{
	struct wish *wish = NULL;
	char name[MAX_NAME + 1];

	if (scan_get_string(element, name, sizeof(name), "name", NULL) == 1)
		wish = wishes_find(w, name);
	if (wish == NULL) {
		add_element(out, element);
		return 0;
	}
	wish->done = 1;
	if (wish->element.len == 0)
		return 1;
	if (same_json(element, wish->element)) {
		add_element(out, element);
		return 0;
	}
	add_element(out, wish->element);
	return 1;
}

/* The new array; 1: it differs, 0: the old one is as wanted. */
static int
rebuild(struct span array, const struct wishes *w, struct bytes *out)
{
	struct span element;
	size_t at = 0, i;
	int changed = 0;

	bytes_add_text(out, "[");
	while (array.len > 0 && scan_next(array, &at, &element) == 1)
		changed |= place(out, element, w);
	for (i = 0; i < w->n; i++) {
		if (w->list[i].done || w->list[i].element.len == 0)
			continue;
		add_element(out, w->list[i].element);
		changed = 1;
	}
	bytes_add_text(out, "]");
	return changed;
}

/* Where a member that is absent goes: before the brace that ends the spec. */
static void
insert_member(struct patch *p, struct span spec, const char *name,
    const struct bytes *array)
{
	p->from = p->to = spec.p + spec.len - 1;
	bytes_add_text(&p->with, "\"");
	bytes_add_text(&p->with, name);
	bytes_add_text(&p->with, "\":");
	bytes_add(&p->with, bytes_span(array));
}

static int
make_patch(const struct base *b, const char *name, struct span array,
    const struct edit_part *part, struct patch *p, struct why *why)
{
	AUTO_BYTES struct bytes out = { NULL, 0, 0 };
	struct wishes w = { NULL, 0 };
	struct span null;
	int changed = 0;

	if (wishes_read(part, &w, why) == -1) {
		wishes_free(&w);
		return -1;
	}
	if (rebuild(array, &w, &out)) {
		changed = 1;
		if (array.len == 0 && scan_get(b->spec, &null, name, NULL) == 1)
			array = null;
		if (array.len > 0) {
			p->from = array.p;
			p->to = array.p + array.len;
			bytes_add(&p->with, bytes_span(&out));
		} else
			insert_member(p, b->spec, name, &out);
	}
	wishes_free(&w);
	return changed;
}

/* The spec with its patches, which are in order of place. */
static void
add_spec(struct bytes *out, struct span spec, const struct patch *patches,
    size_t n)
{
	struct span key, value;
	const char *at = spec.p;
	size_t i, first = 0;
	int members = scan_member(spec, &first, &key, &value) == 1;

	for (i = 0; i < n; i++) {
		bytes_add(out, (struct span){ at, patches[i].from - at });
		if (patches[i].from == patches[i].to && members)
			bytes_add_text(out, ",");
		members = 1;
		bytes_add(out, bytes_span(&patches[i].with));
		at = patches[i].to;
	}
	bytes_add(out, (struct span){ at, spec.p + spec.len - at });
}

static void
add_body(struct splice *s, const struct base *b, const struct patch *patches,
    size_t n)
{
	static const char empty[] = "{}";

	bytes_add_text(&s->body,
	    "{\"apiVersion\":\"flightctl.io/v1beta1\","
	    "\"kind\":\"Device\",\"metadata\":{\"labels\":");
	bytes_add(&s->body, b->labels.len > 0 ? b->labels : span_of(empty));
	bytes_add_text(&s->body, ",\"name\":");
	bytes_add(&s->body, b->name);
	bytes_add_text(&s->body, ",\"resourceVersion\":");
	bytes_add(&s->body, b->version);
	bytes_add_text(&s->body, "},\"spec\":");
	s->spec_at = s->body.len;
	add_spec(&s->body, b->spec, patches, n);
	s->spec_len = s->body.len - s->spec_at;
	bytes_add_text(&s->body, "}");
}

int
splice(const struct base *b, const struct edit *e, struct splice *s,
    struct why *why)
{
	struct patch patches[2], swap;
	size_t n = 0;
	int rc;

	memset(s, 0, sizeof(*s));
	memset(patches, 0, sizeof(patches));
	rc = make_patch(b, "applications", b->applications, &e->applications,
	    &patches[n], why);
	n += rc == 1;
	if (rc != -1) {
		rc = make_patch(b, "config", b->config, &e->config, &patches[n],
		    why);
		n += rc == 1;
	}
	if (rc != -1) {
		if (n == 2 && patches[1].from < patches[0].from) {
			swap = patches[0];
			patches[0] = patches[1];
			patches[1] = swap;
		}
		s->changed = n > 0;
		add_body(s, b, patches, n);
	}
	bytes_free(&patches[0].with);
	bytes_free(&patches[1].with);
	return rc == -1 ? -1 : 0;
}

struct span
splice_spec(const struct splice *s)
{
	return (struct span){ s->body.p + s->spec_at, s->spec_len };
}

void
splice_free(struct splice *s)
{
	bytes_free(&s->body);
}
