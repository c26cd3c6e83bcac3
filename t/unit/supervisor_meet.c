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

enum {
	SOME_MS = 300,
	LATEST_MS = 1500,
	FILES = 64,
	PLACER = 61003, /* UIDS' default, for root */
};

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

/* We are the placer, and no key holder. */
static void
settings_for_us(struct settings *s, const char *folder)
{
	AUTO_FREE char *k = xasprintf("%s/k.sock", folder);
	AUTO_FREE char *f = xasprintf("%s/f.sock", folder);
	AUTO_FREE char *uids =
	    xasprintf("%u,%u,%u", geteuid() + 1, geteuid() + 2, geteuid());

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

	if (geteuid() == 0)
		cr_assert_eq(setuid(PLACER), 0);
	cr_assert_not_null(mkdtemp(folder));
	settings_for_us(&s, folder);
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
