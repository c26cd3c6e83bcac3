/* SPDX-License-Identifier: ISC */
/*
 * quadlet_volume.c: the volumes of a Pod and where they are mounted.
 *
 * Owns what each kind of volume becomes: an emptyDir a podman volume that goes
 * when its unit stops, a hostPath itself, all else files that Flightctl writes
 * below /var/lib/vk-flightctl/APP/V (quadlet_files.c).  A volume that nothing
 * mounts becomes nothing: the agent fails a version over a unit that nothing
 * starts.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/quantity.h"
#include "common/xmem.h"
#include "placer/fields.h"
#include "placer/identity.h"
#include "placer/quadlet_own.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct volume {
	const char *name, *medium, *size, *path, *type;
	const char *image; /* or NULL */
	struct json_object *json, *host;
	char at[48];
};

static const struct jread_field volume_fields[] = {
	JSTR(struct volume, name, "name", MAX_LABEL_VALUE, REQUIRED),
	JOBJ(struct volume, host, "hostPath", OPTIONAL),
	JSTR(struct volume, path, "hostPath.path", 1024, OPTIONAL),
	JSTR(struct volume, type, "hostPath.type", 32, OPTIONAL),
	JSTR(struct volume, medium, "emptyDir.medium", 16, OPTIONAL),
	JSTR(struct volume, size, "emptyDir.sizeLimit", 64, OPTIONAL),
	JSTR(struct volume, image, "image.reference", 1024, OPTIONAL),
};

