/* SPDX-License-Identifier: ISC */
/*
 * sandbox_stage.c: a supervisor with probed workers.
 *
 * Owns what the probes are tried on, which is as weak as can be: victims of
 * the worker's own user, that may be traced, and keys that anybody may read.
 */
#include "t/it/sandbox_stage.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"

enum {
	FIRST_UID = 61001, /* UIDS */
	BACKLOG = 4096,
	ENV_SIZE = 2048,
	ARGS_MAX = 24,
	REPORT_MS = 60000,
};

char *
probed_file(const char *name)
{
	AUTO_FREE char *self = realpath("/proc/self/exe", NULL);
	char *slash = strrchr(self, '/');

	*slash = '\0';
	return xasprintf("%s/../probe/%s", self, name);
}

static void
run(const char *const argv[])
{
	if (child_run(argv, NULL) != 0)
		it_die("%s %s %s: failed", argv[0], argv[1], argv[2]);
}

/* What is no server's: the port by UDP too, and its name among the abstract. */
static uint16_t
listen_elsewhere(int fds[3])
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	uint16_t port;
	int len;

	fds[0] = it_listen(&port);
	sin.sin_port = htons(port);
	fds[1] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	fds[2] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	len = snprintf(sun.sun_path + 1, sizeof(sun.sun_path) - 1,
	    "vk-probe-%u", port);
	if (bind(fds[1], (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    bind(fds[2], (struct sockaddr *)&sun,
		(socklen_t)(sizeof(sa_family_t) + 1 + (size_t)len)) == -1 ||
	    listen(fds[2], BACKLOG) == -1)
		it_die("port %u: no socket beside it", port);
	return port;
}

static pid_t
victim(uid_t uid)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (geteuid() == 0 &&
	    (setresgid(uid, uid, uid) == -1 || setresuid(uid, uid, uid) == -1))
		_exit(1);
	(void)prctl(PR_SET_DUMPABLE, 1);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		(void)pause();
}

/* A folder of its own for each key, which anybody may read. */
static char *
keep_key(const struct probed *p, int i, const char *text)
{
	AUTO_FREE char *dir =
	    xasprintf("%s/key.%s", p->stage.dir, stage_workers[i]);
	char *path = xasprintf("%s/key", dir);

	if (mkdir(dir, 0755) == -1)
		it_die("%s: cannot be made", dir);
	stage_write(path, text);
	return path;
}

static void
lay_bait(const struct probed *p, int i)
{
	AUTO_FREE char *path =
	    xasprintf("%s/bait.%s", p->spoil, stage_workers[i]);

	stage_write(path, "");
	if (geteuid() == 0 && chown(path, p->uids[i], p->uids[i]) == -1)
		it_die("%s: cannot be given away", path);
}

/* The real ones aside, and in their place what starts them. */
static void
replace_workers(const struct probed *p)
{
	AUTO_FREE char *real = xasprintf("%s/real", p->stage.dir);
	AUTO_FREE char *start = probed_file("start");
	AUTO_FREE char *so = probed_file("probe.so");
	int i;

	run((const char *[]){ "mkdir", "-p", real, NULL });
	run((const char *[]){ "cp", so, p->stage.dir, NULL });
	EACH_WORKER(i) {
		AUTO_FREE char *name =
		    xasprintf("%s/%s", p->stage.dir, stage_workers[i]);

		run((const char *[]){ "mv", name, real, NULL });
		run((const char *[]){ "cp", start, name, NULL });
	}
}

static void
tell_probes(const struct probed *p, const struct probed_conf *conf,
    const uint16_t ports[3], char *const keys[])
{
	AUTO_FREE char *path = xasprintf("%s/probe.env", p->stage.dir);
	char text[ENV_SIZE];
	int i, n;

	n = snprintf(text, sizeof(text), "PROBE_OTHER=%u\n", ports[2]);
	if (!conf->is_silent)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
		    "PROBE_SPOIL=%s\n", p->spoil);
	if (conf->without != NULL)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
		    "PROBE_WITHOUT=%s\n", conf->without);
	if (conf->abi != 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
		    "PROBE_ABI=%d\n", conf->abi);
	if (getenv("NIGHTLY") != NULL)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
		    "PROBE_NIGHTLY=1\n");
	if (conf->brief)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
		    "PROBE_BRIEF=1\n");
	EACH_WORKER(i)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
		    "PROBE_VICTIM_%s=%d\nPROBE_UID_%s=%u\nPROBE_OWN_%s=%u\n"
		    "PROBE_KEY_%s=%s\n",
		    stage_workers[i], (int)p->victims[i], stage_workers[i],
		    p->uids[i], stage_workers[i], ports[i == 1],
		    stage_workers[i], keys[i == 1]);
	stage_write(path, text);
}

