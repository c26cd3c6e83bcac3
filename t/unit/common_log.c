/* SPDX-License-Identifier: ISC */
/* Whatever a text holds, a line is one line, and one JSON object. */
#include "common/log.h"

#include <sys/wait.h>

#include <criterion/criterion.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/msg.h"

static int out;

/* Standard error becomes a pipe of ours. */
static void
capture(void)
{
	int p[2];

	cr_assert(pipe(p) == 0);
	cr_assert(dup2(p[1], STDERR_FILENO) == STDERR_FILENO);
	close(p[1]);
	out = p[0];
	log_init("test");
}

static const char *
line(void)
{
	static char buf[65536];
	ssize_t n;

	n = read(out, buf, sizeof(buf) - 1);
	cr_assert(n > 0 && buf[n - 1] == '\n');
	buf[n - 1] = '\0';
	cr_assert(strchr(buf, '\n') == NULL, "%s", buf);
	return buf;
}

static const char *
field(json_object *o, const char *name)
{
	return json_object_get_string(json_object_object_get(o, name));
}

static json_object *
object(void)
{
	json_object *o = json_tokener_parse(line());

	cr_assert(o != NULL);
	return o;
}

Test(common_log, fields_are_there_when_they_are_given)
{
	struct log_about about = { .operation = "create",
		.pod = "ns/web",
		.error = "no room" };
	json_object *o;

	capture();
	log_set_json(1);
	log_line(LOG_LEVEL_WARN, &about, "pod %d", 7);
	o = object();
	cr_assert_str_eq(field(o, "level"), "warn");
	cr_assert_str_eq(field(o, "process"), "test");
	cr_assert_str_eq(field(o, "operation"), "create");
	cr_assert_str_eq(field(o, "pod"), "ns/web");
	cr_assert_str_eq(field(o, "error"), "no room");
	cr_assert_str_eq(field(o, "msg"), "pod 7");
	cr_assert(field(o, "device") == NULL && field(o, "fleet") == NULL);
	cr_assert(
	    strlen(field(o, "time")) == strlen("2000-01-02T03:04:05.678Z"));
	json_object_put(o);
}

/* Every byte there is, and every broken start of a character. */
Test(common_log, any_bytes_make_one_object)
{
	char text[64];
	json_object *o;
	int a, b;

	capture();
	log_set_json(1);
	for (a = 1; a < 256; a++)
		for (b = 1; b < 256; b += 7) {
			(void)snprintf(text, sizeof(text), "<%c%c%c>", a, b,
			    a ^ b ? a ^ b : 1);
			log_info("%s", text);
			o = object();
			cr_assert(field(o, "msg") != NULL);
			if (a < 0x80 && b < 0x80 && (a ^ b) != 0)
				cr_assert_str_eq(field(o, "msg"), text);
			json_object_put(o);
		}
}

Test(common_log, good_characters_stay)
{
	static const char text[] = "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80";
	json_object *o;

	capture();
	log_set_json(1);
	log_info("%s", text);
	o = object();
	cr_assert_str_eq(field(o, "msg"), text);
	json_object_put(o);
}

Test(common_log, cut_texts_say_so)
{
	char big[4000];
	struct log_about about = { .device = big };
	json_object *o;

	memset(big, '"', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	capture();
	log_set_json(1);
	log_line(LOG_LEVEL_INFO, &about, "%s", big);
	o = object();
	cr_assert(strlen(field(o, "msg")) == 1024);
	cr_assert_str_eq(field(o, "msg") + 1021, "...");
	cr_assert(strlen(field(o, "device")) == 253);
	cr_assert_str_eq(field(o, "device") + 250, "...");
	json_object_put(o);
}

Test(common_log, text_lines_cannot_be_forged)
{
	const char *l;

	capture();
	log_info("a\n2000-01-01T00:00:00.000Z error placer: b\x1b[2J\xc2\x9b"
		 "2J");
	l = line();
	cr_assert(strstr(l, " info test: a\\n2000") != NULL, "%s", l);
	cr_assert(strchr(l, '\x1b') == NULL);
	cr_assert(strstr(l, "b\\u001b[2J\\u009b2J") != NULL, "%s", l);
}

Test(common_log, level_holds_back)
{
	struct body_log m = { .level = LOG_LEVEL_DEBUG };
	struct pollfd pfd;

	capture();
	pfd = (struct pollfd){ out, POLLIN, 0 };
	log_set_level(LOG_LEVEL_WARN);
	log_info("no");
	log_debug("no");
	log_relay("placer", &m);
	cr_assert(poll(&pfd, 1, 0) == 0);
	m.level = LOG_LEVEL_ERROR;
	(void)snprintf(m.text, sizeof(m.text), "yes");
	log_relay("placer", &m);
	cr_assert(strstr(line(), " error placer: yes") != NULL);
}

static void
sink(const struct body_log *m, void *arg)
{
	*(struct body_log *)arg = *m;
}

Test(common_log, sink_takes_the_line)
{
	struct body_log m = { 0 };
	struct pollfd pfd;

	capture();
	pfd = (struct pollfd){ out, POLLIN, 0 };
	log_set_sink(sink, &m);
	log_warn("to the supervisor");
	cr_assert_str_eq(m.text, "to the supervisor");
	cr_assert(m.level == LOG_LEVEL_WARN && m.wall_ms > 0);
	cr_assert(poll(&pfd, 1, 0) == 0);
}

/* Nobody reads: lines are lost, the process goes on, and it is said later. */
Test(common_log, stalled_reader_stops_nobody)
{
	static char buf[1 << 20];
	int i;

	capture();
	for (i = 0; i < 3000; i++)
		log_info("a line that goes into a pipe which nobody empties");
	cr_assert(read(out, buf, sizeof(buf)) > 0);
	log_info("again");
	cr_assert(fcntl(out, F_SETFL, O_NONBLOCK) == 0);
	memset(buf, 0, sizeof(buf));
	cr_assert(read(out, buf, sizeof(buf) - 1) > 0);
	cr_assert(strstr(buf, "again\n") != NULL);
	cr_assert(strstr(buf, "log lines were lost\n") != NULL);
}

Test(common_log, fatal_says_why_and_ends)
{
	int status;
	pid_t pid;

	capture();
	if ((pid = fork()) == 0)
		fatal("no %s", "go");
	cr_assert(waitpid(pid, &status, 0) == pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	cr_assert(strstr(line(), " error test: no go") != NULL);
}
