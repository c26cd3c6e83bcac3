/* SPDX-License-Identifier: ISC */
/*
 * actor.c: a worker without a loop, for tests of the supervisor.
 *
 * Owns fd 3 and reports what it found when it started: ids, descriptors,
 * environment, privileges.  Uses the codecs of the real ones, not boot.c.
 */
#include "t/it/actor.h"

#include <sys/prctl.h>
#include <sys/socket.h>

#include <dirent.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/who.h"
#include "common/xmem.h"
#include "ipc/build.h"
#include "ipc/frame.h"
#include "ipc/outq.h"

enum {
	CONTROL = 3
};

enum part {
#define X(name) PART_##name,
	PARTS(X)
#undef X
	PART_COUNT
};

static struct {
	enum proc self;
	enum part part;
	struct outq out;
	int link; /* -1: none */
} a = { .link = -1 };

static void
send_frame(enum msg_type type, const void *body)
{
	struct pollfd pfd = { CONTROL, POLLOUT, 0 };

	if (outq_put(&a.out, type, 0, body, -1) == -1)
		abort();
	while (!outq_is_empty(&a.out))
		if (outq_send(&a.out, CONTROL) == -1 &&
		    poll(&pfd, 1, -1) == 1 && (pfd.revents & POLLOUT) == 0)
			_exit(1);
}

static void
say(const char *text)
{
	struct body_log m = { .level = LOG_LEVEL_INFO };

	(void)snprintf(m.text, sizeof(m.text), "%s", text);
	send_frame(MSG_LOG, &m);
}

static void
say_hello(enum proc role, const char *build)
{
	struct body_hello m = { .role = (uint32_t)role };

	(void)snprintf(m.build, sizeof(m.build), "%s", build);
	send_frame(MSG_HELLO, &m);
}

static enum part
read_part(const char *name)
{
	static const char *const names[] = {
#define X(word) #word,
		PARTS(X)
#undef X
	};
	char self[PATH_MAX] = "", word[32] = "good";
	AUTO_FREE char *path = NULL;
	enum part i;
	char *slash;
	FILE *f;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) == -1)
		return PART_COUNT;
	if ((slash = strrchr(self, '/')) != NULL)
		*slash = '\0';
	path = xasprintf("%s/part.%s", self, name);
	if ((f = fopen(path, "re")) != NULL) {
		if (fscanf(f, "%31s", word) != 1)
			word[0] = '\0';
		(void)fclose(f);
	}
	for (i = 0; i < PART_COUNT; i++)
		if (strcmp(names[i], word) == 0)
			break;
	return i;
}

/* "0123" when those four are open and no other. */
static void
open_fds(char *text, size_t size)
{
	struct dirent *e;
	DIR *d = opendir("/proc/self/fd");
	int seen[10] = { 0 }, fd;
	size_t n = 0;

	while (d != NULL && (e = readdir(d)) != NULL) {
		fd = (int)strtol(e->d_name, NULL, 10);
		if (e->d_name[0] != '.' && fd != dirfd(d))
			seen[fd < 9 ? fd : 9] = 1;
	}
	for (fd = 0; fd < 10 && n + 1 < size; fd++)
		if (seen[fd])
			text[n++] = (char)('0' + fd);
	text[n] = '\0';
	if (d != NULL)
		(void)closedir(d);
}

static uint64_t
capabilities(void)
{
	AUTO_FREE char *line = NULL;
	uint64_t caps = 0, v;
	size_t size = 0;
	FILE *f;

	if ((f = fopen("/proc/self/status", "re")) == NULL)
		return ~(uint64_t)0;
	while (getline(&line, &size, f) != -1)
		if (sscanf(line, "CapEff: %jx", &v) == 1 ||
		    sscanf(line, "CapPrm: %jx", &v) == 1 ||
		    sscanf(line, "CapInh: %jx", &v) == 1 ||
		    sscanf(line, "CapAmb: %jx", &v) == 1)
			caps |= v;
	(void)fclose(f);
	return caps;
}

static void
report(void)
{
	AUTO_FREE char *text = NULL;
	int groups = getgroups(0, NULL), death = -1;
	char fds[16];
	size_t env = 0;

	while (environ[env] != NULL)
		env++;
	if (getenv("GLIBC_TUNABLES") != NULL)
		env--; /* how memory is wiped, which is every worker's */
	if (getenv(SUPERVISOR_ENV) != NULL)
		env--; /* what kubeside alone is told */
	if (getenv("__LLVM_PROFILE_RT_INIT_ONCE") != NULL)
		env--; /* set from within by a build that counts (V=prof) */
	open_fds(fds, sizeof(fds));
	(void)prctl(PR_GET_PDEATHSIG, &death);
	text =
	    xasprintf("found uid=%d gid=%d groups=%d fds=%s env=%zu caps=%jx "
		      "nnp=%d death=%d root=%d",
		(int)getuid(), (int)getgid(), groups, fds, env,
		(uintmax_t)capabilities(),
		prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), death, setuid(0) == 0);
	say(text);
}

static void
on_config(struct span body)
{
	AUTO_FREE struct body_config *m = xcalloc(1, sizeof(*m));
	AUTO_FREE char *text = NULL;

	if (body_config_get(body, m) == -1)
		abort();
	text = xasprintf("given %s=%.200s", m->name, m->value);
	say(text);
}

static void
on_token(struct span body)
{
	AUTO_FREE char *text = NULL;
	struct body_token m;

	if (body_token_get(body, &m) == -1)
		abort();
	text = xasprintf("token of %zu bytes", m.token.len);
	say(text);
}

