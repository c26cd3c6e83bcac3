/* SPDX-License-Identifier: ISC */
/*
 * names: both servers are known by a name that a name server has, asked by
 * glibc's own resolver from inside the workers' sandboxes.  At first it knows
 * no such name, and in mid-run it is away, silent, broken, or has forgotten
 * it; each time all goes on when the name is there again, and meanwhile
 * little is asked.  NIGHTLY=1: each of those, not one.
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/etc.h"
#include "t/it/it.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	PORT = 53,
	LOOK_MS = 20,
	READY_MS = 30000,
	TELL_MS = 30000,
	RUN_MS = 45000,
	A_SECOND = 40, /* questions: of A and AAAA, of each search domain */
	HEADER = 12,
	MESSAGE = 512,
	TYPE_A = 1,
	TTL_S = 1,
};

enum state {
	KNOWN,
	UNKNOWN, /* NXDOMAIN */
	BROKEN,	 /* SERVFAIL */
	SILENT,
	AWAY, /* its port is closed */
};

static const struct {
	const char *name;
	unsigned char rcode;
} states[] = {
	[KNOWN] = { "knows the name", 0 },
	[UNKNOWN] = { "has forgotten the name", 3 },
	[BROKEN] = { "fails", 2 },
	[SILENT] = { "is silent", 0 },
	[AWAY] = { "is away", 0 },
};

struct shared {
	_Atomic int state;
	_Atomic unsigned int asked; /* for our name */
};

static struct shared *shared;

/* --- the name server ----------------------------------------------------- */

/* Behind the question, whose end is returned; 0: it is no question. */
static size_t
question_end(const unsigned char *m, size_t len)
{
	size_t at = HEADER;

	while (at < len && m[at] != 0)
		at += m[at] + 1u;
	return at + 5 <= len ? at + 5 : 0;
}

/* Makes the answer of the question; its length. */
static size_t
answer(unsigned char *m, size_t end, enum state s)
{
	static const unsigned char address[] = { 0xc0, HEADER, 0, TYPE_A, 0, 1,
		0, 0, 0, TTL_S, 0, 4, 127, 0, 0, 1 };
	int has = s == KNOWN && m[end - 3] == TYPE_A;

	m[2] = 0x84 | (m[2] & 1);
	m[3] = states[s].rcode;
	memset(m + 6, 0, 6);
	m[7] = (unsigned char)has;
	if (has)
		memcpy(m + end, address, sizeof(address));
	return end + (has ? sizeof(address) : 0);
}

static int
bind_port(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (const struct sockaddr *)&in, sizeof(in)) == -1)
		_exit(1);
	return fd;
}

__attribute__((noreturn)) static void
serve(void)
{
	static const unsigned char ours[] = "\4sims\4test";
	unsigned char m[MESSAGE + 64];
	struct sockaddr_in from;
	struct pollfd p = { .fd = -1, .events = POLLIN };
	socklen_t size;
	ssize_t len;
	size_t end;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		if (p.fd != -1 && shared->state == AWAY) {
			close(p.fd);
			p.fd = -1;
		} else if (p.fd == -1 && shared->state != AWAY) {
			p.fd = bind_port();
		}
		size = sizeof(from);
		if (poll(&p, 1, LOOK_MS) < 1 ||
		    (len = recvfrom(p.fd, m, MESSAGE, 0,
			 (struct sockaddr *)&from, &size)) < HEADER ||
		    (end = question_end(m, (size_t)len)) == 0)
			continue;
		if (memcmp(m + HEADER, ours, sizeof(ours)) == 0)
			atomic_fetch_add(&shared->asked, 1);
		if (shared->state == SILENT)
			continue;
		end = answer(m, end, (enum state)shared->state);
		(void)sendto(p.fd, m, end, 0, (const struct sockaddr *)&from,
		    size);
	}
}

static void
start_server(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		it_die("no memory for a name server");
	shared->state = UNKNOWN;
	fflush(stdout);
	if (fork() == 0)
		serve();
}

/* --- what the provider makes of it --------------------------------------- */

static void
runs(const char *name)
{
	json_object_put(pod_runs(name, it_ms(), RUN_MS));
}

static void
starts_without(struct provider *p)
{
	static const char *const lines[] = {
		"cluster's id is not known yet.*resolve",
		"Flightctl does not answer.*resolve"
	};
	AUTO_JSON struct json_object *node = NULL;
	size_t i;

	for (i = 0; i < 2; i++)
		it_ok(provider_await_lines(p, lines[i], 1, TELL_MS) == 1,
		    "a line says: %s", lines[i]);
	shared->state = KNOWN;
	node = node_is_ready(READY_MS);
	free(pod_create("first", NULL));
	runs("first");
}

/* All connections end, and new ones want the name. */
static void
lose(struct provider *p, enum state s, int n)
{
	AUTO_FREE char *name = xasprintf("pod-%d", n);
	size_t said = provider_lines(p, "the apiserver does not answer");
	unsigned int asked;
	int64_t since;

	shared->state = s;
	world_kube(0);
	world_flight(0);
	world_kube(1);
	world_flight(1);
	asked = shared->asked;
	since = it_ms();
	free(pod_create(name, NULL));
	it_ok(provider_await_lines(p, "the apiserver does not answer", said + 1,
		  TELL_MS) > said,
	    "the name server %s: that is said", states[s].name);
	asked = shared->asked - asked;
	it_ok(asked <= (size_t)(it_ms() - since + 1000) / 1000 * A_SECOND,
	    "and little is asked: %u questions in %lld ms", asked,
	    (long long)(it_ms() - since));
	shared->state = KNOWN;
	runs(name);
}

static void
scenario(void)
{
	static const enum state bad[] = { UNKNOWN, AWAY, BROKEN, SILENT };
	AUTO_FREE char *at_flight = NULL, *at_kube = NULL;
	struct provider *p;
	int n = 0;
	size_t i;

	etc_write("hosts", ETC_LOCAL "\n");
	etc_write("resolv.conf", "nameserver 127.0.0.1\n");
	etc_set_apart(it_folder(), 1);
	start_server();
	world_open(&(struct world_conf){ .devices = 2 });
	at_flight = etc_flight();
	at_kube = etc_kube();
	p = provider_start("provider",
	    (const char *const[]){ at_flight, at_kube, NULL });
	provider_expect(p,
	    "resolve|onnect|transfer closed|[Ee]mpty reply|SSL|does not "
	    "answer|was not renewed|was not written|imed out");
	starts_without(p);
	for (i = 0; i < (getenv("NIGHTLY") != NULL ? 4 : 1); i++)
		lose(p, bad[i], n++);
	it_ok(shared->asked > 0, "the name server was asked: %u times",
	    shared->asked);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	if (!etc_can_set_apart() || world_kind() != WORLD_SIM) {
		puts("skipped: no file can be mounted, no network made here\n"
		     "0 passed, 0 failed, 1 skipped");
		return 0;
	}
	return it_run("names", scenario);
}
