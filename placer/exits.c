/* SPDX-License-Identifier: ISC */
/*
 * exits.c: reads how containers ended.
 *
 * Owns systemd's words for it, and which units are ours.  What is not of the
 * form is told as odd and spoils nothing else.
 */
#include "placer/exits.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/jread.h"
#include "common/limits.h"
#include "placer/block.h"

#define UNIT "vk-" /* then "APP_CONTAINER.service" */

enum {
	OF_SIGNAL = 128,
	MAX_CODE = 255,
	MAX_WORD = 32,
};

/* As systemd writes them; their numbers are Linux's. */
static const char *const signals[] = { "", "HUP", "INT", "QUIT", "ILL", "TRAP",
	"ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
	"TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
	"XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS" };

/* The word to the next blank, which it passes. */
static int
take(const char **s, char word[MAX_WORD])
{
	size_t n = strcspn(*s, " ");

	if (n >= MAX_WORD)
		return -1;
	memcpy(word, *s, n);
	word[n] = '\0';
	*s += n + ((*s)[n] == ' ');
	return 0;
}

static int
exit_status(const char *word)
{
	char *end;
	long n;

	if (*word < '0' || *word > '9')
		return -1;
	n = strtol(word, &end, 10);
	return *end != '\0' || n > MAX_CODE ? -1 : (int)n;
}

static int
signal_status(const char *word)
{
	size_t n =
	    jread_word(signals, sizeof(signals) / sizeof(signals[0]), word, 0);

	return n == 0 ? -1 : OF_SIGNAL + (int)n;
}

static int
read_ended(const char *s, struct ended *e)
{
	char result[MAX_WORD], code[MAX_WORD], status[MAX_WORD];
	int n = -1;

	*e = (struct ended){ 0 };
	if (take(&s, result) == -1 || take(&s, code) == -1 ||
	    take(&s, status) == -1 || *s != '\0' || *result == '\0')
		return -1;
	if (*code == '\0' && *status == '\0')
		return 0;
	if (strcmp(code, "exited") == 0)
		n = exit_status(status);
	else if (strcmp(code, "killed") == 0 || strcmp(code, "dumped") == 0)
		n = signal_status(status);
	if (n == -1)
		return -1;
	e->known = 1;
	e->code = (uint8_t)n;
	e->oom = strcmp(result, "oom-kill") == 0;
	return 0;
}

/* "APP_CONTAINER.service" of the name of a unit of ours, or NULL. */
static const char *
unit_of(struct json_object *j, const char *prefix)
{
	const char *name = jread_string(jread_member(j, "unit"));
	size_t n = strlen(UNIT);

	if (*prefix == '\0' || name == NULL || strlen(name) > MAX_NAME ||
	    strncmp(name, UNIT, n) != 0 ||
	    strncmp(name + n, prefix, strlen(prefix)) != 0)
		return NULL;
	return name + n;
}

/*
 * An agent that asks about a unit just after it went is told its name as its
 * description.
 */
static bool
is_gone(const char *unit, const char *said)
{
	return said != NULL && strncmp(said, UNIT, strlen(UNIT)) == 0 &&
	    strcmp(said + strlen(UNIT), unit) == 0;
}

void
exits_build(struct block *b, struct json_object *list, const char *prefix,
    struct exits *to)
{
	const char *unit, *said;
	struct unit_ended *u;
	size_t i, n = 0;

	for (i = 0; i < jread_count(list); i++)
		n += unit_of(jread_item(list, i), prefix) != NULL;
	to->list = block_get(b, n, sizeof(*to->list));
	for (i = 0; i < jread_count(list); i++) {
		if ((unit = unit_of(jread_item(list, i), prefix)) == NULL)
			continue;
		said = jread_string(
		    jread_member(jread_item(list, i), "description"));
		u = &to->list[to->n];
		if (said != NULL && read_ended(said, &u->ended) == 0) {
			u->unit = block_str(b, unit);
			to->n++;
		} else if (to->odd == NULL && !is_gone(unit, said))
			to->odd = block_str(b, unit);
	}
}

static bool
is_of(const char *unit, const char *app, const char *container)
{
	size_t a = strlen(app), c = strlen(container);

	return strncmp(unit, app, a) == 0 && unit[a] == '_' &&
	    strncmp(unit + a + 1, container, c) == 0 &&
	    strcmp(unit + a + 1 + c, ".service") == 0;
}

const struct ended *
exits_find(const struct exits *e, const char *app, const char *container)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		if (is_of(e->list[i].unit, app, container))
			return e->list[i].ended.known ? &e->list[i].ended :
							NULL;
	return NULL;
}
