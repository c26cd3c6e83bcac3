/* SPDX-License-Identifier: ISC */
/*
 * vkfctl_asks: what an operator asks of a running provider, who may ask, and
 * that a peer that says nothing holds nobody up.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	READY_MS = 30000,
	RUN_MS = 30000,
	SILENT = 7, /* of the eight that are served at once */
};

static char *path;

/* Its exit status; the caller frees *out. */
static int
ask(const char *format, const char *command, const char *more, char **out)
{
	AUTO_FREE char *program = child_program("vkfctl");
	const char *argv[10] = { program, "-s", path };
	size_t n = 3;

	if (format != NULL) {
		argv[n++] = "-o";
		argv[n++] = format;
	}
	argv[n++] = command;
	argv[n] = more;
	return child_run(argv, out);
}

static void
says(const char *format, const char *command, const char *want)
{
	AUTO_FREE char *out = NULL;
	int status;

	status = ask(format, command, NULL, &out);
	it_ok(status == 0 && out != NULL && strstr(out, want) != NULL, "%s: %s",
	    command, want);
}

static void
refuses(const char *command, const char *more, int want)
{
	AUTO_FREE char *out = NULL;
	int status;

	status = ask(NULL, command, more, &out);
	it_ok(status == want, "%s: status %d, wanted %d", command, status,
	    want);
}

/* "explain pod x" and "explain device x" are two words and a name. */
static void
explain(const char *format, const char *what, const char *name, int status,
    const char *want)
{
	AUTO_FREE char *out = NULL, *program = child_program("vkfctl");
	const char *argv[] = { program, "-s", path, "-o", format, "explain",
		what, name, NULL };
	const char *plain[] = { program, "-s", path, "explain", what, name,
		NULL };
	int got;

	got = child_run(format != NULL ? argv : plain, &out);
	it_ok(got == status &&
		(want == NULL || (out != NULL && strstr(out, want) != NULL)),
	    "explain %s %s: status %d, %s", what, name, got,
	    want != NULL ? want : "nothing");
}

/* A pod that runs, and one that no device can take. */
static void
explains(const char *uid)
{
	AUTO_JSON struct json_object *set = flight_devices();
	struct json_object *holder = flight_holder(set, uid, NULL);
	const char *device = js_str(holder, "/metadata/name");
	AUTO_FREE char *seat =
	    xasprintf("\"about\":\"seat\",\"name\":\"%s\"", device);

	free(
	    pod_create("huge", &(struct pod_conf){ .cpu = "900", .bound = 1 }));
	(void)pods_in_phase("huge", "Failed", 1, RUN_MS);
	explain(NULL, "pod", "default/asked", EX_OK, "RUNNING");
	explain("json", "pod", "default/asked", EX_OK, seat);
	explain("json", "pod", "default/huge", EX_OK,
	    "\"rule\":4,\"verdict\":\"no room for CPU\"");
	explain("json", "device", device, EX_OK,
	    "\"name\":\"default/asked\",\"rule\":38,\"verdict\":"
	    "\"RUNNING\"");
	explain("json", "device", device, EX_OK,
	    "\"name\":\"connected\",\"rule\":3,\"verdict\":\"fit\"");
	explain(NULL, "pod", "nobody/nothing", EX_NOINPUT, NULL);
	explain(NULL, "device", "nobody", EX_NOINPUT, NULL);
	explain(NULL, "pod", "two words", EX_USAGE, NULL);
	refuses("explain", NULL, EX_USAGE);
	refuses("explain", "pod", EX_USAGE);
}

/* Orders: asked, confirmed, given twice, remembered by whom. */
static void
order(const char *yes, const char *word, const char *name, int status,
    const char *want)
{
	AUTO_FREE char *out = NULL, *program = child_program("vkfctl");
	const char *argv[] = { program, "-s", path, "-o", "json", yes, word,
		name, NULL };
	int got = child_run(argv, &out);

	it_ok(got == status &&
		(want == NULL || (out != NULL && strstr(out, want) != NULL)),
	    "%s %s %s: status %d, %s", yes, word, name, got,
	    want != NULL ? want : "nothing");
}

