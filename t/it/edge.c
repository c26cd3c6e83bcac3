/* SPDX-License-Identifier: ISC */
/*
 * edge.c: the opening and the end of scenarios on a real device.
 *
 * Owns the way into the device.
 */
#include "t/it/edge.h"

#include <json-c/json_object.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	READY_MS = 30000,
	GONE_MS = 60000,
	BOOT_MS = 60000,
	UP_MS = 200,
	LOST_MS = 150000,
	SILENT_MS = 2000,
};

struct provider *
edge_open(const char *const *settings)
{
	AUTO_JSON struct json_object *node = NULL;
	struct provider *p;

	if (world_kind() != WORLD_EDGE) {
		it_skip("no real device: make check-edge has one");
		return NULL;
	}
	world_open(
	    &(struct world_conf){ .devices = 1, .fleet = "edge-fleet-1" });
	p = provider_start("provider", settings);
	return (node = node_is_ready(READY_MS)) == NULL ? NULL : p;
}

/* --- devices -------------------------------------------------------------- */

/* The first is there when we come, edge_up() adds others. */
const char *
edge_name(void)
{
	const char *name = getenv("EDGE_NAME");

	return name != NULL ? name : "";
}

/* t/edge/device VERB DIR NAME [WORD]: status, output. */
static int
device(const char *verb, const char *name, const char *word, char **out)
{
	AUTO_FREE char *script = child_source("t/edge/device");

	return child_run((const char *[]){ script, verb, getenv("EDGE_DIR"),
			     name, word, NULL },
	    out);
}

__attribute__((format(printf, 2, 0))) static char *
sh(const char *name, const char *fmt, va_list ap)
{
	AUTO_FREE char *command = xvasprintf(fmt, ap);
	char *out = NULL;
	size_t len;

	device("sh", name, command, &out);
	for (len = strlen(out); len > 0 && out[len - 1] == '\n'; len--)
		out[len - 1] = '\0';
	return out;
}

char *
edge_sh(const char *fmt, ...)
{
	va_list ap;
	char *out;

	va_start(ap, fmt);
	out = sh(edge_name(), fmt, ap);
	va_end(ap);
	return out;
}

char *
edge_sh_on(const char *name, const char *fmt, ...)
{
	va_list ap;
	char *out;

	va_start(ap, fmt);
	out = sh(name, fmt, ap);
	va_end(ap);
	return out;
}

void
edge_cable_of(const char *name, int in)
{
	if (device("net", name, in ? "on" : "off", NULL) != 0)
		it_die("the cable cannot be plugged %s", in ? "in" : "out");
}

void
edge_cable(int in)
{
	edge_cable_of(edge_name(), in);
}

void
edge_lose(const char *name)
{
	AUTO_FREE char *script = child_source("t/real/flight"), *id = NULL;
	int64_t since = it_ms();
	int lost = 0;

	edge_cable_of(name, 0);
	if (device("id", name, NULL, &id) != 0)
		it_die("%s has no name in Flightctl", name);
	id[strcspn(id, "\n")] = '\0';
	/* What it asked last is stored up to 15 s later: say it again. */
	while (it_ms() - since < LOST_MS) {
		AUTO_JSON struct json_object *d = flight_device(id);

		lost =
		    strcmp(js_str(d, "/status/summary/status"), "Unknown") == 0;
		if (lost)
			break;
		if (child_run((const char *[]){ script, "silent",
				  getenv("FC_DIR"), id, NULL },
			NULL) != 0)
			it_die("%s cannot be made silent", name);
		it_pause(SILENT_MS);
	}
	it_took(since, lost, "Flightctl calls %s disconnected", name);
}

void
edge_up(const char *name)
{
	AUTO_FREE char *out = NULL;

	if (device("up", name, NULL, &out) != 0)
		it_die("device %s does not boot: %s", name, out);
}

void
edge_down(const char *name)
{
	it_ok(device("down", name, NULL, NULL) == 0, "device %s is no more",
	    name);
}

/* When its first process began: another one after a boot. */
static char *
boot_of(void)
{
	return edge_sh("cut -d ' ' -f 22 /proc/1/stat 2>/dev/null");
}

void
edge_reboot(void)
{
	AUTO_FREE char *before = boot_of();
	int64_t since = it_ms();
	int up = 0;

	free(edge_sh("systemctl reboot"));
	while (!up && it_ms() - since < BOOT_MS) {
		AUTO_FREE char *now = boot_of();

		AUTO_FREE char *state =
		    edge_sh("systemctl is-active multi-user.target");

		up = *now != '\0' && strcmp(now, before) != 0 &&
		    strcmp(state, "active") == 0;
		it_pause(UP_MS);
	}
	it_took(since, up, "the device has booted");
}

static int
is_empty(struct json_object *set, void *arg)
{
	(void)arg;
	return json_object_object_length(set) == 0;
}

void
edge_is_empty(const char *name)
{
	AUTO_FREE char *containers = edge_sh_on(name, "podman ps -aq");
	AUTO_FREE char *volumes =
	    edge_sh_on(name, "podman volume ls -q; ls /run/vk-flightctl 2>&-");
	AUTO_FREE char *units = edge_sh_on(name,
	    "systemctl list-units --all --no-legend 'k8s-*' 'vk-*'; "
	    "find /run/systemd/transient -name 'vk-*' 2>&-");

	it_ok(*containers == '\0', "podman has no container left (%.80s)",
	    containers);
	it_ok(*volumes == '\0', "no volume and no mark is left (%.80s)",
	    volumes);
	it_ok(*units == '\0', "systemd has no unit of it left (%.80s)", units);
}

void
edge_close(struct provider *p)
{
	int64_t since = it_ms();

	it_took(since, kube_await(KUBE_PODS, is_empty, NULL, GONE_MS),
	    "all pods are gone");
	edge_is_empty(edge_name());
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}
