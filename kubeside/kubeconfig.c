/* SPDX-License-Identifier: ISC */
/*
 * kubeconfig.c: one context out of a kubeconfig.
 *
 * Owns which members are honoured and which are refused by name.  Opens no
 * file and decodes nothing (creds.c).  The only file that sees yaml.h.
 */
#include "kubeside/kubeconfig.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "common/xmem.h"

enum where {
	IN_CLUSTER,
	IN_USER,
};

/* Every member that clients of Kubernetes know; the others are ignored. */
#define KEPT(where, key, member)                                      \
	{                                                             \
		where, key, offsetof(struct kubeconfig, member), NULL \
	}
#define REFUSED(where, key, why)   \
	{                          \
		where, key, 0, why \
	}
static const struct {
	enum where where;
	const char *key;
	size_t offset;
	const char *refused; /* NULL: kept at offset */
} members[] = {
	KEPT(IN_CLUSTER, "server", server),
	KEPT(IN_CLUSTER, "tls-server-name", server_name),
	KEPT(IN_CLUSTER, "certificate-authority", ca_file),
	KEPT(IN_CLUSTER, "certificate-authority-data", ca_data),
	KEPT(IN_CLUSTER, "proxy-url", proxy),
	KEPT(IN_USER, "client-certificate", cert_file),
	KEPT(IN_USER, "client-certificate-data", cert_data),
	KEPT(IN_USER, "client-key", key_file),
	KEPT(IN_USER, "client-key-data", key_data),
	KEPT(IN_USER, "token", token),
	KEPT(IN_USER, "tokenFile", token_file),
	REFUSED(IN_USER, "exec", "this process runs no programs"),
	REFUSED(IN_USER, "auth-provider", "was removed from Kubernetes"),
	REFUSED(IN_USER, "username", "passwords are not supported"),
	REFUSED(IN_USER, "password", "passwords are not supported"),
	REFUSED(IN_USER, "as", "impersonation is not supported"),
	REFUSED(IN_USER, "as-uid", "impersonation is not supported"),
	REFUSED(IN_USER, "as-groups", "impersonation is not supported"),
	REFUSED(IN_USER, "as-user-extra", "impersonation is not supported"),
};

static char **
member_at(struct kubeconfig *k, size_t offset)
{
	return (char **)(void *)((char *)k + offset);
}

void
kubeconfig_wipe(struct kubeconfig *k)
{
	char **s;
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (members[i].refused != NULL)
			continue;
		s = member_at(k, members[i].offset);
		if (*s != NULL)
			explicit_bzero(*s, strlen(*s));
		free(*s);
		*s = NULL;
	}
}

static const char *
scalar(const yaml_node_t *n)
{
	return n != NULL && n->type == YAML_SCALAR_NODE ?
	    (const char *)n->data.scalar.value :
	    NULL;
}

/* A member of a mapping, NULL: absent, or no mapping. */
static yaml_node_t *
member(yaml_document_t *doc, const yaml_node_t *map, const char *key)
{
	const yaml_node_pair_t *p;
	const char *name;

	if (map == NULL || map->type != YAML_MAPPING_NODE)
		return NULL;
	for (p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
	     p++) {
		name = scalar(yaml_document_get_node(doc, p->key));
		if (name != NULL && strcmp(name, key) == 0)
			return yaml_document_get_node(doc, p->value);
	}
	return NULL;
}

/* What is under `inner` in the element of `list` whose name is `name`. */
static yaml_node_t *
named(yaml_document_t *doc, const char *list, const char *name,
    const char *inner)
{
	yaml_node_t *seq, *e;
	const yaml_node_item_t *i;
	const char *s;

	seq = member(doc, yaml_document_get_root_node(doc), list);
	if (seq == NULL || seq->type != YAML_SEQUENCE_NODE)
		return NULL;
	for (i = seq->data.sequence.items.start;
	     i < seq->data.sequence.items.top; i++) {
		e = yaml_document_get_node(doc, *i);
		s = scalar(member(doc, e, "name"));
		if (s != NULL && strcmp(s, name) == 0)
			return member(doc, e, inner);
	}
	return NULL;
}

