/* SPDX-License-Identifier: ISC */
/*
 * check: vk-flightctl-provider --check where all is well, where it writes
 * nothing, and with one fault after the other: each is a line that names it,
 * and a line with the command that mends it.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <json-c/json_tokener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/sandbox.h"
#include "common/xmem.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/look.h"
#include "t/it/provider.h"
#include "t/it/world.h"
#include "t/sim/cert.h"

enum {
	READY_MS = 20000,
	WITH_FAILURE = 1, /* exit status */
};

static const struct provider_look all;

#define LOOK(name, wanted, how, ...) \
	look_run(name, (const char *const[]){ __VA_ARGS__, NULL }, how, wanted)
#define CHECK(name, wanted, ...) LOOK(name, wanted, &all, __VA_ARGS__)
#define ALL_FAIL "^FAIL "

/* --- all is well ---------------------------------------------------------- */

/* A simulator's counts: verbs that store nothing, and no others. */
static void
only_reads(enum world_sim sim, const char *who, const char *reads)
{
	AUTO_FREE char *text = world_tell(sim, "counts");
	AUTO_JSON struct json_object *counts = json_tokener_parse(text);
	struct lh_entry *at = NULL;
	struct json_object *times;
	size_t n = 0, writes = 0;
	const char *what;

	for (; js_next(counts, &at, &what, &times); n++)
		if (look_lines(what, reads) == 0) {
			it_say("%s: %s", who, what);
			writes++;
		}
	it_ok(n > 0 && writes == 0, "%s was asked, and nothing was written",
	    who);
}

static int
nothing_is_made(int64_t generations)
{
	AUTO_FREE char *lease = xasprintf("/apis/coordination.k8s.io/v1/"
					  "namespaces/%s/leases/%s",
	    getenv("NAMESPACE"), world_node());
	AUTO_FREE char *node = xasprintf(KUBE_NODES "/%s", world_node());
	AUTO_JSON struct json_object *l = kube_get(lease), *n = kube_get(node);
	AUTO_JSON struct json_object *devices = flight_devices();

	return l == NULL && n == NULL &&
	    flight_generations(devices) == generations;
}

static void
all_is_well(void)
{
	AUTO_JSON struct json_object *devices = flight_devices();
	int64_t generations = flight_generations(devices);
	AUTO_FREE char *out = NULL, *state = NULL;
	static const char *const told[] = {
		"ok    host: LISTEN: ",
		"ok    kubeside: KUBECONFIG: .*can be read by uid [0-9]+",
		"ok    kubeside: apiserver: https://.* answers, certificate "
		"verified, v1\\.",
		"ok    kubeside: clock: as the apiserver's",
		"ok    kubeside: account: system:serviceaccount:vk-flightctl:"
		"vk-flightctl-provider",
		"ok    kubeside: right: get list watch delete pods$",
		"ok    kubeside: right: get patch leases in vk-flightctl$",
		"ok    kubeside: right: get configmaps in default ",
		"ok    kubeside: right: get secrets: not needed",
		"ok    kubeside: cluster: its id is ",
		"ok    kubeside: node: .* is not there yet",
		"ok    kubeside: lease: .* nobody has written it yet",
		"ok    flightside: FLIGHTCTL_AUTH_TOKEN_FILE: .*can be read",
		"ok    flightside: Flightctl: https://.* certificate verified",
		"ok    flightside: clock: as Flightctl's",
		"ok    flightside: token: accepted ",
		"ok    flightside: organization: 0000",
		"ok    flightside: right: update devices$",
		"ok    flightside: right: list events$",
		"ok    flightside: fleet .*: 2 devices; 2 of the 2 looked at "
		"are heard of",
		"ok    host: STATE_DIR: .*will be made",
		"ok    placer: STATE_DIR: .*made at the start",
	};
	size_t i;

	if (world_kind() == WORLD_SIM) {
		free(world_tell(SIM_KUBE, "reset-counts"));
		free(world_tell(SIM_FLIGHT, "reset-counts"));
	}
	out = CHECK("well", EX_OK, "LISTEN=127.0.0.1:0");
	if (world_kind() == WORLD_SIM) {
		only_reads(SIM_KUBE, "the apiserver",
		    "^(get|list) |^create selfsubject(access)?reviews$");
		only_reads(SIM_FLIGHT, "Flightctl", "^GET ");
	}
	it_ok(nothing_is_made(generations),
	    "no Node, no Lease, no device is another");
	state = xasprintf("%s/well/state", it_folder());
	it_ok(access(state, F_OK) == -1, "and no STATE_DIR");
	for (i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		AUTO_FREE char *regex = xasprintf("^%s", told[i]);

		if (!it_ok(look_lines(out, regex) == 1, "%s", told[i]))
			it_say("%s", out);
	}
	it_ok(look_lines(out,
		  sandbox_seals() ? ": sandbox: uid" :
				    ": sandbox: .*sanitizers") == 3,
	    "each worker says what confines it");
	it_ok(look_lines(out, ALL_FAIL "|NODE_NAME") == 0, "nothing fails");
}

