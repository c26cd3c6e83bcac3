/* SPDX-License-Identifier: ISC */
/*
 * The control socket: who may ask, how many, for how long, and what is made of
 * any bytes at all.
 */
#include "placer/control.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <event2/event.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/mono.h"
#include "common/xmem.h"
#include "placer/told.h"
#include "t/unit/fleet.h"

enum {
	TURNS = 200,
	LINES = 3000,
	DEVICES = 10000,
	CROWD = 50,
	NOBODY = 65534,
	GROUP = 4242,
	MANY_GROUPS = 200,
	PATIENCE_MS = 400,
	ALL_BYTES = 8 << 20,
};

struct rig {
	struct event_base *base;
	struct world *w;
	struct control *control;
	struct sockaddr_un at;
};

static struct rig
rig(int64_t patience_ms)
{
	struct rig r = { .base = event_base_new(), .w = fleet_world() };
	struct command from = { .world = r.w };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)signal(SIGPIPE, SIG_IGN); /* as common/boot.c */
	/* An abstract name: any user may connect. */
	r.at.sun_family = AF_UNIX;
	snprintf(r.at.sun_path + 1, sizeof(r.at.sun_path) - 1, "control.%d",
	    (int)getpid());
	cr_assert_eq(bind(fd, (const struct sockaddr *)&r.at, sizeof(r.at)), 0);
	cr_assert_eq(listen(fd, 64), 0);
	r.control = control_new(r.base, fd, &from);
	control_patience(r.control, patience_ms);
	return r;
}

static void
end(struct rig *r)
{
	control_free(r->control);
	event_base_free(r->base);
	fleet_free(r->w);
}

static int
come(const struct rig *r)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(connect(fd, (const struct sockaddr *)&r->at,
			 sizeof(r->at)),
	    0);
	return fd;
}

static void
turn(struct rig *r)
{
	int i;

	for (i = 0; i < TURNS; i++)
		event_base_loop(r->base, EVLOOP_NONBLOCK);
}

/* What it has sent: its bytes in buf, -1: nothing yet, 0: the end. */
static ssize_t
heard(int fd, char *buf, size_t size)
{
	ssize_t n = recv(fd, buf, size - 1, MSG_DONTWAIT);

	buf[n > 0 ? n : 0] = '\0';
	return n;
}

static void
is_answered(struct rig *r, int fd, const char *want)
{
	char got[256];

	turn(r);
	cr_expect(heard(fd, got, sizeof(got)) > 0);
	cr_expect_eq(strncmp(got, want, strlen(want)), 0, "%s", got);
}

Test(control, the_ninth_peer_waits_until_one_of_eight_goes)
{
	struct rig r = rig(60 * 1000);
	int fd[CONTROL_PEERS + 1], i;
	char got[64];

	for (i = 0; i < CONTROL_PEERS + 1; i++) {
		fd[i] = come(&r);
		turn(&r);
	}
	cr_assert_eq(send(fd[CONTROL_PEERS], "fleets\n", 7, 0), 7);
	turn(&r);
	cr_expect_eq(heard(fd[CONTROL_PEERS], got, sizeof(got)), -1,
	    "the ninth is answered: %s", got);
	cr_assert_eq(send(fd[0], "pods\n", 5, 0), 5);
	is_answered(&r, fd[0], "ok 0\n");
	is_answered(&r, fd[CONTROL_PEERS], "ok 1\n");
	for (i = 0; i < CONTROL_PEERS + 1; i++)
		close(fd[i]);
	end(&r);
}

/* All of them come before any is looked at. */
Test(control, of_a_crowd_eight_are_let_in)
{
	struct rig r = rig(60 * 1000);
	int first = dup(0), next, fd[CROWD], i;

	close(first);
	for (i = 0; i < CROWD; i++)
		fd[i] = come(&r);
	turn(&r);
	next = dup(0);
	close(next);
	cr_expect_eq(next - first - CROWD, CONTROL_PEERS, "%d were let in",
	    next - first - CROWD);
	for (i = 0; i < CROWD; i++)
		cr_assert_eq(send(fd[i], "pods\n", 5, 0), 5);
	for (i = 0; i < CROWD; i++)
		is_answered(&r, fd[i], "ok 0\n");
	for (i = 0; i < CROWD; i++)
		close(fd[i]);
	end(&r);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
}

