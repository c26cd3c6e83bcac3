/* SPDX-License-Identifier: ISC */
/* The token: where it comes from, when it is read again, when it ends. */
#include "flightside/creds.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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
	cr_assert_eq(creds_refresh(c, 1000000, 0, &why), 1);
	cr_assert(span_is(creds_token(c), "one"));
	put(path, "two");
	cr_assert_eq(creds_refresh(c, 1059999, 0, &why), 0);
	cr_assert_eq(creds_refresh(c, 1059999, 1, &why), 1);
	cr_assert(span_is(creds_token(c), "two"));
	cr_assert_eq(creds_refresh(c, 1060000, 1, &why), 0);
	put(path, "three");
	cr_assert_eq(creds_refresh(c, 1120000, 0, &why), 1);
	/* A file that vanished or is empty leaves what was there. */
	put(path, " \n");
	cr_assert_eq(creds_refresh(c, 1120000, 1, &why), -1);
	unlink(path);
	cr_assert_eq(creds_refresh(c, 1120000, 1, &why), -1);
	cr_assert(span_is(creds_token(c), "three"));
	creds_free(c);
	settings_free(&s);
}

Test(creds, given_token_is_used_without_a_file)
{
	struct settings s;
	struct creds *c;
	struct why why;

	settings_init(&s);
	c = creds_new(&s, span_of("given"));
	cr_assert_eq(creds_refresh(c, 1000000, 1, &why), 0);
	cr_assert(span_is(creds_token(c), "given"));
	creds_free(c);
	c = creds_new(&s, (struct span){ NULL, 0 });
	cr_assert_eq(creds_token(c).len, 0);
	creds_free(c);
	settings_free(&s);
}
