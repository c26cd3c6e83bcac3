/* SPDX-License-Identifier: ISC */
/*
 * kubecommand.c: the words of kubesim's control socket.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "common/why.h"
#include "t/sim/cert.h"
#include "t/sim/control.h"
#include "t/sim/kube.h"
#include "t/sim/kubefault.h"
#include "t/sim/web.h"

static int
number(const char *text, long least, long *n, struct evbuffer *out)
{
	char *end;

	errno = 0;
	*n = strtol(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || *n < least) {
		evbuffer_add_printf(out, "%s: want a number from %ld", text,
		    least);
		return -1;
	}
	return 0;
}

static int
do_down(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kfaults *faults = arg;

	(void)argc, (void)argv, (void)out;
	web_down(faults->kube->web);
	return 0;
}

static int
do_up(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kfaults *faults = arg;
	struct why why;

	(void)argc, (void)argv;
	faults->paused = 0;
	kfaults_let_go(faults);
	if (web_up(faults->kube->web, &why) == -1) {
		evbuffer_add_printf(out, "%s", why.text);
		return -1;
	}
	return 0;
}

static int
do_new_ca(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kube *kube = ((struct kfaults *)arg)->kube;
	struct cert_ca *ca;
	struct why why;
	int r = -1;

	(void)argc;
	if ((ca = cert_ca_open(kube->dir, argv[1], &why)) != NULL &&
	    cert_server(ca, kube->dir, "apiserver", &why) == 0)
		r = web_certify(kube->web, &why);
	cert_ca_free(ca);
	if (r == -1)
		evbuffer_add_printf(out, "%s", why.text);
	return r;
}

static int
do_pause(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kfaults *faults = arg;

	(void)argc, (void)argv, (void)out;
	faults->paused = 1;
	return 0;
}

static int
do_say_back(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kfaults *faults = arg;

	(void)argv, (void)out;
	web_say_back(faults->kube->web, argc == 1);
	return 0;
}

static int
do_latency(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kfaults *faults = arg;

	(void)argc;
	return number(argv[1], 0, &faults->latency_ms, out);
}

static int
do_fail_next(int argc, char **argv, struct evbuffer *out, void *arg)
{
	long code, count = 1;

	if (number(argv[3], 400, &code, out) == -1 ||
	    (argc > 4 && number(argv[4], 1, &count, out) == -1))
		return -1;
	kfaults_add(arg, KRULE_FAIL, argv[1], argv[2], code, count);
	return 0;
}

static int
do_cut_next(int argc, char **argv, struct evbuffer *out, void *arg)
{
	long bytes, count = 1;

	if (number(argv[3], 0, &bytes, out) == -1 ||
	    (argc > 4 && number(argv[4], 1, &count, out) == -1))
		return -1;
	kfaults_add(arg, KRULE_CUT, argv[1], argv[2], bytes, count);
	return 0;
}

static int
do_clear(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kfaults *faults = arg;

	(void)argc, (void)argv, (void)out;
	kfaults_clear_rules(faults);
	faults->latency_ms = 0;
	return 0;
}

static int
do_expire(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kfaults *faults = arg;

	(void)argc, (void)argv;
	evbuffer_add_printf(out, "%zu", kwatches_count(faults->kube->watches));
	kstore_compact(faults->kube->store);
	kwatches_expire(faults->kube->watches);
	return 0;
}

static int
do_compact(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kfaults *faults = arg;

	(void)argc, (void)argv, (void)out;
	kstore_compact(faults->kube->store);
	return 0;
}

static int
do_window(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kfaults *faults = arg;
	long n;

	(void)argc;
	if (number(argv[1], 2, &n, out) == -1)
		return -1;
	kstore_window(faults->kube->store, (size_t)n);
	return 0;
}

static int
do_silence(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kfaults *faults = arg;

	(void)out;
	kwatches_silence(faults->kube->watches,
	    argc < 2 || strcmp(argv[1], "off") != 0);
	return 0;
}

static int
do_drop(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kfaults *faults = arg;

	(void)argc, (void)argv;
	evbuffer_add_printf(out, "%zu", kwatches_count(faults->kube->watches));
	kwatches_drop(faults->kube->watches);
	return 0;
}

static int
do_bookmark(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kfaults *faults = arg;

	(void)argc, (void)argv, (void)out;
	kwatches_bookmark(faults->kube->watches);
	return 0;
}

static int
do_counts(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kfaults *faults = arg;
	size_t i;

	(void)argc, (void)argv;
	evbuffer_add_printf(out, "{");
	for (i = 0; i < faults->ncounts; i++)
		evbuffer_add_printf(out, "%s\"%s\":%lu", i != 0 ? "," : "",
		    faults->counts[i].name, faults->counts[i].n);
	evbuffer_add_printf(out, "}");
	return 0;
}

static int
do_reset_counts(int argc, char **argv, struct evbuffer *out, void *arg)
{
	(void)argc, (void)argv, (void)out;
	kfaults_clear_counts(arg);
	return 0;
}

static int
do_history(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kfaults *faults = arg;

	(void)argc;
	if (faults->history != NULL)
		fclose(faults->history);
	faults->history = NULL;
	if (strcmp(argv[1], "off") == 0)
		return 0;
	if ((faults->history = fopen(argv[1], "ae")) == NULL) {
		evbuffer_add_printf(out, "%s: %s", argv[1], strerror(errno));
		return -1;
	}
	setvbuf(faults->history, NULL, _IOLBF, 0);
	return 0;
}

static int
do_token(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kfaults *faults = arg;

	(void)argc, (void)out;
	kauth_token(faults->kube->auth, argv[1]);
	return 0;
}

static int
do_revoke(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kfaults *faults = arg;

	(void)argc, (void)out;
	kauth_revoke(faults->kube->auth, argv[1], argv[2]);
	return 0;
}

static int
do_node_unknown(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kfaults *faults = arg;

	(void)argc;
	if (kcontrollers_node_unknown(faults->kube, argv[1]) == -1) {
		evbuffer_add_printf(out, "%s: no such node", argv[1]);
		return -1;
	}
	return 0;
}

static int
do_status(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kfaults *faults = arg;
	enum kid kid;

	(void)argc, (void)argv;
	evbuffer_add_printf(out, "up=%d rv=%llu watches=%zu",
	    web_is_up(faults->kube->web),
	    (unsigned long long)kstore_rv(faults->kube->store),
	    kwatches_count(faults->kube->watches));
	for (kid = 0; kid < KUBE_KINDS; kid++)
		evbuffer_add_printf(out, " %s=%zu", kresource(kid)->plural,
		    kstore_count(faults->kube->store, kid));
	return 0;
}

static int
do_quit(int argc, char **argv, struct evbuffer *out, void *arg)
{
	struct kfaults *faults = arg;
	static const struct timeval soon = { 0, 10000 };

	(void)argc, (void)argv, (void)out;
	event_base_loopexit(faults->kube->base, &soon);
	return 0;
}

static const struct control_cmd commands[] = {
	{ "down", 0, 0, do_down, "down: refuse connections, cut open ones" },
	{ "up", 0, 0, do_up, "up: end down and pause" },
	{ "pause", 0, 0, do_pause, "pause: accept requests, never answer" },
	{ "say-back", 0, 1, do_say_back,
	    "say-back [off]: each error repeats the request's token" },
	{ "latency", 1, 1, do_latency, "latency MS: before each answer" },
	{ "fail-next", 3, 4, do_fail_next,
	    "fail-next METHOD PATH-GLOB CODE [COUNT]: answer that" },
	{ "cut-next", 3, 4, do_cut_next,
	    "cut-next METHOD PATH-GLOB BYTES [COUNT]: cut in the middle" },
	{ "clear", 0, 0, do_clear, "clear: forget fail, cut and latency" },
	{ "expire-watches", 0, 0, do_expire,
	    "expire-watches: each gets the 410 event; old versions expire" },
	{ "silence-watches", 0, 1, do_silence,
	    "silence-watches [off]: open ones stay open and silent" },
	{ "drop-watches", 0, 0, do_drop,
	    "drop-watches: close their connections" },
	{ "new-ca", 1, 1, do_new_ca,
	    "new-ca NAME: it is certified by DIR/NAME.crt, and closes its "
	    "connections" },
	{ "bookmark", 0, 0, do_bookmark, "bookmark: send one now" },
	{ "compact", 0, 0, do_compact, "compact: old versions expire" },
	{ "window", 1, 1, do_window,
	    "window N: events kept for each resource" },
	{ "counts", 0, 0, do_counts, "counts: requests by verb and resource" },
	{ "reset-counts", 0, 0, do_reset_counts,
	    "reset-counts: begin again at 0" },
	{ "history", 1, 1, do_history,
	    "history FILE|off: append each request's method and target" },
	{ "token", 1, 1, do_token,
	    "token NEW: the provider's token; the old one is 401" },
	{ "revoke", 2, 2, do_revoke,
	    "revoke VERB RESOURCE: the provider lacks that right" },
	{ "force-node-unknown", 1, 1, do_node_unknown,
	    "force-node-unknown NAME: as when its heartbeat stopped" },
	{ "status", 0, 0, do_status, "status: what there is" },
	{ "quit", 0, 0, do_quit, "quit: end kubesim" },
	{ NULL, 0, 0, NULL, NULL },
};

struct control *
kcommand_new(struct kfaults *faults, const char *path, struct why *why)
{
	return control_new(faults->kube->base, path, commands, faults, why);
}