/* --- files and settings --------------------------------------------------- */

static void
wrong_setting(void)
{
	AUTO_FREE char *out = CHECK("setting", EX_CONFIG, "FLIGHTCTL_RATE=0");

	it_ok(look_lines(out, "FLIGHTCTL_RATE=0: must be ") == 1,
	    "a wrong setting is told, and nothing is tried");
}

static void
locked_file(const char *setting, const char *worker, unsigned int uid)
{
	AUTO_FREE char *name = xasprintf("locked-%s", worker);
	AUTO_FREE char *out = LOOK(name, WITH_FAILURE,
	    (&(struct provider_look){ setting, NULL }), "LISTEN=127.0.0.1:0");
	AUTO_FREE char *line = xasprintf("FAIL  %s: %s: .*/%s/%s: not readable "
					 "for uid %u: Permission denied",
	    worker, setting, name, setting, uid);
	AUTO_FREE char *mend = xasprintf("chown %u [^ ]*/%s/%s && chmod 0400 ",
	    uid, name, setting);

	look_says(out, line, mend);
}

static void
locked_files(void)
{
	int root = geteuid() == 0;

	if (root) {
		locked_file("KUBECONFIG", "kubeside", 61001);
		locked_file("FLIGHTCTL_AUTH_TOKEN_FILE", "flightside", 61002);
		return;
	}
	locked_file("KUBECONFIG", "kubeside", geteuid());
	locked_file("FLIGHTCTL_AUTH_TOKEN_FILE", "flightside", geteuid());
}

static void
taken_port_and_no_devices(void)
{
	uint16_t port;
	int fd = it_listen(&port);
	AUTO_FREE char *listen = xasprintf("LISTEN=127.0.0.1:%u", port);
	AUTO_FREE char *mend = xasprintf("ss -Hltnp 'sport = :%u'", port);
	AUTO_FREE char *out =
	    CHECK("taken", WITH_FAILURE, listen, "FLEET_ID=nobodys,noones",
		"SECRETS=inline", "STATE_DIR=/dev/null/state");

	look_says(out, "FAIL  host: LISTEN: .*Address already in use", mend);
	look_says(out,
	    "FAIL  host: STATE_DIR: /dev/null/state .*cannot be made",
	    "install -d -m 0700 -o [0-9]+ -g [0-9]+ /dev/null/state");
	look_says(out,
	    "warn  flightside: fleet nobodys: no device has the label "
	    "fleet=nobodys",
	    "flightctl get devices; flightctl edit device/NAME  # "
	    "metadata.labels: \\{fleet: nobodys\\}");
	it_ok(look_lines(out, "^warn  flightside: fleet noones: no device") ==
		    1 &&
		look_lines(out, "^ok    kubeside: node: .* is not there yet") ==
		    2 &&
		look_lines(out, "^ok    kubeside: lease: .* nobody has") == 2,
	    "each fleet and each node is looked at");
	it_ok(look_lines(out,
		  "^ok    kubeside: right: get secrets in default") == 1,
	    "with SECRETS=inline it is asked for Secrets, too");
	close(fd);
}

