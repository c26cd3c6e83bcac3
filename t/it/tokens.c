/* SPDX-License-Identifier: ISC */
/*
 * tokens: what opens the doors of both servers is in the memory of the one
 * process that needs it, once, in locked pages that no dump has; idle, while a
 * request waits for its answer, and when it was replaced.  A server that says
 * it back is not repeated; a worker that crashes leaves no core and no word of
 * it.
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/leak.h"
#include "t/it/memory.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/sanitized.h"
#include "t/it/tap.h"
#include "t/it/world.h"
#include "t/sim/cert.h"

enum {
	READY_MS = 20000,
	RUN_MS = 20000,
	CALM_MS = 10000,
	LOOK_MS = 50,
	BACK_MS = 15000,
	MID_MS = 1500,
	MANY = 1000, /* one for each connection */
	SCALAR = 32, /* bytes of a P-256 key */
	NPROCS = 4,
	ASKED = 4, /* requests at one time, of this small world */
};

static const char *const workers[] = { "kubeside", "flightside", "placer" };

/* A credential, by bytes that are in nothing else. */
struct credential {
	const char *name, *owner;
	const void *bytes;
	size_t len;
};

static struct credential
token_of(const char *name, const char *owner, const char *token)
{
	return (struct credential){ name, owner, token, strlen(token) };
}

/* --- where they are ------------------------------------------------------ */

static pid_t
process(const struct provider *p, size_t i)
{
	return i == 0 ? provider_pid(p) : provider_worker(p, workers[i - 1]);
}

/*
 * want: so many are kept by its owner; nobody has another, but those that are
 * in as many requests on their way.
 */
static int
is_so(const struct provider *p, const struct credential *c, unsigned int want,
    unsigned int asked, char *found, size_t size)
{
	int ok = 1;
	size_t i, n = 0;

	found[0] = '\0';
	for (i = 0; i < NPROCS; i++) {
		const char *name = i == 0 ? "supervisor" : workers[i - 1];
		pid_t pid = process(p, i);
		struct memory_copies m = { 0, 0 };

		if (pid == -1)
			return 0;
		m = memory_find(pid, c->bytes, c->len);
		ok &= strcmp(name, c->owner) == 0 ?
		    (want == MANY || m.kept == want) && m.loose <= asked :
		    m.kept + m.loose == 0;
		if (m.loose + m.kept > 0)
			n += (size_t)snprintf(found + n, size - n,
			    "%s%s %u kept, %u loose", n == 0 ? "" : "; ", name,
			    m.kept, m.loose);
	}
	return ok;
}

/* Requests come and go: so it is at some instant within the time. */
static void
is_kept(const struct provider *p, const struct credential *c, unsigned int want,
    unsigned int asked, const char *when)
{
	int64_t since = it_ms();
	char found[256];
	int ok;

	if (!memory_is_seen())
		return;
	while (!(ok = is_so(p, c, want, asked, found, sizeof(found))) &&
	    it_ms() < since + CALM_MS)
		it_pause(LOOK_MS);
	it_took(since, ok, "%s, %s: %s", when, c->name,
	    found[0] == '\0' ? "nowhere" : found);
}

/* --- by tokens ----------------------------------------------------------- */

static char *
read_token(const char *path, const char *before)
{
	char *token = it_file_after(path, before);

	if (token == NULL)
		it_die("%s: no token", path);
	return token;
}

static char *
flight_token(void)
{
	AUTO_FREE char *path = xasprintf("%s/provider.token", getenv("FC_DIR"));

	return read_token(path, "");
}

static void
nobody_dumps(const struct provider *p)
{
	size_t i;

	if (!memory_is_seen())
		return;
	for (i = 0; i < NPROCS; i++)
		it_ok(memory_dumps_nothing(process(p, i)),
		    "no core is written of the %s",
		    i == 0 ? "supervisor" : workers[i - 1]);
}

/* Both servers take requests and answer none. */
static void
hold_answers(int on)
{
	free(world_tell(SIM_KUBE, on ? "pause" : "up"));
	free(world_tell(SIM_FLIGHT, on ? "hang" : "hang off"));
}

#define SAID_BACK "Bearer .token."
#define CRASHED "(kubeside|flightside) ended"

static void
crash(const struct provider *p, const char *name, int sig)
{
	pid_t pid = provider_worker(p, name);

	if (pid == -1)
		it_die("there is no %s", name);
	kill(pid, sig);
}

