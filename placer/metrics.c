/* SPDX-License-Identifier: ISC */
/*
 * metrics.c: the world as Prometheus text.
 *
 * Owns names and labels (metrics.def).  Pure.
 */
#include "placer/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "placer/former.h"
#include "placer/pick.h"

static const char *
fleet_of(const struct wdevice *d)
{
	return d->node != NULL ? d->node->fleet : "";
}

/* Label values: backslash, quote and newline are escaped. */
static void
put_value(FILE *f, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\\' || *s == '"')
			fputc('\\', f);
		if (*s == '\n')
			fputs("\\n", f);
		else
			fputc(*s, f);
	}
}

static void
write_pods(FILE *f, const struct world *w, const char *name)
{
	size_t counts[LIFE_NSTATES] = { 0 }, i;
	struct wpod_tree pods = w->pods;
	struct wpod *p;

	RB_FOREACH(p, wpod_tree, &pods)
		counts[p->state]++;
	for (i = 0; i < LIFE_NSTATES; i++)
		fprintf(f, "%s{status=\"%s\"} %zu\n", name,
		    life_state_name((enum life_state)i), counts[i]);
}

static const char *
status_of(const struct wdevice *d)
{
	switch (pick_usable(d)) {
	case PICK_FITS:
		return "Ready";
	case PICK_UNREAD:
		return "Unknown";
	case PICK_DISCONNECTED:
		return "Disconnected";
	case PICK_WISHES:
	case PICK_UNREADABLE:
	case PICK_NOT_ENROLLED:
	case PICK_OWNED:
	case PICK_DECOMMISSIONING:
	case PICK_CORDONED:
	case PICK_DRAINED:
	case PICK_RETIRED:
	case PICK_GIVEN_UP:
	case PICK_ISOLATING:
	case PICK_CONTESTED:
	case PICK_SPEC_INVALID:
	case PICK_FROZEN:
	case PICK_RESERVED:
	case PICK_NO_CPU:
	case PICK_NO_MEMORY:
	case PICK_NO_PODS:
	case PICK_NO_SPEC:
	case PICK_NO_PORT:
	case PICK_COUNT:
		break;
	}
	return "NotPlaceable";
}

static void
write_flightctl(FILE *f, const struct world *w, const char *name)
{
	static const char *const reasons[FLIGHT_STATES] = {
		[FLIGHT_SILENT] = "NotAnswering",
		[FLIGHT_ANSWERS] = "Answering",
		[FLIGHT_UNAUTHORIZED] = "Unauthorized",
		[FLIGHT_FORBIDDEN] = "Forbidden",
	};
	unsigned int i;

	for (i = 0; i < FLIGHT_STATES; i++)
		fprintf(f, "%s{reason=\"%s\"} %d\n", name, reasons[i],
		    w->flight_state == (enum flight_state)i);
}

static void
write_former(FILE *f, const struct world *w, const char *name)
{
	struct former_sum sum;
	size_t i;

	for (i = 0; i < w->nformer; i++) {
		sum = former_count(w, w->former[i]);
		if (!former_is_left(w->former[i], &sum))
			continue;
		fprintf(f, "%s{node=\"", name);
		put_value(f, w->former[i]->name);
		fprintf(f, "\"} %zu\n", sum.apps);
	}
}

static void
write_former_nodes(FILE *f, const struct world *w, const char *name)
{
	size_t i;

	for (i = 0; i < w->nformer; i++) {
		if (!w->former[i]->object || w->former[i]->served)
			continue;
		fprintf(f, "%s{node=\"", name);
		put_value(f, w->former[i]->name);
		fputs("\"} 1\n", f);
	}
}

static void
write_devices(FILE *f, const struct world *w, const char *name)
{
	static const char *const words[] = { "Ready", "Unknown", "Disconnected",
		"NotPlaceable" };
	const struct wdevice *d;
	size_t i, k, n;

	for (i = 0; i < w->nnodes; i++) {
		for (k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
			n = 0;
			TAILQ_FOREACH(d, &w->nodes[i].devices, on_node)
				n += strcmp(status_of(d), words[k]) == 0;
			fprintf(f, "%s{fleet=\"", name);
			put_value(f, w->nodes[i].fleet);
			fprintf(f, "\",status=\"%s\"} %zu\n", words[k], n);
		}
	}
}

static const char *
owner_of(const struct wdevice *d)
{
	return d->dev != NULL && !d->gone ? d->dev->owner : NULL;
}

/* That many of the node from d on; 0: they were counted before d. */
static size_t
count_owned(const struct wnode *n, const struct wdevice *d)
{
	const struct wdevice *e;
	size_t same = 0;
	int past = 0;

	TAILQ_FOREACH(e, &n->devices, on_node) {
		past |= e == d;
		if (owner_of(e) == NULL ||
		    strcmp(owner_of(e), owner_of(d)) != 0)
			continue;
		if (!past)
			return 0;
		same++;
	}
	return same;
}