/* --- servers -------------------------------------------------------------- */

static void
away(void)
{
	AUTO_FREE char *out = NULL;

	world_kube(0);
	world_flight(0);
	out = CHECK("away", WITH_FAILURE, "LISTEN=127.0.0.1:0");
	world_flight(1);
	world_kube(1);
	look_says(out,
	    "FAIL  kubeside: apiserver: https://.*: Connection refused: ",
	    "curl -vk https://");
	look_says(out,
	    "FAIL  flightside: Flightctl: https://.*: Connection refused: ",
	    "curl -vk https://");
}

/* They take connections and say nothing. */
static void
silent(void)
{
	AUTO_FREE char *out = NULL;

	if (world_kind() != WORLD_SIM) {
		it_skip("silent servers: the real ones answer");
		return;
	}
	free(world_tell(SIM_KUBE, "pause"));
	free(world_tell(SIM_FLIGHT, "hang"));
	out = CHECK("silent", WITH_FAILURE, "LISTEN=127.0.0.1:0");
	free(world_tell(SIM_KUBE, "up"));
	free(world_tell(SIM_FLIGHT, "hang off"));
	look_says(out,
	    "FAIL  kubeside: apiserver: https://.*: no answer in time: ",
	    "curl -vk https://");
	look_says(out,
	    "FAIL  flightside: Flightctl: https://.*: no answer in time: ",
	    "curl -vk https://");
}

static void
no_name(void)
{
	AUTO_FREE char *out = CHECK("name", WITH_FAILURE, "LISTEN=127.0.0.1:0",
	    "FLIGHTCTL_API_URL=https://nobody.invalid:3443", "NODE_NAME=edge");

	look_says(out,
	    "FAIL  flightside: Flightctl: https://nobody.invalid:3443: name "
	    "not resolved: ",
	    "getent hosts nobody.invalid  # or correct FLIGHTCTL_API_URL");
	look_says(out, "warn  kubeside: NODE_NAME: edge: .*admission.yaml",
	    "kubectl edit validatingadmissionpolicy vk-flightctl-provider-pods "
	    "vk-flightctl-provider-nodes  # .*edge");
}

/* KUBECONFIG with something else in place of what follows a key. */
static char *
kubeconfig_with(const char *name, const char *was, const char *is)
{
	AUTO_FREE char *text = it_file(getenv("KUBECONFIG"), NULL);
	AUTO_FREE char *changed = NULL;
	char *path = xasprintf("%s/%s.config", it_folder(), name), *at;

	if (text == NULL || (at = strstr(text, was)) == NULL)
		it_die("KUBECONFIG has no %s", was);
	changed = xasprintf("%.*s%s%s", (int)(at - text), text, is,
	    at + strcspn(at, "\n"));
	it_write(path, changed);
	return path;
}

static void
wrong_ca(void)
{
	AUTO_FREE char *ca_file = xasprintf("%s/other.crt", it_folder());
	AUTO_FREE char *is = xasprintf("certificate-authority: %s", ca_file);
	AUTO_FREE char *ca = xasprintf("FLIGHTCTL_CA_FILE=%s", ca_file);
	AUTO_FREE char *path = NULL, *config = NULL, *out = NULL;
	struct cert_ca *other;
	struct why why;

	if ((other = cert_ca_open(it_folder(), "other", &why)) == NULL)
		it_die("%s", why.text);
	cert_ca_free(other);
	if (chmod(ca_file, 0444) == -1)
		it_die("%s cannot be made readable", ca_file);
	path = kubeconfig_with("other", "certificate-authority", is);
	config = xasprintf("KUBECONFIG=%s", path);
	out = CHECK("ca", WITH_FAILURE, "LISTEN=127.0.0.1:0", ca, config);
	look_says(out,
	    "FAIL  kubeside: apiserver: https://.*: certificate not verified "
	    "with .*/other.crt: ",
	    "openssl s_client -connect .* -showcerts </dev/null  # its CA "
	    "belongs into certificate-authority of KUBECONFIG");
	look_says(out,
	    "FAIL  flightside: Flightctl: https://.*: certificate not verified "
	    "with .*/FLIGHTCTL_CA_FILE: ",
	    "openssl s_client -connect .* -showcerts </dev/null  # its CA "
	    "belongs into FLIGHTCTL_CA_FILE");
}

