/* SPDX-License-Identifier: ISC */
/*
 * denials.c: what the server does not allow us, each once.
 *
 * Owns what is the same refusal and what is none.  Never logs.
 */
#include "kubeside/denials.h"

#include <string.h>

#include "common/scan.h"

enum {
	LASTS_MS = 5000, /* refused for so long: it is no start-up */
};

static int
is_terminating(struct span body)
{
	struct span causes, cause;
	char reason[64];
	size_t at = 0;

	if (scan_get(body, &causes, "details", "causes", NULL) != 1)
		return 0;
	while (scan_next(causes, &at, &cause) == 1)
		if (scan_get_string(cause, reason, sizeof(reason), "reason",
			NULL) == 1 &&
		    strcmp(reason, "NamespaceTerminating") == 0)
			return 1;
	return 0;
}

/* "User X cannot VERB RESOURCE in NAMESPACE"; a policy's words. */
static const char *
cause_of(const char *message)
{
	static const char policy[] = " is forbidden: ";
	const char *cause = strstr(message, " cannot ");

	if (cause != NULL)
		return cause;
	cause = strstr(message, policy);
	return cause == NULL ? message : cause + sizeof(policy) - 1;
}

static struct denial *
find(struct denials *d, const char *cause, int64_t now_ms)
{
	struct denial *e, *oldest = d->all;
	size_t i;

	for (i = 0; i < d->count; i++) {
		e = &d->all[i];
		if (strncmp(e->cause, cause, MAX_CAUSE - 1) == 0)
			return e;
		if (e->last_ms < oldest->last_ms)
			oldest = e;
	}
	e = d->count < DENIALS_MAX ? &d->all[d->count++] : oldest;
	memset(e, 0, sizeof(*e));
	memcpy(e->cause, cause, strnlen(cause, MAX_CAUSE - 1));
	e->since_ms = now_ms;
	return e;
}

int
denials_note(struct denials *d, struct span body, const char *message,
    int64_t now_ms)
{
	struct denial *e;

	if (is_terminating(body))
		return 0;
	e = find(d, cause_of(message), now_ms);
	e->last_ms = now_ms;
	if (e->logged || now_ms - e->since_ms < LASTS_MS)
		return 0;
	e->logged = 1;
	return 1;
}
