/* SPDX-License-Identifier: ISC */
/*
 * gateway: the Debian package on a gateway host with systemd: installed,
 * started with credentials, reloaded, hurt, upgraded, stopped, removed,
 * purged.  The pod that runs on a device is never touched.
 */
#include <json-c/json_tokener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/flight.h"
#include "t/it/host.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/pod.h"
#include "t/it/world.h"

#define UNIT "vk-flightctl-provider"
#define STATE "/var/lib/" UNIT "/placer"
#define RUN "/run/" UNIT

enum {
	READY_MS = 20000,
	RUN_MS = 10000,
	WAIT_MS = 15000,
};

/* What is there, and what the same would be with the next version. */
static void
put_packages(void)
{
	static const char next[] =
	    "set -eu; cd \"$1\"; dpkg-deb -R \"$2\" tree\n"
	    "sed -i 's/^Version: .*/&+next/' tree/DEBIAN/control\n"
	    "dpkg-deb -Znone -b tree next.deb\n";
	AUTO_FREE char *make = child_source("deploy/deb");
	AUTO_FREE char *to = child_source("build/deb");
	AUTO_FREE char *deb = xasprintf("%s/" UNIT ".deb", to);
	AUTO_FREE char *dir = xasprintf("%s/kubesim", it_folder());
	AUTO_FREE char *newer = xasprintf("%s/next.deb", dir), *out = NULL;

	if (child_run((const char *[]){ make, to, NULL }, &out) != 0)
		it_die("no package: %s", out);
	free(out);
	if (child_run((const char *[]){ "sh", "-c", next, "sh", dir, deb,
			  NULL },
		&out) != 0)
		it_die("no package of a next version: %s", out);
	host_put(deb, "one.deb");
	host_put(newer, "next.deb");
}

/* --- checks --------------------------------------------------------------- */

/* One property of the unit. */
static void
unit_is(const char *property, const char *value, const char *what)
{
	host_sh("systemctl show -p %s --value " UNIT, property);
	it_ok(strcmp(host_said(), value) == 0, "%s: %s=%s", what, property,
	    host_said());
}

/* A line of the journal of this unit has these words, n times. */
static void
is_logged(const char *words, int n, const char *what)
{
	it_ok(host_await(WAIT_MS,
		  "n=$(journalctl -b -q -o cat -u " UNIT " | grep -c '%s'); "
		  "[ \"$n\" -ge %d ]",
		  words, n) == 0,
	    "%s", what);
}

/* A shell command there has this status and prints these words. */
static void
does(const char *command, int status, const char *words, const char *what)
{
	int got = host_sh("%s", command);

	if (!it_ok(got == status && strstr(host_said(), words) != NULL, "%s",
		what))
		it_say("status %d: %s", got, host_said());
}

static int
all_apply(struct json_object *set, void *arg)
{
	struct json_object *device;
	struct lh_entry *at = NULL;

	(void)arg;
	while (js_next(set, &at, NULL, &device))
		if (strcmp(js_str(device, "/status/updated/status"),
			"UpToDate") != 0)
			return 0;
	return 1;
}

/* Specs were written as often as before, no container was started anew. */
static void
untouched(int64_t writes, const char *when)
{
	AUTO_JSON struct json_object *set = NULL;

	(void)flight_await(all_apply, NULL, WAIT_MS);
	set = flight_devices();
	it_ok(flight_generations(set) == writes && flight_restarts(set) == 0,
	    "%s: devices are as they were (%lld writes, %lld restarts)", when,
	    (long long)(flight_generations(set) - writes),
	    (long long)flight_restarts(set));
}

/* --- the story ------------------------------------------------------------ */

static void
install(void)
{
	does("dpkg --no-triggers -i /root/one.deb", 0, "Setting up",
	    "the package installs");
	unit_is("ActiveState", "inactive", "nothing is started by that");
	does("systemctl start " UNIT, 1, "", "without settings it does not");
	unit_is("ExecMainStatus", "78", "a wrong setting is its status");
	unit_is("ActiveState", "failed", "and is not tried again");
	does("stat -c '%a %U' " STATE, 0, "700 _vk-placer",
	    "the state is the placer's");
}

