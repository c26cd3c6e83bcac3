/* SPDX-License-Identifier: ISC */
/*
 * captive.c: a worker in the wrong hands.
 *
 * Owns fd 3 and the links that come over it.  Unlike the real ones it has no
 * sandbox, no gate and no manners; what it sends is bend.c's.
 */
#include "t/it/captive.h"

#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/xmem.h"
#include "ipc/build.h"
#include "ipc/frame.h"
#include "t/it/bend.h"

enum {
	CONTROL = 3,
	LOOK_MS = 20,
	SAY_TURNS = 25,
	LINK_MS = 30000, /* the next link is there by then */
	QUIET_MS = 400,
	FLOOD = 300,
};

struct line {
	int fd; /* -1: none */
	enum proc peer;
	struct frame_in in;
	uint64_t number;
	int heard; /* its HELLO */
};

static struct {
	enum proc self;
	char *dir, *lore;
	struct line control;
	struct line line[PROC_COUNT];
	char said[128];	    /* again and again: a flood takes some */
	unsigned int done;  /* the last order */
	unsigned int cuts;  /* links that ended */
	unsigned int heard; /* frames */
	int early;
} c;

#define EACH_LINE(l) for ((l) = c.line; (l) < c.line + PROC_COUNT; (l)++)

/* -- files -- */

static char *
slurp(const char *name)
{
	AUTO_FREE char *path = xasprintf("%s/%s", c.dir, name);
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = xcalloc(1, 65536);

	if (fd == -1 || read(fd, text, 65535) < 0)
		text[0] = '\0';
	return text;
}

static const char *
known(const char *name)
{
	static char value[32768];
	size_t len = strlen(name);
	const char *at = c.lore;

	while (at != NULL) {
		if (strncmp(at, name, len) == 0 && at[len] == '=') {
			(void)snprintf(value, sizeof(value), "%.*s",
			    (int)strcspn(at + len + 1, "\n"), at + len + 1);
			return xstrdup(value); /* few, and it ends soon */
		}
		if ((at = strchr(at, '\n')) != NULL)
			at++;
	}
	return NULL;
}

/* -- out -- */

static void receive(struct line *);

static void
hang_up(struct line *l)
{
	if (l->fd == -1)
		return;
	close(l->fd);
	frame_in_free(&l->in);
	l->in = (struct frame_in){ 0 };
	l->fd = -1;
	l->heard = 0;
	c.cuts++;
}

