/* SPDX-License-Identifier: ISC */
/* Any bytes as a Device: what is ours in it is found again by its name. */
#include "placer/device.h"
#include "t/fuzz/target.h"

static void
fuzz_device(struct span input)
{
	struct device *d;
	size_t i;

	d = device_parse(input, "j", NULL);
	for (i = 0; d != NULL && i < d->nentries; i++)
		if (device_entry(d, d->entries[i].name) == NULL)
			abort();
	for (i = 0; d != NULL && i < d->nreports; i++)
		if (device_report(d, d->reports[i].name) == NULL ||
		    app_state_word(d->reports[i].state) == NULL)
			abort();
	if (d != NULL && d->applied && !(d->rendered && d->settled))
		abort();
	device_free(d);
}

TARGET(device, fuzz_device);
