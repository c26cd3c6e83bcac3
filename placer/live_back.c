/* SPDX-License-Identifier: ISC */
/*
 * live_back.c: new files that a device cannot write.
 *
 * Owns who is suspected of that, how many try at a time, and what is said.  To
 * put old files back restarts nothing, so all that are new go back before any
 * application is suspected; then half as many try at a time, until one fails
 * alone.  Never makes files (live.c), never writes any.
 */
#include "placer/live.h"

#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/retry.h"
#include "common/xmem.h"
#include "placer/edit.h"
#include "placer/facts.h"
#include "placer/live_own.h"
#include "placer/said.h"

enum {
	RETRY_MS = 60 * 1000, /* after files that failed, doubling */
	RETRY_MAX_MS = 60 * 60 * 1000
};

void
live_drop_old(struct wlive *l)
{
	if (l->old != NULL)
		explicit_bzero(l->old, strlen(l->old));
	free(l->old);
	l->old = NULL;
}

/* -- whose files they are -- */

static void
guilty(struct world *w, struct wpod *p, const char *words, struct now now)
{
	struct wlive *l = p->live;

	if (l == NULL)
		return; /* it is made anew when it is looked at */
	l->retry_boot =
	    now.boot_ms + retry_doubled_ms(RETRY_MS, l->tries, RETRY_MAX_MS);
	if (l->tries < UINT8_MAX)
		l->tries++;
	world_look_at(w, p, l->retry_boot);
	live_complain(l, said_or_late(words));
}

static size_t
count(const struct wdevice *d, const char *words, size_t *named)
{
	const struct wpod *p;
	size_t n = 0;

	*named = 0;
	TAILQ_FOREACH(p, &d->pods, on_device) {
		n += p->filed == FILED_NEW;
		*named += p->filed == FILED_NEW && said_names(words, p);
	}
	return n;
}

int
live_judge(struct world *w, struct wdevice *d, size_t others, struct now now)
{
	const char *words = said_words(d->dev);
	size_t named, n = count(d, words, &named);
	struct wpod *p;

	if (n == 0)
		return 0;
	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (p->filed != FILED_NEW ||
		    (named > 0 && !said_names(words, p)))
			continue;
		if (named > 0 || n + others == 1)
			guilty(w, p, words, now);
		p->filed = FILED_BACK;
		world_look(w, p);
	}
	if (named == 0)
		d->files_max = n > 1 ? (uint32_t)n / 2 : 1;
	return 1;
}

/* -- who tries -- */

int
live_may_try(const struct wpod *p)
{
	const struct wdevice *d = p->device;
	const struct wpod *q;
	size_t n = 0;

	if (d->files_max == 0 || p->filed == FILED_NEW)
		return 1; /* or it does already */
	TAILQ_FOREACH(q, &d->pods, on_device)
		n += q->queued == IO_FILES || q->filed != FILED_NOT;
	return facts_settled(d) && n < d->files_max;
}

static void
file_applied(struct wpod *p)
{
	struct wlive *l = p->live;

	if (l == NULL)
		return;
	live_drop_old(l);
	if (p->filed == FILED_NEW) {
		l->retry_boot = 0;
		l->tries = 0;
	} else if (l->retry_boot == 0) {
		l->recipe = 0; /* not found guilty: it tries again */
	}
}

int
live_applied(struct wdevice *d)
{
	struct wpod *p;
	int n = 0, tried = 0;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (p->filed != FILED_NEW && p->filed != FILED_OLD)
			continue;
		/* What the device applied may be what was there before. */
		if (p->filed == FILED_NEW && p->filed_unsure)
			continue;
		n++;
		tried |= p->filed == FILED_NEW;
		file_applied(p);
		p->filed = FILED_NOT;
	}
	if (tried)
		d->files_max *= 2;
	if (d->files_max > d->npods)
		d->files_max = 0;
	return n;
}

/* -- what stands there -- */

int
live_wants_old(const struct wpod *p)
{
	return p->pod->uses_secrets && p->live->old == NULL &&
	    (p->filed != FILED_NEW || p->filed_unsure);
}

void
live_read(struct wdevice *d, struct span device)
{
	AUTO_FREE char *entry = NULL;
	struct wpod *p;
	char *end;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (p->pod == NULL || p->live == NULL ||
		    p->live->files == NULL || !live_wants_old(p))
			continue;
		entry = edit_recover(device, p->app);
		end = entry != NULL ? strchr(entry, '\n') : NULL;
		p->live->old = xstrdup(end != NULL ? end + 1 : "");
		if (entry != NULL)
			explicit_bzero(entry, strlen(entry));
		free(entry);
		entry = NULL;
	}
}

void
live_go_back(struct wpod *p, const char *entry)
{
	struct wlive *l = p->live;
	const char *end = entry != NULL ? strchr(entry, '\n') : NULL;
	const char *back = end != NULL ? end + 1 : l->old;

	/*
	 * Without any it stays as it is, and nobody else is suspected; or
	 * what was made meanwhile is tried.
	 */
	p->filed = back != NULL && *back != '\0' ? FILED_OLD : FILED_NEW;
	if (p->filed == FILED_OLD) {
		live_drop_files(l);
		l->files = xstrdup(back);
	}
	live_drop_old(l);
}