/*
 * ASan's own report of each, as long as it can be; leak_look_at_log() reads
 * it.  Other builds write none.
 */
static void
are_reported(struct provider *p)
{
	static const char *const reports[][2] = {
		{ "flightside", "ERROR: AddressSanitizer: SEGV" },
		{ "kubeside", "ERROR: AddressSanitizer: ABRT" },
	};
	size_t i;

	if (!SANITIZED)
		return;
	for (i = 0; i < sizeof(reports) / sizeof(reports[0]); i++) {
		AUTO_FREE char *command =
		    xasprintf("^Command: .*%s", reports[i][0]);

		it_ok(provider_await_lines(p, reports[i][1], 1, BACK_MS) == 1 &&
			provider_await_lines(p, command, 1, BACK_MS) == 1,
		    "%s: ASan reports it, with what it was called by",
		    reports[i][0]);
	}
	leak_look_at_log(p);
}

static void
in_mid_request(struct provider *p, const struct credential *kube,
    const struct credential *flight)
{
	size_t n = provider_lines(p, CRASHED);

	hold_answers(1);
	it_pause(MID_MS); /* flightside's poll; one kubeside's stream waits */
	is_kept(p, kube, 1, ASKED, "while answers are awaited");
	is_kept(p, flight, 1, ASKED, "while answers are awaited");
	crash(p, "flightside", SIGSEGV);
	crash(p, "kubeside", SIGABRT);
	it_ok(provider_await_lines(p, CRASHED, n + 2, BACK_MS) >= n + 2,
	    "two workers crash in the middle of a request");
	are_reported(p);
	hold_answers(0);
}

/* Errors with the token in their message and their headers. */
static void
said_back(struct provider *p)
{
	static const int codes[] = { 400, 403, 409, 500 };
	static const char *const said[] = {
		"kubeside.*status=4.* id=.token.",
		"flightside.*Bearer .token.",
	};
	size_t i, n = sizeof(codes) / sizeof(codes[0]);

	free(world_tell(SIM_KUBE, "say-back"));
	free(world_tell(SIM_FLIGHT, "say-back"));
	for (i = 0; i < n; i++) {
		free(world_tell(SIM_KUBE, "fail-next PATCH *status %d",
		    codes[i]));
		free(world_tell(SIM_FLIGHT, "fail-next * /api/v1/dev* %d 1",
		    codes[i]));
	}
	free(pod_create("more", NULL));
	for (i = 0; i < 2; i++)
		it_ok(provider_await_lines(p, said[i], 1, BACK_MS) > 0,
		    "the log has what %s says",
		    i == 0 ? "the apiserver" : "Flightctl");
	leak_look_at_log(p);
	leak_look_at_answers("tokens");
	leak_look_at_listener(p);
	leak_look_at_apiserver();
	free(world_tell(SIM_KUBE, "say-back off"));
	free(world_tell(SIM_FLIGHT, "say-back off"));
	free(world_tell(SIM_KUBE, "clear"));
}

static void
replace_tokens(struct provider *p, const struct credential *kube,
    const struct credential *flight)
{
	static char next[] = "kube-token-that-comes-next-5b1c";
	AUTO_FREE char *path = xasprintf("%s/next.kubeconfig", it_folder());
	AUTO_FREE char *old = it_file(getenv("KUBECONFIG"), NULL);
	AUTO_FREE char *from = xasprintf("%s/provider.token", getenv("FC_DIR"));
	AUTO_FREE char *text = NULL, *fresh = NULL;
	const char *at = strstr(old, kube->bytes);
	struct credential k, f;

	text =
	    xasprintf("%.*s%s%s", (int)(at - old), old, next, at + kube->len);
	it_write(path, text);
	free(world_tell(SIM_KUBE, "token %s", next));
	free(world_tell(SIM_FLIGHT, "short-token 3600"));
	fresh = flight_token();
	k = token_of("the new apiserver token", "kubeside", next);
	f = token_of("the new Flightctl token", "flightside", fresh);
	leak_watch(k.name, next);
	leak_watch(f.name, fresh);
	provider_replace(p, "KUBECONFIG", path);
	provider_replace(p, "FLIGHTCTL_AUTH_TOKEN_FILE", from);
	kill(provider_pid(p), SIGHUP);
	is_kept(p, &k, 1, 0, "replaced");
	is_kept(p, kube, 0, 0, "replaced");
	is_kept(p, &f, 1, 0, "replaced");
	is_kept(p, flight, 0, 0, "replaced");
	leak_look_at_log(p);
	steal(&fresh); /* watched to the end */
}

