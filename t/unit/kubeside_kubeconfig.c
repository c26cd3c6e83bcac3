/* SPDX-License-Identifier: ISC */
/* Which kubeconfigs open the door, and what is said of those that do not. */
#include "kubeside/kubeconfig.h"

#include <sys/stat.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/xmem.h"
#include "kubeside/creds.h"

#define HEAD "apiVersion: v1\nkind: Config\ncurrent-context: a\n"
#define CONTEXTS                                                   \
	"contexts:\n- name: a\n  context: {cluster: c, user: u}\n" \
	"- {name: b, context: {cluster: d, user: v, namespace: n}}\n"
#define CLUSTERS                                                      \
	"clusters:\n- name: c\n  cluster:\n    server: https://c:1\n" \
	"- name: d\n  cluster: {server: 'https://d:2', "              \
	"tls-server-name: x, certificate-authority: ca.pem, "         \
	"proxy-url: 'http://p:1', "                                   \
	"insecure-skip-tls-verify: false}\n"
#define USERS                                                          \
	"users:\n- name: u\n  user: {token: t1}\n- name: v\n  user:\n" \
	"    client-certificate-data: QQ==\n    client-key: k.pem\n"

Test(kubeconfig, contexts)
{
	struct kubeconfig k = { 0 };
	struct why why = { 0 };
	struct span text = span_of(HEAD CONTEXTS CLUSTERS USERS);

	cr_assert_eq(kubeconfig_parse(text, "", &k, &why), 0, "%s", why.text);
	cr_expect_str_eq(k.server, "https://c:1");
	cr_expect_str_eq(k.token, "t1");
	cr_expect_null(k.server_name);
	kubeconfig_wipe(&k);
	cr_assert_eq(kubeconfig_parse(text, "b", &k, &why), 0, "%s", why.text);
	cr_expect_str_eq(k.server, "https://d:2");
	cr_expect_str_eq(k.server_name, "x");
	cr_expect_str_eq(k.proxy, "http://p:1");
	cr_expect_str_eq(k.ca_file, "ca.pem");
	cr_expect_str_eq(k.cert_data, "QQ==");
	cr_expect_str_eq(k.key_file, "k.pem");
	cr_expect_null(k.token);
	kubeconfig_wipe(&k);
	cr_expect_null(k.server);
}

Test(kubeconfig, json_is_yaml)
{
	struct kubeconfig k = { 0 };
	struct why why = { 0 };

	cr_assert_eq(
	    kubeconfig_parse(
		span_of("{\"current-context\":\"a\",\"contexts\":[{\"name\":"
			"\"a\",\"context\":{\"cluster\":\"c\"}}],"
			"\"clusters\":[{\"name\":\"c\",\"cluster\":"
			"{\"server\":\"https://c\"}}]}"),
		"", &k, &why),
	    0, "%s", why.text);
	cr_expect_str_eq(k.server, "https://c");
	kubeconfig_wipe(&k);
}

Test(kubeconfig, what_is_refused_is_named)
{
	static const struct {
		const char *text;
		const char *context;
		enum why_kind kind;
		const char *says;
	} bad[] = {
		{ "", "", ERR_FORMAT, "current-context" },
		{ "a: [", "", ERR_FORMAT, "line" },
		{ "- x", "", ERR_FORMAT, "current-context" },
		{ HEAD CONTEXTS CLUSTERS USERS, "z", ERR_FORMAT,
		    "no context z" },
		{ HEAD CONTEXTS USERS, "", ERR_FORMAT, "cluster" },
		{ HEAD CONTEXTS CLUSTERS, "", ERR_FORMAT, "user" },
		{ HEAD CONTEXTS USERS "clusters: [{name: c, cluster: {}}]", "",
		    ERR_FORMAT, "server" },
		{ HEAD CONTEXTS USERS "clusters: [{name: c, cluster: "
				      "{server: [1]}}]",
		    "", ERR_FORMAT, "server" },
		{ HEAD CONTEXTS USERS
		    "clusters: [{name: c, cluster: "
		    "{server: s, insecure-skip-tls-verify: true}}]",
		    "", ERR_DENIED, "insecure-skip-tls-verify" },
		{ HEAD CONTEXTS CLUSTERS "users: [{name: u, user: "
					 "{exec: {command: id}}}]",
		    "", ERR_DENIED, "exec" },
		{ HEAD CONTEXTS CLUSTERS "users: [{name: u, user: "
					 "{auth-provider: {name: gcp}}}]",
		    "", ERR_DENIED, "auth-provider" },
		{ HEAD CONTEXTS CLUSTERS "users: [{name: u, user: "
					 "{username: me, password: SECRET}}]",
		    "", ERR_DENIED, "username" },
		{ HEAD CONTEXTS CLUSTERS "users: [{name: u, user: "
					 "{token: SECRET, as: root}}]",
		    "", ERR_DENIED, "as: " },
		{ HEAD CONTEXTS CLUSTERS "users: [{name: u, user: "
					 "{token: SECRET, as-uid: '7'}}]",
		    "", ERR_DENIED, "as-uid: " },
		{ HEAD CONTEXTS CLUSTERS
		    "users: [{name: u, user: "
		    "{token: SECRET, as-groups: [system:masters]}}]",
		    "", ERR_DENIED, "as-groups: " },
		{ HEAD CONTEXTS CLUSTERS "users: [{name: u, user: "
					 "{token: SECRET, as-user-extra: "
					 "{scopes: [SECRET]}}}]",
		    "", ERR_DENIED, "as-user-extra: " },
	};
	struct kubeconfig k = { 0 };
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = (struct why){ 0 };
		cr_expect_eq(kubeconfig_parse(span_of(bad[i].text),
				 bad[i].context, &k, &why),
		    -1, "%s", bad[i].text);
		cr_expect_eq(why.kind, bad[i].kind, "%s", why.text);
		cr_expect(strstr(why.text, bad[i].says) != NULL, "%s",
		    why.text);
		cr_expect_null(strstr(why.text, "SECRET"));
		cr_expect_null(k.server);
		cr_expect_null(k.token);
	}
}

