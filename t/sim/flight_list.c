/* SPDX-License-Identifier: ISC */
/*
 * flight_list.c: pages and counts of list answers.
 *
 * Owns the continue token: base64 of {"Version":1,"Names":[...],"Count":n},
 * Names being those of the next page's first item.
 */
#include "t/sim/flight_list.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_http.h"
#include "t/sim/flight_json.h"
#include "t/sim/web.h"

enum {
	LIMIT_MAX = 1000
};

#define IN_QUERY "API Error: parameter \"limit\" in query has an error: "

static int
read_limit(struct web_req *req, struct flight_page *page)
{
	const char *text = web_query(req, "limit");
	char *end;
	long long v;

	page->limit = LIMIT_MAX;
	if (text == NULL)
		return 0;
	errno = 0;
	v = strtoll(text, &end, 10);
	if (text[0] == '\0')
		flight_refuse(req, 400, IN_QUERY "empty value is not allowed");
	else if (*end != '\0')
		flight_refusef(req, 400,
		    IN_QUERY "value %s: an invalid "
			     "integer: invalid syntax",
		    text);
	else if (errno == ERANGE)
		flight_refusef(req, 400,
		    IN_QUERY "value %s: an invalid "
			     "integer: value out of range",
		    text);
	else if (v < 0)
		flight_refuse(req, 400, IN_QUERY "number must be at least 0");
	else if (v > LIMIT_MAX)
		flight_refuse(req, 400, IN_QUERY "number must be at most 1000");
	else {
		if (v > 0)
			page->limit = (size_t)v;
		return 0;
	}
	return -1;
}

static int
bad_token(struct web_req *req, char *text)
{
	flight_refusef(req, 400, "failed to parse continue parameter: %s",
	    text);
	free(text);
	return -1;
}

static int
use_token(struct web_req *req, struct json_object *o, size_t nnames,
    struct flight_page *page)
{
	struct json_object *version, *names, *count;
	size_t i;

	if (!json_object_object_get_ex(o, "Version", &version) ||
	    json_object_get_int(version) != 1)
		return bad_token(req,
		    xasprintf("continue string version %d "
			      "must be 1",
			json_object_get_int(version)));
	if (!json_object_object_get_ex(o, "Names", &names) ||
	    !json_object_is_type(names, json_type_array) ||
	    json_object_array_length(names) != nnames)
		return bad_token(req, xstrdup("invalid names"));
	page->names = xcalloc(nnames, sizeof(*page->names));
	page->nnames = nnames;
	for (i = 0; i < nnames; i++)
		page->names[i] = xstrdup(json_object_get_string(
		    json_object_array_get_idx(names, i)));
	if (json_object_object_get_ex(o, "Count", &count))
		page->count = json_object_get_int64(count);
	return 0;
}

/* "+" of an unescaped token has become a blank on its way. */
static char *
unescape(const char *text, size_t *len)
{
	char *copy = xstrdup(text), *p, *out;

	for (p = copy; *p != '\0'; p++)
		if (*p == ' ')
			*p = '+';
	out = flight_unbase64(copy, strlen(copy), len);
	free(copy);
	return out;
}

static int
read_token(struct web_req *req, size_t nnames, struct flight_page *page)
{
	const char *text = web_query(req, "continue");
	struct json_object *o;
	char *raw;
	size_t len;
	int rc;

	if (text == NULL || text[0] == '\0')
		return 0;
	if ((raw = unescape(text, &len)) == NULL)
		return bad_token(req,
		    xstrdup("illegal base64 data at input "
			    "byte 0"));
	o = flight_parse((struct span){ raw, len });
	if (!json_object_is_type(o, json_type_object))
		rc = bad_token(req,
		    xasprintf("invalid character '\\u%04x' "
			      "looking for beginning of value",
			(unsigned char)raw[0]));
	else
		rc = use_token(req, o, nnames, page);
	json_object_put(o);
	free(raw);
	return rc;
}

int
flight_page_read(struct web_req *req, size_t nnames, struct flight_page *page)
{
	*page = (struct flight_page){ 0 };
	if (read_limit(req, page) == -1)
		return -1;
	if (read_token(req, nnames, page) == -1) {
		flight_page_clear(page);
		return -1;
	}
	return 0;
}

void
flight_page_clear(struct flight_page *page)
{
	size_t i;

	for (i = 0; i < page->nnames; i++)
		free(page->names[i]);
	free(page->names);
	*page = (struct flight_page){ 0 };
}

void
flight_page_write(struct out *o, const char *const *names, size_t nnames,
    int64_t remaining)
{
	struct out token = { 0 };
	char *text;
	size_t i;

	out_open(&token, '{');
	out_key(&token, "Version");
	out_int(&token, 1);
	out_key(&token, "Names");
	out_open(&token, '[');
	for (i = 0; i < nnames; i++)
		out_str(&token, names[i]);
	out_close(&token, ']');
	out_key(&token, "Count");
	out_int(&token, remaining);
	out_close(&token, '}');
	text = flight_base64(token.p, token.len);
	out_free(&token);
	out_member(o, "continue", text);
	out_key(o, "remainingItemCount");
	out_int(o, remaining);
	free(text);
}

/* --- summaries ----------------------------------------------------------- */

/* Sorted by word; there are fewer words than places. */
static void
count(struct flight_count counts[FLIGHT_WORDS], const char *status)
{
	size_t i = 0;

	while (counts[i].status != NULL && strcmp(counts[i].status, status) < 0)
		i++;
	if (counts[i].status != status) {
		memmove(counts + i + 1, counts + i,
		    (FLIGHT_WORDS - 1 - i) * sizeof(*counts));
		counts[i] = (struct flight_count){ status, 0 };
	}
	counts[i].n++;
}

void
flight_summary_add(struct flight_summary *s, const struct flight_device *d)
{
	s->total++;
	count(s->apps, d->apps.status);
	count(s->summary, d->summary.status);
	count(s->updated, d->updated.status);
}

static void
write_counts(struct out *o, const char *key, const struct flight_count *counts)
{
	out_key(o, key);
	out_open(o, '{');
	for (; counts->status != NULL; counts++) {
		out_key(o, counts->status);
		out_int(o, (int64_t)counts->n);
	}
	out_close(o, '}');
}

void
flight_summary_write(struct out *o, const struct flight_summary *s)
{
	out_open(o, '{');
	write_counts(o, "applicationStatus", s->apps);
	write_counts(o, "summaryStatus", s->summary);
	out_key(o, "total");
	out_int(o, (int64_t)s->total);
	write_counts(o, "updateStatus", s->updated);
	out_close(o, '}');
}

char *
flight_updated_details(const char *fields)
{
	struct out o = { 0 };
	size_t n;

	out_open(&o, '{');
	out_key(&o, "newOwner");
	out_raw(&o, "null");
	out_member(&o, "detailType", "ResourceUpdated");
	out_key(&o, "previousOwner");
	out_raw(&o, "null");
	out_key(&o, "updatedFields");
	out_open(&o, '[');
	for (; *fields != '\0'; fields += n + strspn(fields + n, ", ")) {
		n = strcspn(fields, ",");
		out_strn(&o, fields, n);
	}
	out_close(&o, ']');
	out_close(&o, '}');
	return out_take(&o);
}