static void
launch(struct probed *p, const struct probed_conf *conf,
    const uint16_t ports[3], char *const keys[])
{
	AUTO_FREE char *program = xasprintf("%s/" PROGRAM, p->stage.dir);
	AUTO_FREE char *kubeconfig = xasprintf("KUBECONFIG=%s", keys[0]);
	AUTO_FREE char *token =
	    xasprintf("FLIGHTCTL_AUTH_TOKEN_FILE=%s", keys[1]);
	AUTO_FREE char *url =
	    xasprintf("FLIGHTCTL_API_URL=http://127.0.0.1:%u", ports[1]);
	AUTO_FREE char *preload =
	    xasprintf("LD_PRELOAD=%s/probe.so", p->stage.dir);
	AUTO_FREE char *without = xasprintf("PROBE_WITHOUT=%s",
	    conf->without == NULL ? "NONE" : conf->without);
	AUTO_FREE char *user = xasprintf("--reuid=%u", conf->uid);
	AUTO_FREE char *group = xasprintf("--regid=%u", conf->uid);
	const char *const extra[] = { kubeconfig, token, url, without,
		conf->without == NULL ? "PROBED=1" : preload, conf->setting,
		NULL };
	const char *argv[ARGS_MAX];
	size_t n = 0, i;

	for (i = 0; conf->prefix != NULL && conf->prefix[i] != NULL; i++)
		argv[n++] = conf->prefix[i];
	if (conf->uid != 0 && chown(p->stage.dir, conf->uid, conf->uid) == -1)
		it_die("%s: cannot be given away", p->stage.dir);
	if (conf->uid != 0 && !conf->is_prefixed) {
		argv[n++] = "setpriv";
		argv[n++] = user;
		argv[n++] = group;
		argv[n++] = "--clear-groups";
		/* As a unit with User= may give it; no worker may have it. */
		argv[n++] = "--inh-caps=+setuid,+setgid";
		argv[n++] = "--ambient-caps=+setuid,+setgid";
	}
	argv[n++] = program;
	argv[n] = NULL;
	stage_launch(&p->stage, argv, extra);
}

struct probed
probed_start(const struct probed_conf *conf)
{
	struct probed p = { .stage = stage_prepare_real(conf->name) };
	AUTO_FREE char *config = NULL, *kube = NULL, *flight = NULL;
	uint16_t ports[3];
	int i;

	p.spoil = xasprintf("%s/spoil", p.stage.dir);
	if (mkdir(p.spoil, 0777) == -1 || chmod(p.spoil, 01777) == -1)
		it_die("%s: cannot be made", p.spoil);
	p.sockets[0] = it_listen(&ports[0]);
	p.sockets[1] = it_listen(&ports[1]);
	ports[2] = listen_elsewhere(&p.sockets[2]);
	config = xasprintf(
	    "apiVersion: v1\nkind: Config\ncurrent-context: a\n"
	    "clusters: [{name: a, cluster: {server: 'http://127.0.0.1:%u'}}]\n"
	    "users: [{name: a, user: {token: s3cr3t}}]\n"
	    "contexts: [{name: a, context: {cluster: a, user: a}}]\n",
	    ports[0]);
	kube = keep_key(&p, 0, config);
	flight = keep_key(&p, 1, "s3cr3t");
	EACH_WORKER(i) {
		p.uids[i] = conf->uid != 0 ? conf->uid :
		    geteuid() == 0	   ? (uid_t)(FIRST_UID + i) :
					     geteuid();
		p.victims[i] = victim(p.uids[i]);
		lay_bait(&p, i);
	}
	replace_workers(&p);
	tell_probes(&p, conf, ports, (char *[]){ kube, flight });
	launch(&p, conf, ports, (char *[]){ kube, flight });
	return p;
}

/* What follows the words in each line of a text. */
static char *
rest_of_lines(const char *text, const char *words)
{
	char *found = xcalloc(1, strlen(text) + 1), *to = found;
	size_t n = strlen(words);
	const char *p, *eol;

	for (p = text; (eol = strchr(p, '\n')) != NULL; p = eol + 1)
		if (strncmp(p, words, n) == 0) {
			size_t len = (size_t)(eol + 1 - p) - n;

			memcpy(to, p + n, len);
			to += len;
		}
	return found;
}

char *
probed_report(const struct probed *p, int worker)
{
	AUTO_FREE char *words = xasprintf("probe %s ", stage_workers[worker]);
	AUTO_FREE char *end = xasprintf("%send\n", words);
	int64_t deadline = it_ms() + REPORT_MS;
	char *report;

	for (;;) {
		AUTO_FREE char *log = it_file(p->stage.log, NULL);

		if (log != NULL && strstr(log, end) != NULL) {
			report = rest_of_lines(log, words);
			return report;
		}
		if (it_ms() > deadline)
			it_die("%s: no report", stage_workers[worker]);
		it_pause(50);
	}
}

void
probed_stop(struct probed *p)
{
	size_t i;

	stage_stop(&p->stage);
	EACH_WORKER(i) {
		kill(p->victims[i], SIGKILL);
		(void)child_wait(p->victims[i], -1);
	}
	for (i = 0; i < sizeof(p->sockets) / sizeof(p->sockets[0]); i++)
		close(p->sockets[i]);
	free(p->spoil);
}
