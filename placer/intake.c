/* SPDX-License-Identifier: ISC */
/*
 * intake.c: what kubeside and flightside tell goes into the world.
 *
 * Owns the rules of complete lists: absence means something only at the end
 * of one.  A malformed item is one log line and harms nobody else.
 */
#include "placer/intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/jread.h"
#include "common/log.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "placer/change.h"
#include "placer/edit.h"
#include "placer/former.h"
#include "placer/identity.h"
#include "placer/live.h"
#include "placer/orders.h"
#include "placer/proof.h"
#include "placer/suspect.h"
#include "placer/taken.h"

enum {
	LINK_MS = 10 * 1000 /* flightside may be away so long unsaid */
};

/* -- pods -- */

void
intake_writer(struct world *w, const struct body_writer *m, struct now now)
{
	struct wdevice *d;
	struct wnode *n;
	struct wpod *p;
	int was;

	if ((n = world_node(w, m->node)) == NULL &&
	    (n = former_find(w, m->node)) == NULL)
		return;
	if (n->is_former && !n->purge.on)
		return; /* it is over */
	was = now.boot_ms < n->until_boot;
	n->until_boot = (int64_t)m->until_boot;
	if (was || now.boot_ms >= n->until_boot)
		return;
	log_line(LOG_LEVEL_INFO,
	    &(struct log_about){ .operation = "writer", .fleet = n->fleet },
	    "node %s: this provider %s", n->name,
	    n->is_former ? "purges it" : "is its writer");
	w->want_list = 1;
	/* What the writer before us did last is in no older list. */
	if (!n->is_former) {
		w->writer_boot = now.boot_ms;
		w->devices_listed = 0;
	}
	TAILQ_FOREACH(d, &n->devices, on_node)
		d->ours = 0;
	RB_FOREACH(p, wpod_tree, &w->pods)
		if (p->node == n)
			world_look(w, p);
}

void
intake_former(struct world *w, const struct body_former *m)
{
	former_nodes(w, m->nodes);
}

void
intake_node(struct world *w, const struct body_node *m)
{
	AUTO_JSON struct json_object *j = NULL;
	struct wnode *n = world_node(w, m->node);
	struct lh_entry *e = NULL;
	struct json_object *v;
	struct label *labels;
	const char *key;
	struct why why = { 0 };
	size_t count = 0;

	if (n == NULL)
		return;
	if ((j = jread_parse(m->labels, &why)) == NULL) {
		log_line(LOG_LEVEL_WARN,
		    &(struct log_about){ .operation = "node",
			.fleet = n->fleet,
			.error = why.text },
		    "the labels of node %s cannot be read", m->node);
		return;
	}
	labels = xcalloc(jread_members(j), sizeof(*labels));
	while (jread_next(j, &e, &key, &v))
		if (jread_string(v) != NULL)
			labels[count++] = (struct label){ xstrdup(key),
				xstrdup(jread_string(v)) };
	world_set_node_labels(n, labels, count);
}

void
intake_pods_begin(struct world *w, const struct body_pods *m)
{
	struct wnode *n;
	struct wpod *p;

	if ((n = world_node(w, m->node)) == NULL)
		return;
	n->listing = 1;
	RB_FOREACH(p, wpod_tree, &w->pods)
		if (p->node == n)
			p->listed = 0;
}

/* It is there: a list with it does not say that it is gone. */
static void
refuse_pod(struct world *w, struct span object, const struct why *why)
{
	struct span ns = { "", 0 }, name = { "", 0 }, uid = { "", 0 };
	char pod[MAX_NAMESPACE + MAX_NAME + 2], id[MAX_UID + 1];
	struct wpod *p;

	(void)pod_identity(object, &ns, &name, &uid);
	(void)snprintf(id, sizeof(id), "%.*s", (int)uid.len, uid.p);
	if ((p = world_pod(w, id)) != NULL)
		p->listed = 1;
	(void)snprintf(pod, sizeof(pod), "%.*s/%.*s", (int)ns.len, ns.p,
	    (int)name.len, name.p);
	log_line(LOG_LEVEL_WARN,
	    &(struct log_about){ .operation = "pod",
		.pod = pod,
		.error = why->text },
	    "a pod that cannot be read is left alone");
}