/* The backlog keeps who comes, and the loop does not turn for that. */
Test(control, without_descriptors_it_waits, .timeout = 20)
{
	static const struct timeval tick = { 0, 100 * 1000 };
	struct rig r = rig(60 * 1000);
	struct event *ticker = event_new(r.base, -1, EV_PERSIST, on_tick, NULL);
	int peer = come(&r), first = dup(0), turns;
	int64_t until = now_us() + 500 * 1000;
	struct rlimit was, few;

	close(first);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = (struct rlimit){ (rlim_t)first, was.rlim_max };
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	event_add(ticker, &tick);
	for (turns = 0; now_us() < until; turns++)
		event_base_loop(r.base, EVLOOP_ONCE);
	cr_expect_lt(turns, 20, "%d turns", turns);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
	cr_assert_eq(send(peer, "pods\n", 5, 0), 5);
	for (until = now_us() + 1500 * 1000; now_us() < until;)
		event_base_loop(r.base, EVLOOP_ONCE);
	is_answered(&r, peer, "ok 0\n");
	close(peer);
	event_free(ticker);
	end(&r);
}

/* A peer's time is for all of it: bytes that trickle in buy none. */
Test(control, who_says_nothing_or_little_is_dropped_in_time)
{
	struct rig r = rig(50);
	int silent = come(&r), slow = come(&r);
	char got[64];

	cr_expect_eq(send(slow, "stat", 4, 0), 4);
	while (heard(silent, got, sizeof(got)) == -1 ||
	    heard(slow, got, sizeof(got)) == -1)
		event_base_loop(r.base, EVLOOP_ONCE);
	cr_expect_eq(heard(silent, got, sizeof(got)), 0);
	close(silent);
	close(slow);
	end(&r);
}

/* -- those that follow -- */

static int
follow(struct rig *r)
{
	int fd = come(r);

	cr_assert_eq(send(fd, "follow events\n", 14, 0), 14);
	turn(r);
	return fd;
}

static void
tell(struct rig *r, const char *text)
{
	told_add(r->w->told,
	    &(struct told_line){ .kind = TOLD_EVENT,
		.about = "default/p",
		.reason = "Told",
		.text = text });
}

static void
hears(struct rig *r, int fd, const char *want)
{
	char got[1024];
	ssize_t n;

	turn(r);
	n = heard(fd, got, sizeof(got));
	if (want == NULL)
		cr_expect_eq(n, -1, "%s", got);
	else
		cr_expect(n > 0 && strstr(got, want) != NULL, "%s", got);
}

Test(control, who_follows_hears_what_was_told_and_what_is_then)
{
	struct rig r = rig(60 * 1000);
	char got[1024];
	int fd;

	tell(&r, "before");
	fd = follow(&r);
	cr_assert(heard(fd, got, sizeof(got)) > 0);
	cr_expect_eq(strncmp(got, "more\n{", 6), 0, "%s", got);
	cr_expect(strstr(got, "\"text\":\"before\"}\n.\n") != NULL, "%s", got);
	hears(&r, fd, NULL);
	tell(&r, "after");
	hears(&r, fd, "\"text\":\"after\"}\n");
	/* Chatter is no request. */
	cr_assert_eq(send(fd, "pods\n", 5, 0), 5);
	hears(&r, fd, NULL);
	control_free(r.control);
	r.control = NULL;
	hears(&r, fd, "end the provider stops\n");
	close(fd);
	end(&r);
}

Test(control, eight_follow_and_nobody_else_waits_for_that)
{
	struct rig r = rig(60 * 1000);
	int fd[CONTROL_FOLLOWERS], more, i;

	for (i = 0; i < CONTROL_FOLLOWERS; i++) {
		fd[i] = follow(&r);
		hears(&r, fd[i], "more\n");
	}
	more = follow(&r);
	hears(&r, more, "error as many follow as may\n");
	close(more);
	more = come(&r);
	cr_assert_eq(send(more, "pods\n", 5, 0), 5);
	hears(&r, more, "ok 0\n");
	close(more);
	close(fd[0]); /* as ^C does */
	turn(&r);
	fd[0] = follow(&r);
	hears(&r, fd[0], "more\n");
	for (i = 0; i < CONTROL_FOLLOWERS; i++)
		close(fd[i]);
	end(&r);
}

/* Nothing grows for one that does not read: what it misses is counted. */
Test(control, a_slow_reader_misses_lines_and_is_told)
{
	struct rig r = rig(60 * 1000);
	int fd = follow(&r), i;
	char got[65536], text[900], *last;
	ssize_t n;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (i = 0; i < 4000; i++)
		tell(&r, text);
	for (last = NULL; last == NULL; turn(&r))
		if ((n = heard(fd, got, sizeof(got))) > 0)
			last = strstr(got, "lines are left out");
		else
			cr_assert_eq(n, -1, "it is dropped");
	tell(&r, "after");
	hears(&r, fd, "\"text\":\"after\"}\n");
	close(fd);
	end(&r);
}

