/* SPDX-License-Identifier: ISC */
/*
 * kubeobj.c: one kept object and what selectors read of it.
 *
 * An object never changes: a write makes another one.  Its text is the truth;
 * key, labels and fields are copies made once so that lists and watches need
 * not parse.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/xmem.h"
#include "t/sim/kubestore.h"
#include "t/sim/kubetype.h"

#define CORE(group) (sizeof(group) == 1)
#define KFIELD(...)
#define KRESOURCE(id, p, k, g, n, s, b)                                       \
	{ #p, #k, g, CORE(g) ? "v1" : g "/v1", CORE(g) ? #p : #p "." g, n, s, \
		b, NULL },
static struct kresource resources[] = {
#include "t/sim/kubekind.def"
};
#undef KRESOURCE
#undef KFIELD

static const struct {
	enum kid kid;
	const char *selector;
	const char *path[2];
} fields[] = {
#define KRESOURCE(...)
#define KFIELD(id, s, ...) { KUBE_##id, s, { __VA_ARGS__ } },
#include "t/sim/kubekind.def"
#undef KRESOURCE
#undef KFIELD
};

#define NFIELDS (sizeof(fields) / sizeof(fields[0]))

const struct kresource *
kresource(enum kid kid)
{
	struct kresource *r = &resources[kid];

	if (r->type == NULL)
		r->type = ktype_find(r->kind);
	return r;
}

int
kresource_has_field(enum kid kid, const char *selector)
{
	size_t i;

	if (strcmp(selector, "metadata.name") == 0 ||
	    strcmp(selector, "metadata.namespace") == 0)
		return 1;
	for (i = 0; i < NFIELDS; i++)
		if (fields[i].kid == kid &&
		    strcmp(fields[i].selector, selector) == 0)
			return 1;
	return 0;
}

const char *
kobj_field(const struct kobj *o, const char *selector)
{
	size_t i, n = 0;

	if (strcmp(selector, "metadata.name") == 0)
		return o->name;
	if (strcmp(selector, "metadata.namespace") == 0)
		return o->ns;
	for (i = 0; i < NFIELDS; i++) {
		if (fields[i].kid != o->kid)
			continue;
		if (strcmp(fields[i].selector, selector) == 0)
			return o->fields[n];
		n++;
	}
	return NULL;
}

static const char *
string_at(struct json_object *o, const char *a, const char *b)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, a, &v) ||
	    (b != NULL && !json_object_object_get_ex(v, b, &v)) || v == NULL)
		return "";
	return json_object_get_string(v);
}

struct filler {
	struct kobj *o;
	char *next;
};

static const char *
keep(struct filler *f, const char *s)
{
	char *at = f->next;

	f->next = stpcpy(at, s) + 1;
	return at;
}

/* Copies of labels and fields, in one allocation. */
static void
fill(struct kobj *o, struct json_object *tree, struct json_object *labels)
{
	struct json_object_iter it;
	struct filler f = { o, NULL };
	size_t i, n = 0, size = 0;

	for (i = 0; i < NFIELDS; i++)
		if (fields[i].kid == o->kid) {
			size += strlen(string_at(tree, fields[i].path[0],
				    fields[i].path[1])) +
			    1;
			n++;
		}
	if (labels != NULL)
		json_object_object_foreachC(labels, it)
		{
			size += strlen(it.key) +
			    strlen(json_object_get_string(it.val)) + 2;
			o->nlabels++;
		}
	o->strings = f.next = xmalloc(size + 1);
	o->fields = xcalloc(n + 1, sizeof(*o->fields));
	o->labels = xcalloc(o->nlabels + 1, sizeof(*o->labels));
	for (i = n = 0; i < NFIELDS; i++)
		if (fields[i].kid == o->kid)
			o->fields[n++] = keep(&f,
			    string_at(tree, fields[i].path[0],
				fields[i].path[1]));
	n = 0;
	if (labels != NULL)
		json_object_object_foreachC(labels, it)
		{
			o->labels[n].key = keep(&f, it.key);
			o->labels[n++].value =
			    keep(&f, json_object_get_string(it.val));
		}
}

/* A text with the version in its metadata replaced. */
static char *
with_version(const char *text, uint64_t version)
{
	static const char name[] = "\"resourceVersion\":\"";
	const char *at = strstr(text, name), *end;
	char rv[24], *out;
	int n;

	if (at == NULL)
		return xstrdup(text);
	at += sizeof(name) - 1;
	end = strchr(at, '"');
	n = snprintf(rv, sizeof(rv), "%llu", (unsigned long long)version);
	out = xmalloc((size_t)(at - text) + (size_t)n + strlen(end) + 1);
	memcpy(out, text, (size_t)(at - text));
	memcpy(out + (at - text), rv, (size_t)n);
	strcpy(out + (at - text) + n, end);
	return out;
}

char *
kobj_text_at(const struct kobj *o, uint64_t rv)
{
	return with_version(o->text, rv);
}

struct kobj *
kobj_new(enum kid kid, struct json_object *tree, const char *text, uint64_t rv)
{
	struct kobj *o = xcalloc(1, sizeof(*o));
	struct json_object *meta = json_object_object_get(tree, "metadata");
	struct json_object *labels = json_object_object_get(meta, "labels");
	const char *name = string_at(meta, "name", NULL);

	o->refs = 1;
	o->kid = kid;
	o->rv = rv;
	o->ns = xstrdup(kresource(kid)->namespaced ?
		string_at(meta, "namespace", NULL) :
		"");
	o->key =
	    o->ns[0] != '\0' ? xasprintf("%s/%s", o->ns, name) : xstrdup(name);
	o->name = o->key + strlen(o->key) - strlen(name);
	snprintf(o->uid, sizeof(o->uid), "%s", string_at(meta, "uid", NULL));
	o->terminating = string_at(meta, "deletionTimestamp", NULL)[0] != '\0';
	fill(o, tree, labels);
	o->text = with_version(text, rv);
	o->len = strlen(o->text);
	return o;
}

void
kobj_ref(struct kobj *o)
{
	o->refs++;
}

void
kobj_unref(struct kobj *o)
{
	if (o == NULL || --o->refs != 0)
		return;
	free(o->key);
	free(o->ns);
	free(o->labels);
	free(o->strings);
	free(o->fields);
	free(o->text);
	free(o);
}

struct json_object *
kobj_tree(const struct kobj *o)
{
	return json_tokener_parse(o->text);
}