/* The bytes are kept only for a translation that is still to be made. */
static void
keep_raw(struct wpod *p, struct span object)
{
	int wanted;

	wanted = !p->pod->terminating &&
	    p->pod->seen.phase != PHASE_SUCCEEDED &&
	    p->pod->seen.phase != PHASE_FAILED &&
	    (p->has_entry == 0 || p->pod->images != p->rendered_images);
	if (p->device != NULL && p->pod->images == p->sent_images &&
	    p->needs == NULL)
		wanted = 0;
	free(p->raw);
	p->raw = NULL;
	p->raw_len = 0;
	if (!wanted)
		return;
	p->raw = xmalloc(object.len);
	memcpy(p->raw, object.p, object.len);
	p->raw_len = object.len;
}

static void
note_wish(struct wpod *p, const struct why *why)
{
	if (why->kind != ERR_DENIED)
		return;
	log_line(LOG_LEVEL_WARN,
	    &(struct log_about){ .operation = "pod",
		.ns = p->ns,
		.pod = p->name,
		.error = why->text },
	    "a wish of the pod is malformed and is not followed");
}

void
intake_pod(struct world *w, const struct body_pod *m)
{
	struct why why = { .kind = ERR_NONE };
	struct pod *pod;
	struct wpod *p;

	if ((pod = pod_parse(m->object, &why)) == NULL) {
		refuse_pod(w, m->object, &why);
		return;
	}
	/* kubeside asks for those of our nodes alone, and looks again. */
	if (strcmp(pod->node, m->node) != 0 || world_node(w, m->node) == NULL) {
		log_line(LOG_LEVEL_WARN,
		    &(struct log_about){ .operation = "pod",
			.ns = pod->ns,
			.pod = pod->name },
		    "a pod that is not of a node of ours is left alone");
		pod_free(pod);
		return;
	}
	p = world_pod(w, pod->uid);
	if (m->how == POD_DELETED) {
		if (p != NULL)
			world_no_pod(w, p);
		pod_free(pod);
		return;
	}
	if (p == NULL) {
		if (w->npods >= MAX_PODS) {
			log_line(LOG_LEVEL_ERROR,
			    &(struct log_about){ .operation = "pod",
				.ns = pod->ns,
				.pod = pod->name },
			    "more than %d pods: it is not taken", MAX_PODS);
			pod_free(pod);
			return;
		}
		p = world_add_pod(w, pod->uid, pod->ns, pod->name);
	}
	p->listed = 1;
	world_set_pod(w, p, pod);
	note_wish(p, &why);
	keep_raw(p, m->object);
}

void
intake_pods_end(struct world *w, const struct body_pods *m)
{
	struct wnode *n;
	struct wpod *p;

	if ((n = world_node(w, m->node)) == NULL || !n->listing)
		return;
	n->listing = 0;
	n->pods_listed = 1;
	n->figures_dirty = 1;
	proof_list(w);
	RB_FOREACH(p, wpod_tree, &w->pods) {
		if (p->node != n)
			continue;
		if (!p->listed)
			world_no_pod(w, p);
		world_look(w, p);
	}
}

void
intake_kube_lost(struct world *w)
{
	size_t i;

	w->kube_up = w->kube_reachable = 0;
	for (i = 0; i < w->nnodes; i++) {
		w->nodes[i].pods_listed = w->nodes[i].listing = 0;
		w->nodes[i].until_boot = 0;
		w->nodes[i].figures = 0;
		w->nodes[i].figures_dirty = 1;
	}
	for (i = 0; i < w->nformer; i++)
		w->former[i]->until_boot = 0;
}

/* -- devices -- */

static void
all_figures(struct world *w)
{
	size_t i;

	for (i = 0; i < w->nnodes; i++)
		w->nodes[i].figures_dirty = 1;
}

void
intake_flight_state(struct world *w, const struct body_flight_state *m,
    struct now now)
{
	int usable = m->state == FLIGHT_ANSWERS;
	struct wdevice *d;