Test(control, who_does_not_read_at_all_is_cut_off)
{
	struct rig r = rig(PATIENCE_MS);
	int fd = follow(&r), i;
	char *got = xmalloc(ALL_BYTES), text[900];
	int64_t began;
	size_t len = 0;
	ssize_t n;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	began = now_us();
	for (i = 0; i < 4000; i++)
		tell(&r, text);
	while (now_us() - began < PATIENCE_MS * 1100) /* its time runs out */
		event_base_loop(r.base, EVLOOP_NONBLOCK);
	while ((n = heard(fd, got + len, ALL_BYTES - len)) != 0) {
		len += n > 0 ? (size_t)n : 0;
		event_base_loop(r.base, EVLOOP_NONBLOCK);
	}
	got[len] = '\0';
	cr_expect(strstr(got, "\nend cut off: ") != NULL, "%zu bytes, %s", len,
	    got + (len > 64 ? len - 64 : 0));
	cr_expect_lt(len, 2 * CONTROL_FOLLOW_BYTES + 256 * 1024);
	free(got);
	close(fd);
	end(&r);
}

/* Nothing is told for long: it hears that the provider is there. */
Test(control, who_follows_hears_a_beat)
{
	struct rig r = rig(50);
	int fd = follow(&r);
	char got[256];

	hears(&r, fd, "more\n.\n");
	event_base_loop(r.base, EVLOOP_ONCE);
	turn(&r);
	cr_assert(heard(fd, got, sizeof(got)) > 0);
	cr_expect_str_eq(got, ".\n");
	close(fd);
	end(&r);
}

/* One whose first answer is more than what may wait for it. */
static int
follow_much(struct rig *r)
{
	char text[900];
	int i;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (i = 0; i < 1000; i++)
		tell(r, text);
	return follow(r);
}

/* All that comes to fd within ms, or until its end. */
static char *
read_for(struct rig *r, int fd, int ms)
{
	char *got = xmalloc(ALL_BYTES);
	int64_t until = now_us() + ms * 1000;
	size_t len = 0;
	ssize_t n = -1;

	while (n != 0 && now_us() < until) {
		event_base_loop(r->base, EVLOOP_NONBLOCK);
		n = heard(fd, got + len, ALL_BYTES - len);
		len += n > 0 ? (size_t)n : 0;
	}
	got[len] = '\0';
	return got;
}

static void
wait_for(struct rig *r, int ms)
{
	int64_t until = now_us() + ms * 1000;

	while (now_us() < until)
		event_base_loop(r->base, EVLOOP_NONBLOCK);
}

/* A beat finds it slow, but then it reads. */
Test(control, who_has_caught_up_is_not_cut_off)
{
	struct rig r = rig(PATIENCE_MS);
	int fd = follow_much(&r);
	char *got;

	wait_for(&r, PATIENCE_MS * 3 / 2);
	got = read_for(&r, fd, PATIENCE_MS * 5 / 2);
	cr_expect_null(strstr(got, "\nend "));
	cr_expect_null(strstr(got, "LeftOut"));
	free(got);
	close(fd);
	end(&r);
}

Test(control, who_does_not_even_read_beats_is_cut_off)
{
	struct rig r = rig(PATIENCE_MS);
	int fd = follow_much(&r);
	char *got;

	wait_for(&r, PATIENCE_MS * 5 / 2);
	got = read_for(&r, fd, PATIENCE_MS);
	cr_expect(strstr(got, "\nend cut off: ") != NULL);
	free(got);
	close(fd);
	end(&r);
}

Test(control, only_what_goes_on_can_be_followed)
{
	struct rig r = rig(60 * 1000);
	int fd = come(&r);

	cr_assert_eq(send(fd, "follow pods\n", 12, 0), 12);
	hears(&r, fd, "error it cannot be followed\n");
	close(fd);
	end(&r);
}

/* Is nobody, with these groups, answered so? */
static void
stranger_hears(struct rig *r, gid_t own, size_t n, const gid_t *more,
    const char *want)
{
	char got[128] = "";
	pid_t child;
	int fd, status;

	if (geteuid() != 0)
		cr_skip_test("only root can be somebody else");
	if ((child = fork()) == 0) {
		if (setgroups(n, more) == -1 || setgid(own) == -1 ||
		    setuid(NOBODY) == -1)
			_exit(1);
		fd = come(r);
		if (send(fd, "devices\n", 8, 0) != 8)
			_exit(2);
		if (recv(fd, got, sizeof(got) - 1, MSG_WAITALL) <= 0)
			_exit(3);
		_exit(strcmp(got, want) == 0 ? 0 : 4);
	}
	while (waitpid(child, &status, WNOHANG) == 0)
		event_base_loop(r->base, EVLOOP_NONBLOCK);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d",
	    status);
}

#define REFUSED \
	"error only root, the provider's user and CONTROL_GROUP may ask\n"

Test(control, another_user_is_refused)
{
	struct rig r = rig(60 * 1000);

	stranger_hears(&r, NOBODY, 0, NULL, REFUSED);
	stranger_hears(&r, 0, 1, (gid_t[]){ 0 }, REFUSED);
	end(&r);
}

