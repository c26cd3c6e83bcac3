/* SPDX-License-Identifier: ISC */
/*
 * local.c: unix sockets of a path.
 *
 * Owns when a path may be taken from whoever had it.  Never reads from a
 * socket, never writes to one.
 */
#include "supervisor/local.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum {
	BACKLOG = 16,
};

int
local_parents(const char *path)
{
	char part[PATH_MAX];
	size_t i;

	for (i = 1; i < sizeof(part) && path[i] != '\0'; i++) {
		if (path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0755) == -1 && errno != EEXIST)
			return -1;
	}
	return 0;
}

static int
make(const char *path, struct sockaddr_un *sun)
{
	*sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(sun->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sun->sun_path, path, strlen(path));
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* errno is that of what failed before. */
static int
give_up(int fd)
{
	int e = errno;

	close(fd);
	errno = e;
	return -1;
}

/* Nobody listens there any more: what an earlier run left. */
static void
clear(const char *path)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) == -1 || !S_ISSOCK(st.st_mode))
		return;
	if ((fd = local_connect(path)) != -1)
		close(fd);
	else if (errno == ECONNREFUSED)
		(void)unlink(path);
}

int
local_listen(const char *path, mode_t mode)
{
	struct sockaddr_un sun;
	mode_t mask;
	int fd, rc;

	if (local_parents(path) == -1 || (fd = make(path, &sun)) == -1)
		return -1;
	clear(path);
	mask = umask(0777 & ~mode);
	rc = bind(fd, (const struct sockaddr *)&sun, sizeof(sun));
	(void)umask(mask);
	if (rc == -1 || listen(fd, BACKLOG) == -1)
		return give_up(fd);
	return fd;
}

int
local_connect(const char *path)
{
	struct sockaddr_un sun;
	int fd;

	if ((fd = make(path, &sun)) == -1 ||
	    connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	return give_up(fd);
}

int
local_accept(int listener)
{
	struct sockaddr_un sun;
	socklen_t len = sizeof(sun);

	return accept4(listener, (struct sockaddr *)&sun, &len,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int
local_is_spent(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	    error == ENOMEM;
}

int
local_peer(int fd, uid_t *uid)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return -1;
	*uid = cred.uid;
	return 0;
}
