/* SPDX-License-Identifier: ISC */
/*
 * again.c: has a device try again what it refused.
 *
 * Owns the entry that makes the difference, and the pauses.  Never touches an
 * application or a file of one.
 */
#include "placer/again.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/retry.h"
#include "common/xmem.h"
#include "placer/facts.h"
#include "placer/quadlet_own.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
/* No volume is called so: a DNS label has no dot. */
#define AGAIN "try.again"

int
again_is(const char *config)
{
	const char *dot = strchr(config, '.');

	return dot != NULL && strcmp(dot + 1, AGAIN) == 0;
}

static uint64_t
hash_of(const struct wdevice *d)
{
	char digits[17];

	if (d->dev->hash == NULL)
		return 0;
	(void)snprintf(digits, sizeof(digits), "%s", d->dev->hash);
	return strtoull(digits, NULL, 16);
}

void
again_refused(struct wdevice *d)
{
	unsigned int at = d->nrefused++ % COUNT(d->refused);

	d->refused[at].hash = hash_of(d);
	d->refused[at].version = d->dev->version;
}

int
again_is_skipped(const struct wdevice *d)
{
	uint64_t hash = hash_of(d);
	size_t i;

	for (i = 0; i < COUNT(d->refused); i++)
		if (hash != 0 && d->refused[i].hash == hash &&
		    d->refused[i].version < d->dev->version)
			return 1;
	return 0;
}

void
again_note(struct wdevice *d, enum spec_version version, struct now now)
{
	if (version == SETTLED)
		d->again_tries = 0;
	if (version == SKIPPED)
		d->again_boot = now.boot_ms;
	else if (version != INNOCENT || facts_device(d, now) != HERE)
		d->again_boot = 0;
	else if (d->again_boot == 0)
		d->again_boot = now.boot_ms +
		    retry_doubled_ms(AGAIN_MS, d->again_tries, AGAIN_MAX_MS);
}

int
again_try(struct world *w, struct wdevice *d, struct now now)
{
	if (d->again_boot == 0)
		return 0;
	if (now.boot_ms < d->again_boot) {
		world_look_device_at(w, d, d->again_boot);
		return 0;
	}
	d->again_boot = 0;
	d->again_tries++;
	d->again = 1;
	return 1;
}

char *
again_entry(const struct wdevice *d, struct now now)
{
	const struct wpod *p = TAILQ_FIRST(&d->pods);
	const char *app = p != NULL ? p->app : facts_stray(d, now);
	size_t len, i;

	if (app == NULL)
		return NULL;
	len = strlen(app);
	for (i = 0; i < d->dev->nconfigs; i++)
		if (again_is(d->dev->configs[i])) {
			app = d->dev->configs[i];
			len = strcspn(app, ".");
		}
	return xasprintf("{\"name\":\"%.*s." AGAIN
			 "\",\"inline\":[{\"path\":\"" QUADLET_STATE_DIR
			 "/%.*s/" AGAIN "/at\",\"content\":\"%lld\"}]}",
	    (int)len, app, (int)len, app, (long long)now.wall_ms);
}
