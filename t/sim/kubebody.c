/* SPDX-License-Identifier: ISC */
/*
 * kubebody.c: request bodies, and how the server words what is wrong with
 * them.
 *
 * Owns content types, JSON errors, kinds and unknown fields.  A decoding
 * error is 400 for a whole object and 422 for a patch.
 */

#include "t/sim/kubebody.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "common/auto.h"
#include "common/why.h"
#include "common/xmem.h"
#include "t/sim/kubemerge.h"
#include "t/sim/kuberule.h"
#include "t/sim/web.h"

enum {
	BODY_DEPTH = 64,
	BODY_QUOTED = 30, /* bytes of a bad body in the message */
	BODY_LIMIT = 3145728,
};

static const char unknown_format[] =
    "the body of the request was in an unknown format - accepted media types "
    "include: application/json, application/yaml, "
    "application/vnd.kubernetes.protobuf";

static int
has_type(const struct kreq *r, const char *type)
{
	const char *have = web_header(r->web, "Content-Type");
	size_t n = strlen(type);

	return have != NULL && strncasecmp(have, type, n) == 0 &&
	    (have[n] == '\0' || have[n] == ';' || have[n] == ' ');
}

static int
check_body(struct kreq *r, struct kfail *f)
{
	if (web_too_large(r->web))
		return kfail(f, 413, "RequestEntityTooLarge", NULL,
		    "Request entity too large: limit is %d", BODY_LIMIT);
	if (web_header(r->web, "Content-Type") != NULL &&
	    !has_type(r, "application/json"))
		return kfail(f, 415, "UnsupportedMediaType", NULL, "%s",
		    unknown_format);
	return 0;
}