/* --- credentials and rights ----------------------------------------------- */

static char *
token_file(const char *name, const char *token)
{
	AUTO_FREE char *path = xasprintf("%s/%s.token", it_folder(), name);

	it_write(path, token);
	return xasprintf("FLIGHTCTL_AUTH_TOKEN_FILE=%s", path);
}

static void
refused(void)
{
	AUTO_FREE char *path =
	    kubeconfig_with("refused", "token: ", "token: nobodys");
	AUTO_FREE char *config = xasprintf("KUBECONFIG=%s", path);
	AUTO_FREE char *token = token_file("refused", "nobodys\n");
	AUTO_FREE char *out =
	    CHECK("refused", WITH_FAILURE, "LISTEN=127.0.0.1:0", config, token);

	look_says(out,
	    "FAIL  kubeside: apiserver: https://.* answers: .*401.*"
	    "Unauthorized",
	    "kubectl --kubeconfig .* auth whoami");
	look_says(out, "FAIL  flightside: token: Flightctl refuses it: .*401",
	    "install -o [0-9]+ -m 0400 NEW_TOKEN .*AUTH_TOKEN_FILE");
	it_ok(strstr(out, "nobodys") == NULL, "no token is in any line");
}

/* What the command for another namespace would apply: beside a first one's. */
static void
applied_elsewhere(const char *out)
{
	static const char start[] = "  mend: for f in rbac ";
	static const char apply[] = "kubectl apply -f -";
	const char *at = strstr(out, start);
	AUTO_FREE char *line = NULL, *file = NULL, *command = NULL;
	AUTO_FREE char *yaml = NULL;
	char *end;

	if (at == NULL)
		return;
	at += strlen("  mend: ");
	line = xstrndup(at, strcspn(at, "\n"));
	if ((end = strstr(line, apply)) == NULL)
		it_die("%s", line);
	*end = '\0';
	file = xasprintf("%s/elsewhere.yaml", it_folder());
	command = xasprintf("(%s cat%s) >%s", line, end + strlen(apply), file);
	it_ok(system(command) == 0, "%s", command);
	yaml = it_file(file, NULL);
	it_ok(yaml != NULL &&
		look_lines(yaml, "^  name(space)?: elsewhere$") == 7 &&
		look_lines(yaml,
		    "RoleBinding$(\n.*)?\n  name: "
		    "vk-flightctl-provider-elsewhere$") == 3 &&
		look_lines(yaml, "system:serviceaccount:elsewhere:vk-") == 3 &&
		look_lines(yaml,
		    "^  (policyN|n)ame: vk-flightctl-provider-(pods|nodes|"
		    "events)-elsewhere$") == 9 &&
		look_lines(yaml, "(vk-flightctl$|:vk-flightctl:)") == 0,
	    "it is the provider's of that namespace, and no other's");
}

/* {"exp":1} */
static void
expired_and_forbidden(void)
{
	AUTO_FREE char *token = token_file("expired", "a.eyJleHAiOjF9.a\n");
	AUTO_FREE char *out = NULL;

	if (world_kind() == WORLD_SIM)
		free(world_tell(SIM_KUBE, "reset-counts"));
	out = CHECK("expired", WITH_FAILURE, "LISTEN=127.0.0.1:0", token,
	    "NAMESPACE=elsewhere");
	look_says(out,
	    "FAIL  flightside: token: it has expired: .*exp "
	    "1970-01-01T00:00:01",
	    "install -o [0-9]+ -m 0400 NEW_TOKEN ");
	look_says(out,
	    "FAIL  kubeside: right: leases in elsewhere: not allowed: create",
	    "for f in rbac admission; do sed .*; done");
	look_says(out, "warn  kubeside: lease: .* may not be read", "for f in");
	applied_elsewhere(out);
	if (world_kind() == WORLD_SIM) {
		AUTO_FREE char *counts = world_tell(SIM_KUBE, "counts");

		it_ok(look_lines(counts, "get namespaces") == 1 &&
			look_lines(counts, "get leases") == 0,
		    "what may not be read is not asked for");
	}
}

