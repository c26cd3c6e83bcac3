/* SPDX-License-Identifier: ISC */
/*
 * command.c: answers vkfctl.
 *
 * Owns the commands and the members of their rows, which are vkfctl's columns
 * (vkfctl(8) has the same names).
 */
#include "placer/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/jmake.h"
#include "common/stamp.h"
#include "common/xmem.h"
#include "placer/pick.h"

/* The rows so far. */
struct answer {
	const struct world *world;
	struct store *store;
	FILE *f;
	size_t n;
	int failed; /* the database could not be read */
};

static void
put_row(struct answer *a, struct json_object *row)
{
	char *text = jmake_text(&row);

	fprintf(a->f, "%s\n", text);
	free(text);
	a->n++;
}

static const char *
yes_no(int is)
{
	return is ? "yes" : "no";
}

static void
put_device(struct answer *a, const struct wdevice *d)
{
	struct fit_room room = fit_free(&d->total, &d->used);
	struct json_object *row = jmake_object();

	jmake_str(row, "device", d->name);
	jmake_str(row, "fleet", d->node == NULL ? "" : d->node->fleet);
	jmake_str(row, "status",
	    d->dev == NULL ? "" : device_summary_word(d->dev->summary));
	jmake_str(row, "placeable", pick_words(pick_usable(d)));
	jmake_int(row, "pods", (int64_t)d->npods);
	jmake_int(row, "cpu-free-m", room.cpu_m);
	jmake_int(row, "cpu-m", d->total.cpu_m);
	jmake_int(row, "memory-free", room.memory);
	jmake_int(row, "memory", d->total.memory);
	put_row(a, row);
}

static void
put_devices(struct answer *a)
{
	const struct world *w = a->world;
	struct wdevice_tree devices = w->devices;
	struct wdevice *d;

	RB_FOREACH(d, wdevice_tree, &devices)
		put_device(a, d);
}

static void
put_pod(struct answer *a, const struct wpod *p)
{
	struct json_object *row = jmake_object();

	jmake_str(row, "namespace", p->ns);
	jmake_str(row, "pod", p->name);
	jmake_str(row, "node", p->node == NULL ? "" : p->node->name);
	jmake_str(row, "device", p->device == NULL ? "" : p->device->name);
	jmake_str(row, "state", life_state_name(p->state));
	jmake_int(row, "rule", p->rule);
	jmake_str(row, "why", p->why_waits == NULL ? "" : p->why_waits);
	put_row(a, row);
}

static void
put_pods(struct answer *a)
{
	const struct world *w = a->world;
	struct wname_tree names = w->names;
	struct wpod *p;

	RB_FOREACH(p, wname_tree, &names)
		put_pod(a, p);
}

static void
put_fleets(struct answer *a)
{
	const struct world *w = a->world;
	const struct wnode *n;
	const struct wpod *p;
	struct json_object *row;
	int64_t waiting;

	for (n = w->nodes; n < w->nodes + w->nnodes; n++) {
		waiting = 0;
		TAILQ_FOREACH(p, &n->waiting, waits)
			waiting++;
		row = jmake_object();
		jmake_str(row, "fleet", n->fleet);
		jmake_str(row, "node", n->name);
		jmake_int(row, "devices", (int64_t)n->ndevices);
		jmake_int(row, "waiting", waiting);
		jmake_str(row, "listed", yes_no(n->pods_listed));
		jmake_str(row, "brake", yes_no(n->brake));
		put_row(a, row);
	}
}

static void
put_status(struct answer *a)
{
	const struct world *w = a->world;
	struct json_object *row = jmake_object();

	jmake_str(row, "apiserver", yes_no(w->kube_up && w->kube_reachable));
	jmake_str(row, "flightctl",
	    yes_no(w->flight_up && w->flight_reachable));
	jmake_str(row, "devices-listed", yes_no(w->devices_listed));
	jmake_int(row, "pods", (int64_t)w->npods);
	jmake_int(row, "evicted", w->evicted);
	jmake_str(row, "text", w->flight_text);
	put_row(a, row);
}

static void
put_record(void *arg, const struct store_record *r)
{
	struct json_object *row = jmake_object();
	char at[STAMP_SIZE];

	stamp_format(r->at_ms, at);
	jmake_str(row, "time", at);
	jmake_str(row, "pod", r->pod);
	jmake_str(row, "operation", r->operation);
	jmake_str(row, "desired", r->desired);
	jmake_str(row, "actual", r->actual);
	jmake_str(row, "action", r->action);
	jmake_str(row, "result", r->result);
	put_row(arg, row);
}

static void
put_records(struct answer *a)
{
	struct why why;

	a->failed = store_records(a->store, put_record, a, &why) == -1;
}

static const struct {
	const char *name;
	void (*put)(struct answer *);
} commands[] = {
	{ "devices", put_devices },
	{ "fleets", put_fleets },
	{ "pods", put_pods },
	{ "records", put_records },
	{ "status", put_status },
};

char *
command_error(const char *text)
{
	return xasprintf("error %s\n", text);
}

static char *
run(size_t i, const struct world *w, struct store *store)
{
	struct answer a = { .world = w, .store = store };
	char *rows = NULL, *all;
	size_t len;

	if ((a.f = open_memstream(&rows, &len)) == NULL)
		abort();
	commands[i].put(&a);
	if (fclose(a.f) == EOF)
		abort();
	all = a.failed ? command_error("the database cannot be read") :
			 xasprintf("ok %zu\n%s", a.n, rows);
	free(rows);
	return all;
}

char *
command_answer(const struct world *w, struct store *store, const char *line)
{
	size_t i, len;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		len = strlen(commands[i].name);
		if (strncmp(line, commands[i].name, len) != 0)
			continue;
		if (line[len] == '\0')
			return run(i, w, store);
		if (line[len] == ' ')
			return command_error("it takes no arguments");
	}
	return command_error("no such command");
}
