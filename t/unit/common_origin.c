/* SPDX-License-Identifier: ISC */
/* Which images IMAGE_REGISTRIES lets through. */
#include "common/origin.h"

#include <criterion/criterion.h>

static const struct {
	const char *list, *image;
	int is;
} rows[] = {
	{ "", "anywhere.example/x:1", 1 },
	{ "quay.io", "quay.io/shop/web:1", 1 },
	{ "a.example, quay.io ,b.example", "quay.io/shop/web:1", 1 },
	{ "quay.io/shop", "quay.io/shop/web:1", 1 },
	{ "quay.io/shop/web", "quay.io/shop/web:1", 1 },
	{ "quay.io/shop/web", "quay.io/shop/web@sha256:00", 1 },
	{ "r.example:5000", "r.example:5000/web:1", 1 },
	{ "r.example:5000/shop", "r.example:5000/shop/web:1", 1 },
	/* not a part of a name, not another port, not another path */
	{ "quay.i", "quay.io/shop/web:1", 0 },
	{ "quay.io/sho", "quay.io/shop/web:1", 0 },
	{ "quay.io/shop/web", "quay.io/shop/website:1", 0 },
	{ "quay.io/shop/web/x", "quay.io/shop/web:1", 0 },
	{ "quay.io", "quay.io:5000/shop/web:1", 0 },
	{ "quay.io", "quay.io@sha256:00/shop/web", 0 },
	{ "quay.io/shop", "quay.io/shop/../evil/web:1", 0 },
	{ "quay.io/shop", "quay.io/shop/./web:1", 0 },
	{ "quay.io/shop", "quay.io/shop//web:1", 0 },
	{ "quay.io", "quay.io", 0 },
	{ ",", "quay.io/web:1", 0 },
	{ " ", "quay.io/web:1", 0 },
	{ "quay.io", "", 0 },
};

Test(common_origin, rows)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(origin_is_of(rows[i].list, span_of(rows[i].image)),
		    rows[i].is, "%s: %s", rows[i].list, rows[i].image);
}
