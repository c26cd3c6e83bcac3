/* SPDX-License-Identifier: ISC */
/*
 * figures.c: the sums that a virtual node shows.
 *
 * Owns the rule of allocatable: Kubernetes' scheduler subtracts bound pods by
 * itself, so a pod whose device is not usable adds its requests back, else
 * its replacement would never bind.
 */
#include "placer/figures.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

#include "common/form.h"
#include "common/settings.h"
#include "placer/pick.h"

enum {
	PAUSE_MS = 1000
};

static uint64_t
digest(const void *p, size_t len)
{
	const unsigned char *b = p;
	uint64_t h = 14695981039346656037ull;
	size_t i;

	for (i = 0; i < len; i++)
		h = (h ^ b[i]) * 1099511628211ull;
	return h;
}

static void
add_device(struct body_node_figures *f, const struct wdevice *d)
{
	struct fit_room room = fit_free(&d->total, &d->used);

	if (d->dev == NULL || d->gone || !d->dev->enrolled)
		return;
	f->devices++;
	f->devices_owned += d->dev->owner != NULL;
	f->capacity_cpu_m += (uint64_t)d->total.cpu_m;
	f->capacity_memory += (uint64_t)d->total.memory;
	f->capacity_pods += d->total.pods;
	if (pick_usable(d) != PICK_FITS)
		return;
	f->devices_ready++;
	f->allocatable_cpu_m += (uint64_t)d->total.cpu_m;
	f->allocatable_memory += (uint64_t)d->total.memory;
	f->allocatable_pods += d->total.pods;
	f->free_cpu_m += (uint64_t)room.cpu_m;
	f->free_memory += (uint64_t)room.memory;
	if ((uint64_t)room.cpu_m > f->largest_free_cpu_m)
		f->largest_free_cpu_m = (uint64_t)room.cpu_m;
	if ((uint64_t)room.memory > f->largest_free_memory)
		f->largest_free_memory = (uint64_t)room.memory;
}

static void
add_stranded(struct body_node_figures *f, const struct wdevice *d)
{
	const struct wpod *p;

	if (pick_usable(d) == PICK_FITS)
		return;
	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (p->pod == NULL)
			continue;
		f->allocatable_cpu_m += (uint64_t)p->room.cpu_m;
		f->allocatable_memory += (uint64_t)p->room.memory;
		f->allocatable_pods += p->room.pods;
	}
}

static void
cap(uint64_t *v, uint64_t most)
{
	if (*v > most)
		*v = most;
}

/*
 * What all devices have in that label (key NULL: as their architecture), or
 * NULL.  One without the label differs; one without an architecture has not
 * told it yet.
 */
static const char *
common(const struct wnode *n, const char *key)
{
	const struct wdevice *d;
	const char *all = NULL, *its;

	TAILQ_FOREACH(d, &n->devices, on_node) {
		if (d->dev == NULL || d->gone || !d->dev->enrolled)
			continue;
		its = key == NULL ? d->dev->arch : device_label(d->dev, key);
		if (its == NULL && key == NULL)
			continue;
		if (its == NULL || (all != NULL && strcmp(its, all) != 0))
			return NULL;
		all = its;
	}
	return all;
}

/* Of NODE_DEVICE_KEYS, those that the scheduler can match for all of them. */
static void
common_labels(const struct wnode *n, const char *keys, char *lines, size_t size)
{
	struct span words = span_of(keys), word;
	char key[MAX_LABEL_KEY + 1];
	const char *value;
	size_t at = 0;
	int len;

	while (form_next_word(&words, &word)) {
		(void)snprintf(key, sizeof(key), "%.*s", (int)word.len, word.p);
		if ((value = common(n, key)) == NULL ||
		    !form_is_label_value(span_of(value)))
			continue;
		len = snprintf(lines + at, size - at, "%s=%s\n", key, value);
		if (len < 0 || (size_t)len >= size - at) {
			lines[at] = '\0'; /* the rest has no room */
			return;
		}
		at += (size_t)len;
	}
}

void
figures_fill(const struct world *w, const struct wnode *n,
    struct body_node_figures *f)
{
	const struct wdevice *d;
	const char *arch = common(n, NULL);

	memset(f, 0, sizeof(*f));
	TAILQ_FOREACH(d, &n->devices, on_node) {
		add_device(f, d);
		add_stranded(f, d);
	}
	cap(&f->allocatable_cpu_m, f->capacity_cpu_m);
	cap(&f->allocatable_memory, f->capacity_memory);
	cap(&f->allocatable_pods, f->capacity_pods);
	f->flightctl = w->flight_state;
	(void)strlcpy(f->node, n->name, sizeof(f->node));
	(void)strlcpy(f->flightctl_text, w->flight_text,
	    sizeof(f->flightctl_text));
	if (arch != NULL)
		(void)strlcpy(f->arch, arch, sizeof(f->arch));
	common_labels(n, w->set->text[SET_NODE_DEVICE_KEYS], f->labels,
	    sizeof(f->labels));
}

/* Before both sides are known there is nobody to tell, or nothing. */
int64_t
figures_due(const struct world *w, const struct wnode *n)
{
	if (!n->figures_dirty || !w->kube_up || !w->flight_known)
		return INT64_MAX;
	return n->figures == 0 ? 0 : n->figures_boot + PAUSE_MS;
}

void
figures_look(struct world *w, struct wnode *n, struct now now,
    struct effects *fx)
{
	struct body_node_figures f;
	uint64_t sum;

	if (now.boot_ms < figures_due(w, n))
		return;
	n->figures_dirty = 0;
	n->figures_boot = now.boot_ms;
	figures_fill(w, n, &f);
	if ((sum = digest(&f, sizeof(f))) == n->figures)
		return;
	n->figures = sum;
	effects_add(fx, EFFECT_FIGURES)->node = n;
}
