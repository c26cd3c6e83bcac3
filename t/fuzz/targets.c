/* SPDX-License-Identifier: ISC */
/* targets.c: gives an input to the parser that its first line names. */
#include "t/fuzz/target.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "ipc/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
target_record(struct span *rest, struct span *record)
{
	const char *nul;

	if (rest->len == 0)
		return 0;
	nul = memchr(rest->p, '\0', rest->len);
	*record = *rest;
	if (nul != NULL)
		record->len = (size_t)(nul - rest->p);
	rest->p += record->len + (nul != NULL);
	rest->len -= record->len + (nul != NULL);
	return 1;
}

const struct target *
target_of(struct span input, struct span *rest)
{
	const struct target *const *t;
	const char *end =
	    input.len > 0 ? memchr(input.p, '\n', input.len) : NULL;
	struct span name = { input.p, 0 };

	if (end == NULL)
		return NULL;
	name.len = (size_t)(end - input.p);
	rest->p = end + 1;
	rest->len = input.len - name.len - 1;
	for (t = __start_targets; t < __stop_targets; t++)
		if (span_is(name, (*t)->name))
			return *t;
	return NULL;
}

void
target_say(const char *what, const char *text)
{
	static int wanted = -1;

	if (wanted == -1)
		wanted = getenv("FUZZ_LOG") != NULL;
	if (wanted)
		fprintf(stderr, "%s %s\n", what, text);
}

static void
on_line(const struct body_log *line, void *arg)
{
	(void)arg;
	target_say("log", line->text);
	if (line->error[0] != '\0')
		target_say("error", line->error);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest;
	const struct target *t =
	    target_of((struct span){ (const char *)data, size }, &rest);

	log_set_sink(on_line, NULL);
	log_set_level(LOG_LEVEL_DEBUG);
	if (t != NULL)
		t->run(rest);
	return 0;
}