/* An administrator, who may see that the namespace is missing. */
static void
no_namespace(void)
{
	AUTO_FREE char *viewer = xasprintf("FLIGHTCTL_AUTH_TOKEN_FILE=%s",
	    getenv("FC_VIEWER_TOKEN_FILE"));
	AUTO_FREE char *dir = xstrdup(getenv("KUBECONFIG")), *config = NULL;
	AUTO_FREE char *out = NULL;

	*strrchr(dir, '/') = '\0';
	config = world_kind() == WORLD_SIM ?
	    xasprintf("KUBECONFIG=%s/admin.kubeconfig", dir) :
	    xasprintf("KUBECONFIG=%s", getenv("KUBE_ADMIN_CONFIG"));
	out = CHECK("namespace", WITH_FAILURE, "LISTEN=127.0.0.1:0", viewer,
	    config, "NAMESPACE=nowhere");
	look_says(out, "FAIL  kubeside: NAMESPACE: nowhere is not there",
	    "kubectl create namespace nowhere");
	look_says(out,
	    "FAIL  flightside: right: update devices: .*may not update",
	    "kubectl -n FLIGHTCTL_NAMESPACE create rolebinding ");
}

static void
no_token(void)
{
	AUTO_FREE char *out = CHECK("none", WITH_FAILURE, "LISTEN=127.0.0.1:0",
	    "FLIGHTCTL_AUTH_TOKEN_FILE=");

	look_says(out, "FAIL  flightside: token: none is given: FLIGHTCTL_",
	    "");
}

/* Simulators only: other tests need the real manifest, and no proxy. */
static void
missing_right(void)
{
	AUTO_FREE char *out = NULL;

	if (world_kind() != WORLD_SIM) {
		it_skip("a right is missing: the real roles stay as they are");
		return;
	}
	free(world_tell(SIM_KUBE, "revoke patch pods/status"));
	free(world_tell(SIM_KUBE, "revoke get configmaps"));
	free(world_tell(SIM_FLIGHT, "fail-next GET /api/v1/devices* 200 9"));
	out = CHECK("right", WITH_FAILURE, "LISTEN=127.0.0.1:0");
	look_says(out, "FAIL  kubeside: right: pods/status: not allowed: patch",
	    "kubectl apply -f deploy/kubernetes/rbac.yaml");
	look_says(out, "warn  kubeside: right: get configmaps not allowed",
	    "kubectl -n default apply -f deploy/kubernetes/configmaps.yaml");
	look_says(out,
	    "warn  flightside: fleet .*: its devices cannot be read: what came "
	    "is no list of devices",
	    "flightctl get devices");
	it_ok(look_lines(out, ALL_FAIL) == 1, "and nothing else fails");
}

/* --- others that are there ------------------------------------------------ */

static void
machines_node(void)
{
	AUTO_FREE char *path = xasprintf(KUBE_NODES "/%s", world_node());
	AUTO_FREE char *mend =
	    xasprintf("kubectl get node %s -o wide  # .*another NODE_NAME",
		world_node());
	AUTO_FREE char *out = NULL;

	if (kube_send("POST", KUBE_NODES,
		js_make("{\"apiVersion\":\"v1\",\"kind\":\"Node\","
			"\"metadata\":{\"name\":\"%s\"}}",
		    world_node()),
		NULL) != 201)
		it_die("no Node %s", world_node());
	out = CHECK("machine", WITH_FAILURE, "LISTEN=127.0.0.1:0");
	look_says(out, "FAIL  kubeside: node: .* is there, and is a machine's",
	    mend);
	(void)kube_send("DELETE", path, NULL, NULL);
}

