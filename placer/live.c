/* SPDX-License-Identifier: ISC */
/*
 * live.c: files that change under a running pod.
 *
 * Owns when they are made anew.  Never touches an application's own entry;
 * never asks more often than objects.c allows.
 */
#include "placer/live.h"

#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/bytes.h"
#include "common/jread.h"
#include "common/xmem.h"
#include "placer/change.h"
#include "placer/facts.h"
#include "placer/live_own.h"
#include "placer/recipe.h"

void
live_drop_files(struct wlive *l)
{
	if (l->files != NULL)
		explicit_bzero(l->files, strlen(l->files));
	free(l->files);
	l->files = NULL;
}

static void
gather(struct world *w, struct wlive *l)
{
	size_t i;

	if (l->gathers)
		return;
	l->gathers = 1;
	for (i = 0; i < l->n; i++)
		objects_want(w, l->uses[i].object);
}

static void
let_go(struct wlive *l)
{
	size_t i;

	if (!l->gathers)
		return;
	l->gathers = 0;
	for (i = 0; i < l->n; i++)
		objects_unwant(l->uses[i].object);
}

void
live_leave(struct world *w, struct wpod *p)
{
	struct wlive *l = p->live;
	size_t i;

	if (l == NULL)
		return;
	let_go(l);
	for (i = 0; i < l->n; i++)
		objects_unuse(w, &l->uses[i]);
	live_drop_files(l);
	live_drop_old(l);
	free(l->complaint);
	free(l);
	p->live = NULL;
}

/* The objects are those of the recipe. */
static int
enter(struct world *w, struct wpod *p)
{
	struct quadlet_needs of;
	struct wlive *l;
	size_t i;

	if (p->live != NULL)
		return 1;
	if (quadlet_needs(span_of(p->pod->recipe), &of, NULL) == -1)
		return 0;
	l = p->live = xcalloc(1, sizeof(*l) + of.n * sizeof(l->uses[0]));
	for (l->n = i = 0; i < of.n; i++, l->n++) {
		l->uses[i].pod = p;
		objects_use(w, &l->uses[i], of.list[i].secret, of.list[i].name);
	}
	quadlet_needs_clear(&of);
	return 1;
}

static uint64_t
recipe_now(const struct wpod *p)
{
	return objects_version(span_of(p->pod->recipe));
}

void
live_translated(struct world *w, struct wpod *p,
    const struct quadlet_object *objects, size_t n)
{
	struct wobject *o;
	struct wlive *l;
	size_t i, k;

	live_leave(w, p);
	if (p->pod->recipe == NULL || !enter(w, p))
		return;
	l = p->live;
	l->recipe = recipe_now(p);
	for (i = 0; i < l->n; i++)
		for (k = 0; k < n; k++) {
			o = l->uses[i].object;
			if (objects[k].secret != objects_is_secret(o) ||
			    strcmp(objects[k].name, objects_name(o)) != 0)
				continue;
			l->uses[i].version = objects_version(objects[k].object);
			o->immutable |=
			    (uint8_t)objects_is_immutable(objects[k].object);
		}
}

/* -- making them anew -- */

static int
is_stale(const struct wpod *p, struct now now)
{
	const struct wlive *l = p->live;
	size_t i;

	if (l->again || (l->retry_boot != 0 && now.boot_ms >= l->retry_boot) ||
	    l->recipe != recipe_now(p))
		return 1;
	for (i = 0; i < l->n; i++)
		if (l->uses[i].object->version != 0 &&
		    l->uses[i].object->version != l->uses[i].version)
			return 1;
	return 0;
}

static int
is_gathered(const struct wlive *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (!l->uses[i].object->held)
			return 0;
	return 1;
}

void
live_complain(struct wlive *l, const char *text)
{
	uint64_t digest = objects_version(span_of(text));

	if (l->said == digest)
		return;
	l->said = digest;
	free(l->complaint);
	l->complaint = xstrdup(text);
}

