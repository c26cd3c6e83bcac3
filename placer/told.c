/* SPDX-License-Identifier: ISC */
/*
 * told.c: the last things that were told.
 *
 * Owns how many are kept and what counts as one trouble.  Never tells anybody
 * by itself: act.c does, and notes it here.
 */
#include "placer/told.h"

#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"

/* A line with its words. */
struct kept {
	struct told_line line;
	uint64_t count;
	char *words; /* all four, each with its NUL */
};

struct told {
	struct kept kept[TOLD_KEPT];
	uint64_t n;			     /* ever */
	struct kept troubles[TOLD_TROUBLES]; /* the latest first */
	size_t ntroubles;
	void (*listener)(void *, const struct told_line *);
	void *arg;
};

static const char *
keep_word(char **at, const char *word)
{
	char *here = *at;
	size_t size = strlen(word) + 1;

	memcpy(here, word, size);
	*at += size;
	return here;
}

static const char *
word(const char *s)
{
	return s != NULL ? s : "";
}

/* Instead of what is there. */
static void
keep(struct kept *k, const struct told_line *l)
{
	char *words = xmalloc(strlen(word(l->about)) + strlen(word(l->device)) +
	    strlen(word(l->reason)) + strlen(word(l->text)) + 4);
	char *at = words;

	free(k->words);
	*k = (struct kept){ .line = *l, .count = 1, .words = words };
	k->line.about = keep_word(&at, word(l->about));
	k->line.device = keep_word(&at, word(l->device));
	k->line.reason = keep_word(&at, word(l->reason));
	k->line.text = keep_word(&at, word(l->text));
}

struct told *
told_new(void)
{
	return xcalloc(1, sizeof(struct told));
}

void
told_free(struct told *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < TOLD_KEPT; i++)
		free(t->kept[i].words);
	for (i = 0; i < TOLD_TROUBLES; i++)
		free(t->troubles[i].words);
	free(t);
}

static int
is_same(const struct told_line *a, const struct told_line *b)
{
	if (a->kind != b->kind || strcmp(a->reason, b->reason) != 0)
		return 0;
	return *a->reason != '\0' || strcmp(a->text, b->text) == 0;
}

static void
add_trouble(struct told *t, const struct told_line *l)
{
	struct kept first;
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < t->ntroubles; i++)
		if (is_same(&t->troubles[i].line, l))
			break;
	if (i < t->ntroubles)
		count = t->troubles[i].count;
	else if (i < TOLD_TROUBLES)
		t->ntroubles++;
	else
		i--; /* the oldest goes */
	first = t->troubles[i];
	memmove(t->troubles + 1, t->troubles, i * sizeof(*t->troubles));
	keep(&first, l);
	first.count = count + 1;
	t->troubles[0] = first;
}

void
told_add(struct told *t, const struct told_line *l)
{
	struct kept *k = &t->kept[t->n++ % TOLD_KEPT];

	keep(k, l);
	if (l->warning)
		add_trouble(t, &k->line);
	if (t->listener != NULL)
		t->listener(t->arg, &k->line);
}

void
told_each(const struct told *t, void (*each)(void *, const struct told_line *),
    void *arg)
{
	uint64_t i;

	for (i = t->n > TOLD_KEPT ? t->n - TOLD_KEPT : 0; i < t->n; i++)
		each(arg, &t->kept[i % TOLD_KEPT].line);
}

void
told_troubles(const struct told *t,
    void (*each)(void *, const struct told_line *, uint64_t), void *arg)
{
	size_t i;

	for (i = 0; i < t->ntroubles; i++)
		each(arg, &t->troubles[i].line, t->troubles[i].count);
}

void
told_listen(struct told *t, void (*listener)(void *, const struct told_line *),
    void *arg)
{
	t->listener = listener;
	t->arg = arg;
}

const char *
told_kind_name(enum told_kind k)
{
	static const char *const names[TOLD_NKINDS] = { "event", "step",
		"order", "node", "log" };

	return names[k];
}