/* Reads whatever comes meanwhile, so that nobody waits for us.  -1: over. */
static int
push(struct line *l, const char *p, size_t len)
{
	struct pollfd pfd[2];
	ssize_t n;

	while (len > 0 && l->fd != -1) {
		pfd[0] = (struct pollfd){ l->fd, POLLIN | POLLOUT, 0 };
		pfd[1] = (struct pollfd){ CONTROL, POLLIN, 0 };
		(void)poll(pfd, 2, -1);
		if (l != &c.control && (pfd[1].revents & POLLIN) != 0)
			receive(&c.control);
		if ((pfd[0].revents & (POLLIN | POLLHUP)) != 0)
			receive(l);
		if (l->fd == -1 || (pfd[0].revents & POLLOUT) == 0)
			continue;
		n = send(l->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			hang_up(l);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return len == 0 ? 0 : -1;
}

static int
push_frame(struct line *l, enum msg_type type, uint64_t id, const void *body)
{
	struct frame_head h = { (uint32_t)msg_size(type, body), type, id };
	AUTO_FREE uint8_t *p = xmalloc(FRAME_HEAD + h.len);
	struct wbuf w = { p + FRAME_HEAD, 0, h.len };

	frame_head_put(p, &h);
	if (msg_put(type, &w, body) == -1)
		abort();
	return push(l, (const char *)p, FRAME_HEAD + h.len);
}

/* By the log, the one way out that every worker has. */
static void
say(void)
{
	struct body_log m = { .level = LOG_LEVEL_INFO };

	(void)snprintf(m.text, sizeof(m.text), "%s", c.said);
	(void)push_frame(&c.control, MSG_LOG, 0, &m);
}

static void
tell(const char *how)
{
	(void)snprintf(c.said, sizeof(c.said), "captive %u %s", c.done, how);
	say();
}

static void
say_hello(struct line *l)
{
	struct body_hello m = { .role = (uint32_t)c.self };

	(void)snprintf(m.build, sizeof(m.build), "%s", build_id);
	(void)push_frame(l, MSG_HELLO, 0, &m);
}

/* -- in -- */

static void
take_link(struct span body, int fd)
{
	struct body_link m;
	struct line *l;

	if (body_link_get(body, &m) == -1 || fd == -1 || m.peer >= PROC_COUNT)
		abort();
	l = &c.line[m.peer];
	hang_up(l);
	*l = (struct line){ .fd = fd,
		.peer = (enum proc)m.peer,
		.number = m.number };
	if (c.early) {
		struct body_done over = { 0 };

		c.early = 0;
		(void)push_frame(l,
		    c.self == PROC_PLACER ? MSG_CLUSTER : MSG_DONE, 0,
		    c.self == PROC_PLACER ?
			(void *)&(struct body_cluster){ 0 } :
			(void *)&over);
	}
	say_hello(l);
}

static void
on_control(const struct frame_head *h, struct span body, int fd)
{
	struct body_none none = { 0 };

	if (h->type == MSG_GO)
		(void)push_frame(&c.control, MSG_READY, 0, &none);
	else if (h->type == MSG_PING)
		(void)push_frame(&c.control, MSG_PONG, h->id, &none);
	else if (h->type == MSG_STOP)
		_exit(0);
	else if (h->type == MSG_LINK)
		take_link(body, fd);
	else if (fd != -1)
		close(fd);
}

/* One recvmsg() and the frames in it. */
static void
receive(struct line *l)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	static int kept = -1; /* until its frame is whole */
	struct msghdr mh = { 0 };
	struct frame_head h;
	struct iovec iov;
	struct span body;
	int fd = -1;
	ssize_t n;

	iov.iov_base = frame_in_room(&l->in, &iov.iov_len);
	/* A descriptor is the one of the frame that is read. */
	if (l == &c.control)
		iov.iov_len = 1;
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	mh.msg_control = &control;
	mh.msg_controllen = sizeof(control);
	n = recvmsg(l->fd, &mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		if (l == &c.control)
			_exit(0);
		hang_up(l);
		return;
	}
	if (CMSG_FIRSTHDR(&mh) != NULL)
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&mh)), sizeof(fd));
	if (fd != -1)
		kept = fd;
	frame_in_add(&l->in, (size_t)n);
	while (l->fd != -1 && frame_in_head(&l->in, &h) &&
	    frame_in_body(&l->in, &body)) {
		/* What follows may read on. */
		AUTO_FREE char *copy = xmalloc(body.len + 1);

		if (body.len > 0)
			memcpy(copy, body.p, body.len);
		frame_in_drop(&l->in);
		c.heard++;
		l->heard |= h.type == MSG_HELLO;
		if (l != &c.control)
			continue;
		fd = kept;
		kept = -1;
		on_control(&h, (struct span){ copy, h.len }, fd);
	}
}

static void
listen_for(int ms)
{
	struct pollfd pfd[PROC_COUNT + 1] = { { CONTROL, POLLIN, 0 } };
	struct line *of[PROC_COUNT + 1] = { &c.control }, *l;
	nfds_t n = 1, i;

	EACH_LINE(l)
	if (l->fd != -1) {
		of[n] = l;
		pfd[n++] = (struct pollfd){ l->fd, POLLIN, 0 };
	}
	if (poll(pfd, n, ms) <= 0)
		return;
	for (i = 0; i < n; i++)
		if (pfd[i].revents != 0 && of[i]->fd == pfd[i].fd)
			receive(of[i]);
}

/* -- links -- */

static int
is_peer(enum proc p)
{
	return msg_admit(MSG_HELLO, msg_info(MSG_HELLO)->min, 0, c.self, p,
		   WHEN_SETUP) == ADMIT_OK &&
	    p != PROC_SUPERVISOR && p != c.self;
}