	pace_slow(&w->pace, m->rate, now.boot_ms);
	if (usable && w->flight_outage)
		w->flight_since = now.boot_ms;
	w->flight_outage = !usable;
	w->flight_reachable = (uint8_t)usable;
	w->flight_state = m->state < FLIGHT_STATES ?
	    (enum flight_state)m->state :
	    FLIGHT_SILENT;
	if (!usable)
		w->flight_known = 1;
	(void)snprintf(w->flight_text, sizeof(w->flight_text), "%s", m->text);
	all_figures(w);
	RB_FOREACH(d, wdevice_tree, &w->devices)
		world_look_device(w, d);
}

void
intake_devices_begin(struct world *w, const struct body_devices *m)
{
	struct wdevice *d;

	w->list_boot = (int64_t)m->read_boot;
	RB_FOREACH(d, wdevice_tree, &w->devices)
		d->listed = 0;
}

static void
refuse_device(struct world *w, struct wdevice *d, const char *text)
{
	int was = d->unreadable;

	d->unreadable = 1;
	world_device_changed(d);
	world_look_pods_of(w, d);
	if (was)
		return;
	log_line(LOG_LEVEL_WARN,
	    &(struct log_about){ .operation = "device",
		.device = d->name,
		.fleet = d->node == NULL ? NULL : d->node->fleet,
		.error = text },
	    "the device is frozen: what it says cannot be read");
}

/* Told once for each unit; all else that the device says counts. */
static void
complain_of_unit(const struct device *dev, const struct device *before)
{
	const char *odd = dev->exits.odd;

	if (odd == NULL ||
	    (before != NULL && before->exits.odd != NULL &&
		strcmp(before->exits.odd, odd) == 0))
		return;
	log_line(LOG_LEVEL_WARN,
	    &(struct log_about){ .operation = "device",
		.device = dev->name,
		.error = odd },
	    "a unit of status.systemd does not tell how its container ended");
}

/* What was adopted: its entry is learnt from where it stands. */
static void
recover_entries(struct wdevice *d, struct span object, struct effects *fx)
{
	const struct app_entry *e;
	struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (!p->adopted || p->has_entry || p->entry != NULL ||
		    p->pod == NULL || p->pod->uses_secrets ||
		    (e = device_entry(d->dev, p->app)) == NULL ||
		    e->images == 0 ||
		    (p->entry = edit_recover(object, p->app)) == NULL)
			continue;
		p->has_entry = 1;
		p->rendered_images = e->images;
		effects_pod(fx, EFFECT_SEAT, p);
		effects_pod(fx, EFFECT_ENTRY, p);
	}
}

static void
take_device(struct world *w, struct device *dev, const struct body_device *m,
    struct now now, struct effects *fx)
{
	int64_t read_boot = (int64_t)m->read_boot;
	struct wdevice *d = world_device_or_new(w, dev->name);
	int first;

	d->listed = 1;
	if (d->dev != NULL && read_boot < d->read_boot) {
		device_free(dev); /* an answer that was overtaken */
		return;
	}
	first = d->dev == NULL;
	complain_of_unit(dev, d->dev);
	world_set_device(w, d, dev, read_boot);
	if (first)
		suspect_first_read(w, d);
	recover_entries(d, m->object, fx);
	live_read(d, m->object);
	change_read(w, d, now, fx);
}

void
intake_device(struct world *w, const struct body_device *m, struct now now,
    struct effects *fx)
{
	char name[MAX_NAME + 1];
	struct wdevice *d;
	struct device *dev;
	struct why why;

	if ((dev = device_parse(m->object, w->prefix, &why)) != NULL) {
		take_device(w, dev, m, now, fx);
		return;
	}
	if (scan_get_string(m->object, name, sizeof(name), "metadata", "name",
		NULL) != 1) {
		log_line(LOG_LEVEL_WARN,
		    &(struct log_about){ .operation = "device",
			.error = why.text },
		    "a device without a name is left alone");
		return;
	}
	d = world_device_or_new(w, name);
	d->listed = 1;
	refuse_device(w, d, why.text);
}

