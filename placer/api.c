/* SPDX-License-Identifier: ISC */
/*
 * api.c: the status page's questions.
 *
 * Owns their paths and the form of an answer.  What a row says is command.c's.
 */
#include "placer/api.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/stamp.h"
#include "common/xmem.h"
#include "placer/answer.h"
#include "placer/pick.h"

const char *
api_unready(const struct world *w)
{
	size_t i;

	if (!w->kube_up || !w->kube_reachable)
		return "the apiserver is not reached";
	if (!w->devices_listed)
		return "devices were not yet listed";
	for (i = 0; i < w->nnodes; i++)
		if (!w->nodes[i].pods_listed)
			return "pods were not yet listed";
	if (!world_is_durable(w))
		return "the database cannot be written";
	return NULL;
}

static void
put_placeable(struct json_object *about, const struct world *w)
{
	struct json_object *to = jmake_in(about, "placeable");
	struct wdevice_tree devices = w->devices;
	int64_t n[PICK_COUNT] = { 0 };
	struct wdevice *d;
	int i;

	RB_FOREACH(d, wdevice_tree, &devices)
		n[pick_usable(d)]++;
	for (i = 0; i < PICK_COUNT; i++)
		if (n[i] > 0)
			jmake_int(to, pick_words((enum pick_reason)i), n[i]);
}

static void
put_status(struct json_object *about, const struct command *from)
{
	const char *missing = api_unready(from->world);
	char at[STAMP_SIZE];

	stamp_format(from->now.wall_ms, at);
	jmake_str(about, "now", at);
	jmake_str(about, "ready", missing == NULL ? "yes" : missing);
	put_placeable(about, from->world);
}

static void
put_window(struct json_object *about, const struct command *from)
{
	const struct window *v = from->window;

	jmake_int(about, "from", (int64_t)v->from);
	jmake_int(about, "matched", (int64_t)v->matched);
	jmake_int(about, "all", (int64_t)v->all);
}

static int
error(int code, const char *words, char **text)
{
	struct json_object *o = jmake_object();

	jmake_str(o, "error", words);
	*text = jmake_text(&o);
	return code;
}

/* The lines of a command's answer, after "ok N", are the elements. */
static char *
elements(char *lines)
{
	char *c = lines;

	while ((c = strchr(c, '\n')) != NULL)
		*c = c[1] == '\0' ? '\0' : ',';
	return lines;
}

static int
ask(const struct command *from, const char *request,
    void (*put)(struct json_object *, const struct command *), char **text)
{
	AUTO_FREE char *answer = command_answer(from, request), *about = NULL;
	char *lines = answer + strcspn(answer, "\n") + 1;
	struct json_object *o;

	if (strncmp(answer, "ok ", 3) != 0) {
		lines[-1] = '\0';
		return error(strncmp(answer, ANSWER_NONE, 4) == 0 ? API_NONE :
								    API_BAD,
		    strchr(answer, ' ') + 1, text);
	}
	o = jmake_object();
	if (put != NULL)
		put(o, from);
	about = jmake_text(&o);
	*text =
	    xasprintf("{\"rows\":[%s],\"about\":%s}", elements(lines), about);
	return API_OK;
}

/* -1: no number. */
static int
number(const char *text, size_t *n)
{
	if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 9)
		return -1;
	*n = strtoul(text, NULL, 10);
	return 0;
}

static int
ask_part(const struct command *from, const char *request,
    const struct api_query *q, char **text)
{
	struct command part = *from;
	struct window v;
	size_t n = 0;

	if (q->from != NULL && number(q->from, &n) == -1)
		return error(API_BAD, "from: not a number", text);
	if (window_open(&v, q->match != NULL ? q->match : "",
		q->only != NULL ? q->only : "", n, API_ROWS) == -1)
		return error(API_BAD, "match: too long, or too many words",
		    text);
	part.window = &v;
	return ask(&part, request, put_window, text);
}

static int
ask_explain(const struct command *from, const struct api_query *q, char **text)
{
	AUTO_FREE char *request = NULL;

	if ((q->pod == NULL) == (q->device == NULL))
		return error(API_BAD,
		    "explain: wants pod=NAMESPACE/NAME or device=NAME", text);
	request = q->pod != NULL ? xasprintf("explain pod %s", q->pod) :
				   xasprintf("explain device %s", q->device);
	return ask(from, request, NULL, text);
}

int
api_answer(const struct world *w, struct now now, const char *path,
    const struct api_query *q, char **text)
{
	struct command from = { .world = w, .now = now };

	if (strcmp(path, "/api/status") == 0)
		return ask(&from, "status", put_status, text);
	if (strcmp(path, "/api/fleets") == 0)
		return ask(&from, "fleets", NULL, text);
	if (strcmp(path, "/api/devices") == 0)
		return ask_part(&from, "devices", q, text);
	if (strcmp(path, "/api/pods") == 0)
		return ask_part(&from, "pods", q, text);
	if (strcmp(path, "/api/explain") == 0)
		return ask_explain(&from, q, text);
	return error(API_NONE, "no such question", text);
}