static int
stands_there(const struct device *dev, const char *name, const char *config)
{
	AUTO_JSON struct json_object *json = jread_parse(span_of(config), NULL);

	return json != NULL && device_files(dev, name) == recipe_files(json);
}

/* The same entry in other bytes: files are root's where nobody says whose. */
static char *
other_bytes(const char *config)
{
	static const char files[] = "\"inline\":[{";
	const char *at = strstr(config, files);
	size_t n;

	if (at == NULL)
		return xstrdup(config);
	n = (size_t)(at - config) + sizeof(files) - 1;
	return xasprintf("%.*s\"user\":\"0\",%s", (int)n, config, config + n);
}

static void
take_again(struct wlive *l, const struct quadlet *q)
{
	l->odd = !l->odd;
	live_drop_files(l);
	if (q->nconfigs > 0)
		l->files = l->odd ? other_bytes(q->configs[0]) :
				    xstrdup(q->configs[0]);
}

/* The entries that differ from what stands in the device's spec. */
static void
take(struct wpod *p, const struct quadlet *q)
{
	struct bytes b = { NULL, 0, 0 };
	size_t i;

	for (i = 0; i < q->nconfigs; i++) {
		if (stands_there(p->device->dev, q->config_names[i],
			q->configs[i]))
			continue;
		if (b.len > 0)
			bytes_add_text(&b, "\n");
		bytes_add_text(&b, q->configs[i]);
	}
	live_drop_files(p->live);
	if (b.len > 0)
		bytes_add(&b, (struct span){ "", 1 });
	else
		p->filed_unsure = 0;
	p->live->files = b.p;
}

static void
render(const struct world *w, struct wpod *p)
{
	AUTO_FREE struct quadlet_object *objects = NULL;
	const struct app_entry *e = device_entry(p->device->dev, p->app);
	struct quadlet_in in = { .pod = span_of(p->pod->recipe),
		.app = p->app,
		.cluster = w->cluster,
		.node = p->node->name,
		.bytes = (size_t)e->bytes };
	struct wlive *l = p->live;
	struct quadlet q;
	struct why why;
	size_t i;

	objects = xcalloc(l->n + 1, sizeof(*objects));
	for (i = 0; i < l->n; i++)
		objects[i] = (struct quadlet_object){
			.name = objects_name(l->uses[i].object),
			.secret = objects_is_secret(l->uses[i].object),
			.object = { l->uses[i].object->bytes,
			    l->uses[i].object->len },
		};
	in.objects = objects;
	in.nobjects = l->n;
	l->retry_boot = 0;
	if (quadlet_live(&in, &q, &why) == -1) {
		live_complain(l, why.text);
	} else {
		l->said = 0;
		take(p, &q);
		if (l->again && l->files == NULL)
			take_again(l, &q);
		l->again = 0;
		quadlet_clear(&q);
	}
	l->recipe = recipe_now(p);
	for (i = 0; i < l->n; i++)
		l->uses[i].version = l->uses[i].object->version;
	let_go(l);
}

int
live_again(struct world *w, struct wpod *p)
{
	if (p->live == NULL || p->state != RUNNING)
		return 0;
	p->live->again = 1;
	world_look(w, p);
	return 1;
}

/* -- looks -- */

static void
tell(struct wpod *p, struct effects *fx)
{
	AUTO_FREE char *text = NULL;
	struct wlive *l = p->live;

	if (l->complaint == NULL)
		return;
	text = xasprintf("the files on device %s stay as they are: %s",
	    p->device->name, l->complaint);
	effects_event(fx, p, 1, "FailedMount", text);
	free(l->complaint);
	l->complaint = NULL;
}

static void
start_polls(struct world *w, struct wlive *l, struct now now)
{
	struct wobject *o;
	size_t i;

	for (i = 0; i < l->n; i++) {
		o = l->uses[i].object;
		if (!o->queued && !o->asked && !o->immutable)
			objects_wait(w, o, now);
	}
}

