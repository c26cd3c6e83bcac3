/* SPDX-License-Identifier: ISC */
/*
 * fault_proxy.c: the proxy's processes: one that accepts, one a connection.
 *
 * Owns the memory that they share with the scenario: the rule of the moment,
 * what was done, what was asked when.  What a fault does is fault_act.c's.
 */
#include "t/it/fault.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <fnmatch.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/xmem.h"
#include "t/it/fault_act.h"
#include "t/it/it.h"

enum {
	ASKED_MAX = 1 << 20, /* requests of one proxy */
	QUIET_MS = 250,	     /* an answer that has no end yet */
	PATIENCE_MS = 600000,
};

static const struct kind {
	enum fault_server server;
	const char *name, *method, *path;
} kinds[] = {
#define KIND(server, name, method, path) \
	[KIND_##name] = { FAULT_##server, #name, method, path },
#include "t/it/fault_kinds.def"
#undef KIND
};

/* Written by the scenario, but for what is counted. */
struct shared {
	_Atomic int fault, kind;
	_Atomic unsigned int every, most, rule; /* rule: how many until now */
	_Atomic unsigned int seen[KIND_COUNT];	/* of this rule */
	_Atomic unsigned int turn, failed;
	_Atomic unsigned int done[FAULT_COUNT][KIND_COUNT];
	_Atomic unsigned int strayed, n;
	_Atomic int64_t at_ms[ASKED_MAX];
	_Atomic unsigned char of[ASKED_MAX]; /* enum fault_kind */
};

struct fault_proxy {
	enum fault_server server;
	struct sockaddr_in up;
	char *pem;
	int fd;
	uint16_t port;
	pid_t pid;
	struct shared *s;
};

const char *
fault_kind_name(enum fault_kind k)
{
	return kinds[k].name;
}

enum fault_server
fault_kind_server(enum fault_kind k)
{
	return kinds[k].server;
}

/* --- which fault --------------------------------------------------------- */

static enum fault_kind
kind_of(enum fault_server server, const char *method, const char *path)
{
	enum fault_kind k;

	for (k = 0; k < KIND_COUNT; k++)
		if (kinds[k].server == server &&
		    (*kinds[k].method == '*' ||
			strcmp(kinds[k].method, method) == 0) &&
		    fnmatch(kinds[k].path, path, 0) == 0)
			return k;
	return KIND_COUNT - 1;
}

static enum fault
next_in_turn(const struct fault_proxy *p)
{
	enum fault f;

	do
		f = atomic_fetch_add(&p->s->turn, 1) % FAULT_COUNT;
	while (fault_is_slow(f, p->server));
	return f;
}

/* What happens to the next request of that kind. */
static enum fault
choose(const struct fault_proxy *p, enum fault_kind k)
{
	struct shared *s = p->s;
	int wanted = s->kind;
	enum fault f = (enum fault)s->fault;
	unsigned int n = atomic_fetch_add(&s->seen[k], 1);

	if (f == FAULT_NONE || (wanted != KIND_ANY && wanted != (int)k) ||
	    n % s->every != 0 ||
	    (s->most != 0 && atomic_fetch_add(&s->failed, 1) >= s->most))
		return FAULT_NONE;
	if (f == FAULT_IN_TURN)
		f = next_in_turn(p);
	atomic_fetch_add(&s->done[f][k], 1);
	return f;
}

/* --- one connection ------------------------------------------------------ */

struct pass {
	const struct fault_proxy *p;
	SSL_CTX *ctx; /* of a client */
	struct wire client, up;
	int has_up;
	unsigned int rule;
};

static int
let_go(void *arg)
{
	const struct pass *c = arg;

	return c->p->s->rule != c->rule;
}

static void
open_up(struct pass *c)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (const struct sockaddr *)&c->p->up, sizeof(c->p->up)) ==
		-1 ||
	    wire_open(&c->up, c->ctx, fd, 0) == -1)
		_exit(0);
	c->has_up = 1;
}

