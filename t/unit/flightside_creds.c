/* SPDX-License-Identifier: ISC */
/* The token: where it comes from, when it is read again, when it ends. */
#include "flightside/creds.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "t/unit/said.h"

Test(creds, expiry_of_a_jwt_is_read)
{
	/* {"exp":1795467860}, {"iat":1}, {"exp":"x"}; base64url, no padding */
	cr_assert_eq(creds_expiry(span_of("e30.eyJleHAiOjE3OTU0Njc4NjB9.x")),
	    1795467860);
	cr_assert_eq(creds_expiry(span_of("e30.eyJpYXQiOjF9.x")), -1);
	cr_assert_eq(creds_expiry(span_of("e30.eyJleHAiOiJ4In0.x")), -1);
	cr_assert_eq(creds_expiry(span_of("opaque")), -1);
	cr_assert_eq(creds_expiry(span_of("a.b")), -1);
	cr_assert_eq(creds_expiry(span_of("..")), -1);
	cr_assert_eq(creds_expiry(span_of("a.****.b")), -1);
	cr_assert_eq(creds_expiry(span_of("")), -1);
}

static void
put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
}

static struct now
at(int64_t boot_ms)
{
	return (struct now){ boot_ms, 0 };
}

Test(creds, file_is_read_again_after_a_minute_or_when_asked)
{
	char path[] = "/tmp/creds.XXXXXX";
	int fd = mkstemp(path);
	struct settings s;
	struct creds *c;
	struct why why;

	close(fd);
	settings_init(&s);
	cr_assert_eq(settings_set(&s, SET_FLIGHTCTL_AUTH_TOKEN_FILE, path,
			 &why),
	    0);
	put(path, "one\n");
	c = creds_new(&s, span_of("given"));
	cr_assert_eq(creds_refresh(c, at(1000000), 0, &why), 1);
	cr_assert(span_is(creds_token(c), "one"));
	put(path, "two");
	cr_assert_eq(creds_refresh(c, at(1059999), 0, &why), 0);
	cr_assert_eq(creds_refresh(c, at(1059999), 1, &why), 1);
	cr_assert(span_is(creds_token(c), "two"));
	cr_assert_eq(creds_refresh(c, at(1060000), 1, &why), 0);
	put(path, "three");
	cr_assert_eq(creds_refresh(c, at(1120000), 0, &why), 1);
	/* A file that vanished or is empty leaves what was there. */
	put(path, " \n");
	cr_assert_eq(creds_refresh(c, at(1120000), 1, &why), -1);
	unlink(path);
	cr_assert_eq(creds_refresh(c, at(1120000), 1, &why), -1);
	cr_assert(span_is(creds_token(c), "three"));
	creds_free(c);
	settings_free(&s);
}

/* {"exp":1795467860} and {"exp":1795467920}, which is a minute later. */
#define EARLY "e30.eyJleHAiOjE3OTU0Njc4NjB9.x"
#define LATE "e30.eyJleHAiOjE3OTU0Njc5MjB9.x"

Test(creds, file_is_read_each_second_from_a_minute_before_the_end)
{
	char path[] = "/tmp/creds.XXXXXX";
	int64_t end = 1795467860000;
	int fd = mkstemp(path);
	struct settings s;
	struct creds *c;
	struct why why;
	char *text;

	close(fd);
	settings_init(&s);
	cr_assert_eq(settings_set(&s, SET_FLIGHTCTL_AUTH_TOKEN_FILE, path,
			 &why),
	    0);
	put(path, EARLY);
	c = creds_new(&s, span_of(""));
#define AT(boot, wall) creds_refresh(c, (struct now){ boot, wall }, 0, &why)
	cr_assert_eq(AT(0, end - 100000), 1);
	put(path, LATE);
	cr_assert_eq(AT(39000, end - 61000), 0, "not yet near its end");
	cr_assert_eq(AT(40000, end - 60000), 1);
	cr_assert(span_is(creds_token(c), LATE));
	put(path, EARLY);
	cr_assert_eq(AT(99000, end - 1000), 0, "this one ends later");
	cr_assert_eq(AT(100000, end), 1, "within a minute of the end");
	/* Not more often than once a second, before and after the end. */
	put(path, LATE);
	cr_assert_eq(AT(100999, end + 999), 0);
	cr_assert_eq(AT(101000, end + 1000), 1);
#undef AT
	text = creds_describe(c);
	cr_assert_not_null(strstr(text, path));
	cr_assert_not_null(strstr(text, ", exp 2026-11-23T21:05:20Z"), "%s",
	    text);
	cr_assert_null(strstr(text, LATE));
	free(text);
	creds_free(c);
	settings_free(&s);
	unlink(path);
}

Test(creds, given_token_is_used_without_a_file)
{
	struct settings s;
	struct creds *c;
	struct why why;

	settings_init(&s);
	c = creds_new(&s, span_of("given"));
	cr_assert_eq(creds_refresh(c, at(1000000), 1, &why), 0);
	cr_assert(span_is(creds_token(c), "given"));
	creds_free(c);
	c = creds_new(&s, (struct span){ NULL, 0 });
	cr_assert_eq(creds_token(c).len, 0);
	creds_free(c);
	settings_free(&s);
}

#define GIVEN "it came from FLIGHTCTL_AUTH_TOKEN and cannot be renewed, use "

/* Each once; who reads a file is not told before the end. */
Test(creds, a_token_that_ends_and_has_no_other_is_told)
{
	static const struct {
		int64_t left_s;
		const char *line;
	} cases[] = {
		{ 301, "" },
		{ 300,
		    "the Flightctl token expires in 300 s; " GIVEN
		    "FLIGHTCTL_AUTH_TOKEN_FILE\n" },
		{ 1,
		    "the Flightctl token expires in 1 s; " GIVEN
		    "FLIGHTCTL_AUTH_TOKEN_FILE\n" },
		{ 0,
		    "the Flightctl token expired 0 s ago; " GIVEN
		    "FLIGHTCTL_AUTH_TOKEN_FILE\n" },
		{ -90,
		    "the Flightctl token expired 90 s ago; " GIVEN
		    "FLIGHTCTL_AUTH_TOKEN_FILE\n" },
	};
	int64_t end = 1795467860000;
	struct settings s;
	struct creds *c;
	struct why why;
	struct now now;
	size_t i;

	settings_init(&s);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		said_start();
		c = creds_new(&s, span_of(EARLY));
		now = (struct now){ 0, end - cases[i].left_s * 1000 };
		cr_expect_eq(creds_refresh(c, now, 1, &why), 0);
		cr_expect_eq(creds_refresh(c, now, 1, &why), 0);
		cr_expect_str_eq(said(), cases[i].line);
		creds_free(c);
	}
	said_stop();
	settings_free(&s);
}
