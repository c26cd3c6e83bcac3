/* SPDX-License-Identifier: ISC */
/*
 * What one write says: elements as they were given, names of ours that are
 * not named any more are cut, and what stands in a device can be learnt from
 * it again.
 */
#include "placer/edit.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "t/unit/leaks.h"

#define APP "{\"name\":\"k8s-a\",\"x\":\"\\u0001\"}"
#define CONF(v) "{\"name\":\"k8s-a." v "\"}"

static char a_old[] = "k8s-a.old", a_new[] = "k8s-a.new", ab[] = "k8s-ab.old",
	    b_old[] = "k8s-b.old", a_again[] = "k8s-a.try.again",
	    b_again[] = "k8s-b.try.again";
static char *configs[] = { a_old, a_new, ab, b_old, a_again, b_again };
static struct device dev = { .configs = configs, .nconfigs = 6 };
static struct wdevice device = { .dev = &dev };

Test(edit, sets_and_cuts_what_belongs_to_the_application)
{
	struct edit *e = edit_new(&device);
	AUTO_FREE char *text = NULL;

	cr_assert_eq(edit_set(e, "k8s-a", APP "\n" CONF("new")), 0);
	cr_assert_eq(edit_cut(e, "k8s-b"), 0);
	text = edit_text(e);
	edit_free(e);
	cr_assert(scan_is_valid(span_of(text)));
	cr_assert_str_eq(text,
	    "{\"applications\":{\"set\":[" APP
	    "],\"cut\":[\"k8s-b\"]},\"config\":{\"set\":[" CONF(
		"new") "],\"cut\":[\"k8s-a.old\",\"k8s-b.old\"]}}");
	NO_LEAKS();
}

Test(edit, what_would_grow_over_the_bound_changes_nothing)
{
	struct edit *e = edit_new(&device);
	AUTO_FREE char *big = xmalloc(MAX_EDIT), *before = NULL, *after = NULL;

	memset(big, 'x', MAX_EDIT - 1);
	big[MAX_EDIT - 1] = '\0';
	cr_assert_eq(edit_set(e, "k8s-a", APP), 0);
	before = edit_text(e);
	cr_assert_eq(edit_set(e, "k8s-b", big), -1);
	after = edit_text(e);
	cr_assert_str_eq(before, after);
	edit_free(e);
	NO_LEAKS();
}

static char *
recover(const char *spec)
{
	AUTO_FREE char *text = xasprintf("{\"spec\":%s}", spec);

	return edit_recover(span_of(text), "k8s-a");
}

Test(edit, what_stands_in_a_device_is_learnt_again)
{
	AUTO_FREE char *text =
	    recover("{\"applications\":[{\"name\":\"other\"}," APP
		    "],\"config\":[" CONF(
			"new") ",{\"name\":\"k8s-ab.v\"}," CONF("x") "]}");

	cr_assert_str_eq(text, APP "\n" CONF("new") "\n" CONF("x"));
	NO_LEAKS();
}

Test(edit, what_is_not_there_or_not_a_line_is_not_learnt)
{
	cr_assert_null(recover("{}"));
	cr_assert_null(recover("{\"applications\":[]}"));
	cr_assert_null(recover("{\"applications\":[{\"name\":\n\"k8s-a\"}]}"));
	cr_assert_null(recover("{\"applications\":7}"));
	NO_LEAKS();
}
