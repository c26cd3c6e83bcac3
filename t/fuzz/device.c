/* SPDX-License-Identifier: ISC */
/* Any bytes as a Device: what is ours in it is found again by its name. */
#include <stdlib.h>

#include "placer/device.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct device *d;
	size_t i;

	d = device_parse((struct span){ (const char *)data, size }, "j", NULL);
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
	return 0;
}