static int
take(yaml_document_t *doc, const yaml_node_t *from, enum where where,
    struct kubeconfig *k, struct why *why)
{
	const yaml_node_t *n;
	const char *s;
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (members[i].where != where)
			continue;
		n = member(doc, from, members[i].key);
		s = scalar(n);
		if (n == NULL || (s != NULL && s[0] == '\0'))
			continue;
		if (members[i].refused != NULL)
			return fail(why, ERR_DENIED, "%s: %s", members[i].key,
			    members[i].refused);
		if (s == NULL)
			return fail(why, ERR_FORMAT, "%s: not a string",
			    members[i].key);
		*member_at(k, members[i].offset) = xstrdup(s);
	}
	return 0;
}

/* Only an explicit "true" asks for it; that is refused. */
static int
check_verified(yaml_document_t *doc, const yaml_node_t *cluster,
    struct why *why)
{
	const char *s =
	    scalar(member(doc, cluster, "insecure-skip-tls-verify"));

	if (s == NULL || strcmp(s, "false") == 0)
		return 0;
	return fail(why, ERR_DENIED,
	    "insecure-skip-tls-verify: the server is always verified; give "
	    "certificate-authority or tls-server-name instead");
}

static int
take_context(yaml_document_t *doc, const char *name, struct kubeconfig *k,
    struct why *why)
{
	yaml_node_t *context, *from;
	const char *s;

	if (name[0] == '\0') {
		s = scalar(member(doc, yaml_document_get_root_node(doc),
		    "current-context"));
		if (s == NULL || s[0] == '\0')
			return fail(why, ERR_FORMAT,
			    "no current-context, and KUBE_CONTEXT is empty");
		name = s;
	}
	if ((context = named(doc, "contexts", name, "context")) == NULL)
		return fail(why, ERR_FORMAT, "no context %.100s", name);
	s = scalar(member(doc, context, "cluster"));
	from = s == NULL ? NULL : named(doc, "clusters", s, "cluster");
	if (from == NULL)
		return fail(why, ERR_FORMAT,
		    "context %.100s: its cluster is not there", name);
	if (check_verified(doc, from, why) == -1 ||
	    take(doc, from, IN_CLUSTER, k, why) == -1)
		return -1;
	if (k->server == NULL)
		return fail(why, ERR_FORMAT,
		    "context %.100s: its cluster has no server", name);
	s = scalar(member(doc, context, "user"));
	if (s == NULL || s[0] == '\0')
		return 0;
	if ((from = named(doc, "users", s, "user")) == NULL)
		return fail(why, ERR_FORMAT,
		    "context %.100s: its user is not there", name);
	return take(doc, from, IN_USER, k, why);
}

static void
wipe_document(yaml_document_t *doc)
{
	yaml_node_t *n;

	for (n = doc->nodes.start; n < doc->nodes.top; n++)
		if (n->type == YAML_SCALAR_NODE)
			explicit_bzero(n->data.scalar.value,
			    n->data.scalar.length);
	yaml_document_delete(doc);
}

int
kubeconfig_parse(struct span text, const char *context, struct kubeconfig *k,
    struct why *why)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	int r;

	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.p,
	    text.len);
	if (!yaml_parser_load(&parser, &doc)) {
		r = fail(why, ERR_FORMAT, "line %zu: %s",
		    parser.problem_mark.line + 1,
		    parser.problem == NULL ? "not YAML" : parser.problem);
		yaml_parser_delete(&parser);
		return r;
	}
	r = take_context(&doc, context, k, why);
	wipe_document(&doc);
	yaml_parser_delete(&parser);
	if (r == -1)
		kubeconfig_wipe(k);
	return r;
}
