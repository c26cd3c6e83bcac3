/* SPDX-License-Identifier: ISC */
/*
 * peer.c: the other end of the control socket.
 *
 * Owns the connection and how long an answer may take and be.
 */
#include "vkfctl/peer.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"

enum {
	ANSWER_MAX = 64 * 1024 * 1024,
	LINE_BYTES = 1024 * 1024, /* of one that goes on */
	STEP = 65536,
	WAIT_SECONDS = 15, /* the provider gives 10, and beats each 5 */
};

struct peer {
	char *path;
	char *text; /* what has come and was not taken */
	size_t len, size;
	int fd;
};

/* -1: errno says why. */
static int
try_socket(const char *path)
{
	static const struct timeval wait = { WAIT_SECONDS, 0 };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, failed;

	if (strlen(path) >= sizeof(sun.sun_path))
		errx(EX_USAGE, "%s: too long for a socket's path", path);
	memcpy(sun.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == -1)
		err(EX_OSERR, "socket");
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	failed = errno;
	close(fd);
	errno = failed;
	return -1;
}

#define WHO_MAY "only root, the provider's user and CONTROL_GROUP may ask"

static int
is_forbidden(void)
{
	return errno == EACCES || errno == EPERM;
}

const char *
peer_silent(const char *path)
{
	AUTO_FD int fd = try_socket(path);

	if (fd != -1)
		return NULL;
	return is_forbidden() ? WHO_MAY : "no provider answers there";
}

static int
open_socket(const char *path)
{
	int fd = try_socket(path);

	if (fd != -1)
		return fd;
	if (is_forbidden())
		err(EX_NOPERM, "%s: " WHO_MAY, path);
	err(EX_UNAVAILABLE,
	    "%s: is the provider running, with this CONTROL_SOCKET?", path);
}

/* 0: the other side closed. */
static size_t
read_more(struct peer *p, size_t most)
{
	ssize_t n;

	if (p->size - p->len < STEP + 1) {
		p->size += p->size + STEP + 1;
		p->text = xreallocarray(p->text, p->size, 1);
	}
	do
		n = recv(p->fd, p->text + p->len, STEP, 0);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		err(EX_UNAVAILABLE, "%s: no answer", p->path);
	if ((p->len += (size_t)n) > most)
		errx(EX_PROTOCOL, "%s: the answer is too long", p->path);
	p->text[p->len] = '\0';
	return (size_t)n;
}

/* The socket first: who leaves by err() leaves nothing allocated behind. */
struct peer *
peer_open(const char *path, const char *request)
{
	size_t len = strlen(request);
	int fd = open_socket(path);
	struct peer *p;

	if (send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		err(EX_UNAVAILABLE, "%s", path);
	p = xcalloc(1, sizeof(*p));
	p->path = xstrdup(path);
	p->fd = fd;
	return p;
}

void
peer_close(struct peer *p)
{
	close(p->fd);
	free(p->text);
	free(p->path);
	free(p);
}

char *
peer_ask(const char *path, const char *request)
{
	struct peer *p = peer_open(path, request);
	char *all;

	while (read_more(p, ANSWER_MAX) > 0)
		;
	all = p->text;
	p->text = NULL;
	peer_close(p);
	return all;
}

int
peer_has_line(const struct peer *p)
{
	return p->len > 0 && memchr(p->text, '\n', p->len) != NULL;
}

char *
peer_line(struct peer *p)
{
	char *end, *line;
	size_t len;

	while (!peer_has_line(p))
		if (read_more(p, LINE_BYTES) == 0)
			return NULL;
	end = memchr(p->text, '\n', p->len);
	len = (size_t)(end - p->text);
	line = xstrndup(p->text, len);
	p->len -= len + 1;
	memmove(p->text, end + 1, p->len + 1);
	return line;
}
