/* SPDX-License-Identifier: ISC */
/*
 * settings_nodes.c: what only several settings together can say.
 *
 * Owns the names of virtual nodes (design 1) and the checks across settings.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/form.h"
#include "common/settings.h"

enum {
	NODE_MAX = 63, /* a node's name is also a label value */
	HASH_TEXT = 9, /* "-" and 8 digits */
};

static uint32_t
fnv1a(struct span s)
{
	uint32_t h = 2166136261u;
	size_t i;

	for (i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return h;
}

/*
 * "vk-flightctl-<fleet>" in lower case, other characters "-", and when that
 * changed or cut anything a hash of the fleet's name, so that two fleets have
 * two names.
 */
static void
name_node(struct fleet_node *n)
{
	char name[sizeof(n->node) + 16];
	int changed = 0, len;
	char *p;

	len = snprintf(name, sizeof(name), "vk-flightctl-%.253s", n->fleet);
	assert(len > 0 && (size_t)len < sizeof(name));
	for (p = name; *p != '\0'; p++) {
		if ((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ||
		    *p == '-')
			continue;
		changed = 1;
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : '-');
	}
	if (!changed && len <= NODE_MAX) {
		memcpy(n->node, name, (size_t)len + 1);
		return;
	}
	if (len > NODE_MAX - HASH_TEXT)
		len = NODE_MAX - HASH_TEXT;
	(void)snprintf(n->node, sizeof(n->node), "%.*s-%08x", len, name,
	    fnv1a(span_of(n->fleet)));
}

int
settings_nodes(const struct settings *s, struct fleet_node *nodes, size_t max,
    struct why *why)
{
	struct span words = span_of(s->text[SET_FLEET_ID]), word;
	const char *given = s->text[SET_NODE_NAME];
	size_t n = 0, i;

	if (words.len == 0)
		words.p = NULL;
	while (form_next_word(&words, &word)) {
		if (n == max)
			return fail(why, ERR_LIMIT,
			    "FLEET_ID: must be at "
			    "most %zu fleets",
			    max);
		memset(&nodes[n], 0, sizeof(nodes[n]));
		/* settings_set() took label values alone. */
		assert(word.len > 0 && word.len < sizeof(nodes[n].fleet));
		memcpy(nodes[n].fleet, word.p, word.len);
		name_node(&nodes[n]);
		for (i = 0; i < n; i++)
			if (strcmp(nodes[i].node, nodes[n].node) == 0)
				return fail(why, ERR_FORMAT,
				    "FLEET_ID: "
				    "must be fleets of different node names;"
				    " %s and %s both are %s",
				    nodes[i].fleet, nodes[n].fleet,
				    nodes[n].node);
		n++;
	}
	if (n == 0) {
		memset(&nodes[0], 0, sizeof(nodes[0]));
		memcpy(nodes[0].node, "vk-flightctl", sizeof("vk-flightctl"));
		n = 1;
	}
	if (given[0] == '\0')
		return (int)n;
	if (n > 1)
		return fail(why, ERR_FORMAT,
		    "NODE_NAME=%s: must be empty "
		    "with more than one fleet in FLEET_ID",
		    given);
	assert(strlen(given) < sizeof(nodes[0].node));
	memcpy(nodes[0].node, given, strlen(given) + 1);
	return 1;
}

static int
check_uids(const struct settings *s, struct why *why)
{
	struct span words = span_of(s->text[SET_UIDS]), word, seen[3];
	size_t n = 0, i;

	while (form_next_word(&words, &word)) {
		for (i = 0; i < n && n < 3; i++)
			if (seen[i].len == word.len &&
			    memcmp(seen[i].p, word.p, word.len) == 0)
				n = 3;
		if (n < 3)
			seen[n] = word;
		n++;
	}
	if (n == 3)
		return 0;
	return fail(why, ERR_FORMAT, "UIDS=%s: must be three different users",
	    s->text[SET_UIDS]);
}

uint32_t
settings_uid(const struct settings *s, enum proc p)
{
	struct span words = span_of(s->text[SET_UIDS]), word = { "", 0 };
	enum proc i = PROC_SUPERVISOR;

	while (i++ < p && form_next_word(&words, &word))
		continue;
	return (uint32_t)strtoul(word.p, NULL, 10);
}

static int
check_flightctl(const struct settings *s, struct why *why)
{
	if (s->text[SET_FLIGHTCTL_API_URL][0] == '\0')
		return fail(why, ERR_FORMAT,
		    "FLIGHTCTL_API_URL=: must be "
		    "https://HOST[:PORT], there is no default");
	if ((s->text[SET_FLIGHTCTL_CLIENT_CERT][0] == '\0') !=
	    (s->text[SET_FLIGHTCTL_CLIENT_KEY][0] == '\0'))
		return fail(why, ERR_FORMAT,
		    "FLIGHTCTL_CLIENT_%s=: must be "
		    "given, because FLIGHTCTL_CLIENT_%s is",
		    s->text[SET_FLIGHTCTL_CLIENT_CERT][0] == '\0' ? "CERT" :
								    "KEY",
		    s->text[SET_FLIGHTCTL_CLIENT_CERT][0] == '\0' ? "KEY" :
								    "CERT");
	return 0;
}

int
settings_check(const struct settings *s, enum proc p, struct why *why)
{
	struct fleet_node nodes[MAX_NODES];

	if ((p == PROC_SUPERVISOR || p == PROC_FLIGHTSIDE) &&
	    check_flightctl(s, why) == -1)
		return -1;
	if (check_uids(s, why) == -1)
		return -1;
	return settings_nodes(s, nodes, MAX_NODES, why) == -1 ? -1 : 0;
}
