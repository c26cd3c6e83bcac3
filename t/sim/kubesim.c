/* SPDX-License-Identifier: ISC */
/*
 * kubesim: a Kubernetes API server for demos and tests, all in memory.
 *	kubesim --port P --dir DIR --control SOCK [--port-file F] [--schedule]
 *	    [--address ::1]
 *
 * Owns start and end: certificates and kubeconfigs in DIR, the namespaces
 * there are from the start, one line on stdout when it listens.  The time
 * from there on belongs to the event loop.
 */

#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <json-c/json.h>
#include <openssl/rand.h>

#include "common/auto.h"
#include "common/why.h"
#include "common/xmem.h"
#include "t/sim/base64.h"
#include "t/sim/cert.h"
#include "t/sim/kube.h"
#include "t/sim/kuberule.h"
#include "t/sim/web.h"

enum {
	KUBE_WINDOW = 20000,	 /* events kept for each resource */
	KUBE_BODY_MAX = 3145728, /* as the server's */
	KUBE_CHUNK_OVER = 2048,	 /* longer answers are chunked there */
	KUBE_KEEP = 4 << 20,
	KUBE_FILE_MAX = 64 * 1024,
	TOKEN_BYTES = 24,
};

struct options {
	long port;
	const char *dir, *control, *port_file, *address;
	int schedule;
};

static const char usage[] =
    "usage: kubesim --port P --dir DIR --control SOCK [--port-file FILE] "
    "[--schedule] [--address A]\n";

static void
parse(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {
		{ "port", required_argument, NULL, 'p' },
		{ "dir", required_argument, NULL, 'd' },
		{ "control", required_argument, NULL, 'c' },
		{ "port-file", required_argument, NULL, 'f' },
		{ "schedule", no_argument, NULL, 's' },
		{ "address", required_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	char *end = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'p')
			o->port = strtol(optarg, &end, 10);
		else if (c == 'd')
			o->dir = optarg;
		else if (c == 'c')
			o->control = optarg;
		else if (c == 'f')
			o->port_file = optarg;
		else if (c == 'a')
			o->address = optarg;
		else if (c == 's')
			o->schedule = 1;
		else
			break;
	}
	if (c != -1 || optind != argc || o->dir == NULL || o->control == NULL ||
	    end == NULL || *end != '\0' || o->port < 0 || o->port > 65535) {
		fputs(usage, stderr);
		exit(64);
	}
}

/* --- files --- */

/* A file appears whole: somebody may wait for it. */
static void
write_file(const char *path, const char *text)
{
	AUTO_FREE char *half = xasprintf("%s~", path);
	FILE *fp;

	fp = fopen(half, "we");
	if (fp == NULL || fchmod(fileno(fp), 0600) == -1 ||
	    fputs(text, fp) == EOF || fclose(fp) == EOF ||
	    rename(half, path) == -1)
		err(1, "%s", path);
}

/* A file's content in base64, the caller's. */
static char *
inlined(const char *dir, const char *name)
{
	AUTO_FREE char *path = xasprintf("%s/%s", dir, name);
	AUTO_FREE char *data = xmalloc(KUBE_FILE_MAX);
	FILE *fp = fopen(path, "re");
	size_t n;

	if (fp == NULL)
		err(1, "%s", path);
	n = fread(data, 1, KUBE_FILE_MAX, fp);
	fclose(fp);
	return base64(data, n);
}

static void
write_kubeconfig(const char *dir, const char *name, const char *url,
    const char *user)
{
	AUTO_FREE char *path = xasprintf("%s/%s.kubeconfig", dir, name);
	AUTO_FREE char *ca = inlined(dir, "ca.crt");
	AUTO_FREE char *text = xasprintf("apiVersion: v1\n"
					 "kind: Config\n"
					 "clusters:\n"
					 "- name: kubesim\n"
					 "  cluster:\n"
					 "    server: %s\n"
					 "    certificate-authority-data: %s\n"
					 "users:\n"
					 "- name: %s\n"
					 "  user:\n"
					 "%s"
					 "contexts:\n"
					 "- name: kubesim\n"
					 "  context:\n"
					 "    cluster: kubesim\n"
					 "    user: %s\n"
					 "current-context: kubesim\n",
	    url, ca, name, user, name);

	write_file(path, text);
}

static void
write_kubeconfigs(const struct options *o, const char *url, unsigned int port,
    const char *provider, const char *agent)
{
	AUTO_FREE char *cert = inlined(o->dir, "admin.crt");
	AUTO_FREE char *key = inlined(o->dir, "admin.key");
	AUTO_FREE char *admin = xasprintf("    client-certificate-data: %s\n"
					  "    client-key-data: %s\n",
	    cert, key);
	AUTO_FREE char *p = xasprintf("    token: %s\n", provider);
	AUTO_FREE char *a = xasprintf("    token: %s\n", agent);
	AUTO_FREE char *text = xasprintf("%u\n", port);

	write_kubeconfig(o->dir, "admin", url, admin);
	write_kubeconfig(o->dir, "provider", url, p);
	write_kubeconfig(o->dir, "agent", url, a);
	if (o->port_file != NULL)
		write_file(o->port_file, text);
}

