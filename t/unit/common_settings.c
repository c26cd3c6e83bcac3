/* SPDX-License-Identifier: ISC */
/* Settings: what is taken, what is refused and with which words. */
#include "common/settings.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/form.h"
#include "t/unit/leaks.h"

static struct settings set;
static struct why why;

static void
begin(void)
{
	settings_init(&set);
}

static void
end(void)
{
	settings_free(&set);
}

TestSuite(common_settings, .init = begin, .fini = end);

static enum setting
by_name(const char *name)
{
	enum setting i = settings_by_name(name);

	cr_assert(i < SET_COUNT, "%s", name);
	return i;
}

static void
takes(const char *name, const char *value)
{
	cr_assert(settings_set(&set, by_name(name), value, &why) == 0, "%s",
	    why.text);
}

static void
refuses(const char *name, const char *value, const char *text)
{
	enum setting i = by_name(name);
	char before[256];

	(void)snprintf(before, sizeof(before), "%s", set.text[i]);
	cr_assert(settings_set(&set, i, value, &why) == -1, "%s=%s", name,
	    value);
	cr_assert_str_eq(why.text, text);
	cr_assert_str_eq(set.text[i], before);
}

Test(common_settings, defaults_are_their_own_values)
{
	enum setting i;

	for (i = 0; i < SET_COUNT; i++) {
		cr_assert(set.given[i] == 0);
		if (set.text[i][0] != '\0')
			takes(settings_name(i), set.text[i]);
	}
	cr_assert(set.number[SET_STATUS_POLL_INTERVAL] == 10000);
	cr_assert(set.number[SET_DEVICE_DEFAULT_MEMORY] == 1 << 30);
	cr_assert(set.number[SET_DEVICE_DEFAULT_CPU] == 1000);
}

Test(common_settings, wrong_values_name_variable_value_and_range)
{
	refuses("DEVICE_RECONNECT_TIMEOUT", "31m",
	    "DEVICE_RECONNECT_TIMEOUT=31m: must be a duration, 1m..30m "
	    "(\"90s\", \"1h30m\")");
	refuses("DEVICE_RECONNECT_TIMEOUT", "5",
	    "DEVICE_RECONNECT_TIMEOUT=5: must be a duration, 1m..30m "
	    "(\"90s\", \"1h30m\")");
	refuses("DEVICE_MAX_PODS", "0",
	    "DEVICE_MAX_PODS=0: must be a number, 1..500");
	refuses("DEVICE_MAX_PODS", "1e2",
	    "DEVICE_MAX_PODS=1e2: must be a number, 1..500");
	refuses("DEVICE_MAX_PODS", " 5",
	    "DEVICE_MAX_PODS= 5: must be a number, 1..500");
	refuses("DEVICE_MAX_PODS", "99999999999999999999",
	    "DEVICE_MAX_PODS=99999999999999999999: must be a number, 1..500");
	refuses("DEVICE_DEFAULT_CPU", "0",
	    "DEVICE_DEFAULT_CPU=0: must be a quantity, 1m..1000 "
	    "(\"500m\", \"2\")");
	refuses("DEVICE_DEFAULT_MEMORY", "1Ki",
	    "DEVICE_DEFAULT_MEMORY=1Ki: must be a quantity, 1Mi..1024Gi "
	    "(\"512Mi\", \"2Gi\")");
	refuses("LOG_LEVEL", "loud",
	    "LOG_LEVEL=loud: must be one of error, warn, info, debug");
	refuses("REQUIRE_SANDBOX", "true",
	    "REQUIRE_SANDBOX=true: must be one of yes, no");
	refuses("STATE_DIR", "state",
	    "STATE_DIR=state: must be an absolute path");
	refuses("UIDS", "5,0,7",
	    "UIDS=5,0,7: must be users, by name or by id above 0");
	refuses("UIDS", "5,6,-x",
	    "UIDS=5,6,-x: must be users, by name or by id above 0");
	refuses("UIDS", "5,6,7a",
	    "UIDS=5,6,7a: must be users, by name or by id above 0");
	refuses("UIDS", "5,,7",
	    "UIDS=5,,7: must be users, by name or by id above 0");
	refuses("STATE_DIR", "", "STATE_DIR=: must be 1 to 4096 bytes");
	refuses("NODE_NAME", "A", "NODE_NAME=A: must be a DNS subdomain");
	refuses("FLEET_ID", "a,,b",
	    "FLEET_ID=a,,b: must be label values separated by commas");
	refuses("FLEET_LABEL", "a/b/c",
	    "FLEET_LABEL=a/b/c: must be a label key");
	refuses("IMAGE_REGISTRIES", "a, ",
	    "IMAGE_REGISTRIES=a, : must be words separated by commas");
	refuses("LISTEN", "localhost:80",
	    "LISTEN=localhost:80: must be ADDRESS:PORT in numbers, or empty");
	refuses("CLUSTER_ID", "a\nb",
	    "CLUSTER_ID=a?b: must be text without control bytes");
}