/* One JSON value; else what Go's decoder says, in *text. */
static struct json_object *
parse(struct kreq *r, char **text)
{
	size_t len, end;
	const char *body = web_body(r->web, &len);
	struct json_tokener *tok = json_tokener_new_ex(BODY_DEPTH);
	struct json_object *o = NULL;

	json_tokener_set_flags(tok,
	    JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	if (len != 0)
		o = json_tokener_parse_ex(tok, body, (int)len);
	end = json_tokener_get_parse_end(tok);
	if (o != NULL && body[end + strspn(body + end, " \t\r\n")] != '\0') {
		json_object_put(o);
		o = NULL;
		*text = xasprintf("invalid character '%c' after top-level "
				  "value",
		    body[end]);
	} else if (o == NULL && end >= len) {
		*text = xstrdup("unexpected end of JSON input");
	} else if (o == NULL) {
		*text = xasprintf(
		    "invalid character '%c' looking for beginning of value",
		    body[end]);
	}
	json_tokener_free(tok);
	return o;
}

static int
unrecognized(struct kreq *r, const char *kind, const char *text,
    struct kfail *f)
{
	size_t len;
	const char *body = web_body(r->web, &len);

	return kfail_bad(f,
	    "the object provided is unrecognized (must be of type %s): "
	    "couldn't get version/kind; json parse error: %s (%.*s%s)",
	    kind, text, BODY_QUOTED, len != 0 ? body : "<empty>",
	    len > BODY_QUOTED ? " ..." : "");
}

struct json_object *
kbody_object(struct kreq *r, struct kfail *f)
{
	const struct kresource *res = kresource(r->kid);
	AUTO_FREE char *text = NULL;
	struct json_object *o;
	const char *kind, *api;

	if (check_body(r, f) == -1)
		return NULL;
	o = parse(r, &text);
	if (!json_object_is_type(o, json_type_object)) {
		unrecognized(r, res->kind,
		    text != NULL ? text :
				   "json: cannot unmarshal into Go value of "
				   "type struct",
		    f);
		json_object_put(o);
		return NULL;
	}
	kind = kget(o, "kind", NULL);
	api = kget(o, "apiVersion", NULL);
	if (api[0] != '\0' && strcmp(api, res->api) != 0)
		kfail_bad(f,
		    "the API version in the data (%s) does not match the "
		    "expected API version (%s)",
		    api, res->api);
	else if (kind[0] == '\0' || strcmp(kind, res->kind) == 0)
		return o;
	else if (ktype_find(kind) == NULL)
		kfail_bad(f,
		    "no kind \"%s\" is registered for version \"%s\" in "
		    "scheme \"pkg/api/legacyscheme/scheme.go:30\"",
		    kind, res->api);
	else
		kfail_bad(f,
		    "%s in version \"v1\" cannot be handled as a %s: "
		    "converting (v1.%s) to (core.%s): unknown conversion",
		    kind, res->kind, kind, res->kind);
	json_object_put(o);
	return NULL;
}

struct json_object *
kbody_other(struct kreq *r, const char *type, struct kfail *f)
{
	AUTO_FREE char *text = NULL;
	struct json_object *o;
	struct ktext out = { NULL, 0, 0 };
	struct kwarn warn = { NULL, 0 };
	struct why why;
	size_t len;
	int bad = 1;

	web_body(r->web, &len);
	if (len == 0)
		return json_object_new_object();
	if (check_body(r, f) == -1)
		return NULL;
	o = parse(r, &text);
	if (!json_object_is_type(o, json_type_object))
		unrecognized(r, type, text != NULL ? text : "not an object", f);
	else if (kget(o, "kind", NULL)[0] != '\0' &&
	    strcmp(kget(o, "kind", NULL), type) != 0)
		kfail_bad(f,
		    "no kind \"%s\" is registered for version \"v1\" in "
		    "scheme \"k8s.io/apimachinery/pkg/apis/meta/"
		    "internalversion/scheme/register.go:27\"",
		    kget(o, "kind", NULL));
	else if (ktype_encode(ktype_find(type), o, &out, &warn, &why) == -1)
		kfail_bad(f,
		    "%s in version \"v1\" cannot be handled as a %s: %s", type,
		    type, why.text);
	else
		bad = 0;
	ktext_free(&out);
	kwarn_clear(&warn);
	if (!bad)
		return o;
	json_object_put(o);
	return NULL;
}

/* --- patches --- */

int
kbody_patch_type(struct kreq *r, struct kfail *f)
{
	if (web_too_large(r->web))
		return check_body(r, f);
	if (has_type(r, "application/merge-patch+json") ||
	    has_type(r, "application/strategic-merge-patch+json"))
		return 0;
	return kfail(f, 415, "UnsupportedMediaType", json_object_new_object(),
	    "415: Unsupported Media Type");
}

struct json_object *
kbody_patch(struct kreq *r, struct kfail *f)
{
	AUTO_FREE char *text = NULL;
	struct json_object *o = parse(r, &text);

	if (json_object_is_type(o, json_type_object))
		return o;
	json_object_put(o);
	kfail_bad(f, "error decoding patch: %s",
	    text != NULL ? text :
			   "json: cannot unmarshal into Go value of type "
			   "map[string]interface {}");
	return NULL;
}

static int
by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* As fmt's %v has it: map[status:map[conditions:[a b]]]. */
static void
go_print(struct json_object *o, struct ktext *t)
{
	struct json_object_iter it;
	const char **keys;
	size_t i, n = 0;

	if (json_object_is_type(o, json_type_array)) {
		ktext_puts(t, "[");
		for (i = 0; i < json_object_array_length(o); i++) {
			ktext_puts(t, i != 0 ? " " : "");
			go_print(json_object_array_get_idx(o, i), t);
		}
		ktext_puts(t, "]");
		return;
	}
	if (!json_object_is_type(o, json_type_object)) {
		ktext_puts(t, o != NULL ? json_object_get_string(o) : "<nil>");
		return;
	}
	keys = xcalloc((size_t)json_object_object_length(o) + 1, sizeof(*keys));
	json_object_object_foreachC(o, it) keys[n++] = it.key;
	qsort(keys, n, sizeof(*keys), by_key);
	ktext_puts(t, "map[");
	for (i = 0; i < n; i++) {
		ktext_printf(t, "%s%s:", i != 0 ? " " : "", keys[i]);
		go_print(json_object_object_get(o, keys[i]), t);
	}
	ktext_puts(t, "]");
	free(keys);
}

int
kbody_apply(struct kreq *r, struct json_object *now, struct json_object *patch,
    struct kfail *f)
{
	struct ktext t = { NULL, 0, 0 };
	struct why why;

	if (has_type(r, "application/merge-patch+json")) {
		kmerge_json(now, patch);
		return 0;
	}
	if (kmerge_strategic(kresource(r->kid)->type, now, patch, &why) == 0)
		return 0;
	go_print(patch, &t);
	kfail_patch(f, t.s, why.text);
	ktext_free(&t);
	return -1;
}

/* --- decoding --- */

static int
undecodable(struct kreq *r, struct json_object *o, const char *text,
    struct kfail *f)
{
	const struct kresource *res = kresource(r->kid);
	struct ktext t = { NULL, 0, 0 };

	if (r->verb != KVERB_PATCH)
		return kfail_bad(f,
		    "%s in version \"v1\" cannot be handled as a %s: %s",
		    res->kind, res->kind, text);
	ktext_printf(&t, "{\"apiVersion\":\"%s\",\"kind\":\"%s\",%s", res->api,
	    res->kind,
	    json_object_to_json_string_ext(o,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE) +
		1);
	kfail_patch(f, t.s, text);
	ktext_free(&t);
	return -1;
}

int
kbody_encode(struct kreq *r, struct json_object *o, struct ktext *text,
    struct kfail *f)
{
	struct ktext t = { NULL, 0, 0 };
	struct why why;
	size_t i;

	kwarn_clear(&r->warn);
	if (ktype_encode(kresource(r->kid)->type, o, text, &r->warn, &why) ==
	    -1)
		return undecodable(r, o, why.text, f);
	if (!r->strict || r->warn.n == 0)
		return 0;
	ktext_puts(&t, "strict decoding error: ");
	for (i = 0; i < r->warn.n; i++)
		ktext_printf(&t, "%s%s", i != 0 ? ", " : "", r->warn.text[i]);
	kwarn_clear(&r->warn);
	undecodable(r, o, t.s, f);
	ktext_free(&t);
	return -1;
}
