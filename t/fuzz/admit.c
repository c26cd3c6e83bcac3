/* SPDX-License-Identifier: ISC */
/*
 * A device's spec, a NUL, and the placer's edit of it (or another spec): the
 * way of flightside/put.c.  What is refused says where; what is admitted is
 * JSON, may stay, and may be taken out again.
 */
#include "flightside/admit.h"
#include "common/auto.h"
#include "common/bytes.h"
#include "common/scan.h"
#include "flightside/splice.h"
#include "t/fuzz/target.h"

static const struct admit_rules rules = { .cluster = "c",
	.registries = "quay.io,docker.io" };

/* 1: spliced and, in it, the new spec. */
static int
edited(struct span spec, struct span text, struct splice *s)
{
	AUTO_BYTES struct bytes device = { NULL, 0, 0 };
	struct base base;
	struct edit edit;

	bytes_add_text(&device,
	    "{\"metadata\":{\"name\":\"d\",\"generation\":1,"
	    "\"resourceVersion\":\"1\",\"creationTimestamp\":"
	    "\"2026-01-01T00:00:00Z\"},\"spec\":");
	bytes_add(&device, spec);
	bytes_add_text(&device, "}");
	return scan_is_valid(spec) && scan_is_valid(bytes_span(&device)) &&
	    base_read(bytes_span(&device), &base, NULL) == 0 &&
	    edit_read(text, &edit, NULL) == 0 &&
	    splice(&base, &edit, s, NULL) == 0;
}

static void
may_go(struct span spec, struct span text)
{
	AUTO_SPLICE struct splice s = { { NULL, 0, 0 }, 0, 0, 0 };
	AUTO_FREE char *cuts = NULL;
	struct edit edit;

	if (edit_read(text, &edit, NULL) == -1)
		abort();
	cuts = edit_cuts(&edit);
	if (!edited(spec, span_of(cuts), &s) ||
	    admit(&rules, spec, splice_spec(&s), NULL) == -1)
		abort();
}

/* Made of nothing: it names no element of another, which stays as it is. */
static int
is_all_ours(struct span text)
{
	AUTO_SPLICE struct splice s = { { NULL, 0, 0 }, 0, 0, 0 };
	const struct span none = span_of("{}");

	return edited(none, text, &s) &&
	    admit(&rules, none, splice_spec(&s), NULL) == 0;
}

static int
says_where(const struct why *why)
{
	return (why->kind == ERR_DENIED || why->kind == ERR_LIMIT) &&
	    (strncmp(why->text, "spec byte ", 10) == 0 ||
		strncmp(why->text, "applications", 12) == 0 ||
		strncmp(why->text, "config", 6) == 0);
}

static void
fuzz_admit(struct span input)
{
	AUTO_SPLICE struct splice s = { { NULL, 0, 0 }, 0, 0, 0 };
	const char *nul =
	    input.len > 0 ? memchr(input.p, '\0', input.len) : NULL;
	struct span old, text, new;
	struct why why;
	int edit;

	if (nul == NULL)
		return;
	old = (struct span){ input.p, (size_t)(nul - input.p) };
	text = (struct span){ nul + 1, input.len - old.len - 1 };
	edit = edited(old, text, &s);
	new = edit ? splice_spec(&s) : text;
	if (admit(&rules, old, new, &why) == -1) {
		if (edit ? !says_where(&why) :
			   why.kind != ERR_BUG && !says_where(&why))
			abort();
		return;
	}
	if (!scan_is_valid(new) || admit(&rules, new, new, &why) == -1)
		abort();
	if (edit && is_all_ours(text))
		may_go(new, text);
}

TARGET(admit, fuzz_admit);