Test(common_settings, long_values_are_shown_in_part)
{
	char value[1000];

	memset(value, 'x', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	cr_assert(settings_set(&set, SET_LOG_LEVEL, value, &why) == -1);
	cr_assert(strstr(why.text, "xxx...: must be ") != NULL);
	cr_assert(strlen(why.text) < 250);
}

Test(common_settings, urls)
{
	static const char *const good[] = { "https://a", "https://a.b:3443",
		"https://[::1]:1/x/y", "http://127.0.0.1:80",
		"http://localhost", "http://[::1]:8080" };
	static const char *const bad[] = { "a", "http://a", "ftp://a",
		"https://", "https://a:0x1", "https://a:99999", "https://u:p@h",
		"https://a/?x", "https://a/#x", "https://a b", "https://[::1",
		"HTTPS://a", "https://a:", "https://[]", "https://[a b]",
		"https://[u@h]:1", "https://[1.2.3.4]" };
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		takes("FLIGHTCTL_API_URL", good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert(settings_set(&set, SET_FLIGHTCTL_API_URL, bad[i],
			      &why) == -1,
		    "%s", bad[i]);
	takes("FLIGHTCTL_API_URL", "https://a/b//");
	cr_assert_str_eq(set.text[SET_FLIGHTCTL_API_URL], "https://a/b");
}

Test(common_settings, listen)
{
	takes("LISTEN", "");
	takes("LISTEN", "0.0.0.0:0");
	takes("LISTEN", "[::]:10255");
	cr_assert(settings_set(&set, SET_LISTEN, "1.2.3.4", &why) == -1);
	cr_assert(settings_set(&set, SET_LISTEN, "1.2.3.4:65536", &why) == -1);
	cr_assert(settings_set(&set, SET_LISTEN, "::1:80", &why) == -1);
	cr_assert(settings_set(&set, SET_LISTEN, "1.2.3.4:80 ", &why) == -1);
}

static char path[64];

static void
file_of(const char *text, size_t len)
{
	FILE *f;
	int fd;

	(void)snprintf(path, sizeof(path), "/tmp/vk-settings.XXXXXX");
	fd = mkstemp(path);
	cr_assert(fd != -1);
	f = fdopen(fd, "w");
	cr_assert(
	    f != NULL && fwrite(text, 1, len, f) == len && fclose(f) == 0);
}

static void
file(const char *text)
{
	file_of(text, strlen(text));
}

static void
file_fails(const char *text, const char *words)
{
	end();
	begin();
	file(text);
	cr_assert(settings_file(&set, path, &why) == -1);
	cr_assert(strncmp(why.text, path, strlen(path)) == 0);
	cr_assert_str_eq(why.text + strlen(path), words);
	cr_assert(unlink(path) == 0);
}

Test(common_settings, environment_comes_before_the_file)
{
	char one[] = "LOG_LEVEL=debug", two[] = "HOME=/x", three[] = "PATH";
	char *env[] = { one, two, three, NULL };

	cr_assert(settings_env(&set, env, &why) == 0);
	file("# ours\n\n  LOG_LEVEL=error\t\r\nDEVICE_MAX_PODS=7");
	cr_assert(settings_file(&set, path, &why) == 0, "%s", why.text);
	cr_assert(unlink(path) == 0);
	cr_assert_str_eq(set.text[SET_LOG_LEVEL], "debug");
	cr_assert(set.number[SET_DEVICE_MAX_PODS] == 7);
}

Test(common_settings, files_are_read_strictly)
{
	file_fails("LOG_LEVEL=info\nNO_SUCH=1\n",
	    ":2: NO_SUCH: no such setting");
	file_fails("LOG_LEVEL\n", ":1: must be NAME=value");
	file_fails("LOG_FORMAT=json\nLOG_FORMAT=json\n",
	    ":2: LOG_FORMAT: a second time");
	file_fails("\nLOG_FORMAT=xml",
	    ":2: LOG_FORMAT=xml: must be one of auto, json, text, "
	    "journal");
	file_fails("FLIGHTCTL_AUTH_TOKEN=x\n",
	    ":1: FLIGHTCTL_AUTH_TOKEN: must be in a file that "
	    "FLIGHTCTL_AUTH_TOKEN_FILE names");
	cr_assert(settings_file(&set, "/nonexistent/x", &why) == -1);
	cr_assert_str_eq(why.text, "/nonexistent/x: No such file or directory");
	cr_assert(settings_file(&set, "/", &why) == -1);
	cr_assert_str_eq(why.text, "/: Is a directory");
}

Test(common_settings, a_nul_byte_ends_no_line)
{
	static const char text[] = "LOG_LEVEL=info\n\0LOG_FORMAT=json\n";
	char said[128];

	file_of(text, sizeof(text) - 1);
	(void)snprintf(said, sizeof(said), "%s:2: a NUL byte", path);
	cr_assert(settings_file(&set, path, &why) == -1);
	cr_assert_str_eq(why.text, said);
	cr_assert(unlink(path) == 0);
}

static void
check_fails(const char *words)
{
	cr_assert(settings_check(&set, PROC_SUPERVISOR, &why) == -1);
	cr_assert_str_eq(why.text, words);
}

Test(common_settings, together)
{
	check_fails("FLIGHTCTL_API_URL=: must be https://HOST[:PORT], there is "
		    "no default");
	takes("FLIGHTCTL_API_URL", "https://a");
	cr_assert(settings_check(&set, PROC_SUPERVISOR, &why) == 0);
	takes("FLIGHTCTL_CLIENT_CERT", "/c");
	check_fails("FLIGHTCTL_CLIENT_KEY=: must be given, because "
		    "FLIGHTCTL_CLIENT_CERT is");
	takes("FLIGHTCTL_CLIENT_KEY", "/k");
	cr_assert(settings_check(&set, PROC_SUPERVISOR, &why) == 0);
	takes("FLIGHTCTL_CLIENT_CERT", "");
	check_fails("FLIGHTCTL_CLIENT_CERT=: must be given, because "
		    "FLIGHTCTL_CLIENT_KEY is");
	takes("FLIGHTCTL_CLIENT_KEY", "");
	takes("UIDS", "5,6");
	check_fails("UIDS=5,6: must be three different users");
	takes("UIDS", "5,6,5");
	check_fails("UIDS=5,6,5: must be three different users");
	takes("UIDS", "5,6,7,8");
	check_fails("UIDS=5,6,7,8: must be three different users");
	takes("UIDS", "_vk-kubeside,6,placer");
	cr_assert(settings_check(&set, PROC_SUPERVISOR, &why) == 0);
	takes("UIDS", "5,6,7");
	takes("FLEET_ID", "a,b");
	cr_assert(settings_check(&set, PROC_SUPERVISOR, &why) == 0);
	takes("NODE_NAME", "edge");
	check_fails("NODE_NAME=edge: must be empty with more than one fleet "
		    "in FLEET_ID");
}

/* A container is given what its worker needs, no more. */
Test(common_settings, required_is_what_the_worker_gets)
{
	cr_assert(settings_check(&set, PROC_KUBESIDE, &why) == 0);
	cr_assert(settings_check(&set, PROC_PLACER, &why) == 0);
	cr_assert(settings_check(&set, PROC_FLIGHTSIDE, &why) == -1);
	cr_assert_str_eq(why.text,
	    "FLIGHTCTL_API_URL=: must be https://HOST[:PORT], there is no "
	    "default");
	takes("UIDS", "5,6");
	cr_assert(settings_check(&set, PROC_KUBESIDE, &why) == -1);
	takes("UIDS", "5, 6,7");
	cr_assert(settings_uid(&set, PROC_KUBESIDE) == 5);
	cr_assert(settings_uid(&set, PROC_FLIGHTSIDE) == 6);
	cr_assert(settings_uid(&set, PROC_PLACER) == 7);
}

static int
nodes(const char *fleets, struct fleet_node *n)
{
	takes("FLEET_ID", fleets);
	return settings_nodes(&set, n, MAX_NODES, &why);
}

Test(common_settings, node_names)
{
	struct fleet_node n[MAX_NODES];
	char longest[64];

	cr_assert(nodes("", n) == 1);
	cr_assert_str_eq(n[0].node, "vk-flightctl");
	cr_assert_str_eq(n[0].fleet, "");
	cr_assert(nodes("edge-fleet-1, b", n) == 2);
	cr_assert_str_eq(n[0].node, "vk-flightctl-edge-fleet-1");
	cr_assert_str_eq(n[0].fleet, "edge-fleet-1");
	cr_assert_str_eq(n[1].node, "vk-flightctl-b");
	/* Changed: told apart by a hash, and from whoever needs no change. */
	cr_assert(nodes("A.b,a_b,a-b", n) == 3);
	cr_assert(strncmp(n[0].node, "vk-flightctl-a-b-", 17) == 0);
	cr_assert(strncmp(n[1].node, "vk-flightctl-a-b-", 17) == 0);
	cr_assert(strcmp(n[0].node, n[1].node) != 0);
	cr_assert_str_eq(n[2].node, "vk-flightctl-a-b");
	memset(longest, 'x', 63);
	longest[63] = '\0';
	cr_assert(nodes(longest, n) == 1);
	cr_assert(
	    strlen(n[0].node) == 63 && form_is_dns_label(span_of(n[0].node)));
	cr_assert_str_eq(n[0].fleet, longest);
	cr_assert(nodes("a,b,a", n) == -1);
	cr_assert_str_eq(why.text,
	    "FLEET_ID: must be fleets of different node "
	    "names; a and a both are vk-flightctl-a");
	cr_assert(nodes("one", n) == 1);
	takes("NODE_NAME", "my.edge");
	cr_assert(nodes("one", n) == 1);
	cr_assert_str_eq(n[0].node, "my.edge");
}

Test(common_settings, too_many_fleets)
{
	struct fleet_node n[MAX_NODES];
	char list[MAX_NODES * 8] = "f0";
	size_t len = 2;
	int i;

	for (i = 1; i <= MAX_NODES; i++)
		len +=
		    (size_t)snprintf(list + len, sizeof(list) - len, ",f%d", i);
	cr_assert(nodes(list, n) == -1);
	cr_assert(why.kind == ERR_LIMIT);
}

/* Every fleet gives a name that Kubernetes takes. */
Test(common_settings, any_fleet_has_a_legal_node_name)
{
	static const char chars[] = "aZ09-_.";
	struct fleet_node n[MAX_NODES];
	char fleet[64];
	uint64_t seed = 9;
	size_t len, j;
	int i;

	for (i = 0; i < 20000; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		len = 1 + (seed >> 33) % 63;
		for (j = 0; j < len; j++) {
			seed = seed * 6364136223846793005u + 1;
			fleet[j] = chars[(seed >> 40) % 7];
		}
		fleet[len] = '\0';
		if (!form_is_label_value(span_of(fleet)))
			continue;
		cr_assert(nodes(fleet, n) == 1);
		cr_assert(form_is_dns_label(span_of(n[0].node)), "%s: %s",
		    fleet, n[0].node);
	}
}

/* What is printed can be read back, and says the same. */
Test(common_settings, printed_settings_come_back)
{
	struct settings back;
	char *text = NULL;
	size_t size;
	FILE *f;

	takes("FLIGHTCTL_API_URL", "https://a");
	takes("FLEET_ID", "a, b");
	takes("STATUS_POLL_INTERVAL", "1m30s");
	f = open_memstream(&text, &size);
	cr_assert(f != NULL);
	settings_print(&set, f);
	cr_assert(fclose(f) == 0);
	file(text);
	settings_init(&back);
	cr_assert(settings_file(&back, path, &why) == 0, "%s", why.text);
	cr_assert(memcmp(back.number, set.number, sizeof(back.number)) == 0);
	cr_assert_str_eq(back.text[SET_FLEET_ID], "a, b");
	cr_assert(unlink(path) == 0);
	settings_free(&back);
	free(text);
	NO_LEAKS();
}

Test(common_settings, each_goes_only_where_the_table_says)
{
	cr_assert(settings_is_for(SET_KUBECONFIG, PROC_KUBESIDE));
	cr_assert(!settings_is_for(SET_KUBECONFIG, PROC_FLIGHTSIDE));
	cr_assert(!settings_is_for(SET_KUBECONFIG, PROC_PLACER));
	cr_assert(
	    settings_is_for(SET_FLIGHTCTL_AUTH_TOKEN_FILE, PROC_FLIGHTSIDE));
	cr_assert(
	    !settings_is_for(SET_FLIGHTCTL_AUTH_TOKEN_FILE, PROC_KUBESIDE));
	cr_assert(settings_reloads(SET_LOG_LEVEL));
	cr_assert(!settings_reloads(SET_STATE_DIR));
}

/* The manual has each setting once, in this order, with its default. */
Test(common_settings, manual_says_the_same)
{
	char line[512], name[80], text[5000];
	const char *range;
	enum setting i = 0;
	FILE *f;

	f = fopen("man/vk-flightctl-provider.conf.5", "r");
	cr_assert(f != NULL, "run from the root of the tree");
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, ".It Ev %79s", name) != 1)
			continue;
		cr_assert(i < SET_COUNT, "%s is no setting", name);
		cr_assert_str_eq(name, settings_name(i),
		    "%s is where %s should be", name, settings_name(i));
		cr_assert(fgets(line, sizeof(line), f) != NULL);
		(void)snprintf(text, sizeof(text), "; %s%s.\n",
		    set.text[i][0] == '\0' ? "" : "default ",
		    i == SET_FLIGHTCTL_API_URL ? "required" :
			set.text[i][0] == '\0' ? "empty" :
						 set.text[i]);
		cr_assert(strstr(line, text) != NULL, "%s: %s", name, line);
		if (settings_set(&set, i, "!", &why) == -1 &&
		    (range = strstr(why.text, "..")) != NULL) {
			while (range[-1] != ' ')
				range--;
			(void)snprintf(text, sizeof(text), ", %.*s;",
			    (int)strcspn(range, " "), range);
			cr_assert(strstr(line, text) != NULL, "%s: %s", text,
			    line);
		}
		cr_assert(fgets(line, sizeof(line), f) != NULL);
		cr_assert(line[0] >= 'A' && line[0] <= 'z', "%s: no text",
		    name);
		i++;
	}
	cr_assert(i == SET_COUNT, "no %s", settings_name(i));
	(void)fclose(f);
}