static void
configure(void)
{
	static const char *const files[][2] = {
		{ "KUBECONFIG", "kubeconfig" },
		{ "FLIGHTCTL_AUTH_TOKEN_FILE", "flightctl-token" },
		{ "FLIGHTCTL_CA_FILE", "flightctl-ca" },
	};
	size_t i;

	if (host_sh("set -e; install -d -m 700 /etc/credstore\n"
		    "cat >>/etc/" UNIT ".conf <<END\n"
		    "FLIGHTCTL_API_URL=%s\n"
		    "FLIGHTCTL_CA_FILE=" RUN "/flightside/ca\n"
		    "FLEET_ID=%s\n"
		    "REQUIRE_SANDBOX=yes\n"
		    "END",
		getenv("FLIGHTCTL_API_URL"), world_fleet()) != 0)
		it_die("no settings: %s", host_said());
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (host_sh("install -m 600 /root/%s /etc/credstore/" UNIT
			    ".%s",
			files[i][0], files[i][1]) != 0)
			it_die("no credentials: %s", host_said());
	does(UNIT " -n", 0, "CONTROL_GROUP=", "the settings are right");
}

static void
begin(void)
{
	AUTO_JSON struct json_object *node = NULL;
	int64_t since = it_ms();

	it_took(since, host_sh("systemctl enable --now " UNIT) == 0,
	    "it is enabled and started");
	unit_is("ActiveState", "active", "it has said that it is ready");
	unit_is("StatusText", "all workers are ready", "and how it is");
	node = node_is_ready(READY_MS);
	does("curl -s -o /dev/null -w '%{http_code}' "
	     "http://127.0.0.1:10255/healthz",
	    0, "200", "its health is told");
}

/* As the unit has it: four users, two rights, each file for one of them. */
static void
walls(void)
{
	does(UNIT " --check | grep -c ': \\(KUBECONFIG\\|STATE_DIR\\|"
		  "FLIGHTCTL_AUTH_TOKEN_FILE\\): .* can be .* by uid'",
	    0, "3", "--check looks as the unit's users, at its files");
	does("ps -o user:20= -p $(cat /sys/fs/cgroup/system.slice/" UNIT
	     ".service/cgroup.procs | paste -sd,) | sort | tr -d ' ' | "
	     "paste -sd,",
	    0, "_vk-flightside,_vk-kubeside,_vk-placer,root",
	    "it is four users");
	does("grep CapEff /proc/$(systemctl show -p MainPID --value " UNIT
	     ")/status",
	    0, "00000000000000c0", "root is left CAP_SETUID and CAP_SETGID");
	does("for u in kubeside flightside placer; do "
	     "for f in " RUN "/*/* /run/credentials/" UNIT ".service/*; do "
	     "setpriv --reuid=_vk-$u --regid=_vk-$u --clear-groups cat $f "
	     ">/dev/null 2>&1 && echo $u ${f##*/}; done; done | paste -sd,",
	    0, "kubeside kubeconfig,flightside ca,flightside token",
	    "each worker's user can read its own credentials alone");
	does("for f in " RUN "/*/* /run/credentials/" UNIT ".service/*; do "
	     "nsenter -m -t $(systemctl show -p MainPID --value " UNIT ") "
	     "setpriv --bounding-set=-all cat $f 2>&1 >/dev/null; done | "
	     "grep -c 'denied\\|No such'",
	    0, "6", "and the supervisor none");
	does("setpriv --reuid=nobody --regid=vk-flightctl --clear-groups "
	     "vkfctl devices",
	    0, world_fleet(), "members of vk-flightctl may ask vkfctl");
	does("setpriv --reuid=nobody --regid=nogroup --clear-groups "
	     "vkfctl devices",
	    77, "", "others may not");
	does("systemd-analyze security --threshold=20 --no-pager " UNIT
	     " | tail -n 1",
	    0, "exposure level", "systemd calls it exposed by 2.0 at most");
	it_say("%s", host_said());
}

static void
reload(void)
{
	does("sed -i 's/^#LOG_LEVEL=.*/LOG_LEVEL=debug/' /etc/" UNIT ".conf && "
	     "systemctl reload " UNIT,
	    0, "", "it is reloaded");
	is_logged("LOG_LEVEL=debug", 1, "the new setting holds");
}

static void
journal(void)
{
	AUTO_JSON struct json_object *entry = NULL;

	host_sh("journalctl -b -q -o json -u " UNIT
		" PROCESS=supervisor -g 'all workers are ready' | head -n 1");
	entry = json_tokener_parse(host_said());
	it_ok(strcmp(js_str(entry, "/_SYSTEMD_UNIT"), UNIT ".service") == 0 &&
		strcmp(js_str(entry, "/SYSLOG_IDENTIFIER"), UNIT) == 0 &&
		strcmp(js_str(entry, "/PRIORITY"), "6") == 0,
	    "journalctl has the fields of a line (%s, %s)",
	    js_str(entry, "/SYSLOG_IDENTIFIER"), js_str(entry, "/PRIORITY"));
}

