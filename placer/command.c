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

#include "common/auto.h"
#include "common/jmake.h"
#include "common/level.h"
#include "common/stamp.h"
#include "common/xmem.h"
#include "placer/command_own.h"
#include "placer/explain.h"
#include "placer/former.h"
#include "placer/pick.h"

void
command_put(struct asked *a, struct json_object *row)
{
	answer_row(&a->to, &row);
}

const char *
command_yes_no(int is)
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
	command_put(a, row);
}

static int
is_device_wanted(struct window *v, const struct wdevice *d)
{
	enum pick_reason why = pick_usable(d);
	const char *const cells[] = { d->name,
		d->node == NULL ? "" : d->node->fleet,
		d->dev == NULL ? "" : device_summary_word(d->dev->summary),
		pick_words(why), NULL };

	return window_takes(v, why != PICK_FITS, cells);
}

static void
put_devices(struct asked *a)
{
	const struct world *w = a->from->world;
	struct wdevice_tree devices = w->devices;
	struct wdevice *d;

	do
		RB_FOREACH(d, wdevice_tree, &devices)
			if (is_device_wanted(a->from->window, d))
				put_device(a, d);
	while (window_again(a->from->window));
}

/* First seen running, or else created. */
static void
put_since(struct json_object *row, const struct wpod *p)
{
	char at[STAMP_SIZE] = "";

	if (p->state == RUNNING && p->running_ms != 0)
		stamp_format(p->running_ms, at);
	else if (p->pod != NULL)
		stamp_format((int64_t)p->pod->order_ms, at);
	jmake_str(row, "since", at);
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
	put_since(row, p);
	jmake_str(row, "why", p->why_waits == NULL ? "" : p->why_waits);
	command_put(a, row);
}

static int
is_pod_wanted(struct window *v, const struct wpod *p)
{
	const char *const cells[] = { p->ns, p->name,
		p->node == NULL ? "" : p->node->name,
		p->device == NULL ? "" : p->device->name,
		life_state_name(p->state),
		p->why_waits == NULL ? "" : p->why_waits, NULL };

	return window_takes(v,
	    p->why_waits != NULL || (p->state != RUNNING && p->state != DONE),
	    cells);
}

static void
put_pods(struct asked *a)
{
	const struct world *w = a->from->world;
	struct wname_tree names = w->names;
	struct wpod *p;

	do
		RB_FOREACH(p, wname_tree, &names)
			if (is_pod_wanted(a->from->window, p))
				put_pod(a, p);
	while (window_again(a->from->window));
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
		jmake_str(row, "listed", command_yes_no(n->pods_listed));
		jmake_str(row, "writer",
		    command_yes_no(a->from->now.boot_ms < n->until_boot));
		jmake_str(row, "brake", command_yes_no(n->brake));
		jmake_str(row, "retired", command_yes_no(n->retired.on));
		command_put(a, row);
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
		jmake_str(row, "object", command_yes_no(n->object));
		jmake_str(row, "served", command_yes_no(n->served));
		jmake_int(row, "applications", (int64_t)sum.apps);
		jmake_int(row, "devices", (int64_t)sum.devices);
		jmake_str(row, "purged", command_yes_no(n->purge.on));
		command_put(a, row);
	}
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
	command_put(arg, row);
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

/* Before the name of a node that is purged, for who writes it so. */
#define NODE "--node "

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

static void put_help(struct asked *);
static void put_words(struct asked *);

static const struct row {
	const char *name;
	const char *argument; /* what it wants, NULL: none */
	enum named names;
	void (*put)(struct asked *);
	const char *text;
} questions[] = {
	{ "complete", "what is typed", NAMED_NOTHING, put_words, NULL },
	{ "devices", NULL, NAMED_NOTHING, put_devices,
	    "each device: its room, and whether it takes pods" },
	{ "events", NULL, NAMED_NOTHING, command_events,
	    "what was told and done lately; -f follows" },
	{ "explain device", "the name of a device", NAMED_DEVICE,
	    put_explained_device, "why a device takes pods or does not" },
	{ "explain pod", "NAMESPACE/NAME of a pod", NAMED_POD,
	    put_explained_pod, "why a pod is where it is, or waits" },
	{ "fleets", NULL, NAMED_NOTHING, put_fleets, "each virtual node" },
	{ "former", NULL, NAMED_NOTHING, put_former,
	    "what is left of nodes that are not served any more" },
	{ "help", NULL, NAMED_NOTHING, put_help, "these lines" },
	{ "pods", NULL, NAMED_NOTHING, put_pods,
	    "each pod: its device, its state, why it waits" },
	{ "records", NULL, NAMED_NOTHING, put_records,
	    "the last 100 things that were done about a pod" },
	{ "status", NULL, NAMED_NOTHING, command_status,
	    "how everything is, on one screen" },
};

