/* SPDX-License-Identifier: ISC */
/*
 * edge_app.c: applications of a simulated device.
 *
 * Owns reading them out of a spec and their state at a time.  Never decides
 * whether a version is applied (edge.c does).
 */
#include "t/sim/edge_app.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "common/xmem.h"
#include "t/sim/flight_json.h"

enum {
	CRASH_MS = 2000
}; /* one life and one death of a crash loop */

static char *
file_text(struct json_object *file)
{
	const char *text = flight_get(file, "content");
	const char *how = flight_get(file, "contentEncoding");

	if (text == NULL)
		return xstrdup("");
	if (how == NULL || strcmp(how, "base64") != 0)
		return xstrdup(text);
	return flight_unbase64(text, strlen(text), NULL);
}

static int
has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n > m && strcmp(s + n - m, suffix) == 0;
}

/* Value of the first "KEY=" line. */
static char *
line_value(const char *text, const char *key)
{
	const char *p;
	size_t n = strlen(key);

	for (p = text; p != NULL && *p != '\0';
	     p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
		if (strncmp(p, key, n) == 0 && p[n] == '=')
			return xstrndup(p + n + 1, strcspn(p + n + 1, "\n"));
	return NULL;
}

static void
count_file(struct edge_app *app, struct json_object *file)
{
	const char *path = flight_get(file, "path");
	char *text, *value;

	if (path == NULL || strchr(path, '/') != NULL ||
	    (text = file_text(file)) == NULL)
		return;
	if (app->defect == NULL)
		app->defect = edge_quadlet_defect(path, text);
	if (has_suffix(path, ".pod"))
		app->infra = 1;
	if (has_suffix(path, ".container")) {
		value = line_value(text, "Type");
		if (value != NULL && strcmp(value, "oneshot") == 0)
			app->inits++;
		else
			app->containers++;
		free(value);
		if (app->image[0] == '\0' &&
		    (value = line_value(text, "Image")) != NULL) {
			free(app->image);
			app->image = value;
		}
	}
	free(text);
}

/* Only apps with containers that run on have inits: else those are the app. */
static void
count_files(struct edge_app *app, struct json_object *files)
{
	size_t i, n = json_object_array_length(files);

	for (i = 0; i < n; i++)
		count_file(app, json_object_array_get_idx(files, i));
	if (app->containers == 0) {
		app->containers = app->inits;
		app->inits = 0;
	}
}

static int
read_app(struct edge_app *app, struct json_object *v)
{
	struct json_object *files;
	const char *name = flight_get(v, "name");
	const char *type = flight_get(v, "appType");
	const char *image = flight_get(v, "image");
	const char *run_as = flight_get(v, "runAs");
	struct out o = { 0 };

	if (type == NULL || (name == NULL && image == NULL))
		return -1;
	*app = (struct edge_app){ .name = xstrdup(name ? name : image),
		.type = xstrdup(type),
		.run_as = run_as == NULL ? NULL : xstrdup(run_as),
		.image = xstrdup(image ? image : "") };
	if (json_object_object_get_ex(v, "inline", &files) &&
	    json_object_is_type(files, json_type_array) &&
	    strcmp(type, "quadlet") == 0)
		count_files(app, files);
	if (app->containers == 0)
		app->containers = 1;
	out_jsonb(&o, v);
	flight_sha256((struct span){ o.p, o.len }, app->digest);
	out_free(&o);
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	const struct edge_app *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int
edge_apps_read(struct edge_apps *apps, struct span spec)
{
	struct json_object *root, *list;
	size_t i, n;

	*apps = (struct edge_apps){ 0 };
	if ((root = flight_parse(spec)) == NULL)
		return -1;
	if (json_object_object_get_ex(root, "applications", &list) &&
	    json_object_is_type(list, json_type_array)) {
		n = json_object_array_length(list);
		apps->v = xcalloc(n, sizeof(*apps->v));
		for (i = 0; i < n; i++)
			if (read_app(&apps->v[apps->n],
				json_object_array_get_idx(list, i)) == 0)
				apps->n++;
		qsort(apps->v, apps->n, sizeof(*apps->v), by_name);
	}
	json_object_put(root);
	return 0;
}

void
edge_apps_free(struct edge_apps *apps)
{
	size_t i;

	for (i = 0; i < apps->n; i++) {
		free(apps->v[i].name);
		free(apps->v[i].type);
		free(apps->v[i].run_as);
		free(apps->v[i].image);
	}
	free(apps->v);
	*apps = (struct edge_apps){ 0 };
}

struct edge_app *
edge_apps_find(const struct edge_apps *apps, const char *name)
{
	char *key = xstrdup(name);
	struct edge_app probe = { .name = key }, *found;

	found = apps->n == 0 ?
	    NULL :
	    bsearch(&probe, apps->v, apps->n, sizeof(*apps->v), by_name);
	free(key);
	return found;
}

/* With a .pod its infra container stays, so nothing is ever over. */
static struct edge_state
ended(const struct edge_app *app, const char *word, int total)
{
	if (app->infra)
		return (struct edge_state){ "Running", app->infra, total, 0 };
	return (struct edge_state){ word, 0, total, 0 };
}

struct edge_state
edge_app_state(const struct edge_app *app, int64_t start_ms, int64_t boot_ms)
{
	int64_t age = boot_ms - app->started_ms, turn;
	int total = app->containers + app->inits + app->infra;
	int up = app->containers + app->infra;
	struct edge_state s = { "Running", up, total, 0 };

	if (age < start_ms / 2)
		return (struct edge_state){ "Preparing", 0, total, 0 };
	if (age < start_ms)
		return (struct edge_state){ "Starting", app->infra, total, 0 };
	switch (app->mode) {
	case EDGE_OK:
	case EDGE_ROLLBACK:
	case EDGE_PULL_HANG:
		return s;
	case EDGE_ERROR:
		return ended(app, "Error", total);
	case EDGE_COMPLETED:
		return ended(app, "Completed", total);
	case EDGE_CRASHLOOP:
		turn = (age - start_ms) / (CRASH_MS / 2);
		if (turn % 2 == 1)
			s = ended(app, "Error", total);
		s.restarts = (int)(turn / 2);
		return s;
	}
	return s;
}

int64_t
edge_app_next(const struct edge_app *app, int64_t start_ms, int64_t boot_ms)
{
	int64_t age = boot_ms - app->started_ms, turn;

	if (age < start_ms / 2)
		return app->started_ms + start_ms / 2;
	if (age < start_ms)
		return app->started_ms + start_ms;
	if (app->mode != EDGE_CRASHLOOP)
		return INT64_MAX;
	turn = (age - start_ms) / (CRASH_MS / 2) + 1;
	return app->started_ms + start_ms + turn * (CRASH_MS / 2);
}

const struct edge_app *
edge_apps_in_mode(const struct edge_apps *apps, enum edge_mode mode)
{
	size_t i;

	for (i = 0; i < apps->n; i++)
		if (apps->v[i].mode == mode)
			return &apps->v[i];
	return NULL;
}

const struct edge_app *
edge_apps_with_defect(const struct edge_apps *apps)
{
	size_t i;

	for (i = 0; i < apps->n; i++)
		if (apps->v[i].defect != NULL)
			return &apps->v[i];
	return NULL;
}
