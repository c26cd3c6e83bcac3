/* SPDX-License-Identifier: ISC */
/*
 * fault.c: the failed tries of a pod.
 *
 * Owns how many there were, what the device said of the last, and the pause
 * before the next.  Never decides who is guilty (suspect.c), nor what follows
 * (life.def).
 */
#include "placer/fault.h"

#include <stdlib.h>

#include "common/auto.h"
#include "common/limits.h"
#include "common/retry.h"
#include "common/utf8.h"
#include "common/xmem.h"
#include "placer/said.h"

enum {
	RETRY_MS = 10 * 1000, /* after a placement that failed, doubling */
	RETRY_MAX_MS = 5 * 60 * 1000
};

void
fault_note(struct wpod *p, struct effects *fx)
{
	const char *said = said_words(p->device->dev);
	AUTO_FREE char *words = NULL;

	if (p->tries < UINT8_MAX)
		p->tries++;
	free(p->fault);
	p->fault = utf8_message(said_or_late(said), MAX_TEXT);
	p->fault_reason = said_reason(said);
	p->fault_images = p->pod != NULL ? p->pod->images : p->sent_images;
	effects_pod(fx, EFFECT_FAULT, p); /* with the pause that is set next */
	words = xasprintf("%s: %s", p->fault_reason, p->fault);
	effects_event(fx, p, 1, "Failed", words);
}

int64_t
fault_pause_ms(const struct wpod *p)
{
	return retry_doubled_ms(RETRY_MS, p->tries > 1 ? p->tries - 1u : 0,
	    RETRY_MAX_MS);
}

void
fault_clear(struct wpod *p)
{
	free(p->fault);
	p->fault = NULL;
	p->fault_reason = NULL;
	p->fault_images = 0;
	p->tries = 0;
}

int
fault_is_past(const struct wpod *p, const struct pod *pod)
{
	return p->fault_images != 0 && p->fault_images != pod->images;
}

/* A pause is never longer than one can be, whatever the wall clock did. */
void
fault_resume(struct wpod *p, const char *said, int64_t retry_boot,
    struct now now)
{
	int64_t ms = retry_boot - now.boot_ms;

	if (*said != '\0') {
		p->fault = utf8_message(said, MAX_TEXT);
		p->fault_reason = said_reason(said);
	}
	if (ms > fault_pause_ms(p))
		ms = fault_pause_ms(p);
	if (ms > 0)
		p->retry_boot = now.boot_ms + ms;
}