/* Of "log", which orders and is no order of orders.h. */
#define LEVELS "error, warn, info or debug"

#define NQUESTIONS (sizeof(questions) / sizeof(*questions))

static void
put_help(struct asked *a)
{
	const struct row *r;
	int i;

	for (r = questions; r < questions + NQUESTIONS; r++)
		if (r->text != NULL)
			command_help_row(a, r->name, r->argument, r->text);
	command_help_row(a, "log", "at most one of " LEVELS,
	    "how much is logged, or is to be from now on");
	for (i = 0; i < ORDER_COUNT; i++)
		command_help_row(a, orders_word((enum order_kind)i),
		    orders_argument((enum order_kind)i),
		    orders_does((enum order_kind)i));
}

static void
put_words(struct asked *a)
{
	static const enum named names[ORDER_COUNT] = {
		[ORDER_DRAIN] = NAMED_DEVICE,
		[ORDER_GIVE_UP] = NAMED_POD_OR_DEVICE,
		[ORDER_PURGE] = NAMED_FORMER,
		[ORDER_RELEASE_BRAKE] = NAMED_FLEET,
		[ORDER_RETIRE] = NAMED_NODE,
		[ORDER_UNDRAIN] = NAMED_HELD,
		[ORDER_UNRETIRE] = NAMED_RETIRED,
	};
	const char *last = NULL;
	const struct row *r;
	int i;

	for (r = questions; r < questions + NQUESTIONS; r++)
		if (r->text != NULL)
			command_complete(a, r->name, r->names, &last);
	command_complete(a, "log", NAMED_LEVEL, &last);
	for (i = 0; i < ORDER_COUNT; i++)
		command_complete(a, orders_word((enum order_kind)i), names[i],
		    &last);
}

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
		if (o.kind == ORDER_PURGE &&
		    strncmp(more, NODE, strlen(NODE)) == 0)
			more += strlen(NODE);
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
		return wants(LEVELS);
	if (*word != '\0' && from->log_level(level, from->uid) == -1)
		return answer_text(ANSWER_ERROR,
		    "the supervisor could not be told");
	answer_begin(&to);
	row = jmake_object();
	jmake_str(row, "level", level_name((uint32_t)level));
	answer_row(&to, &row);
	return answer_end(&to);
}

/* "follow" before a question: more rows come as there is more to tell. */
#define FOLLOW "follow "

char *
command_follow(const struct command *from, const char *line, int *follows)
{
	struct asked a = { .from = from, .argument = "" };
	AUTO_FREE char *rows = NULL;

	*follows = 0;
	if (strncmp(line, FOLLOW, strlen(FOLLOW)) != 0)
		return command_answer(from, line);
	if (strcmp(line + strlen(FOLLOW), "events") != 0)
		return answer_text(ANSWER_ERROR, "it cannot be followed");
	answer_begin(&a.to);
	command_events(&a);
	rows = answer_end(&a.to);
	*follows = 1;
	return xasprintf("%s\n%s" ANSWER_BEAT "\n", ANSWER_MORE,
	    strchr(rows, '\n') + 1);
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
	for (r = questions; r < questions + NQUESTIONS; r++) {
		if ((more = words_after(line, r->name)) == NULL)
			continue;
		if (r->argument == NULL && *more != '\0')
			return answer_text(ANSWER_ERROR,
			    "it takes no arguments");
		if (r->argument == NULL || r->put == put_words ||
		    (*more != '\0' && strchr(more, ' ') == NULL))
			return run(r, from, more);
		return wants(r->argument);
	}
	if ((answer = try_log(from, line)) != NULL ||
	    (answer = try_order(from, line, yes)) != NULL)
		return answer;
	return answer_text(ANSWER_ERROR, "no such command");
}
