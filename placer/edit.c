/* SPDX-License-Identifier: ISC */
/*
 * edit.c: puts together what one write changes.
 *
 * Owns the form of body.def's edit.  Texts of elements come from quadlet.c
 * and go on as they are; names are [a-z0-9-] by their makers.
 */
#include "placer/edit.h"

#include <stdlib.h>
#include <string.h>

#include "common/scan.h"
#include "common/xmem.h"
#include "placer/again.h"

struct list {
	char *text;
	size_t len;
};

struct edit {
	const struct wdevice *device;
	struct list app_set, app_cut, config_set, config_cut;
};

struct edit *
edit_new(const struct wdevice *d)
{
	struct edit *e;

	e = xcalloc(1, sizeof(*e));
	e->device = d;
	return e;
}

void
edit_free(struct edit *e)
{
	if (e == NULL)
		return;
	free(e->app_set.text);
	free(e->app_cut.text);
	free(e->config_set.text);
	free(e->config_cut.text);
	free(e);
}

static void
add(struct list *l, const char *quote, const char *p, size_t len)
{
	size_t q = strlen(quote), at = l->len;

	l->text = xreallocarray(l->text, l->len + len + 2 * q + 2, 1);
	if (at > 0)
		l->text[at++] = ',';
	memcpy(l->text + at, quote, q);
	memcpy(l->text + at + q, p, len);
	memcpy(l->text + at + q + len, quote, q);
	l->len = at + len + 2 * q;
	l->text[l->len] = '\0';
}

/* But for what makes a device try again: that is no pod's. */
static int
is_of(const char *config, const char *app)
{
	size_t len = strlen(app);

	return strncmp(config, app, len) == 0 && config[len] == '.' &&
	    !again_is(config);
}

static int
names(const char *lines, const char *config)
{
	char name[MAX_NAME + 1];
	const char *end;

	for (; lines != NULL; lines = end != NULL ? end + 1 : NULL) {
		end = strchr(lines, '\n');
		if (scan_get_string((struct span){ lines,
					end != NULL ? (size_t)(end - lines) :
						      strlen(lines) },
			name, sizeof(name), "name", NULL) == 1 &&
		    strcmp(name, config) == 0)
			return 1;
	}
	return 0;
}

/* The config entries of an application that are there and not in lines. */
static void
cut_configs(struct edit *e, const char *app, const char *lines)
{
	const struct device *dev = e->device->dev;
	size_t i;

	for (i = 0; i < dev->nconfigs; i++)
		if (is_of(dev->configs[i], app) &&
		    !names(lines, dev->configs[i]))
			add(&e->config_cut, "\"", dev->configs[i],
			    strlen(dev->configs[i]));
}

static int
has_room(const struct edit *e, size_t more)
{
	return e->app_set.len + e->app_cut.len + e->config_set.len +
	    e->config_cut.len + more + 4096 <
	    MAX_EDIT;
}

int
edit_set(struct edit *e, const char *app, const char *entry)
{
	const char *line, *end;

	if (!has_room(e, strlen(entry)))
		return -1;
	end = strchrnul(entry, '\n');
	add(&e->app_set, "", entry, (size_t)(end - entry));
	cut_configs(e, app, *end == '\n' ? end + 1 : NULL);
	while (*end == '\n') {
		line = end + 1;
		end = strchrnul(line, '\n');
		add(&e->config_set, "", line, (size_t)(end - line));
	}
	return 0;
}

int
edit_cut(struct edit *e, const char *app)
{
	if (!has_room(e, 0))
		return -1;
	add(&e->app_cut, "\"", app, strlen(app));
	cut_configs(e, app, NULL);
	return 0;
}

int
edit_files(struct edit *e, const char *files)
{
	const char *end;

	if (!has_room(e, strlen(files)))
		return -1;
	for (;; files = end + 1) {
		end = strchrnul(files, '\n');
		add(&e->config_set, "", files, (size_t)(end - files));
		if (*end == '\0')
			return 0;
	}
}

char *
edit_renew(const char *entry, const char *files)
{
	size_t len = strlen(entry) + strlen(files) + 2, n;
	char name[MAX_NAME + 1], *text = xmalloc(len), *at = text;
	const char *line = entry;

	for (; *line != '\0'; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		if (line != entry &&
		    scan_get_string((struct span){ line, n }, name,
			sizeof(name), "name", NULL) == 1 &&
		    names(files, name))
			continue;
		at = mempcpy(at, line, n);
		*at++ = '\n';
	}
	(void)stpcpy(at, files);
	return text;
}

/* One more line; -1: it would be two. */
static int
add_line(struct list *l, struct span element)
{
	if (memchr(element.p, '\n', element.len) != NULL)
		return -1;
	l->text = xreallocarray(l->text, l->len + element.len + 2, 1);
	if (l->len > 0)
		l->text[l->len++] = '\n';
	memcpy(l->text + l->len, element.p, element.len);
	l->len += element.len;
	l->text[l->len] = '\0';
	return 0;
}

/* Adds the elements of that name, or of config entries; -1: a bad one. */
static int
recover(struct list *l, struct span device, const char *member, const char *app,
    int configs)
{
	struct span array, e;
	char name[MAX_NAME + 1];
	size_t at = 0;
	int rc;

	if ((rc = scan_get(device, &array, "spec", member, NULL)) != 1)
		return rc;
	while ((rc = scan_next(array, &at, &e)) == 1) {
		if (scan_get_string(e, name, sizeof(name), "name", NULL) != 1 ||
		    (configs ? !is_of(name, app) : strcmp(name, app) != 0))
			continue;
		if (add_line(l, e) == -1)
			return -1;
	}
	return rc;
}

char *
edit_recover(struct span device, const char *app)
{
	struct list l = { NULL, 0 };

	if (recover(&l, device, "applications", app, 0) == 0 && l.len > 0 &&
	    recover(&l, device, "config", app, 1) == 0)
		return l.text;
	free(l.text);
	return NULL;
}

static const char *
text_of(const struct list *l)
{
	return l->text != NULL ? l->text : "";
}

char *
edit_text(const struct edit *e)
{
	return xasprintf("{\"applications\":{\"set\":[%s],\"cut\":[%s]},"
			 "\"config\":{\"set\":[%s],\"cut\":[%s]}}",
	    text_of(&e->app_set), text_of(&e->app_cut), text_of(&e->config_set),
	    text_of(&e->config_cut));
}