static void
test_tokens(void)
{
	char *kube_text = read_token(getenv("KUBECONFIG"), "token: ");
	char *flight_text = flight_token();
	struct credential kube =
	    token_of("the apiserver token", "kubeside", kube_text);
	struct credential flight =
	    token_of("the Flightctl token", "flightside", flight_text);
	AUTO_JSON struct json_object *node = NULL, *pod = NULL;
	struct provider *p;

	leak_watch(kube.name, kube_text);
	leak_watch(flight.name, flight_text);
	p = provider_start("tokens",
	    (const char *[]){ "STATUS_POLL_INTERVAL=1s", NULL });
	provider_expect(p, SAID_BACK);
	provider_expect(p, "signal|not answer|timed out|onnect|transfer");
	provider_leaves(p, "Flightctl refuses what it is told to say back");
	if (SANITIZED) /* its report of the crash, which is looked at, too */
		provider_expect(p, ".");
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	free(pod_create("web", NULL));
	pod = pod_runs("web", it_ms(), RUN_MS);
	nobody_dumps(p);
	is_kept(p, &kube, 1, 0, "at work");
	is_kept(p, &flight, 1, 0, "at work");
	in_mid_request(p, &kube, &flight);
	is_kept(p, &kube, 1, 0, "after a crash");
	is_kept(p, &flight, 1, 0, "after a crash");
	said_back(p);
	replace_tokens(p, &kube, &flight);
	leak_look_at_answers("tokens");
	leak_look_at_listener(p);
	leak_look_at_processes(p);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	leak_look_at_disk("tokens");
	leak_look_at_log(p);
	leak_look_at_apiserver();
}

/* --- by client certificates ---------------------------------------------- */

/* A key as its file has it, and as OpenSSL's numbers and DER have it. */
struct key {
	char *line; /* the first of base64 */
	unsigned char number[SCALAR], der[SCALAR];
};

static void
key_read(const char *path, struct key *k)
{
	AUTO_FREE char *text = it_file(path, NULL);
	BIO *bio = BIO_new_mem_buf(text, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIGNUM *n = NULL;

	if (key == NULL ||
	    !EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &n) ||
	    BN_bn2binpad(n, k->der, SCALAR) != SCALAR ||
	    BN_bn2lebinpad(n, k->number, SCALAR) != SCALAR)
		it_die("%s: no key", path);
	k->line = read_token(path, "KEY-----\n");
	BN_free(n);
	EVP_PKEY_free(key);
	BIO_free(bio);
}

static void
key_is_kept(const struct provider *p, const struct key *k, const char *owner,
    unsigned int lines)
{
	const struct credential line =
	    token_of("the key's PEM", owner, k->line);
	const struct credential der = { "the key's DER", owner, k->der,
		SCALAR };
	const struct credential number = { "the key's number", owner, k->number,
		SCALAR };

	is_kept(p, &line, lines, 0, owner);
	is_kept(p, &der, 0, 0, owner);
	is_kept(p, &number, MANY, 0, owner);
}

static char *
in_folder(const char *name)
{
	return xasprintf("%s/%s", it_folder(), name);
}

/* The service behind a proxy of ours, which wants certificates. */
static char *
make_gate(void)
{
	AUTO_FREE char *crt_file = in_folder("gate.crt");
	AUTO_FREE char *key_file = in_folder("gate.key");
	AUTO_FREE char *ca_file = in_folder("ca.crt");
	AUTO_FREE char *pem = in_folder("gate.pem"), *url = NULL;
	AUTO_FREE char *crt = NULL, *key = NULL, *both = NULL;
	struct cert_ca *ca;
	struct why why;

	ca = cert_ca_open(it_folder(), "ca", &why);
	if (ca == NULL || cert_server(ca, it_folder(), "gate", &why) == -1 ||
	    cert_client(ca, it_folder(), "guest", "provider", NULL, &why) == -1)
		it_die("no certificates: %s", why.text);
	cert_ca_free(ca);
	crt = it_file(crt_file, NULL);
	key = it_file(key_file, NULL);
	both = xasprintf("%s%s", crt, key);
	it_write(pem, both);
	url = tap_start(&(struct tap_conf){ .base = getenv("FLIGHTCTL_API_URL"),
	    .ca_file = getenv("FLIGHTCTL_CA_FILE"),
	    .pem = pem,
	    .client_ca = ca_file });
	return xasprintf("FLIGHTCTL_API_URL=%s", url);
}

