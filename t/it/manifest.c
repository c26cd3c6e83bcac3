/* SPDX-License-Identifier: ISC */
/*
 * manifest.c: YAML as trees.
 *
 * Owns the parser.  Never knows what the documents are about.
 */
#include "t/it/manifest.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/why.h"

static struct json_object *tree(yaml_document_t *, const yaml_node_t *);

static struct json_object *
tree_at(yaml_document_t *doc, int index)
{
	return tree(doc, yaml_document_get_node(doc, index));
}

static struct json_object *
list(yaml_document_t *doc, const yaml_node_t *n)
{
	struct json_object *o = json_object_new_array();
	const yaml_node_item_t *i;

	for (i = n->data.sequence.items.start; i < n->data.sequence.items.top;
	     i++)
		json_object_array_add(o, tree_at(doc, *i));
	return o;
}

static struct json_object *
map(yaml_document_t *doc, const yaml_node_t *n)
{
	struct json_object *o = json_object_new_object(), *key;
	const yaml_node_pair_t *p;

	for (p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top;
	     p++) {
		key = tree_at(doc, p->key);
		json_object_object_add(o, json_object_get_string(key),
		    tree_at(doc, p->value));
		json_object_put(key);
	}
	return o;
}

static struct json_object *
tree(yaml_document_t *doc, const yaml_node_t *n)
{
	if (n->type == YAML_SEQUENCE_NODE)
		return list(doc, n);
	if (n->type == YAML_MAPPING_NODE)
		return map(doc, n);
	return json_object_new_string_len((const char *)n->data.scalar.value,
	    (int)n->data.scalar.length);
}

/* 1: one more; 0: the end; -1: no YAML. */
static int
next_document(yaml_parser_t *parser, struct json_object *all)
{
	yaml_document_t doc;
	yaml_node_t *root;

	if (!yaml_parser_load(parser, &doc))
		return -1;
	if ((root = yaml_document_get_root_node(&doc)) != NULL)
		json_object_array_add(all, tree(&doc, root));
	yaml_document_delete(&doc);
	return root != NULL;
}

struct json_object *
manifest_read(const char *path, struct why *why)
{
	AUTO_JSON struct json_object *all = json_object_new_array();
	FILE *f = fopen(path, "re");
	yaml_parser_t parser;
	int r;

	if (f == NULL) {
		fail(why, ERR_SYSTEM, "%s: %m", path);
		return NULL;
	}
	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_input_file(&parser, f);
	while ((r = next_document(&parser, all)) == 1)
		continue;
	if (r == -1)
		fail(why, ERR_FORMAT, "%s: line %zu: %s", path,
		    parser.problem_mark.line + 1, parser.problem);
	yaml_parser_delete(&parser);
	(void)fclose(f);
	return r == -1 ? NULL : steal(&all);
}