static void
make_anew(struct world *w, struct wpod *p, struct now now)
{
	if (p->flying != IO_NONE || facts_stale(p->device) ||
	    p->filed == FILED_BACK || p->filed == FILED_OLD ||
	    device_entry(p->device->dev, p->app) == NULL)
		return; /* the next read looks again */
	if (!is_stale(p, now)) {
		let_go(p->live);
		return;
	}
	gather(w, p->live);
	if (is_gathered(p->live))
		render(w, p);
}

static int
may_be_written(struct world *w, struct wpod *p)
{
	char text[MAX_TEXT];

	if (p->queued != IO_NONE || p->flying != IO_NONE ||
	    change_refusal(p->device, text) != NULL)
		return 0;
	if (p->filed == FILED_BACK)
		return 1;
	if (p->live->files == NULL || p->device->isolating || !live_may_try(p))
		return 0;
	if (!live_wants_old(p))
		return 1;
	p->device->want_read = READ_WRITE;
	world_look_device(w, p->device);
	return 0;
}

void
live_look(struct world *w, struct wpod *p, struct now now, struct effects *fx)
{
	if (p->pod == NULL || p->pod->recipe == NULL || p->pod->terminating ||
	    p->state == DONE) {
		live_leave(w, p);
		return;
	}
	if (p->state != RUNNING) {
		if (p->live != NULL)
			let_go(p->live);
		return;
	}
	if (!enter(w, p))
		return;
	make_anew(w, p, now);
	if (p->live->files == NULL && p->filed != FILED_BACK &&
	    p->queued == IO_FILES)
		change_queue(w, p, IO_NONE, now);
	start_polls(w, p->live, now);
	tell(p, fx);
	if (may_be_written(w, p))
		change_queue(w, p, IO_FILES, now);
}

/* -- objects -- */

/* A pod on whose behalf it may be asked for, or NULL. */
static const struct wpod *
asks(const struct wobject *o, struct now now)
{
	const struct wuse *use;

	TAILQ_FOREACH(use, &o->uses, link)
		if (use->pod->node != NULL &&
		    now.boot_ms < use->pod->node->until_boot)
			return use->pod;
	return NULL;
}

void
live_poll(struct world *w, struct now now, struct effects *fx)
{
	struct wobject *o;

	while (w->kube_up && (o = objects_next(w, now)) != NULL) {
		if (asks(o, now) == NULL)
			objects_wait(w, o, now);
		else
			effects_add(fx, EFFECT_POLL)->text = xstrdup(o->key);
	}
}

void
live_object(struct world *w, const char *key, struct span object,
    struct now now)
{
	struct wobject *o = objects_find(w, key);
	uint64_t version = objects_version(object);
	struct wuse *use;

	if (o == NULL)
		return;
	o->asked = 0;
	TAILQ_FOREACH(use, &o->uses, link) {
		if (use->version != version && use->pod->state == RUNNING)
			gather(w, use->pod->live);
		if (use->pod->live->gathers)
			world_look(w, use->pod);
	}
	objects_note(o, object);
	objects_wait(w, o, now);
}

void
live_unanswered(struct world *w, const char *key, const char *why,
    struct now now)
{
	AUTO_FREE char *text = NULL;
	struct wobject *o = objects_find(w, key);
	struct wuse *use;

	if (o == NULL)
		return;
	objects_wait(w, o, now);
	if (why == NULL)
		return;
	text = xasprintf("%s \"%s\" cannot be read: %s",
	    objects_is_secret(o) ? "secret" : "configmap", objects_name(o),
	    why);
	TAILQ_FOREACH(use, &o->uses, link) {
		live_complain(use->pod->live, text);
		world_look(w, use->pod);
	}
}

/* -- the write -- */

void
live_stored(struct wpod *p)
{
	if (p->live != NULL)
		live_drop_files(p->live);
}

void
live_denied(struct wpod *p, const char *text)
{
	if (p->live == NULL)
		return;
	live_drop_files(p->live);
	live_complain(p->live, text);
}