static void
hurt(int64_t writes)
{
	does("kill -9 $(pgrep -u _vk-placer)", 0, "", "the placer is killed");
	is_logged("placer is ready", 2, "it is started again");
	unit_is("NRestarts", "0", "systemd has nothing to do");
	does("kill -9 $(systemctl show -p MainPID --value " UNIT ")", 0, "",
	    "the supervisor is killed");
	is_logged("all workers are ready", 2, "systemd starts it again");
	unit_is("NRestarts", "1", "once");
	does("mkdir -p /run/systemd/system/" UNIT ".service.d && "
	     "printf '[Service]\\nWatchdogSec=1\\nTimeoutAbortSec=1\\n' "
	     ">/run/systemd/system/" UNIT ".service.d/fast.conf && "
	     "systemctl daemon-reload && systemctl restart " UNIT " && "
	     "kill -STOP $(systemctl show -p MainPID --value " UNIT ")",
	    0, "", "it hangs");
	is_logged("all workers are ready", 4, "the watchdog has it started");
	does("rm -r /run/systemd/system/" UNIT ".service.d && "
	     "systemctl daemon-reload && systemctl restart " UNIT,
	    0, "", "its own watchdog has 30 s");
	untouched(writes, "after all that");
}

static void
upgrade(int64_t writes)
{
	AUTO_FREE char *before = NULL;

	host_sh("stat -c %%i " STATE "/* | paste -sd,; "
		"systemctl show -p MainPID --value " UNIT);
	before = xstrdup(host_said());
	does("dpkg --no-triggers -i /root/next.deb", 0, "next",
	    "an upgrade installs");
	unit_is("ActiveState", "active", "what ran runs");
	host_sh("systemctl show -p MainPID --value " UNIT);
	it_ok(strstr(before, host_said()) == NULL, "anew");
	host_sh("stat -c %%i " STATE "/* | paste -sd,");
	it_ok(strncmp(before, host_said(), strcspn(host_said(), ",")) == 0,
	    "with the same database");
	does("vkfctl pods", 0, "RUNNING", "that knows the pod");
	does("grep -c ^FLEET_ID= /etc/" UNIT ".conf", 0, "1",
	    "and the same settings");
	untouched(writes, "after the upgrade");
}

static void
end(int64_t writes)
{
	int64_t since = it_ms();

	it_took(since, host_sh("systemctl stop " UNIT) == 0, "it is stopped");
	unit_is("Result", "success", "in good order");
	does("ls " RUN, 2, "", "no credential is left in /run");
	does("systemctl start " UNIT " && dpkg --no-triggers -r " UNIT, 0, "",
	    "the package is removed while it runs");
	unit_is("ActiveState", "inactive", "nothing runs");
	does("ls " STATE "/* /etc/" UNIT ".conf && ! ls /usr/sbin/" UNIT, 0, "",
	    "state and settings are kept, programs are not");
	does("dpkg --no-triggers -P " UNIT " && "
	     "! ls -d /var/lib/" UNIT " /etc/" UNIT ".conf",
	    0, "", "a purge takes them away");
	untouched(writes, "without a provider");
}

static void
scenario(void)
{
	static const char *const files[] = { "KUBECONFIG",
		"FLIGHTCTL_AUTH_TOKEN_FILE", "FLIGHTCTL_CA_FILE" };
	AUTO_JSON struct json_object *pod = NULL, *set = NULL;
	AUTO_FREE char *uid = NULL;
	int64_t writes;
	size_t i;

	(void)unsetenv("IT_WORLD"); /* simulators, beside whatever is here */
	if (!host_prepare())
		return;
	world_open(&(struct world_conf){ .devices = 2 });
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		host_put(getenv(files[i]), files[i]);
	put_packages();
	host_boot();
	install();
	configure();
	begin();
	uid = pod_create("web", NULL);
	if ((pod = pod_runs("web", it_ms(), RUN_MS)) == NULL)
		return;
	(void)flight_await(all_apply, NULL, WAIT_MS);
	set = flight_devices();
	writes = flight_generations(set);
	walls();
	reload();
	journal();
	hurt(writes);
	upgrade(writes);
	end(writes);
	host_down();
}

int
main(void)
{
	return it_run("gateway", scenario);
}
