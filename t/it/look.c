/* SPDX-License-Identifier: ISC */
/*
 * look.c: one run of vk-flightctl-provider --check, and what it says.
 */
#include "t/it/look.h"

#include <regex.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/it.h"

enum {
	CHECK_MS = 20000, /* it promises */
};

size_t
look_lines(const char *text, const char *regex)
{
	size_t n = 0;
	regex_t re;
	regmatch_t m;

	if (regcomp(&re, regex, REG_EXTENDED | REG_NEWLINE) != 0)
		it_die("%s: no regular expression", regex);
	for (; regexec(&re, text, 1, &m, 0) == 0; text += m.rm_eo)
		n++;
	regfree(&re);
	return n;
}

char *
look_run(const char *name, const char *const *extra,
    const struct provider_look *how, int wanted)
{
	int64_t since = it_ms();
	char *out;
	int status = provider_check(name, extra, how, &out);

	it_ok(status == wanted && it_ms() - since < CHECK_MS,
	    "%s: exit status %d, in time", name, wanted);
	if (status != wanted)
		it_say("it is %d: %s", status, out);
	it_ok(look_lines(out, "^(warn|FAIL) ") ==
		look_lines(out, "^  mend: [^ ]"),
	    "what is wrong has its command");
	return out;
}

void
look_says(const char *out, const char *line, const char *mend)
{
	AUTO_FREE char *regex = xasprintf("^%s.*\n  mend: %s", line, mend);

	if (!it_ok(look_lines(out, regex) == 1, "%s | %s", line, mend))
		it_say("%s", out);
}