static void
another_provider(void)
{
	AUTO_JSON struct json_object *node = NULL;
	struct provider *p = provider_start("runs", NULL);
	AUTO_FREE char *state =
	    xasprintf("STATE_DIR=%s/runs/state", it_folder());
	AUTO_FREE char *control =
	    xasprintf("CONTROL_SOCKET=%s/runs/control.sock", it_folder());
	AUTO_FREE char *mend =
	    xasprintf("kubectl -n vk-flightctl get lease %s", world_node());
	AUTO_FREE char *out = NULL;

	if (provider_await_lines(p, "all workers are ready", 1, READY_MS) == 0)
		it_die("the provider does not start");
	node = kube_await_one(KUBE_NODES, world_node(), NULL, NULL, READY_MS);
	out = CHECK("beside", EX_OK, "LISTEN=127.0.0.1:0", state, control);
	look_says(out,
	    "warn  host: CONTROL_SOCKET: .*a provider runs here already",
	    "vkfctl");
	look_says(out, "warn  placer: database: .*in use by process [0-9]+",
	    "vkfctl");
	look_says(out, "warn  kubeside: lease: .* is the writer now", mend);
	it_ok(look_lines(out, "^ok    kubeside: node: .* is ours") == 1,
	    "the node is ours");
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

/* A socket as the placer's supervisor has it; its path, the caller's. */
static char *
placers_socket(int *fd)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	if (snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/kubeside.sock",
		it_folder()) >= (int)sizeof(sun.sun_path))
		it_die("%s: too long", it_folder());
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd == -1 ||
	    bind(*fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    chmod(sun.sun_path, 0666) == -1 || listen(*fd, 1) == -1)
		it_die("no socket");
	return xstrdup(sun.sun_path);
}

/*
 * In a container of a Pod, whose user we are not.  Whoever connects last to the
 * placer gets the link: one that works must not lose it.
 */
static void
only_one(void)
{
	AUTO_FD int fd = -1;
	AUTO_FREE char *path = placers_socket(&fd);
	AUTO_FREE char *place = xasprintf("KUBESIDE_SOCKET=%s", path);
	AUTO_FREE char *line = xasprintf("FAIL  host: UIDS: kubeside must be "
					 "started as uid 61001, not %u",
	    geteuid());
	AUTO_FREE char *out = LOOK("only", WITH_FAILURE,
	    (&(struct provider_look){ NULL, "kubeside" }), "LISTEN=127.0.0.1:0",
	    place);

	look_says(out, line,
	    "setpriv --reuid 61001 --regid 61001 --clear-groups "
	    "vk-flightctl-provider --only kubeside --check");
	it_ok(look_lines(out, "^ok    kubeside: right: ") > 10 &&
		look_lines(out, " (flightside|placer): [A-Z]") == 0,
	    "with --only kubeside nobody else looks");
	it_ok(look_lines(out, "host: (LISTEN|STATE_DIR|CONTROL_SOCKET)") == 0,
	    "and what is the placer's is not looked at");
	it_ok(look_lines(out,
		  "^ok    host: KUBESIDE_SOCKET: .*the placer is "
		  "there") == 1 &&
		accept(fd, NULL, NULL) == -1 && errno == EAGAIN,
	    "the placer is seen, and not connected to");
}

static void
scenario(void)
{
	world_open(&(struct world_conf){ .devices = 2 });
	all_is_well();
	wrong_setting();
	locked_files();
	taken_port_and_no_devices();
	no_name();
	wrong_ca();
	refused();
	no_token();
	expired_and_forbidden();
	no_namespace();
	machines_node();
	away();
	silent();
	only_one();
	another_provider();
	missing_right();
}

int
main(void)
{
	return it_run("check", scenario);
}
