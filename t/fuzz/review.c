/* SPDX-License-Identifier: ISC */
/*
 * What the apiserver is asked about ourselves, of any words, and any bytes as
 * its answer.  The first byte is A: an answer; or Q: the words of a right, a
 * record each.
 */
#include "kubeside/review.h"

#include <string.h>

#include "common/auto.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "t/fuzz/target.h"

enum {
	WORD = 1024,
	WORDS = 5,
};

static void
fuzz_answer(struct span answer)
{
	char user[MAX_NAME + 1], again[MAX_NAME + 1];
	int may = review_allows(answer), is = review_user(answer, user);
	struct span allowed;

	must(may >= -1 && may <= 1);
	must(may != 1 ||
	    (scan_get(answer, &allowed, "status", "allowed", NULL) == 1 &&
		span_is(allowed, "true")));
	must(is == -1 ||
	    (is == 0 && strlen(user) <= MAX_NAME &&
		review_user(answer, again) == 0 && strcmp(user, again) == 0));
}

/* It is there as it was given; an empty one is not there at all. */
static void
must_have(struct span doc, const char *key, const char *word)
{
	char found[WORD];
	int got = scan_get_string(doc, found, sizeof(found), "spec",
	    "resourceAttributes", key, NULL);

	must(word[0] == '\0' ? got == 0 : got == 1 && strcmp(found, word) == 0);
}

static void
fuzz_question(struct span rest)
{
	char words[WORDS][WORD] = { "" }, *slash;
	struct access a = { words[0], words[1], words[2], words[3], words[4] };
	AUTO_FREE char *text = NULL, *self = review_self();
	struct span record, doc;
	size_t i;

	for (i = 0; i < WORDS && target_record(&rest, &record); i++) {
		if (record.len >= WORD)
			return;
		memcpy(words[i], record.p, record.len);
	}
	text = review_access(&a);
	doc = span_of(text);
	must(scan_is_valid(span_of(self)) && scan_is_valid(doc));
	must_have(doc, "verb", a.verb);
	must_have(doc, "group", a.group);
	must_have(doc, "namespace", a.ns);
	must_have(doc, "name", a.name);
	slash = strchr(words[1], '/');
	must_have(doc, "subresource", slash == NULL ? "" : slash + 1);
	if (slash != NULL)
		*slash = '\0';
	must_have(doc, "resource", words[1]);
}

static void
fuzz_review(struct span input)
{
	struct span rest = { input.p + 1, input.len - 1 };

	if (input.len == 0)
		return;
	if (*input.p == 'A')
		fuzz_answer(rest);
	if (*input.p == 'Q')
		fuzz_question(rest);
}

TARGET(review, fuzz_review);