static char dir[] = "/tmp/vk-unit-XXXXXX";

static char *
put(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
	return path;
}

static int
load(const char *path, struct creds *c, struct why *why)
{
	struct settings s;
	int r;

	settings_init(&s);
	cr_assert_eq(settings_set(&s, SET_KUBECONFIG, path, why), 0);
	r = creds_load(c, &s, why);
	settings_free(&s);
	return r;
}

Test(creds, files_are_beside_the_kubeconfig_and_read_again)
{
	struct creds c = { 0 };
	struct why why = { 0 };
	char *config, *ca, *token;

	cr_assert_not_null(mkdtemp(dir));
	ca = put("ca.pem", "CA");
	token = put("token", "one\n");
	config = put("config",
	    HEAD CONTEXTS "clusters: [{name: c, cluster: {server: 'https://c',"
			  " certificate-authority: ca.pem}}]\n"
			  "users: [{name: u, user: {tokenFile: token, "
			  "token: not-this}}]\n");
	cr_assert_eq(load(config, &c, &why), 0, "%s", why.text);
	cr_expect_str_eq(c.ca_file, ca);
	cr_expect_str_eq(c.token, "one");
	free(put("token", "two\r\n\n"));
	cr_expect_eq(creds_reread(&c, &why), 0);
	cr_expect_str_eq(c.token, "two");
	/* What cannot be read leaves what was there. */
	unlink(token);
	cr_expect_eq(creds_reread(&c, &why), -1);
	cr_expect_eq(why.kind, ERR_SYSTEM);
	cr_expect_not_null(strstr(why.text, token));
	cr_expect_not_null(strstr(why.text, "uid"));
	cr_expect_str_eq(c.token, "two");
	creds_wipe(&c);
	unlink(ca);
	cr_expect_eq(load(config, &c, &why), -1);
	cr_expect_not_null(strstr(why.text, ca));
	cr_expect_null(c.server);
	unlink(config);
	cr_expect_eq(load(config, &c, &why), -1);
	cr_expect_not_null(strstr(why.text, config));
	rmdir(dir);
	free(config);
	free(ca);
	free(token);
}

Test(creds, inline_data_is_decoded)
{
	struct creds c = { 0 };
	struct why why = { 0 };
	char *config;

	cr_assert_not_null(mkdtemp(dir));
	config = put("config",
	    HEAD CONTEXTS "clusters: [{name: c, cluster: {server: 'https://c',"
			  " certificate-authority-data: 'Q0EK'}}]\n"
			  "users: [{name: u, user: "
			  "{client-certificate-data: QQ==, "
			  "client-key-data: \"Qk\\nI=\"}}]\n");
	cr_assert_eq(load(config, &c, &why), 0, "%s", why.text);
	cr_expect_str_eq(c.ca, "CA\n");
	cr_expect_str_eq(c.cert, "A");
	cr_expect_str_eq(c.key, "BB");
	creds_wipe(&c);
	free(put("config",
	    HEAD CONTEXTS CLUSTERS
	    "users: [{name: u, user: {client-certificate-data: '*'}}]\n"));
	cr_expect_eq(load(config, &c, &why), -1);
	cr_expect_eq(why.kind, ERR_FORMAT);
	free(put("config",
	    HEAD CONTEXTS CLUSTERS
	    "users: [{name: u, user: {client-certificate-data: QQ==}}]\n"));
	cr_expect_eq(load(config, &c, &why), -1, "a certificate without key");
	free(put("config",
	    HEAD CONTEXTS CLUSTERS "users: [{name: u, user: {}}]\n"));
	cr_expect_eq(load(config, &c, &why), -1, "nothing to show");
	unlink(config);
	rmdir(dir);
	free(config);
}

Test(creds, without_a_kubeconfig_this_is_a_pod)
{
	static const char token[] =
	    "/var/run/secrets/kubernetes.io/serviceaccount/token";
	struct settings s;
	struct creds c = { 0 };
	struct why why;

	if (access(token, F_OK) == 0)
		cr_skip_test("it is one");
	settings_init(&s);
	cr_assert_eq(creds_load(&c, &s, &why), -1);
	cr_expect_eq(why.kind, ERR_SYSTEM);
	cr_expect_str_eq(why.text,
	    "KUBECONFIG is empty and this is no pod with a service account: "
	    "no /var/run/secrets/kubernetes.io/serviceaccount/token");
	settings_free(&s);
}