Test(control, members_of_the_group_are_answered)
{
	struct rig r = rig(60 * 1000);
	gid_t many[MANY_GROUPS];
	size_t i;

	for (i = 0; i < MANY_GROUPS; i++)
		many[i] = (gid_t)(GROUP + MANY_GROUPS - i - 1);
	control_group(r.control, GROUP);
	stranger_hears(&r, GROUP, 0, NULL, "ok 0\n");
	stranger_hears(&r, NOBODY, 1, (gid_t[]){ GROUP }, "ok 0\n");
	stranger_hears(&r, NOBODY, MANY_GROUPS, many, "ok 0\n");
	stranger_hears(&r, NOBODY, 0, NULL, REFUSED);
	stranger_hears(&r, NOBODY, 1, (gid_t[]){ GROUP + 1 }, REFUSED);
	/* The number of a user is none of a group. */
	control_group(r.control, NOBODY);
	stranger_hears(&r, GROUP, 0, NULL, REFUSED);
	end(&r);
}

/*
 * Lines of words and of noise: each has one answer, of a word that is one,
 * that ends in a newline and says as many rows as it has.
 */
Test(control, any_line_has_one_whole_answer)
{
	static const char *const words[] = { "devices", "explain", "pod",
		"device", "drain", "give-up", "release-brake", "yes", "a", "/",
		"default/p", " ", "", "status", "\x01", "records x", "pods",
		"fleets", "complete", "help", "events", "follow", "--node",
		"purge" };
	struct world *w = fleet_world();
	struct command from = { .world = w, .now = { 1000, 1000 } };
	unsigned int s, lines;
	char line[COMMAND_MAX], *answer, *c;
	size_t i, rows;

	fleet_add(w, &(struct fleet_device){ "a", 1, 64, NULL, NULL, NULL });
	fleet_pod(w, "p", "2", "1Mi", NULL, NULL);
	for (s = 1, lines = 0; lines < LINES; lines++) {
		size_t len = 0, n = (size_t)rand_r(&s) % 6;

		for (i = 0; i < n; i++)
			len += (size_t)snprintf(line + len, sizeof(line) - len,
			    "%s%s", i > 0 ? " " : "",
			    words[(size_t)rand_r(&s) % 24]);
		for (i = 0; rand_r(&s) % 4 == 0 && i < 30; i++)
			line[len++] = (char)(1 + rand_r(&s) % 255);
		line[len] = '\0';
		if (strncmp(line, "yes ", 4) == 0 || strstr(line, "records"))
			continue; /* want more than a world */
		answer = command_answer(&from, line);
		cr_assert_eq(answer[strlen(answer) - 1], '\n', "%s", line);
		for (rows = 0, c = strchr(answer, '\n') + 1; *c != '\0'; c++)
			rows += *c == '\n';
		if (strncmp(answer, "ok ", 3) == 0)
			cr_assert_eq(rows, strtoul(answer + 3, NULL, 10));
		else
			cr_assert(rows == 0 &&
				(strncmp(answer, "error ", 6) == 0 ||
				    strncmp(answer, "none ", 5) == 0 ||
				    strncmp(answer, "ask ", 4) == 0),
			    "%s: %s", line, answer);
		free(answer);
	}
	fleet_free(w);
}

/* 10,000 rows: whole, and about 200 bytes each while they wait. */
Test(control, ten_thousand_devices_are_answered)
{
	struct rig r = rig(60 * 1000);
	char name[16], *got = xmalloc(8 << 20);
	size_t len = 0, rows = 0, i;
	int64_t began, us;
	int fd = come(&r);
	ssize_t n;

	for (i = 0; i < DEVICES; i++) {
		snprintf(name, sizeof(name), "d%05zu", i);
		fleet_add(r.w,
		    &(struct fleet_device){ name, 4, 4096, NULL, NULL, NULL });
	}
	turn(&r);
	cr_assert_eq(send(fd, "devices\n", 8, 0), 8);
	began = now_us();
	event_base_loop(r.base, EVLOOP_ONCE);
	us = now_us() - began;
	while ((n = heard(fd, got + len, (8 << 20) - len)) != 0) {
		len += n > 0 ? (size_t)n : 0;
		event_base_loop(r.base, EVLOOP_NONBLOCK);
	}
	got[len] = '\0';
	for (i = 0; i < len; i++)
		rows += got[i] == '\n';
	cr_expect_eq(strncmp(got, "ok 10000\n", 9), 0);
	cr_expect_eq(rows, DEVICES + 1);
	cr_expect_lt(len, 256 * DEVICES);
	fprintf(stderr,
	    "figure devices-answer-turn %lld us\n"
	    "figure devices-answer-bytes %zu B\n",
	    (long long)us, len);
	free(got);
	close(fd);
	end(&r);
}
