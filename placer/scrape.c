/* SPDX-License-Identifier: ISC */
/*
 * scrape.c: what a scrape sees beside the world.
 *
 * Owns the readings of clocks and memory that metrics.c may not take.
 */
#include "placer/scrape.h"

#include <malloc.h>

#include "ipc/chan.h"
#include "placer/metrics.h"

char *
scrape_text(const struct world *w, int ready)
{
	struct mallinfo2 heap = mallinfo2();
	struct scrape s = { .now = now_read(),
		.heap = heap.uordblks + heap.hblkhd,
		.refused = chan_refused(),
		.ready = ready };

	return metrics_text(w, &s);
}
