/* SPDX-License-Identifier: ISC */
/*
 * The journal gets each field as one of its own; whether it is there or not,
 * reads or not, no line stops the supervisor and none goes without a word.
 */
#include "supervisor/journal.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "supervisor/relog.h"

static char dir[] = "/tmp/journal.XXXXXX";
static char path[64];
static char got[JOURNAL_MAX_BYTES + 1];
static int out; /* what standard error became */

/* Takes the place of journald. */
static int
serve(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	cr_assert(fd != -1);
	cr_assert(bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0);
	return fd;
}

static void
begin(void)
{
	int p[2];

	cr_assert_not_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/socket", dir);
	cr_assert(pipe(p) == 0);
	cr_assert(dup2(p[1], STDERR_FILENO) == STDERR_FILENO);
	close(p[1]);
	out = p[0];
	log_init("supervisor");
	log_set_json(1);
}

static void
end(void)
{
	journal_end();
	(void)unlink(path);
	(void)rmdir(dir);
}

TestSuite(supervisor_journal, .init = begin, .fini = end);

static size_t
receive(int fd)
{
	ssize_t n = recv(fd, got, JOURNAL_MAX_BYTES, 0);

	cr_assert(n > 0, "no datagram");
	got[n] = '\0';
	return (size_t)n;
}

/* Of the datagram in got; NULL: it has no such field.  Borrowed. */
static const char *
field(size_t len, const char *name)
{
	static char value[JOURNAL_MAX_BYTES];
	const char *p = got, *end_of = got + len, *nl;
	size_t size;
	int i;

	for (; p < end_of; p += size + 1) {
		nl = memchr(p, '\n', (size_t)(end_of - p));
		cr_assert(nl != NULL && nl + 9 < end_of);
		for (size = 0, i = 8; i > 0; i--)
			size = size << 8 | (unsigned char)nl[i];
		cr_assert(size < (size_t)(end_of - nl - 9) && size > 0);
		cr_assert(nl[9 + size] == '\n');
		if ((size_t)(nl - p) == strlen(name) &&
		    memcmp(p, name, strlen(name)) == 0) {
			memcpy(value, nl + 9, size);
			value[size] = '\0';
			return value;
		}
		p = nl + 9;
	}
	return NULL;
}

static const char *
on_stderr(void)
{
	static char buf[65536];
	struct pollfd pfd = { out, POLLIN, 0 };
	ssize_t n = 0;

	if (poll(&pfd, 1, 0) == 1)
		n = read(out, buf, sizeof(buf) - 1);
	cr_assert(n >= 0);
	buf[n] = '\0';
	return buf;
}

Test(supervisor_journal, a_datagram_has_each_field_with_its_length)
{
	static const char want[] = "A\n\2\0\0\0\0\0\0\0x\n\n"
				   "B_2\n\4\0\0\0\0\0\0\0\xef\xbf\xbd=\n";
	const struct journal_field fields[] = { { "A", "x\n" }, { "NO", "" },
		{ "B_2", "\xff=" } };
	char to[JOURNAL_MAX_BYTES];

	cr_assert(journal_put(to, fields, 3) == sizeof(want) - 1);
	cr_assert(memcmp(to, want, sizeof(want) - 1) == 0);
}

Test(supervisor_journal, what_does_not_fit_is_left_out)
{
	static char big[JOURNAL_MAX_BYTES + 10];
	const struct journal_field fields[] = { { "BIG", big }, { "A", "x" } };
	char to[JOURNAL_MAX_BYTES];
	size_t len;

	for (len = JOURNAL_MAX_BYTES - 30; len < sizeof(big); len++) {
		memset(big, 'x', len - 1);
		cr_assert(journal_put(to, fields, 2) <= JOURNAL_MAX_BYTES);
	}
	cr_assert(journal_put(to, fields, 2) == 12);
}

Test(supervisor_journal, fields_stay_fields)
{
	const struct log_about about = { .operation = "change",
		.pod = "shop/web-0",
		.device = "edge-7",
		.fleet = "north",
		.error = "a\n\"quoted\"" };
	int fd = serve();
	size_t n;

	cr_assert(journal_start(path) == 0);
	log_line(LOG_LEVEL_WARN, &about, "the device was not changed");
	n = receive(fd);
	cr_assert_str_eq(field(n, "PRIORITY"), "4");
	cr_assert_str_eq(field(n, "SYSLOG_IDENTIFIER"),
	    "vk-flightctl-provider");
	cr_assert_str_eq(field(n, "PROCESS"), "supervisor");
	cr_assert_str_eq(field(n, "OPERATION"), "change");
	cr_assert_str_eq(field(n, "POD"), "shop/web-0");
	cr_assert_str_eq(field(n, "DEVICE"), "edge-7");
	cr_assert_str_eq(field(n, "FLEET"), "north");
	cr_assert_str_eq(field(n, "ERROR"), "a\n\"quoted\"");
	cr_assert(strlen(field(n, "TIME")) == 24);
	cr_assert_str_eq(field(n, "MESSAGE"),
	    "supervisor: the device was not changed operation=\"change\" "
	    "pod=\"shop/web-0\" device=\"edge-7\" fleet=\"north\" "
	    "error=\"a\\n\\\"quoted\\\"\"");
	log_error("grave");
	n = receive(fd);
	cr_assert_str_eq(field(n, "PRIORITY"), "3");
	cr_assert(field(n, "POD") == NULL && field(n, "ERROR") == NULL);
	cr_assert_str_eq(on_stderr(), "");
	close(fd);
}

