/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as a Device: what is ours in it is found again by its name, and
 * what a unit of ours says of an end is one.
 */
#include "placer/device.h"

#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/fuzz/target.h"

/* "APP_CONTAINER.service" */
static void
find_end(const struct device *d, const struct unit_ended *u)
{
	AUTO_FREE char *app = xstrdup(u->unit);
	char *container = strchr(app, '_'), *end;
	const struct ended *found;

	if (container == NULL ||
	    (end = strstr(container, ".service")) == NULL ||
	    strcmp(end, ".service") != 0)
		return;
	*end = *container++ = '\0';
	found = exits_find(&d->exits, app, container);
	must(found == NULL || found->known);
	must(d->exits.n > 1 || (found != NULL) == u->ended.known);
}

static void
look_at(const struct device *d)
{
	size_t i;

	for (i = 0; i < d->nentries; i++)
		must(device_entry(d, d->entries[i].name) != NULL);
	for (i = 0; i < d->nreports; i++)
		must(device_report(d, d->reports[i].name) != NULL &&
		    app_state_word(d->reports[i].state) != NULL);
	for (i = 0; i < d->nconfigs; i++)
		must(device_files(d, d->configs[i]) != 0);
	for (i = 0; i < d->nlabels; i++)
		must(device_label(d, d->labels[i].key) != NULL);
	for (i = 0; i < d->exits.n; i++)
		find_end(d, &d->exits.list[i]);
	must(device_entry(d, "") == NULL && device_report(d, "") == NULL &&
	    device_files(d, "") == 0);
	must(!d->applied || (d->rendered && d->settled));
	must(device_summary_word(d->summary) != NULL);
}

static void
fuzz_device(struct span input)
{
	struct device *d = device_parse(input, "j", NULL);

	if (d != NULL)
		look_at(d);
	device_free(d);
}

TARGET(device, fuzz_device);