static char *
new_token(void)
{
	unsigned char b[TOKEN_BYTES];
	char *s = xcalloc(2 * TOKEN_BYTES + 1, 1);
	size_t i;

	RAND_bytes(b, sizeof(b));
	for (i = 0; i < sizeof(b); i++)
		snprintf(s + 2 * i, 3, "%02x", b[i]);
	return s;
}

static char *
url_of(const struct options *o, unsigned int port)
{
	const char *host = o->address == NULL ? "127.0.0.1" : o->address;
	int brackets = strchr(host, ':') != NULL;

	return xasprintf("https://%s%s%s:%u", brackets ? "[" : "", host,
	    brackets ? "]" : "", port);
}

/* --- start --- */

static int
certificates(const char *dir, struct why *why)
{
	struct cert_ca *ca = cert_ca_open(dir, "ca", why);
	int r = -1;

	if (ca != NULL && cert_server(ca, dir, "apiserver", why) == 0)
		r = cert_client(ca, dir, "admin", "kubernetes-admin",
		    "system:masters", why);
	cert_ca_free(ca);
	return r;
}

static void
add_namespace(struct kube *kube, const char *name)
{
	struct json_object *o = json_object_new_object();
	struct json_object *meta = kmake_obj(o, "metadata");
	struct kfail f = { .code = 0 };
	char text[64];

	kset(meta, "name", name);
	knew_uid(text, sizeof(text));
	kset(meta, "uid", text);
	kset(meta, "resourceVersion", "0");
	ktime_now(text, sizeof(text), 0);
	kset(meta, "creationTimestamp", text);
	krule_default(KUBE_NAMESPACES, o);
	if (kwrite_put(kube, KUBE_NAMESPACES, o, &f) == NULL)
		errx(1, "namespace %s: %s", name, f.message);
	json_object_put(o);
}

static int
serve(struct kube *kube, const struct options *o, struct why *why)
{
	/* Read again by web_certify(), as long as there is a kubesim. */
	static struct web_tls tls;
	struct web_conf conf = { .base = kube->base,
		.address = o->address,
		.port = (uint16_t)o->port,
		.tls = &tls,
		.gate = kfaults_gate,
		.missing = khttp_request,
		.arg = kube,
		.body_max = KUBE_BODY_MAX,
		.chunk_over = KUBE_CHUNK_OVER };

	tls.cert = xasprintf("%s/apiserver.crt", o->dir);
	tls.key = xasprintf("%s/apiserver.key", o->dir);
	tls.client_ca = xasprintf("%s/ca.crt", o->dir);
	kube->dir = o->dir;
	kube->web = web_new(&conf, why);
	return kube->web != NULL ? 0 : -1;
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	event_base_loopexit(arg, NULL);
}

static void
run(struct kube *kube)
{
	struct event *term, *intr;

	term = evsignal_new(kube->base, SIGTERM, on_signal, kube->base);
	intr = evsignal_new(kube->base, SIGINT, on_signal, kube->base);
	event_add(term, NULL);
	event_add(intr, NULL);
	event_base_dispatch(kube->base);
	event_free(term);
	event_free(intr);
}

static void
end(struct kube *kube)
{
	kfaults_free(kube->faults);
	kwatches_free(kube->watches);
	web_free(kube->web);
	/* Connections that were closed last are freed by the loop. */
	event_base_loop(kube->base, EVLOOP_NONBLOCK);
	ksched_free(kube->sched);
	kcontrollers_free(kube->controllers);
	kstore_free(kube->store);
	kauth_free(kube->auth);
	event_base_free(kube->base);
}

int
main(int argc, char **argv)
{
	static const char *const namespaces[] = { "default", "kube-system",
		"kube-public", "kube-node-lease", "vk-flightctl" };
	struct options o = { .port = -1 };
	struct kube kube = { .base = NULL };
	AUTO_FREE char *provider = NULL, *agent = NULL, *url = NULL;
	struct why why;
	size_t i;

	parse(argc, argv, &o);
	/* Bodies come and go: their memory is not given back each time. */
	mallopt(M_TRIM_THRESHOLD, KUBE_KEEP);
	mallopt(M_TOP_PAD, KUBE_KEEP);
	mallopt(M_MMAP_THRESHOLD, KUBE_KEEP);
	if (mkdir(o.dir, 0700) == -1 && errno != EEXIST)
		err(1, "%s", o.dir);
	kube.base = event_base_new();
	kube.store = kstore_new(KUBE_WINDOW);
	kube.watches = kwatches_new(&kube);
	kube.controllers = kcontrollers_new(&kube);
	if (o.schedule)
		kube.sched = ksched_new(&kube);
	for (i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++)
		add_namespace(&kube, namespaces[i]);
	provider = new_token();
	agent = new_token();
	kube.auth = kauth_new(provider, agent);
	if (certificates(o.dir, &why) == -1 || serve(&kube, &o, &why) == -1 ||
	    (kube.faults = kfaults_new(&kube, o.control, &why)) == NULL)
		errx(1, "%s", why.text);
	url = url_of(&o, web_port(kube.web));
	write_kubeconfigs(&o, url, web_port(kube.web), provider, agent);
	printf("kubesim: ready on %s\n", url);
	fflush(stdout);
	run(&kube);
	end(&kube);
	return 0;
}
