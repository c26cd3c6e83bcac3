/* SPDX-License-Identifier: ISC */
/*
 * kube_client: the client certificate that a kubeconfig names expires, is of
 * an authority that the apiserver has left, is half replaced; and the CA file
 * is away for a while.  All in mid-run; what is put into the files afterwards
 * is used without a signal.
 */
#include <sys/stat.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/why.h"
#include "common/xmem.h"
#include "t/it/fault.h"
#include "t/it/faulty.h"
#include "t/it/it.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"
#include "t/sim/cert.h"

#define AWAY "the apiserver does not answer.*"

enum {
	READY_MS = 20000,
	TELL_MS = 40000,
	RUN_MS = 45000,
	DAYS = 3650,
};

static struct fault_proxy *proxy;
static struct provider *provider;
static char *clients, *own; /* the proxy's authority; our files' beginning */

static char *
in_folder(const char *name)
{
	return xasprintf("%s/%s", it_folder(), name);
}

static void
put(const char *to, const char *text)
{
	AUTO_FREE char *beside = xasprintf("%s.new", to);

	it_write(beside, text);
	if (chmod(beside, 0444) == -1 || rename(beside, to) == -1)
		it_die("%s: cannot be replaced", to);
}

static void
copy(const char *name, const char *to)
{
	AUTO_FREE char *from = in_folder(name);
	AUTO_FREE char *text = it_file(from, NULL);

	if (text == NULL)
		it_die("%s: cannot be read", from);
	put(to, text);
}

/* A client of that authority, in our folder. */
static void
make_client(const char *ca, const char *name, int days)
{
	struct why why = { 0 };
	struct cert_ca *c = cert_ca_open(it_folder(), ca, &why);
	AUTO_FREE char *csr = cert_request(it_folder(), name, "us", &why);
	AUTO_FREE char *crt = xasprintf("%s/%s.crt", it_folder(), name);
	AUTO_FREE char *pem = NULL;

	if (c == NULL || csr == NULL ||
	    (pem = cert_sign(c, csr, strlen(csr), NULL, days, &why)) == NULL)
		it_die("%s: %s", name, why.text);
	it_write(crt, pem);
	cert_ca_free(c);
}

static void
use(const char *name, const char *what)
{
	AUTO_FREE char *from = xasprintf("%s.%s", name, what);
	AUTO_FREE char *to = xasprintf("%s.%s", own, what);

	copy(from, to);
}

static char *
kubeconfig(void)
{
	AUTO_FREE char *server =
	    xasprintf("https://127.0.0.1:%u", fault_port(proxy));
	AUTO_FREE char *known = in_folder("known.crt"), *path = NULL;
	AUTO_FREE char *user = xasprintf("    client-certificate: %s.crt\n"
					 "    client-key: %s.key\n",
	    own, own);

	path = faulty_kubeconfig(server, known, user);
	return xasprintf("KUBECONFIG=%s", path);
}

/* All connections end; hup: what is in the files is used at once. */
static void
fails(const char *what, const char *line, int hup)
{
	size_t n = provider_lines(provider, line);

	if (hup)
		kill(provider_pid(provider), SIGHUP);
	fault_cut(proxy);
	it_ok(provider_await_lines(provider, line, n + 1, TELL_MS) > n,
	    "%s: that is said", what);
}

static void
goes_on(const char *pod)
{
	int64_t since = it_ms();

	free(pod_create(pod, NULL));
	json_object_put(pod_runs(pod, since, RUN_MS));
}

static void
changes(void)
{
	AUTO_FREE char *known = in_folder("known.crt");

	use("expired", "crt");
	use("expired", "key");
	fails("its certificate has expired", AWAY "expired", 1);
	use("second", "crt");
	use("second", "key");
	goes_on("expired");
	copy("new.crt", clients);
	fails("its authority is not believed any more", AWAY "unknown ca", 0);
	use("third", "key");
	use("third", "crt");
	goes_on("revoked");
	if (unlink(known) == -1)
		it_die("%s: cannot be removed", known);
	fails("the CA file is away", "of before stay.*known.crt", 1);
	copy("ca.crt", known);
	goes_on("away");
	if (getenv("NIGHTLY") == NULL)
		return; /* t/it/faults has seen to that */
	copy("old.crt", known);
	fails("another CA", AWAY "certificate", 1);
	copy("ca.crt", known);
	goes_on("another");
}

static void
scenario(void)
{
	AUTO_FREE char *pem = in_folder("server.pem"), *config = NULL;
	AUTO_FREE char *known = in_folder("known.crt");
	AUTO_JSON struct json_object *node = NULL;

	world_open(&(struct world_conf){ .devices = 2 });
	if (world_kind() != WORLD_SIM) {
		it_skip("the administrator of the real one has no token");
		return;
	}
	clients = in_folder("clients.crt");
	own = in_folder("own");
	faulty_pem(pem, "ca", "IP:127.0.0.1", DAYS);
	make_client("old", "first", DAYS);
	make_client("old", "expired", -1);
	make_client("old", "second", DAYS);
	make_client("new", "third", DAYS);
	copy("ca.crt", known);
	copy("old.crt", clients);
	use("first", "crt");
	use("first", "key");
	proxy = fault_start(FAULT_KUBE, getenv("KUBE_API_URL"), pem, clients);
	config = kubeconfig();
	provider = provider_start("provider", (const char *[]){ config, NULL });
	provider_expect(provider,
	    "does not answer|SSL|certificate|credentials|was not renewed|was "
	    "not written|onnect|known.crt|own[.]");
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	goes_on("first");
	changes();
	provider_judge(provider);
	it_ok(provider_stop(provider) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("kube-client", scenario);
}
