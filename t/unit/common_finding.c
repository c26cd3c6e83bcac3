/* SPDX-License-Identifier: ISC */
/* What --check says: whole commands, that a shell takes as they are meant. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/finding.h"
#include "common/finding_https.h"
#include "common/xmem.h"
#include "ipc/msg.h"

static struct body_finding last;
static int n;

static void
on_finding(const struct body_finding *m, void *arg)
{
	(void)arg;
	last = *m;
	n++;
}

static void
begin(void)
{
	finding_set_sink(on_finding, NULL);
}

TestSuite(finding, .init = begin);

/* What a shell makes of it; the caller's. */
static char *
by_a_shell(const char *word)
{
	AUTO_FREE char *command = xasprintf("printf %%s %s", word);
	char *out = xcalloc(1, 256);
	FILE *f = popen(command, "r");

	cr_assert_not_null(f);
	out[fread(out, 1, 255, f)] = '\0';
	cr_assert_eq(pclose(f), 0, "%s", command);
	return out;
}

Test(finding, a_word_of_a_command_is_that_word)
{
	static const char *const words[] = { "/etc/vk/token", "", "it's", "a b",
		"$(id)", "`id`", "\\", "*", "~", "\"", ";id", "-n", "a\nb" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		AUTO_FREE char *word = finding_word(words[i]);
		AUTO_FREE char *out = by_a_shell(word);

		cr_expect_str_eq(out, words[i], "%s", word);
	}
	{
		AUTO_FREE char *plain = finding_word("/etc/vk/token");

		cr_expect_str_eq(plain, "/etc/vk/token", "and is read easily");
	}
}

Test(finding, a_command_is_whole_or_not_there)
{
	AUTO_FREE char *longest = xcalloc(1, MAX_SETTING + 2);
	AUTO_FREE char *text = xcalloc(1, 3000);

	memset(longest, 'x', MAX_SETTING);
	memset(text, 'y', 2999);
	finding(FINDING_WARN, "a", longest, "%s", text);
	cr_expect_str_eq(last.mend, longest);
	cr_expect_eq(last.level, FINDING_WARN);
	cr_expect_str_eq(last.text + strlen(last.text) - 4, "y...");
	longest[MAX_SETTING] = 'x';
	finding(FINDING_FAIL, "a", longest, "b");
	cr_expect_str_eq(last.mend, "");
	cr_expect_eq(n, 2);
}

Test(finding, a_file_that_is_not_there_is_installed)
{
	AUTO_FREE char *mend =
	    xasprintf("install -o %u -m 0400 FILE '/nowhere/a b'", getuid());

	cr_expect_eq(finding_reads("SETTING", "/nowhere/a b"), 0);
	cr_expect_eq(last.level, FINDING_FAIL);
	cr_expect_str_eq(last.subject, "SETTING");
	cr_expect_str_eq(last.mend, mend);
	cr_expect_eq(finding_reads("SETTING", "/dev/null"), 1);
	cr_expect_eq(last.level, FINDING_OK);
}

/* Root could read it, and needs no mending. */
Test(finding, a_file_of_another_is_given_to_us_in_its_folder)
{
	char dir[] = "/tmp/finding.XXXXXX";
	AUTO_FREE char *file = NULL, *mend = NULL;
	FILE *f;

	if (geteuid() == 0 && setuid(61002) == -1)
		cr_assert_fail("setuid");
	cr_assert_not_null(mkdtemp(dir));
	file = xasprintf("%s/token", dir);
	cr_assert_not_null(f = fopen(file, "w"));
	(void)fclose(f);
	cr_assert_eq(chmod(file, 0), 0);
	cr_expect_eq(finding_reads("SETTING", file), 0);
	mend = xasprintf("chown %u %s && chmod 0400 %s", getuid(), file, file);
	cr_expect_str_eq(last.mend, mend);
	cr_assert_eq(chmod(dir, 0), 0);
	cr_expect_eq(finding_reads("SETTING", file), 0);
	free(mend);
	mend = xasprintf("chgrp %u %s && chmod g+x %s  #", getgid(), dir, dir);
	cr_expect_eq(strncmp(last.mend, mend, strlen(mend)), 0, "%s",
	    last.mend);
	cr_assert_eq(chmod(dir, 0700), 0);
	(void)unlink(file);
	(void)rmdir(dir);
}

/* A kubeconfig's server is somebody's words, too. */
Test(finding, no_server_ends_its_word_of_a_command)
{
	static const enum https_cause causes[] = { HTTPS_NO_NAME, HTTPS_REFUSED,
		HTTPS_TIMED_OUT, HTTPS_UNVERIFIED, HTTPS_OTHER };
	const struct finding_server server = { .subject = "X",
		.base = "https://$(id)/",
		.ca = "A",
		.set = "B" };
	size_t i;

	for (i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		finding_unreachable(&server,
		    &(struct https_answer){ .cause = causes[i] });
		cr_expect_not_null(strstr(last.mend, " '"), "%s", last.mend);
		cr_expect_null(strstr(last.mend, " $(id)"), "%s", last.mend);
	}
}

Test(finding, a_clock_that_is_off_by_more_than_five_seconds_is_told)
{
	const int64_t now = 1800000000000;

	finding_clock("X", now, now + 500);
	cr_expect_eq(last.level, FINDING_OK);
	finding_clock("X", now, now + 500 + 5000);
	cr_expect_eq(last.level, FINDING_OK);
	finding_clock("X", now, now + 500 + 5001);
	cr_expect_eq(last.level, FINDING_WARN);
	cr_expect_str_eq(last.text, "X's clock is 5 s behind ours");
	cr_expect_str_eq(last.mend, "timedatectl set-ntp true");
	finding_clock("X", now, now + 500 - 7000);
	cr_expect_eq(last.level, FINDING_WARN);
	cr_expect_str_eq(last.text, "X's clock is 7 s ahead of ours");
	finding_clock("X", 0, now);
	cr_expect_eq(last.level, FINDING_OK, "nobody told the time");
}
