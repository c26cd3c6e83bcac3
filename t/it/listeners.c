/* SPDX-License-Identifier: ISC */
/*
 * listeners: everybody who may connect does his worst at once: slow, silent,
 * rude, deaf, and floods of the control socket by its own user.  Pods are
 * deployed as ever, leases held, a probe is answered, and memory is bounded.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/http.h"
#include "t/it/it.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/renewals.h"
#include "t/it/sanitized.h"
#include "t/it/world.h"

enum {
	READY_MS = 30000,
	RUN_MS = 30000,
	USUAL_MS = 10000, /* a pod to Running, on a machine that is busy */
	PROBE_MS = 3000,
	CROWD = 10000,
	CROWDS = 4, /* processes with their part of it */
	SLOW = 300,
	SLOW_STEP_MS = 200,
	LEAST_MS = 9000, /* VISIT_SECONDS, less one of a busy machine */
	CUT_MS = 20000,	 /* of one that sends a byte each half second */
	PODS = 5,
	PROBES = 20,
	GROWTH_KB = 24 * 1024,
	ATTACKS = CROWDS + 4,
};

static struct sockaddr_in there;
static struct sockaddr_un control = { .sun_family = AF_UNIX };
static pid_t attackers[ATTACKS];
static size_t nattackers;

static int
visit(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd != -1)
		(void)!connect(fd, (const struct sockaddr *)&there,
		    sizeof(there));
	return fd;
}

/*
 * 1: the other end has closed it, or reset, which a write may have been told
 * of before.  What it said is read, for the end comes behind it.
 */
static int
is_over(int fd)
{
	char said[4096];
	ssize_t n = recv(fd, said, sizeof(said), MSG_DONTWAIT);

	return n == 0 || (n == -1 && errno != EAGAIN);
}

/* --- what they do, each a process ---------------------------------------- */

/* Many, a byte of a header at a time, and again when cut off. */
static void
be_slow(unsigned int n)
{
	static const char text[] = "GET /healthz HTTP/1.1\r\nX: ";
	int *fds = xcalloc(n, sizeof(*fds));
	unsigned int i, at = 0;

	for (i = 0; i < n; i++)
		fds[i] = visit();
	for (;; at++) {
		for (i = 0; i < n; i++) {
			if (fds[i] != -1 &&
			    send(fds[i], &text[at < sizeof(text) - 1 ? at : 22],
				1, MSG_NOSIGNAL) == 1 &&
			    !is_over(fds[i]))
				continue;
			close(fds[i]);
			fds[i] = visit();
		}
		it_pause(SLOW_STEP_MS);
	}
}

/* As many as it may, and nothing more. */
static void
be_many(unsigned int n)
{
	unsigned int i, got = 0;

	for (i = 0; i < n; i++)
		got += visit() != -1;
	if (got < n)
		printf("   %u of %u connections: no more descriptors\n", got,
		    n);
	fflush(stdout);
	for (;;)
		it_pause(1000);
}

/* What is no request, or none that is answered. */
static void
be_rude(unsigned int n)
{
	static const char *const texts[] = { "DELETE / HTTP/1.1\r\n\r\n",
		"POST /api/pods HTTP/1.1\r\nContent-Length: 99999\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\x02", "\r\n",
		"GET\r\n", "GET /%00%ff?%=& HTTP/9.9\r\n\r\n",
		("GET / HTTP/1.1\r\nContent-Length: 1\r\n"
		 "Transfer-Encoding: chunked\r\n\r\nx") };
	AUTO_FREE char *huge = xcalloc(1, n + 1);
	unsigned int i;
	int fd;

	memset(huge, 'h', n);
	for (i = 0;; i++) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fd, (const struct sockaddr *)&there,
			sizeof(there)) == 0) {
			const char *text =
			    texts[i % (sizeof(texts) / sizeof(texts[0]))];

			(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
			if (i % 3 == 0)
				(void)!send(fd, huge, n,
				    MSG_NOSIGNAL | MSG_DONTWAIT);
			if (i % 2 == 0)
				shutdown(fd, SHUT_WR);
		}
		it_pause(2);
		close(fd);
	}
}

/* Asks and asks, and reads no answer. */
static void
be_deaf(unsigned int n)
{
	static const char text[] = "GET /metrics HTTP/1.1\r\n\r\n";
	int *fds = xcalloc(n, sizeof(*fds));
	unsigned int i, k;

	for (;;) {
		for (i = 0; i < n; i++) {
			if (fds[i] > 0)
				close(fds[i]);
			fds[i] = visit();
		}
		for (k = 0; k < 50; k++) {
			for (i = 0; i < n; i++)
				(void)!send(fds[i], text, sizeof(text) - 1,
				    MSG_NOSIGNAL);
			it_pause(50);
		}
	}
}

/* The control socket, by its own user. */
static void
be_nosy(unsigned int n)
{
	static const char text[] = "pods\n";
	unsigned int i;
	int fd;

	for (i = 0;; i++) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0);
		if (connect(fd, (const struct sockaddr *)&control,
			sizeof(control)) == 0)
			(void)!send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL);
		else
			it_pause(1);
		if (i % n == 0)
			it_pause(1);
		close(fd);
	}
}

static void
attack(void (*how)(unsigned int), unsigned int n)
{
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == -1)
		it_die("no process for a guest");
	if (pid != 0) {
		attackers[nattackers++] = pid;
		return;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	how(n);
	_exit(0);
}

static void
end_attacks(void)
{
	while (nattackers > 0) {
		nattackers--;
		kill(attackers[nattackers], SIGKILL);
		waitpid(attackers[nattackers], NULL, 0);
	}
}

