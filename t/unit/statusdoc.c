/* SPDX-License-Identifier: ISC */
/* statusdoc.c: reads what podstatus_make() wrote. */
#include "t/unit/statusdoc.h"

#include <criterion/criterion.h>

struct json_object *
statusdoc_read(const struct podstatus *s)
{
	struct json_object *j = jread_parse(span_of(s->json), NULL);

	cr_assert_not_null(j);
	return j;
}

struct json_object *
statusdoc_condition(struct json_object *status, const char *type)
{
	return jread_find(jread_member(status, "conditions"), "type", type);
}

const char *
statusdoc_text(struct json_object *j, const char *key)
{
	const char *s = jread_string(jread_member(j, key));

	return s == NULL ? "" : s;
}
