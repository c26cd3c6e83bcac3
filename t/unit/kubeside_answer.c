/* SPDX-License-Identifier: ISC */
/* What of a 2xx is an apiserver's answer. */
#include "kubeside/answer.h"

#include <criterion/criterion.h>

static const struct {
	const char *body;
	int is;
} rows[] = {
	{ "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{}}", 1 },
	{ "{\"metadata\":{\"name\":\"x\"},\"kind\":\"Lease\"}", 1 },
	{ "{\"kind\":\"Status\",\"status\":\"Success\"}", 1 },
	{ "{\"kind\":\"Status\",\"status\":\"Failure\",\"code\":503}", 0 },
	{ "{\"kind\":\"Status\",\"apiVersion\":[]}", 0 },
	{ "", 0 },
	{ "{}", 0 },
	{ "null", 0 },
	{ "[]", 0 },
	{ "<html>Please sign in.</html>", 0 },
	{ "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"meta", 0 },
	{ "{\"kind\":\"Pod\",\"a\":\"\001\"}", 0 },
	{ "{\"kind\":7}", 0 },
	{ "{\"kind\":\"Pod\"} {\"kind\":\"Pod\"}", 0 },
};

Test(answer, only_an_object_of_a_kind_is_one)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_eq(answer_is_object(span_of(rows[i].body)),
		    rows[i].is, "%s", rows[i].body);
}
