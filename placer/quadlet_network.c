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

/* A kind of text: what may be in it, in bytes and in words. */
struct form {
	const char *set, *words;
};

static const struct form address = { "0123456789abcdefABCDEF.:",
	"hexadecimal digits, . and :" };
static const struct form host = { ALNUM ".-", "letters, digits, . and -" };
static const struct form domain = { ALNUM "._-", "letters, digits and . _ -" };
static const struct form option = { ALNUM "_-", "letters, digits, _ and -" };
static const struct form sysctl_name = { ALNUM "_./-",
	"letters, digits and _ . / -" };
static const struct form sysctl_value = { ALNUM "_.,:-+ \t",
	"letters, digits, blanks and _ . , : - +" };

/* 0: it is of that form. */
static int
check(struct app *app, const char *s, const struct form *form,
    const char *field)
{
	if (s != NULL && *s != '\0' && strlen(s) <= MAX_NAME && *s != '.' &&
	    *s != '-' && s[strspn(s, form->set)] == '\0')
		return 0;
	return fail(app->why, ERR_DENIED,
	    "spec.%s: \"%.64s\": not 1 to %d bytes of %s, none of . - first",
	    field, s == NULL ? "" : s, MAX_NAME, form->words);
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
		if (check(app, ip, &address, "hostAliases[].ip") == -1)
			return -1;
		for (k = 0; k < jread_count(names); k++) {
			name = jread_string(jread_item(names, k));
			if (check(app, name, &host,
				"hostAliases[].hostnames[]") == -1)
				return -1;
			unitfile_line(f, "AddHost", "%s:%s", name, ip);
		}
	}
	return 0;
}

/* The elements of an array of texts, each a line. */
static int
put_texts(struct app *app, struct unitfile *f, const char *key,
    struct json_object *list, const char *field, const struct form *form)
{
	const char *s;
	size_t i;

	for (i = 0; i < jread_count(list); i++) {
		s = jread_string(jread_item(list, i));
		if (check(app, s, form, field) == -1)
			return -1;
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
		if (value != NULL && *value == '\0')
			value = NULL;
		if (check(app, name, &option, "dnsConfig.options[].name") ==
			-1 ||
		    (value != NULL &&
			check(app, value, &option,
			    "dnsConfig.options[].value") == -1))
			return -1;
		unitfile_line(f, "DNSOption", "%s%s%s", name,
		    value == NULL ? "" : ":", value == NULL ? "" : value);
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
		&address) == -1 ||
	    put_texts(app, f, "DNSSearch", jread_member(dns, "searches"),
		"dnsConfig.searches[]", &domain) == -1)
		return -1;
	return put_options(app, f, jread_member(dns, "options"));
}

/*
 * Some settings have several numbers with blanks or tabs between.  No two such
 * texts are too much for a line.
 */
static int
put_sysctl(struct app *app, struct unitfile *f, const char *name,
    const char *value)
{
	AUTO_FREE char *word = NULL;

	if (check(app, name, &sysctl_name, "securityContext.sysctls[].name") ==
		-1 ||
	    check(app, value, &sysctl_value,
		"securityContext.sysctls[].value") == -1)
		return -1;
	word = xasprintf("%s%s=%s", quadlet_is_pod(app) ? "--sysctl=" : "",
	    name, value);
	return unitfile_words(f, quadlet_is_pod(app) ? "PodmanArgs" : "Sysctl",
	    (const char *const *)&word, 1, app->why);
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