/* A second time, when the first is long over. */
static void
send_again(struct pass *c, const struct message *request, int ms)
{
	struct message answer;

	if (fork() != 0)
		return;
	close(c->client.fd);
	it_pause(ms);
	open_up(c);
	(void)wire_send(&c->up, request->all, request->all_len);
	(void)wire_answer(&c->up, &answer, QUIET_MS);
	_exit(0);
}

/* The server's answer to it; 0: it has none for us any more. */
static int
ask(struct pass *c, const struct fault_row *r, const struct message *request,
    struct message *answer)
{
	struct message second;

	if (!c->has_up)
		open_up(c);
	if (wire_send(&c->up, request->all, request->all_len) == -1 ||
	    wire_answer(&c->up, answer, QUIET_MS) == -1)
		return -1;
	if (r == NULL || !answer->whole)
		return 0;
	if (r->sent == SENT_AGAIN)
		send_again(c, request, r->number);
	if (r->sent != SENT_TWICE)
		return 0;
	if (wire_send(&c->up, request->all, request->all_len) == -1 ||
	    wire_answer(&c->up, &second, QUIET_MS) == -1)
		return -1;
	message_free(r->act == ACT_SECOND ? answer : &second);
	if (r->act == ACT_SECOND)
		*answer = second;
	return 0;
}

/* What comes without end, until either ends: always -1. */
static int
relay(struct pass *c)
{
	struct pollfd pfd[] = { { .fd = c->up.fd, .events = POLLIN },
		{ .fd = c->client.fd, .events = POLLIN } };

	for (;;) {
		if (wire_send(&c->client, c->up.buf, c->up.len) == -1)
			return -1;
		wire_take(&c->up, c->up.len);
		if (SSL_pending(c->up.ssl) == 0 &&
		    poll(pfd, 2, PATIENCE_MS) < 1)
			return -1;
		if (pfd[1].revents != 0 || wire_more(&c->up, 0) == -1)
			return -1;
	}
}

static void
count(const struct fault_proxy *p, enum fault_kind k, const char *path)
{
	struct shared *s = p->s;
	unsigned int n = atomic_fetch_add(&s->n, 1);

	if (n < ASKED_MAX) {
		s->of[n] = (unsigned char)k;
		s->at_ms[n] = it_ms();
	}
	if (strstr(path, "strayed") != NULL)
		atomic_fetch_add(&s->strayed, 1);
}

/* One request and its answer; -1: the connection is over. */
static int
exchange(struct pass *c, const struct message *request)
{
	const struct fault_row *r = NULL;
	struct message answer = { .whole = 1 };
	char method[16] = "", path[4096] = "";
	enum fault_kind k;
	enum fault f;
	int over;

	(void)sscanf(request->all, "%15s %4095s", method, path);
	k = kind_of(c->p->server, method, path);
	count(c->p, k, path);
	c->rule = c->p->s->rule;
	if ((f = choose(c->p, k)) != FAULT_NONE)
		r = fault_row(f);
	if ((r == NULL || r->sent != SENT_NEVER) &&
	    ask(c, r, request, &answer) == -1)
		return -1;
	over = r == NULL ? wire_send(&c->client, answer.all, answer.all_len) :
			   fault_act(r, &c->client, &answer, let_go, c);
	if (over == 0 && !answer.whole)
		over = r == NULL || r->act == ACT_PASS || r->act == ACT_FIRST ||
			r->act == ACT_SLOW ?
		    relay(c) :
		    -1;
	message_free(&answer);
	return over;
}

static SSL_CTX *
server_context(const char *pem)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL || SSL_CTX_use_certificate_chain_file(ctx, pem) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, pem, SSL_FILETYPE_PEM) != 1)
		_exit(1);
	return ctx;
}

