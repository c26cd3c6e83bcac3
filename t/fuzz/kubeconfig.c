/* SPDX-License-Identifier: ISC */
/*
 * A context's name, a NUL and a kubeconfig: what is kept of one has a server
 * and no NUL, and nothing is kept of one that is refused.
 */
#include "kubeside/kubeconfig.h"

#include "common/auto.h"
#include "common/xmem.h"
#include "t/fuzz/target.h"

static void
fuzz_kubeconfig(struct span input)
{
	static const struct kubeconfig none;
	struct kubeconfig k = { 0 };
	struct span name = { "", 0 };
	AUTO_FREE char *context = NULL;
	struct why why = { 0 };

	(void)target_record(&input, &name);
	context = xstrndup(name.p, name.len);
	if (kubeconfig_parse(input, context, &k, &why) == -1)
		must(why.text[0] != '\0' && memcmp(&k, &none, sizeof(k)) == 0);
	else
		must(k.server != NULL);
	kubeconfig_wipe(&k);
	must(memcmp(&k, &none, sizeof(k)) == 0);
}

TARGET(kubeconfig, fuzz_kubeconfig);