static void
test_keys(void)
{
	AUTO_FREE char *url = make_gate();
	AUTO_FREE char *kube = in_folder("kubesim/admin.key");
	AUTO_FREE char *flight = in_folder("guest.key");
	AUTO_FREE char *config =
	    xasprintf("KUBECONFIG=%s/kubesim/admin.kubeconfig", it_folder());
	AUTO_FREE char *ca =
	    xasprintf("FLIGHTCTL_CA_FILE=%s/ca.crt", it_folder());
	AUTO_FREE char *cert =
	    xasprintf("FLIGHTCTL_CLIENT_CERT=%s/guest.crt", it_folder());
	AUTO_FREE char *key = xasprintf("FLIGHTCTL_CLIENT_KEY=%s", flight);
	struct key k = { 0 }, f = { 0 };
	struct provider *p;

	key_read(kube, &k);
	key_read(flight, &f);
	p = provider_start("keys",
	    (const char *[]){ "STATUS_POLL_INTERVAL=1s", url, config, ca, cert,
		key, NULL });
	provider_leaves(p, "it looks just until both let it in");
	it_ok(provider_await_lines(p, "GET /api/v1/devices.* status=200", 1,
		  READY_MS) > 0 &&
		provider_await_lines(p, "PATCH .*/leases/.* status=200", 1,
		    READY_MS) > 0,
	    "both servers let in who has a certificate");
	key_is_kept(p, &k, "kubeside", 1);
	key_is_kept(p, &f, "flightside", 0);
	leak_watch("the apiserver key", k.line);
	leak_watch("the Flightctl key", f.line);
	leak_look_at_processes(p);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	leak_look_at_disk("keys");
	leak_look_at_log(p);
}

/* --- from the environment ------------------------------------------------ */

/* It goes to flightside again whenever that comes back. */
static void
test_environment(void)
{
	char *text = flight_token();
	AUTO_FREE char *setting = xasprintf("FLIGHTCTL_AUTH_TOKEN=%s", text);
	const struct credential supervisor =
	    token_of("the token", "supervisor", text);
	struct memory_copies m;
	struct provider *p;
	int64_t since;

	p = provider_start("environment",
	    (const char *[]){ setting, "FLIGHTCTL_AUTH_TOKEN_FILE=", NULL });
	provider_expect(p, "FLIGHTCTL_AUTH_TOKEN");
	provider_leaves(p, "it looks just until Flightctl lets it in");
	it_ok(provider_await_lines(p, "GET /api/v1/devices.* status=200", 1,
		  READY_MS) > 0,
	    "Flightctl lets in who has a token in the environment");
	leak_watch("the token of the environment", text);
	leak_look_at_processes(p);
	leak_look_at_log(p);
	if (memory_is_seen()) {
		for (since = it_ms();;) {
			m = memory_find(provider_pid(p), text, supervisor.len);
			if ((m.kept == 1 && m.loose == 0) ||
			    it_ms() > since + CALM_MS)
				break;
			it_pause(LOOK_MS);
		}
		it_ok(m.kept == 1 && m.loose == 0,
		    "the supervisor has it %u times kept, %u loose", m.kept,
		    m.loose);
		m = memory_find(provider_worker(p, "flightside"), text,
		    supervisor.len);
		it_ok(m.kept == 1 && m.loose == 0,
		    "and flightside %u times kept, %u loose", m.kept, m.loose);
	}
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

/* For are_reported(); the provider passes it on. */
static void
want_reports(void)
{
	const char *given = getenv("ASAN_OPTIONS");
	AUTO_FREE char *options = xasprintf(
	    "%s%shandle_abort=1:print_cmdline=1:dump_instruction_bytes=1",
	    given == NULL ? "" : given, given == NULL ? "" : ":");

	if (SANITIZED)
		setenv("ASAN_OPTIONS", options, 1);
}

static void
scenario(void)
{
	want_reports();
	if (world_kind() != WORLD_SIM) {
		it_skip("only on simulators, which say a token back");
		return;
	}
	world_open(&(struct world_conf){ .devices = 1 });
	test_tokens();
	test_environment();
	test_keys();
}

int
main(void)
{
	return it_run("tokens", scenario);
}
