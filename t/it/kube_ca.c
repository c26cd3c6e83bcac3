/* SPDX-License-Identifier: ISC */
/*
 * kube_ca: the apiserver gets a certificate of another CA, and the file that
 * the kubeconfig names as its CA is replaced; kubeside goes on with that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/it.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	READY_MS = 20000,
	TELL_MS = 40000,
	KUBE_CA_MS = 60000,
};

/* KUBECONFIG as it is, but with its CA in a file of everybody's. */
static char *
kubeconfig_with(const char *ca)
{
	static const char key[] = "certificate-authority";
	AUTO_FREE char *text = it_file(getenv("KUBECONFIG"), NULL);
	AUTO_FREE char *changed = NULL;
	char *path = xasprintf("%s.config", ca), *at;

	if (text == NULL || (at = strstr(text, key)) == NULL)
		it_die("KUBECONFIG has no CA");
	changed = xasprintf("%.*s%s: %s%s", (int)(at - text), text, key, ca,
	    at + strcspn(at, "\n"));
	it_write(path, changed);
	return path;
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

/* The scenario's own connections end here: the log says what becomes. */
static void
scenario(void)
{
	static const char back[] = "the apiserver answers";
	AUTO_FREE char *ca = NULL, *fresh = NULL;
	AUTO_FREE char *config = NULL, *setting = NULL;
	const char *old;
	struct provider *p;
	int64_t since;
	size_t n;

	world_open(&(struct world_conf){ .devices = 1 });
	if (world_kind() != WORLD_SIM) {
		it_skip("the real apiserver keeps its certificate");
		return;
	}
	old = getenv("KUBE_CA_FILE");
	ca = xasprintf("%s/kube.crt", it_folder());
	fresh = xasprintf("%.*s/next.crt", (int)(strrchr(old, '/') - old), old);
	put_ca(old, ca);
	config = kubeconfig_with(ca);
	setting = xasprintf("KUBECONFIG=%s", config);
	p = provider_start("provider", (const char *[]){ setting, NULL });
	provider_expect(p,
	    "onnect|Broken pipe|transfer closed|[Ee]mpty reply|SSL|"
	    "certificate|does not answer");
	it_ok(provider_await_lines(p, back, 1, READY_MS) == 1,
	    "the apiserver of a kubeconfig with a CA file answers");
	free(world_tell(SIM_KUBE, "new-ca next"));
	it_ok(provider_await_lines(p, "apiserver does not answer: .*cert", 1,
		  TELL_MS) == 1,
	    "one of another CA does not");
	put_ca(fresh, ca);
	since = it_ms();
	n = provider_await_lines(p, back, 2, KUBE_CA_MS);
	it_took(since, n == 2, "with the new CA in its file it answers");
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("kube-ca", scenario);
}
