/* SPDX-License-Identifier: ISC */
/*
 * house.c: the folder and the sockets that are there from the start on.
 *
 * Owns making them while there are still the rights to.  Never reads what is
 * in the folder, never accepts a connection.
 */
#include "supervisor/house.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/form.h"
#include "common/log.h"
#include "supervisor/local.h"
#include "supervisor/meet.h"
#include "supervisor/spawn.h"

enum {
	LIST_MAX = 129, /* UIDS */
};

static int
wrong(struct why *why, const struct settings *s, enum setting i,
    const char *what)
{
	int e = errno;

	return fail_code(why, ERR_SYSTEM, (uint32_t)e, "%s=%s: must be %s: %s",
	    settings_name(i), s->text[i], what, strerror(e));
}

/* Adds the number of a user to text; -1: that user will not do. */
static int
add_user(struct span name, char text[LIST_MAX])
{
	size_t len = strlen(text);
	char word[LIST_MAX];
	struct passwd *p;
	int64_t id = -1;

	(void)snprintf(word, sizeof(word), "%.*s", (int)name.len, name.p);
	if (strspn(word, "0123456789") == name.len)
		id = (int64_t)strtoul(word, NULL, 10);
	else if ((p = getpwnam(word)) != NULL && p->pw_gid == p->pw_uid)
		id = p->pw_uid;
	if (id == -1)
		return -1;
	(void)snprintf(text + len, LIST_MAX - len, "%s%" PRId64,
	    len == 0 ? "" : ",", id);
	return 0;
}

int
house_users(struct settings *s, struct why *why)
{
	struct span words = span_of(s->text[SET_UIDS]), word;
	char text[LIST_MAX] = "";

	while (form_next_word(&words, &word))
		if (add_user(word, text) == -1)
			return fail(why, ERR_SYSTEM,
			    "%s=%s: %.*s must be a user of this host, with a "
			    "group of the same number",
			    settings_name(SET_UIDS), s->text[SET_UIDS],
			    (int)word.len, word.p);
	return settings_set(s, SET_UIDS, text, why);
}

/*
 * A folder of somebody else's is not taken: of this host (/proc, /etc), or of
 * another program.  lost+found is what a file system of its own begins with.
 */
static int
is_only_ours(int folder)
{
	int fd = dup(folder), only = 1;
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return 0;
	}
	while ((e = readdir(dir)) != NULL)
		only &= strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0 ||
		    strcmp(e->d_name, "lost+found") == 0 ||
		    strncmp(e->d_name, "placer.db", 9) == 0;
	(void)closedir(dir);
	return only;
}

/* All rights that root may lack are tried only where they are wanted. */
static int
make_state_dir(const struct settings *s, uid_t placer, struct why *why)
{
	static const char must[] = "a folder that can be made and given to "
				   "the placer";
	const char *path = s->text[SET_STATE_DIR];
	AUTO_FD int fd = -1;
	struct stat st;

	if (local_parents(path) == -1 ||
	    (mkdir(path, 0700) == -1 && errno != EEXIST) ||
	    (fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) ==
		-1 ||
	    fstat(fd, &st) == -1)
		return wrong(why, s, SET_STATE_DIR, must);
	if (placer == 0 ||
	    (st.st_uid == placer && (st.st_mode & 07777) == 0700))
		return 0;
	close(fd);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd != -1 && !is_only_ours(fd))
		return fail(why, ERR_SYSTEM,
		    "%s=%s: must be empty, or the placer's: it belongs to uid "
		    "%u and has other files",
		    settings_name(SET_STATE_DIR), path, st.st_uid);
	if (fd == -1 || fchown(fd, placer, placer) == -1 ||
	    fchmod(fd, 0700) == -1)
		return wrong(why, s, SET_STATE_DIR, must);
	return 0;
}

static socklen_t
address(const struct settings *s, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *v4 = (struct sockaddr_in *)ss;
	char host[FORM_HOST];
	uint16_t port;
	int is_v6;

	memset(ss, 0, sizeof(*ss));
	if (form_listen(span_of(s->text[SET_LISTEN]), host, &port) == -1)
		abort(); /* the setting has that form */
	if ((is_v6 = strchr(host, ':') != NULL)) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
	} else {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
	}
	if (inet_pton(ss->ss_family, host,
		is_v6 ? (void *)&v6->sin6_addr : &v4->sin_addr) != 1)
		abort();
	return is_v6 ? (socklen_t)sizeof(*v6) : (socklen_t)sizeof(*v4);
}

/* Where it listens, so that port 0 can be found. */
static void
tell(int fd)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	char host[INET6_ADDRSTRLEN], port[8];

	if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0 &&
	    getnameinfo((struct sockaddr *)&ss, len, host, sizeof(host), port,
		sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		log_info(ss.ss_family == AF_INET6 ? "listening on [%s]:%s" :
						    "listening on %s:%s",
		    host, port);
}

static int
open_listener(const struct sockaddr *sa, socklen_t len)
{
	int fd, on = 1, e;

	fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, sa, len) == 0 && listen(fd, 64) == 0)
		return fd;
	e = errno;
	close(fd);
	errno = e;
	return -1;
}