static struct line *
link_with(enum proc p)
{
	int64_t end = now_read().boot_ms + LINK_MS;
	struct line *l = &c.line[p];
	struct body_link m = { .peer = (uint32_t)p, .number = l->number };

	if (l->fd == -1)
		(void)push_frame(&c.control, MSG_RELINK, 0, &m);
	while ((l->fd == -1 || !l->heard) && now_read().boot_ms < end)
		listen_for(LOOK_MS);
	return l;
}

/* Until the peer has read all of it, or has hung up. */
static void
settle(struct line *l)
{
	int64_t end = now_read().boot_ms + LINK_MS;
	int left = 1;

	while (l->fd != -1 && left > 0 && now_read().boot_ms < end) {
		listen_for(1);
		if (l->fd == -1 || ioctl(l->fd, SIOCOUTQ, &left) == -1)
			return;
	}
}

/* Until nobody has anything more to say. */
static void
hear_out(void)
{
	int64_t end = now_read().boot_ms + LINK_MS;
	unsigned int before;

	do {
		before = c.heard;
		listen_for(QUIET_MS);
	} while (c.heard != before && now_read().boot_ms < end);
}

/* -- orders -- */

/* What ends a worker at once: a RELINK of nobody, a log level of nobody. */
static int
is_lethal(enum msg_type type)
{
	return type == MSG_RELINK || type == MSG_LOG_LEVEL;
}

/*
 * only: MSG_NONE: of all types.  After the state of another cluster the placer
 * hears nothing more: of that type then only the first, which is honest.
 */
static unsigned int
send_taken(struct line *(*to)(enum proc), enum proc peer, uint32_t only)
{
	unsigned int sent = 0;
	uint32_t type;
	size_t i;

	for (type = MSG_NONE + 1; type < MSG_COUNT; type++) {
		if (msg_admit(type, msg_info(type)->min, 0, c.self, peer,
			WHEN_RUN) != ADMIT_OK ||
		    is_lethal((enum msg_type)type) ||
		    (only != MSG_NONE && type != only))
			continue;
		for (i = 0; type != MSG_KUBE_STATE || type == only || i == 0;
		     i++) {
			AUTO_BYTES struct bytes f = { NULL, 0, 0 };
			struct line *l = to(peer);

			if (!bend_body((enum msg_type)type, i, known, &f))
				break;
			sent++;
			/* The second time it is a replay. */
			if (push(l, f.p, f.len) == 0 && f.len < 65536)
				(void)push(l, f.p, f.len);
		}
	}
	settle(to(peer));
	return sent;
}

static struct line *
supervisor(enum proc p)
{
	(void)p;
	return &c.control;
}

static void
attack(void (*fn)(struct line *, size_t), size_t arg, const char *how)
{
	AUTO_FREE char *text = NULL;
	enum proc p;

	for (p = 0; p < PROC_COUNT; p++)
		if (is_peer(p))
			fn(link_with(p), arg);
	hear_out();
	text = xasprintf("%s cuts=%u", how, c.cuts);
	tell(text);
}

static void
send_refused(struct line *l, size_t i)
{
	AUTO_BYTES struct bytes f = { NULL, 0, 0 };
	enum proc to = l == &c.control ? PROC_SUPERVISOR : l->peer;
	char what[64] = "";

	if (bend_refused(c.self, to, i, known, &f, what))
		(void)push(l, f.p, f.len);
}

static void
send_flood(struct line *l, size_t n)
{
	AUTO_BYTES struct bytes all = { NULL, 0, 0 };
	uint32_t type;
	size_t i;

	for (type = MSG_NONE + 1; type < MSG_COUNT; type++) {
		if (msg_admit(type, msg_info(type)->min, 0, c.self, l->peer,
			WHEN_RUN) != ADMIT_OK)
			continue;
		for (i = 0; i < n; i++)
			(void)bend_body((enum msg_type)type,
			    type == MSG_KUBE_STATE ? 0 : i % 2, known, &all);
	}
	(void)push(l, all.p, all.len);
	settle(l);
}

static void
send_half(struct line *l, size_t arg)
{
	struct frame_head h = { 60000,
		c.self == PROC_PLACER ?
		    (l->peer == PROC_KUBESIDE ? MSG_POD_STATUS : MSG_READ) :
		    c.self == PROC_KUBESIDE ? MSG_POD :
					      MSG_DEVICE,
		1 };
	uint8_t head[FRAME_HEAD + 8] = { 0 };

	(void)arg;
	frame_head_put(head, &h);
	(void)push(l, (const char *)head, sizeof(head));
}