static void
on_go(void)
{
	struct body_none none = { 0 };
	struct body_link me = { .peer = (uint32_t)a.self };
	int i;

	send_frame(MSG_READY, &none);
	if (a.part == PART_selfish)
		send_frame(MSG_RELINK, &me);
	for (i = 0; a.part == PART_flood && i < 20000; i++)
		say("a line of a flood");
}

/* A terminal would obey the second line. */
static void
on_check(void)
{
	struct body_finding m = { .level = 1,
		.subject = "stage",
		.text = "a\033[31m\nb",
		.mend = "true" };

	send_frame(MSG_FINDING, &m);
	send_frame(MSG_READY, &(struct body_none){ 0 });
}

static void
on_link(struct span body, int fd)
{
	AUTO_FREE char *text = NULL;
	struct body_link m;

	if (body_link_get(body, &m) == -1 || fd == -1)
		abort();
	if (a.link != -1)
		close(a.link);
	a.link = fd;
	text = xasprintf("linked with %s", proc_name((enum proc)m.peer));
	say(text);
}

static void
on_crew(struct span body)
{
	AUTO_FREE char *text = NULL;
	struct body_crew m;

	if (body_crew_get(body, &m) == -1)
		abort();
	text = xasprintf("crew: %s %s, %u restarts%s%s",
	    proc_name((enum proc)m.who),
	    crew_state_name((enum crew_state)m.state), m.restarts,
	    m.end[0] != '\0' ? ", ended: " : "", m.end);
	say(text);
}

/* 0: go on, else the end. */
static int
on_frame(uint32_t type, struct span body, int fd)
{
	struct body_none none = { 0 };

	if (type == MSG_CONFIG)
		on_config(body);
	else if (type == MSG_TOKEN)
		on_token(body);
	else if (type == MSG_LISTENER)
		say(fd != -1 ? "listener" : "no listener");
	else if (type == MSG_GO)
		on_go();
	else if (type == MSG_CHECK && a.part != PART_deaf)
		on_check();
	else if (type == MSG_LINK)
		on_link(body, fd);
	else if (type == MSG_CREW)
		on_crew(body);
	else if (type == MSG_TROUBLE)
		return 0;
	else if (type == MSG_RELOAD)
		say("reload");
	else if (type == MSG_PING)
		send_frame(MSG_PONG, &none);
	else if (type == MSG_STOP)
		return a.part != PART_deaf;
	if (type == MSG_LISTENER && fd != -1)
		close(fd);
	return 0;
}

/* Exactly len bytes, and the descriptor that came with them. */
static int
read_all(void *p, size_t len, int *fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { p, len };
	struct msghdr mh;
	ssize_t n;

	while (iov.iov_len > 0) {
		mh = (struct msghdr){ .msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control) };
		if ((n = recvmsg(CONTROL, &mh, MSG_CMSG_CLOEXEC)) <= 0)
			return -1;
		if (mh.msg_controllen > 0)
			memcpy(fd, CMSG_DATA(CMSG_FIRSTHDR(&mh)), sizeof(*fd));
		iov.iov_base = (char *)iov.iov_base + n;
		iov.iov_len -= (size_t)n;
	}
	return 0;
}

/* 0: go on, else the end. */
static int
receive(void)
{
	AUTO_FREE char *body = NULL;
	uint8_t head[FRAME_HEAD];
	struct frame_head h;
	int fd = -1;

	if (read_all(head, sizeof(head), &fd) == -1)
		return 1;
	frame_head_get(head, &h);
	body = xmalloc(h.len);
	if (read_all(body, h.len, &fd) == -1)
		return 1;
	return on_frame(h.type, (struct span){ body, h.len }, fd);
}

/* What a part does instead of behaving; most do not come back. */
static void
misbehave(void)
{
	static const uint8_t noise[64] = { 0xff, 1, 2, 3, 0x80, 9 };
	struct frame_head giant = { UINT32_MAX, MSG_LOG, 0 };
	struct frame_head bad = { 100, MSG_LOG, 0 };
	uint8_t p[FRAME_HEAD + 100] = { 0 };
	struct body_pods pods = { .node = "x" };

	if (a.part == PART_crash)
		_exit(3);
	if (a.part == PART_garbage)
		(void)send(CONTROL, noise, sizeof(noise), MSG_NOSIGNAL);
	if (a.part == PART_giant || a.part == PART_badlog) {
		frame_head_put(p, a.part == PART_giant ? &giant : &bad);
		memset(p + FRAME_HEAD, 0xee, 100);
		(void)send(CONTROL, p, sizeof(p), MSG_NOSIGNAL);
	}
	if (a.part == PART_forward)
		send_frame(MSG_PODS_BEGIN, &pods);
	if (a.part == PART_handsoff) {
		close(CONTROL);
		for (;;)
			pause();
	}
}

int
actor_main(const char *name)
{
	(void)signal(SIGPIPE, SIG_IGN);
	a.self = proc_by_name(name);
	outq_init(&a.out);
	if ((a.part = read_part(name)) == PART_COUNT)
		return 64;
	/* Executed by descriptor, the name may be a number. */
	(void)prctl(PR_SET_NAME, name);
	if (a.part == PART_early)
		send_frame(MSG_READY, &(struct body_none){ 0 });
	say_hello(a.part == PART_liar ? PROC_COUNT : a.self,
	    a.part == PART_foreign ? "0.0.0-elsewhere" : build_id);
	report();
	misbehave();
	while (!receive())
		continue;
	return 0;
}
