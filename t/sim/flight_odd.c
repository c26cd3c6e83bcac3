/* SPDX-License-Identifier: ISC */
/*
 * flight_odd.c: what happens to devices besides us.
 *
 * Owns other users' edits and unreadable devices.  Edits go the way of a PUT:
 * new generation, event, render.
 */
#include "t/sim/flight_odd.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/edge.h"
#include "t/sim/flight.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_devices.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_store.h"
#include "t/sim/flight_worker.h"

static struct json_object *
labels_of(const struct flight_pairs *p)
{
	struct json_object *o = json_object_new_object();
	size_t i;

	for (i = 0; i < p->n; i++)
		json_object_object_add(o, p->v[i].key,
		    json_object_new_string(p->v[i].value));
	return o;
}

static void
store(struct flight *f, struct flight_device *d,
    const struct flight_pairs *labels, struct json_object *spec)
{
	struct json_object *l = labels_of(labels);

	flight_device_store(f, d, l, flight_spec_text(spec));
	json_object_put(l);
}

void
flight_odd_labels(struct flight *f, struct flight_device *d,
    const struct flight_pairs *labels)
{
	struct json_object *spec = flight_parse(span_of(d->spec));

	store(f, d, labels, spec);
	json_object_put(spec);
}

static struct json_object *
foreign(const char *name)
{
	struct json_object *app = json_object_new_object();
	struct json_object *files = json_object_new_array();
	struct json_object *file = json_object_new_object();
	char *text = xasprintf(
	    "[Unit]\nDescription=%s\n\n[Container]\nImage="
	    "quay.io/podman/hello:latest\n\n[Service]\nRestart=always\n\n"
	    "[Install]\nWantedBy=default.target\n",
	    name);
	char *path = xasprintf("%s.container", name);

	json_object_object_add(file, "path", json_object_new_string(path));
	json_object_object_add(file, "content", json_object_new_string(text));
	json_object_array_add(files, file);
	json_object_object_add(app, "name", json_object_new_string(name));
	json_object_object_add(app, "appType",
	    json_object_new_string("quadlet"));
	json_object_object_add(app, "inline", files);
	free(text);
	free(path);
	return app;
}

/* The applications without those that fit, and with one in front. */
static size_t
edit(struct flight *f, struct flight_device *d, struct json_object *first,
    const char *without)
{
	struct json_object *spec = flight_parse(span_of(d->spec));
	struct json_object *fresh = json_object_new_array(), *list, *app;
	const char *name;
	size_t i, n, removed = 0;

	if (first != NULL)
		json_object_array_add(fresh, first);
	if (json_object_object_get_ex(spec, "applications", &list)) {
		n = json_object_array_length(list);
		for (i = 0; i < n; i++) {
			app = json_object_array_get_idx(list, i);
			name = flight_get(app, "name");
			if (without != NULL && name != NULL &&
			    flight_glob(without, name))
				removed++;
			else
				json_object_array_add(fresh,
				    json_object_get(app));
		}
	}
	json_object_object_add(spec, "applications", fresh);
	if (first != NULL || removed > 0)
		store(f, d, &d->labels, spec);
	json_object_put(spec);
	return removed;
}

int
flight_odd_foreign(struct flight *f, struct flight_device *d, const char *app)
{
	if (d->owner != NULL)
		return -1;
	edit(f, d, foreign(app), NULL);
	return 0;
}

size_t
flight_odd_remove(struct flight *f, struct flight_device *d, const char *glob)
{
	return edit(f, d, NULL, glob);
}

/* --- unreadable ones ----------------------------------------------------- */

void
flight_odd_size(struct flight_device *d, size_t bytes)
{
	struct out o = { 0 }, whole = { 0 };
	char *filler = xmalloc(bytes + 1);
	char *at;

	free(d->override);
	d->override = NULL;
	flight_device_write(&o, d);
	memset(filler, 'x', bytes);
	filler[bytes] = '\0';
	at = strstr(o.p, "\"spec\":{");
	if (at != NULL) {
		at += strlen("\"spec\":{");
		out_textn(&whole, o.p, (size_t)(at - o.p));
		out_text(&whole,
		    "\"config\":[{\"name\":\"large\",\"inline\":["
		    "{\"path\":\"/etc/large\",\"content\":\"");
		out_text(&whole, filler);
		out_text(&whole, *at == '}' ? "\"}]}]" : "\"}]}],");
		out_text(&whole, at);
	}
	free(filler);
	out_free(&o);
	d->override = out_take(&whole);
}

void
flight_odd_types(struct flight_device *d)
{
	struct out o = { 0 };

	out_open(&o, '{');
	out_member(&o, "apiVersion", "flightctl.io/v1beta1");
	out_member(&o, "kind", "Device");
	out_key(&o, "metadata");
	out_open(&o, '{');
	out_key(&o, "annotations");
	out_raw(&o, "[]");
	out_key(&o, "creationTimestamp");
	out_int(&o, 12);
	out_key(&o, "generation");
	out_str(&o, "one");
	out_key(&o, "labels");
	flight_pairs_write(&o, &d->labels);
	out_member(&o, "name", d->name);
	out_key(&o, "resourceVersion");
	out_int(&o, 1);
	out_close(&o, '}');
	out_key(&o, "spec");
	out_raw(&o, "{\"applications\":{\"name\":7},\"config\":true}");
	out_key(&o, "status");
	out_raw(&o, "{\"applications\":\"none\",\"summary\":[],\"config\":3}");
	out_close(&o, '}');
	free(d->override);
	d->override = out_take(&o);
}

/* --- summary ------------------------------------------------------------- */

struct tally {
	const char *word[24];
	size_t count[24], n;
};

static void
add(const char *word, void *arg)
{
	struct tally *t = arg;
	size_t i;

	for (i = 0; i < t->n && strcmp(t->word[i], word) != 0; i++)
		continue;
	if (i == t->n) {
		if (t->n == sizeof(t->word) / sizeof(t->word[0]))
			return;
		t->word[t->n++] = word;
	}
	t->count[i]++;
}

static void
write_tally(struct out *o, const char *key, const struct tally *t)
{
	size_t i;

	out_key(o, key);
	out_open(o, '{');
	for (i = 0; i < t->n; i++) {
		out_key(o, t->word[i]);
		out_int(o, (int64_t)t->count[i]);
	}
	out_close(o, '}');
}

void
flight_odd_summary(struct out *o, struct flight *f)
{
	struct tally devices = { 0 }, pods = { 0 };
	struct flight_device *d;
	int64_t settled = 0;
	size_t i;

	for (i = 0; i < flight_store_count(f->store); i++) {
		d = flight_store_at(f->store, i);
		add(d->summary.status, &devices);
		if (d->edge == NULL)
			continue;
		edge_count(d->edge, now_read(), add, &pods);
		settled += edge_is_settled(d->edge) && d->queued == 0;
	}
	out_open(o, '{');
	write_tally(o, "devices", &devices);
	write_tally(o, "pods", &pods);
	out_key(o, "settled");
	out_int(o, settled);
	out_key(o, "worker");
	out_int(o, (int64_t)flight_worker_waiting(f));
	out_close(o, '}');
}
