/* SPDX-License-Identifier: ISC */
/*
 * journal.c: speaks to systemd-journald.
 *
 * Owns the form of a datagram and its way there.  A journal that was started
 * anew at the same path is found again.
 */
#include "supervisor/journal.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/level.h"
#include "common/log.h"
#include "common/utf8.h"

static struct {
	int fd; /* -1: none */
	struct sockaddr_un at;
} journal = { .fd = -1 };

int
journal_is(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[48];
	struct stat st;

	if (stream == NULL || fstat(fd, &st) == -1)
		return 0;
	(void)snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	return strcmp(stream, own) == 0;
}

/* Returns the new length, or the old one when there is no room. */
static size_t
put_field(char *to, size_t at, const struct journal_field *f)
{
	const unsigned char *s = (const unsigned char *)f->value;
	size_t len = strlen(f->name), size = at + len + 1, start, n;
	uint64_t bytes;
	int i;

	if (size + sizeof(bytes) > JOURNAL_MAX_BYTES)
		return at;
	memcpy(to + at, f->name, len);
	to[size - 1] = '\n';
	start = size + sizeof(bytes);
	for (len = start; *s != '\0'; len += n) {
		if (len + 5 > JOURNAL_MAX_BYTES)
			return at;
		if ((n = utf8_len(s)) == 0) {
			n = 3;
			memcpy(to + len, "\xef\xbf\xbd", n);
			s++;
			continue;
		}
		memcpy(to + len, s, n);
		s += n;
	}
	if (len == JOURNAL_MAX_BYTES)
		return at;
	bytes = len - start;
	for (i = 0; i < 8; i++)
		to[size + (size_t)i] = (char)(bytes >> 8 * i & 0xff);
	to[len] = '\n';
	return len + 1;
}

size_t
journal_put(char to[JOURNAL_MAX_BYTES], const struct journal_field *f, size_t n)
{
	size_t i, len = 0;

	for (i = 0; i < n; i++)
		if (f[i].value[0] != '\0')
			len = put_field(to, len, &f[i]);
	return len;
}

static int
reach(void)
{
	return connect(journal.fd, (const struct sockaddr *)&journal.at,
	    sizeof(journal.at));
}

static int
try_send(const char *p, size_t len)
{
	return send(journal.fd, p, len, MSG_NOSIGNAL) == -1 ? -1 : 0;
}

static int
send_within(const char *p, size_t len, int patience_ms)
{
	struct pollfd pfd = { journal.fd, POLLOUT, 0 };

	if (try_send(p, len) == 0)
		return 0;
	if (errno == EAGAIN)
		(void)poll(&pfd, 1, patience_ms);
	else if (reach() == -1)
		return -1;
	return try_send(p, len);
}

static int
write_line(const char *process, const struct body_log *m, const char *message,
    int patience_ms)
{
	/* syslog(3)'s severities, by enum log_level. */
	static const char *const priority[LOG_LEVEL_COUNT] = { "3", "4", "6",
		"7" };
	char to[JOURNAL_MAX_BYTES], time[LOG_TIME_BYTES];
	const struct journal_field fields[] = {
		{ "PRIORITY",
		    priority[m->level < LOG_LEVEL_COUNT ? m->level :
							  LOG_LEVEL_DEBUG] },
		{ "SYSLOG_IDENTIFIER", "vk-flightctl-provider" },
		{ "MESSAGE", message },
		{ "PROCESS", process },
		{ "OPERATION", m->operation },
		{ "POD", m->pod },
		{ "DEVICE", m->device },
		{ "FLEET", m->fleet },
		{ "ERROR", m->error },
		{ "TIME", time },
	};

	log_time((int64_t)m->wall_ms, time);
	return send_within(to,
	    journal_put(to, fields, sizeof(fields) / sizeof(fields[0])),
	    patience_ms);
}

int
journal_start(const char *path)
{
	size_t len = strlen(path);

	journal_end();
	if (len >= sizeof(journal.at.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	journal.at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(journal.at.sun_path, path, len);
	journal.fd =
	    socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (journal.fd == -1)
		return -1;
	log_set_writer(write_line);
	return reach();
}

void
journal_end(void)
{
	if (journal.fd == -1)
		return;
	log_set_writer(NULL);
	close(journal.fd);
	journal.fd = -1;
}