__attribute__((noreturn)) static void
serve(const struct fault_proxy *p, int fd)
{
	struct pass c = { .p = p, .ctx = SSL_CTX_new(TLS_client_method()) };
	struct message request;

	signal(SIGUSR1, SIG_DFL);
	if (wire_open(&c.client, server_context(p->pem), fd, 1) == -1)
		_exit(0);
	while (wire_request(&c.client, &request) == 0) {
		if (exchange(&c, &request) == -1)
			break;
		message_free(&request);
	}
	if (c.client.fd != -1)
		wire_close(&c.client);
	_exit(0);
}

/* --- the one that accepts ------------------------------------------------ */

__attribute__((noreturn)) static void
accept_all(const struct fault_proxy *p)
{
	int fd, on = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	setpgid(0, 0);
	for (;;) {
		if ((fd = accept(p->fd, NULL, NULL)) == -1)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			serve(p, fd);
		}
		close(fd);
	}
}

struct fault_proxy *
fault_start(enum fault_server server, const char *base, const char *pem)
{
	struct fault_proxy *p = xcalloc(1, sizeof(*p));
	const char *colon = strrchr(base, ':');

	p->server = server;
	p->pem = xstrdup(pem);
	p->up.sin_family = AF_INET;
	p->up.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->up.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	p->s = mmap(NULL, sizeof(*p->s), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->s == MAP_FAILED)
		it_die("no memory for a proxy");
	fault_end(p);
	p->fd = it_listen(&p->port);
	fflush(stdout);
	if ((p->pid = fork()) == 0)
		accept_all(p);
	setpgid(p->pid, p->pid);
	return p;
}

uint16_t
fault_port(const struct fault_proxy *p)
{
	return p->port;
}

/* --- what the scenario says and asks ------------------------------------- */

void
fault_set(struct fault_proxy *p, const struct fault_rule *r)
{
	struct shared *s = p->s;
	unsigned int i;

	s->fault = FAULT_NONE;
	for (i = 0; i < KIND_COUNT; i++)
		s->seen[i] = 0;
	s->failed = 0;
	s->kind = r->kind;
	s->every = r->every;
	s->most = r->most;
	s->rule++;
	s->fault = r->fault;
}

void
fault_end(struct fault_proxy *p)
{
	p->s->fault = FAULT_NONE;
	p->s->every = 1;
	p->s->rule++;
}

void
fault_cut(struct fault_proxy *p)
{
	kill(-p->pid, SIGUSR1);
}

unsigned int
fault_done(const struct fault_proxy *p, enum fault f, enum fault_kind k)
{
	unsigned int n = 0, i;

	for (i = 0; i < KIND_COUNT; i++)
		if (k == KIND_ANY || k == i)
			n += p->s->done[f][i];
	return n;
}

struct asked {
	int64_t ms;
	unsigned char of;
};

static int
by_time(const void *a, const void *b)
{
	int64_t x = ((const struct asked *)a)->ms;
	int64_t y = ((const struct asked *)b)->ms;

	return x < y ? -1 : x > y;
}

unsigned int
fault_busiest(const struct fault_proxy *p, int64_t since_ms, int window_ms,
    unsigned int of[KIND_COUNT])
{
	unsigned int n = p->s->n, first = 0, from = 0, most = 0, i;
	struct asked *asked = xcalloc(n + 1, sizeof(*asked));

	for (i = 0; i < n; i++)
		asked[i] = (struct asked){ p->s->at_ms[i], p->s->of[i] };
	qsort(asked, n, sizeof(*asked), by_time);
	for (i = 0; i < n; i++) {
		if (asked[i].ms < since_ms) {
			first = i + 1;
			continue;
		}
		while (asked[i].ms - asked[first].ms >= window_ms)
			first++;
		if (i - first + 1 > most) {
			most = i - first + 1;
			from = first;
		}
	}
	memset(of, 0, KIND_COUNT * sizeof(*of));
	for (i = from; i < from + most; i++)
		of[asked[i].of]++;
	free(asked);
	return most;
}

unsigned int
fault_strayed(const struct fault_proxy *p)
{
	return p->s->strayed;
}