static void
send_descriptor(struct line *l, size_t arg)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	AUTO_BYTES struct bytes f = { NULL, 0, 0 };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct msghdr mh = { 0 };
	struct cmsghdr *cm;
	struct iovec iov;

	(void)arg;
	(void)bend_body(c.self == PROC_PLACER ?
		l->peer == PROC_KUBESIDE ? MSG_PURGE : MSG_CLUSTER :
		MSG_DONE,
	    0, known, &f);
	iov = (struct iovec){ f.p, f.len };
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	mh.msg_control = &control;
	mh.msg_controllen = sizeof(control);
	cm = CMSG_FIRSTHDR(&mh);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &null, sizeof(null));
	(void)sendmsg(l->fd, &mh, MSG_NOSIGNAL);
	close(null);
	settle(l);
}

static void
obey(const char *word, size_t arg)
{
	AUTO_FREE char *text = NULL;
	unsigned int sent = 0;
	enum proc p;

	c.cuts = 0;
	c.said[0] = '\0';
	if (strcmp(word, "taken") == 0) {
		for (p = 0; p < PROC_COUNT; p++)
			if (is_peer(p))
				sent += send_taken(link_with, p, (uint32_t)arg);
		hear_out();
		text = xasprintf("taken sent=%u cuts=%u", sent, c.cuts);
		tell(text);
	} else if (strcmp(word, "talk") == 0) {
		sent = send_taken(supervisor, PROC_SUPERVISOR, MSG_NONE);
		text = xasprintf("talk sent=%u", sent);
		tell(text);
	} else if (strcmp(word, "refuse") == 0)
		attack(send_refused, arg, "refuse");
	else if (strcmp(word, "lie") == 0) {
		tell("lie");
		send_refused(&c.control, arg);
	} else if (strcmp(word, "flood") == 0)
		attack(send_flood, FLOOD, "flood");
	else if (strcmp(word, "half") == 0)
		attack(send_half, 0, "half");
	else if (strcmp(word, "descriptor") == 0)
		attack(send_descriptor, 0, "descriptor");
	else if (strcmp(word, "early") == 0) {
		for (p = 0; p < PROC_COUNT; p++)
			hang_up(&c.line[p]);
		c.early = 1;
		tell("early");
	}
}

static void
look_for_orders(void)
{
	AUTO_FREE char *text = slurp("orders");
	char word[16] = "";
	unsigned int n = 0;
	size_t arg = 0;

	if (sscanf(text, "%u %15s %zu", &n, word, &arg) < 2 || n == c.done)
		return;
	c.done = n;
	free(c.lore);
	c.lore = slurp("lore");
	obey(word, arg);
}

int
captive_main(const char *name)
{
	char self[PATH_MAX] = "";
	unsigned int turn;
	enum proc p;

	(void)signal(SIGPIPE, SIG_IGN);
	c.self = proc_by_name(name);
	(void)prctl(PR_SET_NAME, name);
	if (c.self == PROC_COUNT ||
	    readlink("/proc/self/exe", self, sizeof(self) - 1) == -1)
		return 64;
	*strrchr(self, '/') = '\0';
	c.dir = xstrdup(self);
	c.control = (struct line){ .fd = CONTROL, .peer = PROC_SUPERVISOR };
	for (p = 0; p < PROC_COUNT; p++)
		c.line[p] = (struct line){ .fd = -1, .peer = p };
	say_hello(&c.control);
	/* What was ordered before it was there is another's. */
	{
		AUTO_FREE char *old = slurp("orders");

		(void)sscanf(old, "%u", &c.done);
	}
	for (turn = 1;; turn++) {
		listen_for(LOOK_MS);
		if (turn % SAY_TURNS == 0 && c.said[0] != '\0')
			say();
		for (p = 0; p < PROC_COUNT; p++)
			if (is_peer(p) && c.line[p].fd == -1)
				break;
		look_for_orders();
	}
}