int
house_listen(const struct settings *s, struct why *why)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int fd;

	if (s->text[SET_LISTEN][0] == '\0')
		return HOUSE_NONE;
	len = address(s, &ss);
	if ((fd = open_listener((const struct sockaddr *)&ss, len)) == -1)
		return wrong(why, s, SET_LISTEN,
		    "an address and a port that are free");
	tell(fd);
	return fd;
}

/* A name, else a number; -1: there is no such group. */
static int64_t
group_number(const char *name)
{
	struct group *g;
	unsigned long n;
	char *end;

	if ((g = getgrnam(name)) != NULL)
		return g->gr_gid;
	if (strspn(name, "0123456789") != strlen(name))
		return -1;
	n = strtoul(name, &end, 10);
	return *end == '\0' && n < UINT32_MAX ? (int64_t)n : -1;
}

int
house_group(struct settings *s, struct why *why)
{
	const char *name = s->text[SET_CONTROL_GROUP];
	char number[16];
	int64_t n;

	if (name[0] == '\0')
		return 0;
	if ((n = group_number(name)) == -1)
		return fail(why, ERR_SYSTEM,
		    "%s=%s: must be a group of this host, or a number",
		    settings_name(SET_CONTROL_GROUP), name);
	(void)snprintf(number, sizeof(number), "%" PRId64, n);
	return settings_set(s, SET_CONTROL_GROUP, number, why);
}

/* Takes effect at connect(2); the placer looks at who comes, too. */
static int
give_to_group(const struct settings *s)
{
	const char *path = s->text[SET_CONTROL_SOCKET];
	const char *group = s->text[SET_CONTROL_GROUP];

	if (group[0] == '\0')
		return 0;
	if (lchown(path, (uid_t)-1, (gid_t)strtoul(group, NULL, 10)) == -1)
		return -1;
	return chmod(path, 0660);
}

static int
open_control(const struct settings *s, struct why *why)
{
	const char *path = s->text[SET_CONTROL_SOCKET];
	int fd;

	if (path[0] == '\0')
		return HOUSE_NONE;
	if ((fd = local_listen(path, 0600)) != -1) {
		if (give_to_group(s) == 0)
			return fd;
		(void)wrong(why, s, SET_CONTROL_GROUP,
		    "a group that the socket can be given to");
		(void)unlink(path);
		close(fd);
		return -1;
	}
	if (s->given[SET_CONTROL_SOCKET])
		return wrong(why, s, SET_CONTROL_SOCKET,
		    "where a socket can be made");
	log_line(LOG_LEVEL_WARN,
	    &(struct log_about){ .operation = "start",
		.error = strerror(errno) },
	    "no control socket for vkfctl at %s", path);
	return HOUSE_NONE;
}

static int
open_ping(const struct settings *s, struct why *why)
{
	const char *path = s->text[SET_PING_SOCKET];
	int fd;

	if (path[0] == '\0')
		return HOUSE_NONE;
	if ((fd = local_listen(path, 0600)) != -1)
		return fd;
	if (s->given[SET_PING_SOCKET])
		return wrong(why, s, SET_PING_SOCKET,
		    "where a socket can be made");
	log_info("no socket for --ping: %s: %s", path, strerror(errno));
	return HOUSE_NONE;
}

/* The placer's: whoever has another worker only needs none of it. */
static int
open_for_placer(struct house *h, const struct settings *s, struct why *why)
{
	if (make_state_dir(s, spawn_uid(s, PROC_PLACER), why) == -1 ||
	    (h->listener[LISTENER_HTTP] = house_listen(s, why)) == -1 ||
	    (h->listener[LISTENER_CONTROL] = open_control(s, why)) == -1)
		return -1;
	return 0;
}

int
house_open(struct house *h, const struct settings *s, enum proc only,
    struct why *why)
{
	enum listener i;

	*h = (struct house){ { HOUSE_NONE, HOUSE_NONE, HOUSE_NONE }, HOUSE_NONE,
		NULL };
	if (only != PROC_SUPERVISOR &&
	    (h->meet = meet_open(s, only, why)) == NULL)
		return -1;
	if ((only == PROC_SUPERVISOR || only == PROC_PLACER) &&
	    open_for_placer(h, s, why) == -1)
		return -1;
	if ((h->ping = open_ping(s, why)) == -1)
		return -1;
	for (i = LISTENER_HTTP; i < LISTENER_END; i++)
		if (h->listener[i] == HOUSE_NONE)
			h->listener[i] = -1;
	return 0;
}

static void
end(int fd, const char *path)
{
	if (fd < 0)
		return;
	close(fd);
	if (path != NULL)
		(void)unlink(path);
}

void
house_close(struct house *h, const struct settings *s)
{
	end(h->listener[LISTENER_HTTP], NULL);
	end(h->listener[LISTENER_CONTROL], s->text[SET_CONTROL_SOCKET]);
	end(h->ping, s->text[SET_PING_SOCKET]);
	meet_free(h->meet);
}
