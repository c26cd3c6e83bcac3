/* SPDX-License-Identifier: ISC */
/*
 * quadlet_security.c: the security context of a Pod and its containers.
 *
 * Owns what each of its fields becomes; the container's own word counts before
 * the Pod's.  What needs the operator's leave is fields.def's.  Defaults are
 * podman's, as they are the runtime's under a kubelet.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/identity.h"
#include "placer/quadlet_own.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The container's member, else the pod's, else NULL. */
static struct json_object *
effective(const struct work *w, const char *member)
{
	struct json_object *j = jread_member(w->security, member);

	return j != NULL ? j : jread_member(w->app->security, member);
}

/* 1: *id is set, 0: absent, -1. */
static int
read_id(struct work *w, struct json_object *j, const char *name, int64_t *id)
{
	if (j == NULL)
		return 0;
	*id = json_object_get_int64(j);
	if (json_object_is_type(j, json_type_int) && *id >= 0 &&
	    *id <= INT32_MAX)
		return 1;
	return fail(w->app->why, ERR_FORMAT,
	    "%s.securityContext.%s: none of 0 to %d", w->at, name, INT32_MAX);
}

static int
put_user(struct work *w)
{
	int64_t user = 0, group = 0;
	int has_user, has_group;

	has_user = read_id(w, effective(w, "runAsUser"), "runAsUser", &user);
	has_group =
	    read_id(w, effective(w, "runAsGroup"), "runAsGroup", &group);
	if (has_user == -1 || has_group == -1)
		return -1;
	if (has_user && user == 0 &&
	    json_object_get_boolean(effective(w, "runAsNonRoot")))
		return fail(w->app->why, ERR_DENIED,
		    "%s.securityContext: runAsNonRoot and runAsUser 0", w->at);
	if (has_group && !has_user)
		return fail(w->app->why, ERR_DENIED,
		    "%s.securityContext.runAsGroup: only with runAsUser",
		    w->at);
	if (has_group)
		unitfile_line(&w->f, "User", "%" PRId64 ":%" PRId64, user,
		    group);
	else if (has_user)
		unitfile_line(&w->f, "User", "%" PRId64, user);
	return 0;
}

static int
put_groups(struct work *w)
{
	struct json_object *list;
	int64_t id = 0;
	size_t i;

	list = jread_member(w->app->security, "supplementalGroups");
	for (i = 0; i < jread_count(list); i++) {
		if (read_id(w, jread_item(list, i), "supplementalGroups",
			&id) == -1)
			return -1;
		unitfile_line(&w->f, "GroupAdd", "%" PRId64, id);
	}
	if (w->app->fs_group >= 0)
		unitfile_line(&w->f, "GroupAdd", "%" PRId64, w->app->fs_group);
	return 0;
}

/* "CAP_CHOWN", "CHOWN" or "ALL" as podman has it. */
static int
put_capability(struct work *w, const char *key, const char *name)
{
	if (name != NULL && strncmp(name, "CAP_", 4) == 0)
		name += 4;
	if (name == NULL || *name == '\0' || strlen(name) > 40 ||
	    name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_")] != '\0')
		return fail(w->app->why, ERR_DENIED,
		    "%s.securityContext.capabilities: \"%.40s\" is no "
		    "capability's name",
		    w->at, name == NULL ? "" : name);
	unitfile_line(&w->f, key, "%s", name);
	return 0;
}

static int
put_capabilities(struct work *w)
{
	static const struct {
		const char *member, *key;
	} lists[] = {
		{ "drop", "DropCapability" },
		{ "add", "AddCapability" },
	};
	struct json_object *list;
	size_t i, k;

	for (i = 0; i < COUNT(lists); i++) {
		list = jread_member(jread_member(w->security, "capabilities"),
		    lists[i].member);
		for (k = 0; k < jread_count(list); k++)
			if (put_capability(w, lists[i].key,
				jread_string(jread_item(list, k))) == -1)
				return -1;
	}
	return 0;
}

/* Options of podman for which its generator has no key. */
static void
put_arguments(struct work *w)
{
	struct json_object *armor = effective(w, "appArmorProfile");
	const char *type = jread_string(jread_member(armor, "type"));

	if (json_object_get_boolean(jread_member(w->security, "privileged")))
		unitfile_line(&w->f, "PodmanArgs", "--privileged");
	if (type != NULL && strcmp(type, "Unconfined") == 0)
		unitfile_line(&w->f, "PodmanArgs",
		    "--security-opt=apparmor=unconfined");
	if (w->app->host_pid)
		unitfile_line(&w->f, "PodmanArgs", "--pid=host");
	if (w->app->host_ipc)
		unitfile_line(&w->f, "PodmanArgs", "--ipc=host");
	if (json_object_get_boolean(jread_member(w->json, "stdin")))
		unitfile_line(&w->f, "PodmanArgs", "--interactive");
	if (json_object_get_boolean(jread_member(w->json, "tty")))
		unitfile_line(&w->f, "PodmanArgs", "--tty");
}

/* "s0:c1,c2", "container_t" */
static int
put_label(struct work *w, const char *key, struct json_object *j)
{
	const char *s = jread_string(j);

	if (j == NULL)
		return 0;
	if (s == NULL || *s == '\0' || strlen(s) > 200 ||
	    s[strspn(s,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789_.:,-")] != '\0')
		return fail(w->app->why, ERR_DENIED,
		    "%s.securityContext.seLinuxOptions: \"%.64s\": not of "
		    "letters, digits and _ . : , -",
		    w->at, s == NULL ? "" : s);
	unitfile_line(&w->f, key, "%s", s);
	return 0;
}

int
quadlet_security(struct work *w)
{
	struct json_object *linux_options = effective(w, "seLinuxOptions");
	struct json_object *seccomp = effective(w, "seccompProfile"), *j;
	const char *type = jread_string(jread_member(seccomp, "type"));

	if (put_user(w) == -1 || put_groups(w) == -1 ||
	    put_capabilities(w) == -1)
		return -1;
	j = jread_member(w->security, "allowPrivilegeEscalation");
	if (j != NULL && !json_object_get_boolean(j))
		unitfile_line(&w->f, "NoNewPrivileges", "true");
	j = jread_member(w->security, "readOnlyRootFilesystem");
	if (json_object_get_boolean(j)) {
		unitfile_line(&w->f, "ReadOnly", "true");
		/* or /tmp and /run would be writable all the same */
		unitfile_line(&w->f, "ReadOnlyTmpfs", "false");
	}
	if (type != NULL && strcmp(type, "Unconfined") == 0)
		unitfile_line(&w->f, "SeccompProfile", "unconfined");
	put_arguments(w);
	if (put_label(w, "SecurityLabelType",
		jread_member(linux_options, "type")) == -1)
		return -1;
	return put_label(w, "SecurityLabelLevel",
	    jread_member(linux_options, "level"));
}

/*
 * As the kubelet: a user of the image that is root, or that is a name and so
 * may be, does not start.
 */
int
quadlet_non_root(struct work *w, const char *image)
{
	if (!json_object_get_boolean(effective(w, "runAsNonRoot")) ||
	    effective(w, "runAsUser") != NULL)
		return 0;
	unitfile_line(&w->f, "ExecStartPre",
	    "/bin/sh -c 'case \"$$(/usr/bin/podman image inspect --format "
	    "{{.Config.User}} %s)\" in \"\"|0*|*[!0-9:]*) echo \"runAsNonRoot: "
	    "the user of the image is root or no number\" >&2; exit 1; esac'",
	    image);
	return 0;
}