static void
write_owned(FILE *f, const struct world *w, const char *name)
{
	const struct wdevice *d;
	size_t i, n;

	for (i = 0; i < w->nnodes; i++)
		TAILQ_FOREACH(d, &w->nodes[i].devices, on_node) {
			if (owner_of(d) == NULL ||
			    (n = count_owned(&w->nodes[i], d)) == 0)
				continue;
			fprintf(f, "%s{fleet=\"", name);
			put_value(f, w->nodes[i].fleet);
			fputs("\",owner=\"", f);
			put_value(f, owner_of(d));
			fprintf(f, "\"} %zu\n", n);
		}
}

static void
write_specs(FILE *f, const struct world *w, const char *name)
{
	const struct wdevice *d;
	size_t counts[SPEC_NSTATES], i, k;

	for (i = 0; i < w->nnodes; i++) {
		memset(counts, 0, sizeof(counts));
		TAILQ_FOREACH(d, &w->nodes[i].devices, on_node)
			counts[d->spec_state]++;
		for (k = 0; k < SPEC_NSTATES; k++) {
			fprintf(f, "%s{fleet=\"", name);
			put_value(f, w->nodes[i].fleet);
			fprintf(f, "\",state=\"%s\"} %zu\n",
			    spec_state_name((enum spec_state)k), counts[k]);
		}
	}
}

static void
device_labels(FILE *f, const struct wdevice *d)
{
	fputs("{fleet=\"", f);
	put_value(f, fleet_of(d));
	fputs("\",device=\"", f);
	put_value(f, d->name);
}

static void
write_capacity(FILE *f, const struct world *w, const char *name)
{
	struct wdevice_tree devices = w->devices;
	struct wdevice *d;

	RB_FOREACH(d, wdevice_tree, &devices) {
		if (d->dev == NULL)
			continue;
		fputs(name, f);
		device_labels(f, d);
		fprintf(f, "\",resource=\"cpu\"} %" PRId64 ".%03d\n",
		    d->total.cpu_m / 1000, (int)(d->total.cpu_m % 1000));
		fputs(name, f);
		device_labels(f, d);
		fprintf(f, "\",resource=\"memory\"} %" PRId64 "\n",
		    d->total.memory);
	}
}

static void
write_disconnections(FILE *f, const struct world *w, const char *name)
{
	struct wdevice_tree devices = w->devices;
	struct wdevice *d;

	RB_FOREACH(d, wdevice_tree, &devices) {
		if (d->disconnections == 0)
			continue;
		fputs(name, f);
		device_labels(f, d);
		fprintf(f, "\"} %" PRIu32 "\n", d->disconnections);
	}
}

static void
put_tally(FILE *f, const char *name, const char *label, const char *value,
    const struct tally *t)
{
	fprintf(f, "%s_sum{%s=\"", name, label);
	put_value(f, value);
	fprintf(f, "\"} %" PRId64 ".%06d\n", t->us / 1000000,
	    (int)(t->us % 1000000));
	fprintf(f, "%s_count{%s=\"", name, label);
	put_value(f, value);
	fprintf(f, "\"} %" PRIu64 "\n", t->n);
}

static void
write_deployments(FILE *f, const struct world *w, const char *name)
{
	struct wdevice_tree devices = w->devices;
	struct wdevice *d;

	RB_FOREACH(d, wdevice_tree, &devices)
		if (d->deployed.n > 0)
			put_tally(f, name, "device", d->name, &d->deployed);
}

static void
write_turns(FILE *f, const struct world *w, const char *name)
{
	put_tally(f, name, "operation", "plan", &w->planned);
	put_tally(f, name, "operation", "act", &w->acted);
}

static void
write_commits(FILE *f, const struct world *w, const char *name)
{
	fprintf(f, "%s %" PRIu64 "\n", name, w->commits);
}

static const struct {
	const char *name;
	const char *type;
	const char *help;
	void (*write)(FILE *, const struct world *, const char *);
} metrics[] = {
#define METRIC(name, type, writer, help) { #name, #type, help, write_##writer },
#include "placer/metrics.def"
#undef METRIC
};

char *
metrics_text(const struct world *w)
{
	char *text = NULL;
	size_t i, len;
	FILE *f;

	if ((f = open_memstream(&text, &len)) == NULL)
		abort();
	for (i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", metrics[i].name,
		    metrics[i].help, metrics[i].name, metrics[i].type);
		metrics[i].write(f, w, metrics[i].name);
	}
	if (fclose(f) != 0)
		abort();
	return text;
}