/* The longest LOG there can be, of bytes that become six each. */
Test(supervisor_journal, the_longest_line_has_all_fields)
{
	struct body_log m = { .level = LOG_LEVEL_DEBUG };
	int fd = serve();
	size_t n;

	memset(m.operation, 1, sizeof(m.operation) - 1);
	memset(m.pod, 1, sizeof(m.pod) - 1);
	memset(m.device, 0xff, sizeof(m.device) - 1);
	memset(m.fleet, 0xff, sizeof(m.fleet) - 1);
	memset(m.error, 0xff, sizeof(m.error) - 1);
	memset(m.text, 1, sizeof(m.text) - 1);
	log_set_level(LOG_LEVEL_DEBUG);
	cr_assert(journal_start(path) == 0);
	log_relay("placer", &m);
	n = receive(fd);
	cr_assert(strlen(field(n, "ERROR")) == 3 * (sizeof(m.error) - 1));
	cr_assert_not_null(field(n, "MESSAGE"));
	cr_assert_not_null(field(n, "TIME"));
	cr_assert_str_eq(field(n, "PRIORITY"), "7");
	close(fd);
}

Test(supervisor_journal, without_one_lines_are_on_standard_error)
{
	int fd;

	cr_assert(journal_start(path) == -1);
	log_warn("before");
	cr_assert(strstr(on_stderr(), "\"msg\":\"before\"}") != NULL);
	fd = serve();
	log_warn("there");
	(void)receive(fd);
	close(fd);
	log_warn("between");
	cr_assert(strstr(on_stderr(), "\"msg\":\"between\"}") != NULL);
	(void)unlink(path);
	fd = serve();
	log_warn("again");
	cr_assert_str_eq(field(receive(fd), "MESSAGE"), "supervisor: again");
	cr_assert_str_eq(on_stderr(), "");
	close(fd);
}

/* It is there and does not read: lines are lost, and counted. */
Test(supervisor_journal, one_that_hangs_stops_nobody)
{
	int fd = serve(), i, taken = 0;
	unsigned int lost = 0;
	size_t n;

	cr_assert(journal_start(path) == 0);
	for (i = 0; i < 2000; i++)
		log_info("line %d", i);
	while (recv(fd, got, sizeof(got), MSG_PEEK) > 0) {
		(void)receive(fd);
		taken++;
	}
	log_info("again");
	(void)receive(fd);
	n = receive(fd);
	cr_assert(sscanf(field(n, "MESSAGE"),
		      "supervisor: %u log lines were lost", &lost) == 1);
	cr_assert(taken > 0 && (unsigned int)taken + lost == 2000);
	cr_assert_str_eq(on_stderr(), "");
	close(fd);
}

Test(supervisor_journal, standard_error_is_its_or_is_not)
{
	char id[64];
	struct stat st;

	cr_assert(fstat(STDERR_FILENO, &st) == 0);
	(void)snprintf(id, sizeof(id), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	cr_assert(unsetenv("JOURNAL_STREAM") == 0);
	cr_assert_not(journal_is(STDERR_FILENO));
	cr_assert(setenv("JOURNAL_STREAM", id, 1) == 0);
	cr_assert(journal_is(STDERR_FILENO));
	cr_assert_not(journal_is(STDOUT_FILENO));
}

/* Our own lines: as a worker's, and what was left out is told. */
Test(supervisor_journal, own_lines_are_bounded)
{
	static char buf[1 << 20];
	struct relog own;
	int fd = serve(), i, size = 4 << 20, lines = 0;
	size_t n;

	cr_assert(
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) == 0);
	cr_assert(journal_start(path) == 0);
	relog_own(&own);
	for (i = 0; i < RELOG_BURST + 50; i++) {
		log_info("again and again");
		for (; recv(fd, buf, sizeof(buf), 0) > 0; lines++)
			;
	}
	cr_assert(lines >= RELOG_BURST && lines < RELOG_BURST + 50);
	cr_assert(own.lost > 0);
	own.last -= 1000; /* a second passes */
	log_info("after");
	n = receive(fd);
	cr_assert_str_eq(field(n, "PRIORITY"), "4");
	cr_assert(strstr(field(n, "MESSAGE"), "log lines left out") != NULL);
	cr_assert_str_eq(field(receive(fd), "MESSAGE"), "supervisor: after");
	close(fd);
	log_set_sink(NULL, NULL);
}
