/* SPDX-License-Identifier: ISC */
/*
 * command.c: answers vkfctl.
 *
 * Owns the commands and the members of their rows, which are vkfctl's columns
 * (vkfctl(8) has the same names).
 */
#include "placer/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/jmake.h"
#include "common/stamp.h"
#include "placer/answer.h"
#include "placer/explain.h"
#include "placer/former.h"
#include "placer/pick.h"

/* One request. */
struct asked {
	const struct command *from;
	const char *argument; /* "" where it has none */
	struct answer to;
	const char *none; /* there is no such thing: which */
	int failed;	  /* the database could not be read */
};

static void
put_row(struct asked *a, struct json_object *row)
{
	answer_row(&a->to, &row);
}

static const char *
yes_no(int is)
{
	return is ? "yes" : "no";
}

static void
put_device(struct asked *a, const struct wdevice *d)
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
put_devices(struct asked *a)
{
	const struct world *w = a->from->world;
	struct wdevice_tree devices = w->devices;
	struct wdevice *d;

	RB_FOREACH(d, wdevice_tree, &devices)
		put_device(a, d);
}

static void
put_pod(struct asked *a, const struct wpod *p)
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
put_pods(struct asked *a)
{
	const struct world *w = a->from->world;
	struct wname_tree names = w->names;
	struct wpod *p;

	RB_FOREACH(p, wname_tree, &names)
		put_pod(a, p);
}

static void
put_fleets(struct asked *a)
{
	const struct world *w = a->from->world;
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
put_former(struct asked *a)
{
	const struct world *w = a->from->world;
	struct former_sum sum;
	struct json_object *row;
	size_t i;

	for (i = 0; i < w->nformer; i++) {
		const struct wnode *n = w->former[i];

		sum = former_count(w, n);
		if (!n->object && sum.apps == 0 && !n->purge.on)
			continue;
		row = jmake_object();
		jmake_str(row, "node", n->name);
		jmake_str(row, "object", yes_no(n->object));
		jmake_str(row, "served", yes_no(n->served));
		jmake_int(row, "applications", (int64_t)sum.apps);
		jmake_int(row, "devices", (int64_t)sum.devices);
		jmake_str(row, "purged", yes_no(n->purge.on));
		put_row(a, row);
	}
}

static void
put_status(struct asked *a)
{
	const struct world *w = a->from->world;
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
put_records(struct asked *a)
{
	struct why why;

	a->failed = store_records(a->from->store, put_record, a, &why) == -1;
}

static void
put_explained_pod(struct asked *a)
{
	if (explain_pod(&a->to, a->from->world, a->argument, a->from->now) ==
	    -1)
		a->none = "no such pod";
}

static void
put_explained_device(struct asked *a)
{
	if (explain_device(&a->to, a->from->world, a->argument, a->from->now) ==
	    -1)
		a->none = "no such device";
}

/* "yes" before a request: the order is carried out, not asked about. */
#define YES "yes "

static char *
order(const struct command *from, const struct order *o, int yes)
{
	char text[MAX_TEXT];
	struct answer to;
	struct json_object *row;
	enum order_verdict v;

	v = yes ? from->order(from->arg, o, text) :
		  orders_weigh(from->world, o, from->now, text);
	if (v == ORDER_NOTHING)
		return answer_text(ANSWER_NONE, text);
	if (v == ORDER_REFUSED)
		return answer_text(ANSWER_ERROR, text);
	if (v == ORDER_DOES && !yes)
		return answer_text(ANSWER_ASK, text);
	answer_begin(&to);
	row = jmake_object();
	jmake_str(row, "order", orders_word(o->kind));
	jmake_str(row, "name", o->name);
	jmake_str(row, "result", v == ORDER_DOES ? "done" : "already");
	jmake_str(row, "text", text);
	answer_row(&to, &row);
	return answer_end(&to);
}

static const struct row {
	const char *name;
	const char *argument; /* what it wants, NULL: none */
	void (*put)(struct asked *);
} commands[] = {
	{ "devices", NULL, put_devices },
	{ "explain device", "the name of a device", put_explained_device },
	{ "explain pod", "NAMESPACE/NAME of a pod", put_explained_pod },
	{ "fleets", NULL, put_fleets },
	{ "former", NULL, put_former },
	{ "pods", NULL, put_pods },
	{ "records", NULL, put_records },
	{ "status", NULL, put_status },
};

static char *
run(const struct row *r, const struct command *from, const char *argument)
{
	struct asked a = { .from = from, .argument = argument };
	char *all;

	answer_begin(&a.to);
	r->put(&a);
	all = answer_end(&a.to);
	if (a.none == NULL && !a.failed)
		return all;
	free(all);
	return a.failed ?
	    answer_text(ANSWER_ERROR, "the database cannot be read") :
	    answer_text(ANSWER_NONE, a.none);
}

/* The words after the command's name; NULL: it is another one. */
static const char *
words_after(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(line, name, len) != 0)
		return NULL;
	if (line[len] == '\0')
		return line + len;
	return line[len] == ' ' ? line + len + 1 : NULL;
}

static char *
wants(const char *argument)
{
	char text[MAX_TEXT];

	(void)snprintf(text, sizeof(text), "it takes one argument: %s",
	    argument);
	return answer_text(ANSWER_ERROR, text);
}

/* NULL: it is no order. */
static char *
try_order(const struct command *from, const char *line, int yes)
{
	const char *more;
	int i;

	for (i = 0; i < ORDER_COUNT; i++) {
		struct order o = { .kind = (enum order_kind)i,
			.uid = from->uid };

		if ((more = words_after(line, orders_word(o.kind))) == NULL)
			continue;
		if (strchr(more, ' ') != NULL ||
		    (*more == '\0' && i != ORDER_RELEASE_BRAKE))
			return wants(orders_argument(o.kind));
		o.name = more;
		return order(from, &o, yes);
	}
	return NULL;
}

/* NULL: it is another command. */
static char *
try_log(const struct command *from, const char *line)
{
	const char *word = words_after(line, "log");
	const char *is = from->world->set->text[SET_LOG_LEVEL];
	struct json_object *row;
	enum log_level level;
	struct answer to;

	if (word == NULL)
		return NULL;
	level = level_by_name(*word == '\0' ? is : word);
	if (level == LOG_LEVEL_COUNT)
		return wants("error, warn, info or debug");
	if (*word != '\0' && from->log_level(level, from->uid) == -1)
		return answer_text(ANSWER_ERROR,
		    "the supervisor could not be told");
	answer_begin(&to);
	row = jmake_object();
	jmake_str(row, "level", level_name((uint32_t)level));
	answer_row(&to, &row);
	return answer_end(&to);
}

char *
command_answer(const struct command *from, const char *line)
{
	int yes = strncmp(line, YES, strlen(YES)) == 0;
	const char *more;
	const struct row *r;
	char *answer;

	if (yes)
		line += strlen(YES);
	for (r = commands; r < commands + sizeof(commands) / sizeof(*r); r++) {
		if ((more = words_after(line, r->name)) == NULL)
			continue;
		if (r->argument == NULL && *more != '\0')
			return answer_text(ANSWER_ERROR,
			    "it takes no arguments");
		if (r->argument == NULL ||
		    (*more != '\0' && strchr(more, ' ') == NULL))
			return run(r, from, more);
		return wants(r->argument);
	}
	if ((answer = try_log(from, line)) != NULL ||
	    (answer = try_order(from, line, yes)) != NULL)
		return answer;
	return answer_text(ANSWER_ERROR, "no such command");
}
