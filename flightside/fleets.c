/* SPDX-License-Identifier: ISC */
/*
 * fleets.c: which devices are ours to serve.  Owns the list of fleets; their
 * virtual nodes are of no concern here.
 */
#include "flightside/fleets.h"

#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/scan.h"
#include "common/xmem.h"

enum {
	SELECTOR_MAX = 500, /* escaped threefold at worst, URLs end at 2000 */
};

struct fleets {
	char *key;
	struct fleet_node nodes[MAX_NODES];
	size_t n;
	char *selectors[MAX_NODES];
	size_t nselectors;
};

static void
make_selectors(struct fleets *f)
{
	struct bytes b = { NULL, 0, 0 };
	size_t i;

	for (i = 0; i < f->n; i++) {
		if (b.len == 0) {
			bytes_add_text(&b, f->key);
			bytes_add_text(&b, " in (");
		} else
			bytes_add_text(&b, ",");
		bytes_add_text(&b, f->nodes[i].fleet);
		if (i + 1 < f->n &&
		    b.len + strlen(f->nodes[i + 1].fleet) < SELECTOR_MAX)
			continue;
		bytes_add_text(&b, ")");
		bytes_add(&b, (struct span){ "", 1 });
		f->selectors[f->nselectors++] = b.p;
		b = (struct bytes){ NULL, 0, 0 };
	}
}

struct fleets *
fleets_new(const struct settings *s, struct why *why)
{
	struct fleets *f = xcalloc(1, sizeof(*f));
	int n = settings_nodes(s, f->nodes, MAX_NODES, why);

	if (n == -1) {
		free(f);
		return NULL;
	}
	f->key = xstrdup(s->text[SET_FLEET_LABEL]);
	if (n > 1 || f->nodes[0].fleet[0] != '\0')
		f->n = (size_t)n;
	make_selectors(f);
	return f;
}

void
fleets_free(struct fleets *f)
{
	size_t i;

	if (f == NULL)
		return;
	for (i = 0; i < f->nselectors; i++)
		free(f->selectors[i]);
	free(f->key);
	free(f);
}

const char *
fleets_named(const struct fleets *f, struct span labels)
{
	char value[MAX_NAME + 1];
	size_t i;

	if (labels.len == 0 ||
	    scan_get_string(labels, value, sizeof(value), f->key, NULL) != 1)
		return NULL;
	for (i = 0; i < f->n; i++)
		if (strcmp(f->nodes[i].fleet, value) == 0)
			return f->nodes[i].fleet;
	return NULL;
}

int
fleets_have(const struct fleets *f, const struct base *b)
{
	return f->n == 0 || fleets_named(f, b->labels) != NULL;
}

size_t
fleets_count(const struct fleets *f)
{
	return f->nselectors > 0 ? f->nselectors : 1;
}

const char *
fleets_selector(const struct fleets *f, size_t i)
{
	return f->selectors[i];
}
