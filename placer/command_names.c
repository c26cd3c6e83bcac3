/* SPDX-License-Identifier: ISC */
/*
 * command_names.c: what may be typed next.
 *
 * Owns which names a command's argument may have.  The shells know neither
 * (deploy/completion).
 */
#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/level.h"
#include "common/xmem.h"
#include "placer/command_own.h"
#include "placer/former.h"
#include "placer/pick.h"

void
command_help_row(struct asked *a, const char *command, const char *argument,
    const char *text)
{
	struct json_object *row = jmake_object();

	jmake_str(row, "command", command);
	jmake_str(row, "argument", argument);
	jmake_str(row, "text", text);
	command_put(a, row);
}

/* A name that begins as what was typed. */
struct typed {
	struct asked *to;
	const char *word;
};

static void
offer(const struct typed *t, const char *name, const char *text)
{
	struct json_object *row;

	if (strncmp(name, t->word, strlen(t->word)) != 0)
		return;
	row = jmake_object();
	jmake_str(row, "word", name);
	jmake_str(row, "text", text);
	command_put(t->to, row);
}

static void
offer_devices(const struct typed *t, int held)
{
	struct wdevice_tree devices = t->to->from->world->devices;
	struct wdevice *d;

	RB_FOREACH(d, wdevice_tree, &devices)
		if (!held || d->drained.on || d->given_up.on)
			offer(t, d->name, pick_words(pick_usable(d)));
}

static void
offer_pods(const struct typed *t)
{
	struct wname_tree names = t->to->from->world->names;
	struct wpod *p;

	RB_FOREACH(p, wname_tree, &names) {
		AUTO_FREE char *who = xasprintf("%s/%s", p->ns, p->name);

		offer(t, who, life_state_name(p->state));
	}
}

static void
offer_nodes(const struct typed *t, enum named what)
{
	const struct world *w = t->to->from->world;
	const struct wnode *n;

	for (n = w->nodes; n < w->nodes + w->nnodes; n++)
		if (what == NAMED_FLEET)
			offer(t, *n->fleet != '\0' ? n->fleet : n->name,
			    n->name);
		else if ((what == NAMED_RETIRED) == (n->retired.on != 0))
			offer(t, n->name, n->fleet);
}

static void
offer_former(const struct typed *t)
{
	const struct world *w = t->to->from->world;
	size_t i;

	for (i = 0; i < w->nformer; i++)
		offer(t, w->former[i]->name, "not served");
}

static void
offer_levels(const struct typed *t)
{
	uint32_t level;

	for (level = 0; level < LOG_LEVEL_COUNT; level++)
		offer(t, level_name(level), "");
}

static void
offer_names(const struct typed *t, enum named what)
{
	switch (what) {
	case NAMED_DEVICE:
	case NAMED_HELD:
		offer_devices(t, what == NAMED_HELD);
		break;
	case NAMED_POD_OR_DEVICE:
		offer_devices(t, 0);
		offer_pods(t);
		break;
	case NAMED_POD:
		offer_pods(t);
		break;
	case NAMED_NODE:
	case NAMED_RETIRED:
	case NAMED_FLEET:
		offer_nodes(t, what);
		break;
	case NAMED_FORMER:
		offer_former(t);
		break;
	case NAMED_LEVEL:
		offer_levels(t);
		break;
	case NAMED_NOTHING:
		break;
	}
}

/* The word of the command at which the typing stopped. */
static void
offer_command(struct asked *a, const char *command, size_t typed,
    const char **last)
{
	const char *word = command + typed, *end;

	while (word > command && word[-1] != ' ')
		word--;
	end = strchr(word, ' ');
	if (*last != NULL && strncmp(*last, command, typed) == 0 &&
	    end != NULL &&
	    strncmp(*last, command, (size_t)(end - command)) == 0)
		return; /* "explain" is the first word of two */
	*last = command;
	{
		AUTO_FREE char *first = end == NULL ?
		    xstrdup(word) :
		    xstrndup(word, (size_t)(end - word));

		offer(&(struct typed){ a, "" }, first, "");
	}
}

void
command_complete(struct asked *a, const char *command, enum named what,
    const char **last)
{
	const char *typed = a->argument;
	size_t len = strlen(typed), name = strlen(command);

	if (len <= name && strncmp(command, typed, len) == 0)
		offer_command(a, command, len, last);
	else if (strncmp(typed, command, name) == 0 && typed[name] == ' ' &&
	    strchr(typed + name + 1, ' ') == NULL)
		offer_names(&(struct typed){ a, typed + name + 1 }, what);
}
