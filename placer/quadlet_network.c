/* SPDX-License-Identifier: ISC */
/*
 * quadlet_network.c: what the containers of a Pod share beside volumes: its
 * network, names of hosts, kernel settings.
 *
 * Owns their lines, in the .pod file where there is one: podman ignores or
 * refuses them on a container of a pod.  What the generator has a key for in
 * [Container] has none in [Pod], so these are arguments of podman there.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/quadlet_own.h"

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static bool
is_of(const char *s, const char *set)
{
	return s != NULL && *s != '\0' && strlen(s) <= MAX_NAME && *s != '.' &&
	    *s != '-' && s[strspn(s, set)] == '\0';
}

static int
refused(struct app *app, const char *field, const char *value)
{
	return fail(app->why, ERR_DENIED, "spec.%s: \"%.64s\"", field,
	    value == NULL ? "" : value);
}

static int
put_aliases(struct app *app, struct unitfile *f)
{
	struct json_object *list = jread_member(app->spec, "hostAliases");
	struct json_object *names;
	const char *ip, *name;
	size_t i, k;

	for (i = 0; i < jread_count(list); i++) {
		ip = jread_string(jread_member(jread_item(list, i), "ip"));
		names = jread_member(jread_item(list, i), "hostnames");
		if (!is_of(ip, "0123456789abcdefABCDEF.:"))
			return refused(app, "hostAliases[].ip", ip);
		for (k = 0; k < jread_count(names); k++) {
			name = jread_string(jread_item(names, k));
			if (!is_of(name, ALNUM ".-"))
				return refused(app, "hostAliases[].hostnames[]",
				    name);
			unitfile_line(f, "AddHost", "%s:%s", name, ip);
		}
	}
	return 0;
}

/* The elements of an array of texts, each a line. */
static int
put_texts(struct app *app, struct unitfile *f, const char *key,
    struct json_object *list, const char *field, const char *set)
{
	const char *s;
	size_t i;

	for (i = 0; i < jread_count(list); i++) {
		s = jread_string(jread_item(list, i));
		if (!is_of(s, set))
			return refused(app, field, s);
		unitfile_line(f, key, "%s", s);
	}
	return 0;
}

static int
put_options(struct app *app, struct unitfile *f, struct json_object *list)
{
	const char *name, *value;
	struct json_object *j;
	size_t i;

	for (i = 0; i < jread_count(list); i++) {
		j = jread_item(list, i);
		name = jread_string(jread_member(j, "name"));
		value = jread_string(jread_member(j, "value"));
		if (!is_of(name, ALNUM "_-"))
			return refused(app, "dnsConfig.options[].name", name);
		if (value == NULL || *value == '\0')
			unitfile_line(f, "DNSOption", "%s", name);
		else if (is_of(value, ALNUM "_-"))
			unitfile_line(f, "DNSOption", "%s:%s", name, value);
		else
			return refused(app, "dnsConfig.options[].value", value);
	}
	return 0;
}

/*
 * podman takes its own list in place of the device's; Kubernetes would add to
 * what it has, but for dnsPolicy None.
 */
static int
put_dns(struct app *app, struct unitfile *f)
{
	struct json_object *dns = jread_member(app->spec, "dnsConfig");
	struct json_object *servers = jread_member(dns, "nameservers");

	if (jread_count(servers) > 0 && strcmp(app->dns_policy, "None") != 0)
		return fail(app->why, ERR_DENIED,
		    "spec.dnsConfig.nameservers: "
		    "only with dnsPolicy None");
	if (jread_count(servers) == 0 && strcmp(app->dns_policy, "None") == 0)
		return fail(app->why, ERR_DENIED,
		    "spec.dnsPolicy: None without dnsConfig.nameservers");
	if (put_texts(app, f, "DNS", servers, "dnsConfig.nameservers[]",
		"0123456789abcdefABCDEF.:") == -1 ||
	    put_texts(app, f, "DNSSearch", jread_member(dns, "searches"),
		"dnsConfig.searches[]", ALNUM "._-") == -1)
		return -1;
	return put_options(app, f, jread_member(dns, "options"));
}

/* Some settings have several numbers with blanks or tabs between. */
static int
put_sysctl(struct app *app, struct unitfile *f, const char *name,
    const char *value)
{
	AUTO_FREE char *word = NULL;
	struct why inner;

	if (!is_of(name, ALNUM "_./-"))
		return refused(app, "securityContext.sysctls[].name", name);
	if (!is_of(value, ALNUM "_.,:-+ \t"))
		return refused(app, "securityContext.sysctls[].value", value);
	word = xasprintf("%s%s=%s", quadlet_is_pod(app) ? "--sysctl=" : "",
	    name, value);
	if (unitfile_words(f, quadlet_is_pod(app) ? "PodmanArgs" : "Sysctl",
		(const char *const *)&word, 1, &inner) == -1)
		return refused(app, "securityContext.sysctls[]", word);
	return 0;
}

static int
put_sysctls(struct app *app, struct unitfile *f)
{
	struct json_object *list = jread_member(app->security, "sysctls"), *j;
	size_t i;

	for (i = 0; i < jread_count(list); i++) {
		j = jread_item(list, i);
		if (put_sysctl(app, f, jread_string(jread_member(j, "name")),
			jread_string(jread_member(j, "value"))) == -1)
			return -1;
	}
	return 0;
}

static int
put_ports(struct app *app, struct unitfile *f)
{
	size_t list, i;

	for (list = 0; list < QUADLET_LISTS; list++)
		for (i = 0; i < jread_count(app->lists[list]); i++)
			if (quadlet_ports(app, (enum quadlet_list)list, i, f) ==
			    -1)
				return -1;
	return 0;
}

int
quadlet_network(struct app *app, struct unitfile *f)
{
	if (app->host_net)
		unitfile_line(f, "Network", "host");
	else if (put_ports(app, f) == -1)
		return -1;
	if (put_aliases(app, f) == -1 || put_dns(app, f) == -1)
		return -1;
	return put_sysctls(app, f);
}
