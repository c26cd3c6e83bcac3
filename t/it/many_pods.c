/* SPDX-License-Identifier: ISC */
/*
 * many_pods: kubeside, alone between an apiserver and this program, lists
 * 1,000 pods of 6 kB and then 10,000.  It keeps what it may write to (a name,
 * a uid) and no pod: its memory does not grow with the bytes of a list.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/limits.h"
#include "common/xmem.h"
#include "t/bench/alone.h"
#include "t/it/crowd.h"
#include "t/it/it.h"
#include "t/it/pod.h"
#include "t/it/world.h"

enum {
	FEW = 1000,
	MANY = MAX_PODS,
	PATIENCE_S = 60,
	TEXT_BYTES = 5000,
	/* kB at its peak, of all; and of a pod in bytes. */
	PEAK_KB = 24 * 1024,
	POD_BYTES = 512,
};

static struct {
	unsigned int pods;
	size_t bytes;
	long peak_kb;
} seen;

static long
peak_kb(void)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/status", (int)alone_pid());
	AUTO_FREE char *text = it_file(path, NULL);
	const char *at = text == NULL ? NULL : strstr(text, "VmHWM:");

	if (at == NULL)
		it_die("%s says nothing of memory", path);
	return strtol(at + strlen("VmHWM:"), NULL, 10);
}

static void
on_link(void)
{
	memset(&seen, 0, sizeof(seen));
}

static void
on_frame(struct frame *f)
{
	static struct body_pod pod;

	if (f->type == MSG_POD) {
		body_pod_get(f->body, &pod);
		seen.pods++;
		seen.bytes += pod.object.len;
	} else if (f->type == MSG_PODS_END) {
		seen.peak_kb = peak_kb();
		alone_stop();
	}
}

static void
list(unsigned int n)
{
	static const struct alone_ops ops = { on_link, on_frame };
	AUTO_FREE char *node = xasprintf("NODE_NAME=%s", world_node());
	AUTO_FREE char *config =
	    xasprintf("KUBECONFIG=%s", getenv("KUBECONFIG"));

	alone_run(PROC_KUBESIDE, (const char *[]){ node, config, NULL }, &ops,
	    PATIENCE_S);
	printf("figure kubeside_peak_%u %ld kB\n", n, seen.peak_kb);
	it_ok(seen.pods == n, "%u of %u pods are listed, %zu kB", seen.pods, n,
	    seen.bytes / 1024);
}

static void
scenario(void)
{
	AUTO_FREE char *text = xcalloc(1, TEXT_BYTES + 1);
	AUTO_FREE char *env = NULL;
	struct pod_conf crowd = { .app = "many", .bound = 1 };
	long few, each;

	if (world_kind() != WORLD_SIM) {
		it_skip("10,000 pods are for the simulator");
		return;
	}
	memset(text, 'x', TEXT_BYTES);
	env =
	    xasprintf(",\"env\":[{\"name\":\"TEXT\",\"value\":\"%s\"}]", text);
	crowd.container = env;
	world_open(&(struct world_conf){ .devices = 1 });
	crowd_create(&crowd, 0, FEW);
	crowd_end();
	list(FEW);
	few = seen.peak_kb;
	crowd_create(&crowd, FEW, MANY);
	crowd_end();
	list(MANY);
	each = (seen.peak_kb - few) * 1024 / (MANY - FEW);
	it_ok(seen.peak_kb <= PEAK_KB, "at most %d kB (%ld)", PEAK_KB,
	    seen.peak_kb);
	it_ok(each <= POD_BYTES, "a pod more takes at most %d bytes (%ld)",
	    POD_BYTES, each);
}

int
main(void)
{
	return it_run("many-pods", scenario);
}