void
intake_device_bad(struct world *w, const struct body_device_bad *m)
{
	struct wdevice *d;

	if (world_device(w, m->name) == NULL &&
	    (m->kind == ERR_GONE || !identity_is_plain(m->name)))
		return;
	d = world_device_or_new(w, m->name);
	d->listed = 1;
	if (m->kind != ERR_GONE) {
		refuse_device(w, d, m->text);
		return;
	}
	if (!d->gone)
		log_line(LOG_LEVEL_INFO,
		    &(struct log_about){ .operation = "device",
			.device = d->name },
		    "Flightctl has no such device any more");
	d->gone = 1;
	if (TAILQ_EMPTY(&d->pods) && !orders_hold(d)) {
		world_drop_device(w, d);
		return;
	}
	world_device_changed(d);
	world_look_device(w, d); /* orders end */
	world_look_pods_of(w, d);
}

/* The mistake that leaves a node without a single device. */
static void
look_at_owners(struct wnode *n)
{
	const struct wdevice *d;
	const struct log_about about = { .operation = "device",
		.fleet = n->fleet };
	const char *owner = NULL;
	size_t owned = 0;

	TAILQ_FOREACH(d, &n->devices, on_node) {
		if (d->dev == NULL || d->dev->owner == NULL)
			continue;
		owner = d->dev->owner;
		owned++;
	}
	if ((owned > 0 && owned == n->ndevices) == n->owned)
		return;
	n->owned = !n->owned;
	if (!n->owned)
		log_line(LOG_LEVEL_INFO, &about,
		    "node %s: not every device is owned by a Fleet any more",
		    n->name);
	else
		log_line(LOG_LEVEL_WARN, &about,
		    "node %s: every device (%zu) is owned by a Fleet of "
		    "Flightctl, the last by %s: no pod can be placed",
		    n->name, owned, owner);
}

void
intake_devices_end(struct world *w, const struct body_devices *m)
{
	struct wdevice *d;
	struct wpod *p;
	size_t i;
	int first = !w->devices_listed;

	if (!m->complete)
		return;
	w->devices_listed = w->list_boot >= w->writer_boot;
	w->flight_known = 1;
	w->former_stale = 1;
	w->rounds++;
	w->round_boot = (int64_t)m->read_boot;
	all_figures(w);
	RB_FOREACH(d, wdevice_tree, &w->devices) {
		if (!d->listed && !d->gone)
			world_suspect(d); /* absent is not yet gone */
		if (!d->listed)
			world_look_device(w, d);
		taken_thaw(w, d);
	}
	for (i = 0; i < w->nnodes; i++)
		look_at_owners(&w->nodes[i]);
	if (first && w->devices_listed) {
		proof_list(w);
		w->seek_all = 1;
		world_look_all(w);
	}
	RB_FOREACH(p, wpod_tree, &w->pods)
		if (p->adopted)
			world_look(w, p); /* an orphan no longer new */
}

void
intake_flight_linked(struct world *w)
{
	w->flight_up = 1;
	w->flight_lost_boot = 0;
}

void
intake_flight_lost(struct world *w, struct now now)
{
	w->flight_up = 0;
	w->devices_listed = 0;
	w->flight_lost_boot = now.boot_ms;
}

int64_t
intake_due(const struct world *w)
{
	return w->flight_lost_boot == 0 ? INT64_MAX :
					  w->flight_lost_boot + LINK_MS;
}

/* Whether Flightctl answers nobody can tell: that is as if it did not. */
static void
note_reach(struct reach *r, int answers, struct now now)
{
	if (r->since_boot != 0 && r->answers == answers)
		return;
	r->answers = (uint8_t)answers;
	r->since_boot = now.boot_ms;
}

void
intake_look(struct world *w, struct now now)
{
	static const struct body_flight_state away = { .state = FLIGHT_SILENT,
		.text = "flightside is away" };

	note_reach(&w->kube_reach, w->kube_up && w->kube_reachable, now);
	note_reach(&w->flight_reach, w->flight_up && w->flight_reachable, now);
	if (now.boot_ms < intake_due(w))
		return;
	w->flight_lost_boot = 0;
	intake_flight_state(w, &away, now);
}