/* Of the characters that nothing on the way reads as its own. */
static bool
is_host_path(const char *s)
{
	return *s == '/' && strstr(s, "..") == NULL &&
	    s[strspn(s,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789_./@+-")] == '\0';
}

static int
read_volume(struct app *app, size_t i, struct volume *v)
{
	*v = (struct volume){ .medium = "",
		.path = "",
		.type = "",
		.json = jread_item(app->volumes, i) };
	(void)snprintf(v->at, sizeof(v->at), "spec.volumes[%zu]", i);
	if (jread_fields(v->json, v->at, volume_fields, COUNT(volume_fields), v,
		app->why) == -1)
		return -1;
	if (!identity_is_plain(v->name))
		return fail(app->why, ERR_FORMAT,
		    "%s.name: \"%s\": not of letters, digits and . _ : -",
		    v->at, v->name);
	if (v->host != NULL && !is_host_path(v->path))
		return fail(app->why, ERR_DENIED,
		    "%s.hostPath.path: \"%.100s\": not absolute, with \"..\", "
		    "or not of letters, digits and _ . / @ + -",
		    v->at, v->path);
	if (v->size != NULL && *v->medium == '\0')
		return fail(app->why, ERR_DENIED,
		    "%s.emptyDir.sizeLimit: not "
		    "supported: a disk has no limit, only medium Memory",
		    v->at);
	return 0;
}

/* An emptyDir, which podman mounts by its name. */
static bool
is_disk(const struct volume *v)
{
	return v->host == NULL && v->image == NULL &&
	    !quadlet_is_files(v->json);
}

/* What podman is told of in words, of which one can be a part's path. */
static bool
is_podmans(const struct volume *v)
{
	return v->image != NULL || is_disk(v);
}

static int
find_volume(struct work *w, const char *name, struct volume *v)
{
	size_t i;

	for (i = 0; i < jread_count(w->app->volumes); i++) {
		if (fields_is_token_volume(jread_item(w->app->volumes, i)))
			continue;
		if (read_volume(w->app, i, v) == -1)
			return -1;
		if (strcmp(v->name, name) == 0)
			return 0;
	}
	return fail(w->app->why, ERR_FORMAT, "spec.volumes: no \"%.63s\"",
	    name);
}

/* -- the .volume file of an emptyDir -- */

static int
mounts_it(struct json_object *container, const char *volume)
{
	struct json_object *mounts = jread_member(container, "volumeMounts");
	const char *name;
	size_t i;

	for (i = 0; i < jread_count(mounts); i++) {
		name =
		    jread_string(jread_member(jread_item(mounts, i), "name"));
		if (name != NULL && strcmp(name, volume) == 0)
			return 1;
	}
	return 0;
}

int
quadlet_is_mounted(struct json_object *spec, struct json_object *volume)
{
	static const char *const lists[] = { "initContainers", "containers" };
	const char *name = jread_string(jread_member(volume, "name"));
	struct json_object *list;
	size_t i, k;

	for (i = 0; name != NULL && i < COUNT(lists); i++) {
		list = jread_member(spec, lists[i]);
		for (k = 0; k < jread_count(list); k++)
			if (mounts_it(jread_item(list, k), name))
				return 1;
	}
	return 0;
}

/* A directory that all users of the pod may write, as the kubelet makes it. */
static void
put_disk(const struct app *app, const struct volume *v, struct unitfile *f)
{
	unitfile_line(f, "Group", "%" PRId64,
	    app->fs_group < 0 ? INT64_C(0) : app->fs_group);
	unitfile_section(f, "Service");
	unitfile_line(f, "ExecStartPost",
	    "/bin/sh -c 'chmod %d \"$$(/usr/bin/podman volume inspect --format "
	    "{{.Mountpoint}} %s-%s)\"'",
	    app->fs_group < 0 ? 777 : 2777, app->id, v->name);
}

static int
put_memory(struct app *app, const struct volume *v, struct unitfile *f)
{
	AUTO_FREE char *size = NULL, *group = NULL;
	int64_t bytes;

	if (v->size != NULL) {
		if (quantity_value(span_of(v->size), &bytes) == -1 ||
		    bytes <= 0)
			return fail(app->why, ERR_FORMAT,
			    "%s.emptyDir.sizeLimit: \"%s\" is no quantity "
			    "above 0",
			    v->at, v->size);
		size = xasprintf("size=%" PRId64 ",", bytes);
	}
	if (app->fs_group >= 0)
		group = xasprintf(",gid=%" PRId64, app->fs_group);
	unitfile_line(f, "Device", "tmpfs");
	unitfile_line(f, "Type", "tmpfs");
	unitfile_line(f, "Options", "%smode=%s%s", size == NULL ? "" : size,
	    group == NULL ? "1777" : "3777", group == NULL ? "" : group);
	unitfile_section(f, "Service");
	return 0;
}

static bool
is_set(struct json_object *mount, const char *member)
{
	const char *s = jread_string(jread_member(mount, member));

	return s != NULL && *s != '\0';
}

/* A part of it is mounted. */
static bool
has_part(const struct app *app, const struct volume *v)
{
	struct json_object *mounts, *m;
	const char *name;
	size_t list, i, k;

	for (list = 0; list < QUADLET_LISTS; list++)
		for (i = 0; i < jread_count(app->lists[list]); i++) {
			mounts = jread_member(jread_item(app->lists[list], i),
			    "volumeMounts");
			for (k = 0; k < jread_count(mounts); k++) {
				m = jread_item(mounts, k);
				name = jread_string(jread_member(m, "name"));
				if (name != NULL &&
				    strcmp(name, v->name) == 0 &&
				    (is_set(m, "subPath") ||
					is_set(m, "subPathExpr")))
					return true;
			}
		}
	return false;
}

/*
 * Empty whatever the image of the first container has at that place, and a
 * user is named so that it does not get the owner and the mode either.
 */
static int
empty_dir(struct app *app, const struct volume *v)
{
	AUTO_FREE char *path = xasprintf("vol_%s.volume", v->name);
	struct unitfile f = { 0 };

	unitfile_section(&f, "Volume");
	unitfile_line(&f, "VolumeName", "%s", v->name);
	unitfile_line(&f, "Copy", "false");
	unitfile_line(&f, "User", "0");
	if (*v->medium == '\0')
		put_disk(app, v, &f);
	else if (put_memory(app, v, &f) == -1) {
		unitfile_clear(&f);
		return -1;
	}
	/* Else it is mounted with its first container, and has no parts. */
	if (*v->medium != '\0' && has_part(app, v))
		unitfile_line(&f, "ExecStartPost",
		    "/usr/bin/podman volume mount %s-%s", app->id, v->name);
	unitfile_line(&f, "ExecStop", "/usr/bin/podman volume rm -f %s-%s",
	    app->id, v->name);
	return quadlet_file(app, path, &f);
}

int
quadlet_volumes(struct app *app)
{
	struct volume v;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < jread_count(app->volumes); i++) {
		if (fields_is_token_volume(jread_item(app->volumes, i)))
			continue;
		if (read_volume(app, i, &v) == -1)
			return -1;
		if (!quadlet_is_mounted(app->spec, v.json))
			continue;
		if (quadlet_is_files(v.json))
			r = quadlet_files(app, v.json, v.name, v.at);
		else if (is_disk(&v))
			r = empty_dir(app, &v);
	}
	return r;
}

/* -- mounts -- */

struct mount {
	const char *name, *path, *sub, *sub_expr, *propagation;
	uint8_t read_only;
};

static const struct jread_field mount_fields[] = {
	JSTR(struct mount, name, "name", MAX_LABEL_VALUE, REQUIRED),
	JSTR(struct mount, path, "mountPath", 1024, REQUIRED),
	JSTR(struct mount, sub, "subPath", 1024, OPTIONAL),
	JSTR(struct mount, sub_expr, "subPathExpr", 1024, OPTIONAL),
	JSTR(struct mount, propagation, "mountPropagation", 32, OPTIONAL),
	JBOOL(struct mount, read_only, "readOnly", OPTIONAL),
};

static int
read_mount(struct work *w, size_t i, struct mount *m)
{
	char at[80];

	*m = (struct mount){ .sub = "", .sub_expr = "", .propagation = "" };
	(void)snprintf(at, sizeof(at), "%s.volumeMounts[%zu]", w->at, i);
	if (jread_fields(jread_item(w->mounts, i), at, mount_fields,
		COUNT(mount_fields), m, w->app->why) == -1)
		return -1;
	if (*m->path == '/' && strchr(m->path, ':') == NULL)
		return 0;
	return fail(w->app->why, ERR_DENIED,
	    "%s.mountPath: \"%.100s\": not absolute, or with \":\"", at,
	    m->path);
}

/* Names with one slash between, none of which a command could mistake. */
static bool
are_names(const char *path)
{
	size_t n;

	for (;; path += n + 1) {
		n = strcspn(path, "/");
		if (n == 0 || *path == '-' || (n == 1 && *path == '.'))
			return false;
		if (path[n] == '\0')
			return true;
	}
}

/* "/SUB" or "", caller frees. */
static char *
sub_path(struct work *w, const struct mount *m, const struct volume *v)
{
	AUTO_FREE char *sub = NULL, *whole = NULL;
	struct why inner;

	sub = *m->sub_expr == '\0' ? xstrdup(m->sub) :
				     quadlet_expand(w, m->sub_expr, &inner);
	if (sub == NULL) {
		quadlet_at(w, "volumeMounts.subPathExpr", &inner);
		return NULL;
	}
	if (*sub == '\0')
		return steal(&sub);
	whole = xasprintf("/%s", sub);
	if (is_host_path(whole) && (!is_podmans(v) || are_names(sub)))
		return steal(&whole);
	fail(w->app->why, ERR_DENIED,
	    "%s.volumeMounts.subPath: \"%.100s\": not names of letters, digits "
	    "and _ . @ + - with one / between, none of them ., .. or with - "
	    "first",
	    w->at, sub);
	return NULL;
}

static const char *
propagation(const struct mount *m)
{
	if (strcmp(m->propagation, "HostToContainer") == 0)
		return "rslave";
	if (strcmp(m->propagation, "Bidirectional") == 0)
		return "rshared";
	return "";
}

/* SOURCE:PATH[:OPTIONS]; z: a label under which containers may read it. */
static char *
mount_value(struct work *w, const struct mount *m, const struct volume *v,
    const char *sub)
{
	const char *how = propagation(m);

	if (quadlet_is_files(v->json))
		return xasprintf(QUADLET_STATE_DIR "/%s/%s%s:%s:ro,z",
		    w->app->in->app, v->name, sub, m->path);
	if (v->host == NULL)
		return xasprintf("vol_%s.volume:%s%s", v->name, m->path,
		    m->read_only ? ":ro" : "");
	return xasprintf("%s%s:%s%s%s%s%s", v->path, sub, m->path,
	    m->read_only || *how != '\0' ? ":" : "", m->read_only ? "ro" : "",
	    m->read_only && *how != '\0' ? "," : "", how);
}

/*
 * An image, or a part of a volume: words with commas between, of which each is
 * its own.  A podman that lacks the image pulls it; it is read-only.
 */
static int
put_words(struct work *w, const struct mount *m, const struct volume *v,
    const char *sub)
{
	AUTO_FREE char *image = NULL;

	if (!is_host_path(m->path))
		return fail(w->app->why, ERR_DENIED,
		    "%s.volumeMounts.mountPath: \"%.100s\": with an image or a "
		    "subPath of an emptyDir only letters, digits and "
		    "_ . / @ + -",
		    w->at, m->path);
	if (v->image != NULL) {
		if ((image = quadlet_image(v->image)) == NULL)
			return fail(w->app->why, ERR_DENIED,
			    "%s.image.reference: \"%.200s\" is no image's "
			    "name",
			    v->at, v->image);
		if (quadlet_origin(w->app, v->at, image) == -1)
			return -1;
		unitfile_line(&w->f, "Mount",
		    "type=image,source=%s,destination=%s%s%s", image, m->path,
		    *sub != '\0' ? ",subpath=" : "", sub);
		return 0;
	}
	unitfile_line(&w->f, "Mount",
	    "type=volume,source=vol_%s.volume,destination=%s,subpath=%s%s",
	    v->name, m->path, sub, m->read_only ? ",ro" : "");
	return 0;
}

static int
put_mount(struct work *w, size_t i)
{
	AUTO_FREE char *sub = NULL, *value = NULL;
	struct volume v;
	struct mount m;
	struct why inner;

	if (read_mount(w, i, &m) == -1 || find_volume(w, m.name, &v) == -1 ||
	    (sub = sub_path(w, &m, &v)) == NULL)
		return -1;
	if (v.image != NULL || (is_disk(&v) && *sub != '\0'))
		return put_words(w, &m, &v, sub);
	value = mount_value(w, &m, &v, sub);
	if (unitfile_value(&w->f, "Volume", value, &inner) == -1)
		return quadlet_at(w, "volumeMounts.mountPath", &inner);
	return 0;
}

int
quadlet_mounts(struct work *w)
{
	size_t i;

	for (i = 0; i < jread_count(w->mounts); i++)
		if (!fields_is_token_volume(jread_item(w->mounts, i)) &&
		    put_mount(w, i) == -1)
			return -1;
	return 0;
}

/* What a hostPath's type makes or wants before the container starts. */
static const struct {
	const char *type, *command;
} types[] = {
	{ "DirectoryOrCreate", "/bin/mkdir -p" },
	{ "Directory", "/usr/bin/test -d" },
	{ "FileOrCreate", "/usr/bin/touch -a" },
	{ "File", "/usr/bin/test -f" },
	{ "Socket", "/usr/bin/test -S" },
	{ "CharDevice", "/usr/bin/test -c" },
	{ "BlockDevice", "/usr/bin/test -b" },
};

static void
put_host_path(struct work *w, const struct volume *v, const char *sub)
{
	size_t k;

	for (k = 0; k < COUNT(types); k++)
		if (strcmp(v->type, types[k].type) == 0)
			unitfile_line(&w->f, "ExecStartPre", "%s %s",
			    types[k].command, v->path);
	/* As the kubelet: what is not there becomes a directory. */
	if (*sub != '\0')
		unitfile_line(&w->f, "ExecStartPre",
		    "/bin/sh -c 'test -e %s%s || mkdir -p %s%s'", v->path, sub,
		    v->path, sub);
}

/*
 * The same below an emptyDir.  A container that writes there may have put a
 * link in the way, and this is root of the device: nothing is made but in the
 * directory that was just entered and is where it should be.
 */
static void
put_disk_path(struct work *w, const struct volume *v, const char *sub)
{
	unitfile_line(&w->f, "ExecStartPre",
	    "/bin/sh -c 'v=\"$$(/usr/bin/podman volume inspect --format "
	    "{{.Mountpoint}} %s-%s)\" && cd \"$$v\" || exit 1; s=%s; IFS=/; "
	    "umask 0; for d in $$s; do p=\"$$(pwd -P)/$$d\"; "
	    "test -e \"$$d\" || mkdir \"$$d\" || exit 1; "
	    "test -d \"$$d\" || continue; cd \"$$d\" && test "
	    "\"$$(pwd -P)\" = \"$$p\" || exit 1; done'",
	    w->app->id, v->name, sub + 1);
}

int
quadlet_paths(struct work *w)
{
	struct volume v;
	struct mount m;
	size_t i;

	for (i = 0; i < jread_count(w->mounts); i++) {
		AUTO_FREE char *sub = NULL;

		if (fields_is_token_volume(jread_item(w->mounts, i)))
			continue;
		if (read_mount(w, i, &m) == -1 ||
		    find_volume(w, m.name, &v) == -1 ||
		    (sub = sub_path(w, &m, &v)) == NULL)
			return -1;
		if (v.host != NULL)
			put_host_path(w, &v, sub);
		else if (is_disk(&v) && *sub != '\0')
			put_disk_path(w, &v, sub);
	}
	return 0;
}
