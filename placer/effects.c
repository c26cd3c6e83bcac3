/* SPDX-License-Identifier: ISC */
/*
 * effects.c: the list of what a turn wants done.
 *
 * Owns the list and the texts in it, in the order in which they were added.
 */
#include "placer/effects.h"

#include <stdlib.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/world.h"

struct effect *
effects_add(struct effects *fx, enum effect_kind kind)
{
	struct effect *e;

	if (fx->n == fx->cap) {
		fx->cap = fx->cap == 0 ? 64 : fx->cap * 2;
		fx->list = xreallocarray(fx->list, fx->cap, sizeof(*fx->list));
	}
	e = &fx->list[fx->n++];
	*e = (struct effect){ .kind = kind };
	return e;
}

void
effects_clear(struct effects *fx)
{
	size_t i;

	for (i = 0; i < fx->n; i++) {
		free(fx->list[i].text);
		free(fx->list[i].what);
	}
	free(fx->list);
	*fx = (struct effects){ NULL, 0, 0 };
}

void
effects_pod(struct effects *fx, enum effect_kind kind, struct wpod *p)
{
	effects_add(fx, kind)->pod = p;
}

void
effects_record(struct effects *fx, struct wpod *p, const char *operation,
    const char *text)
{
	struct effect *e;

	e = effects_add(fx, EFFECT_RECORD);
	e->pod = p;
	e->device = p->device;
	e->reason = operation;
	e->text = xstrdup(text);
}

void
effects_event(struct effects *fx, struct wpod *p, int warning,
    const char *reason, const char *text)
{
	struct effect *e;

	e = effects_add(fx, EFFECT_EVENT);
	e->pod = p;
	e->reason = reason;
	e->number = (uint64_t)warning;
	e->text = xstrdup(text);
}

void
effects_story(struct effects *fx, struct wpod *p, const char *reason,
    const char *text)
{
	AUTO_FREE char *words = xasprintf("%s %s", text, p->device->name);

	effects_event(fx, p, 0, reason, words);
}

void
effects_device_event(struct effects *fx, struct wdevice *d, int warning,
    const char *reason, const char *text)
{
	struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device)
		if (p->pod != NULL && !p->pod->terminating)
			effects_event(fx, p, warning, reason, text);
}