/* The pod's device is drained: it goes, and a next one goes elsewhere. */
static void
orders(const char *uid)
{
	AUTO_JSON struct json_object *set = flight_devices(), *pod = NULL;
	AUTO_FREE char *out = NULL;
	const char *device =
	    js_str(flight_holder(set, uid, NULL), "/metadata/name");

	order("-y", "drain", "nobody", EX_NOINPUT, NULL);
	order("-y", "give-up", device, EX_USAGE, "is connected");
	order("-y", "retire", device, EX_NOINPUT, NULL);
	order("-y", "give-up", "default/asked", EX_USAGE, "is connected");
	it_ok(ask(NULL, "drain", device, &out) == EX_USAGE && out != NULL &&
		strstr(out, "-y confirms it") != NULL,
	    "without a terminal an order wants -y");
	explain("json", "device", device, EX_OK, "\"verdict\":\"fit\"");
	order("-y", "drain", device, EX_OK, "\"result\":\"done\"");
	order("-y", "drain", device, EX_OK, "\"result\":\"already\"");
	it_ok(pods_gone("asked", RUN_MS) && flight_await_removed(uid, RUN_MS),
	    "what ran there is evicted and leaves");
	explain("json", "device", device, EX_OK, "\"verdict\":\"drained\"");
	says("json", "records", "\"operation\":\"drain\",\"desired\":\"uid ");
	free(pod_create("next", NULL));
	pod = pod_runs("next", it_ms(), RUN_MS);
	says("json", "pods", "\"pod\":\"next\"");
	order("-y", "undrain", device, EX_OK, "\"result\":\"done\"");
	order("-y", "undrain", device, EX_OK, "\"result\":\"already\"");
	order("-y", "release-brake", world_fleet(), EX_OK, "no brake is on");
}

static void
log_level(const char *level, int status)
{
	AUTO_FREE char *out = NULL,
		       *want = xasprintf("\"level\":\"%s\"", level);
	int got = ask("json", "log", level, &out);

	it_ok(got == status &&
		(status != EX_OK || (out != NULL && strstr(out, want) != NULL)),
	    "log %s: status %d", level, got);
}

/* The level of all processes, from info to debug. */
static void
levels(struct provider *p)
{
	says("json", "log", "\"level\":\"info\"");
	log_level("loud", EX_USAGE);
	it_ok(provider_lines(p, "\"level\":\"debug\"") == 0,
	    "at level info there are no lines of level debug");
	log_level("debug", EX_OK);
	says("json", "log", "\"level\":\"debug\"");
	it_ok(provider_await_lines(p,
		  "\"msg\":\"LOG_LEVEL=debug by uid [0-9]+, until SIGHUP", 1,
		  RUN_MS) == 1,
	    "the log says by whom it was changed");
}

static void
workers_say_more(struct provider *p)
{
	static const char kube[] = "debug\",\"process\":\"kubeside\",\"msg\":";
	static const char flight[] =
	    "debug\",\"process\":\"flightside\",\"msg\":";

	it_ok(provider_await_lines(p, kube, 1, RUN_MS) > 0 &&
		provider_await_lines(p, flight, 1, RUN_MS) > 0,
	    "and the workers log more");
}

static int
connect_silently(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		it_die("%s: no connection", path);
	return fd;
}

static void
look_past_silent_peers(void)
{
	int fd[SILENT], i;

	for (i = 0; i < SILENT; i++)
		fd[i] = connect_silently();
	says(NULL, "status", "apiserver");
	for (i = 0; i < SILENT; i++)
		close(fd[i]);
}

/* More than a request may have: an answer that says so, then the end. */
static void
look_at_a_long_request(void)
{
	AUTO_FD int fd = connect_silently();
	char bytes[512], got[128] = "";

	memset(bytes, 'a', sizeof(bytes));
	it_ok(send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) ==
		(ssize_t)sizeof(bytes),
	    "a request without an end is sent");
	(void)recv(fd, got, sizeof(got) - 1, MSG_WAITALL);
	it_ok(strcmp(got, "error the request is too long\n") == 0,
	    "and refused: %s", got);
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *pod = NULL;
	AUTO_FREE char *uid = NULL;
	struct provider *p;
	struct stat st;

	world_open(&(struct world_conf){ .devices = 2 });
	path = xasprintf("%s/provider/control.sock", it_folder());
	refuses("devices", NULL, EX_UNAVAILABLE);
	p = provider_start("provider",
	    (const char *[]){ "LOG_LEVEL=info", NULL });
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	uid = pod_create("asked", NULL);
	pod = pod_runs("asked", it_ms(), RUN_MS);
	it_ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600,
	    "the socket is its owner's alone");
	says(NULL, "pods", "asked");
	says(NULL, "pods", "RUNNING");
	says("json", "pods", "\"state\":\"RUNNING\"");
	says(NULL, "devices", "PLACEABLE");
	says("json", "devices", "\"placeable\":\"fit\"");
	says("json", "records", "/asked\",\"operation\":\"");
	says("json", "fleets", "\"devices\":2,");
	says("json", "status",
	    "\"about\":\"flightctl\",\"name\":\"\",\"state\":\"answers\"");
	explains(uid);
	refuses("nothing", NULL, EX_USAGE);
	refuses("devices", "more", EX_USAGE);
	levels(p);
	orders(uid);
	workers_say_more(p);
	look_past_silent_peers();
	look_at_a_long_request();
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	it_ok(stat(path, &st) == -1, "and takes its socket with it");
	free(path);
}

int
main(void)
{
	return it_run("vkfctl-asks", scenario);
}
