/* SPDX-License-Identifier: ISC */
/* A connection that cannot be accepted now is, soon; nobody runs in circles. */
#include "supervisor/meet.h"

#include <sys/resource.h>

#include <criterion/criterion.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "supervisor/local.h"
#include "t/unit/leap.h"
#include "t/unit/said.h"

enum {
	SOME_MS = 300,
	LATEST_MS = 1500,
	FILES = 64,
	MORE = 100,	/* turns */
	PLACER = 61003, /* UIDS' default, for root */
};

/* Root has no number in UIDS. */
static void
be_nobody(void)
{
	if (geteuid() == 0)
		cr_assert_eq(setuid(PLACER), 0);
}

TestSuite(supervisor_meet, .init = be_nobody);

static struct meet *meet;
static int came;

static void
on_came(enum proc key_holder, void *arg)
{
	(void)arg;
	came++;
	cr_expect_eq(meet_take(meet, key_holder), -1);
}

static void
run(struct event_base *base, int ms)
{
	const struct timeval time = { ms / 1000, ms % 1000 * 1000 };

	cr_assert_eq(event_base_loopexit(base, &time), 0);
	cr_assert_eq(event_base_dispatch(base), 0);
}

static void
give(struct settings *s, enum setting i, const char *value)
{
	struct why why;

	cr_assert_eq(settings_set(s, i, value, &why), 0, "%s", why.text);
}

/* We are the placer, and no key holder; or kubeside. */
static void
settings_for_us(struct settings *s, const char *folder, enum proc self)
{
	AUTO_FREE char *k = xasprintf("%s/k.sock", folder);
	AUTO_FREE char *f = xasprintf("%s/f.sock", folder);
	AUTO_FREE char *uids = NULL;

	uids = self == PROC_PLACER ?
	    xasprintf("%u,%u,%u", geteuid() + 1, geteuid() + 2, geteuid()) :
	    xasprintf("%u,%u,%u", geteuid(), geteuid() + 1, geteuid() + 2);
	settings_init(s);
	give(s, SET_KUBESIDE_SOCKET, k);
	give(s, SET_FLIGHTSIDE_SOCKET, f);
	give(s, SET_UIDS, uids);
}

Test(supervisor_meet, without_descriptors_it_pauses, .timeout = 20)
{
	static const struct rlimit few = { FILES, FILES };
	char folder[] = "/tmp/meet.XXXXXX";
	struct event_base *base;
	struct settings s;
	int guest, spent[FILES], n;
	struct why why;
	char c;

	cr_assert_not_null(mkdtemp(folder));
	settings_for_us(&s, folder, PROC_PLACER);
	base = event_base_new();
	meet = meet_open(&s, PROC_PLACER, &why);
	cr_assert_not_null(meet, "%s", why.text);
	meet_start(meet, base, on_came, NULL);
	(void)meet_take(meet, PROC_KUBESIDE);
	cr_assert((guest = local_connect(s.text[SET_KUBESIDE_SOCKET])) != -1);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (n = 0; n < FILES; n++)
		if ((spent[n] = open("/dev/null", O_RDONLY)) == -1)
			break;
	cr_assert_lt(n, FILES);
	run(base, SOME_MS);
	cr_expect(came >= 1 && came <= 2, "%d turns in %d ms", came, SOME_MS);
	while (n > 0)
		close(spent[--n]);
	came = 0;
	run(base, LATEST_MS);
	cr_expect_eq(came, 1, "%d", came);
	cr_expect_eq(read(guest, &c, 1), 0, "it was let in, and refused");
	close(guest);
	meet_stop(meet);
	meet_free(meet);
	event_base_free(base);
	settings_free(&s);
	cr_expect_eq(rmdir(folder), 0);
}

Test(supervisor_meet, who_is_another_user_is_refused)
{
	AUTO_FREE char *want = NULL;
	struct settings s;
	struct why why;

	settings_for_us(&s, "/nonexistent", PROC_PLACER);
	want = xasprintf("UIDS=%s: --only kubeside must be started as user %u, "
			 "not %u: the others would refuse it",
	    s.text[SET_UIDS], geteuid() + 1, geteuid());
	cr_assert_null(meet_open(&s, PROC_KUBESIDE, &why));
	cr_expect_str_eq(why.text, want);
	settings_free(&s);
}

/* A container that starts is no news, and one that does not is told once. */
Test(supervisor_meet, an_absent_placer_is_told, .timeout = 60)
{
	struct event_base *base = event_base_new();
	struct settings s;
	struct why why;

	settings_for_us(&s, "/nonexistent", PROC_KUBESIDE);
	meet = meet_open(&s, PROC_KUBESIDE, &why);
	cr_assert_not_null(meet, "%s", why.text);
	said_start();
	leap_at_once(1);
	meet_start(meet, base, on_came, NULL);
	(void)meet_take(meet, PROC_KUBESIDE);
	while (said()[0] == '\0')
		event_base_loop(base, EVLOOP_ONCE);
	for (came = 0; came < MORE;)
		event_base_loop(base, EVLOOP_ONCE);
	leap_at_once(0);
	cr_expect_str_eq(said(),
	    "no placer for 30 s at /nonexistent/k.sock: No such file or "
	    "directory\n");
	said_stop();
	meet_stop(meet);
	meet_free(meet);
	event_base_free(base);
	settings_free(&s);
}

Test(supervisor_meet, what_is_no_place_for_a_socket_is_refused)
{
	static const char *const words[] = { "KUBESIDE", "FLIGHTSIDE" };
	char folder[] = "/tmp/meet.XXXXXX";
	struct settings s;
	struct why why;
	size_t i;

	cr_assert_not_null(mkdtemp(folder));
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		AUTO_FREE char *name = xasprintf("%s_SOCKET", words[i]);
		AUTO_FREE char *error =
		    xasprintf("%s=/dev/null/x: must be where a socket can be "
			      "made: Not a directory",
			name);

		settings_for_us(&s, folder, PROC_PLACER);
		give(&s, settings_by_name(name), "/dev/null/x");
		cr_expect_null(meet_open(&s, PROC_PLACER, &why));
		cr_expect_str_eq(why.text, error);
		settings_free(&s);
	}
	cr_expect_eq(rmdir(folder), 0);
}
