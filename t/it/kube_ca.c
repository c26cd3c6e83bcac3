/* SPDX-License-Identifier: ISC */
/*
 * kube_ca: the apiserver gets a certificate of another CA, and the file that
 * the kubeconfig names as its CA is replaced; kubeside goes on with that.
 * Once more with certificate-authority-data, as kubeadm writes it, and the
 * kubeconfig replaced.  Nobody sends a signal.  First, one that only comes
 * when all has started.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/auto.h"
#include "common/sandbox.h"
#include "common/xmem.h"
#include "t/it/it.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	READY_MS = 20000,
	TELL_MS = 40000,
	KUBE_CA_MS = 60000,
};

static const char back[] = "the apiserver answers";

/* KUBECONFIG as it is, but with another CA, beside that file. */
static char *
kubeconfig_with(const char *key, const char *value, const char *ca)
{
	static const char was[] = "certificate-authority";
	AUTO_FREE char *text = it_file(getenv("KUBECONFIG"), NULL);
	AUTO_FREE char *changed = NULL;
	char *path = xasprintf("%s.config", ca), *at;

	if (text == NULL || (at = strstr(text, was)) == NULL)
		it_die("KUBECONFIG has no CA");
	changed = xasprintf("%.*s%s: %s%s", (int)(at - text), text, key, value,
	    at + strcspn(at, "\n"));
	it_write(path, changed);
	return path;
}

/* The same with the CA inside. */
static char *
kubeconfig_of(const char *ca)
{
	AUTO_FREE char *text = it_file(ca, NULL);
	AUTO_FREE char *data = NULL;

	if (text == NULL)
		it_die("%s: cannot be read", ca);
	data = xcalloc(1, 4 * strlen(text) / 3 + 8);
	(void)EVP_EncodeBlock((unsigned char *)data, (unsigned char *)text,
	    (int)strlen(text));
	return kubeconfig_with("certificate-authority-data", data, ca);
}

/* As whoever rotates it does: written beside, and renamed. */
static void
put_ca(const char *from, const char *to)
{
	AUTO_FREE char *text = it_file(from, NULL);
	AUTO_FREE char *beside = xasprintf("%s.new", to);

	if (text == NULL)
		it_die("%s: cannot be read", from);
	it_write(beside, text);
	if (chmod(beside, 0444) == -1 || rename(beside, to) == -1)
		it_die("%s: cannot be replaced", to);
}

static struct provider *
provider_with(const char *name, const char *config)
{
	AUTO_FREE char *setting = xasprintf("KUBECONFIG=%s", config);
	struct provider *p =
	    provider_start(name, (const char *[]){ setting, NULL });

	provider_expect(p,
	    "onnect|Broken pipe|transfer closed|[Ee]mpty reply|SSL|"
	    "certificate|does not answer");
	return p;
}

/* kubeadm's way: the CA is inside the kubeconfig. */
static void
data_is_replaced(const char *old, const char *fresh)
{
	AUTO_FREE char *config = kubeconfig_of(old), *next = NULL;
	struct provider *p = provider_with("inline", config);
	int64_t since;
	size_t n;

	it_ok(provider_await_lines(p, back, 1, READY_MS) == 1,
	    "the apiserver of a kubeconfig with its CA inside answers");
	free(world_tell(SIM_KUBE, "new-ca third"));
	it_ok(provider_await_lines(p, "apiserver does not answer.*cert", 1,
		  TELL_MS) == 1,
	    "one of another CA does not");
	next = kubeconfig_of(fresh);
	provider_replace(p, "KUBECONFIG", next);
	since = it_ms();
	n = provider_await_lines(p, back, 2, KUBE_CA_MS);
	it_took(since, n == 2, "with the new CA in its kubeconfig it answers");
	provider_judge(p);
	provider_leaves(p, "the apiserver has another CA than we know");
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

#define PORT                                                               \
	"apiserver https://[^ ]*: its port was not known at the start of " \
	"this process: one that may connect there follows"

/* The ports that may be reached are settled before it can be read. */
static void
one_comes_late(void)
{
	AUTO_FREE char *none = xasprintf("%s/none.config", it_folder());
	struct provider *p;

	it_write(none, "kind: Config\n");
	p = provider_with("late", none);
	provider_expect(p,
	    PORT "|no credentials|id is not known yet|kubeside ended");
	it_ok(provider_await_lines(p,
		  "no credentials for the apiserver.*KUBECONFIG: no "
		  "current-context",
		  1, READY_MS) == 1,
	    "a kubeconfig that is none yet is told");
	provider_replace(p, "KUBECONFIG", getenv("KUBECONFIG"));
	it_ok(provider_await_lines(p, back, 1, READY_MS) == 1,
	    "when there is one the apiserver is found");
	it_ok(provider_lines(p, PORT) ==
		(sandbox_seals() && provider_lines(p, "has no Landlock") == 0),
	    "by a kubeside that may connect there");
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

/* The scenario's own connections end here: the log says what becomes. */
static void
scenario(void)
{
	AUTO_FREE char *ca = NULL, *fresh = NULL, *third = NULL;
	AUTO_FREE char *config = NULL;
	const char *old;
	struct provider *p;
	int64_t since;
	size_t n;

	world_open(&(struct world_conf){ .devices = 1 });
	if (world_kind() != WORLD_SIM) {
		it_skip("the real apiserver keeps its certificate");
		return;
	}
	one_comes_late();
	old = getenv("KUBE_CA_FILE");
	ca = xasprintf("%s/kube.crt", it_folder());
	fresh = xasprintf("%.*s/next.crt", (int)(strrchr(old, '/') - old), old);
	put_ca(old, ca);
	third =
	    xasprintf("%.*s/third.crt", (int)(strrchr(old, '/') - old), old);
	config = kubeconfig_with("certificate-authority", ca, ca);
	p = provider_with("provider", config);
	it_ok(provider_await_lines(p, back, 1, READY_MS) == 1,
	    "the apiserver of a kubeconfig with a CA file answers");
	free(world_tell(SIM_KUBE, "new-ca next"));
	it_ok(provider_await_lines(p, "apiserver does not answer.*cert", 1,
		  TELL_MS) == 1,
	    "one of another CA does not");
	put_ca(fresh, ca);
	since = it_ms();
	n = provider_await_lines(p, back, 2, KUBE_CA_MS);
	it_took(since, n == 2, "with the new CA in its file it answers");
	provider_judge(p);
	provider_leaves(p, "the apiserver has another CA than we know");
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	data_is_replaced(fresh, third);
}

int
main(void)
{
	return it_run("kube-ca", scenario);
}
