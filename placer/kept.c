/* SPDX-License-Identifier: ISC */
/*
 * kept.c: what people ordered for a node, as its Lease keeps it.
 *
 * Owns that text, and which of two memories counts.  Never decides what an
 * order does (orders.c) or when the Lease is written (writer.c).
 */
#include "placer/kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/jread.h"
#include "common/stamp.h"
#include "common/xmem.h"

enum {
	CREATED_MAX = 64,
	ONE_MAX = MAX_NAME + 2 * CREATED_MAX, /* bytes of one device's order */
};

/* -- the text -- */

static void
put(struct json_object *o, const char *key, const struct worded *by,
    const char *created)
{
	struct json_object *order;
	char at[STAMP_SIZE];

	if (!by->on)
		return;
	stamp_format(by->at_ms, at);
	order = jmake_in(o, key);
	jmake_int(order, "uid", by->uid);
	jmake_str(order, "at", at);
	jmake_str(order, "created", created);
}

static void
put_list(struct json_object *o, const char *key, struct json_object **list)
{
	if (jread_members(*list) > 0)
		jmake_put(o, key, list);
}

char *
kept_text(const struct world *w, const struct wnode *n)
{
	AUTO_JSON struct json_object *drained = jmake_object();
	AUTO_JSON struct json_object *given_up = jmake_object();
	struct json_object *o = jmake_object();
	struct wdevice_tree devices = w->devices;
	struct wdevice *d;

	jmake_str(o, "by", w->memory);
	put(o, "retired", &n->retired, NULL);
	RB_FOREACH(d, wdevice_tree, &devices) {
		if (d->node != n)
			continue;
		put(drained, d->name, &d->drained, NULL);
		put(given_up, d->name, &d->given_up, d->given_up_created);
	}
	put_list(o, "drained", &drained);
	put_list(o, "givenUp", &given_up);
	return jmake_text(&o);
}

int
kept_has_room(const struct world *w, const struct wnode *n, char text[MAX_TEXT])
{
	AUTO_FREE char *all = NULL;

	if (n == NULL)
		return 1;
	all = kept_text(w, n);
	if (strlen(all) + ONE_MAX <= MAX_ORDERS)
		return 1;
	(void)snprintf(text, MAX_TEXT,
	    "the Lease of node %s has no room for more orders (%zu bytes of at "
	    "most %d): take others back, or retire the node",
	    n->name, strlen(all), MAX_ORDERS);
	return 0;
}

/* -- read -- */

struct order_text {
	int64_t uid;
	const char *at, *created;
};

static const struct jread_field order_fields[] = {
	JINT(struct order_text, uid, "uid", UINT32_MAX, REQUIRED),
	JSTR(struct order_text, at, "at", STAMP_SIZE, REQUIRED),
	JSTR(struct order_text, created, "created", CREATED_MAX, OPTIONAL),
};

struct kept_text {
	const char *by;
	struct json_object *retired, *drained, *given_up;
};

static const struct jread_field kept_fields[] = {
	JSTR(struct kept_text, by, "by", MAX_UID, REQUIRED),
	JOBJ(struct kept_text, retired, "retired", OPTIONAL),
	JOBJ(struct kept_text, drained, "drained", OPTIONAL),
	JOBJ(struct kept_text, given_up, "givenUp", OPTIONAL),
};

#define FIELDS(f) (f), sizeof(f) / sizeof((f)[0])

/* NULL: it does not hold.  *created, when asked for, is borrowed. */
static int
read_order(struct json_object *o, const char *key, struct worded *by,
    const char **created, struct why *why)
{
	struct order_text t = { 0 };

	*by = (struct worded){ 0 };
	if (o == NULL)
		return 0;
	if (jread_fields(o, key, FIELDS(order_fields), &t, why) == -1)
		return -1;
	*by = (struct worded){ 1, (uint32_t)t.uid, stamp_parse(t.at) };
	if (created != NULL)
		*created = t.created;
	return by->at_ms == -1 ? fail(why, ERR_FORMAT, "%s.at: no time", key) :
				 0;
}

static int
check_list(struct json_object *list, const char *key, struct why *why)
{
	struct lh_entry *at = NULL;
	struct json_object *o;
	struct worded by;
	const char *name;

	while (jread_next(list, &at, &name, &o)) {
		AUTO_FREE char *path =
		    xasprintf("%s.%.*s", key, MAX_NAME, name);

		if (read_order(o, path, &by, NULL, why) == -1)
			return -1;
	}
	return 0;
}