/* --- what goes on -------------------------------------------------------- */

static long
resident_kb(pid_t pid)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/status", (int)pid);
	AUTO_FREE char *text = it_file(path, NULL);
	const char *at = text != NULL ? strstr(text, "VmRSS:") : NULL;

	return at != NULL ? strtol(at + 6, NULL, 10) : -1;
}

/* Answered, or refused at once: never left waiting. */
static void
probe(struct http *h, unsigned int n)
{
	unsigned int i, answered = 0;
	int64_t since, longest = 0;

	for (i = 0; i < n; i++) {
		struct http_answer a;

		since = it_ms();
		answered +=
		    http_send(h, "GET", "/healthz", NULL, NULL, &a) == 200;
		http_answer_clear(&a);
		if (it_ms() - since > longest)
			longest = it_ms() - since;
		it_pause(100);
	}
	it_ok(longest <= PROBE_MS,
	    "/healthz: %u of %u answered, the slowest after %lld ms", answered,
	    n, (long long)longest);
	it_ok(answered >= n * 3 / 4, "and nearly all of them with 200");
}

/* The same as ever, while all of that goes on. */
static void
deploy(void)
{
	unsigned int i;

	for (i = 0; i < PODS; i++) {
		AUTO_FREE char *name = xasprintf("crowded-%u", i);
		int64_t since = it_ms();

		free(pod_create(name, NULL));
		json_object_put(pod_runs(name, since, USUAL_MS));
	}
}

/* When it was cut off, always in time with its next byte. */
static int64_t
last(void)
{
	int64_t since = it_ms();
	int fd = visit();

	it_pause(100);
	while (!is_over(fd) && it_ms() - since < CUT_MS) {
		(void)!send(fd, "G", 1, MSG_NOSIGNAL);
		it_pause(500);
	}
	close(fd);
	return it_ms() - since;
}

/* Not to make room, as long as the crowd's last are still there. */
static void
is_cut_off(void)
{
	int64_t ms, until = it_ms() + 2 * CUT_MS;

	do {
		ms = last();
		it_say("cut off after %lld ms", (long long)ms);
	} while (ms < LEAST_MS && it_ms() < until);
	it_ok(ms >= LEAST_MS && ms < CUT_MS,
	    "a byte each half second is no request: cut off after %lld ms",
	    (long long)ms);
}

static void
take_addresses(struct provider *p)
{
	AUTO_FREE char *at = provider_address(p, READY_MS);
	char *port = strrchr(at, ':');

	*port++ = '\0';
	there.sin_family = AF_INET;
	there.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	if (inet_pton(AF_INET, at, &there.sin_addr) != 1)
		it_die("%s: no address", at);
	(void)snprintf(control.sun_path, sizeof(control.sun_path),
	    "%s/provider/control.sock", it_folder());
}

/* The mode keeps others out; when it does not, the kernel's word of who asks.
 */
static void
others_are_refused(void)
{
	AUTO_FREE char *program = child_program("vkfctl"), *shut = NULL,
		       *open = NULL;
	const char *argv[] = { "setpriv", "--reuid=65534", "--regid=65534",
		"--clear-groups", program, "-s", control.sun_path, "status",
		NULL };

	if (geteuid() != 0) {
		it_skip("only root can be another user");
		return;
	}
	it_ok(child_run(argv, &shut) != 0, "another user cannot connect");
	if (chmod(control.sun_path, 0666) == -1)
		it_die("%s: its mode cannot be changed", control.sun_path);
	it_ok(child_run(argv, &open) != 0 && open != NULL &&
		strstr(open, "only root, the provider's user") != NULL,
	    "and is refused by the kernel's word when the mode lets him");
	chmod(control.sun_path, 0600);
}

static void
scenario(void)
{
	struct rlimit files = { 0 };
	struct provider *p;
	pid_t placer;
	struct http *h;
	unsigned int i;
	long before, after;

	(void)getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	world_open(&(struct world_conf){ .devices = 2 });
	p = provider_start("provider", NULL);
	provider_expect(p, "control socket: uid 65534 is refused");
	provider_expect(p, "takes no connection|Error from accept");
	h = provider_listener(p, READY_MS);
	json_object_put(node_is_ready(READY_MS));
	take_addresses(p);
	free(pod_create("calm", NULL));
	json_object_put(pod_runs("calm", it_ms(), RUN_MS));
	others_are_refused();
	placer = provider_worker(p, "placer");
	before = resident_kb(placer);
	renewals_watch();
	for (i = 0; i < CROWDS; i++)
		attack(be_many, CROWD / CROWDS);
	attack(be_slow, SLOW);
	attack(be_rude, 100 * 1000);
	attack(be_deaf, 50);
	attack(be_nosy, 50);
	deploy();
	probe(h, PROBES);
	after = resident_kb(placer);
	if (SANITIZED)
		it_skip("ASan has memory of its own");
	else
		it_ok(after <= before + GROWTH_KB,
		    "the placer had %ld KB and has %ld KB, at most %d KB more",
		    before, after, GROWTH_KB);
	it_ok(provider_worker(p, "placer") == placer, "it is still the same");
	it_ok(provider_lines(p, "lease.*(lost|over)") == 0,
	    "no Lease was lost");
	renewals_judge("under attack");
	end_attacks();
	it_ok(http_await(h, "/readyz", 200, PROBE_MS),
	    "afterwards it is ready");
	is_cut_off();
	http_free(h);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("listeners", scenario);
}