/* All of it, so that none is half taken. */
static int
check(struct json_object *tree, struct kept_text *t, struct why *why)
{
	struct worded by;

	memset(t, 0, sizeof(*t));
	if (jread_fields(tree, "", FIELDS(kept_fields), t, why) == -1 ||
	    read_order(t->retired, "retired", &by, NULL, why) == -1 ||
	    check_list(t->drained, "drained", why) == -1)
		return -1;
	return check_list(t->given_up, "givenUp", why);
}

void
kept_clear(struct wnode *n)
{
	json_object_put(n->before);
	free(n->kept);
	n->before = NULL;
	n->kept = NULL;
}

int
kept_told(struct world *w, const struct body_orders *m, struct why *why)
{
	AUTO_JSON struct json_object *tree = NULL;
	struct wnode *n = world_node(w, m->node);
	struct kept_text t;

	if (n == NULL)
		return 0;
	kept_clear(n);
	n->kept = xstrndup(m->orders.p, m->orders.len);
	n->keep = 1;
	if (m->orders.len == 0)
		return 0;
	if ((tree = jread_parse(m->orders, why)) == NULL ||
	    check(tree, &t, why) == -1)
		return -1;
	if (strcmp(t.by, w->memory) != 0)
		n->before = json_object_get(tree);
	return 0;
}

/* -- taken over -- */

static int
is_same(const struct worded *a, const struct worded *b)
{
	return a->on == b->on && a->uid == b->uid &&
	    a->at_ms / 1000 == b->at_ms / 1000;
}

static void
take_device(struct world *w, struct wdevice *d, const struct kept_text *t,
    struct effects *fx)
{
	struct worded drained, given_up;
	const char *created = NULL;

	(void)read_order(jread_member(t->drained, d->name), "", &drained, NULL,
	    NULL);
	(void)read_order(jread_member(t->given_up, d->name), "", &given_up,
	    &created, NULL);
	if (is_same(&drained, &d->drained) && is_same(&given_up, &d->given_up))
		return;
	d->drained = drained;
	d->given_up = given_up;
	free(d->given_up_created);
	d->given_up_created = created != NULL ? xstrdup(created) : NULL;
	effects_add(fx, EFFECT_WORD)->device = d;
	world_device_changed(d);
	world_look_pods_of(w, d);
	world_look_device(w, d);
}

static void
take(struct world *w, struct wnode *n, struct effects *fx)
{
	struct kept_text t;
	struct worded retired;
	struct wdevice *d;
	struct effect *e;

	if (check(n->before, &t, NULL) == -1)
		abort(); /* it was looked at when it came */
	(void)read_order(t.retired, "", &retired, NULL, NULL);
	e = effects_add(fx, EFFECT_KEPT);
	e->node = n;
	e->text = xasprintf("%zu devices drained, %zu given up%s",
	    jread_members(t.drained), jread_members(t.given_up),
	    retired.on ? ", the node retired" : "");
	if (!is_same(&retired, &n->retired)) {
		n->retired = retired;
		effects_add(fx, EFFECT_WORD)->node = n;
		TAILQ_FOREACH(d, &n->devices, on_node) {
			world_device_changed(d);
			world_look_pods_of(w, d);
			world_look_device(w, d);
		}
	}
	TAILQ_FOREACH(d, &n->devices, on_node)
		take_device(w, d, &t, fx);
	n->retry = 1;
	json_object_put(n->before);
	n->before = NULL;
}

void
kept_take(struct world *w, struct effects *fx)
{
	struct wnode *n;

	if (!w->devices_listed)
		return;
	for (n = w->nodes; n < w->nodes + w->nnodes; n++)
		if (n->before != NULL)
			take(w, n, fx);
}

/* -- and kept -- */

void
kept_stale(struct wnode *n)
{
	if (n != NULL)
		n->keep = 1;
}

static int
holds_any(const struct wnode *n)
{
	const struct wdevice *d;

	TAILQ_FOREACH(d, &n->devices, on_node)
		if (d->drained.on || d->given_up.on)
			return 1;
	return n->retired.on;
}

const char *
kept_next(const struct world *w, struct wnode *n, struct now now)
{
	AUTO_FREE char *text = NULL;

	if (!n->keep || n->before != NULL || n->kept == NULL ||
	    !w->devices_listed || now.boot_ms >= n->until_boot)
		return NULL;
	n->keep = 0;
	text = kept_text(w, n);
	if (strcmp(text, n->kept) == 0 || (*n->kept == '\0' && !holds_any(n)))
		return NULL;
	free(n->kept);
	n->kept = text;
	text = NULL;
	return n->kept;
}
